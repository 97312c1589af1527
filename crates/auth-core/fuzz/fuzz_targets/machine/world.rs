//! A machine, and what its driver can know about it.

mod clock;
mod logout;

use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};

use auth_core::{
    Access, Client, ExchangeId, Failure, Input, Lease, Output, Policy, Reason, SendFailure, Server, Snapshot,
    TokenMachine, TokenSet,
};
use auth_core_fuzz::{assert_printable, said, start};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, json};
use url::form_urlencoded;

pub(crate) use self::clock::Dates;
use self::{
    clock::Expiries,
    logout::{Logout, Returned, key},
};

/// A machine comes to idle within this many outputs; every call before may have left it one or two events.
const OUTPUTS: usize = 1000;
/// A machine remembers this many tokens that must not be sent again.
const REMEMBERED: usize = 64;
/// No granted token lives longer than this many seconds: ten years.
const LONGEST: u64 = 10 * 365 * 86_400;
/// What the tokens made here begin with; those of a fuzzed answer may be as short as a word that everybody shows.
const NAME: &str = "canary-";

type Answer = Result<Response<Bytes>, SendFailure>;

/// The driver: it does what the machine says when it is told to, and keeps book.
pub(crate) struct World {
    machine: TokenMachine,
    server: Server,
    policy: Policy,
    now: SystemTime,
    wake_at: Option<SystemTime>,
    /// The exchange that was not answered yet.
    flight: Option<Flight>,
    /// What the answers of the server are dated with.
    pub(crate) dates: Dates,
    expiries: Expiries,
    logout: Logout,
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
    /// The highest generation so far.
    newest: u64,
    /// The tokens that a login lived by and that are used up, and when, counted in inputs that may use one up.
    spent: Vec<(String, usize)>,
    uses: usize,
    /// How many exchanges of the newest refresh token got no answer.
    lost: u32,
    /// Somebody asked, or an answer was lost: the next exchange has a reason.
    reason: bool,
    names: u64,
}

struct Flight {
    exchange: ExchangeId,
    sent: Sent,
    sent_at: SystemTime,
}

enum Sent {
    Refresh(String),
    Revocation(Returned),
}

impl World {
    pub(crate) fn new(server: Server, policy: Policy) -> Self {
        let mut world = Self {
            machine: TokenMachine::new(server.clone(), Client::public("app"), policy.clone()),
            server,
            policy,
            now: start(),
            wake_at: None,
            flight: None,
            dates: Dates::default(),
            expiries: Expiries::default(),
            logout: Logout::default(),
            over: Vec::new(),
            storing: None,
            disk: Vec::new(),
            visible: HashMap::new(),
            last: None,
            seen: 0,
            newest: 1,
            spent: Vec::new(),
            uses: 0,
            lost: 0,
            reason: false,
            names: 0,
        };
        let first = Snapshot { generation: 1, ..world.tokens(1000).into() };
        world.visible.insert(1, exposed(&first.access_token));
        world.expiries.0.insert(1, first.expires_at);
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

    /// The request under way was sent so many seconds later than it was made, or earlier.
    pub(crate) fn misdate(&mut self, seconds: i64) {
        if let Some(flight) = &mut self.flight {
            flight.sent_at = shifted(flight.sent_at, seconds).unwrap_or(flight.sent_at);
        }
    }

    /// A driver keeps a lease as long as it is told, and asks so many seconds later all the same.
    pub(crate) fn keep(&mut self, seconds: u64) {
        let Some((_, until)) = self.machine.settled(self.now) else { return };
        let then = self.now.checked_add(Duration::from_secs(seconds));
        self.now = then.filter(|then| until.is_none_or(|until| *then < until)).unwrap_or(self.now);
        self.wait_for_nobody(until);
    }

    fn wait_for_nobody(&mut self, until: Option<SystemTime>) {
        let settled = self.machine.settled(self.now);
        let Some((lease, again)) = settled else { panic!("no lease before {until:?}: {:?}", self.machine) };
        assert_eq!(until, again, "the end of the same lease");
        let flying = self.flight.is_some();
        let access = self.access();
        let same = matches!(&access, Access::Ready(ready) if ready.generation() == lease.generation());
        assert!(same, "{lease:?} until {until:?}, and {access:?}");
        self.drain();
        assert_eq!(flying, self.flight.is_some(), "an exchange although nothing was wanted");
    }

    pub(crate) fn access(&mut self) -> Access {
        let settled = self.machine.settled(self.now);
        self.reason |= settled.is_none();
        let access = self.machine.access(self.now);
        if let Some((lease, _)) = settled {
            let same = matches!(&access, Access::Ready(ready) if ready.generation() == lease.generation());
            assert!(same, "settled with {lease:?}, and {access:?}");
        }
        let nobody = matches!(access, Access::LoginRequired(Reason::NoTokens));
        assert!(nobody || !self.logout.out, "logged out, and {access:?}");
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
        assert_eq!(self.expiries.0.get(&generation), Some(&lease.expires_at()), "another expiry");
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
                    assert!(!self.logout.under_way, "stored during a logout");
                    assert!(self.logout.removing.is_none(), "stored while it is removed");
                    assert_eq!((generation, generation), (snapshot.generation, self.generation()));
                    self.storing = Some(snapshot);
                }
                Output::Remove => self.remove(),
                Output::Event(event) => {
                    let sentence = event.to_string();
                    assert_printable(&sentence);
                    assert!(!sentence.contains(NAME) && !format!("{event:?}").is_empty(), "{sentence}");
                    self.told(&event);
                }
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
        assert!(self.flight.is_none(), "two exchanges in flight");
        assert!(!self.over.contains(&exchange), "{exchange:?} a second time");
        assert!(self.machine.wants(exchange), "{exchange:?} for nothing");
        let sent = if self.logout.under_way {
            assert_eq!(request.uri(), "https://auth.example/revoke");
            Sent::Revocation(self.revoke(request))
        } else {
            Sent::Refresh(self.refresh(request))
        };
        self.flight = Some(Flight { exchange, sent, sent_at: self.now });
    }

    fn refresh(&mut self, request: &Request<Bytes>) -> String {
        let refresh_token = form_urlencoded::parse(request.body())
            .find(|(name, _)| name == "refresh_token")
            .map(|(_, token)| token.into_owned())
            .unwrap_or_default();
        assert_eq!(Some(&refresh_token), self.refresh_token().as_ref(), "not the newest token");
        assert_eq!(request.uri(), "https://auth.example/token");
        assert!(self.reason, "an exchange for nobody");
        assert!(!self.spent.iter().any(|(spent, _)| *spent == refresh_token), "a spent token is sent");
        assert!(self.lost <= self.policy.resends, "a token whose answers are lost is sent on and on");
        self.reason = false;
        refresh_token
    }

    /// The server gives tokens that live so many seconds.
    pub(crate) fn grant(&mut self, lifetime: u64) {
        let before = self.generation();
        let asked_at = self.flight.as_ref().map_or(self.now, |flight| flight.sent_at).min(self.now);
        let answer = self.granted(lifetime);
        self.answer(answer);
        let skew = self.machine.clock_skew();
        // At the ends of time there is no way back from a correction.
        if self.generation() > before && lifetime > 0 && skew.local(skew.correct(asked_at)) == asked_at {
            let expiry = asked_at.checked_add(Duration::from_secs(lifetime.min(LONGEST)));
            assert!(expiry.is_none() || self.expiry() == expiry, "granted for {lifetime} s at {asked_at:?}");
        }
    }

    pub(crate) fn answer(&mut self, mut result: Answer) {
        let Some(Flight { exchange, sent, sent_at }) = self.flight.take() else { return };
        if let Ok(answer) = &mut result {
            self.dates.write(answer, self.now);
        }
        let wanted = self.machine.wants(exchange);
        let lost = matches!(result, Err(SendFailure::MaybeSent));
        let doubtful = result
            .as_ref()
            .is_ok_and(|answer| answer.status().is_server_error() || answer.status() == StatusCode::OK);
        self.uses += 1;
        self.over.push(exchange);
        let answer = result.as_ref().ok().cloned();
        let changed = self.handle(Input::Response { exchange, sent_at, result });
        assert!(wanted || !changed, "the answer to a superseded exchange was believed");
        let sent = match sent {
            Sent::Refresh(sent) => sent,
            Sent::Revocation(token) => {
                assert!(!changed, "a revocation changed the tokens");
                match answer {
                    Some(answer) if wanted => self.given_back(token, &answer),
                    _ => self.logout.trouble = true,
                }
                return;
            }
        };
        self.logout.doubt |= lost;
        self.logout.trouble |= !changed;
        if changed {
            assert!(self.refresh_token().is_some(), "the refresh token is gone");
            if self.refresh_token().as_ref() != Some(&sent) {
                self.spent.push((sent, self.uses));
            }
        } else if wanted && !self.logout.under_way {
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
        let key = key(&snapshot);
        let remembered = |(spent, at): &(String, usize)| *spent == key && self.uses - at < REMEMBERED;
        let spent = self.spent.iter().any(remembered);
        let access_token = exposed(&snapshot.access_token);
        self.uses += 1;
        let expires_at = snapshot.expires_at;
        if self.handle(Input::Adopt(snapshot)) {
            assert!(!spent, "a spent token came back");
            assert_eq!(self.expiry(), expires_at, "adopted with another expiry");
            self.logout.out = self.logout.under_way;
            self.visible.insert(self.generation(), access_token);
        }
    }

    pub(crate) fn log_in(&mut self, lifetime: i64, refreshes: bool) {
        let mut tokens = self.tokens(lifetime);
        tokens.refresh_token.take_if(|_| !refreshes);
        let (before, expires_at) = (self.machine.snapshot().map(key), tokens.expires_at);
        assert!(self.handle(Input::LoggedIn(tokens)), "a login changed nothing");
        assert_eq!(self.expiry(), expires_at, "logged in with another expiry");
        self.uses += 1;
        self.spent.extend(before.map(|key| (key, self.uses)));
        self.logout.under_way = false;
        self.logout.out = false;
        self.logout.trouble = false;
    }

    /// A world that has become kind: everything is answered, every store works, time goes on.
    pub(crate) fn settle(&mut self) {
        for _ in 0..10 {
            match self.access() {
                Access::LoginRequired(_) if self.logout.under_way => self.aim(self.wake_at, 0),
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
                self.removed(true);
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
        let skew = self.machine.clock_skew().clone();
        self.machine.handle(input, self.now);
        if self.expiries.follow(&skew, self.machine.clock_skew()) {
            self.last = None;
        }
        let Some(after) = self.machine.snapshot() else {
            assert!(before.is_none(), "the tokens are gone: {:?}", self.machine);
            return false;
        };
        if let Some(before) = before.filter(|before| before.generation == after.generation) {
            assert_eq!(exposed(&before.access_token), exposed(&after.access_token));
            assert_eq!(before.refresh_token.as_ref().map(exposed), after.refresh_token.as_ref().map(exposed));
            let expiry = self.expiries.0.get(&after.generation);
            assert_eq!(expiry, Some(&after.expires_at), "the expiry moved without its clock");
            return false;
        }
        assert!(self.newest < after.generation, "back to generation {}", after.generation);
        self.newest = after.generation;
        self.expiries.0.insert(after.generation, after.expires_at);
        let key = key(after);
        // A server or a user may give a token again.
        self.spent.retain(|(spent, _)| *spent != key);
        self.lost = 0;
        self.last = None;
        self.reason = false;
        self.logout.tries.clear();
        // New tokens make good what happened before, but not during a logout.
        self.logout.trouble &= self.logout.under_way;
        self.logout.removing = self.logout.removing.map(|_| false);
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
            scope_change: None,
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
