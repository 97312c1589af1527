use std::time::Duration;

use mock_server::{Credential, MockServer};
use serde_json::json;

use crate::client::{
    REDIRECT, VERIFIER, authorization, code, decide, exchange, exchange_with, form, get, held, hidden, login,
    message, pair, post, query, refresh, status, token_request, url,
};

#[tokio::test]
async fn a_code_becomes_tokens_that_open_the_api() {
    let server = held().access_token_ttl(Duration::from_secs(600)).start().await.unwrap();
    let back = decide(authorization(&server, &[]), "allow").await;
    assert!(back.as_str().starts_with(REDIRECT));
    assert_eq!(query(&back, "state").as_deref(), Some("the-state"));
    assert_eq!(query(&back, "iss").as_deref(), Some(server.issuer()));

    let reply = exchange(&server, &query(&back, "code").unwrap()).await;
    let body = reply.json();
    assert_eq!((reply.status.as_u16(), reply.header("cache-control")), (200, "no-store"));
    assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(600)));
    assert_eq!(body["scope"], "user:profile user:inference user:developer");
    assert_eq!(body["organization"]["uuid"], reply.header("anthropic-organization-id"));
    assert!(body["account"]["email_address"].is_string() && body["workspace"]["id"].is_string());
    let (access, refresh) = pair(&reply);
    assert!(access.starts_with("sk-ant-oat01-CANARY") && refresh.starts_with("sk-ant-ort01-CANARY"));

    let said = message(&server, &json!({})).token(&access).send().await;
    assert_eq!(said.json()["content"][0]["text"], "You said: hello there");
    assert_eq!(server.journal().last().unwrap().credential, Credential::AccessToken);
}

#[tokio::test]
async fn a_replayed_code_is_refused_and_takes_back_what_it_gave() {
    let server = held().start().await.unwrap();
    let code = code(&server, &[]).await;
    let (access, old) = pair(&exchange(&server, &code).await);
    let (newer, newest) = pair(&refresh(&server, &old).await);
    exchange(&server, &code).await.oauth_error("invalid_grant");
    assert_eq!(server.journal().last().unwrap().note, Some("code replayed, family revoked"));
    assert_eq!((status(&server, &access).await, status(&server, &newer).await), (401, 401));
    refresh(&server, &newest).await.oauth_error("invalid_grant");
}

#[tokio::test]
async fn a_code_lives_a_minute() {
    let server = held().start().await.unwrap();
    let (timely, late) = (code(&server, &[]).await, code(&server, &[]).await);
    server.advance(Duration::from_millis(59_999));
    assert_eq!(exchange(&server, &timely).await.status, 200);
    server.advance(Duration::from_millis(1));
    exchange(&server, &late).await.oauth_error("invalid_grant");
}

#[tokio::test]
async fn a_code_is_worth_nothing_without_its_verifier_and_redirect_uri() {
    let server = held().start().await.unwrap();
    let other = VERIFIER.replace('a', "b");
    let unequal = "http://127.0.0.1:4242/callback/";
    for (redirect_uri, verifier) in [(REDIRECT, other.as_str()), (unequal, VERIFIER)] {
        let code = code(&server, &[]).await;
        exchange_with(&server, &code, redirect_uri, verifier).await.oauth_error("invalid_grant");
        // The try has spent it.
        exchange(&server, &code).await.oauth_error("invalid_grant");
    }
    let code = code(&server, &[]).await;
    exchange_with(&server, &code, REDIRECT, "short").await.oauth_error("invalid_request");
    assert_eq!(exchange(&server, &code).await.status, 200);
}

#[tokio::test]
async fn a_refresh_rotates_and_the_old_token_ends_the_family() {
    let server = held().start().await.unwrap();
    let (first_access, first) = login(&server).await;
    let (second_access, second) = pair(&refresh(&server, &first).await);
    assert_ne!((&first_access, &first), (&second_access, &second));
    assert_eq!((status(&server, &first_access).await, status(&server, &second_access).await), (200, 200));

    refresh(&server, &first).await.oauth_error("invalid_grant");
    assert_eq!(server.journal().last().unwrap().note, Some("refresh token reused, family revoked"));
    refresh(&server, &second).await.oauth_error("invalid_grant");
    assert_eq!((status(&server, &first_access).await, status(&server, &second_access).await), (401, 401));
}

#[tokio::test]
async fn one_family_ends_and_the_others_live() {
    let server = held().start().await.unwrap();
    let (_, mine) = login(&server).await;
    let (others_access, others) = login(&server).await;
    refresh(&server, &mine).await;
    refresh(&server, &mine).await.oauth_error("invalid_grant");
    assert_eq!(status(&server, &others_access).await, 200);
    assert_eq!(refresh(&server, &others).await.status, 200);
}

#[tokio::test]
async fn inside_the_reuse_window_a_spent_token_gives_the_same_successor() {
    let server = held().refresh_reuse_window(Duration::from_secs(10)).start().await.unwrap();
    let (_, first) = login(&server).await;
    let successor = pair(&refresh(&server, &first).await);
    server.advance(Duration::from_millis(9_999));
    assert_eq!(pair(&refresh(&server, &first).await), successor);
    server.advance(Duration::from_millis(1));
    refresh(&server, &first).await.oauth_error("invalid_grant");
    assert_eq!(status(&server, &successor.0).await, 401);
}

#[tokio::test]
async fn a_server_that_only_refuses_a_spent_token_leaves_its_family_in_force() {
    let server = held().refresh_reuse_revokes(false).start().await.unwrap();
    let (_, first) = login(&server).await;
    let (access, second) = pair(&refresh(&server, &first).await);
    refresh(&server, &first).await.oauth_error("invalid_grant");
    assert_eq!(server.journal().last().unwrap().note, Some("refresh token reused"));
    assert_eq!(status(&server, &access).await, 200);
    assert_eq!(refresh(&server, &second).await.status, 200);
}

#[tokio::test]
async fn an_answer_that_is_held_back_is_decided_all_the_same() {
    let server = held().start().await.unwrap();
    let (_, token) = login(&server).await;
    let (one, two) = (server.hold_answers("/v1/oauth/token"), server.hold_answers("/v1/oauth/token"));
    let before = server.journal_len();
    let exchange = refresh(&server, &token);
    tokio::pin!(exchange);
    let decided = async {
        while server.journal_len() == before {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        reply = &mut exchange => panic!("{reply:?}"),
        () = decided => {}
    }
    assert_eq!(server.journal().last().unwrap().note, Some("refresh token rotated"));

    drop(one);
    let (access, _) = login_elsewhere(&server).await;
    tokio::select! {
        reply = &mut exchange => panic!("{reply:?}"),
        code = status(&server, &access) => assert_eq!(code, 200, "other paths go on"),
    }
    drop(two);
    assert_eq!(exchange.await.status, 200);
}

/// As `login`, through the other name of the token endpoint.
async fn login_elsewhere(server: &MockServer) -> (String, String) {
    let body = json!({
        "grant_type": "authorization_code", "code": code(server, &[]).await, "code_verifier": VERIFIER,
        "redirect_uri": REDIRECT, "client_id": server.client_id(),
    });
    let request = post(url(server, "/oauth/token"), body.to_string());
    pair(&request.header("content-type", "application/json").send().await)
}

#[tokio::test]
async fn tokens_expire_on_the_servers_clock() {
    let server = held()
        .access_token_ttl(Duration::from_secs(60))
        .refresh_token_ttl(Duration::from_secs(120))
        .start()
        .await
        .unwrap();
    let (access, first) = login(&server).await;
    server.advance(Duration::from_millis(59_999));
    assert_eq!(status(&server, &access).await, 200);
    server.advance(Duration::from_millis(1));
    assert_eq!(status(&server, &access).await, 401);
    assert_eq!(server.journal().last().unwrap().credential, Credential::Refused);
    let (_, second) = pair(&refresh(&server, &first).await);
    server.advance(Duration::from_secs(120));
    refresh(&server, &second).await.oauth_error("invalid_grant");
}

#[tokio::test]
async fn json_bodies_and_the_alias_are_understood() {
    let server = held().start().await.unwrap();
    let exchange = json!({
        "grant_type": "authorization_code", "code": code(&server, &[]).await, "code_verifier": VERIFIER,
        "redirect_uri": REDIRECT, "client_id": server.client_id(), "state": "the-state",
    });
    let send = |path, body: serde_json::Value| {
        post(url(&server, path), body.to_string()).header("content-type", "application/json")
    };
    let (_, token) = pair(&send("/oauth/token", exchange).send().await);
    let refresh =
        json!({"grant_type": "refresh_token", "refresh_token": token, "client_id": server.client_id()});
    assert_eq!(send("/v1/oauth/token", refresh).send().await.status, 200);
}

#[tokio::test]
async fn a_state_that_is_repeated_in_the_exchange_has_to_be_the_same() {
    let server = held().start().await.unwrap();
    let exchange = |code: String, state: &'static str| {
        let client = server.client_id();
        let body = json!({
            "grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER,
            "redirect_uri": REDIRECT, "client_id": client, "state": state,
        });
        post(server.token_url(), body.to_string()).header("content-type", "application/json").send()
    };
    let (one, two) = (code(&server, &[]).await, code(&server, &[]).await);
    exchange(one, "another-state").await.oauth_error("invalid_grant");
    assert_eq!(exchange(two, "the-state").await.status, 200);
}

#[tokio::test]
async fn a_malformed_token_request_is_told_so() {
    let server = held().start().await.unwrap();
    let client = ("client_id", server.client_id());
    let cases: [(&[(&str, &str)], &str); 5] = [
        (&[client], "invalid_request"),
        (&[client, ("grant_type", "password")], "unsupported_grant_type"),
        (&[client, ("grant_type", "refresh_token")], "invalid_request"),
        (&[client, ("grant_type", "refresh_token"), ("refresh_token", "x")], "invalid_grant"),
        (&[client, client, ("grant_type", "refresh_token"), ("refresh_token", "x")], "invalid_request"),
    ];
    for (pairs, error) in cases {
        token_request(&server, pairs).await.oauth_error(error);
    }
    let unknown = token_request(&server, &[("grant_type", "refresh_token"), ("client_id", "other")]).await;
    assert_eq!((unknown.status.as_u16(), &unknown.json()["error"]), (401, &json!("invalid_client")));
    post(server.token_url(), "grant_type=refresh_token").send().await.oauth_error("invalid_request");
}

#[tokio::test]
async fn a_bad_authorization_request_goes_back_with_its_error() {
    let server = held().start().await.unwrap();
    let cases = [
        ("response_type", "token", "unsupported_response_type"),
        ("response_type", "", "invalid_request"),
        ("code_challenge", "", "invalid_request"),
        ("code_challenge", "too-short", "invalid_request"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("code_challenge_method", "", "invalid_request"),
        ("state", "", "invalid_request"),
        ("scope", "user:profile admin:everything", "invalid_scope"),
    ];
    for (name, value, error) in cases {
        let reply = get(authorization(&server, &[(name, value)])).send().await;
        let back: url::Url = reply.header("location").parse().unwrap();
        assert_eq!(query(&back, "error").as_deref(), Some(error), "{name}={value}");
        assert_eq!(query(&back, "iss").as_deref(), Some(server.issuer()));
        assert_eq!(query(&back, "state").is_some(), name != "state");
    }
}

#[tokio::test]
async fn nobody_is_sent_to_a_place_that_cannot_be_trusted() {
    let server = held().start().await.unwrap();
    let cases = [
        ("redirect_uri", "https://evil.example/callback"),
        ("redirect_uri", "http://localhost.evil.example/"),
        ("redirect_uri", ""),
        ("client_id", "other"),
        ("client_id", ""),
    ];
    for (name, value) in cases {
        let reply = get(authorization(&server, &[(name, value)])).send().await;
        assert_eq!((reply.status.as_u16(), reply.headers.get("location")), (400, None), "{name}={value}");
        assert_eq!(reply.header("content-type"), "text/html; charset=utf-8");
    }
}

#[tokio::test]
async fn a_no_goes_back_as_access_denied() {
    let server = held().start().await.unwrap();
    let back =
        decide(authorization(&server, &[("redirect_uri", "http://localhost:1/cb?keep=1")]), "deny").await;
    assert_eq!(query(&back, "error").as_deref(), Some("access_denied"));
    assert_eq!((query(&back, "code"), query(&back, "keep").as_deref()), (None, Some("1")));
}

#[tokio::test]
async fn a_form_counts_once_in_time_and_with_its_token() {
    let server = held().start().await.unwrap();
    let page = get(authorization(&server, &[])).send().await;
    let (id, csrf) = (hidden(page.text(), "request_id"), hidden(page.text(), "csrf_token"));
    let press = |id: String, csrf: String| {
        let body = form(&[("request_id", &id), ("csrf_token", &csrf), ("decision", "allow")]);
        post(url(&server, "/oauth/authorize/decision"), body).send()
    };
    assert_eq!(press(id.clone(), "forged".to_owned()).await.status, 400);
    assert_eq!(press(id.clone(), csrf.clone()).await.status, 302);
    assert_eq!(press(id, csrf).await.status, 400);

    let page = get(authorization(&server, &[])).send().await;
    server.advance(Duration::from_secs(600));
    let late = press(hidden(page.text(), "request_id"), hidden(page.text(), "csrf_token")).await;
    assert_eq!(late.status, 400);
}

#[tokio::test]
async fn scopes_are_what_was_asked_and_shrink_only() {
    let server = held().start().await.unwrap();
    let code = code(&server, &[("scope", "user:profile user:inference")]).await;
    let (_, token) = pair(&exchange(&server, &code).await);
    let narrower = |scope: &'static str, token: String| {
        let server = &server;
        async move {
            let client = ("client_id", server.client_id());
            let grant = ("grant_type", "refresh_token");
            token_request(server, &[grant, ("refresh_token", &token), client, ("scope", scope)]).await
        }
    };
    narrower("user:developer", token.clone()).await.oauth_error("invalid_scope");
    let reply = narrower("user:profile", token).await;
    assert_eq!(reply.json()["scope"], "user:profile");
    let (access, _) = pair(&reply);
    let refused = message(&server, &json!({})).token(&access).send().await;
    assert!(refused.error(403, "permission_error").contains("user:inference"));
    assert!(refused.header("www-authenticate").contains("insufficient_scope"));
    assert_eq!(status(&server, &access).await, 200);
}

#[tokio::test]
async fn revocation_ends_an_access_token_alone_and_a_refresh_token_with_its_family() {
    let server = held().start().await.unwrap();
    let revoke = |token: String| {
        let body = form(&[("token", &token), ("client_id", server.client_id())]);
        post(server.revoke_url(), body).header("content-type", "application/x-www-form-urlencoded").send()
    };
    let (access, token) = login(&server).await;
    assert_eq!(revoke(access.clone()).await.status, 200);
    assert_eq!(status(&server, &access).await, 401);
    let (access, token) = pair(&refresh(&server, &token).await);
    assert_eq!(revoke(token.clone()).await.status, 200);
    assert_eq!(status(&server, &access).await, 401);
    refresh(&server, &token).await.oauth_error("invalid_grant");
    assert_eq!(revoke("unknown".to_owned()).await.status, 200);
}

#[tokio::test]
async fn metadata_names_the_endpoints() {
    let server = MockServer::builder().path_prefix("/gateway").start().await.unwrap();
    let below = url(&server, "/.well-known/oauth-authorization-server");
    let mut before = server.base_url();
    before.set_path("/.well-known/oauth-authorization-server/gateway");
    for place in [below, before] {
        let metadata = get(place).send().await.json();
        assert_eq!(metadata["issuer"], server.base_url().as_str());
        assert_eq!(metadata["authorization_endpoint"], server.authorize_url().as_str());
        assert_eq!(metadata["token_endpoint"], server.token_url().as_str());
        assert_eq!(metadata["code_challenge_methods_supported"], json!(["S256"]));
    }
}
