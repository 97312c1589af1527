//! Who may call: API version, credential, beta header and scope.

use http::StatusCode;
use http::header::WWW_AUTHENTICATE;
use subtle::ConstantTimeEq;

use super::Call;
use crate::answer::{Answer, Received};
use crate::journal::Credential;
use crate::oauth::{Access, INFERENCE};
use crate::state::State;

/// The beta header that OAuth tokens need.
const OAUTH_BETA: &str = "oauth-2025-04-20";

/// The API versions that are spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// `2026-10-21`: keys travel as bearer tokens.
    Current,
    /// `2023-06-01`: keys travel as `x-api-key`, or as bearer tokens.
    Older,
}

/// A call that may go on.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) version: Version,
    pub(super) credential: Credential,
    /// Whose credential it is.
    pub(super) seat: usize,
}

/// Checks everything that has to be right before the request itself is looked at.
pub(super) fn check(state: &State, received: &Received, call: Call<'_>) -> Result<Entry, Box<Answer>> {
    let version = match received.header("anthropic-version") {
        Some("2026-10-21") => Version::Current,
        Some("2023-06-01") => Version::Older,
        Some(other) => {
            let message = format!("anthropic-version: {other} is unknown, use 2026-10-21 or 2023-06-01");
            return Err(refuse(received, Kind::Request, &message, Credential::None));
        }
        None => {
            let message = "anthropic-version: the header is missing";
            return Err(refuse(received, Kind::Request, message, Credential::None));
        }
    };
    let (credential, seat) = credential(state, received, call, version)?;
    Ok(Entry { version, credential, seat })
}

fn credential(
    state: &State,
    received: &Received,
    call: Call<'_>,
    version: Version,
) -> Result<(Credential, usize), Box<Answer>> {
    let denied = |message: &str| refuse(received, Kind::Credential, message, Credential::Refused);
    if let Some(authorization) = received.header("authorization") {
        let Some((scheme, secret)) = authorization.split_once(' ') else {
            return Err(denied("authorization: send Bearer, a space and the key or token"));
        };
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(denied("authorization: the scheme has to be Bearer"));
        }
        if is_key(state, secret) {
            return Ok((Credential::ApiKey, 0));
        }
        return token(state, received, call, secret);
    }
    match (received.header("x-api-key"), version) {
        (Some(key), Version::Older) if is_key(state, key) => Ok((Credential::ApiKey, 0)),
        (Some(_), Version::Older) => Err(denied("x-api-key: the key is not valid")),
        (Some(_), Version::Current) => {
            Err(denied("x-api-key: with this anthropic-version, send the key as authorization: Bearer"))
        }
        (None, _) => {
            let message = "no credential: send an API key or an access token as authorization: Bearer";
            Err(refuse(received, Kind::Credential, message, Credential::None))
        }
    }
}

fn token(
    state: &State,
    received: &Received,
    call: Call<'_>,
    token: &str,
) -> Result<(Credential, usize), Box<Answer>> {
    let denied = |message: &str| refuse(received, Kind::Credential, message, Credential::Refused);
    // The guard ends here: an answer is made without the lock.
    let access = state.lock().grants.access(received.at, token);
    let (scope, seat) = match access {
        Access::Granted { scope, seat } => (scope, seat),
        Access::Expired => return Err(denied("authorization: the access token has expired")),
        Access::Revoked => return Err(denied("authorization: the access token was revoked")),
        Access::Unknown => return Err(denied("authorization: the key or token is not valid")),
    };
    let betas = received.headers.get_all("anthropic-beta").iter().filter_map(|value| value.to_str().ok());
    if !betas.flat_map(|value| value.split(',')).any(|beta| beta.trim() == OAUTH_BETA) {
        return Err(denied("anthropic-beta: an access token needs oauth-2025-04-20"));
    }
    if call.is_inference() && !scope.iter().any(|name| name == INFERENCE) {
        let message = "the access token lacks the scope user:inference";
        return Err(refuse(received, Kind::Permission, message, Credential::AccessToken));
    }
    Ok((Credential::AccessToken, seat))
}

#[derive(Clone, Copy)]
enum Kind {
    Request,
    Credential,
    Permission,
}

/// An error of this level, with the challenge that RFC 6750, section 3, asks for.
fn refuse(received: &Received, kind: Kind, message: &str, credential: Credential) -> Box<Answer> {
    let (status, kind, challenge) = match kind {
        Kind::Request => (StatusCode::BAD_REQUEST, "invalid_request_error", None),
        Kind::Credential if credential == Credential::None => {
            (StatusCode::UNAUTHORIZED, "authentication_error", Some("Bearer"))
        }
        Kind::Credential => {
            (StatusCode::UNAUTHORIZED, "authentication_error", Some("Bearer error=\"invalid_token\""))
        }
        Kind::Permission => {
            let challenge = "Bearer error=\"insufficient_scope\", scope=\"user:inference\"";
            (StatusCode::FORBIDDEN, "permission_error", Some(challenge))
        }
    };
    let mut answer = Answer::error(&received.id, status, kind, message);
    if let Some(challenge) = challenge {
        answer = answer.header(WWW_AUTHENTICATE, challenge);
    }
    answer.credential = credential;
    Box::new(answer)
}

fn is_key(state: &State, secret: &str) -> bool {
    secret.as_bytes().ct_eq(state.api_key.as_bytes()).into()
}
