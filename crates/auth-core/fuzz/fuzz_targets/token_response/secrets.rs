//! What is sent, and how it may look when it comes back.

use std::sync::LazyLock;

use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD},
};
use bytes::Bytes;
use http::{HeaderValue, Request, header::AUTHORIZATION};
use url::form_urlencoded::byte_serialize;

/// The code, refresh token, assertion or device code of an exchange, with characters that encodings change.
pub(crate) const GRANT: &str = "canary/g+t=";
/// The client's own secret.
pub(crate) const CLIENT: &str = "canary/s3cret";
/// The entropy of the login whose code is redeemed.
pub(crate) const ENTROPY: &[u8; 64] = b"these-forty-eight-bytes-become-the-code-verifierthese-the-state.";
/// The state that the entropy makes.
pub(crate) const STATE: &str = "dGhlc2UtdGhlLXN0YXRlLg";
/// The verifier that the entropy makes.
const VERIFIER: &str = "dGhlc2UtZm9ydHktZWlnaHQtYnl0ZXMtYmVjb21lLXRoZS1jb2RlLXZlcmlmaWVy";

/// What a client with the header sends: its id and its secret.
const BASIC: &str = "YXBwOmNhbmFyeSUyRnMzY3JldA==";

/// A secret, and the ways in which a server could echo it.
struct Secret {
    plain: &'static str,
    form: String,
    looks: [String; 8],
}

static SECRETS: LazyLock<[Secret; 5]> = LazyLock::new(|| [GRANT, CLIENT, STATE, VERIFIER, BASIC].map(secret));

/// Asserts that no secret of a request is in a text, in any of the encodings that a server could echo it in.
pub(crate) fn assert_none_of(request: &Request<Bytes>, shown: &str) {
    let body = String::from_utf8_lossy(request.body());
    let header = request.headers().get(AUTHORIZATION).map(HeaderValue::as_bytes);
    assert!(header.is_none_or(|header| header.ends_with(BASIC.as_bytes())), "another client: {header:?}");
    for &Secret { plain, ref form, ref looks } in &*SECRETS {
        let by_header = header.is_some() && [CLIENT, BASIC].contains(&plain);
        let sent = by_header || body.contains(plain) || body.contains(form.as_str());
        let shown = looks.iter().find(|look| sent && shown.contains(*look));
        assert!(shown.is_none(), "{shown:?} was sent and is shown");
    }
}

fn secret(plain: &'static str) -> Secret {
    let form: String = byte_serialize(plain.as_bytes()).collect();
    let looks = [
        plain.to_owned(),
        form.clone(),
        form.replace("%2F", "%2f").replace("%2B", "%2b").replace("%3D", "%3d"),
        plain.replace('/', "\\/"),
        BASE64_STANDARD.encode(plain),
        BASE64_STANDARD_NO_PAD.encode(plain),
        BASE64_URL_SAFE.encode(plain),
        BASE64_URL_SAFE_NO_PAD.encode(plain),
    ];
    Secret { plain, form, looks }
}
