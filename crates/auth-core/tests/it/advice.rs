//! What an error of an exchange tells its reader to do.

use auth_core::{ExchangeError, ExchangeKind as Kind, OAuthErrorCode as Code};
use http::StatusCode;

const FEDERATION: &str =
    "check the federation rule, its organization and workspace, and the assertion's claims";
const KINDS: [Kind; 7] = [
    Kind::AuthorizationCode,
    Kind::DeviceCode,
    Kind::RefreshToken,
    Kind::ClientCredentials,
    Kind::JwtBearer,
    Kind::Federation,
    Kind::Revocation,
];

fn endpoint(kind: Kind) -> &'static str {
    if kind == Kind::Revocation { "revocation" } else { "token" }
}

#[track_caller]
fn refusal_ends(kind: Kind, code: &Code, advice: &str) {
    let status = StatusCode::BAD_REQUEST;
    let error = ExchangeError::Refused {
        kind,
        status,
        code: code.clone(),
        description: None,
        retry_after: None,
        request_id: None,
    };
    let separator = if advice.is_empty() { "" } else { "; " };
    let expected = format!("the {} endpoint refused: {code}{separator}{advice}", endpoint(kind));
    assert_eq!(error.to_string(), expected, "{kind:?}");
}

#[test]
fn a_dead_grant_is_named_as_what_it_was() {
    let again = "the code was used before, has expired, or is not for this client: start the login again";
    let assertion = "check the assertion's issuer, subject, audience and lifetime, and this machine's clock";
    for (kind, advice) in [
        (Kind::AuthorizationCode, again),
        (Kind::DeviceCode, again),
        (Kind::RefreshToken, "the refresh token is no longer good: log in again"),
        (Kind::ClientCredentials, ""),
        (Kind::JwtBearer, assertion),
        (Kind::Federation, FEDERATION),
        (Kind::Revocation, ""),
    ] {
        refusal_ends(kind, &Code::InvalidGrant, advice);
    }
}

#[test]
fn what_does_not_depend_on_the_grant_is_the_same_for_each() {
    for kind in KINDS {
        let client = if kind == Kind::Federation { FEDERATION } else { "check the client id and its secret" };
        refusal_ends(kind, &Code::InvalidClient, client);
        refusal_ends(kind, &Code::UnauthorizedClient, client);
        refusal_ends(kind, &Code::InvalidScope, "ask for fewer scopes");
        refusal_ends(kind, &Code::TemporarilyUnavailable, "try again later");
        refusal_ends(kind, &Code::ServerError, "try again later");
        refusal_ends(kind, &Code::InvalidRequest, "");
        refusal_ends(kind, &Code::Other("new".to_owned()), "");
    }
}

#[test]
fn a_token_that_cannot_be_revoked_is_told_apart_from_one_that_was_not() {
    let code = Code::Other("unsupported_token_type".to_owned());
    refusal_ends(Kind::Revocation, &code, "this server does not revoke this kind of token");
    refusal_ends(Kind::RefreshToken, &code, "");
}

#[test]
fn a_status_alone_points_at_the_address_and_at_the_rule_of_a_federation() {
    for kind in KINDS {
        for status in [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN, StatusCode::BAD_GATEWAY] {
            let error = ExchangeError::Status {
                kind,
                status,
                error_type: None,
                description: None,
                excerpt: None,
                retry_after: None,
                request_id: None,
            };
            let federation = kind == Kind::Federation && status == StatusCode::UNAUTHORIZED;
            let advice = if federation { FEDERATION } else { "check its address, or try again later" };
            let endpoint = endpoint(kind);
            assert_eq!(
                error.to_string(),
                format!("the {endpoint} endpoint answered {status} and no OAuth error; {advice}")
            );
        }
    }
}
