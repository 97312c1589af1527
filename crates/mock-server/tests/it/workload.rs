//! Tokens without a person: client credentials, assertions and federation.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mock_server::{MockServer, Person};
use serde_json::{Value, json};

use crate::client::{Reply, form, get, held, message, post, token_request, url};

const JWT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const BETAS: &str = "oauth-2025-04-20,oidc-federation-2026-04-01";
const HOUR: Duration = Duration::from_secs(3600);

/// A federation exchange as the official clients send it, with changes.
async fn federate(server: &MockServer, betas: &str, changes: &Value) -> Reply {
    let mut body = json!({
        "grant_type": JWT,
        "assertion": server.identity_token("job", HOUR, Value::Null),
        "federation_rule_id": server.federation_rule_id(),
        "organization_id": server.organization_id(),
        "service_account_id": server.service_account_id(),
    });
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    let request = post(server.token_url(), body.to_string()).header("content-type", "application/json");
    request.header("anthropic-beta", betas).send().await
}

#[tokio::test]
async fn an_identity_is_traded_for_a_token_that_opens_the_api() {
    let server = held().start().await.unwrap();
    let reply = federate(&server, BETAS, &json!({})).await;
    let body = reply.json();
    assert_eq!(
        (reply.status.as_u16(), &body["token_type"], &body["expires_in"]),
        (200, &json!("Bearer"), &json!(28_800))
    );
    let token = body["access_token"].as_str().unwrap();
    assert!(token.starts_with("sk-ant-oat01-") && body.get("refresh_token").is_none(), "{body}");
    assert_eq!(server.journal().pop().unwrap().note, Some("assertion accepted"));
    assert_eq!(message(&server, &json!({})).token(token).send().await.status, 200);
}

#[tokio::test]
async fn a_federation_that_is_not_as_the_rule_says_is_refused() {
    let server = held().start().await.unwrap();
    let stranger = held().seed(8).start().await.unwrap().identity_token("job", HOUR, Value::Null);
    let cases = [
        (json!({"assertion": stranger}), "invalid_grant"),
        (json!({"assertion": server.identity_token("job", HOUR, json!({"aud": "other"}))}), "invalid_grant"),
        (json!({"federation_rule_id": "fdrl_other"}), "invalid_grant"),
        (json!({"service_account_id": "svac_other"}), "invalid_grant"),
        (json!({"organization_id": "other"}), "invalid_grant"),
        (json!({"workspace_id": "wrkspc_other"}), "invalid_grant"),
        (json!({"organization_id": ""}), "invalid_request"),
        (json!({"assertion": ""}), "invalid_request"),
    ];
    for (changes, error) in cases {
        federate(&server, BETAS, &changes).await.oauth_error(error);
    }
    federate(&server, "oauth-2025-04-20", &json!({})).await.oauth_error("invalid_request");
    server.advance(HOUR);
    assert_eq!(federate(&server, BETAS, &json!({})).await.status, 200, "a new identity each time");
}

#[tokio::test]
async fn a_federation_names_its_workspace() {
    let people = [Person::new("ada@example.com", "Acme").workspaces(["Default", "Research"])];
    let server = held().people(people).start().await.unwrap();
    let told = |reply: Reply| reply.json()["workspace"].clone();
    let research = server.workspaces().into_iter().find(|(_, name)| name == "Research").unwrap().0;
    let named = told(federate(&server, BETAS, &json!({"workspace_id": research})).await);
    assert_eq!(named, json!({"id": research, "name": "Research"}));
    let default = told(federate(&server, BETAS, &json!({"workspace_id": "default"})).await);
    assert_eq!(default["name"], "Default");
}

#[tokio::test]
async fn an_assertion_alone_is_enough_by_the_rfc() {
    let server = held().start().await.unwrap();
    let assertion = server.identity_token("job", HOUR, Value::Null);
    let pairs = [("grant_type", JWT), ("assertion", &*assertion), ("scope", "user:profile")];
    let reply = token_request(&server, &pairs).await;
    assert_eq!((reply.status.as_u16(), &reply.json()["scope"]), (200, &json!("user:profile")));
    server.advance(HOUR);
    token_request(&server, &pairs).await.oauth_error("invalid_grant");
    let other = [("grant_type", JWT), ("assertion", &*assertion), ("client_id", "other")];
    assert_eq!(token_request(&server, &other).await.json()["error"], "invalid_client");
}

#[tokio::test]
async fn the_keys_are_where_the_metadata_says() {
    let server = held().start().await.unwrap();
    let metadata = get(url(&server, "/.well-known/oauth-authorization-server")).send().await.json();
    let keys = get(metadata["jwks_uri"].as_str().unwrap().parse().unwrap()).send().await.json();
    let key = &keys["keys"][0];
    assert_eq!((&key["kty"], &key["crv"], &key["alg"]), (&json!("OKP"), &json!("Ed25519"), &json!("EdDSA")));
    assert!(key["kid"].is_string() && key.get("d").is_none());
}

#[tokio::test]
async fn a_client_proves_itself_by_its_secret_in_one_way() {
    let server = held().start().await.unwrap();
    let (id, secret) = (server.client_id(), server.client_secret());
    let grant = ("grant_type", "client_credentials");
    let posted = [grant, ("client_id", id), ("client_secret", secret)];
    let reply = token_request(&server, &posted).await;
    assert_eq!((reply.status.as_u16(), reply.json().get("refresh_token")), (200, None));

    let basic = |secret: &str, pairs: &[(&str, &str)]| {
        let value = format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
        post(server.token_url(), form(pairs))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("authorization", &value)
            .send()
    };
    assert_eq!(basic(secret, &[grant]).await.status, 200);
    assert_eq!(basic("wrong", &[grant]).await.json()["error"], "invalid_client");
    basic(secret, &posted).await.oauth_error("invalid_request");
    for pairs in
        [&[grant, ("client_id", id)][..], &[grant], &[grant, ("client_id", id), ("client_secret", "x")]]
    {
        assert_eq!(token_request(&server, pairs).await.status, 401);
    }
}
