//! Any inputs in any order: what must always hold, and what must happen in the end.

use std::{
    collections::HashSet,
    time::{Duration, SystemTime},
};

use auth_core::{Access, ExchangeId, Input, Policy, SendFailure, TokenSet};
use http::Response;
use proptest::prelude::*;

use crate::rig::{Rig, oauth_error, reply, snapshot, tokens};

#[derive(Debug, Clone, Copy)]
enum Op {
    Access,
    /// Drive the machine until it is idle.
    Drain,
    Advance(u64),
    /// Go to the last `wake_at`, and this many seconds past two seconds before it.
    NearWake(u64),
    StepBack(u64),
    Answer(Answer),
    /// Answer an exchange that is over.
    AnswerOld(usize, Answer),
    /// Refuse the lease this many generations ago.
    Reject(u64),
    Stored(bool),
    /// Report a store nobody asked for.
    StoredOther(u64),
    /// Another process: expiry relative to now in seconds, negative ones past.
    Adopt(i64),
    LogIn(u64),
}

#[derive(Debug, Clone, Copy)]
enum Answer {
    Tokens(u64),
    NotRotated,
    NotSent,
    MaybeSent,
    Gateway,
    Html,
    Busy,
    InvalidGrant,
    InvalidClient,
    Garbled,
}

fn answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        4 => (0_u64..5000).prop_map(Answer::Tokens),
        1 => Just(Answer::NotRotated),
        2 => Just(Answer::NotSent),
        2 => Just(Answer::MaybeSent),
        2 => Just(Answer::Gateway),
        1 => Just(Answer::Html),
        1 => Just(Answer::Busy),
        1 => Just(Answer::InvalidGrant),
        1 => Just(Answer::InvalidClient),
        1 => Just(Answer::Garbled),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => Just(Op::Access),
        6 => Just(Op::Drain),
        2 => (0_u64..4000).prop_map(Op::Advance),
        3 => (0_u64..5).prop_map(Op::NearWake),
        1 => (0_u64..4000).prop_map(Op::StepBack),
        6 => answer().prop_map(Op::Answer),
        1 => (any::<usize>(), answer()).prop_map(|(which, answer)| Op::AnswerOld(which, answer)),
        2 => (0_u64..3).prop_map(Op::Reject),
        5 => any::<bool>().prop_map(Op::Stored),
        1 => any::<u64>().prop_map(Op::StoredOther),
        1 => (-100_i64..5000).prop_map(Op::Adopt),
        1 => (0_u64..5000).prop_map(Op::LogIn),
    ]
}

/// A machine, and what an observer knows about it.
struct World {
    rig: Rig,
    in_flight: Option<(ExchangeId, String)>,
    /// Exchanges that were answered.
    over: Vec<ExchangeId>,
    storing: Option<u64>,
    /// Tokens whose exchange gave another one.
    spent: HashSet<String>,
    /// Someone has asked, or the last exchange ended in doubt: the next exchange has a reason.
    reason: bool,
    newest_seen: u64,
    wake_at: Option<SystemTime>,
    names: u64,
}

impl World {
    fn new() -> Self {
        let rig = Rig::new();
        Self {
            rig,
            in_flight: None,
            over: Vec::new(),
            storing: None,
            spent: HashSet::new(),
            reason: false,
            newest_seen: 0,
            wake_at: None,
            names: 0,
        }
    }

    fn name(&mut self, prefix: &str) -> String {
        self.names += 1;
        format!("{prefix}-{}", self.names)
    }

    fn run(&mut self, op: Op) {
        match op {
            Op::Access => {
                let _ = self.access();
            }
            Op::Drain => self.drain(),
            Op::Advance(seconds) => self.rig.now += Duration::from_secs(seconds),
            Op::NearWake(offset) => {
                if let Some(wake_at) = self.wake_at {
                    self.rig.now = wake_at - Duration::from_secs(2) + Duration::from_secs(offset);
                }
            }
            Op::StepBack(seconds) => self.rig.now -= Duration::from_secs(seconds),
            Op::Answer(answer) => self.answer(answer),
            Op::AnswerOld(which, answer) => {
                if !self.over.is_empty() {
                    let exchange = self.over[which % self.over.len()];
                    let result = self.result(answer).0;
                    self.rig.handle(Input::Response { exchange, sent_at: self.rig.now, result });
                }
            }
            Op::Reject(ago) => {
                let generation = self.newest_seen.saturating_sub(ago);
                self.rig.handle(Input::Rejected { generation });
            }
            Op::Stored(ok) => {
                if let Some(generation) = self.storing.take() {
                    self.rig.handle(Input::Stored { generation, ok });
                }
            }
            Op::StoredOther(generation) => {
                if self.storing != Some(generation) {
                    self.rig.handle(Input::Stored { generation, ok: true });
                }
            }
            Op::Adopt(left) => {
                let expiry = if left < 0 {
                    self.rig.now - Duration::from_secs(left.unsigned_abs())
                } else {
                    self.rig.now + Duration::from_secs(left.unsigned_abs())
                };
                let (access, refresh) = (self.name("access"), self.name("refresh"));
                self.rig.handle(Input::Adopt(snapshot(&access, Some(&refresh), Some(expiry))));
            }
            Op::LogIn(seconds) => {
                let (access, refresh) = (self.name("access"), self.name("refresh"));
                self.rig.handle(Input::LoggedIn(TokenSet {
                    access_token: access.into(),
                    refresh_token: Some(refresh.into()),
                    empty_refresh_token: false,
                    expires_at: Some(self.rig.now + Duration::from_secs(seconds)),
                    scopes: None,
                    scope_change: None,
                    extra: serde_json::Map::new(),
                }));
            }
        }
    }

    fn access(&mut self) -> Access {
        self.reason = true;
        let access = self.rig.access();
        if let Access::Ready(lease) = &access {
            assert!(lease.is_valid_at(self.rig.now), "an expired lease was handed out");
            assert!(lease.generation() >= self.newest_seen, "an older lease came back");
            self.newest_seen = lease.generation();
        }
        access
    }

    fn drain(&mut self) {
        let said = self.rig.drain();
        for (exchange, token) in said.transmits {
            assert!(self.in_flight.is_none(), "two exchanges in flight");
            assert!(self.reason, "an exchange without a reason");
            assert!(!self.spent.contains(&token), "a spent refresh token was sent");
            assert!(!self.over.contains(&exchange), "an exchange id was used twice");
            self.reason = false;
            self.in_flight = Some((exchange, token));
        }
        for generation in said.stores {
            assert!(self.storing.is_none(), "two stores at once");
            self.storing = Some(generation);
        }
        self.wake_at = said.wake_at;
    }

    fn answer(&mut self, answer: Answer) {
        let Some((exchange, token)) = self.in_flight.take() else { return };
        let wanted = self.rig.machine.wants(exchange);
        let (result, rotates) = self.result(answer);
        if rotates && wanted {
            self.spent.insert(token);
        }
        self.reason |= matches!(answer, Answer::MaybeSent | Answer::Gateway | Answer::Html);
        self.over.push(exchange);
        self.rig.handle(Input::Response { exchange, sent_at: self.rig.now, result });
    }

    fn result(&mut self, answer: Answer) -> (Result<Response<bytes::Bytes>, SendFailure>, bool) {
        let result = match answer {
            Answer::Tokens(lifetime) => {
                let (access, refresh) = (self.name("access"), self.name("refresh"));
                return (Ok(tokens(&access, &refresh, lifetime)), true);
            }
            Answer::NotRotated => Ok(reply(200, format!(r#"{{"access_token":"{}"}}"#, self.name("access")))),
            Answer::NotSent => Err(SendFailure::NotSent),
            Answer::MaybeSent => Err(SendFailure::MaybeSent),
            Answer::Gateway => Ok(reply(502, "Bad Gateway")),
            Answer::Html => Ok(reply(200, "<html>")),
            Answer::Busy => Ok(reply(429, "")),
            Answer::InvalidGrant => Ok(oauth_error(400, "invalid_grant")),
            Answer::InvalidClient => Ok(oauth_error(401, "invalid_client")),
            Answer::Garbled => Ok(reply(200, "{}")),
        };
        (result, false)
    }

    /// A world that has become kind: everything is answered, every store works, time goes on.
    fn settle(&mut self) {
        for _ in 0..10 {
            match self.access() {
                Access::Ready(_) | Access::LoginRequired(_) => return,
                Access::Failed(failure) => match failure.retry_after() {
                    Some(wait) => self.rig.now += wait,
                    None => return,
                },
                Access::Pending => {}
            }
            for _ in 0..6 {
                self.drain();
                self.run(Op::Stored(true));
                self.answer(Answer::Tokens(3600));
            }
        }
        panic!("a kind world does not lead to a token: {:?}", self.rig.machine);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_makes_a_machine_unsafe_or_stuck(ops in prop::collection::vec(op(), 1..120)) {
        let mut world = World::new();
        for op in ops {
            world.run(op);
        }
        world.settle();
    }

    #[test]
    fn without_demand_no_input_makes_an_exchange(ops in prop::collection::vec(op(), 1..60)) {
        let mut world = World::new();
        for op in ops {
            if !matches!(op, Op::Access) {
                world.run(op);
            }
        }
        world.drain();
        prop_assert!(world.in_flight.is_none() && world.over.is_empty());
    }

    #[test]
    fn no_callback_makes_a_login_panic_or_succeed_without_its_state(text in "\\PC{0,200}|/cb\\?([a-z_]{0,6}(=[a-z%&=#+0-9]{0,9})?&?){0,6}") {
        let client = auth_core::Client::public("app");
        let redirect = "http://[::1]/".parse().unwrap();
        let (_, pending) =
            auth_core::AuthorizationRequest::new(&crate::rig::server(), &client, redirect).unwrap().begin([5; 64]);
        let error = pending.complete(&text).unwrap_err();
        let error = error.into_pending().expect("a stranger cannot end a login").complete_pasted(&text).unwrap_err();
        prop_assert!(error.into_pending().is_some());
    }

    #[test]
    fn no_answer_makes_the_reader_panic(status in 100_u16..600, body in prop::collection::vec(any::<u8>(), 0..300)) {
        let client = auth_core::Client::public("app");
        let (_, asked) = auth_core::exchange::refresh(&crate::rig::server(), &client, &"rt".into());
        let read = auth_core::exchange::response(&asked, &reply(status, body), crate::rig::at(0));
        prop_assert!(read.is_err());
    }

    #[test]
    fn any_lifetime_is_read_or_replaced(told in "\"?-?[0-9]{1,40}(\\.[0-9]{1,5})?([eE]-?[0-9]{1,5})?\"?") {
        let client = auth_core::Client::public("app");
        let (_, asked) = auth_core::exchange::refresh(&crate::rig::server(), &client, &"rt".into());
        let body = format!(r#"{{"access_token":"a","expires_in":{told}}}"#);
        let now = crate::rig::at(0);
        if let Ok(tokens) = auth_core::exchange::response(&asked, &reply(200, body), now) {
            prop_assert!(tokens.expires_at.unwrap() > now);
        }
    }
}

#[test]
fn the_default_policy_is_that_of_the_official_clients() {
    let policy = Policy::default();
    assert_eq!((policy.advisory.as_secs(), policy.mandatory.as_secs()), (120, 30));
}
