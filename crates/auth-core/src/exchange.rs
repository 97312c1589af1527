//! Exchanges: a grant becomes a request, an answer becomes tokens.
//!
//! Everything here is a pure function of its arguments. Requests are `POST`, carry their secrets in the body or in a
//! header marked sensitive, never in the URL, and must be sent without following redirects. The body does hold secrets:
//! do not print a request.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::{Duration, SystemTime};
//! use auth_core::{Client, Server, exchange};
//!
//! let server = Server::new("https://auth.example/authorize".parse()?, "https://auth.example/token".parse()?)?;
//! let (request, asked) = exchange::refresh(&server, &Client::public("app"), &"old".into());
//! // Send `request` with any HTTP client; this is what came back:
//! let answer = http::Response::new(bytes::Bytes::from(
//!     r#"{"access_token":"a","token_type":"bearer","expires_in":60}"#,
//! ));
//! let now = SystemTime::UNIX_EPOCH;
//! let tokens = exchange::response(&asked, &answer, now)?;
//! assert_eq!(tokens.expires_at, Some(now + Duration::from_secs(60)));
//! # Ok(()) }
//! ```

mod answer;
mod error;

use std::{fmt, time::SystemTime};

use bytes::Bytes;
use http::{
    HeaderValue, Method, Request, Response,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use secrecy::{ExposeSecret as _, SecretString};
use url::form_urlencoded;

pub use self::error::ExchangeError;
use crate::{
    Client, CodeGrant, ScopeSet, Server, TokenSet,
    redact::Scrubber,
    server::{Encoding, Format},
};

/// The largest answer that is read, in bytes: 1 MiB. A driver can stop reading there.
pub const MAX_ANSWER: usize = 1024 * 1024;

/// Builds the request that redeems a code (RFC 6749 section 4.1.3, RFC 7636 section 4.5).
///
/// The request goes to the token endpoint of the server that was asked for the code, whoever answered.
#[must_use]
pub fn code(grant: CodeGrant) -> (Request<Bytes>, Asked) {
    let CodeGrant { server, client, redirect_uri, scopes, verifier, state, code } = grant;
    let format = server.wire().code();
    let mut members = vec![
        ("grant_type", "authorization_code"),
        ("code", code.expose_secret()),
        ("redirect_uri", redirect_uri.as_str()),
        ("code_verifier", verifier.expose_secret()),
    ];
    if format.state {
        members.push(("state", state.expose_secret()));
    }
    let request = build(&server, &client, format, members);
    let mut secrets = client.secrets();
    secrets.extend([code, verifier, state]);
    (request, Asked { grant: Grant::Code { scopes }, secrets })
}

/// Builds the request that trades a refresh token for new tokens (RFC 6749 section 6).
///
/// The server may rotate the token, so the same token must not be sent twice for no reason;
/// [`TokenMachine`](crate::TokenMachine) sees to that.
#[must_use]
pub fn refresh(server: &Server, client: &Client, refresh_token: &SecretString) -> (Request<Bytes>, Asked) {
    let members = vec![("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose_secret())];
    let request = build(server, client, server.wire().refresh(), members);
    let mut secrets = client.secrets();
    secrets.push(refresh_token.clone());
    (request, Asked { grant: Grant::Refresh { token: refresh_token.clone() }, secrets })
}

/// Reads the answer to an exchange (RFC 6749 sections 5.1 and 5.2).
///
/// Only a 200 with one JSON object is a success. What the server leaves out is filled in from what was asked: the
/// refresh token sent, the scopes requested. A token without a usable lifetime is taken to live an hour when it can be
/// refreshed, and until it is refused when it cannot.
///
/// # Errors
///
/// [`ExchangeError`], whose texts hold no secret of this exchange, however the server echoed it.
pub fn response(
    asked: &Asked,
    response: &Response<Bytes>,
    now: SystemTime,
) -> Result<TokenSet, ExchangeError> {
    answer::read(asked, response, now)
}

/// What was asked in an exchange, kept to read the answer: scopes, the token sent, the secrets to hide.
#[derive(Clone)]
pub struct Asked {
    grant: Grant,
    secrets: Vec<SecretString>,
}

#[derive(Clone)]
enum Grant {
    Code { scopes: ScopeSet },
    Refresh { token: SecretString },
}

impl Asked {
    fn scrubber(&self) -> Scrubber {
        Scrubber::new(&self.secrets)
    }
}

impl fmt::Debug for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let grant = match self.grant {
            Grant::Code { .. } => "authorization_code",
            Grant::Refresh { .. } => "refresh_token",
        };
        f.debug_struct("Asked").field("grant", &grant).finish_non_exhaustive()
    }
}

fn build<'a>(
    server: &Server,
    client: &'a Client,
    format: &Format,
    mut members: Vec<(&'a str, &'a str)>,
) -> Request<Bytes> {
    members.extend(client.members());
    let (body, content_type) = match format.encoding {
        Encoding::Form => (
            form_urlencoded::Serializer::new(String::new()).extend_pairs(members).finish(),
            "application/x-www-form-urlencoded",
        ),
        Encoding::Json => {
            let object = members.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
            (serde_json::Value::Object(object).to_string(), "application/json")
        }
    };
    let mut request = Request::new(Bytes::from(body));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = server.token_uri().clone();
    let headers = request.headers_mut();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Some(credentials) = client.header() {
        headers.insert(AUTHORIZATION, credentials);
    }
    headers.extend(format.headers.iter().map(|(name, value)| (Some(name.clone()), value.clone())));
    request
}
