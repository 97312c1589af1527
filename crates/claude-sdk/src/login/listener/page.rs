//! The pages a person sees at the end of a login: no scripts, no external parts, nothing of the request in them.

use auth_core::{CallbackErrorKind, Snapshot};
use bytes::Bytes;
use http::{Response, StatusCode, header};
use http_body_util::Full;

use crate::error::LoginError;

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{font:1.125rem/1.6 system-ui,sans-serif;max-width:32rem;margin:18vh auto 3rem;padding:0 1.5rem}\
h1{font-size:1.6rem;line-height:1.25;margin:0 0 .5rem}\
p{margin:0}";

/// The style's hash, as the policy of the page names it; a test computes it.
const POLICY: &str = "default-src 'none'; style-src 'sha256-NWBHYK2zD4wtdOGSrP258nP7NghpMx3gzCDbdx4I+sg='; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// How a login ended, or went on, for whoever looks at the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    LoggedIn,
    Refused,
    OtherServer,
    Failed,
    Interrupted,
    Stranger,
    TooLate,
}

impl Ending {
    pub(super) fn of(outcome: &Result<Snapshot, LoginError>) -> Self {
        match outcome {
            Ok(_) => Self::LoggedIn,
            Err(LoginError::Callback(CallbackErrorKind::Denied { .. })) => Self::Refused,
            Err(LoginError::Callback(_)) => Self::OtherServer,
            Err(_) => Self::Failed,
        }
    }

    fn words(self) -> (StatusCode, &'static str, &'static str) {
        const NOT: &str = "You are not logged in";
        match self {
            Self::LoggedIn => {
                (StatusCode::OK, "You are logged in", "You can close this window and go back to the program.")
            }
            Self::Refused => (
                StatusCode::BAD_REQUEST,
                NOT,
                "The login was refused. If that was a mistake, start it again in the program that began it.",
            ),
            Self::OtherServer => (
                StatusCode::BAD_REQUEST,
                NOT,
                "Another server answered than the one that was asked. Check where the link came from.",
            ),
            Self::Failed => (
                StatusCode::BAD_GATEWAY,
                NOT,
                "The server gave no session for this login. The program that began it says why.",
            ),
            Self::Interrupted => (
                StatusCode::SERVICE_UNAVAILABLE,
                NOT,
                "The program that began the login has ended it. Start it again there.",
            ),
            Self::Stranger => (
                StatusCode::BAD_REQUEST,
                "This is not the login that is waiting",
                "Go back to the page of the login and try again.",
            ),
            Self::TooLate => (StatusCode::GONE, "This login is over", "You can close this window."),
        }
    }
}

/// The page with a heading and a sentence; both are constants of this file.
pub(super) fn ending(ending: Ending) -> Response<Full<Bytes>> {
    let (status, heading, text) = ending.words();
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{heading}</title><style>{STYLE}</style></head>\
         <body><main><h1>{heading}</h1><p>{text}</p></main></body></html>\n"
    );
    respond(status, "text/html; charset=utf-8", html)
}

/// One line of text.
pub(super) fn plain(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    respond(status, "text/plain; charset=utf-8", format!("{text}\n"))
}

fn respond(status: StatusCode, content_type: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    for (name, value) in [
        (header::CONTENT_TYPE, content_type),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ] {
        response.headers_mut().insert(name, http::HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    use sha2::{Digest as _, Sha256};

    use super::{POLICY, STYLE};

    #[test]
    fn the_policy_allows_the_style_and_nothing_else() {
        let hash = BASE64_STANDARD.encode(Sha256::digest(STYLE));
        assert!(POLICY.contains(&format!("style-src 'sha256-{hash}';")), "{hash}");
        assert!(POLICY.starts_with("default-src 'none'; ") && !POLICY.contains("unsafe"));
    }
}
