//! The script of `limiters::Redis` once more, in Rust and in wide numbers: a server for tests that hold the clock, and
//! what a test compares the script with.

use std::collections::{BTreeMap, HashMap};

/// The script itself, for a test that runs it on a server.
pub const SCRIPT: &str = include_str!("../limiters/redis/script.lua");

const TOKEN: i128 = 60_000_000;
const HOUR: i128 = 3_600_000_000;
const NEVER: i128 = 1_000_000_000_000_000;
const HEARD: i128 = 6_000_000;
const WAITING: i128 = 400_000;
const FAR: i128 = 1_000_000;

/// What a server keeps of one key, but for the expiry of what is full again.
#[derive(Clone, Debug, Default)]
pub struct Twin {
    state: Option<State>,
}

#[derive(Clone, Debug, Default)]
struct State {
    now: i128,
    shift: i128,
    at: i128,
    last: i128,
    slots: i128,
    told: Option<i128>,
    limits: [Option<i128>; 3],
    number: i128,
    first: i128,
    waits_until: i128,
    shut: i128,
    served: i128,
    levels: [Option<i128>; 3],
    batches: HashMap<i128, i128>,
    held: HashMap<i128, i128>,
    ends: BTreeMap<i128, i128>,
}

/// One limit, in units.
#[derive(Clone, Copy)]
struct Meter {
    rate: i128,
    burst: i128,
    level: i128,
    cost: i128,
    correction: i128,
}

impl Twin {
    /// Answers what the script answers to these arguments when the server's clock says `clock` microseconds.
    pub fn answer(&mut self, clock: i64, arguments: [i64; 31]) -> [i64; 5] {
        let is_new = self.state.is_none();
        let state = self.state.get_or_insert_with(State::default);
        let [
            client,
            batch,
            held,
            most,
            lease,
            away,
            idle,
            horizon,
            patience,
            wants,
            closed,
            age,
            undo,
            limits @ ..,
        ] = arguments;
        let [client, batch, mut held, most, lease] = [client, batch, held, most, lease].map(i128::from);
        let [away, idle, horizon, patience] = [away, idle, horizon, patience].map(i128::from);

        let clock = i128::from(clock);
        state.shift = state.shift.max(if is_new { 0 } else { state.now - clock });
        let now = clock + state.shift;
        state.now = now;
        let at = if is_new { now } else { state.at };
        let closed = i128::from(closed);
        let mut base = now.max(at).max(now + closed);
        if is_new && (idle >= 0 || away > 0) {
            state.shut = now + HEARD;
        }

        let is_news = age >= 0 && state.told.is_none_or(|told| now - i128::from(age) > told);
        if is_news {
            state.told = Some(now - i128::from(age));
        }
        let mut meters = [None; 3];
        let (limits, _) = limits.as_chunks::<6>();
        for (((meter, level), told), limit) in
            meters.iter_mut().zip(&state.levels).zip(&mut state.limits).zip(limits)
        {
            let [mut rate, mut burst, cost, correction, remaining, word] = limit.map(i128::from);
            if is_news && word >= 0 && rate >= 0 {
                *told = Some(word);
            }
            if let Some(told) = *told {
                rate = rate.min(told);
                burst = burst.min(told - ((told + 99) / 100).min(told - 1));
            }
            if rate < 0 {
                continue;
            }
            let mut new = Meter { rate, burst: burst * TOKEN, level: 0, cost: cost * TOKEN, correction };
            new.level = level.unwrap_or(new.burst);
            if !is_new {
                let most = if idle >= 0 { idle + base - now.max(at) } else { NEVER };
                new.earn((base - at).min(most) - away);
            } else if idle >= 0 || away > 0 {
                new.level = 0;
                new.earn(idle - away);
            }
            new.add(0);
            if remaining >= 0 {
                new.level = new.level.min(remaining * TOKEN + TOKEN - 1);
            }
            *meter = Some(new);
        }
        state.at = base;

        let mut name = client;
        if name == 0 {
            name = now.max(state.last + 1);
            state.last = name;
        }
        let is_known = batch > 0 || most > 0;
        if is_known {
            state.forget_the_lost(now);
            if batch > state.batches.get(&name).copied().unwrap_or(0) {
                for meter in meters.iter_mut().flatten() {
                    meter.add(meter.correction * TOKEN);
                }
                state.batches.insert(name, batch);
                let back = base - now - closed;
                if undo > 0 && i128::from(undo) == state.number && back > 0 {
                    for meter in meters.iter_mut().flatten() {
                        meter.level -= back * meter.rate;
                    }
                    base = now + closed;
                    state.at = base;
                }
            }
            state.slots += held - state.held.get(&name).copied().unwrap_or(0);
        }

        let (mut status, mut wait, mut again) = (0, 0, 0);
        if wants > 0 {
            wait = meters.iter().flatten().map(|meter| meter.wait_for(meter.cost)).max().unwrap_or(0);
            let mut waits = false;
            let mut dimensions = (1..).zip(meters);
            let small = dimensions.find_map(|(index, meter)| {
                meter.filter(|meter| meter.cost > meter.burst).map(|meter| [index, meter.burst / TOKEN])
            });
            if let Some([index, burst]) = small {
                (status, wait, again) = (3, index - (base - now), burst);
            } else if most > 0 && (state.slots >= most || now < state.shut) {
                status = 2;
                waits = true;
            } else if state.first > 0 && state.first != name && now < state.waits_until {
                (status, again) = (if most > 0 { 2 } else { 1 }, horizon / 2);
                wait = wait.max(again);
            } else if base - now > horizon {
                (status, again) = (1, base - now - horizon / 2);
                waits = base - now > FAR;
            } else if base + wait - now > patience {
                (status, again) = (1, wait);
            } else {
                state.at = base + wait;
                for meter in meters.iter_mut().flatten() {
                    meter.earn(wait);
                    meter.level -= meter.cost;
                }
                state.number += 1;
                if state.first == name {
                    (state.first, state.waits_until) = (0, 0);
                }
                state.served = name;
                if most > 0 {
                    state.slots += 1;
                    held += 1;
                }
            }
            if waits && (state.first == name || state.first == state.served || now >= state.waits_until) {
                (state.first, state.waits_until) = (name, now + WAITING);
            }
            wait += base - now;
        }

        for (level, meter) in state.levels.iter_mut().zip(meters) {
            *level = meter.map(|meter| meter.level).or(*level);
        }
        if is_known {
            let end = if held > 0 { now + lease } else { now + HOUR };
            state.ends.insert(name, end);
            state.held.remove(&name);
            if held > 0 {
                state.held.insert(name, held);
            }
        }
        [status, wait, again, name, state.number].map(|number| i64::try_from(number).unwrap_or(i64::MAX))
    }

    /// Loses everything, as a server that is emptied.
    pub fn empty(&mut self) {
        self.state = None;
    }
}

impl State {
    fn forget_the_lost(&mut self, now: i128) {
        let mut ended: Vec<_> =
            self.ends.iter().filter(|(_, end)| **end <= now).map(|(name, _)| *name).collect();
        ended.truncate(100);
        for name in ended {
            if let Some(lost) = self.held.remove(&name) {
                self.slots -= lost;
                self.ends.insert(name, now + HOUR);
            } else {
                self.batches.remove(&name);
                self.ends.remove(&name);
            }
        }
    }
}

impl Meter {
    fn earn(&mut self, span: i128) {
        self.level += span.max(0) * self.rate;
        self.level = self.level.min(self.burst);
    }

    fn add(&mut self, units: i128) {
        // A fraction of a token stays where the debt ends.
        let fraction = self.level.rem_euclid(TOKEN);
        self.level = (self.level + units).max(-60 * self.rate * TOKEN + fraction).min(self.burst);
    }

    fn wait_for(&self, level: i128) -> i128 {
        match level - self.level {
            missing if missing <= 0 => 0,
            _ if self.rate == 0 => NEVER,
            missing => (missing + self.rate - 1) / self.rate,
        }
    }
}
