//! Refresh tokens, which are good for one exchange.

use std::time::Duration;

use super::{Denied, Grants, Issued};
use crate::mint::Mint;
use crate::state::Lifetimes;

pub(super) struct RefreshToken {
    pub(super) family: u64,
    pub(super) until: Duration,
    spent: Option<Spent>,
}

/// When it was exchanged, and for what.
struct Spent {
    at: Duration,
    successor: Issued,
}

impl RefreshToken {
    pub(super) fn new(family: u64, until: Duration) -> Self {
        Self { family, until, spent: None }
    }
}

impl Grants {
    /// Rotates a refresh token. A spent one gives its successor again inside the reuse window; after it the token is
    /// refused, and its family ended (RFC 9700, section 4.14.2) where the settings say so.
    pub(crate) fn refresh(
        &mut self,
        now: Duration,
        mint: &mut Mint,
        life: Lifetimes,
        token: &str,
        scope: Option<Vec<String>>,
    ) -> Result<Issued, Denied> {
        let unknown = Denied::grant("the refresh token is unknown", None);
        let Some(known) = self.refresh.get(token) else { return Err(unknown) };
        let family_id = known.family;
        let Some(family) = self.families.get_mut(&family_id) else { return Err(unknown) };
        if family.revoked {
            return Err(Denied::grant("the refresh token was revoked", Some("family is revoked")));
        }
        if let Some(spent) = &known.spent {
            let in_window = now.saturating_sub(spent.at) < life.reuse_window;
            if in_window && now < spent.successor.until {
                let note = "refresh token reused inside the window, same successor";
                return Ok(Issued { note, ..spent.successor.clone() });
            }
            family.revoked = life.reuse_revokes;
            let note = if life.reuse_revokes {
                "refresh token reused, family revoked"
            } else {
                "refresh token reused"
            };
            return Err(Denied::grant("the refresh token was used before", Some(note)));
        }
        if now >= known.until {
            return Err(Denied::grant("the refresh token has expired", Some("refresh token expired")));
        }
        let scope = scope.unwrap_or_else(|| family.permission.scope.clone());
        if !scope.iter().all(|name| family.permission.scope.contains(name)) {
            return Err(Denied {
                error: "invalid_scope",
                description: "a refresh cannot ask for more than was allowed",
                note: None,
            });
        }
        let issued = self.issue(now, mint, life, family_id, scope, "refresh token rotated");
        if let Some(known) = self.refresh.get_mut(token) {
            known.spent = Some(Spent { at: now, successor: issued.clone() });
        }
        Ok(issued)
    }
}
