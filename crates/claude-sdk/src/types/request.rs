//! What is sent: requests for a message, and for a count of tokens.

use std::{
    fmt,
    ops::{Deref, DerefMut},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::Value;

mod context;
mod count;
mod fallback;
mod output;
mod place;
mod thinking;

use super::cache::CacheControl;
use super::content::Content;
use super::message::{MessageParam, Role, Speed};
use super::model::Model;
use super::tool::{Tool, ToolChoice};
use super::wire::{Care, Fit, Json, Lead, Misfit, Write, text_in};
use crate::{apart::Apart, unique};

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

/// A request for a message (`POST /v1/messages`).
///
/// Its fields are those of [`RequestFields`], read and written as if they were its own: `request.messages.push(…)`,
/// `request.system = None`. They are in a box, because there are many of them, and a request is moved with each call of a method
/// here.
///
/// Whether the reply is streamed is decided by the client's method, not here: a `stream` in `extra` is not sent.
///
/// Read from JSON by serde, it keeps whatever it does not understand, as all types here do: a conversation that was stored
/// comes back as it was. What a person wrote is better read with [`from_json`](Self::from_json), which names what is wrong.
///
/// ```
/// use claude_sdk::types::{MessageParam, MessageRequest, Model};
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
///
/// let mut request = request;
/// request.messages.push(MessageParam::assistant("Because of Rayleigh."));
/// request.max_tokens = 200;
/// assert_eq!((request.messages.len(), request.thinking.is_some()), (2, false));
/// # Ok::<(), serde_json::Error>(())
/// ```
pub struct MessageRequest(Apart<RequestFields>);

impl Deref for MessageRequest {
    type Target = RequestFields;

    fn deref(&self) -> &RequestFields {
        &self.0
    }
}

impl DerefMut for MessageRequest {
    fn deref_mut(&mut self) -> &mut RequestFields {
        &mut self.0
    }
}

impl Clone for MessageRequest {
    #[inline]
    fn clone(&self) -> Self {
        RequestFields::clone(self).into()
    }
}

impl fmt::Debug for MessageRequest {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MessageRequest").field(&**self).finish()
    }
}

impl PartialEq for MessageRequest {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl From<RequestFields> for MessageRequest {
    fn from(fields: RequestFields) -> Self {
        Self(Apart::new(Box::new(fields)))
    }
}

object! {
    /// What a [`MessageRequest`] says.
    ///
    /// Example: [`MessageRequest`].
    RequestFields {
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
        /// Keeps the whole request in the cache, up to its last block that may be kept.
        cache_control: Option<CacheControl>,
        /// How much effort the model makes, and in which form it answers.
        output_config: Option<OutputConfig>,
        /// The container that code runs in; a new one where unset.
        container: Option<ContainerParam>,
        /// Asks why the cache does not help.
        diagnostics: Option<DiagnosticsParam>,
        /// Where the model is to run.
        inference_geo: Option<String>,
        /// Which tier may serve the request.
        service_tier: Option<RequestedTier>,
        /// How fast it is served.
        speed: Option<Speed>,
        /// Who pays; a beta.
        billing_policy: Option<BillingPolicy>,
        /// Shortens the conversation in place of answering it; a beta.
        compaction: Option<CompactionConfig>,
        /// What the service may leave out of the conversation; a beta.
        context_management: Option<ContextManagement>,
        /// The credit of a refused request; a beta.
        fallback_credit_token: Option<FallbackCreditToken>,
        /// Models that answer where this one declines; a beta.
        fallbacks: Option<Fallbacks>,
        /// MCP servers whose tools the service may call; a beta.
        mcp_servers: Option<Vec<McpServer>>,
        /// Lets the service keep the conversation; a beta.
        thread: Option<Thread>,
    }

    fn of(model: Model, max_tokens: u32, messages: Vec<MessageParam>);
}

setters! {
    MessageRequest {
        system: impl Into<Content>,
        tool_choice: ToolChoice,
        thinking: Thinking,
        cache_control: CacheControl,
        container: impl Into<ContainerParam>,
        diagnostics: DiagnosticsParam,
        inference_geo: impl Into<String>,
        service_tier: RequestedTier,
        speed: Speed,
        billing_policy: BillingPolicy,
        compaction: CompactionConfig,
        context_management: ContextManagement,
        fallback_credit_token: impl Into<FallbackCreditToken>,
        fallbacks: impl Into<Fallbacks>,
        thread: Thread,
    }
}

impl MessageRequest {
    /// A request without messages yet.
    #[must_use]
    pub fn new(model: impl Into<Model>, max_tokens: u32) -> Self {
        RequestFields::of(model.into(), max_tokens, Vec::new()).into()
    }

    /// The fields alone, to take them apart.
    #[must_use]
    #[inline]
    pub fn into_fields(self) -> RequestFields {
        *self.0.out()
    }

    /// Sets a member that has no field here, such as one the service has learnt since.
    ///
    /// A field that is set wins over a member of the same name.
    #[must_use]
    pub fn extra(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.extra.insert(name.into(), value.into());
        self
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
    #[inline]
    pub fn from_json(json: &[u8]) -> Result<Self, serde_json::Error> {
        let mut json = serde_json::Deserializer::from_str(text_in(json)?);
        let value = unique::value(&mut json)?;
        json.end()?;
        match Self::misfit(&value, Care::Known) {
            Some(misfit) => Err(serde_json::Error::custom(misfit)),
            None => Self::fit(value).ok_or_else(|| serde_json::Error::custom("it is not of a request")),
        }
    }

    /// Adds a message.
    ///
    /// A reply goes in as [`Message::to_param`](super::Message::to_param) or as it is.
    #[must_use]
    pub fn message(self, message: impl Into<MessageParam>) -> Self {
        self.with(message.into())
    }

    /// The same for all that can be a message: what may let one go is built here, and not by who writes one.
    #[inline(never)]
    fn with(mut self, message: MessageParam) -> Self {
        self.messages.push(message);
        self
    }

    #[inline(never)]
    fn says(self, role: Role, content: Content) -> Self {
        self.with(MessageParam::new(role, content))
    }

    /// Adds a message of the user.
    #[must_use]
    pub fn user(self, content: impl Into<Content>) -> Self {
        self.says(Role::User, content.into())
    }

    /// Adds a message of the assistant.
    #[must_use]
    pub fn assistant(self, content: impl Into<Content>) -> Self {
        self.says(Role::Assistant, content.into())
    }

    /// Adds a tool.
    #[must_use]
    #[inline]
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
    #[inline]
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
    #[inline]
    pub fn output_config(mut self, config: OutputConfig) -> Self {
        self.output_config = Some(config);
        self
    }

    /// Adds an MCP server whose tools the service may call; a beta, and [`Tool::mcp_toolset`] says which.
    #[must_use]
    #[inline]
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
        Json::Object(&*self.request.0, Some(Lead::Stream(self.stream))).serialize(serializer)
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

serde_object!(RequestFields, Metadata);

impl Write for MessageRequest {
    fn json(&self) -> Json<'_> {
        self.0.json()
    }
}

impl Serialize for MessageRequest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for MessageRequest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        RequestFields::deserialize(deserializer).map(Self::from)
    }
}

impl Fit for MessageRequest {
    #[inline]
    fn fits(value: &Value) -> bool {
        RequestFields::fits(value)
    }

    #[inline]
    fn fit(value: Value) -> Option<Self> {
        RequestFields::fit(value).map(Self::from)
    }

    fn shape() -> String {
        RequestFields::shape()
    }

    #[inline]
    fn find_misfit(value: &Value, care: Care) -> Option<Misfit> {
        RequestFields::misfit(value, care)
    }
}
