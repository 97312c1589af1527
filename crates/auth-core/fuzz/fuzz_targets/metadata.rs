//! A server's description of itself, which may be another server's.
//!
//! The input is the issuer that is asked for, a line feed, and the document. An empty issuer is that of the document, so
//! that what follows the comparison is reached.
//!
//! - What is accepted has the issuer that was asked for, S256 if there is a login, and the document's endpoints, each of
//!   them safe by the rules in `is_safe`, and each of them usable: no request to one fails to be built.
//! - An issuer has two locations on its own origin, or none.
#![no_main]
#![allow(clippy::expect_used, reason = "a panic is how a target fails")]

use std::collections::BTreeMap;

use auth_core::{AuthorizationRequest, Client, DeviceRequest, Metadata, MetadataError, TokenKind, exchange};
use auth_core_fuzz::{assert_printable, is_safe, redirect_uri, said};
use http::{Response, StatusCode};
use libfuzzer_sys::fuzz_target;
use serde_json::value::RawValue;
use url::Url;

/// The members of a document, not read further: like auth-core, this reads no member that it does not need.
type Members<'a> = BTreeMap<String, &'a RawValue>;

fuzz_target!(|data: &[u8]| {
    let (asked, document) = data.split_at(data.iter().position(|byte| *byte == b'\n').unwrap_or(0));
    let asked = &*String::from_utf8_lossy(asked);
    locations(asked);
    // A member that is not needed may hold anything, even what is no text.
    let text_of_all = String::from_utf8_lossy(document);
    let members: Members<'_> = serde_json::from_str(&text_of_all).unwrap_or_default();
    let own = text(&members, "issuer").unwrap_or_default();
    let issuer = if asked.is_empty() { &*own } else { asked };
    let mut response = Response::new(document.to_vec().into());
    match Metadata::parse(&response, issuer) {
        Ok(metadata) => accepted(&metadata, &members, issuer),
        Err(error) => refused(&error),
    }
    *response.status_mut() = StatusCode::FOUND;
    assert!(Metadata::parse(&response, issuer).is_err(), "a redirect is no document");
});

fn text(document: &Members<'_>, name: &str) -> Option<String> {
    serde_json::from_str(document.get(name)?.get()).ok()
}

fn locations(issuer: &str) {
    let Ok(locations) = Metadata::locations(issuer) else { return };
    let issuer = Url::parse(issuer).expect("an issuer is a url");
    for location in locations {
        assert!(is_safe(&location) && location.origin() == issuer.origin(), "{location}");
        assert!(location.path().contains("/.well-known/"), "{location}");
        assert_eq!((location.query(), location.fragment()), (None, None));
    }
}

fn accepted(metadata: &Metadata, document: &Members<'_>, issuer: &str) {
    let named = |name| text(document, name).and_then(|text| Url::parse(&text).ok());
    let server = metadata.server();
    assert_eq!((server.issuer(), text(document, "issuer").as_deref()), (Some(issuer), Some(issuer)));
    let methods = document.get("code_challenge_methods_supported").map_or("", |methods| methods.get());
    let methods: Vec<String> = serde_json::from_str(methods).unwrap_or_default();
    let s256 = methods.iter().any(|method| method == "S256");
    assert!(s256 || server.authorization_endpoint().is_none(), "a login without S256");
    for (name, endpoint) in [
        ("authorization_endpoint", server.authorization_endpoint()),
        ("token_endpoint", Some(server.token_endpoint())),
        ("revocation_endpoint", server.revocation_endpoint()),
        ("device_authorization_endpoint", metadata.device_authorization_endpoint()),
    ] {
        assert_eq!(endpoint.cloned(), named(name), "{name}");
        assert!(endpoint.is_none_or(|url| is_safe(url) && url.fragment().is_none()), "{name}: {endpoint:?}");
    }
    usable(metadata);
}

/// Every request that these endpoints are for can be built and goes where the document says.
fn usable(metadata: &Metadata) {
    let (server, client) = (metadata.server(), Client::public("app"));
    let login = AuthorizationRequest::new(server, &client, redirect_uri());
    assert_eq!(login.is_ok(), server.authorization_endpoint().is_some());
    if let Ok(login) = login {
        let (url, _) = login.begin([7; 64]);
        for name in ["state", "code_challenge", "redirect_uri", "response_type", "client_id"] {
            assert_eq!(url.query_pairs().filter(|(other, _)| other == name).count(), 1, "{name} in {url}");
        }
    }
    let (request, _) = exchange::refresh(server, &client, &"rt".into());
    assert_eq!(request.uri().host(), server.token_endpoint().host_str());
    let revocation = exchange::revoke(server, &client, &"rt".into(), TokenKind::RefreshToken);
    assert_eq!(revocation.is_some(), server.revocation_endpoint().is_some());
    if let Some(endpoint) = metadata.device_authorization_endpoint() {
        let asking = DeviceRequest::new(server, &client, endpoint.clone());
        assert_eq!(asking.expect("the endpoint was accepted").request().uri().host(), endpoint.host_str());
    }
}

fn refused(error: &MetadataError) {
    assert_printable(&error.to_string());
    // The words are ours alone: whatever the document holds, it is not repeated.
    assert!(said(error).len() < 1000, "{error:?}");
}
