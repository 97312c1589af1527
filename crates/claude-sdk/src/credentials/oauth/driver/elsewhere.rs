//! A renewal that somebody else does, in place of an exchange of ours.
#![cfg_attr(
    not(feature = "refresher"),
    expect(dead_code, reason = "the feature `refresher` has the only one")
)]

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use auth_core::{ExchangeId, SendFailure};
use bytes::Bytes;

use super::{Shared, whole};
use crate::error::AuthError;

/// How long a renewal by somebody else may take, the wait for the lock included. It is not ended, only no longer waited for.
const RENEWAL_TIMEOUT: Duration = Duration::from_secs(60);

/// Renews what is stored, elsewhere: takes the store's lock, spends the refresh token, stores what comes.
#[async_trait]
pub(in super::super) trait Renew: fmt::Debug + Send + Sync {
    async fn renew(&self) -> Renewed;
}

/// How a renewal elsewhere ended, as far as it says.
#[derive(Debug)]
pub(in super::super) enum Renewed {
    /// The store has good tokens now.
    Well,
    /// Only a new login can help.
    Over,
    /// It did not do it; why, in a few words.
    Failed(String),
    /// It was ended from outside; the refresh token may be spent.
    Unknown,
}

impl Shared {
    /// Has somebody else renew what is stored, and takes that over.
    pub(super) async fn delegate(
        self: &Arc<Self>,
        refresher: Arc<dyn Renew>,
        exchange: ExchangeId,
    ) -> Result<http::Response<Bytes>, SendFailure> {
        self.driven().broken = None;
        let renewed = tokio::select! {
            renewed = refresher.renew() => renewed,
            () = self.clock.sleep(RENEWAL_TIMEOUT) => Renewed::Failed("it has not ended yet".into()),
        };
        let shared = Arc::clone(self);
        let adopted = whole(async move { shared.adopt().await }).await;
        let reason = match (renewed, adopted) {
            _ if !self.driven().machine.wants(exchange) => return Err(SendFailure::NotSent),
            (Renewed::Over, _) => return Ok(over()),
            (Renewed::Unknown, _) => return Err(SendFailure::MaybeSent),
            (Renewed::Well, Err(error)) => {
                self.driven().broken = Some(error);
                return Err(SendFailure::NotSent);
            }
            (Renewed::Well, Ok(_)) => "it ended well and stored nothing new".into(),
            (Renewed::Failed(reason), _) => reason,
        };
        let reason = format!("the command for it did not renew it: {reason}; run it by hand to see why");
        tracing::warn!(reason, "session");
        self.driven().broken = Some(AuthError::Renewal { reason, retryable: true, retry_after: None });
        Err(SendFailure::NotSent)
    }

    pub(in super::super) fn renew_by(&self, refresher: Arc<dyn Renew>) {
        self.driven().refresher = Some(refresher);
    }
}

/// What a server says of a refresh token that is no longer good.
fn over() -> http::Response<Bytes> {
    let mut response = http::Response::new(Bytes::from_static(br#"{"error":"invalid_grant"}"#));
    *response.status_mut() = http::StatusCode::BAD_REQUEST;
    response
}
