//! Mocks of the seams, for tests that script every call.
#![allow(missing_docs, reason = "mockall writes most of these items")]

use std::time::Duration;

use async_trait::async_trait;
use mockall::mock;

use crate::{Cost, Error, Key, Observation, Permit, RateLimiter, Timer};

mock! {
    /// A [`RateLimiter`] whose every call is scripted.
    #[derive(Debug)]
    pub RateLimiter {}

    #[async_trait]
    impl RateLimiter for RateLimiter {
        async fn acquire(&self, key: Key, cost: Cost, max_wait: Duration) -> Result<Permit, Error>;
        fn observe(&self, key: &Key, seen: &Observation);
    }
}

mock! {
    /// A [`Timer`] whose every call is scripted.
    #[derive(Debug)]
    pub Timer {}

    #[async_trait]
    impl Timer for Timer {
        fn now(&self) -> Duration;
        async fn sleep(&self, duration: Duration);
    }
}
