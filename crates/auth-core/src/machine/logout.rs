//! Giving the tokens back, and forgetting them.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::Response;

use super::{
    Event, Failure, Flight, Health, Output, SendFailure, Storing, TokenMachine, Troubles, failure::Cause,
    policy::Deadline,
};
use crate::{ExchangeError, Snapshot, TokenKind, exchange};

/// How often a token is sent to be revoked: whoever logs out is waiting.
const TRIES: u32 = 2;

/// A logout under way.
#[derive(Debug)]
pub(super) struct Leaving {
    /// What is given back next: the refresh token first, since the login lives as long as it does (C98).
    next: Option<TokenKind>,
    /// How often that was tried.
    tries: u32,
    retry: Option<Deadline>,
    /// The removal under way is of these tokens, not of those before them.
    removing: bool,
    /// Whether everything so far was revoked.
    revoked: bool,
    /// How often removing failed.
    failures: u32,
}

impl Leaving {
    /// Begins with the tokens that can be given back, if there are any.
    fn new(revocable: Option<&Snapshot>) -> Self {
        let next = revocable.map(|snapshot| match snapshot.refresh_token {
            Some(_) => TokenKind::RefreshToken,
            None => TokenKind::AccessToken,
        });
        Self { next, tries: 0, retry: None, removing: false, revoked: next.is_some(), failures: 0 }
    }

    pub(super) fn waits_until(&self, now: SystemTime) -> Option<SystemTime> {
        self.retry?.pending(now)
    }
}

impl TokenMachine {
    pub(super) fn log_out(&mut self) {
        if self.leaving.is_none() {
            self.leave();
        }
    }

    /// Begins a logout, or begins it anew with other tokens.
    pub(super) fn leave(&mut self) {
        let revocable = self.server.revocation_endpoint().and(self.snapshot());
        let mut leaving = Leaving::new(revocable);
        // What was not given back stays so, whatever comes after it; nor is it known what a lost answer brought.
        let before = self.leaving.as_ref().is_none_or(|leaving| leaving.revoked);
        leaving.revoked &= before && !self.troubles.doubtful;
        self.leaving = Some(leaving);
        self.lease = None;
        self.wanted = false;
        self.storing.due = false;
        self.storing.retry = None;
    }

    /// Says what a logout needs next.
    pub(super) fn go(&mut self, now: SystemTime) -> Option<Output> {
        let leaving = self.leaving.as_ref()?;
        // A refresh in flight may bring the tokens that have to be given back.
        let waits = self.flight.is_some() || self.storing.waiting.is_some() || self.storing.removing;
        if waits || leaving.waits_until(now).is_some() {
            return None;
        }
        self.revoke().or_else(|| self.remove())
    }

    fn remove(&mut self) -> Option<Output> {
        self.leaving.as_mut()?.removing = true;
        self.storing.removing = true;
        Some(Output::Remove)
    }

    fn revoke(&mut self) -> Option<Output> {
        let kind = self.leaving.as_ref()?.next?;
        let snapshot = self.snapshot()?;
        let generation = snapshot.generation;
        let token = match kind {
            TokenKind::RefreshToken => snapshot.refresh_token.as_ref()?,
            TokenKind::AccessToken => &snapshot.access_token,
        };
        let (request, asked) = exchange::revoke(&self.server, &self.client, token, kind)?;
        let asked = asked.hiding(&snapshot.access_token).hiding(snapshot.key());
        let exchange = self.next_exchange();
        self.flight = Some(Flight { exchange, asked, generation });
        Some(Output::Transmit { exchange, request })
    }

    /// Takes in what became of an exchange that ended during a logout.
    pub(super) fn left(
        &mut self,
        flight: &Flight,
        result: Result<Response<Bytes>, SendFailure>,
        asked_at: SystemTime,
        now: SystemTime,
    ) {
        if !flight.asked.is_revocation() {
            return self.renewed_too_late(flight, result, asked_at, now);
        }
        if self.is_superseded(flight) {
            return;
        }
        let refusal = match result {
            Ok(response) => {
                let answer = exchange::revocation(&flight.asked, &response, self.skew.correct(now));
                answer.map_err(Refusal::of)
            }
            Err(failure) => Err(Refusal { cause: Cause::Send(failure), wait: Some(Duration::ZERO) }),
        };
        match refusal {
            Ok(()) => self.given_back(),
            Err(refusal) => self.not_given_back(refusal, now),
        }
    }

    /// Takes in a renewal that was under way: what it brought is what has to be given back.
    fn renewed_too_late(
        &mut self,
        flight: &Flight,
        result: Result<Response<Bytes>, SendFailure>,
        asked_at: SystemTime,
        now: SystemTime,
    ) {
        let superseded = self.is_superseded(flight);
        let certain = match result.map(|response| self.read(&flight.asked, &response, asked_at)) {
            Ok(Ok(tokens)) if !superseded => {
                self.refreshed(tokens, now);
                return self.leave();
            }
            // Tokens that nobody holds, or may be out there: the server cannot be asked about them.
            Ok(Ok(_)) | Err(SendFailure::MaybeSent) => false,
            Ok(Err(error)) => matches!(error, ExchangeError::Refused { .. }),
            Err(SendFailure::NotSent) => true,
        };
        if let Some(leaving) = &mut self.leaving {
            leaving.revoked &= certain;
        }
    }

    fn given_back(&mut self) {
        let Some(leaving) = &mut self.leaving else { return };
        leaving.tries = 0;
        leaving.next = match leaving.next {
            Some(TokenKind::RefreshToken) => Some(TokenKind::AccessToken),
            _ => None,
        };
    }

    fn not_given_back(&mut self, Refusal { cause, wait }: Refusal, now: SystemTime) {
        let Some(leaving) = &mut self.leaving else { return };
        leaving.tries = leaving.tries.saturating_add(1);
        let soon = |at_least: &Duration| *at_least <= self.policy.backoff_cap;
        if let Some(at_least) = wait.filter(soon).filter(|_| leaving.tries < TRIES) {
            let wait = self.policy.backoff(leaving.tries).max(self.policy.jittered(at_least));
            leaving.retry = Some(Deadline::after(wait, now));
            return;
        }
        leaving.revoked = false;
        // A server that cannot be reached is not asked for the other token; one that said no may still take it.
        let reached =
            matches!(&cause, Cause::Exchange(error) if error.code().is_some() && !error.is_retryable());
        self.events.push_back(Event::RevocationFailed(Failure::of_revocation(cause)));
        if reached {
            self.given_back();
        } else {
            leaving.next = None;
        }
    }

    pub(super) fn removed(&mut self, ok: bool, now: SystemTime) {
        self.storing.removing = false;
        // Tokens that came since then are stored now, or have to be given back and removed themselves.
        let Some(leaving) = self.leaving.as_mut().filter(|leaving| leaving.removing) else { return };
        leaving.removing = false;
        if !ok {
            leaving.failures = leaving.failures.saturating_add(1);
            leaving.retry = Some(Deadline::after(self.policy.backoff(leaving.failures), now));
            self.events.push_back(Event::RemoveFailed);
            return;
        }
        self.events.push_back(Event::LoggedOut { revoked: leaving.revoked });
        if let Some(held) = self.held.take() {
            self.spent.add(Some(held.snapshot.key()));
        }
        self.leaving = None;
        self.health = Health::Well;
        self.troubles = Troubles::default();
        self.rejections = 0;
        self.stillborn = 0;
        self.storing = Storing::default();
    }
}

/// Why a token was not given back, and whether it may be tried again.
struct Refusal {
    cause: Cause,
    wait: Option<Duration>,
}

impl Refusal {
    fn of(error: ExchangeError) -> Self {
        let wait = error.is_retryable().then(|| error.retry_after().unwrap_or_default());
        Self { cause: Cause::Exchange(Arc::new(error)), wait }
    }
}
