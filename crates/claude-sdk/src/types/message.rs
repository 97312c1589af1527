//! Messages, received and sent.

use serde_json::Map;

use super::block::{ContentBlock, ContentBlockParam, ToolUseBlock};
use super::content::Content;
use super::model::Model;
use super::wire::Nulls;

object! {
    /// A reply of the model (`POST /v1/messages`).
    Message {
        /// The id of the message.
        id: String,
        /// What kind of object this is; the service always says.
        kind as "type": Option<MessageKind>,
        /// Whose message it is: the assistant's.
        role: Role,
        /// The model that answered.
        model: Model,
        /// What it said.
        content: Vec<ContentBlock>,
        /// Why it stopped; `None` only while the reply is being streamed.
        stop_reason: Option<StopReason>,
        /// The stop sequence it met, if that is why it stopped.
        stop_sequence: Option<String>,
        /// What the request cost.
        usage: Usage,
    }
}

impl Message {
    /// All the text of the reply, joined without a separator.
    #[must_use]
    pub fn text(&self) -> String {
        self.content.iter().filter_map(ContentBlock::as_text).collect()
    }

    /// The calls of tools in the reply, each of which wants an answer.
    pub fn tool_uses(&self) -> impl Iterator<Item = &ToolUseBlock> {
        self.content
            .iter()
            .filter_map(|block| if let ContentBlock::ToolUse(call) = block { Some(call) } else { None })
    }

    /// The message as part of the next request, with every block as it came.
    #[must_use]
    pub fn to_param(&self) -> MessageParam {
        let blocks = self.content.iter().cloned().map(ContentBlockParam::from).collect::<Vec<_>>();
        MessageParam::new(self.role.clone(), blocks)
    }
}

object! {
    /// A message of a request.
    MessageParam {
        /// Whose message it is.
        role: Role,
        /// What it says.
        content: Content,
    }
}

impl MessageParam {
    /// A message of the role given.
    #[must_use]
    pub fn new(role: Role, content: impl Into<Content>) -> Self {
        Self { role, content: content.into(), extra: Map::new(), nulls: Nulls::default() }
    }

    /// A message of the user.
    #[must_use]
    pub fn user(content: impl Into<Content>) -> Self {
        Self::new(Role::User, content)
    }

    /// A message of the assistant.
    #[must_use]
    pub fn assistant(content: impl Into<Content>) -> Self {
        Self::new(Role::Assistant, content)
    }

    /// A message of the system, in the middle of a conversation; needs API version 2026-10-21.
    #[must_use]
    pub fn system(content: impl Into<Content>) -> Self {
        Self::new(Role::System, content)
    }
}

impl From<Message> for MessageParam {
    fn from(message: Message) -> Self {
        let blocks = message.content.into_iter().map(ContentBlockParam::from).collect::<Vec<_>>();
        Self::new(message.role, blocks)
    }
}

open_enum! {
    /// What kind of object a [`Message`] is.
    MessageKind {
        /// A message.
        Message = "message",
    }
}

open_enum! {
    /// Whose message it is.
    Role {
        /// The user's.
        User = "user",
        /// The model's.
        Assistant = "assistant",
        /// The system's; in requests, since API version 2026-10-21.
        System = "system",
    }
}

open_enum! {
    /// Why the model stopped.
    StopReason {
        /// It had said what it had to say.
        EndTurn = "end_turn",
        /// The request's `max_tokens` were used up.
        MaxTokens = "max_tokens",
        /// It met one of the request's stop sequences.
        StopSequence = "stop_sequence",
        /// It wants tools called.
        ToolUse = "tool_use",
        /// It paused a long turn; send the reply back to let it go on.
        PauseTurn = "pause_turn",
        /// It declined to answer.
        Refusal = "refusal",
        /// The context window is full.
        ModelContextWindowExceeded = "model_context_window_exceeded",
    }
}

object! {
    /// What a request cost, in tokens.
    ///
    /// What was sent is the sum of `input_tokens`, `cache_creation_input_tokens` and `cache_read_input_tokens`.
    Usage {
        /// Tokens read that were neither written to nor read from the cache.
        input_tokens: u64,
        /// Tokens generated.
        output_tokens: u64,
        /// Tokens written to the cache.
        cache_creation_input_tokens: Option<u64>,
        /// Tokens read from the cache.
        cache_read_input_tokens: Option<u64>,
        /// The tokens written to the cache, by how long they live there.
        cache_creation: Option<CacheCreation>,
        /// Which tier served the request.
        service_tier: Option<ServiceTier>,
    }
}

object! {
    /// Tokens written to the cache, by how long they live there.
    CacheCreation {
        /// Tokens that live for five minutes.
        ephemeral_5m_input_tokens: u64,
        /// Tokens that live for an hour.
        ephemeral_1h_input_tokens: u64,
    }
}

open_enum! {
    /// A tier of service (API documentation: service tiers).
    ServiceTier {
        /// The usual one.
        Standard = "standard",
        /// With committed capacity.
        Priority = "priority",
        /// For batches.
        Batch = "batch",
    }
}

object! {
    /// What has changed in the [`Usage`] since a stream began; every count is a total, not an increment.
    UsageDelta {
        /// As [`Usage::input_tokens`].
        input_tokens: Option<u64>,
        /// As [`Usage::output_tokens`].
        output_tokens: Option<u64>,
        /// As [`Usage::cache_creation_input_tokens`].
        cache_creation_input_tokens: Option<u64>,
        /// As [`Usage::cache_read_input_tokens`].
        cache_read_input_tokens: Option<u64>,
        /// As [`Usage::cache_creation`].
        cache_creation: Option<CacheCreation>,
        /// As [`Usage::service_tier`].
        service_tier: Option<ServiceTier>,
    }
}

object! {
    /// What changes in a [`Message`] towards the end of its stream.
    MessageChange {
        /// Why the model stopped.
        stop_reason: Option<StopReason>,
        /// The stop sequence it met, if that is why it stopped.
        stop_sequence: Option<String>,
    }
}

serde_object!(CacheCreation, Message, MessageChange, MessageParam, Usage, UsageDelta);
