use std::{fmt, sync::Arc};

use async_trait::async_trait;
use auth_core::{CallbackErrorKind, CodeGrant};
use secrecy::{ExposeSecret as _, SecretString};

use super::desk::{Desk, Verdict};
use crate::error::LoginError;

/// Where a person pastes the answer that their browser got: lines of a terminal, a field of a window.
///
/// It is either the `code#state` that the last page shows, or the whole address of that page.
///
/// Example: [`login`](crate::login).
#[async_trait]
pub trait Paste: fmt::Debug + Send + Sync + 'static {
    /// Waits for the next text; `None` when no more will come.
    ///
    /// # Cancel safety
    ///
    /// The future is dropped when the login ends another way.
    async fn next(&self) -> Option<SecretString>;

    /// Tells the person why the last text was not the answer. The login waits for the next.
    fn refused(&self, reason: &CallbackErrorKind);
}

#[async_trait]
impl<P: Paste + ?Sized> Paste for Arc<P> {
    async fn next(&self) -> Option<SecretString> {
        (**self).next().await
    }

    fn refused(&self, reason: &CallbackErrorKind) {
        (**self).refused(reason);
    }
}

/// Reads what is pasted until `desk` has its answer.
pub(super) async fn receive(desk: &Desk, paste: &dyn Paste) -> Result<CodeGrant, LoginError> {
    while let Some(text) = paste.next().await {
        let text = text.expose_secret().trim();
        let is_address = text.starts_with("https://") || text.starts_with("http://");
        let verdict = desk.judge(|pending| match is_address {
            true => pending.complete(text),
            false => pending.complete_pasted(text),
        });
        match verdict {
            Verdict::Accepted(grant) => return Ok(*grant),
            Verdict::Ended(kind) => return Err(LoginError::Callback(kind)),
            Verdict::Stranger(kind) => paste.refused(&kind),
            // The redirect was faster, and goes on by itself.
            Verdict::TooLate => return std::future::pending().await,
        }
    }
    Err(LoginError::InputEnded)
}
