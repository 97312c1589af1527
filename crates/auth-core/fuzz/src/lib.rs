//! What the fuzz targets of auth-core share: a server, a time, and how an error is read from top to bottom.
//!
//! It is no library for others: only the targets beside it use it.
#![allow(clippy::expect_used, clippy::missing_panics_doc, reason = "a panic is how a target fails")]

use std::{
    error::Error,
    net::IpAddr,
    sync::LazyLock,
    time::{Duration, SystemTime},
};

use auth_core::Server;
use url::Url;

/// The issuer of [`server`].
pub const ISSUER: &str = "https://auth.example";

/// The time at which every input begins.
#[must_use]
pub fn start() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

/// Returns the server that every login is with; it revokes tokens, and its issuer is not recorded.
#[must_use]
pub fn server() -> Server {
    static SERVER: LazyLock<Server> = LazyLock::new(|| {
        bare_server()
            .with_authorization_endpoint(url("https://auth.example/authorize"))
            .and_then(|server| server.with_revocation_endpoint(url("https://auth.example/revoke")))
            .expect("the endpoints are fit for a server")
    });
    SERVER.clone()
}

/// Returns the same server before it had more than a token endpoint.
#[must_use]
pub fn bare_server() -> Server {
    static SERVER: LazyLock<Server> = LazyLock::new(|| {
        Server::new(url("https://auth.example/token")).expect("the endpoint is fit for a server")
    });
    SERVER.clone()
}

/// Returns where the answer to a login arrives.
#[must_use]
pub fn redirect_uri() -> Url {
    static REDIRECT_URI: LazyLock<Url> = LazyLock::new(|| url("http://localhost:8976/callback"));
    REDIRECT_URI.clone()
}

/// Reads a URL that is known to be one.
#[must_use]
pub fn url(text: &str) -> Url {
    text.parse().expect("the url is well formed")
}

/// Returns everything an error says: its own words, those of its causes, and what `Debug` shows.
#[must_use]
pub fn said(error: &dyn Error) -> String {
    let mut said = String::new();
    let mut cause = Some(error);
    while let Some(error) = cause {
        said += &format!("{error}\n{error:?}\n");
        cause = error.source();
    }
    said
}

/// Asserts that a text can be written to a terminal or a log: one line of printable characters.
pub fn assert_printable(text: &str) {
    let odd = |c: char| c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}');
    assert!(!text.contains(odd), "not fit to be shown: {text:?}");
}

/// Tells whether a URL may be trusted with a secret, by rules written down once more and not taken from auth-core.
#[must_use]
pub fn is_safe(url: &Url) -> bool {
    let authority = url.as_str().split('/').nth(2).unwrap_or_default();
    let host = url.host_str().unwrap_or_default();
    let loopback = host == "localhost"
        || host.trim_matches(['[', ']']).parse().is_ok_and(|address: IpAddr| address.is_loopback());
    !authority.contains('@') && (url.scheme() == "https" || (url.scheme() == "http" && loopback))
}
