//! Batches of messages, and what became of each message.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _, ser::SerializeStruct as _};
use serde_json::Value;

use super::{
    Extra,
    error::ErrorBody,
    message::Message,
    request::MessageRequest,
    wire::{Care, Field, Misfit, Nulls},
};
use crate::unique;

/// One message of a batch, and the name by which its result is found again.
///
/// ```
/// use claude_sdk::types::{BatchRequest, MessageRequest, Model};
///
/// let request = MessageRequest::new(Model::CLAUDE_HAIKU_4_5, 100).user("Hello!");
/// let request = BatchRequest::new("greeting-1", request);
/// assert_eq!(
///     serde_json::to_value(&request)?,
///     serde_json::json!({"custom_id": "greeting-1", "params": {
///         "model": "claude-haiku-4-5", "max_tokens": 100, "messages": [{"role": "user", "content": "Hello!"}],
///     }}),
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct BatchRequest {
    /// The name: 1 to 64 letters, digits, hyphens and underscores, unique in the batch.
    pub custom_id: String,
    /// The message.
    pub params: MessageRequest,
}

impl BatchRequest {
    /// Names a message.
    #[must_use]
    pub fn new(custom_id: impl Into<String>, params: MessageRequest) -> Self {
        Self { custom_id: custom_id.into(), params }
    }
}

impl Serialize for BatchRequest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut request = serializer.serialize_struct("BatchRequest", 2)?;
        request.serialize_field("custom_id", &self.custom_id)?;
        request.serialize_field("params", &self.params.body(false))?;
        request.end()
    }
}

/// Stricter than [`MessageRequest`], because what people write is read by it, and a batch tells of a mistake hours later: a
/// known member of another shape is refused, and named by its path, such as `params.messages[2].content[0].text`, and so is a
/// member that is there twice. A `stream` is refused unless it is `false`: nothing would come of it.
impl<'de> Deserialize<'de> for BatchRequest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = unique::value(deserializer)?;
        let Value::Object(mut members) = read else {
            return Err(D::Error::custom(Misfit::kind(&read, "an object".to_owned())));
        };
        let custom_id = String::take(&mut members, "custom_id").map_err(D::Error::custom)?;
        if let Some(misfit) = <MessageRequest as Field>::misfit(&members, "params", Care::Known) {
            return Err(D::Error::custom(misfit));
        }
        let params = MessageRequest::take(&mut members, "params").map_err(D::Error::custom)?;
        if params.extra.get("stream").is_some_and(|stream| *stream != Value::Bool(false)) {
            return Err(D::Error::custom("`params.stream` is set, and a batch has no streams; leave it out"));
        }
        if let Some(name) = members.keys().next() {
            return Err(D::Error::custom(format!("`{name}` is no member of a batch's request")));
        }
        Ok(Self { custom_id, params })
    }
}

object! {
    /// A batch of messages (`GET /v1/messages/batches/{message_batch_id}`). Times are RFC 3339 text.
    ///
    /// Example: [`BatchJob`](crate::BatchJob).
    MessageBatch {
        /// The batch's identifier.
        id: String,
        /// How far it is.
        processing_status: BatchStatus,
        /// How many messages came to what. All are `processing` until the whole batch has ended.
        request_counts: BatchCounts,
        /// When it was created.
        created_at: Option<String>,
        /// When it ends in any case, a day after its creation.
        expires_at: Option<String>,
        /// When it ended.
        ended_at: Option<String>,
        /// When somebody asked to cancel it.
        cancel_initiated_at: Option<String>,
        /// When its results were thrown away.
        archived_at: Option<String>,
        /// Where its results are, once it has ended.
        results_url: Option<String>,
    }
}

impl MessageBatch {
    /// Whether every message of it has come to its end.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.processing_status == BatchStatus::Ended
    }
}

open_enum! {
    /// How far a batch is.
    ///
    /// Example: [`BatchJob`](crate::BatchJob).
    BatchStatus {
        /// Its messages are being answered.
        InProgress = "in_progress",
        /// Somebody asked to cancel it, and some messages are still being answered.
        Canceling = "canceling",
        /// Every message has come to its end.
        Ended = "ended",
    }
}

object! {
    /// How many messages of a batch came to what.
    ///
    /// Example: [`BatchJob`](crate::BatchJob).
    BatchCounts {
        /// Not at an end yet.
        processing: u64,
        /// Answered.
        succeeded: u64,
        /// Refused, or failed.
        errored: u64,
        /// Not begun when the batch was cancelled.
        canceled: u64,
        /// Not begun when the batch expired.
        expired: u64,
    }
}

impl BatchCounts {
    /// How many messages the batch has.
    #[must_use]
    pub fn total(&self) -> u64 {
        let counts = [self.processing, self.succeeded, self.errored, self.canceled, self.expired];
        counts.into_iter().fold(0, u64::saturating_add)
    }

    /// No message yet.
    pub(crate) fn none() -> Self {
        Self {
            processing: 0,
            succeeded: 0,
            errored: 0,
            canceled: 0,
            expired: 0,
            extra: Extra::new(),
            nulls: Nulls::default(),
        }
    }

    /// Adds those of another batch.
    pub(crate) fn add(&mut self, other: &Self) {
        for (sum, more) in [
            (&mut self.processing, other.processing),
            (&mut self.succeeded, other.succeeded),
            (&mut self.errored, other.errored),
            (&mut self.canceled, other.canceled),
            (&mut self.expired, other.expired),
        ] {
            *sum = sum.saturating_add(more);
        }
    }
}

object! {
    /// What became of one message of a batch: a line of its results.
    ///
    /// Example: [`BatchJob`](crate::BatchJob).
    BatchResult {
        /// The name that the message was given.
        custom_id: String,
        /// What became of it.
        result: BatchOutcome,
    }
}

tagged! {
    /// What became of a message.
    ///
    /// Example: [`BatchJob`](crate::BatchJob).
    BatchOutcome {
        /// It was answered.
        Succeeded(BatchSuccess) = "succeeded",
        /// It was refused, or failed.
        Errored(BatchFailure) = "errored",
        /// The batch was cancelled before the message was begun.
        Canceled(BatchCanceled) = "canceled",
        /// The batch expired before the message was begun.
        Expired(BatchExpired) = "expired",
    }
}

impl BatchOutcome {
    /// The answer, where there is one.
    #[must_use]
    pub fn message(&self) -> Option<&Message> {
        if let Self::Succeeded(success) = self { Some(&success.message) } else { None }
    }

    /// Why there is no answer, where the service says so.
    #[must_use]
    pub fn error(&self) -> Option<&ErrorBody> {
        if let Self::Errored(failure) = self { Some(&failure.error) } else { None }
    }
}

object! {
    /// A message of a batch that was answered.
    ///
    /// Example: [`BatchJob`](crate::BatchJob).
    BatchSuccess {
        /// The answer.
        message: Box<Message>,
    }
}

object! {
    /// A message of a batch that was refused, or failed.
    ///
    /// Example: [`BatchJob`](crate::BatchJob).
    BatchFailure {
        /// The error.
        error: ErrorBody,
    }
}

object! {
    /// A message of a batch that was cancelled.
    BatchCanceled {}
}

object! {
    /// A message of a batch that expired.
    BatchExpired {}
}

object! {
    /// What is left of something that was deleted.
    ///
    /// Example: [`BatchJob`](crate::BatchJob).
    Deleted {
        /// The identifier it had.
        id: String,
    }
}

serde_object!(MessageBatch, BatchCounts, BatchResult, Deleted);
