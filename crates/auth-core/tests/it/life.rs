//! The life of a token: one test for each thing a machine promises.

use std::time::{Duration, SystemTime};

use auth_core::{Access, Client, Event, Input, Policy, Reason, SendFailure, Snapshot, TokenMachine};

use crate::rig::{Rig, at, form, oauth_error, reply, server, snapshot, tokens};

fn adopt(access: &str, refresh: &str, expires_at: u64) -> Input {
    Input::Adopt(snapshot(access, Some(refresh), Some(at(expires_at))))
}

#[test]
fn nobody_asks_and_nothing_is_sent() {
    let mut rig = Rig::new();
    for second in [0, 880, 999, 1000, 100_000] {
        let said = rig.at(second).drain();
        assert!(said.transmits.is_empty(), "{said:?}");
        assert_eq!(said.wake_at, None);
    }
}

#[test]
fn a_fresh_lease_is_handed_out_without_an_exchange() {
    let mut rig = Rig::new();
    assert_eq!(rig.at(879).token(), "a1");
    assert!(rig.drain().transmits.is_empty());
}

#[test]
fn inside_the_advisory_window_the_old_lease_is_handed_out_while_a_refresh_runs() {
    let mut rig = Rig::new();
    assert_eq!(rig.at(880).token(), "a1");
    let (exchange, sent) = rig.transmit();
    assert_eq!(sent, "r1");
    assert_eq!(rig.token(), "a1");
    rig.answer(exchange, tokens("a2", "r2", 1000));
    rig.stored(2, true);
    assert_eq!(rig.token(), "a2");
}

/// A driver hands the lease out by itself for as long as this says; the demand of those who ask has to reach the machine.
#[test]
fn a_lease_is_settled_until_its_window_begins_and_while_nothing_is_wanted() {
    let mut rig = Rig::new();
    let settled = |rig: &Rig| rig.machine.settled(rig.now).map(|(lease, until)| (lease.generation(), until));
    assert_eq!(settled(rig.at(0)), Some((1, Some(at(880)))));
    rig.now = at(880) - Duration::from_nanos(1);
    assert_eq!(settled(&rig), Some((1, Some(at(880)))));
    assert_eq!(settled(rig.at(880)), None);
    assert_eq!(rig.token(), "a1");
    assert_eq!(settled(rig.at(100)), None, "a refresh is wanted, the clock stepped back");
    rig.drain();
    assert_eq!(settled(&rig), Some((1, Some(at(880)))), "it is wanted no more");
    rig.handle(Input::Rejected { generation: 1 });
    assert_eq!(settled(&rig), None);

    let endless = Rig::with(Policy::default(), snapshot("a", None, None));
    assert_eq!(settled(&endless), Some((1, None)));
}

#[test]
fn a_demand_that_is_over_before_it_is_met_sends_nothing() {
    let mut rig = Rig::new();
    assert_eq!(rig.at(900).token(), "a1");
    // The clock steps back: there is plenty of time.
    assert!(rig.at(100).drain().transmits.is_empty());
    assert!(rig.at(900).drain().transmits.is_empty(), "nobody asked again");
}

#[test]
fn inside_the_mandatory_window_callers_wait_for_a_refresh_that_can_succeed() {
    let mut rig = Rig::new();
    rig.at(970).pending();
    let (exchange, _) = rig.transmit();
    rig.pending();
    rig.lose(exchange, SendFailure::NotSent);
    assert_eq!(rig.token(), "a1", "still valid, and nothing better is coming");
}

#[test]
fn an_expired_lease_is_not_handed_out() {
    let mut rig = Rig::new();
    rig.at(970).pending();
    let (exchange, _) = rig.transmit();
    rig.lose(exchange, SendFailure::NotSent);
    rig.now = at(1000) - Duration::from_nanos(1);
    rig.pending();
    let (exchange, _) = rig.transmit();
    rig.lose(exchange, SendFailure::NotSent);
    assert_eq!(rig.token(), "a1", "the last nanosecond");
    rig.at(1000).failed();
}

#[test]
fn a_short_token_is_not_refreshed_at_every_request() {
    let mut rig = Rig::new();
    rig.at(1000).refresh("a2", "r2", 60);
    assert_eq!(rig.at(1029).token(), "a2");
    assert!(rig.drain().transmits.is_empty());
    assert_eq!(rig.at(1030).token(), "a2");
    assert_eq!(rig.drain().transmits.len(), 1);
}

#[test]
fn one_exchange_at_most_is_in_flight() {
    let mut rig = Rig::new();
    for _ in 0..10_000 {
        rig.at(1000).pending();
    }
    rig.transmit();
    for second in 1000..1100 {
        rig.at(second).pending();
        assert!(rig.drain().transmits.is_empty());
    }
}

#[test]
fn an_answer_with_another_id_changes_nothing() {
    let mut rig = Rig::new();
    rig.at(1000).pending();
    let (old, _) = rig.transmit();
    rig.lose(old, SendFailure::NotSent);
    rig.at(1002).pending();
    let (exchange, _) = rig.transmit();
    assert_ne!(old, exchange);
    for response in [tokens("evil", "evil", 1000), oauth_error(400, "invalid_grant")] {
        let said = rig.answer(old, response);
        assert!(said.stores.is_empty() && said.events.is_empty(), "{said:?}");
    }
    rig.answer(exchange, tokens("a2", "r2", 1000));
    let said = rig.answer(exchange, tokens("evil", "evil", 1000));
    assert!(said.stores.is_empty(), "an exchange has one answer");
    rig.stored(2, true);
    assert_eq!(rig.token(), "a2");
}

#[test]
fn a_new_lease_is_seen_only_after_it_is_stored() {
    let mut rig = Rig::new();
    assert_eq!(rig.at(900).token(), "a1");
    let (exchange, _) = rig.transmit();
    let said = rig.answer(exchange, tokens("a2", "r2", 1000));
    assert_eq!(said.stores, [2]);
    assert!(said.events.is_empty());
    assert_eq!(rig.token(), "a1", "the old one serves while the new one is written");
    rig.at(980).pending();
    let said = rig.drain();
    assert!(said.stores.is_empty(), "one write at a time");
    assert!(said.transmits.is_empty(), "nobody needs more than what is being written");
    rig.at(1000).stored(1, true);
    rig.pending();
    let said = rig.stored(2, true);
    assert!(matches!(said.events[..], [Event::Refreshed { generation: 2 }]), "{said:?}");
    assert_eq!(rig.ready().generation(), 2);
}

#[test]
fn a_failed_store_serves_from_memory_and_is_tried_again() {
    let mut rig = Rig::new();
    rig.at(1000).pending();
    let (exchange, _) = rig.transmit();
    rig.answer(exchange, tokens("a2", "r2", 5000));
    for wait in [1, 2, 4, 8] {
        let said = rig.stored(2, false);
        assert!(matches!(said.events[0], Event::StoreFailed { generation: 2 }), "{said:?}");
        assert!(said.stores.is_empty());
        assert_eq!(said.wake_at, Some(rig.now + Duration::from_secs(wait)));
        assert_eq!(rig.token(), "a2");
        rig.now = said.wake_at.unwrap();
        assert_eq!(rig.drain().stores, [2]);
    }
    let said = rig.stored(2, true);
    assert!(said.stores.is_empty() && said.events.is_empty() && said.wake_at.is_none(), "{said:?}");
}

#[test]
fn a_write_under_way_or_done_wakes_nobody_when_the_clock_steps_back() {
    let mut rig = Rig::new();
    rig.at(1000).pending();
    let (exchange, _) = rig.transmit();
    rig.answer(exchange, tokens("a2", "r2", 5000));
    assert_eq!(rig.stored(2, false).wake_at, Some(at(1001)));
    assert_eq!(rig.at(1001).drain().stores, [2]);
    assert_eq!(rig.at(1000).drain().wake_at, None, "its result will come");
    assert_eq!(rig.stored(2, true).wake_at, None);
}

#[test]
fn a_failed_store_of_older_tokens_does_not_delay_newer_ones() {
    let mut rig = Rig::new();
    rig.at(1000).pending();
    let (exchange, _) = rig.transmit();
    assert_eq!(rig.answer(exchange, tokens("a2", "r2", 1000)).stores, [2]);
    let login = auth_core::TokenSet {
        access_token: "l1".into(),
        refresh_token: None,
        empty_refresh_token: false,
        expires_at: None,
        scopes: None,
        scope_change: None,
        extra: serde_json::Map::new(),
    };
    assert!(rig.handle(Input::LoggedIn(login)).drain().stores.is_empty(), "one write at a time");
    assert_eq!(rig.stored(2, false).stores, [3]);
    rig.pending();
    rig.stored(3, true);
    assert_eq!(rig.token(), "l1");
}

#[test]
fn a_store_that_is_behind_cannot_bring_a_spent_token_back() {
    let mut rig = Rig::new();
    rig.at(1000).refresh("a2", "r2", 1000);
    // It even claims to be fresher, as it may after the clock stepped back.
    let said = rig.handle(adopt("a0", "r1", 9000)).drain();
    assert!(said.events.is_empty());
    assert_eq!(rig.token(), "a2");
}

#[test]
fn a_late_401_does_not_drop_a_fresh_token() {
    let mut rig = Rig::new();
    rig.at(900).refresh("a2", "r2", 1000);
    for _ in 0..200 {
        rig.handle(Input::Rejected { generation: 1 });
    }
    assert_eq!(rig.token(), "a2");
    assert!(rig.drain().transmits.is_empty());
}

#[test]
fn two_hundred_401s_for_one_token_cost_one_exchange() {
    let mut rig = Rig::new();
    for _ in 0..200 {
        rig.handle(Input::Rejected { generation: 1 });
        rig.pending();
    }
    let (exchange, _) = rig.transmit();
    rig.answer(exchange, tokens("a2", "r2", 1000));
    rig.handle(Input::Rejected { generation: 1 });
    rig.stored(2, true);
    rig.handle(Input::Rejected { generation: 1 });
    assert_eq!(rig.token(), "a2");
    assert!(rig.drain().transmits.is_empty());
}

#[test]
fn a_rejection_alone_sends_nothing() {
    let mut rig = Rig::new();
    let said = rig.handle(Input::Rejected { generation: 1 }).drain();
    assert!(matches!(said.events[..], [Event::Rejected { generation: 1 }]));
    assert!(said.transmits.is_empty());
}

#[test]
fn a_rejected_lease_does_not_come_back_when_its_store_is_repeated() {
    let mut rig = Rig::new();
    rig.at(1000).pending();
    let (exchange, _) = rig.transmit();
    rig.answer(exchange, tokens("a2", "r2", 1000));
    rig.stored(2, false);
    rig.handle(Input::Rejected { generation: 2 });
    rig.at(1001).drain();
    rig.stored(2, true);
    rig.pending();
}

#[test]
fn a_server_that_refuses_every_fresh_token_is_asked_ever_less_often() {
    let mut rig = Rig::new();
    let mut grants = 0;
    for second in 0..600 {
        if let Access::Ready(lease) = rig.at(second).access() {
            rig.handle(Input::Rejected { generation: lease.generation() });
        }
        let _ = rig.access();
        for (exchange, _) in rig.drain().transmits {
            grants += 1;
            let said = rig.answer(exchange, tokens(&format!("b{grants}"), &format!("s{grants}"), 3600));
            rig.stored(said.stores[0], true);
        }
    }
    assert!((5..20).contains(&grants), "{grants} exchanges in ten minutes");
}

#[test]
fn fresh_tokens_that_are_refused_space_the_exchanges_and_say_why() {
    let mut rig = Rig::new();
    let refuse = |rig: &mut Rig| {
        let generation = rig.ready().generation();
        rig.handle(Input::Rejected { generation });
    };
    rig.at(1000);
    rig.refresh("a2", "r2", 3600);
    refuse(&mut rig);
    // The first refusal costs no wait, each further one twice the last.
    rig.refresh("a3", "r3", 3600);
    for (round, wait) in [1, 2, 4].into_iter().enumerate() {
        refuse(&mut rig);
        let failure = rig.failed();
        let shown = format!("the server refuses even fresh access tokens; try again in {wait} s");
        assert_eq!(failure.to_string(), shown);
        assert!(std::error::Error::source(&failure).is_none());
        rig.now += Duration::from_secs(wait);
        rig.refresh(&format!("b{round}"), &format!("s{round}"), 3600);
    }
    // One that served for a minute was good: its refusal is a first one again.
    rig.now += Duration::from_secs(60);
    refuse(&mut rig);
    rig.refresh("c1", "t1", 3600);
    rig.now += Duration::from_secs(59);
    refuse(&mut rig);
    assert_eq!(rig.failed().retry_after(), Some(Duration::from_secs(1)));
}

#[test]
fn tokens_without_expiry_serve_until_they_are_rejected() {
    let mut rig = Rig::with(Policy::default(), snapshot("a1", Some("r1"), None));
    assert_eq!(rig.at(1_000_000_000).token(), "a1");
    assert!(rig.drain().transmits.is_empty());
    rig.handle(Input::Rejected { generation: 1 }).pending();
    assert_eq!(rig.transmit().1, "r1");
}

#[test]
fn without_a_refresh_token_the_end_is_a_login() {
    let mut rig = Rig::with(Policy::default(), snapshot("a1", None, Some(at(1000))));
    assert_eq!(rig.at(999).token(), "a1");
    assert_eq!(rig.at(1000).login_required(), Reason::NoRefreshToken);
    assert!(rig.drain().transmits.is_empty());
}

#[test]
fn a_machine_without_tokens_asks_for_a_login() {
    let mut machine = TokenMachine::new(server(), Client::public("app"), Policy::default());
    assert!(matches!(machine.access(at(0)), Access::LoginRequired(Reason::NoTokens)));
    assert!(matches!(machine.poll(at(0)), auth_core::Output::Idle { wake_at: None }));
}

#[test]
fn tokens_of_another_process_are_adopted_without_network() {
    let mut rig = Rig::new();
    let said = rig.at(1000).handle(adopt("b2", "s2", 2000)).drain();
    assert!(matches!(said.events[..], [Event::Adopted { generation: 2 }]), "{said:?}");
    assert!(said.stores.is_empty() && said.transmits.is_empty(), "it came from the store");
    assert_eq!(rig.token(), "b2");
}

#[test]
fn an_older_or_equal_snapshot_is_ignored() {
    let mut rig = Rig::new();
    rig.at(900).refresh("a2", "r2", 1000);
    for input in [adopt("a2", "r2", 1900), adopt("a2", "r2", 9999), adopt("a0", "r0", 1899)] {
        assert!(rig.handle(input).drain().events.is_empty());
    }
    assert_eq!(rig.ready().generation(), 2);
}

/// A server that does not rotate: the store may still have the access token before, and ours is over too.
#[test]
fn an_older_access_token_beside_the_same_refresh_token_is_no_news() {
    let mut rig = Rig::new();
    let said = rig.at(1000).handle(adopt("a0", "r1", 900)).drain();
    assert!(said.events.is_empty(), "{said:?}");
}

#[test]
fn of_two_that_expire_together_the_later_generation_counts() {
    let rival = |generation| {
        Input::Adopt(Snapshot { generation, ..snapshot("other", Some("other"), Some(at(1000))) })
    };
    let mut rig = Rig::new();
    assert!(rig.handle(rival(1)).drain().events.is_empty());
    assert_eq!(rig.token(), "a1");
    let said = rig.handle(rival(2)).drain();
    assert!(matches!(said.events[..], [Event::Adopted { generation: 2 }]), "{said:?}");
    assert_eq!(rig.token(), "other");
}

#[test]
fn adoption_ends_a_required_login_but_the_dead_token_does_not() {
    let mut rig = Rig::new();
    rig.at(1000).pending();
    let (exchange, _) = rig.transmit();
    rig.answer(exchange, oauth_error(400, "invalid_grant"));
    rig.handle(adopt("a1", "r1", 1000));
    rig.handle(adopt("a9", "r1", 9000));
    rig.login_required();
    rig.handle(adopt("b1", "s1", 5000));
    assert_eq!(rig.token(), "b1");
}

#[test]
fn a_rejected_token_is_no_rival_however_long_it_claims_to_live() {
    let mut rig = Rig::with(Policy::default(), snapshot("a1", Some("r1"), None));
    rig.handle(Input::Rejected { generation: 1 });
    rig.handle(adopt("b1", "s1", 500));
    assert_eq!(rig.token(), "b1");
}

#[test]
fn an_exchange_that_another_process_made_is_no_longer_wanted() {
    let mut rig = Rig::new();
    rig.at(1000).pending();
    let (exchange, _) = rig.transmit();
    rig.handle(adopt("a1", "r1", 1000));
    assert!(rig.machine.wants(exchange), "the store had nothing new");
    rig.handle(adopt("b2", "s2", 2000));
    assert!(!rig.machine.wants(exchange));
    let said = rig.lose(exchange, SendFailure::NotSent);
    assert!(said.transmits.is_empty());
    assert!(!said.events.iter().any(|event| matches!(event, Event::RefreshFailed(_))), "{said:?}");
    assert_eq!(rig.token(), "b2");
}

#[test]
fn the_answer_to_a_superseded_exchange_is_dropped() {
    let mut rig = Rig::new();
    rig.at(1000).pending();
    let (exchange, _) = rig.transmit();
    rig.handle(adopt("b2", "s2", 2000));
    for _ in 0..2 {
        let said = rig.answer(exchange, tokens("a2", "r2", 9000));
        assert!(said.stores.is_empty());
        assert_eq!(rig.token(), "b2");
    }
}

#[test]
fn a_login_replaces_everything_and_is_stored_before_it_is_seen() {
    let mut rig = Rig::new();
    rig.at(1000).pending();
    let (exchange, _) = rig.transmit();
    rig.answer(exchange, oauth_error(400, "invalid_grant"));
    let login = auth_core::TokenSet {
        access_token: "l1".into(),
        refresh_token: Some("m1".into()),
        empty_refresh_token: false,
        expires_at: Some(at(1900)),
        scopes: None,
        scope_change: None,
        extra: serde_json::Map::new(),
    };
    let said = rig.handle(Input::LoggedIn(login)).drain();
    assert_eq!(said.stores, [2]);
    rig.pending();
    rig.stored(2, true);
    assert_eq!(rig.token(), "l1");
}

#[test]
fn what_an_answer_leaves_out_is_kept_in_the_snapshot() {
    let first = Snapshot {
        scopes: Some(auth_core::ScopeSet::parse("a b")),
        extra: [("account".to_owned(), "me".into()), ("plan".to_owned(), "old".into())].into_iter().collect(),
        ..snapshot("a1", Some("r1"), Some(at(0)))
    };
    let mut rig = Rig::with(Policy::default(), first);
    rig.pending();
    let (exchange, _) = rig.transmit();
    rig.answer(exchange, reply(200, r#"{"access_token":"a2","token_type":"Bearer","plan":"new"}"#));
    let held = rig.machine.snapshot().unwrap();
    assert_eq!(held.scopes.as_ref().unwrap().to_string(), "a b");
    assert_eq!(serde_json::to_string(&held.extra).unwrap(), r#"{"account":"me","plan":"new"}"#);
    assert_eq!(held.generation, 2);
    assert!(held.refresh_token.is_some(), "not rotated: the old one stays");
}

#[test]
fn a_clock_that_steps_back_voids_a_wait_instead_of_stretching_it() {
    let mut rig = Rig::new();
    rig.at(5000).pending();
    let (exchange, _) = rig.transmit();
    rig.lose(exchange, SendFailure::NotSent);
    rig.at(1500).pending();
    assert_eq!(rig.drain().transmits.len(), 1);
}

#[test]
fn the_ends_of_time_do_not_panic() {
    for now in [SystemTime::UNIX_EPOCH, at(0) + Duration::from_secs(1 << 61)] {
        let endless = Policy {
            advisory: Duration::MAX,
            mandatory: Duration::MAX,
            jitter: Duration::MAX,
            backoff_base: Duration::MAX,
            backoff_cap: Duration::MAX,
            resends: u32::MAX,
        };
        let mut rig =
            Rig::with(endless, Snapshot { generation: u64::MAX, ..snapshot("a", Some("r"), Some(now)) });
        rig.now = now;
        let _ = rig.access();
        let said = rig.drain();
        for (exchange, _) in said.transmits {
            rig.lose(exchange, SendFailure::NotSent);
        }
        let _ = rig.access();
        rig.drain();
    }
}

/// C67: whatever an answer claims, the next refresh goes where the first one went, as the same client.
#[test]
fn no_answer_changes_where_a_refresh_goes_or_who_it_is_from() {
    let mut rig = Rig::with(Policy::default(), snapshot("a1", Some("r1"), Some(at(0))));
    for turn in 0..3 {
        rig.at(turn * 1000).pending();
        let auth_core::Output::Transmit { exchange, request } = rig.machine.poll(rig.now) else {
            panic!("nothing is sent")
        };
        assert_eq!(request.uri(), "https://auth.example/token");
        assert_eq!(form(&request)["client_id"], "app");
        let body = format!(
            r#"{{"access_token":"b{turn}","refresh_token":"s{turn}","token_type":"bearer","expires_in":100,
            "issuer":"https://evil.example","token_endpoint":"https://evil.example/token","client_id":"evil"}}"#
        );
        let said = rig.answer(exchange, reply(200, body));
        rig.stored(said.stores[0], true);
    }
}

#[test]
fn an_old_login_in_the_store_does_not_come_back_while_the_new_one_is_not_stored() {
    let mut rig = Rig::new();
    let login = auth_core::TokenSet {
        access_token: "a2".into(),
        refresh_token: Some("r2".into()),
        empty_refresh_token: false,
        expires_at: Some(at(500)),
        scopes: None,
        scope_change: None,
        extra: serde_json::Map::new(),
    };
    let stores = rig.handle(Input::LoggedIn(login)).drain().stores;
    rig.stored(stores[0], false);
    rig.handle(Input::Adopt(snapshot("a1", Some("r1"), Some(at(1000))))).drain();
    assert_eq!(rig.token(), "a2");
}

/// C44: as if it were not there, and told.
#[test]
fn an_empty_refresh_token_changes_nothing_and_is_told() {
    let mut rig = Rig::new();
    let _ = rig.at(950).access();
    let (exchange, _) = rig.transmit();
    let said = rig.answer(exchange, tokens("a2", "", 3600));
    assert!(matches!(said.events[..], [Event::EmptyRefreshToken]), "{said:?}");
    rig.stored(said.stores[0], true);
    let _ = rig.at(950 + 3600).access();
    assert_eq!(rig.transmit().1, "r1");
}

#[test]
fn what_is_not_stored_yet_is_known() {
    let mut rig = Rig::new();
    assert!(rig.machine.is_stored());
    let _ = rig.at(1000).access();
    let (exchange, _) = rig.transmit();
    assert!(rig.machine.is_stored());
    let generation = rig.answer(exchange, tokens("a2", "r2", 3600)).stores[0];
    assert!(!rig.machine.is_stored());
    rig.stored(generation, false);
    assert!(!rig.machine.is_stored());
    assert_eq!(rig.at(1001).drain().stores, [generation]);
    rig.stored(generation, true);
    assert!(rig.machine.is_stored());
}

/// C61: what another process was given may be shorter than what it replaced.
#[test]
fn tokens_of_another_process_are_taken_over_however_short_they_live() {
    for generation in [2, 0] {
        let mut rig = Rig::new();
        let theirs = Snapshot { generation, ..snapshot("b", Some("s"), Some(at(500))) };
        let _ = rig.at(1000).access();
        let (exchange, _) = rig.transmit();
        rig.handle(Input::Adopt(theirs));
        assert!(!rig.machine.wants(exchange), "generation {generation}: r1 was used up by whoever stored s");
        rig.lose(exchange, SendFailure::NotSent);
        let _ = rig.access();
        assert_eq!(rig.transmit().1, "s");
    }
}

#[test]
fn after_a_dead_login_whatever_another_process_stored_is_tried() {
    let mut rig = Rig::new();
    let _ = rig.at(950).access();
    let (exchange, _) = rig.transmit();
    rig.answer(exchange, oauth_error(400, "invalid_grant"));
    rig.at(1000).handle(Input::Adopt(Snapshot { generation: 0, ..snapshot("b", Some("s"), Some(at(900))) }));
    rig.pending();
    assert_eq!(rig.transmit().1, "s");
}

#[test]
fn an_older_step_of_the_same_login_is_not_taken_back() {
    let mut rig =
        Rig::with(Policy::default(), Snapshot { generation: 5, ..snapshot("a", Some("r"), Some(at(10))) });
    rig.at(20).handle(Input::Adopt(Snapshot { generation: 4, ..snapshot("old", Some("q"), Some(at(5))) }));
    let _ = rig.access();
    assert_eq!(rig.transmit().1, "r");
}

#[test]
fn a_new_login_does_not_pay_for_the_refusals_of_the_old_one() {
    let mut rig = Rig::new();
    for _ in 0..3 {
        let generation = rig.machine.snapshot().unwrap().generation;
        rig.handle(Input::Rejected { generation });
        let new = auth_core::TokenSet {
            access_token: format!("n{generation}").into(),
            refresh_token: Some(format!("s{generation}").into()),
            empty_refresh_token: false,
            expires_at: Some(at(5000)),
            scopes: None,
            scope_change: None,
            extra: serde_json::Map::new(),
        };
        let said = rig.handle(Input::LoggedIn(new)).drain();
        rig.stored(said.stores[0], true);
    }
    let generation = rig.ready().generation();
    rig.handle(Input::Rejected { generation });
    rig.pending();
}
