use std::{
    future::poll_fn,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::Poll,
    time::Duration,
};

use ratelimit::{Cost, Key, Permit, RateLimiter};
use transport::{Clock, Deadline, Error, HttpBackend, Reach, Request, Response, Sending};

use crate::{
    estimates::Estimate,
    limits::RateLimits,
    metrics::{Call, Kind},
    types::Model,
};

/// Asks the rate limiter before each attempt and tells it what the service answered.
///
/// Each attempt costs a permit of its own, retries included: a retry storm the limiter cannot see is not limited.
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use claude_sdk::{layers::Throttle, ratelimit::limiters::Unlimited, transport::{HttpBackend, SystemClock}};
///
/// /// Any backend, such as one for another API, with a limit before it.
/// fn limited(backend: impl HttpBackend) -> impl HttpBackend {
///     Throttle::new(backend, Arc::new(Unlimited), Arc::new(SystemClock), Duration::from_secs(60))
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Throttle<B> {
    backend: B,
    limiter: Arc<dyn RateLimiter>,
    clock: Arc<dyn Clock>,
    max_wait: Duration,
}

/// What a request is charged for; a request without one costs one request of the key `api`.
#[derive(Debug, Clone)]
pub(crate) struct Charge {
    pub(crate) key: Key,
    pub(crate) cost: Cost,
    /// Who wants to know what a message of which model did cost.
    pub(crate) teaches: Option<(Arc<dyn Estimate>, Model)>,
}

impl Default for Charge {
    fn default() -> Self {
        Self { key: Key::from("api"), cost: Cost::requests(1), teaches: None }
    }
}

/// The permit an answer came under, handed on in its extensions until the actual cost is known.
#[derive(Debug, Clone)]
pub(crate) struct HeldPermit {
    permit: Arc<Mutex<Option<Permit>>>,
    charge: Charge,
}

impl HeldPermit {
    fn new(permit: Permit, charge: Charge) -> Self {
        Self { permit: Arc::new(Mutex::new(Some(permit))), charge }
    }

    /// Settles the permit with what the call really cost; the first caller's word counts.
    pub(crate) fn settle(&self, actual: Cost) {
        if let Some(permit) = self.take() {
            permit.settle(actual);
        }
    }

    /// Settles the permit of a message that is whole, from which estimates may learn.
    pub(crate) fn settle_whole(&self, actual: Cost) {
        let Some(permit) = self.take() else { return };
        permit.settle(actual);
        if let Some((estimate, model)) = &self.charge.teaches {
            estimate.learn(model.as_str(), actual);
        }
    }

    fn take(&self) -> Option<Permit> {
        self.permit.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<B> Throttle<B> {
    /// Wraps `backend`; a call waits at most `max_wait` for its permit.
    #[must_use]
    pub fn new(backend: B, limiter: Arc<dyn RateLimiter>, clock: Arc<dyn Clock>, max_wait: Duration) -> Self {
        Self { backend, limiter, clock, max_wait }
    }
}

impl<B: HttpBackend> HttpBackend for Throttle<B> {
    fn send<'a, 'f>(&'a self, request: Request) -> Sending<'f>
    where
        'a: 'f,
        Self: 'f,
    {
        Box::pin(self.limited(request))
    }
}

impl<B: HttpBackend> Throttle<B> {
    async fn limited(&self, request: Request) -> Result<Response, Error> {
        let charge = request.extensions().get::<Charge>().cloned().unwrap_or_default();
        let left = request
            .extensions()
            .get()
            .map(|&Deadline(at)| at.duration_since(self.clock.now()).unwrap_or_default());
        let max_wait = left.map_or(self.max_wait, |left| left.min(self.max_wait));
        let acquiring = (*self.limiter).acquire(charge.key.clone(), charge.cost, max_wait);
        let permit = match Call::current(|call| call.kept_kind()) {
            None => acquiring.await,
            Some(call) => measured(&call, acquiring).await,
        };
        let mut permit = permit.map_err(Error::refused)?;

        // From here on the work may be done, whether or not anybody hears of it.
        permit.assume(charge.cost);
        let sent = self.clock.now();
        let mut response = match self.backend.send(request).await {
            Ok(response) => response,
            Err(error) => {
                if error.reach() == Reach::NotSent {
                    permit.settle(Cost::default());
                }
                return Err(error);
            }
        };
        let now = self.clock.now();
        let limits = RateLimits::from_headers(response.headers(), now);
        let retry_after = transport::layers::retry_after(response.headers(), now);
        let seen = limits.observation(retry_after, permit.number());
        let is_refused = matches!(response.status().as_u16(), 429 | 529);
        self.limiter.observe(
            &charge.key,
            &seen.with_refusal(is_refused).with_time_taken(now.duration_since(sent).ok()),
        );
        if !response.status().is_success() {
            // A refusal costs no tokens; its permit is not held while somebody waits to try again.
            permit.settle(Cost::requests(charge.cost.requests));
        } else if !permit.is_free() {
            response.extensions_mut().insert(HeldPermit::new(permit, charge));
        }
        Ok(response)
    }
}

/// Measures a wait; what is there at once is none.
async fn measured<F: Future + Unpin>(call: &Kind, mut acquiring: F) -> F::Output {
    let began = call.now();
    if let Poll::Ready(permit) = poll_fn(|cx| Poll::Ready(Pin::new(&mut acquiring).poll(cx))).await {
        return permit;
    }
    let permit = acquiring.await;
    call.has_waited(call.now().duration_since(began).unwrap_or_default());
    permit
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use bytes::Bytes;
    use ratelimit::Observation;
    use transport::{Body, SystemClock};

    use super::*;

    #[derive(Debug, Clone, Default)]
    struct Recorder {
        log: Arc<Mutex<Vec<String>>>,
        refuses: bool,
    }

    #[async_trait]
    impl RateLimiter for Recorder {
        async fn acquire(
            &self,
            key: Key,
            cost: Cost,
            max_wait: Duration,
        ) -> Result<Permit, ratelimit::Error> {
            if self.refuses {
                return Err(ratelimit::Error::WouldWait { wait: Duration::from_secs(9), max_wait });
            }
            self.log.lock().unwrap().push(format!("acquire {key} {}", cost.requests));
            let log = Arc::clone(&self.log);
            Ok(Permit::new(move |actual| {
                let actual = actual.map(|cost| cost.output_tokens);
                log.lock().unwrap().push(format!("settle {actual:?}"));
            }))
        }

        fn observe(&self, _key: &Key, seen: &Observation) {
            let remaining = seen.requests.as_ref().and_then(|window| window.remaining);
            self.log.lock().unwrap().push(format!("observe {remaining:?} {:?}", seen.retry_after));
        }
    }

    #[derive(Debug)]
    struct Service;

    #[async_trait]
    impl HttpBackend for Service {
        async fn send(&self, _request: Request) -> Result<Response, Error> {
            let response = http::Response::builder()
                .header("anthropic-ratelimit-requests-remaining", "7")
                .header("retry-after", "3")
                .body(Body::empty());
            Ok(response.unwrap())
        }
    }

    fn layer(recorder: &Recorder) -> Throttle<Service> {
        Throttle::new(Service, Arc::new(recorder.clone()), Arc::new(SystemClock), Duration::from_secs(1))
    }

    fn request() -> Request {
        http::Request::get("https://api.example/").body(Bytes::new()).unwrap()
    }

    #[tokio::test]
    async fn each_attempt_costs_a_permit_and_the_limiter_hears_the_answer() {
        let recorder = Recorder::default();
        let layer = layer(&recorder);
        let response = layer.send(request()).await.unwrap();
        let held = response.extensions().get::<HeldPermit>().unwrap().clone();
        held.settle(Cost::requests(1).with_output_tokens(5));
        held.settle(Cost::requests(1).with_output_tokens(6));
        assert_eq!(
            *recorder.log.lock().unwrap(),
            ["acquire api 1", "observe Some(7) Some(3s)", "settle Some(5)"]
        );
    }

    #[tokio::test]
    async fn a_refusal_comes_out_as_the_limiters_own_error() {
        let recorder = Recorder { refuses: true, ..Recorder::default() };
        let error = layer(&recorder).send(request()).await.unwrap_err();
        let error = crate::Error::from(error);
        assert!(matches!(error, crate::Error::RateLimit(ratelimit::Error::WouldWait { .. }, ..)), "{error}");
        assert_eq!(error.retry_after(), Some(Duration::from_secs(9)));
    }
}
