//! The machine's clock and the server's: how far they are apart, and what the machine may make of it.

use std::time::{Duration, SystemTime};

use auth_core::{ClockSkew, Lease, Offset};
use bytes::Bytes;
use http::{HeaderValue, Response, header::DATE};
use secrecy::ExposeSecret as _;

use super::{Dice, Exchange, World};

/// A `Date` has no fractions, and less than 2 s are not worth a correction.
const COARSE: Duration = Duration::from_secs(3);
/// A machine believes that its clock is so far off only when it was told twice.
const FAR: Duration = Duration::from_secs(86_400);

/// What is true of the machine's clock.
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// Where the server's clock is, seen from the machine's: so many nanoseconds ahead.
    ahead: i64,
    /// How often the machine's clock was set, and by how much in all.
    pub(super) sets: u32,
    set_back: Duration,
    /// How long the last answer took that told the time, if the clock was not set since.
    told_in: Option<Duration>,
}

impl Clock {
    /// A clock that may be days off.
    pub(super) fn wrong(dice: &mut Dice) -> Self {
        let seconds = [0, 1, -1, 300, -300, 3600, -3600, 3 * 86_400, -3 * 86_400];
        let within = nanos(Duration::from_millis(dice.roll(1000)));
        Self { ahead: dice.one_of(&seconds) * 1_000_000_000 + within, ..Self::default() }
    }

    /// The server's time for a time of the machine.
    pub(super) fn server(&self, time: SystemTime) -> SystemTime {
        shifted(time, self.ahead)
    }

    /// The machine's time for a time of the server.
    fn machine(&self, time: SystemTime) -> SystemTime {
        shifted(time, -self.ahead)
    }
}

impl World {
    pub(super) fn server_now(&self) -> SystemTime {
        self.clock.server(self.rig.now)
    }

    pub(super) fn clock_skew(&self) -> ClockSkew {
        self.rig.machine.clock_skew().clone()
    }

    /// Most answers of the token endpoint tell the time. Where tokens are revoked is another server, with another clock.
    pub(super) fn date(&mut self, answer: &mut Response<Bytes>, delay: Duration, revocation: bool) {
        if self.faults.skew && self.dice.percent(70) {
            let within = u64::try_from(delay.as_millis()).unwrap();
            let written = self.server_now() + Duration::from_millis(self.dice.roll(within + 1));
            let date = if revocation { written + Duration::from_secs(5 * 3600) } else { written };
            let date = HeaderValue::try_from(httpdate::fmt_http_date(date)).unwrap();
            answer.headers_mut().insert(DATE, date);
        }
    }

    /// The machine's clock is set back; what is under way takes as long as before, and the server's clock goes on.
    pub(super) fn set_back(&mut self) {
        let step = Duration::from_secs(self.dice.roll(900));
        self.rig.now -= step;
        self.clock.ahead += nanos(step);
        self.clock.sets += 1;
        self.clock.set_back += step;
        self.clock.told_in = None;
        self.server.access.values_mut().for_each(|token| token.late += nanos(step));
        self.wire.iter_mut().for_each(|exchange| exchange.ends_at -= step);
        self.disk.iter_mut().for_each(|work| work.ends_at -= step);
        // What was promised before is void now.
        self.quiet_until = None;
    }

    /// An answer has come: a machine that is told the time moves the expiry of what it had by then, to be earlier.
    pub(super) fn told_the_time(&mut self, exchange: &Exchange, before: &ClockSkew, renewed: bool) {
        let known = self.clock_skew();
        let moved = correction(&known) - correction(before);
        assert!(moved == 0 || exchange.tells_the_time(), "a correction that nothing told: {known:?}");
        if before.uncertainty().is_some() && moved > 0 {
            let held = self.rig.machine.snapshot().filter(|_| renewed);
            let new = held.map(|held| held.access_token.expose_secret());
            let tokens = self.server.access.iter_mut().filter(|(token, _)| new != Some(token.as_str()));
            tokens.for_each(|(_, token)| token.late -= moved);
        }
        if exchange.tells_the_time() {
            self.check_correction(exchange, &known);
        }
    }

    fn check_correction(&mut self, exchange: &Exchange, known: &ClockSkew) {
        if exchange.clock_sets != self.clock.sets {
            // Set while this was under way: it is as good as a lie.
            self.clock.told_in = None;
            return;
        }
        let took = self.rig.now.duration_since(exchange.sent_at).unwrap();
        let last = self.clock.told_in.replace(took);
        let is_far = self.clock.ahead.unsigned_abs() > nanos(FAR).unsigned_abs();
        let surely = if is_far { last.map(|last| last.max(took)) } else { Some(took) };
        let error = Duration::from_nanos(self.clock.ahead.abs_diff(correction(known)));
        if let Some(took) = surely {
            assert!(error <= took + COARSE, "{error:?} off after an answer in {took:?}: {known:?}");
        }
        if self.clock.sets == 0
            && let Some(uncertainty) = known.uncertainty()
        {
            assert!(error <= uncertainty, "{error:?} off, and nobody has set a clock: {known:?}");
        }
    }

    /// Tokens that were read again from the store have the expiry that they had when they were written.
    pub(super) fn restored(&mut self, access_token: &str) {
        if let Some(token) = self.server.access.get_mut(access_token) {
            token.late = nanos(self.clock.set_back);
        }
    }

    /// When the machine has to believe that this token is over, if the server has not ended it before.
    fn over(&self, access_token: &str) -> Option<SystemTime> {
        let token = self.server.access.get(access_token)?;
        Some(shifted(self.clock.machine(token.expires_at), token.late))
    }

    /// Whether the last lease is that of the newest tokens, and as good as it was.
    pub(super) fn has_good_lease(&self) -> bool {
        let (generation, token) = &self.newest;
        let is_newest = self.generation() == Some(*generation);
        let is_valid = self.over(token).is_some_and(|over| self.rig.now < over);
        is_newest && is_valid && !self.refused.contains(generation) && self.clock.sets == 0
    }

    /// A lease lives as long as the server says, by the machine's clock.
    pub(super) fn inspect_expiry(&self, lease: &Lease) {
        let Some(over) = self.over(lease.access_token().expose_secret()) else { return };
        let told = lease.expires_at().unwrap();
        assert!(told <= over, "a lease outlives its token: {told:?}, {over:?}");
        assert!(told == over || self.clock.sets > 0, "a lease ends before its token: {told:?}, {over:?}");
    }
}

/// What the machine adds to its time, in nanoseconds.
fn correction(known: &ClockSkew) -> i64 {
    match known.offset() {
        Offset::Zero => 0,
        Offset::Ahead(by) => nanos(by),
        Offset::Behind(by) => -nanos(by),
    }
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap()
}

fn shifted(time: SystemTime, nanos: i64) -> SystemTime {
    let by = Duration::from_nanos(nanos.unsigned_abs());
    if nanos < 0 { time - by } else { time + by }
}
