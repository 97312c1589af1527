//! Webhooks: who sent this, is it fresh, and what does it say.
//!
//! The service signs what it posts by the scheme of [Standard Webhooks](https://www.standardwebhooks.com): an HMAC of id,
//! time and body under a key that both sides know. Nothing of a body is to be believed before
//! [`SigningKey::verify`] has said so.
//!
//! ```
//! use std::time::{Duration, SystemTime};
//! use claude_sdk::{http::HeaderMap, webhooks::{SigningKey, WebhookEventType}};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let key = SigningKey::new("whsec_YWJhYWJhYWJhYWJhYWJhYWJhYWJhYWJh")?; // from the Console, by way of your secrets
//! # let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
//! # let body = br#"{"type":"event","id":"wevt_1","created_at":"2026-11-28T12:00:00Z","data":{"type":"session.idled","id":"sess_1"}}"#;
//! # let headers = key.sign("msg_1", now, body)?;
//! let event = key.verify(&headers, body, now)?; // `now` is the time on the clock
//! match event.data.kind {
//!     WebhookEventType::SessionIdled => println!("{} waits", event.data.id.as_deref().unwrap_or_default()),
//!     other => println!("{other} does not concern us"),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! A sender repeats what was not answered with a success. What has been handled already is told by
//! [`WebhookEvent::id`]: remember it for longer than the tolerance.

use http::HeaderMap;

use crate::types::from_bytes;

mod event;
mod key;

pub use event::{WebhookEvent, WebhookEventData, WebhookEventKind, WebhookEventType};
pub use key::SigningKey;

/// The longest body that is looked at, in bytes.
const BODY_LIMIT: usize = 1024 * 1024;

/// Reads an event without asking who sent it: for what was verified elsewhere, such as at a gateway.
///
/// # Errors
///
/// [`WebhookError::TooLarge`] and [`WebhookError::Json`].
#[inline]
pub fn parse_unverified(body: &[u8]) -> Result<WebhookEvent, WebhookError> {
    if body.len() > BODY_LIMIT {
        return Err(WebhookError::TooLarge);
    }
    from_bytes(body).map_err(|error| WebhookError::Json(place(&error)))
}

/// Where JSON is wrong, without what it says.
#[inline]
fn place(error: &serde_json::Error) -> String {
    crate::error::JsonError::from(error).to_string()
}

/// Why a webhook is not to be believed, or cannot be read. Answer it with 400, whichever it is.
///
/// Example: [`webhooks`](crate::webhooks).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookError {
    /// The signing key is none.
    #[error(
        "the signing key is not one: copy it again, `whsec_` and then Base64 (its value is not shown here)"
    )]
    Key,
    /// A header that the scheme needs is not there.
    #[error(
        "the header `{0}` is missing; pass on the headers as they came, and check that a webhook was sent here"
    )]
    Missing(&'static str),
    /// A header is there twice, or is not what the scheme wants.
    #[error("the header `{0}` is there more than once, is too long or is malformed")]
    Malformed(&'static str),
    /// The body is longer than an event ever is.
    #[error("the body is longer than 1 MiB, which no event is")]
    TooLarge,
    /// The webhook was signed too long ago: it may be a replay.
    #[error("the webhook was signed too long ago; check this machine's clock, or somebody plays it again")]
    TooOld,
    /// The webhook was signed in the future.
    #[error("the webhook was signed in the future; check this machine's clock")]
    TooNew,
    /// No signature is one of this key over this body.
    #[error(
        "no signature is right; check that the key is this endpoint's, and that the body is passed on byte for byte"
    )]
    Signature,
    /// The body is signed rightly and is no event.
    #[error("the body is no event: {0}")]
    Json(String),
}

/// The one value of a header, of at most `limit` bytes.
#[inline]
fn header<'a>(headers: &'a HeaderMap, name: &'static str, limit: usize) -> Result<&'a str, WebhookError> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().ok_or(WebhookError::Missing(name))?;
    let text = value.to_str().map_err(|_| WebhookError::Malformed(name))?;
    if values.next().is_some() || text.is_empty() || text.len() > limit {
        return Err(WebhookError::Malformed(name));
    }
    Ok(text)
}

#[cfg(test)]
mod tests;
