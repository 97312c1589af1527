//! What a machine does when an exchange fails: when it tries again, and when it must not.

use std::{error::Error as _, time::Duration};

use auth_core::{Event, ExchangeError, Failure, Input, Offset, Policy, Reason, SendFailure};
use http::{HeaderValue, header::RETRY_AFTER};

use crate::rig::{Rig, Said, at, oauth_error, reply, snapshot, tokens};

#[track_caller]
fn refresh_failed(events: &[Event]) -> Failure {
    match events {
        [Event::RefreshFailed(failure)] => failure.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_was_never_sent_is_tried_again_after_a_wait_that_doubles() {
    let mut rig = Rig::new();
    rig.at(1000);
    for wait in [1, 2, 4, 8, 16, 32, 60, 60] {
        rig.pending();
        let (exchange, sent) = rig.transmit();
        assert_eq!(sent, "r1");
        let failure = refresh_failed(&rig.lose(exchange, SendFailure::NotSent).events);
        assert_eq!(failure.retry_after(), Some(Duration::from_secs(wait)));
        assert!(rig.drain().transmits.is_empty(), "the failure is shared, the wait is kept");
        rig.now += Duration::from_secs(wait);
    }
    rig.refresh("a2", "r2", 1000);
    assert_eq!(rig.token(), "a2");
}

#[test]
fn a_failure_is_shared_and_the_demand_of_those_who_got_it_is_met_later() {
    let mut rig = Rig::new();
    rig.at(1000).pending();
    let (exchange, _) = rig.transmit();
    let said = rig.lose(exchange, SendFailure::NotSent);
    assert_eq!(said.wake_at, None, "nobody asked since");
    for _ in 0..200 {
        let failure = rig.failed();
        assert_eq!(failure.retry_after(), Some(Duration::from_secs(1)));
        assert!(failure.source().unwrap().to_string().contains("could not be reached"));
    }
    let said = rig.drain();
    assert!(said.transmits.is_empty());
    assert_eq!(said.wake_at, Some(at(1001)));
    assert_eq!(rig.at(1001).drain().transmits.len(), 1);
}

#[test]
fn while_a_new_try_is_under_way_nobody_is_told_to_come_later() {
    // With a lease that still has a little time, and with one that has none.
    for begin in [980, 1000] {
        let mut rig = Rig::new();
        rig.at(begin).pending();
        let (exchange, _) = rig.transmit();
        rig.lose(exchange, SendFailure::NotSent);
        rig.at(begin + 1).pending();
        rig.transmit();
        // The clock steps back into the wait that is over.
        rig.at(begin).pending();
    }
}

#[test]
fn a_failure_says_when_to_come_back_and_never_too_early() {
    let mut rig = Rig::new();
    rig.at(1000).pending();
    let (exchange, _) = rig.transmit();
    rig.lose(exchange, SendFailure::NotSent);
    for (millis, shown) in [(0, "1 s"), (1, "1 s"), (999, "1 s")] {
        rig.now = at(1000) + Duration::from_millis(millis);
        let failure = rig.failed();
        assert_eq!(
            failure.to_string(),
            format!("the access token could not be refreshed; try again in {shown}")
        );
        assert_eq!(failure.retry_after(), Some(Duration::from_millis(1000 - millis)));
    }
    rig.at(1001).pending();
    let (exchange, _) = rig.transmit();
    rig.lose(exchange, SendFailure::NotSent);
    rig.now = at(1001) + Duration::from_millis(1);
    assert!(rig.failed().to_string().ends_with("; try again in 2 s"), "1.999 s are left");

    rig.at(1003).pending();
    let (exchange, _) = rig.transmit();
    rig.answer(exchange, oauth_error(401, "invalid_client"));
    let shown = "the access token could not be refreshed; the configuration of the client has to change";
    assert_eq!(rig.failed().to_string(), shown);
}

#[test]
fn each_reason_for_a_login_says_what_happened() {
    for (reason, maybe_consumed, shown) in [
        (Reason::NoTokens, false, "nobody is logged in; log in first"),
        (
            Reason::NoRefreshToken,
            false,
            "the access token has expired or was refused, and there is no refresh token; log in again",
        ),
        (
            Reason::InvalidGrant { maybe_consumed: false },
            false,
            "the refresh token is no longer good; log in again",
        ),
        (
            Reason::InvalidGrant { maybe_consumed: true },
            true,
            "the refresh token is no longer good, perhaps used up by an exchange whose answer was lost; \
             log in again",
        ),
        (
            Reason::NoAnswer,
            true,
            "the refresh token may have been used up by an exchange whose answer was lost; log in again",
        ),
    ] {
        assert_eq!(reason.maybe_consumed(), maybe_consumed, "{reason:?}");
        assert_eq!(reason.to_string(), shown);
    }
}

#[test]
fn a_lost_answer_is_asked_for_once_more_at_once() {
    let mut rig = Rig::new();
    rig.at(1000).pending();
    let (first, _) = rig.transmit();
    let said = rig.lose(first, SendFailure::MaybeSent);
    let [(second, ref sent)] = said.transmits[..] else { panic!("{said:?}") };
    assert_eq!(sent, "r1");
    rig.pending();
    rig.answer(second, tokens("a2", "r2", 1000));
    rig.stored(2, true);
    assert_eq!(rig.token(), "a2");
}

#[test]
fn a_token_whose_answers_are_lost_is_not_sent_a_third_time() {
    let mut rig = Rig::new();
    assert_eq!(rig.at(900).token(), "a1");
    let (first, _) = rig.transmit();
    let (second, _) = rig.lose(first, SendFailure::MaybeSent).transmits[0].clone();
    let said = rig.lose(second, SendFailure::MaybeSent);
    assert!(matches!(said.events[..], [Event::LoginRequired(Reason::NoAnswer)]), "{said:?}");
    assert_eq!(rig.token(), "a1", "what is valid still serves");
    for second in 1000..2000 {
        assert_eq!(rig.at(second).login_required(), Reason::NoAnswer);
        assert!(rig.drain().transmits.is_empty());
    }
    assert!(Reason::NoAnswer.maybe_consumed());
    assert!(rig.machine.snapshot().unwrap().refresh_token.is_some(), "nothing is blanked");
}

#[test]
fn a_policy_may_send_more_often_and_then_waits_between() {
    let policy = Policy { resends: 3, ..Policy::default() };
    let mut rig = Rig::with(policy, snapshot("a1", Some("r1"), Some(at(0))));
    let mut sent = 0;
    for second in 0..1000 {
        let _ = rig.at(second).access();
        let mut said = rig.drain();
        while let Some((exchange, _)) = said.transmits.pop() {
            sent += 1;
            said = rig.lose(exchange, SendFailure::MaybeSent);
        }
    }
    assert_eq!(sent, 4);
    assert_eq!(rig.login_required(), Reason::NoAnswer);
}

#[test]
fn invalid_grant_after_a_lost_answer_says_that_the_token_may_have_been_used() {
    for doubt in [true, false] {
        let mut rig = Rig::new();
        rig.at(1000).pending();
        let (mut exchange, _) = rig.transmit();
        if doubt {
            exchange = rig.lose(exchange, SendFailure::MaybeSent).transmits[0].0;
        }
        let said = rig.answer(exchange, oauth_error(400, "invalid_grant"));
        let reason = Reason::InvalidGrant { maybe_consumed: doubt };
        assert!(matches!(said.events[..], [Event::LoginRequired(told)] if told == reason), "{said:?}");
        assert_eq!(rig.login_required(), reason);
        assert!(rig.drain().transmits.is_empty());
        assert!(rig.machine.snapshot().is_some(), "nothing is blanked");
    }
}

#[test]
fn a_token_that_somebody_else_may_have_spent_is_sent_and_its_refusal_says_so() {
    for (generation, doubt) in [(1, true), (0, false), (2, false)] {
        let mut rig = Rig::new();
        rig.at(1000).pending();
        let (exchange, sent) = rig.transmit();
        assert_eq!(sent, "r1");
        rig.handle(Input::MaybeSpent { generation });
        assert_eq!(rig.machine.maybe_spent(), doubt, "generation {generation}");
        let said = rig.answer(exchange, oauth_error(400, "invalid_grant"));
        let reason = Reason::InvalidGrant { maybe_consumed: doubt };
        assert!(matches!(said.events[..], [Event::LoginRequired(told)] if told == reason), "{said:?}");
        assert_eq!(rig.machine.maybe_spent(), doubt, "a store keeps its note as long as that is unclear");
    }

    let mut rig = Rig::new();
    rig.handle(Input::MaybeSpent { generation: 1 });
    rig.at(1000).refresh("a2", "r2", 1000);
    assert!(!rig.machine.maybe_spent(), "an answer ends the doubt");
    assert_eq!(rig.token(), "a2");
}

#[test]
fn a_gateway_error_is_tried_again_once_at_once_and_then_with_patience() {
    for response in [reply(502, "<html>Bad Gateway</html>"), reply(200, "<html>Hotel</html>"), reply(500, "")]
    {
        let mut rig = Rig::new();
        rig.at(1000).pending();
        let (exchange, _) = rig.transmit();
        let said = rig.answer(exchange, response.clone());
        assert_eq!(said.transmits.len(), 1, "one prompt repetition");
        for wait in [1, 2, 4, 8, 16, 32, 60, 60, 60] {
            let exchange = match &said.transmits[..] {
                [(exchange, _)] if wait == 1 => *exchange,
                _ => rig.pending().transmit().0,
            };
            let said = rig.answer(exchange, response.clone());
            assert!(said.transmits.is_empty(), "{said:?}");
            assert!(refresh_failed(&said.events).is_retryable());
            rig.now += Duration::from_secs(wait);
        }
        rig.refresh("a2", "r2", 1000);
        assert_eq!(rig.token(), "a2", "an outage does not end a login");
    }
}

#[test]
fn retry_after_is_kept() {
    for (status, body) in [(429, ""), (503, ""), (503, r#"{"error":"temporarily_unavailable"}"#)] {
        let mut rig = Rig::new();
        rig.at(1000).pending();
        let (exchange, _) = rig.transmit();
        let mut response = reply(status, body);
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("300"));
        rig.answer(exchange, response);
        assert_eq!(rig.at(1010).failed().retry_after(), Some(Duration::from_secs(290)));
        let said = rig.drain();
        assert!(said.transmits.is_empty());
        assert_eq!(said.wake_at, Some(at(1300)));
        assert_eq!(rig.at(1300).drain().transmits.len(), 1);
    }
}

#[test]
fn a_wrong_configuration_is_not_tried_again() {
    for code in [
        "invalid_client",
        "unauthorized_client",
        "invalid_scope",
        "invalid_request",
        "unsupported_grant_type",
    ] {
        let mut rig = Rig::new();
        assert_eq!(rig.at(900).token(), "a1");
        let (exchange, _) = rig.transmit();
        let said = rig.answer(exchange, oauth_error(401, code));
        assert!(!refresh_failed(&said.events).is_retryable());
        assert_eq!(rig.token(), "a1");
        for second in [1000, 2000, 1_000_000] {
            let failure = rig.at(second).failed();
            let cause = failure.source().unwrap().downcast_ref::<ExchangeError>().unwrap();
            assert_eq!(cause.code().unwrap().as_str(), code);
            assert!(rig.drain().transmits.is_empty());
        }
        assert!(rig.machine.snapshot().unwrap().refresh_token.is_some(), "the token is kept");
    }
}

#[test]
fn an_answer_that_breaks_the_protocol_twice_ends_the_login() {
    let mut rig = Rig::new();
    rig.at(1000).pending();
    let (exchange, _) = rig.transmit();
    let garbled = r#"{"access_token":"a\r\nb","refresh_token":"r2","token_type":"bearer"}"#;
    let said = rig.answer(exchange, reply(200, garbled));
    assert!(said.transmits.is_empty(), "the token was most likely used up: no prompt repetition");
    rig.at(1001).pending();
    let (exchange, _) = rig.transmit();
    rig.answer(exchange, reply(200, garbled));
    assert_eq!(rig.login_required(), Reason::NoAnswer);
}

/// C43: a life of a second is over before the answer is here.
#[test]
fn tokens_that_are_over_when_they_come_are_asked_for_ever_less_often() {
    let mut rig = Rig::new();
    let mut grants = 0;
    rig.at(1000);
    while rig.now < at(1600) {
        let _ = rig.access();
        for (exchange, _) in rig.drain().transmits {
            grants += 1;
            let sent_at = rig.now;
            rig.now += Duration::from_secs(1);
            let answer = tokens(&format!("b{grants}"), &format!("s{grants}"), 1);
            let said = rig.handle(Input::Response { exchange, sent_at, result: Ok(answer) }).drain();
            let said = rig.stored(said.stores[0], true);
            if grants == 3 {
                let failure = refresh_failed(&said.events[1..]);
                assert!(failure.to_string().contains("over before they can be used"), "{failure}");
                assert_eq!(failure.retry_after(), Some(Duration::from_secs(2)));
            }
        }
        rig.now += Duration::from_millis(100);
    }
    assert!((5..20).contains(&grants), "{grants} exchanges in ten minutes");
    // One that can be used ends it.
    rig.now += Duration::from_secs(60);
    rig.refresh("c", "t", 10);
    assert_eq!(rig.token(), "c");
    rig.now += Duration::from_secs(10);
    rig.pending();
    let (exchange, _) = rig.transmit();
    let sent_at = rig.now;
    rig.now += Duration::from_secs(8 * 3600);
    let said = rig.handle(Input::Response { exchange, sent_at, result: Ok(tokens("d", "u", 3600)) }).drain();
    rig.stored(said.stores[0], true);
    rig.pending();
    assert_eq!(rig.transmit().1, "u", "a sleep costs no wait");
}

#[test]
fn jitter_widens_the_window_and_every_wait() {
    let policy = Policy { jitter: Duration::from_secs(7), ..Policy::default() };
    let mut rig = Rig::with(policy, snapshot("a1", Some("r1"), Some(at(1000))));
    assert_eq!(rig.at(872).token(), "a1");
    assert!(rig.drain().transmits.is_empty());
    assert_eq!(rig.at(873).token(), "a1");
    let (exchange, _) = rig.transmit();
    let wait = |said: Said| refresh_failed(&said.events).retry_after();
    assert_eq!(wait(rig.lose(exchange, SendFailure::NotSent)), Some(Duration::from_secs(2)));
    for (second, expected) in [(880, 4), (890, 8), (900, 8 + 7)] {
        let _ = rig.at(second).access();
        let (exchange, _) = rig.transmit();
        let waited = wait(rig.lose(exchange, SendFailure::NotSent));
        assert_eq!(waited, Some(Duration::from_secs(expected)), "at most doubled, at most 7 s more");
    }
}

/// C65: the prompt repetition falls into the window of a server that has one.
#[test]
fn a_lost_answer_costs_no_login_where_the_server_lets_a_token_be_used_again_for_a_while() {
    for window in [0_u64, 5, 30] {
        let mut rig = Rig::new();
        let _ = rig.at(1000).access();
        let (exchange, sent) = rig.transmit();
        // Used up at 1000; that nobody will answer is known at 1004.
        let lost = rig.at(1004).lose(exchange, SendFailure::MaybeSent);
        assert_eq!(lost.transmits.len(), 1, "{lost:?}");
        let (exchange, again) = lost.transmits[0].clone();
        assert_eq!(again, sent);
        let answer = if 4 < window { tokens("a2", "r2", 3600) } else { oauth_error(400, "invalid_grant") };
        let said = rig.answer(exchange, answer);
        if 4 < window {
            rig.stored(said.stores[0], true);
            assert_eq!(rig.token(), "a2", "a window of {window} s");
        } else {
            assert_eq!(rig.login_required(), Reason::InvalidGrant { maybe_consumed: true });
        }
    }
}

#[test]
fn what_happened_is_told_in_words() {
    let rejected = Event::Rejected { generation: 7 };
    for (event, words) in [
        (Event::Refreshed { generation: 7 }, "was refreshed (generation 7)"),
        (Event::Adopted { generation: 7 }, "taken over from the store (generation 7)"),
        (rejected, "a server refused the access token (generation 7)"),
        (Event::StoreFailed { generation: 7 }, "(generation 7) and are in memory only; check the store"),
        (Event::EmptyRefreshToken, "an empty refresh token; the one before is kept"),
        (Event::LoginRequired(Reason::NoTokens), "log in first"),
        (
            Event::ClockSkew { offset: Offset::Behind(Duration::from_secs(90)) },
            "90 s ahead of the server's; set it",
        ),
        (Event::RemoveFailed, "could not be removed; check the store"),
        (Event::LoggedOut { revoked: true }, "the server has revoked the tokens"),
        (Event::LoggedOut { revoked: false }, "which may be good until it expires"),
    ] {
        assert!(event.to_string().contains(words), "{event}");
    }
}
