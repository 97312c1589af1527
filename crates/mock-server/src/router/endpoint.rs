//! What is at a path, and who answers there.

use http::header::ALLOW;
use http::{Method, StatusCode};

use crate::answer::{Answer, Received};
use crate::api::{self, Call};
use crate::oauth;
use crate::page;
use crate::state::State;

const GET: &[Method] = &[Method::GET];
const POST: &[Method] = &[Method::POST];

/// A path the server knows.
#[derive(Debug)]
enum Endpoint<'a> {
    Index,
    Metadata,
    Keys,
    Authorize,
    Decision,
    Login,
    Mailbox,
    Callback,
    DeviceAuthorization,
    DevicePage,
    DeviceDecision,
    Token,
    Revoke,
    Api(Call<'a>),
}

/// Has a request answered by what is at its path.
pub(super) fn dispatch(state: &State, received: &Received) -> Answer {
    let Some(path) = local(state, &received.path) else {
        return not_found(received);
    };
    let endpoint = Endpoint::of(path);
    // A script takes the place of everything but the API's own endpoints, which look for it after their checks.
    if !matches!(endpoint, Some(Endpoint::Api(_)))
        && let Some(reply) = state.scripted(path, || received.text())
    {
        return api::scripted(state, received, reply);
    }
    let Some(endpoint) = endpoint else {
        return not_found(received);
    };
    let methods = endpoint.methods();
    if !methods.contains(&received.method) {
        let methods = methods.iter().map(Method::as_str).collect::<Vec<_>>();
        let message = format!("{} is not allowed here: use {}", received.method, methods.join(" or "));
        return Answer::error(
            &received.id,
            StatusCode::METHOD_NOT_ALLOWED,
            "invalid_request_error",
            &message,
        )
        .header(ALLOW, methods.join(", "));
    }
    match endpoint {
        Endpoint::Index => page::index(state),
        Endpoint::Metadata => oauth::metadata(state),
        Endpoint::Keys => Answer::json(StatusCode::OK, &state.workload.keys()),
        Endpoint::Authorize => oauth::authorize(state, received),
        Endpoint::Decision => oauth::decide(state, received),
        Endpoint::Login => oauth::log_in(state, received),
        Endpoint::Mailbox => oauth::mailbox(state),
        Endpoint::Callback => oauth::callback_page(received),
        Endpoint::DeviceAuthorization => oauth::authorize_device(state, received),
        Endpoint::DevicePage => oauth::device_page(state, received),
        Endpoint::DeviceDecision => oauth::decide_device(state, received),
        Endpoint::Token => oauth::token(state, received),
        Endpoint::Revoke => oauth::revoke(state, received),
        Endpoint::Api(call) => api::answer(state, received, call),
    }
}

impl<'a> Endpoint<'a> {
    fn of(path: &'a str) -> Option<Self> {
        Some(match path {
            "" | "/" => Self::Index,
            "/.well-known/oauth-authorization-server" => Self::Metadata,
            "/.well-known/jwks.json" => Self::Keys,
            "/oauth/authorize" => Self::Authorize,
            "/oauth/authorize/decision" => Self::Decision,
            "/oauth/login" => Self::Login,
            "/mock/mail" => Self::Mailbox,
            "/oauth/code/callback" => Self::Callback,
            "/v1/oauth/device_authorization" => Self::DeviceAuthorization,
            "/oauth/device" => Self::DevicePage,
            "/oauth/device/decision" => Self::DeviceDecision,
            "/v1/oauth/token" | "/oauth/token" => Self::Token,
            "/v1/oauth/revoke" => Self::Revoke,
            _ => Self::Api(Call::of(path)?),
        })
    }

    fn methods(&self) -> &'static [Method] {
        match self {
            Self::Index
            | Self::Metadata
            | Self::Keys
            | Self::Authorize
            | Self::Mailbox
            | Self::Callback
            | Self::DevicePage => GET,
            Self::Decision
            | Self::Login
            | Self::DeviceAuthorization
            | Self::DeviceDecision
            | Self::Token
            | Self::Revoke => POST,
            Self::Api(call) => call.methods(),
        }
    }
}

/// The path without the prefix; `None` if it is not below the prefix.
///
/// The metadata of an issuer with a path lives before that path (RFC 8414, section 3.1), so that is understood too.
pub(super) fn local<'a>(state: &State, path: &'a str) -> Option<&'a str> {
    const METADATA: &str = "/.well-known/oauth-authorization-server";
    if let Some(local) = path.strip_prefix(state.path_prefix.as_str())
        && (local.is_empty() || local.starts_with('/'))
    {
        return Some(local);
    }
    (path.strip_prefix(METADATA)? == state.path_prefix).then_some(METADATA)
}

fn not_found(received: &Received) -> Answer {
    let message = format!("there is nothing at {}: check the base URL and its path", received.path);
    Answer::error(&received.id, StatusCode::NOT_FOUND, "not_found_error", &message)
}
