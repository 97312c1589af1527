//! Sending a request again when a policy says so.

mod attempt;
mod call;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use http::response::Parts;

use self::{
    attempt::{Attempted, is_success, outcome},
    call::{Call, Next},
};
use super::{
    Breaker, Budget, Class, Open, Opening,
    breaker::{Health, Pass},
};
use crate::{Attempt, Attempts, Clock, Deadline, Error, HttpBackend, Request, Response, Sending};

/// Sends a request, asks a [`RetryPolicy`] about the outcome, and waits and sends it again if told to.
///
/// The policy decides, this layer waits: on the clock it was given, and never past the request's
/// [`Deadline`]. If the wait does not fit, the last outcome is returned at once. It sets
/// [`Attempt`] on each request it sends again and [`Attempts`](crate::Attempts) on the response to one, or [`Error::attempts`] on the error.
///
/// Three parts are optional: a [`Budget`] that all calls pay their retries from, a [`Breaker`] that leaves a server alone
/// which answers nobody, and an [`Opening`] that tells how a reply of several parts begins.
///
/// A request comes back as soon as its response has a head, or has begun as its [`Opening`] demands; nothing is repeated
/// after that, so a body that breaks off is the caller's to deal with. The body of an error is read first, as far as it
/// comes soon and is not long, so that the policy can look at it.
///
/// # Cancel safety
///
/// Dropping the future gives up the attempt in flight, or the wait, and starts no other.
#[derive(Debug)]
pub struct Retry<B> {
    backend: B,
    policy: Arc<dyn RetryPolicy>,
    clock: Arc<dyn Clock>,
    rng: Mutex<fastrand::Rng>,
    budget: Option<Budget>,
    breaker: Option<Breaker>,
    opening: Option<(Arc<dyn Opening>, Duration)>,
}

/// Decides whether a request is sent again; it looks and never waits.
pub trait RetryPolicy: fmt::Debug + Send + Sync + 'static {
    /// Judges the outcome of an attempt.
    ///
    /// `attempt` is the number of the one that has just ended, the first being 1. Attempts that do not count are left
    /// out: those that [never arrived](Verdict::Again), and a [`Breaker`]'s probes for a call with a deadline.
    fn verdict(&self, attempt: u32, request: &Request, outcome: Outcome<'_>) -> Verdict;
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug)]
pub enum Outcome<'a> {
    /// The server answered, with whatever status.
    Response {
        /// The head of the response; where the [`Opening`] of a stream was an error, with the status that says the same.
        head: &'a Parts,
        /// The first part of an error's body, at most 64 KiB of it; empty for other responses.
        body: &'a [u8],
        /// The time, for delays that are given as a date.
        now: SystemTime,
    },
    /// A response began and broke off before the caller could see any of it.
    Opening {
        /// What happened to it.
        error: &'a Error,
    },
    /// There was no response.
    Error(&'a Error),
}

/// What is to be done after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Hand the outcome to the caller.
    Return,
    /// Send the request again at once; it has not been sent yet.
    ///
    /// This does not count as an attempt and costs nothing. It is followed ten times for one call.
    Again,
    /// Wait and send the request again.
    Retry {
        /// The least to wait.
        at_least: Duration,
        /// The most to wait in addition, of which a random part is taken, so that many clients spread out.
        jitter: Duration,
        /// What it costs the [`Budget`].
        cost: u32,
    },
}

impl<P: RetryPolicy + ?Sized> RetryPolicy for Arc<P> {
    fn verdict(&self, attempt: u32, request: &Request, outcome: Outcome<'_>) -> Verdict {
        (**self).verdict(attempt, request, outcome)
    }
}

impl<B> Retry<B> {
    /// Wraps `backend`.
    ///
    /// `seed` is the start of the sequence the jitter is drawn from. Take it from a source of randomness, or clients
    /// that start together retry together.
    #[must_use]
    pub fn new(backend: B, policy: Arc<dyn RetryPolicy>, clock: Arc<dyn Clock>, seed: u64) -> Self {
        let rng = Mutex::new(fastrand::Rng::with_seed(seed));
        Self { backend, policy, clock, rng, budget: None, breaker: None, opening: None }
    }

    /// Pays for retries from `budget`; where it is empty, the outcome of the attempt is returned.
    #[must_use]
    pub fn budget(mut self, budget: Budget) -> Self {
        self.budget = Some(budget);
        self
    }

    /// Asks `breaker` before each attempt.
    ///
    /// While it is open, a call with a [`Deadline`] waits for it as long as that allows. Any other call gets the outcome of
    /// its last attempt, or where it had none [`ErrorKind::Open`](crate::ErrorKind::Open), at once.
    #[must_use]
    pub fn breaker(mut self, breaker: Breaker) -> Self {
        self.breaker = Some(breaker);
        self
    }

    /// Looks at the first part of the replies that `opening` knows, for at most `limit` each.
    #[must_use]
    pub fn opening(mut self, opening: Arc<dyn Opening>, limit: Duration) -> Self {
        self.opening = Some((opening, limit));
        self
    }

    /// Makes `at_least` a bit longer; `None` where it would end after the deadline.
    fn wait(
        &self,
        at_least: Duration,
        jitter: Duration,
        deadline: Option<SystemTime>,
        now: SystemTime,
    ) -> Option<Duration> {
        let Some(deadline) = deadline else {
            return Some(at_least.saturating_add(self.part_of(jitter)));
        };
        let left = deadline.duration_since(now).unwrap_or_default();
        let spare = left.checked_sub(at_least).filter(|spare| !spare.is_zero())?;
        Some(at_least.saturating_add(self.part_of(jitter.min(spare / 2))))
    }

    fn part_of(&self, jitter: Duration) -> Duration {
        let mut rng = self.rng.lock().unwrap_or_else(PoisonError::into_inner);
        jitter.mul_f64(rng.f64())
    }

    /// Waits until the breaker lets an attempt through, if the deadline allows that.
    async fn admit(&self, deadline: Option<SystemTime>) -> Result<Option<Pass>, Open> {
        let Some(breaker) = &self.breaker else { return Ok(None) };
        if let Some(pass) = breaker.closed() {
            return Ok(Some(pass));
        }
        loop {
            let now = self.clock.now();
            let open = match breaker.admit(now) {
                Ok(pass) => return Ok(Some(pass)),
                Err(open) => open,
            };
            let pause = open.until.duration_since(now).unwrap_or_default();
            let wait = deadline.and_then(|deadline| self.wait(pause, BREAKER_JITTER, Some(deadline), now));
            self.clock.sleep(wait.ok_or(open)?).await;
        }
    }

    fn is_open(&self) -> bool {
        self.breaker.as_ref().is_some_and(|breaker| breaker.open().is_some())
    }
}

impl<B: HttpBackend> HttpBackend for Retry<B> {
    fn send<'a, 'f>(&'a self, request: Request) -> Sending<'f>
    where
        'a: 'f,
        Self: 'f,
    {
        // A future that holds the request itself holds it more than once.
        Box::pin(self.run(Box::new(request)))
    }
}

impl<B: HttpBackend> Retry<B> {
    async fn run(&self, mut request: Box<Request>) -> Result<Response, Error> {
        let deadline = request.extensions().get().map(|&Deadline(at)| at);
        let mut call = Call::default();
        loop {
            let pass = match self.admit(deadline).await {
                Ok(pass) => pass,
                Err(open) => return call.refused(open, &request, self.clock.now()),
            };
            call.sent += 1;
            // The first is taken for granted, which saves most calls an allocation.
            if call.sent > 1 {
                request.extensions_mut().insert(Attempt(call.sent));
            }
            let attempted = match self.plain(self.sending((*request).clone(), deadline).await) {
                Ok(response) => return Ok(self.succeeded(&call, response, pass)),
                Err(answer) => self.look_into(answer).await,
            };
            match self.judge(&mut call, &request, attempted, pass, deadline) {
                Next::Return(outcome) => return outcome,
                Next::Again => {}
                Next::Wait(wait) => self.clock.sleep(wait).await,
            }
        }
    }

    /// Hands on what nearly every call ends with.
    #[inline]
    fn succeeded(&self, call: &Call, mut response: Response, pass: Option<Pass>) -> Response {
        self.note_success(call, pass);
        if call.sent > 1 {
            response.extensions_mut().insert(Attempts(call.sent));
        }
        response
    }

    #[inline]
    fn note_success(&self, call: &Call, pass: Option<Pass>) {
        if let (Some(breaker), Some(pass)) = (&self.breaker, pass) {
            breaker.succeeded(pass);
        }
        if let Some(budget) = &self.budget {
            budget.succeeded(call.paid);
        }
    }

    /// Decides what is to be done after an attempt.
    #[inline(never)]
    fn judge(
        &self,
        call: &mut Call,
        request: &Request,
        attempted: Attempted,
        pass: Option<Pass>,
        deadline: Option<SystemTime>,
    ) -> Next {
        if is_success(&attempted) {
            self.note_success(call, pass);
            return call.end(attempted);
        }
        let now = self.clock.now();
        let outcome = outcome(&attempted, now);
        if let (Some(breaker), Some(pass)) = (&self.breaker, pass) {
            breaker.record(pass, Health::of(Class::of(request, outcome), outcome), now);
        }
        // A probe is made for everybody: whoever has time to wait has no retry less for it.
        let is_probe = pass.is_some_and(|pass| pass.is_probe) && deadline.is_some();
        call.counted += u32::from(!is_probe);
        let (at_least, jitter, cost) = match self.policy.verdict(call.counted.max(1), request, outcome) {
            Verdict::Return => return call.end(attempted),
            Verdict::Again if call.unsent == MOST_UNSENT => return call.end(attempted),
            Verdict::Again => {
                call.unsent += 1;
                call.sent -= 1;
                call.counted = call.counted.saturating_sub(1);
                return Next::Again;
            }
            Verdict::Retry { at_least, jitter, cost } => (at_least, jitter, cost),
        };
        let Some(wait) = self.wait(at_least, jitter, deadline, now) else {
            return call.end(attempted);
        };
        match (self.is_open(), &self.budget) {
            (true, _) if deadline.is_none() => return call.end(attempted),
            // The breaker sees to it that there are few.
            (true, _) | (false, None) => {}
            (false, Some(budget)) if budget.spend(cost, now) => call.paid = Some(cost),
            (false, Some(_)) => {
                tracing::debug!("not sent again, because the retry budget is used up");
                return call.end(attempted);
            }
        }
        call.keep(attempted);
        tracing::debug!(attempt = call.sent, wait_ms = wait.as_millis(), "waiting before the next attempt");
        Next::Wait(wait)
    }
}

/// By how much those who wait for a breaker are spread.
const BREAKER_JITTER: Duration = Duration::from_secs(1);
/// How often a call is sent again at once: many that share connections of HTTP/2 which go away after a few requests may each be left
/// out several times in a row.
const MOST_UNSENT: u32 = 10;
