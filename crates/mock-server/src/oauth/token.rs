//! The token and revocation endpoints.

use http::header::{CACHE_CONTROL, PRAGMA};
use http::{HeaderValue, StatusCode};
use serde_json::json;

use super::grants::{Denied, Exchange, Issued};
use super::params::Params;
use super::{DEVICE_CODE, JWT_BEARER, alone, scopes};
use crate::answer::{Answer, Received};
use crate::state::State;

/// Answers a token request with tokens (RFC 6749, section 5.1) or an error (section 5.2).
pub(crate) fn token(state: &State, received: &Received) -> Answer {
    match grant(state, received) {
        Ok(issued) => {
            let mut reply = json!({
                "token_type": "Bearer",
                "access_token": issued.access_token,
                "expires_in": issued.until.saturating_sub(received.at).as_secs(),
                "scope": issued.scope.join(" "),
            });
            if let (Some(members), Some(seat)) = (reply.as_object_mut(), state.seats.get(issued.seat)) {
                let organization = json!({"uuid": seat.organization, "name": seat.organization_name});
                members.insert("organization".to_owned(), organization);
                if let Some(token) = issued.refresh_token {
                    let account = json!({"uuid": seat.account, "email_address": seat.email});
                    members.insert("refresh_token".to_owned(), json!(token));
                    members.insert("account".to_owned(), account);
                }
                let workspace = json!({"id": seat.workspace, "name": seat.workspace_name});
                members.insert("workspace".to_owned(), workspace);
            }
            unstored(Answer::json(StatusCode::OK, &reply)).noted(Some(issued.note))
        }
        Err(denied) => refusal(&denied),
    }
}

/// Revokes a token; one that is unknown counts as revoked (RFC 7009, section 2.2).
pub(crate) fn revoke(state: &State, received: &Received) -> Answer {
    let token =
        match client_params(state, received).and_then(|params| Ok(required(&params, "token")?.to_owned())) {
            Ok(token) => token,
            Err(denied) => return refusal(&denied),
        };
    let note = state.lock().grants.revoke(&token).unwrap_or("unknown token revoked");
    unstored(Answer::json(StatusCode::OK, &json!({}))).noted(Some(note))
}

fn grant(state: &State, received: &Received) -> Result<Issued, Denied> {
    let params = params(received)?;
    let grant_type = required(&params, "grant_type")?;
    match grant_type {
        "client_credentials" => return alone::client_credentials(state, received, &params),
        JWT_BEARER => return alone::jwt_bearer(state, received, &params),
        _ => check_client(state, &params)?,
    }
    let changing = &mut *state.lock();
    match grant_type {
        "authorization_code" => {
            let exchange = Exchange {
                code: required(&params, "code")?,
                verifier: required(&params, "code_verifier")?,
                redirect_uri: required(&params, "redirect_uri")?,
                state: params.get("state"),
            };
            if !is_verifier(exchange.verifier) {
                return Err(invalid("code_verifier has to be 43 to 128 letters, digits or -._~"));
            }
            changing.grants.exchange(received.at, &mut changing.mint, state.lifetimes, &exchange)
        }
        "refresh_token" => {
            let token = required(&params, "refresh_token")?;
            let scope = match params.get("scope") {
                None => None,
                asked => Some(scopes(asked).ok_or(Denied {
                    error: "invalid_scope",
                    description: "a scope is unknown",
                    note: None,
                })?),
            };
            changing.grants.refresh(received.at, &mut changing.mint, state.lifetimes, token, scope)
        }
        DEVICE_CODE => {
            let code = required(&params, "device_code")?;
            changing.grants.poll_device(received.at, &mut changing.mint, state.lifetimes, code)
        }
        _ => Err(Denied {
            error: "unsupported_grant_type",
            description: "grant_type has to be one of those in the metadata",
            note: None,
        }),
    }
}

/// Reads the parameters and checks the client, which is public: its id is all it has to say.
pub(super) fn client_params(state: &State, received: &Received) -> Result<Params, Denied> {
    let params = params(received)?;
    check_client(state, &params)?;
    Ok(params)
}

fn params(received: &Received) -> Result<Params, Denied> {
    let params = Params::of_body(received).map_err(invalid)?;
    match params.repeated() {
        Some(_) => Err(invalid("a parameter is given twice")),
        None => Ok(params),
    }
}

fn check_client(state: &State, params: &Params) -> Result<(), Denied> {
    if required(params, "client_id")? == state.client {
        return Ok(());
    }
    Err(Denied { error: "invalid_client", description: "the client is unknown", note: None })
}

pub(super) fn required<'a>(params: &'a Params, name: &'static str) -> Result<&'a str, Denied> {
    let missing = match name {
        "grant_type" => "grant_type is missing",
        "code" => "code is missing",
        "code_verifier" => "code_verifier is missing",
        "redirect_uri" => "redirect_uri is missing",
        "refresh_token" => "refresh_token is missing",
        "device_code" => "device_code is missing",
        "client_id" => "client_id is missing",
        "assertion" => "assertion is missing",
        "organization_id" => "organization_id is missing",
        "token" => "token is missing",
        _ => "a parameter is missing",
    };
    params.get(name).ok_or(invalid(missing))
}

/// The form of a verifier (RFC 7636, section 4.1).
fn is_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

pub(super) fn invalid(description: &'static str) -> Denied {
    Denied { error: "invalid_request", description, note: None }
}

pub(super) fn refusal(denied: &Denied) -> Answer {
    let status =
        if denied.error == "invalid_client" { StatusCode::UNAUTHORIZED } else { StatusCode::BAD_REQUEST };
    let body = json!({"error": denied.error, "error_description": denied.description});
    unstored(Answer::json(status, &body)).noted(denied.note)
}

fn unstored(answer: Answer) -> Answer {
    answer
        .header(CACHE_CONTROL, HeaderValue::from_static("no-store"))
        .header(PRAGMA, HeaderValue::from_static("no-cache"))
}
