use std::{
    fmt,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use arc_swap::ArcSwapOption;
use async_trait::async_trait;
use auth_core::Policy;
use futures_util::FutureExt as _;
use tokio::sync::Notify;
use transport::{Clock, SystemClock};

use super::{Credential, CredentialProvider, Grant, TokenSource, spread};
use crate::{
    error::AuthError,
    metrics::{Metrics, Renewals},
    task,
};

mod state;

use state::{Look, State};

/// Keeps what a [`TokenSource`] gives, and asks again before it runs out.
///
/// - While the credential is good, nobody waits for anybody: it is read without a lock.
/// - One question serves all callers. It is asked in a task of its own, so that a caller who goes away ends nothing.
/// - In the last 120 s of its life the old credential is still given while a new one is asked for, in the last 30 s
///   callers wait for the new one (short lives have shorter windows, see [`Policy`]).
/// - When the source fails, everybody who waits hears the same error. A credential that is still good is given all the
///   same, and the source is left alone for a while that doubles with each failure.
/// - A credential that the service refuses is replaced; a refusal that comes late does not touch its successor, and a
///   service that refuses each fresh one is not served with one after another.
/// - A source that panics has failed; it takes nobody with it.
///
/// Cloning gives another handle to the same cache.
///
/// ```
/// use std::time::Duration;
/// use claude_sdk::{AuthError, Client, credentials::{Cached, Credential, Grant, TokenSource}, transport::Clock};
///
/// /// A badge office that hands out a token for an hour.
/// #[derive(Debug)]
/// struct Office;
///
/// #[async_trait::async_trait]
/// impl TokenSource for Office {
///     async fn grant(&self, clock: &dyn Clock) -> Result<Grant, AuthError> {
///         let credential = Credential::token("badge-1".into(), 0)?;
///         Ok(Grant { credential, expires_at: Some(clock.now() + Duration::from_secs(3600)) })
///     }
/// }
///
/// # fn main() -> Result<(), claude_sdk::Error> {
/// let client = Client::builder().credentials(Cached::new(Office)).build()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Cached(Arc<Shared>);

impl Cached {
    /// A cache over `source`; nothing is asked yet.
    #[must_use]
    pub fn new(source: impl TokenSource) -> Self {
        // Without randomness many clients may renew at once, which is no reason not to begin.
        Self::new_with(source, SystemClock, spread::drawn())
    }

    /// As [`new`](Self::new), with time taken from `clock`, and renewed as `policy` says.
    #[must_use]
    pub fn new_with(source: impl TokenSource, clock: impl Clock, policy: Policy) -> Self {
        Self(Arc::new(Shared {
            source: Box::new(source),
            clock: Arc::new(clock),
            state: Mutex::new(State::new(policy)),
            current: ArcSwapOption::empty(),
            changed: Notify::new(),
            renewals: Renewals::default(),
        }))
    }
}

#[async_trait]
impl CredentialProvider for Cached {
    async fn credential(&self) -> Result<Credential, AuthError> {
        if let Some(current) = self.ready() {
            return Ok(current);
        }
        loop {
            // Registered before looking, so that an answer that comes in between is not missed.
            let changed = self.0.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            match self.0.look() {
                Look::Ready(credential) => return Ok(credential),
                Look::Pending => changed.await,
                Look::Failed(error) => return Err(error),
            }
        }
    }

    fn ready(&self) -> Option<Credential> {
        let current = self.0.current.load();
        let current = current.as_ref()?;
        let now = self.0.clock.now();
        let good = current.from <= now && current.until.is_none_or(|until| now < until);
        good.then(|| current.credential.clone())
    }

    fn reject(&self, refused: &Credential) {
        self.0.ask(|state, now| state.rejected(refused.generation(), now));
    }

    fn report_to(&self, metrics: &Arc<dyn Metrics>) {
        self.0.renewals.report_to(metrics);
    }
}

impl fmt::Debug for Cached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cached").field("source", &self.0.source).finish_non_exhaustive()
    }
}

/// What the handles of one cache share.
struct Shared {
    source: Box<dyn TokenSource>,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    /// What the state would say anyway, for those who need not ask it.
    current: ArcSwapOption<Current>,
    changed: Notify,
    renewals: Renewals,
}

/// A credential that is good from a time until a time, without end if there is none.
struct Current {
    credential: Credential,
    from: SystemTime,
    until: Option<SystemTime>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state's turn, and what everybody may know from now on.
    fn ask<T>(&self, question: impl FnOnce(&mut State, SystemTime) -> T) -> T {
        let now = self.clock.now();
        let mut state = self.state();
        let answer = question(&mut state, now);
        let settled = state.settled(now);
        // Under the lock, so that an older answer does not come after a newer one.
        self.current
            .store(settled.map(|(credential, until)| Arc::new(Current { credential, from: now, until })));
        answer
    }

    /// One look at the state. Where it wants something asked, a task of its own sets about it.
    fn look(self: &Arc<Self>) -> Look {
        let (look, begins) = self.ask(|state, now| (state.look(now), state.begins()));
        if begins {
            // Made here: a task that is dropped before it began ends its turn too.
            let turn = Turn(Arc::clone(self));
            task::detach(turn.renew());
        }
        look
    }

    /// Asks the source, within its time.
    async fn granted(&self) -> Result<Grant, AuthError> {
        let patience = self.source.patience();
        tokio::select! {
            granted = self.source.grant(&*self.clock) => granted,
            () = self.clock.sleep(patience) => Err(AuthError::Renewal {
                reason: format!("the source gave no token within {} s", patience.as_secs()),
                retryable: true,
                retry_after: None,
            }),
        }
    }
}

/// The one question that is under way. However it ends, the next may begin, and whoever waits looks again.
struct Turn(Arc<Shared>);

impl Turn {
    async fn renew(self) {
        // Somebody else's code: what it may have left half done is its own.
        let outcome = AssertUnwindSafe(self.0.granted()).catch_unwind().await;
        let outcome = outcome.unwrap_or(Err(AuthError::Panicked { what: "the token source" }));
        if let Err(error) = &outcome {
            tracing::warn!(%error, "no new credential");
        }
        let is_good = self.0.ask(|state, now| state.answered(outcome, now));
        self.0.renewals.tell((!is_good).then_some("failed"));
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.state().ended();
        self.0.changed.notify_waiters();
    }
}

#[cfg(test)]
mod tests;
