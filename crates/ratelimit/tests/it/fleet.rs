//! A thousand clients that share a limit and know nothing of each other, through an outage and a lower limit, on a clock
//! that is held. The chart of it is `docs/fleet.svg`.

mod chart;

use std::{cmp::Reverse, collections::BinaryHeap, num::NonZeroU32, sync::Arc, time::Duration};

use ratelimit::{
    Error, Observation, Permit, RateLimiter, Timer as _, Window, limiters::Local, test_util::ManualTimer,
};

use crate::{key, requests};

const CLIENTS: usize = 1_000;
const SECONDS: usize = 200;
const OUTAGE: std::ops::Range<usize> = 50..70;
const LOWERED_AT: usize = 120;
/// Requests a minute, before and after.
const LIMITS: [u64; 2] = [30_000, 15_000];
/// How long clients wait between two calls of their own will: they want twice what the limit allows.
const PAUSE: Duration = Duration::from_millis(750);

/// What happened in one second.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Second {
    pub served: usize,
    pub refused: usize,
    pub failed: usize,
}

/// A bucket of requests, in requests and nanoseconds of the rate.
#[derive(Debug)]
struct Server {
    limit: u64,
    level: u128,
    at: Duration,
}

/// A token in units of which the limit gains one each nanosecond and request a minute.
const TOKEN: u128 = 60_000_000_000;

impl Server {
    fn new() -> Self {
        Self { limit: LIMITS[0], level: u128::from(LIMITS[0]) * TOKEN, at: Duration::ZERO }
    }

    /// Serves a request at `now`, or says how long it takes until it could.
    fn serve(&mut self, now: Duration) -> Result<(), Duration> {
        let earned = (now - self.at).as_nanos() * u128::from(self.limit);
        self.at = now;
        self.limit = LIMITS[usize::from(second_of(now) >= LOWERED_AT)];
        self.level = (self.level + earned).min(u128::from(self.limit) * TOKEN);
        if self.level < TOKEN {
            return Err(Duration::from_secs(1)); // whole seconds, as the service tells
        }
        self.level -= TOKEN;
        Ok(())
    }

    fn told(&self) -> Window {
        let left = u64::try_from(self.level / TOKEN).unwrap();
        Window::default().with_limit(self.limit).with_remaining(left)
    }
}

#[derive(Debug)]
struct Client {
    limiter: Local,
    /// The permit of the call that is under way.
    permit: Option<Permit>,
    failures: u32,
    served: usize,
}

/// What became of all of them, second by second, and how many calls of each client were served.
fn simulate(seed: u64) -> (Vec<Second>, Vec<usize>) {
    let timer = Arc::new(ManualTimer::new());
    let mut rng = fastrand::Rng::with_seed(seed);
    let parts = NonZeroU32::new(1_000).unwrap();
    let limiter = || Local::listening().one_of(parts).build(Arc::clone(&timer));
    let mut clients: Vec<_> =
        (0..CLIENTS).map(|_| Client { limiter: limiter(), permit: None, failures: 0, served: 0 }).collect();
    let mut server = Server::new();
    let mut seconds = vec![Second::default(); SECONDS];
    let mut events: BinaryHeap<_> =
        (0..CLIENTS).map(|client| Reverse((Duration::from_millis(rng.u64(0..1_000)), client))).collect();
    while let Some(Reverse((at, number))) = events.pop() {
        let Some(second) = seconds.get_mut(second_of(at)) else { break };
        timer.advance(at - timer.now());
        let client = &mut clients[number];
        let next = match client.permit.take() {
            None => client.ask(&mut rng),
            Some(permit) => client.hear(permit, &mut server, at, second, &mut rng),
        };
        events.push(Reverse((at + next, number)));
    }
    (seconds, clients.iter().map(|client| client.served).collect())
}

impl Client {
    /// Asks the limiter, and returns how long until there is something to do: an answer, or another try.
    fn ask(&mut self, rng: &mut fastrand::Rng) -> Duration {
        let asked = self.limiter.acquire(key(), requests(1), Duration::ZERO);
        match futures_now(asked) {
            Ok(permit) => {
                self.permit = Some(permit);
                Duration::from_millis(rng.u64(100..400))
            }
            Err(Error::WouldWait { wait, .. }) => wait,
            Err(other) => panic!("{other}"),
        }
    }

    /// Hears what became of a call, and returns how long until the next one.
    fn hear(
        &mut self,
        permit: Permit,
        server: &mut Server,
        at: Duration,
        second: &mut Second,
        rng: &mut fastrand::Rng,
    ) -> Duration {
        let seen = Observation::default().with_permit(permit.number());
        let is_out = OUTAGE.contains(&second_of(at));
        let next = if is_out {
            second.failed += 1;
            self.limiter.observe(&key(), &seen.with_refusal(true));
            self.failures += 1;
            // As the client waits that is built on it: at random, up to eight seconds.
            Duration::from_millis(rng.u64(0..=500 << self.failures.min(4)))
        } else {
            let served = server.serve(at);
            let seen = seen.with_requests(server.told());
            self.limiter.observe(
                &key(),
                &match served {
                    Ok(()) => seen,
                    Err(wait) => seen.with_refusal(true).with_retry_after(wait),
                },
            );
            second.served += usize::from(served.is_ok());
            second.refused += usize::from(served.is_err());
            self.served += usize::from(served.is_ok());
            self.failures = 0;
            PAUSE
        };
        permit.settle(requests(1));
        next
    }
}

/// What a future has at once.
fn futures_now<T>(future: impl Future<Output = T>) -> T {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::pin!(future).poll(&mut context) {
        std::task::Poll::Ready(value) => value,
        std::task::Poll::Pending => panic!("whoever has no patience is answered at once"),
    }
}

fn second_of(at: Duration) -> usize {
    usize::try_from(at.as_secs()).unwrap()
}

fn sum(seconds: &[Second], of: impl Fn(&Second) -> usize) -> usize {
    seconds.iter().map(of).sum()
}

#[test]
fn a_thousand_clients_share_a_limit_through_an_outage_and_a_lower_limit() {
    let (seconds, served) = simulate(1);
    let all = sum(&seconds, |second| second.served);
    let refused = sum(&seconds, |second| second.refused);
    assert!(refused * 1_000 <= all, "{refused} 429s, {all} served");

    // As much as the limit gains, once the bursts are used up, on each of its sides.
    let lower = &seconds[LOWERED_AT + 30..];
    let used = sum(lower, |second| second.served) as f64 / (250.0 * lower.len() as f64);
    assert!((0.95..=1.01).contains(&used), "{used} of the lower limit");

    // Nobody hammers at a service that is down, and ten seconds later all is as it was.
    let down = sum(&seconds[OUTAGE.start + 10..OUTAGE.end], |second| second.failed) / 10;
    assert!(down < CLIENTS / 2, "{down} a second while it is down");
    let peak = seconds[OUTAGE.end..].iter().map(|second| second.served + second.refused).max().unwrap();
    let before = seconds[..OUTAGE.start].iter().map(|second| second.served).max().unwrap();
    assert!(peak <= before * 11 / 10, "{peak} a second afterwards, {before} before");
    let again = sum(&seconds[OUTAGE.end + 10..OUTAGE.end + 20], |second| second.served);
    assert!(again >= 4_750, "{again} in ten seconds, ten seconds afterwards");

    let (total, squares) = served.iter().fold((0.0, 0.0), |(total, squares), served| {
        let served = *served as f64;
        (total + served, squares + served * served)
    });
    let jain = total * total / (CLIENTS as f64 * squares);
    assert!(jain >= 0.95, "{jain}");
    show(&seconds);
}

/// The chart in the documentation is of this simulation.
fn show(seconds: &[Second]) {
    let drawn = chart::draw(seconds);
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/fleet.svg");
    if std::fs::read_to_string(path).ok().as_deref() != Some(drawn.as_str()) {
        let new = concat!(env!("CARGO_TARGET_TMPDIR"), "/fleet.svg");
        std::fs::write(new, drawn).unwrap();
        panic!("docs/fleet.svg is of another one: look at {new} and copy it there");
    }
}
