//! The driver: it does what the machine says, and tells it what came of it.

use std::{
    error::Error,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwapOption;
use auth_core::{
    Access, Event, ExchangeId, Failure, Input, Lease, Output, Reason, SendFailure, Snapshot, TokenMachine,
};
use bytes::Bytes;
use tokio::sync::Notify;
use transport::{Clock, HttpBackend, Reach};

use crate::{
    credentials::Credential,
    error::{AuthError, StoreError},
    metrics::Renewals,
    task::{self, Running},
    token_store::{Sending, StoreLock, TokenStore},
};

mod elsewhere;

pub(super) use elsewhere::Renew;
#[cfg(feature = "refresher")]
pub(super) use elsewhere::Renewed;

/// The largest answer of a token endpoint that is read, in bytes.
const ANSWER_LIMIT: usize = 1024 * 1024;
/// How long an exchange may take, whatever its callers' deadlines are.
const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(30);
/// How often to look, while somebody has the lock, whether the store has what is waited for.
const WATCH: Duration = Duration::from_millis(500);
/// A refused refresh token may have been spent by a program that takes no lock, as the official SDKs do, and that is
/// about to store what it got: so much later the store is read again.
const SECOND_LOOK: Duration = Duration::from_millis(500);

/// Adds to a credential what its token does not say: where it may go, and for whom it acts.
pub(crate) type Dress = Box<dyn Fn(Credential) -> Credential + Send + Sync>;

/// What the handles of one session share.
pub(super) struct Shared {
    driven: Mutex<Driven>,
    /// What the machine would say anyway, for those who need not ask it.
    current: ArcSwapOption<Current>,
    dress: OnceLock<Dress>,
    pub(super) changed: Notify,
    pub(super) renewals: Renewals,
    pub(super) store: Arc<dyn TokenStore>,
    backend: Arc<dyn HttpBackend>,
    clock: Arc<dyn Clock>,
}

struct Driven {
    machine: TokenMachine,
    /// Whether a task is driving the machine; at most one is.
    busy: bool,
    /// The store's lock, kept over a pause: nobody else may spend what the store still holds while the newest tokens are
    /// not in it.
    kept: Option<StoreLock>,
    /// Why the store could not be locked or read in the last round, for its waiters.
    broken: Option<AuthError>,
    /// Who renews in place of an exchange.
    refresher: Option<Arc<dyn Renew>>,
    /// The store was told of an exchange, and not yet what became of it.
    noted: bool,
    /// How the last logout went: whether the server confirmed it.
    logout: Option<Result<bool, AuthError>>,
}

/// A credential that is good from a time until a time, without end if there is none.
struct Current {
    credential: Credential,
    from: SystemTime,
    until: Option<SystemTime>,
}

impl Shared {
    pub(super) fn new(
        machine: TokenMachine,
        store: Arc<dyn TokenStore>,
        backend: Arc<dyn HttpBackend>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let driven = Mutex::new(Driven {
            machine,
            busy: false,
            kept: None,
            broken: None,
            refresher: None,
            noted: false,
            logout: None,
        });
        Self {
            driven,
            current: ArcSwapOption::empty(),
            dress: OnceLock::new(),
            changed: Notify::new(),
            renewals: Renewals::default(),
            store,
            backend,
            clock,
        }
    }

    /// The lease as it is sent.
    pub(super) fn credential(&self, lease: &Lease) -> Result<Credential, AuthError> {
        self.dressed(lease, self.driven().machine.snapshot())
    }

    fn dressed(&self, lease: &Lease, newest: Option<&Snapshot>) -> Result<Credential, AuthError> {
        let mut credential = Credential::token(lease.access_token().clone(), lease.generation())?;
        let own = newest.filter(|newest| newest.generation == lease.generation());
        if let Some(scopes) = own.and_then(|own| own.scopes.clone()) {
            credential = credential.with_scopes(scopes);
        }
        Ok(match self.dress.get() {
            Some(dress) => dress(credential),
            None => credential,
        })
    }

    /// What is added to every credential from now on; the first to say so counts.
    pub(super) fn dress(&self, dress: Dress) {
        let _ = self.dress.set(dress);
        self.current.store(None);
    }

    fn driven(&self) -> MutexGuard<'_, Driven> {
        self.driven.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn handle(&self, input: Input) {
        self.ask(|machine, now| machine.handle(input, now));
    }

    /// The machine's turn, and what everybody may know from now on.
    fn ask<T>(&self, question: impl FnOnce(&mut TokenMachine, SystemTime) -> T) -> T {
        let now = self.clock.now();
        let mut driven = self.driven();
        let answer = question(&mut driven.machine, now);
        let current = driven.machine.settled(now).and_then(|(lease, until)| {
            let credential = self.dressed(&lease, driven.machine.snapshot()).ok()?;
            Some(Arc::new(Current { credential, from: now, until }))
        });
        // Under the lock, so that an older answer does not come after a newer one.
        self.current.store(current);
        answer
    }

    /// The credential that the machine would give now, if that is certain without asking it. Takes no lock.
    pub(super) fn current(&self) -> Option<Credential> {
        let current = self.current.load();
        let current = current.as_ref()?;
        let now = self.clock.now();
        let good = current.from <= now && current.until.is_none_or(|until| now < until);
        good.then(|| current.credential.clone())
    }

    /// One look at the machine. Where it wants something done, a task of its own sets about it.
    pub(super) fn look(self: &Arc<Self>) -> Access {
        let access = self.ask(TokenMachine::access);
        self.set_about();
        match access {
            // Not the last word: the store is being read again.
            Access::LoginRequired(Reason::InvalidGrant { .. } | Reason::NoAnswer) if self.driven().busy => {
                Access::Pending
            }
            access => access,
        }
    }

    /// Tells whether nothing is under way, and the newest tokens are stored.
    pub(super) fn is_at_rest(&self) -> bool {
        let driven = self.driven();
        !driven.busy && driven.machine.is_stored()
    }

    pub(super) fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + '_ {
        self.clock.sleep(duration)
    }

    pub(super) fn begin_logout(self: &Arc<Self>) {
        self.driven().logout = None;
        self.handle(Input::LogOut);
        self.set_about();
    }

    pub(super) fn logout(&self) -> Option<Result<bool, AuthError>> {
        self.driven().logout.clone()
    }

    fn set_about(self: &Arc<Self>) {
        if let Some(output) = self.resume() {
            task::detach(Arc::clone(self).drive(output));
        }
    }

    pub(super) fn failed(&self, failure: &Failure) -> AuthError {
        self.driven().broken.clone().unwrap_or_else(|| AuthError::Renewal {
            reason: failure.source().map_or_else(|| failure.to_string(), ToString::to_string),
            retryable: failure.is_retryable(),
            retry_after: failure.retry_after(),
        })
    }

    /// Holds the machine, as whoever drives it does.
    #[cfg(test)]
    pub(super) fn hold(&self) -> impl Sized + '_ {
        self.driven()
    }

    /// Does what the machine says, and comes back when it asks to be woken. Runs detached from every caller.
    async fn drive(self: Arc<Self>, mut output: Output) {
        loop {
            let Some(wake_at) = self.work(output).await else { return };
            let wait = wake_at.duration_since(self.clock.now()).unwrap_or_default();
            self.clock.sleep(wait).await;
            match self.resume() {
                Some(next) => output = next,
                None => return,
            }
        }
    }

    /// Does what the machine says until it has nothing left to do now; gives when it wants to be asked again.
    async fn work(self: &Arc<Self>, mut output: Output) -> Option<SystemTime> {
        let mut lock = self.driven().kept.take();
        loop {
            match output {
                Output::Transmit { exchange, request } => {
                    let (sent_at, result) = self.transmit(exchange, request, &mut lock).await;
                    self.handle(Input::Response { exchange, sent_at, result });
                    self.clear().await;
                }
                Output::Store { generation, snapshot } => {
                    let shared = Arc::clone(self);
                    let saved = whole(async move { shared.save(snapshot).await }).await;
                    self.handle(Input::Stored { generation, ok: saved.is_ok() });
                    if let Err(AuthError::Store(StoreError::Superseded { .. })) = saved {
                        // The lock was lost, and what is stored is somebody's newer session.
                        lock = None;
                        let shared = Arc::clone(self);
                        let _ = whole(async move { shared.adopt().await }).await;
                    }
                }
                Output::Remove => {
                    let outcome = self.remove(&mut lock).await;
                    let ok = outcome.is_ok();
                    if let Err(error) = outcome {
                        complain(&error, "the stored session could not be removed");
                        self.driven().logout = Some(Err(error));
                    }
                    self.handle(Input::Removed { ok });
                }
                Output::Event(event) => {
                    self.tell(&event);
                    if let Event::LoginRequired(Reason::InvalidGrant { .. } | Reason::NoAnswer) = event {
                        self.look_again().await;
                    }
                }
                Output::Idle { wake_at } => {
                    self.changed.notify_waiters();
                    return wake_at;
                }
            }
            self.changed.notify_waiters();
            let now = self.clock.now();
            let mut driven = self.driven();
            output = driven.machine.poll(now);
            if matches!(output, Output::Idle { .. }) {
                // Given up together: whoever looks next finds nobody at work, and a store that is free or safe.
                driven.busy = false;
                driven.kept = lock.take().filter(|_| !driven.machine.is_stored());
            }
        }
    }

    /// Sets to work again, unless somebody has or there is nothing to do.
    fn resume(&self) -> Option<Output> {
        let now = self.clock.now();
        let mut driven = self.driven();
        if driven.busy {
            return None;
        }
        match driven.machine.poll(now) {
            Output::Idle { .. } => None,
            output => {
                driven.busy = true;
                Some(output)
            }
        }
    }

    /// Sends an exchange under the store's lock, unless another process has meanwhile done the same.
    async fn transmit(
        self: &Arc<Self>,
        exchange: ExchangeId,
        request: http::Request<Bytes>,
        lock: &mut Option<StoreLock>,
    ) -> (SystemTime, Result<http::Response<Bytes>, SendFailure>) {
        let unsent = (self.clock.now(), Err(SendFailure::NotSent));
        let refresher = self.driven().refresher.clone();
        if let Some(refresher) = refresher.filter(|_| self.driven().machine.spends(exchange).is_some()) {
            // It takes the lock itself.
            drop(lock.take());
            return (self.clock.now(), self.delegate(refresher, exchange).await);
        }
        if lock.is_none() {
            let shared = Arc::clone(self);
            match whole(async move { shared.locked(Some(exchange)).await }).await {
                Ok(held) => *lock = held,
                Err(error) => {
                    complain(&error, "the session's store cannot be used; nothing was sent");
                    self.driven().broken = Some(error);
                    return unsent;
                }
            }
            self.driven().broken = None;
        }
        if !self.driven().machine.wants(exchange) {
            // Another process did it; the machine still has to hear that this exchange is over.
            return unsent;
        }
        let spending = self.driven().machine.spends(exchange).cloned();
        if let Some(spending) = spending
            && let Err(error) = self.prepare(spending).await
        {
            complain(&error, "the renewed session could not be stored; nothing was sent");
            if let AuthError::Store(StoreError::Superseded { .. }) = error {
                *lock = None;
            }
            self.driven().broken = Some(error);
            return unsent;
        }
        let shared = Arc::clone(self);
        // Not before the wait for the lock: the answer's `Date` is measured against this.
        let sent_at = self.clock.now();
        let sent = guarded(async move { shared.exchange(request).await }).await;
        (sent_at, sent.unwrap_or(Err(SendFailure::MaybeSent)))
    }

    pub(super) fn generation(&self) -> Option<u64> {
        self.driven().machine.snapshot().map(|snapshot| snapshot.generation)
    }

    /// Removes the stored session under the store's lock, which somebody who renews may hold.
    async fn remove(self: &Arc<Self>, lock: &mut Option<StoreLock>) -> Result<(), AuthError> {
        if lock.is_none() {
            let shared = Arc::clone(self);
            *lock = whole(async move { shared.locked(None).await }).await?;
        }
        let store = Arc::clone(&self.store);
        whole(async move { Ok((*store).remove().await?) }).await
    }

    fn tell(&self, event: &Event) {
        match event {
            Event::StoreFailed { .. } | Event::RemoveFailed => tracing::error!(%event, "session"),
            Event::ClockSkew { .. } | Event::RevocationFailed(_) | Event::LoginRequired(_) => {
                tracing::warn!(%event, "session");
            }
            _ => tracing::info!(%event, "session"),
        }
        match event {
            Event::Refreshed { .. } => self.renewals.tell(None),
            Event::RefreshFailed(_) => self.renewals.tell(Some("failed")),
            Event::LoginRequired(Reason::InvalidGrant { .. }) => self.renewals.tell(Some("invalid_grant")),
            Event::LoginRequired(Reason::NoAnswer) => self.renewals.tell(Some("no_answer")),
            Event::LoggedOut { revoked } => self.driven().logout = Some(Ok(*revoked)),
            _ => {}
        }
    }

    /// Makes sure that the answer can be stored, and hears whether somebody may have spent this refresh token before.
    async fn prepare(self: &Arc<Self>, spending: Snapshot) -> Result<(), AuthError> {
        let generation = spending.generation;
        let now = self.clock.now();
        let deadline = now.checked_add(EXCHANGE_TIMEOUT).unwrap_or(now);
        let store = Arc::clone(&self.store);
        let sending = whole(async move { Ok((*store).prepare(spending, deadline).await?) }).await?;
        self.driven().noted = true;
        if sending == Sending::Again {
            self.handle(Input::MaybeSpent { generation });
        }
        Ok(())
    }

    /// Takes back the note of an exchange that is over, unless the refresh token may have been used up. Storing takes it
    /// back too.
    async fn clear(self: &Arc<Self>) {
        let settled = {
            let mut driven = self.driven();
            let open = driven.machine.maybe_spent() || !driven.machine.is_stored();
            std::mem::take(&mut driven.noted) && !open
        };
        if !settled {
            return;
        }
        let store = Arc::clone(&self.store);
        if let Err(error) = whole(async move { Ok((*store).cancel().await?) }).await {
            tracing::warn!(%error, "the store's note of a renewal could not be taken back");
        }
    }

    /// The store's lock, and what is newer in the store; none where `exchange` has become needless meanwhile.
    async fn locked(&self, exchange: Option<ExchangeId>) -> Result<Option<StoreLock>, AuthError> {
        let needless = |id: ExchangeId| !self.driven().machine.wants(id);
        let lock = (*self.store).lock();
        tokio::pin!(lock);
        let held = loop {
            tokio::select! {
                biased;
                held = &mut lock => break held?,
                () = self.clock.sleep(WATCH) => {}
            }
            // Whoever has the lock may have stored what this one waits for, and be in no hurry to give it up.
            self.adopt().await?;
            if exchange.is_some_and(needless) {
                return Ok(None);
            }
        };
        // What somebody has removed is not brought back by a renewal.
        if !self.adopt().await? && exchange.is_some() {
            let reason = "the stored session is gone; log in again".into();
            return Err(AuthError::LoginRequired { reason, maybe_consumed: false });
        }
        Ok(Some(held))
    }

    /// Looks whether another program has what this one lost, at once and a little later.
    async fn look_again(self: &Arc<Self>) {
        let before = self.generation();
        for wait in [Duration::ZERO, SECOND_LOOK] {
            if wait > Duration::ZERO {
                self.clock.sleep(wait).await;
            }
            let shared = Arc::clone(self);
            if let Err(error) = whole(async move { shared.adopt().await }).await {
                tracing::warn!(%error, "the store could not be read again");
            }
            if self.generation() != before {
                return;
            }
        }
    }

    /// Reads the store again, and takes over what is newer there; `false` where there is nothing.
    pub(super) async fn adopt(&self) -> Result<bool, AuthError> {
        let Some(snapshot) = (*self.store).load().await? else { return Ok(false) };
        self.handle(Input::Adopt(snapshot));
        Ok(true)
    }

    async fn save(&self, snapshot: Snapshot) -> Result<(), AuthError> {
        let saved = (*self.store).save(snapshot).await;
        if let Err(error) = &saved {
            complain(error, "the renewed session could not be stored; it goes on in memory");
        }
        Ok(saved?)
    }

    /// Sends one exchange and reads its answer, within a time of its own.
    async fn exchange(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, SendFailure> {
        let sent = async {
            let response = self.backend.send(request).await.map_err(|error| match error.reach() {
                Reach::NotSent => SendFailure::NotSent,
                _ => SendFailure::MaybeSent,
            })?;
            let (head, body) = response.into_parts();
            let body = body.collect(ANSWER_LIMIT).await.map_err(|_| SendFailure::MaybeSent)?;
            Ok(http::Response::from_parts(head, body))
        };
        tokio::select! {
            result = sent => result,
            () = self.clock.sleep(EXCHANGE_TIMEOUT) => Err(SendFailure::MaybeSent),
        }
    }
}

/// Says what went wrong with the store, and what that means. One event for all: each is much code.
#[cold]
fn complain(error: &dyn Error, what: &'static str) {
    tracing::error!(%error, "{what}");
}

/// As [`guarded`], for what a store does.
fn whole<T: Send + 'static>(
    work: impl Future<Output = Result<T, AuthError>> + Send + 'static,
) -> impl Future<Output = Result<T, AuthError>> {
    let running = guarded(work);
    async move {
        let outcome = running.await;
        outcome.unwrap_or_else(|| Err(StoreError::Other("the token store panicked".into()).into()))
    }
}

/// Runs what is somebody else's code in a task of its own: `None` where it panics, so that the waiters are told rather
/// than left waiting.
fn guarded<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Running<T> {
    task::run(work)
}
