//! The blocks that messages are made of.

mod browser;
mod code;
mod conversation;
mod mcp;
mod media;
mod text;
mod tool_use;
mod web;

use super::cache::CacheControl;
use super::content::{Content, Source};

pub use browser::{
    BrowserChange, BrowserStateBlock, BrowserTab, DownloadCompleted, DownloadFailed, DownloadStarted,
    TabOpened,
};
pub use code::{
    BashCodeExecutionToolResultBlock, BashCodeResult, BashOutcome, CodeExecutionToolResultBlock, CodeOutcome,
    CodeResult, EncryptedCodeResult, FileCreated, FileEdited, FileType, FileView, OutputFile,
    TextEditorCodeExecutionToolResultBlock, TextEditorOutcome, ToolSearchOutcome, ToolSearchToolResultBlock,
    ToolsFound,
};
pub use conversation::{
    CompactionBlock, FallbackBlock, FallbackModel, FallbackTrigger, McpToolReference, McpToolsetReference,
    ToolAdditionBlock, ToolChange, ToolDefinition, ToolReference, ToolRemovalBlock,
};
pub use mcp::{McpTool, McpToolListingBlock, McpToolResultBlock, McpToolUseBlock};
pub use media::{
    ContainerUploadBlock, DocumentBlock, ImageBlock, ImageTransformations, OversizedImage, SearchResultBlock,
};
pub use text::{RedactedThinkingBlock, TextBlock, ThinkingBlock};
pub use tool_use::{
    Caller, CallerKind, ServerToolError, ServerToolErrorCode, ServerToolName, ServerToolUseBlock,
    ToolReferenceBlock, ToolResultBlock, ToolUseBlock,
};
pub use web::{
    AdvisorAnswer, AdvisorOutcome, AdvisorToolResultBlock, RedactedAdvisorAnswer, WebFetchContent,
    WebFetchOutcome, WebFetchResult, WebFetchToolResultBlock, WebSearchFailure, WebSearchOutcome,
    WebSearchResult, WebSearchToolResultBlock,
};

tagged! {
    /// A block of a reply.
    ///
    /// To send one back, as the next request of a conversation must, convert it into a [`ContentBlockParam`]: nothing is
    /// lost, known or not.
    ///
    /// ```
    /// use claude_sdk::types::{Citation, ContentBlock};
    /// # fn show(block: ContentBlock) {
    /// match block {
    ///     ContentBlock::Text(text) => {
    ///         println!("{}", text.text);
    ///         let cited = text.citations.iter().flatten().filter_map(Citation::cited_text);
    ///         cited.for_each(|words| println!("  from “{words}”"));
    ///     }
    ///     ContentBlock::ToolUse(call) => println!("calls {} with {}", call.name, call.input),
    ///     ContentBlock::ServerToolUse(call) => println!("the service runs {}", call.name),
    ///     other => println!("({})", other.type_name()),
    /// }
    /// # }
    /// ```
    ContentBlock {
        /// Text.
        Text(TextBlock) = "text",
        /// The model's thinking, signed by the service.
        Thinking(ThinkingBlock) = "thinking",
        /// Thinking that only the service can read.
        RedactedThinking(RedactedThinkingBlock) = "redacted_thinking",
        /// A call of a tool, to be answered with a [`ToolResultBlock`].
        ToolUse(ToolUseBlock) = "tool_use",
        /// A call of a tool that the service runs itself.
        ServerToolUse(ServerToolUseBlock) = "server_tool_use",
        /// What a search of the web gave.
        WebSearchToolResult(WebSearchToolResultBlock) = "web_search_tool_result",
        /// What was fetched from the web.
        WebFetchToolResult(WebFetchToolResultBlock) = "web_fetch_tool_result",
        /// What a run of code gave.
        CodeExecutionToolResult(CodeExecutionToolResultBlock) = "code_execution_tool_result",
        /// What a run of a shell gave.
        BashCodeExecutionToolResult(BashCodeExecutionToolResultBlock) = "bash_code_execution_tool_result",
        /// What an editor did to a file.
        TextEditorCodeExecutionToolResult(TextEditorCodeExecutionToolResultBlock) =
            "text_editor_code_execution_tool_result",
        /// The tools that a search for tools gave.
        ToolSearchToolResult(ToolSearchToolResultBlock) = "tool_search_tool_result",
        /// A file that lies in the container.
        ContainerUpload(ContainerUploadBlock) = "container_upload",
        /// What another model advised.
        AdvisorToolResult(AdvisorToolResultBlock) = "advisor_tool_result",
        /// A call of an MCP server's tool, which the service makes itself.
        McpToolUse(McpToolUseBlock) = "mcp_tool_use",
        /// What an MCP server's tool answered.
        McpToolResult(McpToolResultBlock) = "mcp_tool_result",
        /// The tools that an MCP server has.
        McpToolListing(McpToolListingBlock) = "mcp_tool_listing",
        /// What stands for the conversation before it.
        Compaction(CompactionBlock) = "compaction",
        /// Another model goes on from here.
        Fallback(FallbackBlock) = "fallback",
    }
}

tagged! {
    /// A block of a request.
    ///
    /// ```
    /// use claude_sdk::types::{Citations, ContentBlockParam, DocumentBlock, MessageRequest, Model, Source};
    ///
    /// let report = DocumentBlock::new(Source::file("file_1")).title("Report").citations(Citations::enabled());
    /// let picture = ContentBlockParam::image(Source::url("https://example.com/chart.png"));
    /// let request = MessageRequest::new(Model::CLAUDE_OPUS_5_5, 1024)
    ///     .user(vec![report.into(), picture, ContentBlockParam::text("Does the chart fit the report?")]);
    /// # assert_eq!(serde_json::to_value(&request).unwrap()["messages"][0]["content"][0]["title"], "Report");
    /// ```
    ContentBlockParam {
        /// Text.
        Text(TextBlock) = "text",
        /// An image.
        Image(ImageBlock) = "image",
        /// A document.
        Document(DocumentBlock) = "document",
        /// Something found by a search of your own.
        SearchResult(SearchResultBlock) = "search_result",
        /// The model's thinking, as it came: the service refuses it when it was changed.
        Thinking(ThinkingBlock) = "thinking",
        /// Thinking that only the service can read, as it came.
        RedactedThinking(RedactedThinkingBlock) = "redacted_thinking",
        /// A call of a tool, as the model made it.
        ToolUse(ToolUseBlock) = "tool_use",
        /// What a tool answered.
        ToolResult(ToolResultBlock) = "tool_result",
        /// A call of a tool that the service ran, as it came.
        ServerToolUse(ServerToolUseBlock) = "server_tool_use",
        /// What a search of the web gave, as it came.
        WebSearchToolResult(WebSearchToolResultBlock) = "web_search_tool_result",
        /// What was fetched from the web, as it came.
        WebFetchToolResult(WebFetchToolResultBlock) = "web_fetch_tool_result",
        /// What a run of code gave, as it came.
        CodeExecutionToolResult(CodeExecutionToolResultBlock) = "code_execution_tool_result",
        /// What a run of a shell gave, as it came.
        BashCodeExecutionToolResult(BashCodeExecutionToolResultBlock) = "bash_code_execution_tool_result",
        /// What an editor did to a file, as it came.
        TextEditorCodeExecutionToolResult(TextEditorCodeExecutionToolResultBlock) =
            "text_editor_code_execution_tool_result",
        /// The tools that a search for tools gave, as they came.
        ToolSearchToolResult(ToolSearchToolResultBlock) = "tool_search_tool_result",
        /// A file to be put into the container.
        ContainerUpload(ContainerUploadBlock) = "container_upload",
        /// What another model advised, as it came.
        AdvisorToolResult(AdvisorToolResultBlock) = "advisor_tool_result",
        /// A call of an MCP server's tool, as it came.
        McpToolUse(McpToolUseBlock) = "mcp_tool_use",
        /// What an MCP server's tool answered, as it came.
        McpToolResult(McpToolResultBlock) = "mcp_tool_result",
        /// The tools that an MCP server has, as they came.
        McpToolListing(McpToolListingBlock) = "mcp_tool_listing",
        /// What stands for the conversation before it, as it came.
        Compaction(CompactionBlock) = "compaction",
        /// Another model went on from here, as it came.
        Fallback(FallbackBlock) = "fallback",
        /// A tool that the model may call from here on; in a message of the system.
        ToolAddition(ToolAdditionBlock) = "tool_addition",
        /// A tool that the model may no longer call; in a message of the system.
        ToolRemoval(ToolRemovalBlock) = "tool_removal",
        /// A tool that was found; in the answer of a search for tools of your own.
        ToolReference(ToolReferenceBlock) = "tool_reference",
        /// How a browser stands; in the answer of a browser tool.
        BrowserState(BrowserStateBlock) = "browser_state",
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
        Self::Text(TextBlock::new(text))
    }

    /// An image.
    #[must_use]
    pub fn image(source: Source) -> Self {
        Self::Image(ImageBlock::new(source))
    }

    /// A document.
    #[must_use]
    pub fn document(source: Source) -> Self {
        Self::Document(DocumentBlock::new(source))
    }

    /// What a tool answered to the call with the id given.
    #[must_use]
    pub fn tool_result(tool_use_id: impl Into<String>, content: impl Into<Content>) -> Self {
        Self::ToolResult(ToolResultBlock::new(tool_use_id).content(content))
    }

    /// What went wrong in a tool, told to the model as the answer to the call with the id given.
    #[must_use]
    pub fn tool_error(tool_use_id: impl Into<String>, content: impl Into<Content>) -> Self {
        Self::ToolResult(ToolResultBlock::new(tool_use_id).content(content).is_error(true))
    }

    /// The text, if this is a text block.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        if let Self::Text(block) = self { Some(&block.text) } else { None }
    }

    /// Marks the block: everything up to and with it may be kept in the cache.
    ///
    /// Thinking, listings of tools and fallbacks take no mark; they stay as they are.
    #[must_use]
    #[inline]
    pub fn cache_control(mut self, cache: CacheControl) -> Self {
        let field = match &mut self {
            Self::Text(block) => &mut block.cache_control,
            Self::Image(block) => &mut block.cache_control,
            Self::Document(block) => &mut block.cache_control,
            Self::SearchResult(block) => &mut block.cache_control,
            Self::ToolUse(block) => &mut block.cache_control,
            Self::ToolResult(block) => &mut block.cache_control,
            Self::ServerToolUse(block) => &mut block.cache_control,
            Self::WebSearchToolResult(block) => &mut block.cache_control,
            Self::WebFetchToolResult(block) => &mut block.cache_control,
            Self::CodeExecutionToolResult(block) => &mut block.cache_control,
            Self::BashCodeExecutionToolResult(block) => &mut block.cache_control,
            Self::TextEditorCodeExecutionToolResult(block) => &mut block.cache_control,
            Self::ToolSearchToolResult(block) => &mut block.cache_control,
            Self::ContainerUpload(block) => &mut block.cache_control,
            Self::AdvisorToolResult(block) => &mut block.cache_control,
            Self::McpToolUse(block) => &mut block.cache_control,
            Self::McpToolResult(block) => &mut block.cache_control,
            Self::Compaction(block) => &mut block.cache_control,
            Self::ToolAddition(block) => &mut block.cache_control,
            Self::ToolRemoval(block) => &mut block.cache_control,
            Self::ToolReference(block) => &mut block.cache_control,
            Self::BrowserState(block) => &mut block.cache_control,
            Self::Thinking(_)
            | Self::RedactedThinking(_)
            | Self::McpToolListing(_)
            | Self::Fallback(_)
            | Self::Unknown(_) => return self,
        };
        *field = Some(cache);
        self
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
            ContentBlock::Thinking(block) => Self::Thinking(block),
            ContentBlock::RedactedThinking(block) => Self::RedactedThinking(block),
            ContentBlock::ToolUse(block) => Self::ToolUse(block),
            ContentBlock::ServerToolUse(block) => Self::ServerToolUse(block),
            ContentBlock::WebSearchToolResult(block) => Self::WebSearchToolResult(block),
            ContentBlock::WebFetchToolResult(block) => Self::WebFetchToolResult(block),
            ContentBlock::CodeExecutionToolResult(block) => Self::CodeExecutionToolResult(block),
            ContentBlock::BashCodeExecutionToolResult(block) => Self::BashCodeExecutionToolResult(block),
            ContentBlock::TextEditorCodeExecutionToolResult(block) => {
                Self::TextEditorCodeExecutionToolResult(block)
            }
            ContentBlock::ToolSearchToolResult(block) => Self::ToolSearchToolResult(block),
            ContentBlock::ContainerUpload(block) => Self::ContainerUpload(block),
            ContentBlock::AdvisorToolResult(block) => Self::AdvisorToolResult(block),
            ContentBlock::McpToolUse(block) => Self::McpToolUse(block),
            ContentBlock::McpToolResult(block) => Self::McpToolResult(block),
            ContentBlock::McpToolListing(block) => Self::McpToolListing(block),
            ContentBlock::Compaction(block) => Self::Compaction(block),
            ContentBlock::Fallback(block) => Self::Fallback(block),
            ContentBlock::Unknown(members) => Self::Unknown(members),
        }
    }
}
