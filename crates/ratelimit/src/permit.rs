//! The right to start, and the account to settle afterwards.

use std::{fmt, sync::Arc};

use crate::{Cost, Key};

/// The right to spend what was asked for, once.
///
/// Settle it with what the work really cost. A permit that is dropped instead (the caller went away, the request
/// failed) settles with what was [assumed](Self::assume) in between, or as *unknown*, and the limiter decides what that
/// means: most keep the estimate; [`Local`](crate::limiters::Local) keeps the requests and gives the tokens back.
#[must_use = "a permit that is dropped at once settles as unknown"]
pub struct Permit {
    account: Option<Account>,
    assumed: Option<Cost>,
}

/// Who hears what the work has cost.
enum Account {
    Closure(Box<dyn FnOnce(Option<Cost>) + Send>),
    /// Without an allocation for each permit.
    Ledger {
        ledger: Arc<dyn Ledger>,
        key: Key,
        number: u64,
        unknown: Cost,
    },
}

/// A limiter of this crate that keeps account of its permits by their numbers.
pub(crate) trait Ledger: Send + Sync {
    /// Is told what the work has cost if nobody says more, and what it was taken to have cost before.
    fn assume(&self, key: &Key, number: u64, before: Cost, cost: Cost);

    /// Is called once for each permit, with what was assumed last and with what was said at the end.
    fn settle(&self, key: &Key, number: u64, assumed: Cost, actual: Option<Cost>);
}

impl Permit {
    /// Makes a permit that calls `settle` exactly once: with the actual cost, or with `None` when it is dropped and
    /// nothing was assumed.
    ///
    /// `settle` runs inside `drop`, so it must neither block nor panic.
    pub fn new(settle: impl FnOnce(Option<Cost>) + Send + 'static) -> Self {
        Self { account: Some(Account::Closure(Box::new(settle))), assumed: None }
    }

    /// Makes a permit with nothing to settle.
    pub const fn free() -> Self {
        Self { account: None, assumed: None }
    }

    /// Makes a permit of a limiter that calls it `number`, and takes `unknown` for what nobody says.
    pub(crate) fn of(ledger: Arc<dyn Ledger>, key: Key, number: u64, unknown: Cost) -> Self {
        Self { account: Some(Account::Ledger { ledger, key, number, unknown }), assumed: None }
    }

    /// Tells whether there is nothing to settle.
    #[must_use]
    pub const fn is_free(&self) -> bool {
        self.account.is_none()
    }

    /// The permit's number, where its limiter counts them: a later one is higher.
    ///
    /// With it an [`Observation`](crate::Observation) tells the limiter which of two replies was asked for later.
    #[must_use]
    pub const fn number(&self) -> Option<u64> {
        match self.account {
            Some(Account::Ledger { number, .. }) => Some(number),
            Some(Account::Closure(_)) | None => None,
        }
    }

    /// Says what the work has cost if nobody says more: when the permit is dropped, or outlives the time its limiter
    /// gives it, that much is spent. Say it when the work begins.
    pub fn assume(&mut self, cost: Cost) {
        let before = self.assumed.replace(cost);
        if let Some(Account::Ledger { ledger, key, number, unknown }) = &self.account {
            ledger.assume(key, *number, before.unwrap_or(*unknown), cost);
        }
    }

    /// Tells the limiter what the work really cost.
    pub fn settle(mut self, actual: Cost) {
        self.close(Some(actual));
    }

    fn close(&mut self, actual: Option<Cost>) {
        match self.account.take() {
            Some(Account::Closure(settle)) => settle(actual.or(self.assumed)),
            Some(Account::Ledger { ledger, key, number, unknown }) => {
                ledger.settle(&key, number, self.assumed.unwrap_or(unknown), actual);
            }
            None => {}
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.close(None);
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").finish_non_exhaustive()
    }
}
