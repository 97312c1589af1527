//! The login before consent.

use mock_server::{Builder, Fault, MockServer, Person};
use serde_json::json;

use crate::client::{
    Reply, authorization, between, exchange, form, get, held, hidden, message, pair, post, query,
};

fn crowded() -> Builder {
    held().people([
        Person::new("ada@example.com", "Acme").workspaces(["Default", "Research"]),
        Person::new("eve@enterprise.example", "Enterprise").verified_by_mail(),
    ])
}

/// Submits the first form of a page, with its hidden fields and these.
async fn submit(server: &MockServer, page: &Reply, fields: &[(&str, &str)]) -> Reply {
    let text = page.text();
    let subject = if text.contains("name=\"request_id\"") { "request_id" } else { "user_code" };
    let mut pairs = vec![(subject, hidden(text, subject)), ("csrf_token", hidden(text, "csrf_token"))];
    pairs.extend(fields.iter().map(|(name, value)| (*name, (*value).to_owned())));
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let target = server.base_url().join(&between(text, "action=\"", "\"")).unwrap();
    post(target, form(&pairs)).send().await
}

#[tokio::test]
async fn who_has_a_choice_is_asked_and_the_tokens_are_theirs() {
    let server = crowded().start().await.unwrap();
    let login = get(authorization(&server, &[])).send().await;
    for text in ["ada@example.com", "Acme – Research", "eve@enterprise.example", "<fieldset>"] {
        assert!(login.text().contains(text), "{text}: {}", login.text());
    }
    assert!(!login.text().contains("value=\"allow\""), "consent comes after the login");
    let consent = submit(&server, &login, &[("account", "1")]).await;
    let who = "You are signed in as ada@example.com, in the workspace Research of Acme.";
    assert!(consent.text().contains(who), "{}", consent.text());
    let back = submit(&server, &consent, &[("decision", "allow")]).await;
    let code = query(&back.header("location").parse().unwrap(), "code").unwrap();
    let tokens = exchange(&server, &code).await;
    let told = tokens.json();
    assert_eq!(told["account"]["email_address"], "ada@example.com");
    assert_eq!(
        (&told["organization"]["name"], &told["workspace"]["name"]),
        (&json!("Acme"), &json!("Research"))
    );

    let said = message(&server, &json!({})).token(&pair(&tokens).0).send().await;
    assert_eq!(told["workspace"]["id"], said.header("anthropic-workspace-id"));
    let with_key = message(&server, &json!({})).key(server.api_key()).send().await;
    assert_eq!(with_key.header("anthropic-organization-id"), said.header("anthropic-organization-id"));
    assert_ne!(with_key.header("anthropic-workspace-id"), said.header("anthropic-workspace-id"));
}

#[tokio::test]
async fn nobody_consents_before_the_login() {
    let server = crowded().start().await.unwrap();
    let login = get(authorization(&server, &[])).send().await;
    let text = login.text();
    let pairs = [
        ("request_id", hidden(text, "request_id")),
        ("csrf_token", hidden(text, "csrf_token")),
        ("decision", "allow".to_owned()),
    ];
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let target = crate::client::url(&server, "/oauth/authorize/decision");
    assert_eq!(post(target, form(&pairs)).send().await.status, 400);
    for wrong in ["7", "-1", "", "ada@example.com"] {
        assert_eq!(submit(&server, &login, &[("account", wrong)]).await.status, 400, "{wrong}");
    }
    assert_eq!(submit(&server, &login, &[("account", "0")]).await.status, 200);
}

#[tokio::test]
async fn an_enterprise_asks_for_the_code_of_its_mail() {
    let server = crowded().start().await.unwrap();
    let login = get(authorization(&server, &[])).send().await;
    let eve = ("account", "2");
    let verify = submit(&server, &login, &[eve]).await;
    assert!(verify.text().contains("Check your mail"), "{}", verify.text());
    let code = server.mails().pop().unwrap().code;
    assert!(!format!("{:?}", server.mails()).contains(&code));

    let wrong = submit(&server, &verify, &[eve, ("mail_code", "guess")]).await;
    assert_eq!(
        (wrong.status.as_u16(), server.journal().pop().unwrap().note),
        (400, Some("mail code refused"))
    );
    // One try for each mail.
    assert_eq!(submit(&server, &verify, &[eve, ("mail_code", &code)]).await.status, 400);

    let verify = submit(&server, &verify, &[eve]).await;
    let mailbox = get(crate::client::url(&server, "/mock/mail")).send().await;
    let code = between(mailbox.text(), "mail-code\">", "<");
    let consent = submit(&server, &verify, &[eve, ("mail_code", &code)]).await;
    assert!(consent.text().contains("signed in as eve@enterprise.example"), "{}", consent.text());
}

#[tokio::test]
async fn a_mail_gets_lost_when_it_is_told_to_and_the_next_one_arrives() {
    let server = crowded().start().await.unwrap();
    server.inject(Fault::lose_mail());
    let login = get(authorization(&server, &[])).send().await;
    let verify = submit(&server, &login, &[("account", "2")]).await;
    assert_eq!((verify.status.as_u16(), server.mails().len()), (200, 0));
    assert_eq!(server.journal().pop().unwrap().note, Some("mail lost"));
    submit(&server, &verify, &[("account", "2")]).await;
    assert_eq!((server.mails().len(), server.journal().pop().unwrap().note), (1, Some("mail sent")));
}

#[tokio::test]
async fn a_device_login_asks_who_it_is_too() {
    let server = crowded().start().await.unwrap();
    let asked = form(&[("client_id", server.client_id())]);
    let codes = post(server.device_authorization_url(), asked)
        .header("content-type", "application/x-www-form-urlencoded")
        .send()
        .await
        .json();
    let page = codes["verification_uri_complete"].as_str().unwrap().parse().unwrap();
    let login = get(page).send().await;
    let consent = submit(&server, &login, &[("account", "1")]).await;
    assert!(consent.text().contains("in the workspace Research of Acme"), "{}", consent.text());
    let done = submit(&server, &consent, &[("decision", "allow")]).await;
    assert!(done.text().contains("The app is logged in"), "{}", done.text());
}

#[tokio::test]
async fn people_have_names_and_workspaces() {
    let nobody: [Person; 0] = [];
    assert!(held().people(nobody).start().await.is_err());
    let none: [&str; 0] = [];
    let homeless = Person::new("ada@example.com", "Acme").workspaces(none);
    let blank = Person::new(" ", "Acme");
    for person in [homeless, blank] {
        let error = held().people([person]).start().await.unwrap_err();
        assert!(error.to_string().contains("people"), "{error}");
    }
}
