//! The interactive flow against forged, broken and hostile callbacks.

use std::collections::HashMap;

use auth_core::{
    AuthorizationRequest, CallbackErrorKind, Client, CodeGrant, ConfigError, OAuthErrorCode,
    PendingAuthorization, ScopeSet, Server, exchange,
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::rig::{form, server, server_at};

fn begin(server: &Server) -> (String, PendingAuthorization) {
    let entropy = std::array::from_fn(|index| u8::try_from(index).unwrap());
    let (url, pending) = request(server).begin(entropy);
    (query(&url)["state"].clone(), pending)
}

fn request(server: &Server) -> AuthorizationRequest {
    AuthorizationRequest::new(server, &Client::public("app"), "http://127.0.0.1:1/cb".parse().unwrap())
        .unwrap()
}

fn query(url: &Url) -> HashMap<String, String> {
    url.query_pairs().into_owned().collect()
}

fn code_of(grant: CodeGrant) -> String {
    form(&exchange::code(grant).0)["code"].clone()
}

/// Hands over a callback that is not the answer, and returns the login that goes on.
#[track_caller]
fn refused(pending: PendingAuthorization, callback: &str, kind: &CallbackErrorKind) -> PendingAuthorization {
    let error = pending.complete(callback).unwrap_err();
    assert_eq!(error.kind(), kind, "{callback}");
    error.into_pending().expect("the login goes on")
}

#[test]
fn the_url_asks_with_pkce_s256_and_holds_no_verifier() {
    let (url, pending) = request(&server()).begin([9; 64]);
    let sent = query(&url);
    let verifier = BASE64_URL_SAFE_NO_PAD.encode([9; 48]);
    assert_eq!(sent["response_type"], "code");
    assert_eq!(sent["code_challenge_method"], "S256");
    assert_eq!(sent["code_challenge"], BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier)));
    assert!(!url.as_str().contains(&verifier));
    assert!(!sent.contains_key("scope"));
    let grant = pending.complete(&format!("?code=c&state={}", sent["state"])).unwrap();
    assert_eq!(form(&exchange::code(grant).0)["code_verifier"], verifier);
}

#[test]
fn parameters_cannot_inject_or_override() {
    let server = server_at("https://a.example/authorize?tenant=1", "https://a.example/token");
    let (url, _) = request(&server)
        .scopes(ScopeSet::from_iter(["a&state=x"]))
        .param("login_hint", "me&code_challenge=x#y")
        .param("state", "mine")
        .param("code_challenge_method", "plain")
        .begin([0; 64]);
    let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let value = |name: &str| -> Vec<&str> {
        pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect()
    };
    assert_eq!(value("tenant"), ["1"]);
    assert_eq!(value("scope"), ["a&state=x"]);
    assert_eq!(value("login_hint"), ["me&code_challenge=x#y"]);
    assert_eq!(value("state").len(), 1);
    assert_ne!(value("state"), ["mine"]);
    assert_eq!(value("code_challenge_method"), ["S256"]);
    assert_eq!(url.fragment(), None);
}

#[test]
fn a_thousand_forged_callbacks_do_not_end_a_login() {
    let (state, mut pending) = begin(&server());
    for n in 0..1000 {
        pending =
            refused(pending, &format!("/cb?code=forged&state=guess{n}"), &CallbackErrorKind::StateMismatch);
        pending = refused(
            pending,
            &format!("/cb?error=access_denied&state={n}"),
            &CallbackErrorKind::StateMismatch,
        );
        pending = refused(pending, "/cb?error=access_denied", &CallbackErrorKind::StateMissing);
    }
    let grant = pending.complete(&format!("http://127.0.0.1:1/cb?code=real&state={state}")).unwrap();
    assert_eq!(code_of(grant), "real");
}

#[test]
fn a_callback_of_another_login_is_refused() {
    let (other, _) = request(&server()).begin([1; 64]);
    let (_, pending) = begin(&server());
    let other = query(&other)["state"].clone();
    refused(pending, &format!("/cb?code=c&state={other}"), &CallbackErrorKind::StateMismatch);
}

#[test]
fn odd_callbacks_are_refused_and_the_login_goes_on() {
    let (state, mut pending) = begin(&server());
    let cases = [
        (format!("/cb?code=a&state={state}&code=b"), CallbackErrorKind::Duplicate { parameter: "code" }),
        (format!("/cb?state={state}&code=a&state=x"), CallbackErrorKind::Duplicate { parameter: "state" }),
        (format!("/cb?state=x&code=a&state={state}"), CallbackErrorKind::Duplicate { parameter: "state" }),
        (format!("/cb?code=a&error=access_denied&state={state}"), CallbackErrorKind::CodeAndError),
        (format!("/cb?code=a&error=&state={state}"), CallbackErrorKind::CodeAndError),
        (format!("/cb?error=&state={state}"), CallbackErrorKind::CodeMissing),
        (format!("/cb?error=%00&error_description=x&state={state}"), CallbackErrorKind::CodeMissing),
        (format!("/cb?state={state}"), CallbackErrorKind::CodeMissing),
        (format!("/cb?code=&state={state}"), CallbackErrorKind::CodeMissing),
        (format!("/cb?access_token=x&state={state}"), CallbackErrorKind::CodeMissing),
        (format!("/cb#code=a&state={state}"), CallbackErrorKind::StateMissing),
        (format!("/cb?code=a#&state={state}"), CallbackErrorKind::StateMissing),
        (format!("/cb?code=a%0d%0ab&state={state}"), CallbackErrorKind::CodeMalformed),
        (format!("/cb?code=%ff&state={state}"), CallbackErrorKind::CodeMalformed),
        ("/cb?code=a&state=".to_owned(), CallbackErrorKind::StateMissing),
        ("/cb".to_owned(), CallbackErrorKind::StateMissing),
        (String::new(), CallbackErrorKind::StateMissing),
        (format!("/cb?code={}&state={state}", "a".repeat(8192)), CallbackErrorKind::TooLarge),
    ];
    for (callback, kind) in cases {
        pending = refused(pending, &callback, &kind);
    }
    assert!(pending.complete(&format!("/cb?unknown=1&unknown=2&code=a&state={state}")).is_ok());
}

#[test]
fn a_denial_with_the_right_state_ends_the_login_in_printable_words() {
    let (state, pending) = begin(&server());
    let text = format!("no%1b%5B31m%0a{state}{}", "x".repeat(1000));
    let error = pending
        .complete(&format!("/cb?error=access_denied&error_description={text}&state={state}"))
        .unwrap_err();
    let CallbackErrorKind::Denied { code, description } = error.kind() else { panic!("{error:?}") };
    let description = description.as_deref().unwrap();
    assert_eq!(*code, OAuthErrorCode::AccessDenied);
    assert!(description.starts_with("no [31m [redacted]x"), "{description}");
    assert_eq!(description.chars().count(), 256);
    assert!(!error.to_string().contains(|c: char| c.is_control()));
    assert!(error.into_pending().is_none());
}

#[test]
fn an_unknown_error_code_is_kept_and_made_printable() {
    let (state, pending) = begin(&server());
    let error = pending.complete(&format!("/cb?error=odd%07one&state={state}")).unwrap_err();
    let kind =
        CallbackErrorKind::Denied { code: OAuthErrorCode::Other("odd one".to_owned()), description: None };
    assert_eq!(*error.kind(), kind);
}

#[test]
fn another_issuer_ends_the_login_before_a_code_is_read() {
    let issuer = server().with_issuer("https://auth.example");
    for iss in ["https://evil.example", "https://auth.example/", "https://AUTH.example", ""] {
        for answer in ["code=c", "error=access_denied"] {
            let (state, pending) = begin(&issuer);
            let error = pending.complete(&format!("/cb?{answer}&state={state}&iss={iss}")).unwrap_err();
            assert_eq!(*error.kind(), CallbackErrorKind::IssuerMismatch, "{iss}");
            assert!(error.into_pending().is_none());
        }
    }
    let (state, pending) = begin(&issuer);
    assert!(pending.complete(&format!("/cb?code=c&state={state}&iss=https%3A%2F%2Fauth.example")).is_ok());
    let (state, pending) = begin(&issuer);
    assert!(pending.complete(&format!("/cb?code=c&state={state}")).is_ok());
}

#[test]
fn a_server_that_must_name_itself_is_held_to_it() {
    let strict = server().with_issuer("https://auth.example").with_issuer_required();
    let (state, pending) = begin(&strict);
    let error = pending.complete(&format!("/cb?code=c&state={state}")).unwrap_err();
    assert_eq!(*error.kind(), CallbackErrorKind::IssuerMissing);
    let (state, pending) = begin(&strict);
    let error = pending.complete_pasted(&format!("c#{state}")).unwrap_err();
    assert_eq!(*error.kind(), CallbackErrorKind::AddressNeeded);
    let pending = error.into_pending().expect("the login waits for the whole address");
    assert!(pending.complete(&format!("/cb?code=c&state={state}&iss=https%3A%2F%2Fauth.example")).is_ok());
    // Without a recorded issuer there is nothing to compare with: closed, not open.
    let (state, pending) = begin(&server().with_issuer_required());
    assert!(pending.complete(&format!("/cb?code=c&state={state}&iss=https://any.example")).is_err());
}

#[test]
fn a_pasted_code_needs_its_state() {
    let (state, pending) = begin(&server());
    let mut pending = pending;
    for (pasted, kind) in [
        ("c0de".to_owned(), CallbackErrorKind::StateMissing),
        ("c0de#".to_owned(), CallbackErrorKind::StateMissing),
        ("c0de#other".to_owned(), CallbackErrorKind::StateMismatch),
        (format!("#{state}"), CallbackErrorKind::CodeMissing),
        (format!("c0de#{state}#"), CallbackErrorKind::StateMismatch),
        ("#".repeat(9000), CallbackErrorKind::TooLarge),
    ] {
        let error = pending.complete_pasted(&pasted).unwrap_err();
        assert_eq!(*error.kind(), kind, "{pasted}");
        pending = error.into_pending().unwrap();
    }
    assert_eq!(code_of(pending.complete_pasted(&format!("  c0de#{state}\n")).unwrap()), "c0de");
}

#[test]
fn an_issuer_nobody_knows_or_requires_is_no_reason_to_refuse() {
    assert_eq!(server().issuer(), None);
    let (state, pending) = begin(&server());
    assert!(pending.complete(&format!("/cb?code=c&state={state}&iss=https://any.example")).is_ok());
}

#[test]
fn callbacks_are_read_up_to_eight_kibibytes() {
    for (length, kind) in [(8 * 1024, None), (8 * 1024 + 1, Some(CallbackErrorKind::TooLarge))] {
        let (state, pending) = begin(&server());
        let callback = format!("/cb?code=c&state={state}&x=");
        let padding = "x".repeat(length - callback.len());
        let read = pending.complete(&(callback + &padding));
        assert_eq!(read.err().map(|error| error.kind().clone()), kind, "{length}");

        let (state, pending) = begin(&server());
        let code = "c".repeat(length - state.len() - 1);
        let read = pending.complete_pasted(&format!("{code}#{state}"));
        assert_eq!(read.err().map(|error| error.kind().clone()), kind, "{length}");
    }
}

#[test]
fn an_error_says_what_was_wrong_with_the_callback() {
    let (_, pending) = begin(&server());
    let error = pending.complete("/cb?code=c").unwrap_err();
    assert!(error.to_string().starts_with("the callback has no state; "), "{error}");
}

#[test]
fn debug_of_a_login_shows_neither_state_nor_code() {
    let (state, pending) = begin(&server());
    let mut shown = format!("{pending:?}");
    let grant = pending.complete(&format!("/cb?code=canary&state={state}")).unwrap();
    shown += &format!("{grant:?}");
    assert!(!shown.contains(&state) && !shown.contains("canary"), "{shown}");
}

/// C2: the verifier and the state are as random as the entropy, and nothing of it is left out.
#[test]
fn every_bit_of_the_entropy_makes_another_login() {
    let challenge_and_state = |entropy| {
        let sent = query(&request(&server()).begin(entropy).0);
        assert_eq!(sent["state"].len(), 22);
        (sent["code_challenge"].clone(), sent["state"].clone())
    };
    let none = challenge_and_state([0; 64]);
    let mut seen = std::collections::HashSet::from([none.clone()]);
    for bit in 0..512 {
        let mut entropy = [0; 64];
        entropy[bit / 8] = 1 << (bit % 8);
        let login = challenge_and_state(entropy);
        let changed = (login.0 != none.0, login.1 != none.1);
        assert!(changed == (true, false) || changed == (false, true), "bit {bit} is in both or in neither");
        assert!(seen.insert(login), "bit {bit}");
    }
}

/// C8, for the one parameter that comes from the configuration.
#[test]
fn a_client_id_is_one_value() {
    let client = Client::public("app&state=mine#x y");
    let (url, _) = AuthorizationRequest::new(&server(), &client, "http://127.0.0.1:1/cb".parse().unwrap())
        .unwrap()
        .begin([0; 64]);
    assert_eq!(query(&url)["client_id"], "app&state=mine#x y");
    assert_eq!(url.query_pairs().filter(|(name, _)| name == "state").count(), 1);
    assert_eq!(url.fragment(), None);
}

/// C19: a server that sends people to an honest one's page to get the code of that one.
#[test]
fn a_code_of_an_honest_server_does_not_reach_the_server_that_borrowed_its_page() {
    let attacker = server_at("https://honest.example/authorize", "https://attacker.example/token")
        .with_issuer("https://attacker.example");
    let (state, pending) = begin(&attacker);
    let callback = format!("/cb?code=c&state={state}&iss=https%3A%2F%2Fhonest.example");
    let error = pending.complete(&callback).unwrap_err();
    assert_eq!(*error.kind(), CallbackErrorKind::IssuerMismatch);
    assert!(error.into_pending().is_none(), "there is no grant to exchange");

    // Two logins at a time: each code goes to the server of its own login.
    let other = server_at("https://other.example/authorize", "https://other.example/token");
    for server in [server(), other] {
        let (state, pending) = begin(&server);
        let grant = pending.complete(&format!("/cb?code=c&state={state}")).unwrap();
        assert_eq!(exchange::code(grant).0.uri(), server.token_endpoint().as_str());
    }
}

#[test]
fn a_server_without_an_authorization_endpoint_has_no_login_and_every_other_grant() {
    let server = Server::new("https://auth.example/token".parse().unwrap()).unwrap();
    let client = Client::public("app");
    let redirect = "http://127.0.0.1:1/cb".parse().unwrap();
    let refused = AuthorizationRequest::new(&server, &client, redirect).unwrap_err();
    assert_eq!(refused, ConfigError::NoAuthorizationEndpoint);
    assert!(refused.to_string().contains("with_authorization_endpoint"), "{refused}");
    let (request, _) = exchange::refresh(&server, &client, &"r".into());
    assert_eq!(request.uri(), "https://auth.example/token");
}
