//! The grants that no person takes part in: a client's own secret, and a signed statement about who asks.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq;

use super::grants::{Denied, Issued, Permission};
use super::params::Params;
use super::token::{invalid, required};
use super::{INFERENCE, scopes};
use crate::answer::Received;
use crate::state::State;

/// What a federation has to name in `anthropic-beta`.
const FEDERATION_BETAS: [&str; 2] = ["oauth-2025-04-20", "oidc-federation-2026-04-01"];

/// Gives a token to a client that knows its secret (RFC 6749, section 4.4), which comes one way only (section 2.3).
pub(super) fn client_credentials(
    state: &State,
    received: &Received,
    params: &Params,
) -> Result<Issued, Denied> {
    let unknown = Denied { error: "invalid_client", description: "the client is unknown", note: None };
    let basic = received.header("authorization").map(|value| basic(value).ok_or(&unknown));
    let posted = params.get("client_id").zip(params.get("client_secret"));
    let (id, secret) = match (basic.transpose(), posted) {
        (Ok(Some(_)), Some(_)) => return Err(invalid("the client's secret comes two ways")),
        (Ok(Some(pair)), None) => pair,
        (Ok(None), Some((id, secret))) => (id.to_owned(), secret.to_owned()),
        _ => return Err(unknown),
    };
    let known = secret.as_bytes().ct_eq(state.client_secret.as_bytes());
    if id != state.client || !bool::from(known) {
        return Err(unknown);
    }
    let permission = Permission { scope: asked_scopes(params)?, seat: 0 };
    Ok(issue(state, received, permission, "client credentials accepted"))
}

/// Trades an assertion for a token: as RFC 7523 has it, or by a federation rule, as the Claude API has it.
pub(super) fn jwt_bearer(state: &State, received: &Received, params: &Params) -> Result<Issued, Denied> {
    let denied =
        |description| Denied { error: "invalid_grant", description, note: Some("assertion refused") };
    let assertion = required(params, "assertion")?;
    let permission = match params.get("federation_rule_id") {
        None => match params.get("client_id") {
            Some(id) if id != state.client => {
                return Err(Denied {
                    error: "invalid_client",
                    description: "the client is unknown",
                    note: None,
                });
            }
            _ => Permission { scope: asked_scopes(params)?, seat: 0 },
        },
        Some(rule) => {
            let betas = received.headers.get_all("anthropic-beta").iter();
            let betas: Vec<&str> = betas.filter_map(|value| value.to_str().ok()).collect();
            let has = |name| betas.iter().any(|value| value.split(',').any(|beta| beta.trim() == name));
            if !FEDERATION_BETAS.into_iter().all(has) {
                return Err(invalid(
                    "anthropic-beta has to name oauth-2025-04-20 and oidc-federation-2026-04-01",
                ));
            }
            if rule != state.workload.rule {
                return Err(denied("the federation rule is unknown"));
            }
            if params.get("service_account_id").is_some_and(|id| id != state.workload.service_account) {
                return Err(denied("the federation rule is for another service account"));
            }
            let organization = required(params, "organization_id")?;
            let workspace = params.get("workspace_id").filter(|id| *id != "default");
            let seat = state.seats.at(organization, workspace);
            let seat = seat.ok_or(denied("the organisation has no such workspace"))?;
            Permission { scope: vec![INFERENCE.to_owned()], seat }
        }
    };
    state.workload.check(assertion, state.clock.wall(received.at)).map_err(denied)?;
    Ok(issue(state, received, permission, "assertion accepted"))
}

fn asked_scopes(params: &Params) -> Result<Vec<String>, Denied> {
    let unknown = Denied { error: "invalid_scope", description: "a scope is unknown", note: None };
    scopes(params.get("scope")).ok_or(unknown)
}

fn issue(state: &State, received: &Received, permission: Permission, note: &'static str) -> Issued {
    let changing = &mut *state.lock();
    changing.grants.issue_alone(received.at, &mut changing.mint, state.lifetimes, permission, note)
}

/// Id and secret of `Basic` (RFC 7617), each form-encoded (RFC 6749, section 2.3.1).
fn basic(value: &str) -> Option<(String, String)> {
    let (scheme, encoded) = value.split_once(' ')?;
    let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    let plain = |text: &str| -> Option<String> {
        let query = format!("x={text}");
        url::form_urlencoded::parse(query.as_bytes()).next().map(|(_, value)| value.into_owned())
    };
    scheme.eq_ignore_ascii_case("basic").then_some((plain(id)?, plain(secret)?))
}
