//! Logins on another device, at their pace.

use std::time::Duration;

use mock_server::MockServer;
use serde_json::json;

use crate::client::{
    Reply, authorization, between, form, get, held, hidden, pair, post, status, token_request, url,
};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
const FIVE: Duration = Duration::from_secs(5);

/// What the program got to begin with.
struct Codes {
    device: String,
    user: String,
}

async fn begin(server: &MockServer) -> Codes {
    let asked = form(&[("client_id", server.client_id()), ("scope", "user:inference")]);
    let reply = post(server.device_authorization_url(), asked)
        .header("content-type", "application/x-www-form-urlencoded")
        .send()
        .await;
    let body = reply.json();
    assert_eq!((reply.status.as_u16(), reply.header("cache-control")), (200, "no-store"), "{body}");
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    assert_eq!(text("verification_uri"), url(server, "/oauth/device").as_str());
    assert!(text("verification_uri_complete").ends_with(&format!("?user_code={}", text("user_code"))));
    Codes { device: text("device_code"), user: text("user_code") }
}

async fn poll(server: &MockServer, codes: &Codes) -> Reply {
    let pairs = [("grant_type", GRANT), ("device_code", &*codes.device), ("client_id", server.client_id())];
    token_request(server, &pairs).await
}

/// Enters a code on the page.
async fn enter(server: &MockServer, user_code: &str) -> Reply {
    let mut page = url(server, "/oauth/device");
    page.query_pairs_mut().append_pair("user_code", user_code);
    get(page).send().await
}

async fn decide(server: &MockServer, codes: &Codes, decision: &str) -> Reply {
    let page = enter(server, &codes.user).await;
    let page = page.text();
    let csrf = hidden(page, "csrf_token");
    let filled =
        form(&[("user_code", &hidden(page, "user_code")), ("csrf_token", &csrf), ("decision", decision)]);
    let target = server.base_url().join(&between(page, "action=\"", "\"")).unwrap();
    post(target, filled).send().await
}

#[tokio::test]
async fn a_person_who_enters_the_code_logs_the_program_in() {
    let server = held().start().await.unwrap();
    let codes = begin(&server).await;
    assert_eq!(codes.user.len(), 9, "{}", codes.user);
    server.advance(FIVE);
    poll(&server, &codes).await.oauth_error("authorization_pending");

    let page = get(url(&server, "/oauth/device")).send().await;
    assert!(page.text().contains("name=\"user_code\" required"), "{}", page.text());
    let sloppy = codes.user.replace('-', " ").to_lowercase();
    let page = enter(&server, &sloppy).await;
    assert!(page.text().contains(&codes.user), "the code is shown again: {}", page.text());
    assert!(page.text().contains("user:inference") && !page.text().contains("user:profile"));
    let page = decide(&server, &codes, "allow").await;
    assert!(page.text().contains("The app is logged in"), "{}", page.text());

    server.advance(FIVE);
    let reply = poll(&server, &codes).await;
    assert_eq!(reply.json()["scope"], "user:inference");
    let (access, _) = pair(&reply);
    assert_eq!(status(&server, &access).await, 200);

    server.advance(FIVE);
    poll(&server, &codes).await.oauth_error("invalid_grant");
    assert_eq!(enter(&server, &codes.user).await.status, 404, "there is nothing left to decide");
}

#[tokio::test]
async fn whoever_polls_too_often_is_slowed_down_for_good() {
    let server = held().start().await.unwrap();
    let codes = begin(&server).await;
    poll(&server, &codes).await.oauth_error("slow_down");
    server.advance(FIVE);
    poll(&server, &codes).await.oauth_error("slow_down");
    server.advance(3 * FIVE - Duration::from_nanos(1));
    poll(&server, &codes).await.oauth_error("slow_down");
    server.advance(4 * FIVE);
    poll(&server, &codes).await.oauth_error("authorization_pending");
}

#[tokio::test]
async fn a_refusal_and_an_expiry_end_it() {
    let server = held().device_code_ttl(Duration::from_secs(60)).start().await.unwrap();
    let (refused, late) = (begin(&server).await, begin(&server).await);
    let page = decide(&server, &refused, "deny").await;
    assert!(page.text().contains("The app was refused"), "{}", page.text());
    server.advance(FIVE);
    poll(&server, &refused).await.oauth_error("access_denied");

    server.advance(Duration::from_secs(55));
    poll(&server, &late).await.oauth_error("expired_token");
    assert_eq!(enter(&server, &late.user).await.status, 404);
}

#[tokio::test]
async fn codes_that_nobody_has_are_worth_nothing() {
    let server = held().start().await.unwrap();
    let codes = begin(&server).await;
    let unknown = Codes { device: "guess".to_owned(), user: "BBBB-BBBB".to_owned() };
    poll(&server, &unknown).await.oauth_error("invalid_grant");
    let page = enter(&server, &unknown.user).await;
    assert_eq!(page.status, 404);
    assert!(page.text().contains("That code is not waiting"), "{}", page.text());
    // A page of somebody else cannot press the button.
    let forged = form(&[("user_code", &codes.user), ("csrf_token", "guess"), ("decision", "allow")]);
    let reply = post(url(&server, "/oauth/device/decision"), forged).send().await;
    assert_eq!(reply.status, 400, "{}", reply.text());
    server.advance(FIVE);
    poll(&server, &codes).await.oauth_error("authorization_pending");

    let stranger = post(server.device_authorization_url(), form(&[("client_id", "somebody")]));
    let reply = stranger.header("content-type", "application/x-www-form-urlencoded").send().await;
    assert_eq!((reply.status.as_u16(), &reply.json()["error"]), (401, &json!("invalid_client")));
}

#[tokio::test]
async fn the_pages_of_a_device_login_stand_on_their_own() {
    let server = held().client("<script>").start().await.unwrap();
    let codes = begin(&server).await;
    for page in [get(url(&server, "/oauth/device")).send().await, enter(&server, &codes.user).await] {
        let text = page.text();
        assert!(
            text.contains("name=\"viewport\"") && !text.contains("<script") && !text.contains("src="),
            "{text}"
        );
        let policy = page.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("form-action 'self';"), "{policy}");
    }
}

/// Where the browser is on another machine, its last page has what the person pastes.
#[tokio::test]
async fn a_login_without_a_listener_ends_on_a_page_with_its_code() {
    let server = held().start().await.unwrap();
    let here = server.callback_url();
    let back =
        crate::client::decide(authorization(&server, &[("redirect_uri", here.as_str())]), "allow").await;
    let page = get(back.clone()).send().await;
    let code = crate::client::query(&back, "code").unwrap();
    assert!(page.text().contains(&format!("<code id=\"paste\">{code}#the-state</code>")), "{}", page.text());
    let odd = get(url(&server, "/oauth/code/callback?code=<b>&state=\"")).send().await;
    assert!(odd.text().contains("&lt;b&gt;#&quot;"), "{}", odd.text());
    let denied = get(url(&server, "/oauth/code/callback?error=access_denied&state=s")).send().await;
    assert_eq!(denied.status, 400);
}
