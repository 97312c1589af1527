//! What is sent: requests for a message, and for a count of tokens.

use serde::{Serialize, Serializer, de::Error as _};
use serde_json::Value;

mod context;
mod count;
mod fallback;
mod output;
mod place;
mod thinking;

use super::cache::CacheControl;
use super::content::Content;
use super::message::{MessageParam, Speed};
use super::model::Model;
use super::tool::{Tool, ToolChoice};
use super::wire::{Care, Fit, Lead, Object};
use crate::unique;

pub use context::{
    ClearInputs, CompactionConfig, ContextEdit, ContextEditKind, ContextManagement, Keep, Threshold,
    ThresholdKind,
};
pub use count::{CountTokensRequest, TokenCount};
pub use fallback::{CreditMode, Fallback, FallbackCreditToken, Fallbacks, IssuedCredit};
pub use output::{Effort, OutputConfig, OutputFormat, TaskBudget};
pub use place::{
    AuthorizationToken, BillTo, BillingPolicy, ContainerConfig, ContainerParam, DiagnosticsParam, McpServer,
    McpToolConfiguration, Thread, ThreadKind,
};
pub use thinking::{BlockBinding, PrefixMismatch, Thinking, ThinkingDisplay, ThinkingKind};

object! {
    /// A request for a message (`POST /v1/messages`).
    ///
    /// Whether the reply is streamed is decided by the client's method, not here: a `stream` in `extra` is not sent.
    ///
    /// Read from JSON by serde, it keeps whatever it does not understand, as all types here do: a conversation that was stored
    /// comes back as it was. What a person wrote is better read with [`from_json`](Self::from_json), which names what is wrong.
    ///
    /// What most requests do without is in boxes, so that one is moved at little cost; the methods of the fields' names fill them.
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
        tool_choice: Option<Box<ToolChoice>>,
        /// Whether and how much it thinks first.
        thinking: Option<Box<Thinking>>,
        /// Texts at which it stops.
        stop_sequences: Option<Vec<String>>,
        /// What the service should know about the request.
        metadata: Option<Box<Metadata>>,
        /// Keeps the whole request in the cache, up to its last block that may be kept.
        cache_control: Option<Box<CacheControl>>,
        /// How much effort the model makes, and in which form it answers.
        output_config: Option<Box<OutputConfig>>,
        /// The container that code runs in; a new one where unset.
        container: Option<Box<ContainerParam>>,
        /// Asks why the cache does not help.
        diagnostics: Option<Box<DiagnosticsParam>>,
        /// Where the model is to run.
        inference_geo: Option<String>,
        /// Which tier may serve the request.
        service_tier: Option<RequestedTier>,
        /// How fast it is served.
        speed: Option<Speed>,
        /// Who pays; a beta.
        billing_policy: Option<Box<BillingPolicy>>,
        /// Shortens the conversation in place of answering it; a beta.
        compaction: Option<Box<CompactionConfig>>,
        /// What the service may leave out of the conversation; a beta.
        context_management: Option<Box<ContextManagement>>,
        /// The credit of a refused request; a beta.
        fallback_credit_token: Option<Box<FallbackCreditToken>>,
        /// Models that answer where this one declines; a beta.
        fallbacks: Option<Fallbacks>,
        /// MCP servers whose tools the service may call; a beta.
        mcp_servers: Option<Vec<McpServer>>,
        /// Lets the service keep the conversation; a beta.
        thread: Option<Box<Thread>>,
    }

    fn of(model: Model, max_tokens: u32, messages: Vec<MessageParam>);
}

setters! {
    MessageRequest {
        system: impl Into<Content>,
        tool_choice: ToolChoice,
        thinking: Thinking,
        cache_control: CacheControl,
        diagnostics: DiagnosticsParam,
        inference_geo: impl Into<String>,
        service_tier: RequestedTier,
        speed: Speed,
        billing_policy: BillingPolicy,
        compaction: CompactionConfig,
        context_management: ContextManagement,
        fallbacks: impl Into<Fallbacks>,
        thread: Thread,
    }
}

impl MessageRequest {
    /// A request without messages yet.
    #[must_use]
    pub fn new(model: impl Into<Model>, max_tokens: u32) -> Self {
        Self::of(model.into(), max_tokens, Vec::new())
    }

    /// Reads a request that somebody wrote as JSON.
    ///
    /// It is stricter than [`serde_json::from_str`], which keeps what it does not understand: a member that is known here
    /// and of another shape, at any depth, is refused before the service does it, and so is a member that is there twice. What is
    /// not known here is kept.
    ///
    /// ```
    /// use claude_sdk::types::MessageRequest;
    ///
    /// let json = r#"{"model": "claude-opus-5-5", "max_tokens": 100, "messages": [
    ///     {"role": "user", "content": [{"type": "text", "text": 5}]}]}"#;
    /// let error = MessageRequest::from_json(json.as_bytes()).unwrap_err();
    /// assert_eq!(error.to_string(), "`messages[0].content[0].text` is a number, not a string");
    /// ```
    ///
    /// # Errors
    ///
    /// It is no JSON, or not of a request; the error names the place.
    pub fn from_json(json: &[u8]) -> Result<Self, serde_json::Error> {
        let mut json = serde_json::Deserializer::from_slice(json);
        let value = unique::value(&mut json)?;
        json.end()?;
        match Self::misfit(&value, Care::Known) {
            Some(misfit) => Err(serde_json::Error::custom(misfit)),
            None => serde_json::from_value(value),
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

    /// Adds a tool.
    #[must_use]
    pub fn tool(mut self, tool: Tool) -> Self {
        self.tools.get_or_insert_default().push(tool);
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
        self.metadata.get_or_insert_default().user_id = Some(id.into());
        self
    }

    /// Says how much effort the model makes.
    #[must_use]
    pub fn effort(mut self, effort: Effort) -> Self {
        self.output_config.get_or_insert_default().effort = Some(effort);
        self
    }

    /// Asks for an answer in JSON that follows a JSON Schema.
    #[must_use]
    pub fn output_schema(mut self, schema: impl Into<Value>) -> Self {
        self.output_config.get_or_insert_default().format = Some(OutputFormat::json_schema(schema));
        self
    }

    /// Sets the effort, the form of the answer and the budget at once.
    #[must_use]
    pub fn output_config(mut self, config: OutputConfig) -> Self {
        self.output_config = Some(config.into());
        self
    }

    /// Names the container that code runs in, or says what a new one has.
    #[must_use]
    pub fn container(mut self, container: impl Into<ContainerParam>) -> Self {
        self.container = Some(Box::new(container.into()));
        self
    }

    /// Gives the credit of a refused request; a beta.
    #[must_use]
    pub fn fallback_credit_token(mut self, token: impl Into<FallbackCreditToken>) -> Self {
        self.fallback_credit_token = Some(Box::new(token.into()));
        self
    }

    /// Adds an MCP server whose tools the service may call; a beta, and [`Tool::mcp_toolset`] says which.
    #[must_use]
    pub fn mcp_server(mut self, server: McpServer) -> Self {
        self.mcp_servers.get_or_insert_default().push(server);
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
    /// What the service should know about a request.
    ///
    /// Example: [`MessageRequest`](crate::types::MessageRequest).
    #[derive(Default)]
    Metadata {
        /// An opaque id of the end user.
        user_id: Option<String>,
    }
}

open_enum! {
    /// The tiers that may serve a request (API documentation: service tiers).
    ///
    /// Example: [`MessageRequest`](crate::types::MessageRequest).
    RequestedTier {
        /// The one with committed capacity, if there is any left.
        Auto = "auto",
        /// The usual one.
        StandardOnly = "standard_only",
    }
}

serde_object!(MessageRequest, Metadata);
