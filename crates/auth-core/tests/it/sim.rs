//! A machine against an imagined server that rotates refresh tokens and revokes the login when one is used twice.
//!
//! Everything is decided by a seed: losses, failures, delays, and a clock that likes to stop two seconds around the
//! moments that matter. Run one seed with `simulate(seed, faults)`.

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, SystemTime},
};

use auth_core::{Access, Event, ExchangeId, Input, Lease, Policy, ScopeSet, SendFailure, Snapshot, TokenSet};
use bytes::Bytes;
use http::Response;
use secrecy::ExposeSecret as _;

use crate::rig::{Rig, at, oauth_error, reply, tokens};

/// `SplitMix64`: small, seeded, good enough to choose what goes wrong.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    fn percent(&mut self, percent: u64) -> bool {
        self.roll(100) < percent
    }
}

#[derive(Debug, Clone, Copy)]
struct Faults {
    /// Losses that leave open whether the request arrived.
    lost: bool,
    /// Failures that certainly leave the refresh token alone, or that answer with an error.
    busy: bool,
    store: bool,
    revocations: bool,
    /// A user logs in anew though nothing is wrong.
    logins: bool,
    clock: bool,
}

const NONE: Faults =
    Faults { lost: false, busy: false, store: false, revocations: false, logins: false, clock: false };
const ALL: Faults =
    Faults { lost: true, busy: true, store: true, revocations: true, logins: true, clock: true };

/// The server: one login at a time.
struct Server {
    logins: u64,
    rotations: u64,
    refresh: Option<String>,
    /// Access tokens of this login and when they expire.
    access: HashMap<String, SystemTime>,
    /// Used refresh tokens, and how often each was seen again.
    used: HashMap<String, u32>,
}

impl Server {
    fn issue(&mut self, now: SystemTime, lifetime: u64) -> (String, String) {
        self.rotations += 1;
        let (access, refresh) = (format!("access-{}", self.rotations), format!("refresh-{}", self.rotations));
        self.access.insert(access.clone(), now + Duration::from_secs(lifetime));
        if let Some(used) = self.refresh.replace(refresh.clone()) {
            self.used.insert(used, 0);
        }
        (access, refresh)
    }

    /// Answers without a new refresh token, as a server may.
    fn renew(&mut self, now: SystemTime, lifetime: u64) -> Response<Bytes> {
        self.rotations += 1;
        let access = format!("access-{}", self.rotations);
        self.access.insert(access.clone(), now + Duration::from_secs(lifetime));
        let body = serde_json::json!({
            "access_token": access, "expires_in": lifetime, "token_type": "Bearer",
        });
        reply(200, body.to_string())
    }

    fn grant(&mut self, token: &str, now: SystemTime, lifetime: u64) -> Response<Bytes> {
        if self.refresh.as_deref() == Some(token) {
            let (access, refresh) = self.issue(now, lifetime);
            return tokens(&access, &refresh, lifetime);
        }
        if let Some(again) = self.used.get_mut(token) {
            *again += 1;
            assert_eq!(*again, 1, "{token} was sent a third time");
            self.revoke();
        }
        oauth_error(400, "invalid_grant")
    }

    fn revoke(&mut self) {
        self.refresh = None;
        self.access.clear();
    }

    fn accepts(&self, token: &str, now: SystemTime) -> bool {
        self.access.get(token).is_some_and(|expiry| now < *expiry)
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    exchanges: u64,
    logins_lost: u64,
    leases: u64,
}

struct World {
    dice: Dice,
    faults: Faults,
    rig: Rig,
    server: Server,
    /// The exchange under way: when its result arrives, and what it is.
    wire: Option<(SystemTime, ExchangeId, Result<Response<Bytes>, SendFailure>)>,
    /// The exchange that ended last.
    over: Option<(ExchangeId, Result<Response<Bytes>, SendFailure>)>,
    /// The write under way.
    disk: Option<(SystemTime, u64, bool)>,
    stored: u64,
    unstored: Vec<u64>,
    /// What the store holds, and what is being written.
    file: Snapshot,
    writing: Option<Snapshot>,
    /// Leases that callers still hold.
    loans: Vec<Lease>,
    /// The newest lease that was handed out, and its token.
    newest: (u64, String),
    /// Generations that a server refused.
    refused: HashSet<u64>,
    /// Until when the machine has promised to send nothing.
    quiet_until: Option<SystemTime>,
    wake_at: Option<SystemTime>,
    tally: Tally,
}

impl World {
    fn new(seed: u64, faults: Faults) -> Self {
        let mut server =
            Server { logins: 1, rotations: 0, refresh: None, access: HashMap::new(), used: HashMap::new() };
        let (access, refresh) = server.issue(at(0), 600);
        let file = Snapshot::from(login(&access, &refresh, at(0)));
        let rig = Rig::with(Policy::default(), file.clone());
        Self {
            dice: Dice(seed),
            faults,
            rig,
            server,
            wire: None,
            over: None,
            disk: None,
            stored: 1,
            unstored: Vec::new(),
            file,
            writing: None,
            loans: Vec::new(),
            newest: (0, String::new()),
            refused: HashSet::new(),
            quiet_until: None,
            wake_at: None,
            tally: Tally::default(),
        }
    }

    fn step(&mut self) {
        self.advance();
        self.deliver();
        if self.dice.percent(60) {
            self.call();
        }
        if self.dice.percent(20) {
            self.late_refusal();
        }
        if self.faults.revocations && self.dice.percent(1) {
            // Access tokens are revoked; the login lives.
            self.server.access.clear();
        }
        if self.dice.percent(5) {
            self.deliver_again();
        }
        if self.faults.logins && self.dice.percent(2) {
            self.log_in();
        }
        if self.wire.is_none() && self.disk.is_none() && self.dice.percent(10) {
            self.read_again();
        }
        self.drive();
    }

    /// Moves the clock, mostly to two seconds around something.
    fn advance(&mut self) {
        let now = self.rig.now;
        let expiry = self.rig.machine.snapshot().and_then(|held| held.expires_at);
        let aim = match self.dice.roll(8) {
            0 => self.wake_at,
            1 => expiry,
            2 => expiry.map(|expiry| expiry - Duration::from_secs(120)),
            3 => expiry.map(|expiry| expiry - Duration::from_secs(30)),
            4 => self.wire.as_ref().map(|(when, ..)| *when),
            5 => self.disk.as_ref().map(|(when, ..)| *when),
            _ => None,
        };
        let aim = match aim {
            None => now + Duration::from_secs(self.dice.roll(60)),
            Some(aim) => aim - Duration::from_secs(2) + Duration::from_millis(self.dice.roll(4001)),
        };
        self.rig.now = aim.max(now);
        if self.faults.clock && self.dice.percent(2) {
            // The wall clock steps; what is under way takes as long as before.
            let step = Duration::from_secs(self.dice.roll(900));
            self.rig.now -= step;
            self.wire.iter_mut().for_each(|(when, ..)| *when -= step);
            self.disk.iter_mut().for_each(|(when, ..)| *when -= step);
            // What was promised before is void now.
            self.quiet_until = None;
        }
    }

    fn deliver(&mut self) {
        let now = self.rig.now;
        if let Some((_, exchange, result)) = self.wire.take_if(|(when, ..)| *when <= now) {
            self.over = Some((exchange, result.clone()));
            self.rig.handle(Input::Response { exchange, sent_at: self.rig.now, result });
        }
        if let Some((_, generation, ok)) = self.disk.take_if(|(when, ..)| *when <= now) {
            if ok {
                self.stored = self.stored.max(generation);
                self.file = self.writing.take().unwrap();
            } else {
                self.unstored.push(generation);
            }
            self.rig.handle(Input::Stored { generation, ok });
        }
    }

    /// A driver reports an exchange a second time, while the next one is in flight.
    fn deliver_again(&mut self) {
        let (Some((_, current, _)), Some((exchange, result))) = (&self.wire, self.over.clone()) else {
            return;
        };
        let wanted = self.rig.machine.wants(*current);
        self.rig.handle(Input::Response { exchange, sent_at: self.rig.now, result });
        assert_eq!(
            self.rig.machine.wants(*current),
            wanted,
            "an old answer was taken for that of {current:?}"
        );
    }

    /// A caller asks for a lease and uses it.
    fn call(&mut self) {
        match self.rig.access() {
            Access::Ready(lease) => {
                self.inspect(&lease);
                self.tally.leases += 1;
                if self.server.accepts(lease.access_token().expose_secret(), self.rig.now) {
                    self.loans.push(lease);
                } else {
                    self.refuse(&lease);
                }
            }
            Access::LoginRequired(reason) => {
                assert!(self.rig.machine.snapshot().is_some(), "a failed login lost its snapshot");
                // Reading an old file again forgets the doubt.
                assert!(
                    reason.maybe_consumed() || self.faults.store,
                    "a login was lost, and not by a lost answer: {reason}"
                );
                self.tally.logins_lost += 1;
                self.log_in();
            }
            Access::Failed(failure) => assert!(failure.is_retryable(), "{failure}"),
            Access::Pending => {}
        }
    }

    fn inspect(&mut self, lease: &Lease) {
        let generation = lease.generation();
        let token = lease.access_token().expose_secret();
        assert!(lease.expires_at().is_none_or(|expiry| self.rig.now < expiry), "an expired lease");
        assert!(
            generation <= self.stored || self.unstored.contains(&generation),
            "generation {generation} was used before its store was reported"
        );
        assert!(!self.refused.contains(&generation), "generation {generation} was refused before");
        assert!(generation >= self.newest.0, "an older lease came back");
        assert!(
            generation > self.newest.0 || token == self.newest.1,
            "two tokens of generation {generation}"
        );
        self.newest = (generation, token.to_owned());
    }

    fn refuse(&mut self, lease: &Lease) {
        let generation = lease.generation();
        let ready = |rig: &mut Rig| match rig.access() {
            Access::Ready(lease) => Some(lease.generation()),
            _ => None,
        };
        let newer = ready(&mut self.rig).filter(|ready| *ready > generation);
        self.refused.insert(generation);
        self.rig.handle(Input::Rejected { generation });
        assert!(
            newer.is_none() || ready(&mut self.rig) == newer,
            "a late refusal dropped the newer generation {newer:?}"
        );
    }

    /// A driver reads the store before it sends; what is there may be older than what could not be stored.
    fn read_again(&mut self) {
        let generation = |rig: &Rig| rig.machine.snapshot().map(|snapshot| snapshot.generation);
        let before = generation(&self.rig);
        self.rig.handle(Input::Adopt(self.file.clone()));
        if generation(&self.rig) != before {
            self.stored = generation(&self.rig).unwrap();
            self.quiet_until = None;
        }
    }

    /// A request that took long is refused with the token it was sent with.
    fn late_refusal(&mut self) {
        if self.loans.is_empty() {
            return;
        }
        let which = usize::try_from(self.dice.roll(self.loans.len() as u64)).unwrap();
        let lease = self.loans.swap_remove(which);
        if !self.server.accepts(lease.access_token().expose_secret(), self.rig.now) {
            self.refuse(&lease);
        }
    }

    fn log_in(&mut self) {
        self.quiet_until = None;
        self.server.logins += 1;
        self.server.revoke();
        let (access, refresh) = self.server.issue(self.rig.now, 600);
        self.rig.handle(Input::LoggedIn(login(&access, &refresh, self.rig.now)));
    }

    fn drive(&mut self) {
        let said = self.rig.drain();
        self.wake_at = said.wake_at;
        let now = self.rig.now;
        for event in said.events {
            if let Event::RefreshFailed(failure) = event {
                self.quiet_until = failure.retry_after().map(|wait| now + wait);
            }
        }
        for (exchange, token) in said.transmits {
            assert!(self.wire.is_none(), "two exchanges in flight");
            assert!(self.quiet_until.is_none_or(|until| until <= now), "an exchange during the backoff");
            self.tally.exchanges += 1;
            let result = self.carry(&token);
            let delay = Duration::from_millis(self.dice.roll(30_000));
            self.wire = Some((now + delay, exchange, result));
        }
        for generation in said.stores {
            assert!(self.disk.is_none(), "two writes at once");
            let snapshot = self.rig.machine.snapshot().unwrap();
            assert!(snapshot.scopes.as_ref() == Some(&ScopeSet::parse("read")), "the scopes got lost");
            assert!(snapshot.extra.contains_key("account"), "what the server sent besides got lost");
            self.writing = Some(snapshot.clone());
            let ok = !(self.faults.store && self.dice.percent(30));
            self.disk = Some((now + Duration::from_millis(self.dice.roll(3000)), generation, ok));
        }
    }

    /// The network between the machine and the server.
    fn carry(&mut self, token: &str) -> Result<Response<Bytes>, SendFailure> {
        let lifetime = [2, 40, 200, 600, 3600][usize::try_from(self.dice.roll(5)).unwrap()];
        if self.faults.lost && self.dice.percent(20) {
            // Half of the time it did arrive.
            if self.dice.percent(50) {
                let _lost = self.server.grant(token, self.rig.now, lifetime);
            }
            return Err(SendFailure::MaybeSent);
        }
        if self.faults.busy && self.dice.percent(40) {
            return match self.dice.roll(5) {
                0 => Err(SendFailure::NotSent),
                1 => Ok(reply(429, "")),
                2 => Ok(oauth_error(503, "temporarily_unavailable")),
                3 => Ok(reply(200, "<html>captive</html>")),
                _ => Ok(reply(502, "")),
            };
        }
        if self.server.refresh.as_deref() == Some(token) && self.dice.percent(15) {
            return Ok(self.server.renew(self.rig.now, lifetime));
        }
        Ok(self.server.grant(token, self.rig.now, lifetime))
    }

    /// No more faults: a caller gets a lease the server accepts, and it is stored.
    fn settle(&mut self) {
        self.faults = NONE;
        for _ in 0..200 {
            self.rig.now += Duration::from_secs(1);
            self.deliver();
            if let Access::Ready(lease) = self.rig.access()
                && self.server.accepts(lease.access_token().expose_secret(), self.rig.now)
                && lease.generation() <= self.stored
            {
                return;
            }
            self.call();
            self.drive();
        }
        panic!("no usable, stored lease 200 s after the last fault: {:?}", self.rig.machine);
    }
}

fn login(access: &str, refresh: &str, now: SystemTime) -> TokenSet {
    TokenSet {
        access_token: access.into(),
        refresh_token: Some(refresh.into()),
        empty_refresh_token: false,
        expires_at: Some(now + Duration::from_secs(600)),
        scopes: Some(ScopeSet::parse("read")),
        extra: serde_json::Map::from_iter([("account".to_owned(), "of the user".into())]),
    }
}

fn simulate(seed: u64, faults: Faults) -> Tally {
    let mut world = World::new(seed, faults);
    for _ in 0..400 {
        world.step();
    }
    world.settle();
    world.tally
}

/// Runs many seeds and adds up; a failing seed is named by its panic.
fn many(faults: Faults) -> Tally {
    let mut sum = Tally::default();
    for seed in 0..100 {
        let tally = std::panic::catch_unwind(|| simulate(seed, faults))
            .unwrap_or_else(|_| panic!("seed {seed} with {faults:?}"));
        sum.exchanges += tally.exchanges;
        sum.logins_lost += tally.logins_lost;
        sum.leases += tally.leases;
    }
    assert!(sum.leases > 1000 && sum.exchanges > 100, "the simulation is asleep: {sum:?}");
    sum
}

#[test]
fn no_login_is_lost_while_no_answer_is_lost() {
    for faults in [
        NONE,
        Faults { busy: true, ..NONE },
        Faults { store: true, ..NONE },
        Faults { revocations: true, ..NONE },
        Faults { logins: true, ..NONE },
        Faults { lost: false, clock: false, ..ALL },
    ] {
        assert_eq!(many(faults).logins_lost, 0, "{faults:?}");
    }
}

#[test]
fn a_lost_answer_costs_at_most_one_repetition_of_a_used_token() {
    let tally = many(Faults { lost: true, ..NONE });
    assert!(tally.logins_lost > 0, "the server is strict: some lost answers end a login");
}

#[test]
fn everything_at_once_with_a_clock_that_steps_back() {
    many(ALL);
}

#[test]
fn a_seed_decides_everything() {
    assert_eq!(simulate(7, ALL), simulate(7, ALL));
}
