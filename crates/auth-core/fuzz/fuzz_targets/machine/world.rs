//! A machine, and what its driver can know about it.

use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};

use auth_core::{
    Access, Client, ExchangeId, Failure, Input, Lease, Output, Policy, SendFailure, Snapshot, TokenMachine,
    TokenSet,
};
use auth_core_fuzz::{said, server, start};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, json};
use url::form_urlencoded;

/// A machine comes to idle within this many outputs; every call before may have left it one or two events.
const OUTPUTS: usize = 1000;
/// A machine remembers this many tokens that must not be sent again.
const REMEMBERED: usize = 64;
/// What the tokens made here begin with; those of a fuzzed answer may be as short as a word that everybody shows.
const NAME: &str = "canary-";

type Answer = Result<Response<Bytes>, SendFailure>;

/// The driver: it does what the machine says when it is told to, and keeps book.
pub(crate) struct World {
    machine: TokenMachine,
    policy: Policy,
    now: SystemTime,
    wake_at: Option<SystemTime>,
    /// The exchange that was not answered yet, and the token that was sent.
    flight: Option<(ExchangeId, String)>,
    over: Vec<ExchangeId>,
    storing: Option<Snapshot>,
    /// What was ever in the store, the newest last.
    disk: Vec<Snapshot>,
    /// The access tokens that may be used, by generation: their storing was reported, or they came from the store.
    visible: HashMap<u64, String>,
    /// The last lease that was handed out, unless something happened since that may have replaced it.
    last: Option<Lease>,
    /// The generation of the last lease, whatever happened since.
    seen: u64,
    /// The refresh tokens that were used up, and when, counted in inputs that may use one up.
    spent: Vec<(String, usize)>,
    uses: usize,
    /// How many exchanges of the newest refresh token got no answer.
    lost: u32,
    /// Somebody asked, or an answer was lost: the next exchange has a reason.
    reason: bool,
    names: u64,
}

impl World {
    pub(crate) fn new(policy: Policy) -> Self {
        let mut world = Self {
            machine: TokenMachine::new(server(), Client::public("app"), policy.clone()),
            policy,
            now: start(),
            wake_at: None,
            flight: None,
            over: Vec::new(),
            storing: None,
            disk: Vec::new(),
            visible: HashMap::new(),
            last: None,
            seen: 0,
            spent: Vec::new(),
            uses: 0,
            lost: 0,
            reason: false,
            names: 0,
        };
        let first = Snapshot { generation: 1, ..world.tokens(1000).into() };
        world.visible.insert(1, exposed(&first.access_token));
        world.machine.restore(first.clone());
        world.disk.push(first);
        world
    }

    pub(crate) fn wake_at(&self) -> Option<SystemTime> {
        self.wake_at
    }

    pub(crate) fn expiry(&self) -> Option<SystemTime> {
        self.machine.snapshot()?.expires_at
    }

    pub(crate) fn step(&mut self, seconds: i64) {
        self.now = shifted(self.now, seconds).unwrap_or(self.now);
    }

    pub(crate) fn aim(&mut self, moment: Option<SystemTime>, seconds: i64) {
        self.now = moment.and_then(|moment| shifted(moment, seconds)).unwrap_or(self.now);
    }

    pub(crate) fn access(&mut self) -> Access {
        self.reason = true;
        let access = self.machine.access(self.now);
        if let Some(last) = self.last.take().filter(|last| last.is_valid_at(self.now)) {
            let ready = matches!(access, Access::Ready(_));
            assert!(ready || matches!(access, Access::Pending), "a good lease and {access:?}");
            let until = self.now.checked_add(self.policy.mandatory);
            let enough = last.expires_at().is_none_or(|expiry| until.is_some_and(|until| until < expiry));
            assert!(ready || !enough, "a wait with a good lease: {last:?}");
        }
        match &access {
            Access::Ready(lease) => self.lent(lease),
            Access::Failed(failure) => self.failed(failure),
            Access::Pending | Access::LoginRequired(_) => {}
        }
        access
    }

    fn lent(&mut self, lease: &Lease) {
        let generation = lease.generation();
        assert!(lease.is_valid_at(self.now), "an expired lease: {lease:?}");
        assert!(generation >= self.seen, "generation {generation} after {}", self.seen);
        let token = lease.access_token().expose_secret();
        assert_eq!(
            self.visible.get(&generation).map(String::as_str),
            Some(token),
            "used before it is stored"
        );
        self.seen = generation;
        self.last = Some(lease.clone());
    }

    /// A failure is for a log: it shows no token of ours, whatever the server echoed.
    fn failed(&self, failure: &Failure) {
        let shown = said(failure);
        let token = self.machine.snapshot().and_then(|snapshot| snapshot.refresh_token.as_ref()).map(exposed);
        let leaks = token.is_some_and(|token| token.starts_with(NAME) && shown.contains(&token));
        assert!(!leaks, "{shown}");
    }

    /// Does everything the machine says, and leaves requests and stores unanswered.
    pub(crate) fn drain(&mut self) {
        for _ in 0..OUTPUTS {
            match self.machine.poll(self.now) {
                Output::Transmit { exchange, request } => self.transmit(exchange, &request),
                Output::Store { generation, snapshot } => {
                    assert!(self.storing.is_none(), "two stores at once");
                    assert_eq!((generation, generation), (snapshot.generation, self.generation()));
                    self.storing = Some(snapshot);
                }
                Output::Remove => panic!("nobody logs out here"),
                Output::Event(event) => assert!(!format!("{event:?}").is_empty()),
                Output::Idle { wake_at } => {
                    assert!(wake_at.is_none_or(|wake_at| wake_at > self.now), "to wake in the past");
                    self.wake_at = wake_at;
                    return;
                }
            }
        }
        panic!("poll does not come to idle: {:?}", self.machine);
    }

    fn transmit(&mut self, exchange: ExchangeId, request: &Request<Bytes>) {
        let refresh_token = form_urlencoded::parse(request.body())
            .find(|(name, _)| name == "refresh_token")
            .map(|(_, token)| token.into_owned())
            .unwrap_or_default();
        assert_eq!(Some(&refresh_token), self.refresh_token().as_ref(), "not the newest token");
        assert_eq!(request.uri(), "https://auth.example/token");
        assert!(self.flight.is_none(), "two exchanges in flight");
        assert!(self.reason, "an exchange for nobody");
        assert!(!self.over.contains(&exchange), "{exchange:?} a second time");
        assert!(!self.spent.iter().any(|(spent, _)| *spent == refresh_token), "a spent token is sent");
        assert!(self.lost <= self.policy.resends, "a token whose answers are lost is sent on and on");
        self.reason = false;
        self.flight = Some((exchange, refresh_token));
    }

    /// The server gives tokens that live so many seconds.
    pub(crate) fn grant(&mut self, lifetime: u64) {
        let answer = self.granted(lifetime);
        self.answer(answer);
    }

    pub(crate) fn answer(&mut self, result: Answer) {
        let Some((exchange, sent)) = self.flight.take() else { return };
        let wanted = self.machine.wants(exchange);
        let lost = matches!(result, Err(SendFailure::MaybeSent));
        let doubtful = result
            .as_ref()
            .is_ok_and(|answer| answer.status().is_server_error() || answer.status() == StatusCode::OK);
        self.uses += 1;
        self.over.push(exchange);
        let changed = self.handle(Input::Response { exchange, sent_at: self.now, result });
        assert!(wanted || !changed, "the answer to a superseded exchange was believed");
        if changed {
            assert!(self.refresh_token().is_some(), "the refresh token is gone");
            if self.refresh_token().as_ref() != Some(&sent) {
                self.spent.push((sent, self.uses));
            }
        } else if wanted {
            self.lost += u32::from(lost);
            self.reason |= lost || doubtful;
        }
    }

    pub(crate) fn answer_again(&mut self, ago: u64) {
        let Some(exchange) = nth_last(&self.over, ago).copied() else { return };
        let result = self.granted(3600);
        self.handle_in_vain(Input::Response { exchange, sent_at: self.now, result });
    }

    pub(crate) fn stored(&mut self, ok: bool) {
        let Some(snapshot) = self.storing.take() else { return };
        let generation = snapshot.generation;
        self.visible.insert(generation, exposed(&snapshot.access_token));
        if ok {
            self.disk.push(snapshot);
        }
        self.last = None;
        assert!(!self.handle(Input::Stored { generation, ok }), "a report changed the tokens");
    }

    pub(crate) fn stored_other(&mut self, generation: u64) {
        if self.storing.as_ref().is_none_or(|storing| storing.generation != generation) {
            self.handle_in_vain(Input::Stored { generation, ok: true });
        }
    }

    pub(crate) fn reject_ago(&mut self, ago: u64) {
        self.reject(self.seen.saturating_sub(ago));
    }

    pub(crate) fn reject(&mut self, generation: u64) {
        if generation < self.seen || self.generation() < generation {
            return self.handle_in_vain(Input::Rejected { generation });
        }
        self.last.take_if(|last| last.generation() == generation);
        assert!(!self.handle(Input::Rejected { generation }), "a refusal changed the tokens");
    }

    pub(crate) fn adopt_fresh(&mut self, lifetime: i64) {
        let tokens = self.tokens(lifetime);
        self.adopt(Snapshot { generation: 0, ..tokens.into() });
    }

    pub(crate) fn adopt_old(&mut self, ago: u64) {
        if let Some(snapshot) = nth_last(&self.disk, ago).cloned() {
            self.adopt(snapshot);
        }
    }

    fn adopt(&mut self, snapshot: Snapshot) {
        let token = snapshot.refresh_token.as_ref().map(exposed);
        let remembered =
            |(spent, at): &(String, usize)| Some(spent) == token.as_ref() && self.uses - at < REMEMBERED;
        let spent = self.spent.iter().any(remembered);
        let access_token = exposed(&snapshot.access_token);
        self.uses += 1;
        if self.handle(Input::Adopt(snapshot)) {
            assert!(!spent, "a spent token came back");
            self.visible.insert(self.generation(), access_token);
        }
    }

    pub(crate) fn log_in(&mut self, lifetime: i64, refreshes: bool) {
        let mut tokens = self.tokens(lifetime);
        tokens.refresh_token.take_if(|_| !refreshes);
        assert!(self.handle(Input::LoggedIn(tokens)), "a login changed nothing");
    }

    /// A world that has become kind: everything is answered, every store works, time goes on.
    pub(crate) fn settle(&mut self) {
        for _ in 0..10 {
            match self.access() {
                Access::Ready(_) | Access::LoginRequired(_) => return self.shows_nothing(),
                Access::Failed(failure) => {
                    let again = failure.retry_after().and_then(|wait| self.now.checked_add(wait));
                    let Some(again) = again else { return self.shows_nothing() };
                    self.now = again;
                }
                Access::Pending => {}
            }
            for _ in 0..6 {
                self.drain();
                self.stored(true);
                self.grant(3600);
            }
        }
        panic!("a kind world does not lead to a token: {:?}", self.machine);
    }

    fn shows_nothing(&mut self) {
        // What was said of an earlier exchange may have the name of a token that came later.
        self.drain();
        let shown = format!("{:?}", self.machine);
        let Some(snapshot) = self.machine.snapshot().filter(|snapshot| snapshot.extra.is_empty()) else {
            // The names of members that nobody knows are shown, and a server may name one like a token.
            return;
        };
        let token = snapshot.refresh_token.as_ref().map(exposed);
        let leaks = token.is_some_and(|token| token.starts_with(NAME) && shown.contains(&token));
        assert!(!leaks, "{shown}");
    }

    /// Hands over an input, and tells whether there are new tokens: of a later generation, or the same as before.
    fn handle(&mut self, input: Input) -> bool {
        let before = self.machine.snapshot().cloned();
        self.machine.handle(input, self.now);
        let (Some(before), Some(after)) = (before, self.machine.snapshot()) else {
            panic!("the tokens are gone: {:?}", self.machine);
        };
        if before.generation == after.generation {
            assert_eq!(exposed(&before.access_token), exposed(&after.access_token));
            assert_eq!(before.refresh_token.as_ref().map(exposed), after.refresh_token.as_ref().map(exposed));
            return false;
        }
        assert!(before.generation < after.generation, "back to generation {}", after.generation);
        let token = after.refresh_token.as_ref().map(exposed);
        // A server or a user may give a token again.
        self.spent.retain(|(spent, _)| Some(spent) != token.as_ref());
        self.lost = 0;
        self.last = None;
        true
    }

    /// Hands over an input that must not make any difference.
    fn handle_in_vain(&mut self, input: Input) {
        let before = format!("{:?}", self.machine);
        assert!(!self.handle(input));
        assert_eq!(format!("{:?}", self.machine), before);
    }

    fn generation(&self) -> u64 {
        self.machine.snapshot().map_or(0, |snapshot| snapshot.generation)
    }

    fn refresh_token(&self) -> Option<String> {
        self.machine.snapshot()?.refresh_token.as_ref().map(exposed)
    }

    fn granted(&mut self, lifetime: u64) -> Answer {
        let TokenSet { access_token, refresh_token, .. } = self.tokens(0);
        let answer = json!({
            "access_token": exposed(&access_token), "refresh_token": refresh_token.as_ref().map(exposed),
            "expires_in": lifetime, "token_type": "Bearer",
        });
        Ok(Response::new(answer.to_string().into()))
    }

    /// New tokens that live so many seconds, or without an end when it is none.
    fn tokens(&mut self, lifetime: i64) -> TokenSet {
        self.names += 1;
        TokenSet {
            access_token: format!("{NAME}a{}-", self.names).into(),
            refresh_token: Some(format!("{NAME}r{}-", self.names).into()),
            empty_refresh_token: false,
            expires_at: if lifetime == 0 { None } else { shifted(self.now, lifetime) },
            scopes: None,
            extra: Map::new(),
        }
    }
}

fn shifted(time: SystemTime, seconds: i64) -> Option<SystemTime> {
    let by = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 { time.checked_sub(by) } else { time.checked_add(by) }
}

fn nth_last<T>(list: &[T], ago: u64) -> Option<&T> {
    list.iter().rev().nth(usize::try_from(ago).ok()?)
}

fn exposed(token: &SecretString) -> String {
    token.expose_secret().to_owned()
}
