//! Messages, received and sent.

mod reply;
mod usage;

use super::block::{ContentBlock, ContentBlockParam, ToolUseBlock};
use super::content::Content;
use super::model::Model;
use super::request::OutputConfig;
use super::wire::{Misfit, read, text_in};

pub use reply::{
    AppliedEdit, AppliedEditKind, CacheMiss, CacheMissReason, Container, ContainerSkill,
    ContextManagementReport, Diagnostics, InputTransformation, InputTransformationKind, RefusalCategory,
    SkillKind, StopDetails, ThinkingMismatch,
};
pub use usage::{
    CacheCreation, FallbackCredit, FallbackCreditKind, FallbackCreditStatus, Iteration, IterationKind,
    OutputTokensDetails, ServerToolUsage, ServiceTier, Speed, Usage, UsageDelta,
};

hot_object! {
    /// A reply of the model (`POST /v1/messages`).
    ///
    /// ```
    /// use claude_sdk::{Client, types::{MessageRequest, Model, StopReason}};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = mock_server::MockServer::builder().start().await?;
    /// # let client = Client::builder().api_key(server.api_key()).base_url(server.base_url()).build()?;
    /// let request = MessageRequest::new(Model::CLAUDE_HAIKU_4_5, 100).user("Hello!");
    /// let message = client.messages().create(&request).await?;
    /// println!("{}: {}", message.model, message.text());
    /// if message.stop_reason == Some(StopReason::MaxTokens) {
    ///     println!("and so on");
    /// }
    /// let next = request.message(message.to_param()).user("Go on."); // the whole conversation goes along
    /// # Ok(())
    /// # }
    /// ```
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
        /// More about why it stopped, where it declined to answer.
        stop_details: Option<StopDetails>,
        /// What the request cost.
        usage: Usage,
        /// The container that code ran in, to be named in the next request.
        container: Option<Container>,
        /// Why the cache did not help, if the request asked for that.
        diagnostics: Option<Diagnostics>,
        /// What the service has left out of the conversation, if the request allowed that.
        context_management: Option<ContextManagementReport>,
        /// What the service has changed in the request before the model read it.
        input_transformations: Option<Vec<InputTransformation>>,
    }
}

impl Message {
    /// Reads an answer to where it is to be. Here, and not where it is called, because reading a message is much code: it is
    /// built once.
    pub(crate) fn from_answer(json: &[u8], place: &mut Option<Self>) -> Result<(), serde_json::Error> {
        let mut reader = serde_json::Deserializer::from_str(text_in(json)?);
        let read = read::into(place, &mut reader)?;
        reader.end()?;
        if place.is_some() { Ok(()) } else { Err(Misfit::error::<Self, _>(read)) }
    }

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
    #[inline]
    pub fn to_param(&self) -> MessageParam {
        let blocks = self.content.iter().cloned().map(ContentBlockParam::from).collect::<Vec<_>>();
        MessageParam::new(self.role.clone(), blocks)
    }
}

object! {
    /// A message of a request.
    ///
    /// Example: [`MessageRequest`](crate::types::MessageRequest).
    MessageParam {
        /// Whose message it is.
        role: Role,
        /// What it says.
        content: Content,
        /// When it is forgotten; in a message of the system.
        clear_at: Option<ClearAt>,
        /// How the model answers from here on; in a message of the system, where only the effort counts.
        output_config: Option<Box<OutputConfig>>,
    }

    /// A message of the role given.
    pub fn new(role: Role, content: impl Into<Content>);
}

setters! { MessageParam { clear_at: ClearAt, output_config: OutputConfig, } }

impl MessageParam {
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
    #[inline]
    fn from(message: Message) -> Self {
        let blocks = message.content.into_iter().map(ContentBlockParam::from).collect::<Vec<_>>();
        Self::new(message.role, blocks)
    }
}

open_enum! {
    /// What kind of object a [`Message`] is.
    ///
    /// Example: [`Message`](crate::types::Message).
    MessageKind {
        /// A message.
        Message = "message",
    }
}

open_enum! {
    /// Whose message it is.
    ///
    /// Example: [`MessageRequest`](crate::types::MessageRequest).
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
    /// When a message of the system is forgotten.
    ///
    /// Example: [`ToolAdditionBlock`](crate::types::ToolAdditionBlock).
    ClearAt {
        /// With the next message of the user.
        NextUserMessage = "next_user_message",
        /// Never.
        Never = "never",
    }
}

open_enum! {
    /// Why the model stopped.
    ///
    /// Example: [`Message`](crate::types::Message).
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
        /// The conversation was shortened; send the reply back to let it go on.
        Compaction = "compaction",
    }
}

object! {
    /// What changes in a [`Message`] towards the end of its stream.
    ///
    /// Example: [`Accumulator`](crate::stream::Accumulator).
    MessageChange {
        /// Why the model stopped.
        stop_reason: Option<StopReason>,
        /// The stop sequence it met, if that is why it stopped.
        stop_sequence: Option<String>,
        /// More about why it stopped, where it declined to answer.
        stop_details: Option<StopDetails>,
        /// The container that code ran in.
        container: Option<Container>,
    }
}

serde_object!(Message, MessageChange, MessageParam);
