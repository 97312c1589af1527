//! The limiter that does not limit.

use std::time::Duration;

use async_trait::async_trait;

use crate::{Cost, Error, Key, Permit, RateLimiter};

/// Admits everything at once and listens to nobody.
///
/// The choice where the server's own limit and the caller's retries are enough.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unlimited;

#[async_trait]
impl RateLimiter for Unlimited {
    async fn acquire(&self, _key: Key, _cost: Cost, _max_wait: Duration) -> Result<Permit, Error> {
        Ok(Permit::free())
    }
}
