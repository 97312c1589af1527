//! Where answers are judged, whichever way they come: there is one login, and one end to it.

use std::sync::{Mutex, PoisonError};

use auth_core::{CallbackError, CallbackErrorKind, CodeGrant, PendingAuthorization};

/// The login while it waits, empty once it is over.
#[derive(Debug)]
pub(super) struct Desk(Mutex<Option<PendingAuthorization>>);

/// What an answer means for the login.
pub(super) enum Verdict {
    /// It is the answer, and holds the code.
    Accepted(Box<CodeGrant>),
    /// It is the answer, and says no.
    Ended(CallbackErrorKind),
    /// It is not this login's answer: the login goes on (C11, C12).
    Stranger(CallbackErrorKind),
    /// The login had its answer before.
    TooLate,
}

impl Desk {
    pub(super) fn new(pending: PendingAuthorization) -> Self {
        Self(Mutex::new(Some(pending)))
    }

    pub(super) fn judge(
        &self,
        read: impl FnOnce(PendingAuthorization) -> Result<CodeGrant, CallbackError>,
    ) -> Verdict {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(pending) = waiting.take() else { return Verdict::TooLate };
        let error = match read(pending) {
            Ok(grant) => return Verdict::Accepted(Box::new(grant)),
            Err(error) => error,
        };
        let kind = error.kind().clone();
        *waiting = error.into_pending();
        if waiting.is_some() { Verdict::Stranger(kind) } else { Verdict::Ended(kind) }
    }
}
