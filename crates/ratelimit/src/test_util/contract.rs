//! What every limiter has to keep, whatever it counts.

use std::{sync::Arc, time::Duration};

use crate::{Cost, Error, Key, Observation, Priority, RateLimiter, Window};

/// Runs a limiter, fresh and used by nobody else, through what [`RateLimiter`] promises.
///
/// It asks without patience, as often as a limiter of a thousand requests can take, and so never waits.
///
/// # Panics
///
/// With the promise that was broken.
pub async fn contract(limiter: impl RateLimiter) {
    let limiter: Arc<dyn RateLimiter> = Arc::new(limiter);
    let key = Key::from("contract/a");

    let first = limiter.acquire(key.clone(), Cost::requests(1), Duration::ZERO).await;
    assert!(first.is_ok(), "a fresh limiter admits one request at once, not {first:?}");
    if let Ok(permit) = first {
        permit.settle(Cost::requests(1).with_input_tokens(u64::MAX).with_output_tokens(u64::MAX));
    }
    drop(limiter.acquire(key.clone(), Cost::requests(1), Duration::ZERO).await);

    for _ in 0..1_000 {
        match limiter.acquire(key.clone(), Cost::requests(1), Duration::ZERO).await {
            Ok(permit) => drop(permit),
            Err(Error::WouldWait { wait, max_wait }) => {
                assert!(wait > Duration::ZERO, "a refusal says how long it would have taken");
                assert_eq!(max_wait, Duration::ZERO, "a refusal repeats the caller's patience");
                let tenant = key.clone().with_tenant("tenant").with_priority(Priority::High);
                let shared = limiter.acquire(tenant, Cost::requests(1), Duration::ZERO).await;
                assert!(shared.is_err(), "tenants and priorities of one name share its limits");
                break;
            }
            Err(other) => assert!(other.is_retryable(), "one request fits once, so it fits again: {other:?}"),
        }
    }

    let other = limiter.acquire(Key::from("contract/b"), Cost::requests(1), Duration::ZERO).await;
    assert!(other.is_ok(), "another key has a limit of its own: {other:?}");

    let odd = Window::default().with_limit(0).with_remaining(u64::MAX).with_reset_after(Duration::MAX);
    let seen = Observation::default().with_requests(odd).with_retry_after(Duration::MAX);
    limiter.observe(&key, &seen);
    limiter.observe(&Key::from(""), &Observation::default());
    let after = limiter.acquire(key, Cost::requests(1), Duration::ZERO).await;
    assert!(
        !matches!(after, Err(Error::TooLarge { .. })),
        "what a server says closes a key for a time, it does not make a request too large"
    );
}
