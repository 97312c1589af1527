//! A machine against an imagined server that rotates refresh tokens and revokes the login when one is used twice.
//!
//! Everything is decided by a seed: losses, failures, delays, logouts, and a clock that likes to stop two seconds around
//! the moments that matter, which need not be the server's. Run one seed with `simulate(seed, faults)`.

mod clock;
mod faults;
mod logout;
mod server;

use std::{
    collections::HashSet,
    time::{Duration, SystemTime},
};

use auth_core::{
    Access, Client, Event, ExchangeId, Input, Lease, Policy, ScopeSet, SendFailure, Snapshot, TokenMachine,
    TokenSet,
};
use bytes::Bytes;
use http::{Response, header::DATE};
use secrecy::ExposeSecret as _;

use self::{
    clock::Clock,
    faults::{ALL, Dice, Faults, NONE},
    logout::{Logout, Stage},
    server::Server,
};
use crate::rig::{Rig, at, oauth_error, reply};

/// An answer takes less than this, in milliseconds, unless the machine sleeps meanwhile.
const SLOWEST: u64 = 30_000;

type Answer = Result<Response<Bytes>, SendFailure>;

#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    exchanges: u64,
    logins_lost: u64,
    leases: u64,
    logouts: u64,
    /// Logouts of which it was said that the server takes none of the tokens any more.
    revoked: u64,
}

/// An exchange under way.
struct Exchange {
    id: ExchangeId,
    /// A token is given back, not renewed.
    revocation: bool,
    sent_at: SystemTime,
    /// How often the clock had been set then.
    clock_sets: u32,
    ends_at: SystemTime,
    result: Answer,
}

impl Exchange {
    fn tells_the_time(&self) -> bool {
        !self.revocation && self.result.as_ref().is_ok_and(|answer| answer.headers().contains_key(DATE))
    }
}

/// What is being done to the store.
struct Work {
    ends_at: SystemTime,
    /// What is to be there in the end.
    file: Option<Snapshot>,
    ok: bool,
}

struct World {
    dice: Dice,
    faults: Faults,
    rig: Rig,
    server: Server,
    clock: Clock,
    logout: Logout,
    wire: Option<Exchange>,
    /// The exchange that ended last.
    over: Option<(ExchangeId, Answer)>,
    disk: Option<Work>,
    stored: u64,
    unstored: Vec<u64>,
    /// What the store holds.
    file: Option<Snapshot>,
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
        let mut dice = Dice(seed);
        let clock = if faults.skew { Clock::wrong(&mut dice) } else { Clock::default() };
        let mut server = Server::new();
        let (access, refresh) = server.log_in(clock.server(at(0)), 600);
        let file = Snapshot::from(login(&access, &refresh, at(0)));
        let revocations = "https://auth.example/revoke".parse().unwrap();
        let place = crate::rig::server().with_revocation_endpoint(revocations).unwrap();
        let mut machine = TokenMachine::new(place, Client::public("app"), Policy::default());
        machine.restore(file.clone());
        Self {
            dice,
            faults,
            rig: Rig { machine, now: at(0) },
            server,
            clock,
            logout: Logout::default(),
            wire: None,
            over: None,
            disk: None,
            stored: 1,
            unstored: Vec::new(),
            file: Some(file),
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
        // What the machine says of all this is said before anything else happens.
        self.drive();
        let stage = self.logout.stage;
        if self.faults.logins && stage == Stage::In && self.dice.percent(2) {
            self.log_in();
        }
        if self.faults.logouts && stage != Stage::Leaving && self.dice.percent(2) {
            self.log_out();
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
            4 => self.wire.as_ref().map(|exchange| exchange.ends_at),
            5 => self.disk.as_ref().map(|work| work.ends_at),
            _ => None,
        };
        let aim = match aim {
            None => now + Duration::from_secs(self.dice.roll(60)),
            Some(aim) => aim - Duration::from_secs(2) + Duration::from_millis(self.dice.roll(4001)),
        };
        self.rig.now = aim.max(now);
        // A machine that was never told the time cannot know that its clock was set.
        let knows = self.clock_skew().uncertainty().is_some();
        if self.faults.clock && self.dice.percent(2) && (knows || !self.faults.skew) {
            self.set_back();
        }
    }

    fn deliver(&mut self) {
        let now = self.rig.now;
        if let Some(exchange) = self.wire.take_if(|exchange| exchange.ends_at <= now) {
            self.receive(exchange);
        }
        if let Some(work) = self.disk.take_if(|work| work.ends_at <= now) {
            self.written(work);
        }
    }

    fn receive(&mut self, exchange: Exchange) {
        let Exchange { id, revocation, sent_at, result, .. } = &exchange;
        let (before, known) = (self.generation(), self.clock_skew());
        self.rig.handle(Input::Response { exchange: *id, sent_at: *sent_at, result: result.clone() });
        let changed = self.generation() != before;
        self.told_the_time(&exchange, &known, changed);
        self.doubt(*revocation, result, changed);
        self.over = Some((exchange.id, exchange.result));
    }

    fn written(&mut self, Work { file, ok, .. }: Work) {
        let generation = file.as_ref().map(|snapshot| snapshot.generation);
        if ok {
            self.file = file;
        }
        let Some(generation) = generation else {
            self.rig.handle(Input::Removed { ok });
            // What it says is about now.
            return self.drive();
        };
        if ok {
            self.stored = self.stored.max(generation);
        } else {
            self.unstored.push(generation);
        }
        self.rig.handle(Input::Stored { generation, ok });
    }

    fn generation(&self) -> Option<u64> {
        self.rig.machine.snapshot().map(|snapshot| snapshot.generation)
    }

    /// A driver reports an exchange a second time, while the next one is in flight.
    fn deliver_again(&mut self) {
        let (Some(Exchange { id: current, .. }), Some((exchange, result))) = (&self.wire, self.over.clone())
        else {
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
        if self.logout.stage != Stage::In {
            return self.call_in_vain();
        }
        match self.rig.access() {
            Access::Ready(lease) => {
                self.inspect(&lease);
                self.tally.leases += 1;
                if self.server.accepts(lease.access_token().expose_secret(), self.server_now()) {
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
            Access::Failed(failure) => {
                assert!(failure.is_retryable(), "{failure}");
                assert!(!self.has_good_lease(), "a failure in place of a good lease: {failure}");
            }
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
        self.inspect_expiry(lease);
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
        let Some(file) = self.file.clone() else { return };
        let before = self.generation();
        self.rig.handle(Input::Adopt(file.clone()));
        if self.generation() != before {
            self.restored(file.access_token.expose_secret());
            self.stored = self.generation().unwrap();
            self.quiet_until = None;
            self.logout.begins_again();
        }
    }

    /// A request that took long is refused with the token it was sent with.
    fn late_refusal(&mut self) {
        if self.loans.is_empty() {
            return;
        }
        let which = usize::try_from(self.dice.roll(self.loans.len() as u64)).unwrap();
        let lease = self.loans.swap_remove(which);
        if !self.server.accepts(lease.access_token().expose_secret(), self.server_now()) {
            self.refuse(&lease);
        }
    }

    fn drive(&mut self) {
        let said = self.rig.drain();
        self.wake_at = said.wake_at;
        let now = self.rig.now;
        for event in said.events {
            match event {
                Event::RefreshFailed(failure) => {
                    self.quiet_until = failure.retry_after().map(|wait| now + wait);
                }
                Event::LoggedOut { revoked } => self.logged_out(revoked),
                _ => {}
            }
        }
        for (exchange, token) in said.transmits {
            assert!(self.wire.is_none(), "two exchanges in flight");
            assert!(self.quiet_until.is_none_or(|until| until <= now), "an exchange during the backoff");
            assert_eq!(self.logout.stage, Stage::In, "logged out, and a token is spent");
            self.tally.exchanges += 1;
            let result = self.carry(&token);
            self.send(exchange, false, result);
        }
        for (exchange, token) in said.revocations {
            self.give_back(exchange, &token);
        }
        for generation in said.stores {
            assert!(self.disk.is_none(), "two writes at once");
            assert_eq!(self.logout.stage, Stage::In, "logged out, and tokens are stored");
            let snapshot = self.rig.machine.snapshot().unwrap().clone();
            assert_eq!(snapshot.generation, generation);
            assert!(snapshot.scopes.as_ref() == Some(&ScopeSet::parse("read")), "the scopes got lost");
            assert!(snapshot.extra.contains_key("account"), "what the server sent besides got lost");
            self.write(Some(snapshot));
        }
        (0..said.removes).for_each(|_| self.remove());
    }

    fn send(&mut self, id: ExchangeId, revocation: bool, mut result: Answer) {
        let now = self.rig.now;
        let delay = Duration::from_millis(self.dice.roll(SLOWEST));
        if let Ok(answer) = &mut result {
            self.date(answer, delay, revocation);
        }
        let clock_sets = self.clock.sets;
        self.wire = Some(Exchange { id, revocation, sent_at: now, clock_sets, ends_at: now + delay, result });
    }

    fn write(&mut self, file: Option<Snapshot>) {
        let ok = !(self.faults.store && self.dice.percent(30));
        let ends_at = self.rig.now + Duration::from_millis(self.dice.roll(3000));
        self.disk = Some(Work { ends_at, file, ok });
    }

    /// The network between the machine and the server.
    fn carry(&mut self, token: &str) -> Answer {
        let lifetime = self.dice.one_of(&[2, 40, 200, 600, 3600]);
        let now = self.server_now();
        if self.faults.lost && self.dice.percent(20) {
            // Half of the time it did arrive.
            if self.dice.percent(50) {
                let _lost = self.server.grant(token, now, lifetime);
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
            return Ok(self.server.renew(now, lifetime));
        }
        Ok(self.server.grant(token, now, lifetime))
    }

    /// No more faults: a caller gets a lease the server accepts, and it is stored.
    fn settle(&mut self) {
        self.faults = NONE;
        for _ in 0..200 {
            self.rig.now += Duration::from_secs(1);
            self.deliver();
            if let Access::Ready(lease) = self.rig.access()
                && self.server.accepts(lease.access_token().expose_secret(), self.server_now())
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
        scope_change: None,
        extra: serde_json::Map::from_iter([("account".to_owned(), "of the user".into())]),
    }
}

fn simulate(seed: u64, faults: Faults) -> Tally {
    let mut world = World::new(seed, faults);
    for _ in 0..400 {
        world.step();
    }
    world.settle();
    if faults.logouts {
        world.leave_for_good();
    }
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
        sum.logouts += tally.logouts;
        sum.revoked += tally.revoked;
    }
    assert!(sum.leases > 1000 && sum.exchanges > 100, "the simulation is asleep: {sum:?}");
    let left = sum.revoked > 100 && sum.logouts > sum.revoked;
    assert!(left || !faults.logouts, "every logout ends in the same way: {sum:?}");
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
fn a_logout_comes_to_its_end_and_nothing_comes_after_it_but_a_login() {
    let logouts = Faults { logouts: true, logins: true, ..NONE };
    for faults in [logouts, Faults { lost: true, ..logouts }, Faults { busy: true, store: true, ..logouts }] {
        many(faults);
    }
}

#[test]
fn a_lease_lives_as_long_as_the_server_says_by_whatever_clock() {
    let skew = Faults { skew: true, ..NONE };
    let busy = Faults { busy: true, ..skew };
    for faults in [busy, Faults { clock: true, ..skew }, Faults { clock: true, ..busy }] {
        many(faults);
    }
}

#[test]
fn everything_at_once_with_a_clock_that_steps_back() {
    many(ALL);
}

#[test]
fn a_seed_decides_everything() {
    assert_eq!(simulate(7, ALL), simulate(7, ALL));
}
