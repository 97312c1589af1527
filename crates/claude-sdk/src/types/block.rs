//! The blocks that messages are made of.

use serde_json::{Map, Value};

use super::content::{Content, Source};
use super::wire::Nulls;

tagged! {
    /// A block of a reply.
    ///
    /// To send one back, as the next request of a conversation must, convert it into a [`ContentBlockParam`]: nothing is
    /// lost, known or not.
    ContentBlock {
        /// Text.
        Text(TextBlock) = "text",
        /// A call of a tool, to be answered with a [`ToolResultBlock`].
        ToolUse(ToolUseBlock) = "tool_use",
        /// The model's thinking, signed by the service.
        Thinking(ThinkingBlock) = "thinking",
        /// Thinking that only the service can read.
        RedactedThinking(RedactedThinkingBlock) = "redacted_thinking",
    }
}

tagged! {
    /// A block of a request.
    ContentBlockParam {
        /// Text.
        Text(TextBlock) = "text",
        /// An image.
        Image(ImageBlock) = "image",
        /// A document.
        Document(DocumentBlock) = "document",
        /// A call of a tool, as the model made it.
        ToolUse(ToolUseBlock) = "tool_use",
        /// What a tool answered.
        ToolResult(ToolResultBlock) = "tool_result",
        /// The model's thinking, as it came: the service refuses it when it was changed.
        Thinking(ThinkingBlock) = "thinking",
        /// Thinking that only the service can read, as it came.
        RedactedThinking(RedactedThinkingBlock) = "redacted_thinking",
    }
}

impl ContentBlock {
    /// The text, if this is a text block.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(block) = self { Some(&block.text) } else { None }
    }
}

impl ContentBlockParam {
    /// A block of text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(TextBlock { text: text.into(), extra: Map::new(), nulls: Nulls::default() })
    }

    /// An image.
    #[must_use]
    pub fn image(source: Source) -> Self {
        Self::Image(ImageBlock { source, extra: Map::new(), nulls: Nulls::default() })
    }

    /// A document.
    #[must_use]
    pub fn document(source: Source) -> Self {
        Self::Document(DocumentBlock {
            source,
            title: None,
            context: None,
            extra: Map::new(),
            nulls: Nulls::default(),
        })
    }

    /// What a tool answered to the call with the id given.
    #[must_use]
    pub fn tool_result(tool_use_id: impl Into<String>, content: impl Into<Content>) -> Self {
        Self::ToolResult(ToolResultBlock {
            tool_use_id: tool_use_id.into(),
            content: Some(content.into()),
            is_error: None,
            extra: Map::new(),
            nulls: Nulls::default(),
        })
    }

    /// What went wrong in a tool, told to the model as the answer to the call with the id given.
    #[must_use]
    pub fn tool_error(tool_use_id: impl Into<String>, content: impl Into<Content>) -> Self {
        Self::ToolResult(ToolResultBlock {
            tool_use_id: tool_use_id.into(),
            content: Some(content.into()),
            is_error: Some(true),
            extra: Map::new(),
            nulls: Nulls::default(),
        })
    }

    /// The text, if this is a text block.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(block) = self { Some(&block.text) } else { None }
    }
}

/// As a block of text.
impl From<&str> for ContentBlockParam {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

/// As a block of text.
impl From<String> for ContentBlockParam {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<ContentBlock> for ContentBlockParam {
    fn from(block: ContentBlock) -> Self {
        match block {
            ContentBlock::Text(block) => Self::Text(block),
            ContentBlock::ToolUse(block) => Self::ToolUse(block),
            ContentBlock::Thinking(block) => Self::Thinking(block),
            ContentBlock::RedactedThinking(block) => Self::RedactedThinking(block),
            ContentBlock::Unknown(members) => Self::Unknown(members),
        }
    }
}

object! {
    /// A block of text. Citations of a reply are in `extra`, as JSON.
    TextBlock {
        /// The text.
        text: String,
    }
}

object! {
    /// An image.
    ImageBlock {
        /// Where the image is.
        source: Source,
    }
}

object! {
    /// A document.
    DocumentBlock {
        /// Where the document is.
        source: Source,
        /// Its title, for the model.
        title: Option<String>,
        /// What the model should know about it.
        context: Option<String>,
    }
}

object! {
    /// A call of a tool.
    ToolUseBlock {
        /// The id of the call, to be repeated in the answer.
        id: String,
        /// The name of the tool.
        name: String,
        /// The arguments: an object that follows the tool's schema, as far as the model kept to it.
        ///
        /// A string in one case: a streamed reply ended inside the arguments, and this is the JSON text that had
        /// arrived. See [`ToolUseBlock::incomplete_input`].
        input: Value,
    }
}

impl ToolUseBlock {
    /// The beginning of the arguments, as JSON text, if the reply ended inside them.
    ///
    /// That happens when `max_tokens` is reached, and when a stream is cut off. Such a call must not be carried out.
    #[must_use]
    pub fn incomplete_input(&self) -> Option<&str> {
        self.input.as_str()
    }
}

object! {
    /// What a tool answered.
    ToolResultBlock {
        /// The id of the call that this answers.
        tool_use_id: String,
        /// The answer.
        content: Option<Content>,
        /// Whether the tool failed.
        is_error: Option<bool>,
    }
}

object! {
    /// The model's thinking.
    ThinkingBlock {
        /// The thinking, or a summary of it; may be empty.
        thinking: String,
        /// The service's signature, without which it does not take the block back.
        signature: Option<String>,
    }
}

object! {
    /// Thinking that only the service can read.
    RedactedThinkingBlock {
        /// The thinking, encrypted.
        data: String,
    }
}
