//! Logging out: what is sent, what is removed, and what a server that is not there can spoil.

use std::time::Duration;

use auth_core::{
    Access, Client, Event, ExchangeId, Input, Output, Policy, Reason, SendFailure, Snapshot, TokenMachine,
    TokenSet,
};
use http::{HeaderValue, header::RETRY_AFTER};
use secrecy::ExposeSecret as _;

use crate::rig::{Rig, at, form, oauth_error, reply, server, snapshot, tokens};

/// A machine with `a1`/`r1` whose server can revoke.
fn rig() -> Rig {
    with(snapshot("a1", Some("r1"), Some(at(1000))))
}

fn with(snapshot: Snapshot) -> Rig {
    let server = server().with_revocation_endpoint("https://auth.example/revoke".parse().unwrap()).unwrap();
    let mut machine = TokenMachine::new(server, Client::public("app"), Policy::default());
    machine.restore(snapshot);
    Rig { machine, now: at(0) }
}

/// Expects a revocation; gives its id, the token, and the hint.
#[track_caller]
fn revocation(rig: &mut Rig) -> (ExchangeId, String, String) {
    match rig.machine.poll(rig.now) {
        Output::Transmit { exchange, request } => {
            assert_eq!(request.uri(), "https://auth.example/revoke");
            let form = form(&request);
            (exchange, form["token"].clone(), form["token_type_hint"].clone())
        }
        other => panic!("expected a revocation, got {other:?}"),
    }
}

/// Answers and expects nothing of note.
fn answer(rig: &mut Rig, exchange: ExchangeId, response: http::Response<bytes::Bytes>) {
    rig.handle(Input::Response { exchange, sent_at: rig.now, result: Ok(response) });
}

fn lose(rig: &mut Rig, exchange: ExchangeId) {
    rig.handle(Input::Response { exchange, sent_at: rig.now, result: Err(SendFailure::NotSent) });
}

fn login(access_token: &str, refresh_token: &str) -> TokenSet {
    TokenSet {
        access_token: access_token.into(),
        refresh_token: Some(refresh_token.into()),
        empty_refresh_token: false,
        expires_at: Some(at(5000)),
        scopes: None,
        scope_change: None,
        extra: serde_json::Map::new(),
    }
}

#[track_caller]
fn logged_out(rig: &mut Rig) -> bool {
    let said = rig.handle(Input::Removed { ok: true }).drain();
    assert!(rig.machine.snapshot().is_none());
    assert_eq!(rig.login_required(), Reason::NoTokens);
    match said.events[..] {
        [Event::LoggedOut { revoked }] => revoked,
        _ => panic!("{said:?}"),
    }
}

/// The server takes both tokens, and what is stored is removed; tells whether that is called a revocation.
#[track_caller]
fn leaves(rig: &mut Rig) -> bool {
    for _ in 0..2 {
        let (exchange, ..) = revocation(rig);
        answer(rig, exchange, reply(200, ""));
    }
    assert_eq!(rig.drain().removes, 1);
    logged_out(rig)
}

#[test]
fn the_refresh_token_is_revoked_first_then_the_access_token_then_all_is_removed() {
    let mut rig = rig();
    rig.handle(Input::LogOut);
    assert_eq!(rig.login_required(), Reason::NoTokens, "from the first moment on");
    let (exchange, token, hint) = revocation(&mut rig);
    assert_eq!((token.as_str(), hint.as_str()), ("r1", "refresh_token"));
    assert!(rig.machine.wants(exchange) && matches!(rig.machine.poll(rig.now), Output::Idle { .. }));
    answer(&mut rig, exchange, reply(200, ""));
    let (exchange, token, hint) = revocation(&mut rig);
    assert_eq!((token.as_str(), hint.as_str()), ("a1", "access_token"));
    assert!(rig.machine.snapshot().is_some(), "nothing is forgotten before it is removed");
    answer(&mut rig, exchange, oauth_error(400, "invalid_token"));
    assert!(matches!(rig.machine.poll(rig.now), Output::Remove));
    assert!(matches!(rig.machine.poll(rig.now), Output::Idle { wake_at: None }), "once");
    assert!(logged_out(&mut rig));
}

#[test]
fn a_login_without_a_refresh_token_gives_back_what_it_has() {
    let mut rig = with(snapshot("a1", None, None));
    let (exchange, token, hint) = revocation(rig.handle(Input::LogOut));
    assert_eq!((token.as_str(), hint.as_str()), ("a1", "access_token"));
    answer(&mut rig, exchange, reply(200, ""));
    assert_eq!(rig.drain().removes, 1);
    assert!(logged_out(&mut rig));
}

#[test]
fn without_a_place_to_revoke_the_tokens_are_removed_and_it_is_said() {
    let mut rig = Rig::new();
    let said = rig.handle(Input::LogOut).drain();
    assert!(said.transmits.is_empty() && said.removes == 1, "{said:?}");
    assert!(!logged_out(&mut rig));
}

#[test]
fn offline_the_tokens_are_removed_after_one_more_try() {
    let mut rig = rig();
    let (exchange, ..) = revocation(rig.handle(Input::LogOut));
    lose(&mut rig, exchange);
    let said = rig.drain();
    assert_eq!(said.wake_at, Some(at(1)), "{said:?}");
    let (exchange, token, _) = revocation(rig.at(1));
    assert_eq!(token, "r1");
    lose(&mut rig, exchange);
    let said = rig.drain();
    assert_eq!(said.removes, 1, "the server is not there for the other token either");
    let [Event::RevocationFailed(failure)] = &said.events[..] else { panic!("{said:?}") };
    assert!(failure.to_string().contains("could not be revoked") && !failure.is_retryable());
    assert!(!logged_out(&mut rig));
}

/// C99: a busy server is asked again when it says, once, and not at all when that is long.
#[test]
fn a_busy_server_is_not_stormed() {
    let busy = |seconds| {
        let mut response = oauth_error(503, "temporarily_unavailable");
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(seconds));
        response
    };
    let mut rig = rig();
    let (exchange, ..) = revocation(rig.handle(Input::LogOut));
    answer(&mut rig, exchange, busy("5"));
    assert_eq!(rig.drain().wake_at, Some(at(5)));
    let (exchange, ..) = revocation(rig.at(5));
    answer(&mut rig, exchange, busy("5"));
    assert_eq!(rig.drain().removes, 1);

    let mut rig = self::rig();
    let (exchange, ..) = revocation(rig.handle(Input::LogOut));
    answer(&mut rig, exchange, busy("61"));
    assert_eq!(rig.drain().removes, 1, "a person is waiting");
    assert!(!logged_out(&mut rig));
}

#[test]
fn a_server_that_refuses_one_kind_of_token_is_asked_for_the_other() {
    let mut rig = rig();
    let (exchange, ..) = revocation(rig.handle(Input::LogOut));
    answer(&mut rig, exchange, oauth_error(400, "unsupported_token_type"));
    let events = match rig.machine.poll(rig.now) {
        Output::Event(event) => event.to_string(),
        other => panic!("{other:?}"),
    };
    assert!(events.contains("could not be revoked"), "{events}");
    let (exchange, token, _) = revocation(&mut rig);
    assert_eq!(token, "a1");
    answer(&mut rig, exchange, reply(200, ""));
    rig.drain();
    assert!(!logged_out(&mut rig), "one of two is not all");
}

#[test]
fn a_refresh_under_way_is_waited_for_and_what_it_brings_is_given_back() {
    let mut rig = rig();
    rig.at(950);
    let _ = rig.access();
    let (refresh, _) = rig.transmit();
    let said = rig.handle(Input::LogOut).drain();
    assert!(said.transmits.is_empty() && said.removes == 0, "{said:?}");
    answer(&mut rig, refresh, tokens("a2", "r2", 3600));
    let (exchange, token, _) = revocation(&mut rig);
    assert_eq!(token, "r2");
    answer(&mut rig, exchange, reply(200, ""));
    let (exchange, token, _) = revocation(&mut rig);
    assert_eq!(token, "a2");
    answer(&mut rig, exchange, reply(200, ""));
    let said = rig.drain();
    assert!(said.stores.is_empty() && said.removes == 1, "{said:?}");
    assert!(logged_out(&mut rig));
}

#[test]
fn a_refresh_that_fails_during_a_logout_does_not_hold_it_up() {
    for result in [Err(SendFailure::MaybeSent), Ok(oauth_error(400, "invalid_grant")), Ok(reply(502, ""))] {
        let mut rig = rig();
        rig.at(950);
        let _ = rig.access();
        let (exchange, _) = rig.transmit();
        rig.handle(Input::LogOut).handle(Input::Response { exchange, sent_at: at(950), result });
        assert_eq!(revocation(&mut rig).1, "r1");
    }
}

#[test]
fn a_store_under_way_is_waited_for_and_does_not_come_back() {
    let mut rig = Rig::new();
    let _ = rig.at(950).access();
    let (exchange, _) = rig.transmit();
    let stored = rig.answer(exchange, tokens("a2", "r2", 3600)).stores[0];
    let said = rig.handle(Input::LogOut).drain();
    assert_eq!(said.removes, 0, "what is written after the removal would stay");
    let said = rig.stored(stored, true);
    assert!(said.events.is_empty() && said.removes == 1, "{said:?}");
    assert_eq!(rig.login_required(), Reason::NoTokens, "what was stored is not seen either");
    assert!(!logged_out(&mut rig));
}

#[test]
fn newer_tokens_of_another_process_are_the_ones_given_back() {
    let mut rig = rig();
    let (old, ..) = revocation(rig.handle(Input::LogOut));
    rig.handle(Input::Adopt(snapshot("a2", Some("r2"), Some(at(2000)))));
    assert_eq!(rig.login_required(), Reason::NoTokens);
    assert!(!rig.machine.wants(old));
    lose(&mut rig, old);
    assert!(matches!(rig.machine.poll(rig.now), Output::Event(Event::Adopted { .. })));
    assert_eq!(revocation(&mut rig).1, "r2");
}

#[test]
fn what_was_logged_out_is_not_adopted_again_and_another_login_is() {
    for old in [snapshot("a1", Some("r1"), Some(at(1000))), snapshot("a1", None, None)] {
        let mut rig = Rig::with(Policy::default(), old.clone());
        rig.handle(Input::LogOut).drain();
        logged_out(&mut rig);
        rig.handle(Input::Adopt(old));
        assert_eq!(rig.login_required(), Reason::NoTokens);
        rig.handle(Input::Adopt(snapshot("b1", Some("s1"), Some(at(1000)))));
        assert_eq!(rig.token(), "b1");
    }
}

#[test]
fn a_removal_that_fails_is_tried_again() {
    let mut rig = Rig::new();
    rig.handle(Input::LogOut).drain();
    let said = rig.handle(Input::Removed { ok: false }).drain();
    assert!(matches!(said.events[..], [Event::RemoveFailed]) && said.removes == 0, "{said:?}");
    assert_eq!(said.wake_at, Some(at(1)));
    assert_eq!(rig.login_required(), Reason::NoTokens);
    assert_eq!(rig.at(1).drain().removes, 1);
    assert!(!logged_out(&mut rig));
}

#[test]
fn a_login_during_a_logout_wins_and_is_stored_after_the_removal() {
    let mut rig = Rig::new();
    assert_eq!(rig.handle(Input::LogOut).drain().removes, 1);
    rig.handle(Input::LoggedIn(login("b1", "s1")));
    assert!(rig.drain().stores.is_empty(), "the removal would take it away");
    let said = rig.handle(Input::Removed { ok: true }).drain();
    rig.stored(said.stores[0], true);
    assert_eq!(rig.token(), "b1");
}

/// What is removed is what was there before: tokens that came meanwhile are given back and removed themselves.
#[test]
fn a_removal_of_the_tokens_before_does_not_end_the_logout_of_those_that_came_since() {
    let another_process = |rig: &mut Rig| {
        rig.handle(Input::Adopt(snapshot("b1", Some("s1"), Some(at(5000)))));
        assert!(matches!(rig.machine.poll(rig.now), Output::Event(Event::Adopted { .. })));
    };
    let another_login = |rig: &mut Rig| {
        rig.handle(Input::LoggedIn(login("b1", "s1"))).handle(Input::LogOut);
    };
    let come: [&dyn Fn(&mut Rig); 2] = [&another_process, &another_login];
    for come in come {
        for ok in [true, false] {
            let mut rig = rig();
            for _ in ["r1", "a1"] {
                let (exchange, ..) = revocation(rig.handle(Input::LogOut));
                answer(&mut rig, exchange, reply(200, ""));
            }
            assert!(matches!(rig.machine.poll(rig.now), Output::Remove));
            come(&mut rig);
            assert!(matches!(rig.machine.poll(rig.now), Output::Idle { .. }), "one thing at a time");
            rig.handle(Input::Removed { ok });
            for expected in ["s1", "b1"] {
                let (exchange, token, _) = revocation(&mut rig);
                assert_eq!(token, expected);
                answer(&mut rig, exchange, reply(200, ""));
            }
            assert!(matches!(rig.machine.poll(rig.now), Output::Remove));
            assert!(logged_out(&mut rig));
        }
    }
}

#[test]
fn a_removal_that_nobody_asked_for_ends_no_logout() {
    let mut rig = rig();
    rig.handle(Input::LogOut).handle(Input::Removed { ok: true });
    assert_eq!(revocation(&mut rig).1, "r1");
}

#[test]
fn a_late_refusal_of_the_old_login_does_not_touch_the_next_one() {
    let mut rig = Rig::new();
    let old = rig.ready().generation();
    rig.handle(Input::LogOut).drain();
    logged_out(&mut rig);
    rig.handle(Input::Adopt(snapshot("b1", Some("s1"), Some(at(1000)))));
    rig.handle(Input::Rejected { generation: old });
    assert_eq!(rig.token(), "b1");
}

#[test]
fn nobody_logged_in_can_log_out_all_the_same() {
    let machine = TokenMachine::new(server(), Client::public("app"), Policy::default());
    let mut rig = Rig { machine, now: at(0) };
    assert!(matches!(rig.access(), Access::LoginRequired(Reason::NoTokens)));
    assert_eq!(rig.handle(Input::LogOut).handle(Input::LogOut).drain().removes, 1);
    assert!(!logged_out(&mut rig));
    rig.now += Duration::from_secs(1);
    assert_eq!(rig.handle(Input::Removed { ok: true }).drain().events.len(), 0, "and once only");
}

/// What an answer nobody got has brought, nobody can give back.
#[test]
fn a_doubt_about_the_tokens_is_not_called_a_revocation() {
    let dirty: [fn(&mut Rig, ExchangeId); 3] = [
        |rig, exchange| {
            rig.handle(Input::LogOut);
            let result = Err(SendFailure::MaybeSent);
            rig.handle(Input::Response { exchange, sent_at: rig.now, result });
        },
        // The doubt is older than the logout.
        |rig, exchange| {
            let again = rig.lose(exchange, SendFailure::MaybeSent).transmits[0].0;
            rig.handle(Input::LogOut);
            lose(rig, again);
        },
        // Somebody else's tokens came first, and these were dropped.
        |rig, exchange| {
            rig.handle(Input::LogOut);
            rig.handle(Input::Adopt(snapshot("b1", Some("s1"), Some(at(5000)))));
            answer(rig, exchange, tokens("a2", "r2", 3600));
            assert!(matches!(rig.machine.poll(rig.now), Output::Event(Event::Adopted { .. })));
        },
    ];
    for make_doubtful in dirty {
        let mut rig = rig();
        let _ = rig.at(950).access();
        let (exchange, _) = rig.transmit();
        make_doubtful(&mut rig, exchange);
        assert!(!leaves(&mut rig));
    }
}

#[test]
fn only_a_renewal_that_is_still_needed_spends_a_refresh_token() {
    let mut rig = rig();
    rig.at(1000).pending();
    let (renewal, _) = rig.transmit();
    let spent = rig.machine.spends(renewal).and_then(|snapshot| snapshot.refresh_token.clone()).unwrap();
    assert_eq!(spent.expose_secret(), "r1");
    rig.handle(Input::Adopt(snapshot("a2", Some("r2"), Some(at(2000)))));
    assert!(rig.machine.spends(renewal).is_none(), "another process did it");
    rig.lose(renewal, SendFailure::NotSent);

    rig.handle(Input::LogOut);
    let (exchange, ..) = revocation(&mut rig);
    assert!(rig.machine.wants(exchange) && rig.machine.spends(exchange).is_none(), "it is given back");
}

#[test]
fn a_failed_revocation_is_not_made_good_by_other_tokens() {
    let mut rig = rig();
    let (exchange, ..) = revocation(rig.handle(Input::LogOut));
    answer(&mut rig, exchange, oauth_error(400, "unsupported_token_type"));
    rig.handle(Input::Adopt(snapshot("b1", Some("s1"), Some(at(5000)))));
    while !matches!(rig.machine.poll(rig.now), Output::Event(Event::Adopted { .. })) {}
    assert!(!leaves(&mut rig));
}

#[test]
fn what_is_restored_during_a_logout_is_not_handed_out() {
    let mut rig = rig();
    rig.handle(Input::LogOut);
    rig.machine.restore(snapshot("b1", Some("s1"), Some(at(5000))));
    assert_eq!(rig.login_required(), Reason::NoTokens);
    assert_eq!(revocation(&mut rig).1, "s1");
}

#[test]
fn jitter_does_not_cost_the_second_try() {
    let seconds = Duration::from_secs;
    let policy = Policy { backoff_base: seconds(40), jitter: seconds(30), ..Policy::default() };
    let server = server().with_revocation_endpoint("https://auth.example/revoke".parse().unwrap()).unwrap();
    let mut machine = TokenMachine::new(server, Client::public("app"), policy);
    machine.restore(snapshot("a1", Some("r1"), Some(at(1000))));
    let mut rig = Rig { machine, now: at(0) };
    let (exchange, ..) = revocation(rig.handle(Input::LogOut));
    lose(&mut rig, exchange);
    assert_eq!(rig.drain().wake_at, Some(at(70)));
}
