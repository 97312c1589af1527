//! A token on loan.

use std::{fmt, sync::Arc, time::SystemTime};

use secrecy::SecretString;

use crate::Snapshot;

/// An access token that may be used until a time.
///
/// It costs one reference count to clone. When a server refuses the token, hand its [`generation`](Self::generation)
/// back with [`Input::Rejected`](crate::Input::Rejected).
#[derive(Clone)]
pub struct Lease(Arc<Inner>);

struct Inner {
    access_token: SecretString,
    generation: u64,
    expires_at: Option<SystemTime>,
}

impl Lease {
    pub(super) fn of(snapshot: &Snapshot) -> Self {
        Self(Arc::new(Inner {
            access_token: snapshot.access_token.clone(),
            generation: snapshot.generation,
            expires_at: snapshot.expires_at,
        }))
    }

    /// Returns the same lease with another expiry.
    pub(super) fn expiring_at(&self, expires_at: Option<SystemTime>) -> Self {
        let Inner { access_token, generation, .. } = &*self.0;
        Self(Arc::new(Inner { access_token: access_token.clone(), generation: *generation, expires_at }))
    }

    /// Returns the token, for the `Authorization` header only.
    #[must_use]
    pub fn access_token(&self) -> &SecretString {
        &self.0.access_token
    }

    /// Returns the place of this lease in the order of its machine.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.0.generation
    }

    /// Returns when the token expires; `None` is a token to be used until it is refused.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.0.expires_at
    }

    /// Tells whether the token may still be used at this time.
    #[must_use]
    pub fn is_valid_at(&self, now: SystemTime) -> bool {
        self.0.expires_at.is_none_or(|expiry| now < expiry)
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("access_token", &self.0.access_token)
            .field("generation", &self.0.generation)
            .field("expires_at", &self.0.expires_at)
            .finish()
    }
}
