//! A server that echoes everything, and a search for what it echoed.

use std::error::Error;

use auth_core::{
    Access, Asked, AuthorizationRequest, Client, Event, Federation, Input, Output, ScopeSet, TokenKind,
    exchange,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderValue, Request, Response};

use crate::rig::{Rig, at, reply, server, snapshot, tokens};

const CANARIES: [&str; 4] = ["canary/r+t=", "canary/s3cret", "canary/c0de", "canary/at"];

/// Answers that repeat the request in every way an error can.
fn echoes(request: &Request<Bytes>) -> Vec<Response<Bytes>> {
    let body = String::from_utf8_lossy(request.body()).into_owned();
    let mut texts = vec![body, format!("{:?}", request.headers())];
    for value in request.headers().values() {
        texts.push(value.to_str().unwrap().to_owned());
    }
    for canary in CANARIES {
        texts.push(canary.to_owned());
        texts.push(BASE64_STANDARD.encode(canary));
    }
    texts
        .into_iter()
        .flat_map(|text| {
            let error = |member: &str| {
                let mut object = serde_json::json!({ "error": "odd" });
                object[member] = text.clone().into();
                object.to_string()
            };
            let [code, description] = [error("error"), error("error_description")];
            let api = serde_json::json!({ "error": { "type": text, "message": text }, "request_id": text });
            let mut named = reply(400, api.to_string());
            if let Ok(id) = HeaderValue::try_from(&text) {
                named.headers_mut().insert("request-id", id);
            }
            let api = reply(400, api.to_string());
            let page = reply(502, text.clone());
            [reply(400, code), reply(400, description), api, named, page, reply(200, text)]
        })
        .collect()
}

fn jwt_bearer(client: &Client) -> (Request<Bytes>, Asked) {
    let scopes = ScopeSet::default();
    exchange::jwt_bearer(&server(), Some(client), &"canary/r+t=".into(), &scopes, at(0)).unwrap()
}

fn federation() -> (Request<Bytes>, Asked) {
    let federation = Federation::new("fdrl_1", "org_1");
    exchange::federation(&server(), &federation, &"canary/r+t=".into(), at(0)).unwrap()
}

fn revoke(client: &Client) -> (Request<Bytes>, Asked) {
    let server = server().with_revocation_endpoint("https://auth.example/revoke".parse().unwrap()).unwrap();
    exchange::revoke(&server, client, &"canary/r+t=".into(), TokenKind::RefreshToken).unwrap()
}

#[track_caller]
fn assert_clean(shown: &str) {
    for canary in CANARIES {
        let url: String = url::form_urlencoded::byte_serialize(canary.as_bytes()).collect();
        for form in [canary.to_owned(), url, BASE64_STANDARD.encode(canary)] {
            assert!(!shown.contains(&form), "{form} is in: {shown}");
        }
    }
}

fn show(error: &dyn Error) -> String {
    let mut shown = format!("{error} {error:?}");
    let mut source = error.source();
    while let Some(cause) = source {
        shown += &format!(" {cause} {cause:?}");
        source = cause.source();
    }
    shown
}

#[test]
fn no_error_of_an_exchange_shows_what_was_sent() {
    for client in [
        Client::secret_basic("app", "canary/s3cret".into()),
        Client::secret_post("app", "canary/s3cret".into()),
    ] {
        let (url, pending) = AuthorizationRequest::new(&server(), &client, "http://[::1]/".parse().unwrap())
            .unwrap()
            .begin([1; 64]);
        let state = url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
        let grant = pending.complete(&format!("?code=canary%2Fc0de&state={state}")).unwrap();
        for (request, asked) in [
            exchange::code(grant),
            exchange::refresh(&server(), &client, &"canary/r+t=".into()),
            exchange::client_credentials(&server(), &client, &ScopeSet::default()),
            jwt_bearer(&client),
            federation(),
            revoke(&client),
        ] {
            assert_clean(&format!("{asked:?} {:?}", request.headers()));
            for echo in echoes(&request) {
                // The server may know only what it was sent.
                let sent = CANARIES.iter().filter(|canary| {
                    let form: String = url::form_urlencoded::byte_serialize(canary.as_bytes()).collect();
                    let body = String::from_utf8_lossy(request.body());
                    body.contains(&form) || body.contains(**canary)
                });
                let mut shown = show(&exchange::response(&asked, &echo, at(0)).unwrap_err());
                if let Err(error) = exchange::revocation(&asked, &echo, at(0)) {
                    shown += &show(&error);
                }
                for canary in sent {
                    assert!(!shown.contains(canary), "{canary} is in {shown}");
                    assert!(!shown.contains(&BASE64_STANDARD.encode(canary)), "{canary} is in {shown}");
                }
                if let Some(basic) = request.headers().get("authorization") {
                    let basic = basic.to_str().unwrap().trim_start_matches("Basic ");
                    assert!(!shown.contains(basic), "{shown}");
                }
            }
        }
    }
}

#[test]
fn nothing_a_machine_says_shows_a_token() {
    let first = || snapshot("canary/at", Some("canary/r+t="), Some(at(0)));
    let mut rig = Rig::with(auth_core::Policy::default(), first());
    let mut shown = format!("{:?}", first());
    rig.pending();
    let output = rig.machine.poll(rig.now);
    shown += &format!("{output:?} {:?}", rig.machine);
    let Output::Transmit { exchange, .. } = output else { panic!("{output:?}") };
    let input =
        Input::Response { exchange, sent_at: at(0), result: Ok(tokens("canary/at", "canary/c0de", 100)) };
    shown += &format!("{input:?} {:?}", Input::Adopt(first()));
    rig.handle(input);
    let output = rig.machine.poll(rig.now);
    shown += &format!("{output:?} {:?}", rig.machine);
    rig.stored(2, true);
    let access = rig.access();
    assert!(matches!(access, Access::Ready(_)));
    shown += &format!("{access:?}");
    assert_clean(&shown);
}

/// C57: a server knows more than it is sent, and whoever renews or gives back one token holds the other.
#[test]
fn an_error_shows_no_token_of_the_login_whichever_was_sent() {
    let server = server().with_revocation_endpoint("https://auth.example/revoke".parse().unwrap()).unwrap();
    let mut machine =
        auth_core::TokenMachine::new(server, Client::public("app"), auth_core::Policy::default());
    machine.restore(snapshot("canary/at", Some("canary/r+t="), Some(at(0))));
    let mut rig = Rig { machine, now: at(0) };
    let mut shown = Vec::new();
    let mut answer = |rig: &mut Rig, status| {
        for _ in 0..20 {
            match rig.machine.poll(rig.now) {
                Output::Transmit { exchange, .. } => {
                    let result = Ok(reply(status, "canary/at and canary/r+t="));
                    rig.handle(Input::Response { exchange, sent_at: rig.now, result });
                }
                Output::Event(Event::RefreshFailed(failure) | Event::RevocationFailed(failure)) => {
                    shown.push(show(&failure));
                }
                Output::Remove => {
                    rig.handle(Input::Removed { ok: true });
                }
                _ => {}
            }
        }
    };
    rig.pending();
    answer(&mut rig, 429);
    rig.handle(Input::LogOut);
    answer(&mut rig, 400);
    assert_eq!(shown.len(), 2, "{shown:?}");
    for text in shown {
        assert!(text.contains("[redacted] and [redacted]"), "{text}");
        assert_clean(&text);
    }
}

/// What is safe and helps in a log is shown, and the dots say that there is more.
#[test]
fn debug_says_what_it_is_without_its_secrets() {
    let client = Client::public("app");
    let (_, asked) = exchange::refresh(&server(), &client, &"rt".into());
    assert_eq!(format!("{asked:?}"), "Asked { kind: RefreshToken, .. }");

    let login = AuthorizationRequest::new(&server(), &client, "http://[::1]/".parse().unwrap());
    let (url, pending) = login.unwrap().scopes(ScopeSet::parse("read")).begin([1; 64]);
    let scopes = r#"ScopeSet({"read"})"#;
    assert_eq!(format!("{pending:?}"), format!("PendingAuthorization {{ scopes: {scopes}, .. }}"));
    let state = url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let grant = pending.complete(&format!("?code=c&state={state}")).unwrap();
    assert_eq!(format!("{grant:?}"), format!("CodeGrant {{ scopes: {scopes}, .. }}"));
}

#[test]
fn debug_of_what_a_machine_and_its_driver_say_tells_one_from_the_other() {
    let mut rig = Rig::new();
    let lease = format!("{:?}", rig.ready());
    assert!(lease.starts_with("Lease { access_token: ") && lease.contains("generation: 1, "), "{lease}");

    rig.at(1000).pending();
    let output = rig.machine.poll(rig.now);
    assert_eq!(format!("{output:?}"), "Transmit { exchange: ExchangeId(1), .. }");
    let Output::Transmit { exchange, .. } = output else { panic!("{output:?}") };
    assert_eq!(format!("{:?}", rig.machine.poll(rig.now)), "Idle { wake_at: None }");
    let input = Input::Response { exchange, result: Ok(tokens("a2", "r2", 100)), sent_at: rig.now };
    let shown = format!("{input:?}");
    assert!(shown.starts_with("Response { exchange: ExchangeId(1), sent_at: "), "{shown}");
    assert!(shown.ends_with(", result: Ok(200) }"), "{shown}");
    rig.handle(input);
    assert_eq!(format!("{:?}", rig.machine.poll(rig.now)), "Store { generation: 2, .. }");
    let input = Input::Stored { generation: 2, ok: true };
    assert_eq!(format!("{input:?}"), "Stored { generation: 2, ok: true }");
    rig.handle(input);
    let output = rig.machine.poll(rig.now);
    assert_eq!(format!("{output:?}"), "Event(Refreshed { generation: 2 })");
    assert_eq!(format!("{:?}", Input::Rejected { generation: 2 }), "Rejected { generation: 2 }");
    assert_eq!(format!("{:?}", Input::MaybeSpent { generation: 2 }), "MaybeSpent { generation: 2 }");
    assert_eq!(format!("{:?}", Input::LogOut), "LogOut");
    assert_eq!(
        format!("{:?} {:?}", Input::Removed { ok: true }, Output::Remove),
        "Removed { ok: true } Remove"
    );
    let adopt = format!("{:?}", Input::Adopt(snapshot("a", None, None)));
    assert!(adopt.starts_with("Adopt(Snapshot { generation: 1, access_token: "), "{adopt}");
    assert!(format!("{:?}", rig.machine).contains("Spent(1 tokens)"), "{:?}", rig.machine);
}
