//! What happens to a conversation on the way: it is shortened, another model takes over, tools come and go.

use super::ContentBlockParam;
use crate::types::cache::CacheControl;
use crate::types::message::RefusalCategory;
use crate::types::model::Model;
use crate::types::tool::Tool;

object! {
    /// What stands for the conversation before it, which need not be sent any more.
    ///
    /// Example: [`ContextManagement`](crate::types::ContextManagement).
    CompactionBlock {
        /// A summary, if it may be read.
        content: Option<String>,
        /// The summary for the service alone; to be sent back as it came.
        encrypted_content: Option<String>,
        /// The service's signature, to be sent back as it came.
        signature: Option<String>,
        /// The tools that came and went in what was left out.
        tool_changes: Option<Vec<ContentBlockParam>>,
        /// Marks the block for the cache; in requests.
        cache_control: Option<CacheControl>,
    }
}

object! {
    /// From here on another model answers.
    ///
    /// Example: [`Fallbacks`](crate::types::Fallbacks).
    FallbackBlock {
        /// The model that answered before.
        from: Option<FallbackModel>,
        /// The model that goes on.
        to: FallbackModel,
        /// Why.
        trigger: Option<FallbackTrigger>,
    }
}

object! {
    /// A model that takes part in a fallback.
    ///
    /// Example: [`Fallbacks`](crate::types::Fallbacks).
    FallbackModel {
        /// Its name.
        model: Model,
    }
}

object! {
    /// Why another model goes on.
    ///
    /// Example: [`Fallbacks`](crate::types::Fallbacks).
    FallbackTrigger {
        /// The kind of reason: `refusal`.
        kind as "type": String,
        /// What the refusal was about.
        category: Option<RefusalCategory>,
    }
}

object! {
    /// A tool that the model may call from here on; in a message of the system.
    ///
    /// ```
    /// use claude_sdk::types::{
    ///     ContentBlockParam, McpToolsetReference, MessageParam, Tool, ToolAdditionBlock, ToolRemovalBlock,
    /// };
    ///
    /// let changes: Vec<ContentBlockParam> = vec![
    ///     ToolAdditionBlock::new(Tool::new("weather", serde_json::json!({"type": "object"}))).into(),
    ///     ToolRemovalBlock::new(McpToolsetReference::new("library")).into(),
    /// ];
    /// let message = MessageParam::system(changes);
    /// ```
    ToolAdditionBlock {
        /// The tool.
        tool: ToolChange,
        /// Marks the block for the cache.
        cache_control: Option<CacheControl>,
    }

    /// This tool is added.
    pub fn new(tool: impl Into<ToolChange>);
}

object! {
    /// A tool that the model may no longer call; in a message of the system.
    ///
    /// Example: [`ToolAdditionBlock`](crate::types::ToolAdditionBlock).
    ToolRemovalBlock {
        /// The tool.
        tool: ToolChange,
        /// Marks the block for the cache.
        cache_control: Option<CacheControl>,
    }

    /// This tool is removed.
    pub fn new(tool: impl Into<ToolChange>);
}

tagged! {
    /// A tool that comes or goes.
    ///
    /// Example: [`ToolAdditionBlock`](crate::types::ToolAdditionBlock).
    ToolChange {
        /// A tool of the request.
        Tool(ToolReference) = "tool_reference",
        /// A tool of an MCP server.
        McpTool(McpToolReference) = "mcp_tool_reference",
        /// All tools of an MCP server.
        McpToolset(McpToolsetReference) = "mcp_toolset_reference",
        /// A new tool; only to be added.
        Definition(ToolDefinition) = "tool_definition",
    }
}

object! {
    /// A tool of the request.
    ///
    /// Example: [`ToolAdditionBlock`](crate::types::ToolAdditionBlock).
    ToolReference {
        /// Its name.
        name: String,
    }

    /// The tool of this name.
    pub fn new(name: impl Into<String>);
}

object! {
    /// A tool of an MCP server.
    ///
    /// Example: [`ToolAdditionBlock`](crate::types::ToolAdditionBlock).
    McpToolReference {
        /// The name of the server.
        server_name: String,
        /// The name of the tool.
        name: String,
    }

    /// The tool of this name.
    pub fn new(server_name: impl Into<String>, name: impl Into<String>);
}

object! {
    /// All tools of an MCP server.
    ///
    /// Example: [`ToolAdditionBlock`](crate::types::ToolAdditionBlock).
    McpToolsetReference {
        /// The name of the server.
        server_name: String,
    }

    /// The tools of this server.
    pub fn new(server_name: impl Into<String>);
}

object! {
    /// A new tool.
    ///
    /// Example: [`ToolAdditionBlock`](crate::types::ToolAdditionBlock).
    ToolDefinition {
        /// The tool.
        definition: Box<Tool>,
    }

    /// This tool.
    pub fn new(definition: Tool);
}

impl From<Tool> for ToolChange {
    fn from(tool: Tool) -> Self {
        Self::Definition(ToolDefinition::new(tool))
    }
}

serde_object!(FallbackModel, FallbackTrigger);
