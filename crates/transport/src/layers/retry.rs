//! Sending a request again when a policy says so.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use http::response::Parts;

use crate::{Attempt, Attempts, Body, Clock, Deadline, Error, HttpBackend, Request, Response, race};

/// Sends a request, asks a [`RetryPolicy`] about the outcome, and waits and sends it again if told to.
///
/// The policy decides, this layer waits: on the clock it was given, and never past the request's
/// [`Deadline`]. If the wait does not fit, the last outcome is returned at once. It sets
/// [`Attempt`] on each request it passes on and [`Attempts`] on the response or [`Error::attempts`] on the error.
///
/// A request comes back as soon as its response has a head; nothing is repeated after that, so a body that breaks
/// off is the caller's to deal with.
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
}

/// Decides whether a request is sent again; it looks and never waits.
pub trait RetryPolicy: fmt::Debug + Send + Sync + 'static {
    /// Judges the outcome of an attempt.
    ///
    /// `attempt` is the number of the one that has just ended, the first being 1.
    fn verdict(&self, attempt: u32, request: &Request, outcome: Outcome<'_>) -> Verdict;
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug)]
pub enum Outcome<'a> {
    /// The server answered, with whatever status.
    Response {
        /// The head of the response; the body is not for the policy.
        head: &'a Parts,
        /// When it arrived, for delays that are given as a date.
        now: SystemTime,
    },
    /// There was no response.
    Error(&'a Error),
}

/// What is to be done after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Hand the outcome to the caller.
    Return,
    /// Wait and send the request again.
    Retry {
        /// The least to wait.
        at_least: Duration,
        /// The most to wait in addition, of which a random part is taken, so that many clients spread out.
        jitter: Duration,
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
        Self { backend, policy, clock, rng: Mutex::new(fastrand::Rng::with_seed(seed)) }
    }

    /// How long to wait before the next attempt, or `None` if the outcome is final.
    fn wait(&self, attempt: u32, request: &Request, outcome: Outcome<'_>) -> Option<Duration> {
        let (at_least, jitter) = match self.policy.verdict(attempt, request, outcome) {
            Verdict::Return => return None,
            Verdict::Retry { at_least, jitter } => (at_least, jitter),
        };
        let Some(&Deadline(deadline)) = request.extensions().get() else {
            return Some(at_least.saturating_add(self.part_of(jitter)));
        };
        let left = deadline.duration_since(self.clock.now()).unwrap_or_default();
        let spare = left.checked_sub(at_least).filter(|spare| !spare.is_zero())?;
        Some(at_least.saturating_add(self.part_of(jitter.min(spare / 2))))
    }

    fn part_of(&self, jitter: Duration) -> Duration {
        let mut rng = self.rng.lock().unwrap_or_else(PoisonError::into_inner);
        jitter.mul_f64(rng.f64())
    }
}

#[async_trait]
impl<B: HttpBackend> HttpBackend for Retry<B> {
    async fn send(&self, mut request: Request) -> Result<Response, Error> {
        let mut attempt = 1;
        loop {
            request.extensions_mut().insert(Attempt(attempt));
            let (wait, remains) = match self.backend.send(request.clone()).await {
                Ok(response) => {
                    let (mut head, body) = response.into_parts();
                    let outcome = Outcome::Response { head: &head, now: self.clock.now() };
                    let Some(wait) = self.wait(attempt, &request, outcome) else {
                        head.extensions.insert(Attempts(attempt));
                        return Ok(Response::from_parts(head, body));
                    };
                    (wait, body)
                }
                Err(error) => {
                    let Some(wait) = self.wait(attempt, &request, Outcome::Error(&error)) else {
                        return Err(error.with_attempts(attempt));
                    };
                    (wait, Body::empty())
                }
            };
            tracing::debug!(attempt, wait_ms = wait.as_millis(), "waiting before the next attempt");
            race::during(self.clock.sleep(wait), drain(remains)).await;
            attempt += 1;
        }
    }
}

/// Reads the rest of a response nobody wants, so that its connection can be used again; a long one is dropped.
async fn drain(body: Body) {
    const WORTH_READING: usize = 64 * 1024;
    let _ = body.collect(WORTH_READING).await;
}
