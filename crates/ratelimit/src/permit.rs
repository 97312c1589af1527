//! The right to start, and the account to settle afterwards.

use std::fmt;

use crate::Cost;

/// The right to spend what was asked for, once.
///
/// Settle it with what the work really cost. A permit that is dropped instead (the caller went away, the request
/// failed) settles as *unknown*, and the limiter decides what that means; most keep the estimate.
#[must_use = "a permit that is dropped at once settles as unknown"]
pub struct Permit {
    settle: Option<Box<dyn FnOnce(Option<Cost>) + Send>>,
}

impl Permit {
    /// Makes a permit that calls `settle` exactly once: with the actual cost, or with `None` when it is dropped.
    ///
    /// `settle` runs inside `drop`, so it must neither block nor panic.
    pub fn new(settle: impl FnOnce(Option<Cost>) + Send + 'static) -> Self {
        Self { settle: Some(Box::new(settle)) }
    }

    /// Makes a permit with nothing to settle.
    pub const fn free() -> Self {
        Self { settle: None }
    }

    /// Tells whether there is nothing to settle.
    #[must_use]
    pub const fn is_free(&self) -> bool {
        self.settle.is_none()
    }

    /// Tells the limiter what the work really cost.
    pub fn settle(mut self, actual: Cost) {
        if let Some(settle) = self.settle.take() {
            settle(Some(actual));
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(settle) = self.settle.take() {
            settle(None);
        }
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").finish_non_exhaustive()
    }
}
