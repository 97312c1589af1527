//! The OAuth side: authorization code with PKCE, device authorization, rotating refresh tokens, revocation, metadata.

mod alone;
mod authorize;
mod device;
mod grants;
mod login;
mod params;
mod token;

pub(crate) use authorize::{authorize, decide};
pub(crate) use device::{authorize_device, callback_page, decide_device, device_page};
pub(crate) use grants::{Access, Grants};
pub(crate) use login::{log_in, mailbox};
pub(crate) use token::{revoke, token};

use http::StatusCode;
use serde_json::json;

use crate::answer::Answer;
use crate::state::State;

/// The scope that messages need.
pub(crate) const INFERENCE: &str = "user:inference";

/// The grant of a login on another device.
const DEVICE_CODE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The grant of a signed statement about who asks (RFC 7523).
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// The scopes there are, and what they allow.
const SCOPES: [(&str, &str); 3] = [
    ("user:profile", "See your name and e-mail address"),
    (INFERENCE, "Send messages to models on your behalf"),
    ("user:developer", "Use the developer tools of your organisation"),
];

/// Splits a scope value into known scopes without repetition; `None` if one is unknown.
///
/// An absent or empty value stands for all scopes (RFC 6749, section 3.3, leaves the default to the server).
fn scopes(asked: Option<&str>) -> Option<Vec<String>> {
    let mut scopes = Vec::new();
    for name in asked.unwrap_or_default().split_ascii_whitespace() {
        let known = SCOPES.iter().find(|(known, _)| *known == name)?.0.to_owned();
        if !scopes.contains(&known) {
            scopes.push(known);
        }
    }
    if scopes.is_empty() {
        scopes.extend(SCOPES.iter().map(|(name, _)| (*name).to_owned()));
    }
    Some(scopes)
}

/// What these scopes allow, in words.
fn meanings(scope: &[String]) -> Vec<(&'static str, &'static str)> {
    SCOPES.into_iter().filter(|(name, _)| scope.iter().any(|asked| asked == name)).collect()
}

/// The metadata of the authorization server (RFC 8414).
pub(crate) fn metadata(state: &State) -> Answer {
    let scopes: Vec<&str> = SCOPES.iter().map(|(name, _)| *name).collect();
    Answer::json(
        StatusCode::OK,
        &json!({
            "issuer": state.issuer,
            "authorization_endpoint": state.url("/oauth/authorize").as_str(),
            "token_endpoint": state.url("/v1/oauth/token").as_str(),
            "device_authorization_endpoint": state.url("/v1/oauth/device_authorization").as_str(),
            "revocation_endpoint": state.url("/v1/oauth/revoke").as_str(),
            "jwks_uri": state.url("/.well-known/jwks.json").as_str(),
            "scopes_supported": scopes,
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": [
                "authorization_code", "refresh_token", "client_credentials", DEVICE_CODE, JWT_BEARER,
            ],
            "token_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
            "revocation_endpoint_auth_methods_supported": ["none"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": true,
        }),
    )
}
