//! Every trait implemented by an outsider, and by its mock.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use transport::{
    Attempts, Body, Clock, Error, HttpBackend, Request, Response,
    layers::{Outcome, Retry, RetryPolicy, Verdict},
    test_util::{MockClock, MockHttpBackend, MockRetryPolicy},
};

use crate::{get, start, status};

/// Says 503 until it has been asked often enough.
#[derive(Debug)]
struct Reluctant {
    refusals: AtomicU32,
}

#[async_trait]
impl HttpBackend for Reluctant {
    async fn send(&self, _request: Request) -> Result<Response, Error> {
        let left = self.refusals.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1));
        if left.is_ok() { status(503) } else { Ok(Response::new(Body::from("at last"))) }
    }
}

/// Never gives up, and waits a little longer each time.
#[derive(Debug)]
struct Stubborn;

impl RetryPolicy for Stubborn {
    fn verdict(&self, attempt: u32, _request: &Request, outcome: Outcome<'_>) -> Verdict {
        match outcome {
            Outcome::Response { head, .. } if head.status.is_success() => Verdict::Return,
            _ => Verdict::Retry {
                at_least: Duration::from_secs(attempt.into()),
                jitter: Duration::ZERO,
                cost: 1,
            },
        }
    }
}

/// Stands still and counts what it is asked to wait.
#[derive(Debug, Default)]
struct Frozen {
    seconds: AtomicU32,
}

#[async_trait]
impl Clock for Frozen {
    fn now(&self) -> SystemTime {
        start()
    }

    async fn sleep(&self, duration: Duration) {
        self.seconds.fetch_add(u32::try_from(duration.as_secs()).unwrap(), Ordering::Relaxed);
    }
}

#[tokio::test]
async fn a_stack_of_foreign_parts_works_through_trait_objects() {
    let clock = Arc::new(Frozen::default());
    let backend: Box<dyn HttpBackend> = Box::new(Reluctant { refusals: 3.into() });
    let stack: Arc<dyn HttpBackend> =
        Arc::new(Retry::new(backend, Arc::new(Arc::new(Stubborn)), Arc::<Frozen>::clone(&clock), 1));

    let response = stack.send(get()).await.unwrap();

    assert_eq!(Attempts::of(&response), 4);
    assert_eq!(response.into_body().collect(100).await.unwrap(), "at last");
    assert_eq!(clock.seconds.load(Ordering::Relaxed), 1 + 2 + 3);
}

#[tokio::test]
async fn a_stack_of_mocks_works() {
    let mut backend = MockHttpBackend::new();
    backend.expect_send().times(2).returning(|_| status(500));
    let mut policy = MockRetryPolicy::new();
    policy.expect_verdict().returning(|attempt, _, _| match attempt {
        1 => Verdict::Retry { at_least: Duration::from_secs(9), jitter: Duration::ZERO, cost: 1 },
        _ => Verdict::Return,
    });
    let mut clock = MockClock::new();
    clock.expect_now().return_const(start());
    clock.expect_sleep().withf(|wait| *wait == Duration::from_secs(9)).times(1).return_const(());

    let stack = Retry::new(backend, Arc::new(policy), Arc::new(clock), 1);
    assert_eq!(stack.send(get()).await.unwrap().status(), 500);
}
