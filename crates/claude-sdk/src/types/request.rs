//! What is sent: requests for a message, and for a count of tokens.

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::content::Content;
use super::message::MessageParam;
use super::model::Model;
use super::tool::{Tool, ToolChoice};
use super::wire::{Lead, Nulls, Object};

object! {
    /// A request for a message (`POST /v1/messages`).
    ///
    /// Whether the reply is streamed is decided by the client's method, not here: a `stream` in `extra` is not sent.
    ///
    /// ```
    /// use claude_sdk::types::{MessageRequest, Model};
    ///
    /// let request = MessageRequest::new(Model::CLAUDE_OPUS_5_5, 1024).system("Be brief.").user("Why is the sky blue?");
    /// assert_eq!(
    ///     serde_json::to_value(&request)?,
    ///     serde_json::json!({
    ///         "model": "claude-opus-5-5",
    ///         "max_tokens": 1024,
    ///         "system": "Be brief.",
    ///         "messages": [{"role": "user", "content": "Why is the sky blue?"}],
    ///     }),
    /// );
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    MessageRequest {
        /// The model to answer.
        model: Model,
        /// How many tokens the reply may have at most; 0 only fills the cache.
        max_tokens: u32,
        /// The conversation so far.
        messages: Vec<MessageParam>,
        /// The system prompt.
        system: Option<Content>,
        /// The tools the model may call.
        tools: Option<Vec<Tool>>,
        /// Whether and which tools it is to call.
        tool_choice: Option<ToolChoice>,
        /// Whether and how much it thinks first.
        thinking: Option<Thinking>,
        /// Texts at which it stops.
        stop_sequences: Option<Vec<String>>,
        /// What the service should know about the request.
        metadata: Option<Metadata>,
    }
}

impl MessageRequest {
    /// A request without messages yet.
    #[must_use]
    pub fn new(model: impl Into<Model>, max_tokens: u32) -> Self {
        Self {
            model: model.into(),
            max_tokens,
            messages: Vec::new(),
            system: None,
            tools: None,
            tool_choice: None,
            thinking: None,
            stop_sequences: None,
            metadata: None,
            extra: Map::new(),
            nulls: Nulls::default(),
        }
    }

    /// Adds a message.
    ///
    /// A reply goes in as [`Message::to_param`](super::Message::to_param) or as it is.
    #[must_use]
    pub fn message(mut self, message: impl Into<MessageParam>) -> Self {
        self.messages.push(message.into());
        self
    }

    /// Adds a message of the user.
    #[must_use]
    pub fn user(self, content: impl Into<Content>) -> Self {
        self.message(MessageParam::user(content))
    }

    /// Adds a message of the assistant.
    #[must_use]
    pub fn assistant(self, content: impl Into<Content>) -> Self {
        self.message(MessageParam::assistant(content))
    }

    /// Sets the system prompt.
    #[must_use]
    pub fn system(mut self, content: impl Into<Content>) -> Self {
        self.system = Some(content.into());
        self
    }

    /// Adds a tool.
    #[must_use]
    pub fn tool(mut self, tool: Tool) -> Self {
        self.tools.get_or_insert_default().push(tool);
        self
    }

    /// Says whether and which tools the model is to call.
    #[must_use]
    pub fn tool_choice(mut self, choice: ToolChoice) -> Self {
        self.tool_choice = Some(choice);
        self
    }

    /// Says whether and how much the model thinks first.
    #[must_use]
    pub fn thinking(mut self, thinking: Thinking) -> Self {
        self.thinking = Some(thinking);
        self
    }

    /// Adds a text at which the model stops.
    #[must_use]
    pub fn stop_sequence(mut self, text: impl Into<String>) -> Self {
        self.stop_sequences.get_or_insert_default().push(text.into());
        self
    }

    /// Names the end user, by an opaque id: no name, no address.
    #[must_use]
    pub fn metadata_user_id(mut self, id: impl Into<String>) -> Self {
        self.metadata =
            Some(Metadata { user_id: Some(id.into()), extra: Map::new(), nulls: Nulls::default() });
        self
    }

    /// The body to send for a message, whole or streamed.
    pub(crate) fn body(&self, stream: bool) -> impl Serialize {
        Body { request: self, stream }
    }
}

/// A request together with the flag that the client owns.
struct Body<'a> {
    request: &'a MessageRequest,
    stream: bool,
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let value = self.stream.then_some(&Value::Bool(true));
        self.request.write(serializer, Some(Lead { name: "stream", value }))
    }
}

object! {
    /// A request for the number of tokens that a message request would send (`POST /v1/messages/count_tokens`).
    ///
    /// Made from a [`MessageRequest`], by leaving out what does not count.
    CountTokensRequest {
        /// The model whose tokens are counted.
        model: Model,
        /// The conversation so far.
        messages: Vec<MessageParam>,
        /// The system prompt.
        system: Option<Content>,
        /// The tools the model may call.
        tools: Option<Vec<Tool>>,
        /// Whether and which tools it is to call.
        tool_choice: Option<ToolChoice>,
        /// Whether and how much it thinks first.
        thinking: Option<Thinking>,
    }
}

/// Members of a message request that the count does not take. Any other in `extra` goes along.
const NOT_COUNTED: [&str; 11] = [
    "container",
    "diagnostics",
    "inference_geo",
    "max_tokens",
    "metadata",
    "service_tier",
    "stop_sequences",
    "stream",
    "temperature",
    "top_k",
    "top_p",
];

impl CountTokensRequest {
    /// What of a request counts, with more members that may.
    pub(crate) fn of(request: &MessageRequest, extra: &Map<String, Value>) -> Self {
        let mut request = request.clone();
        request.extra.extend(extra.clone());
        request.into()
    }
}

impl From<MessageRequest> for CountTokensRequest {
    fn from(request: MessageRequest) -> Self {
        let MessageRequest { model, messages, system, tools, tool_choice, thinking, mut extra, .. } = request;
        extra.retain(|name, _| !NOT_COUNTED.contains(&name.as_str()));
        Self { model, messages, system, tools, tool_choice, thinking, extra, nulls: Nulls::default() }
    }
}

impl From<&MessageRequest> for CountTokensRequest {
    fn from(request: &MessageRequest) -> Self {
        request.clone().into()
    }
}

object! {
    /// The number of tokens that a message request would send.
    TokenCount {
        /// The number of tokens.
        input_tokens: u64,
    }
}

object! {
    /// What the service should know about a request.
    Metadata {
        /// An opaque id of the end user.
        user_id: Option<String>,
    }
}

object! {
    /// Whether and how much the model thinks before it answers.
    Thinking {
        /// The kind of thinking.
        kind as "type": ThinkingKind,
        /// How many tokens it may think, for [`ThinkingKind::Enabled`]; at least 1024, and less than `max_tokens`.
        budget_tokens: Option<u32>,
    }
}

impl Thinking {
    /// The model thinks as much as it finds useful.
    #[must_use]
    pub fn adaptive() -> Self {
        Self { kind: ThinkingKind::Adaptive, budget_tokens: None, extra: Map::new(), nulls: Nulls::default() }
    }

    /// The model thinks, within a budget in tokens: at least 1024, and less than `max_tokens`.
    #[must_use]
    pub fn enabled(budget_tokens: u32) -> Self {
        Self {
            kind: ThinkingKind::Enabled,
            budget_tokens: Some(budget_tokens),
            extra: Map::new(),
            nulls: Nulls::default(),
        }
    }

    /// The model does not think first.
    #[must_use]
    pub fn disabled() -> Self {
        Self { kind: ThinkingKind::Disabled, budget_tokens: None, extra: Map::new(), nulls: Nulls::default() }
    }
}

open_enum! {
    /// The kinds of [`Thinking`].
    ThinkingKind {
        /// As much as the model finds useful.
        Adaptive = "adaptive",
        /// Within a budget.
        Enabled = "enabled",
        /// Between calls of tools.
        BetweenTools = "between_tools",
        /// Not at all.
        Disabled = "disabled",
    }
}

serde_object!(MessageRequest, CountTokensRequest, TokenCount, Metadata, Thinking);
