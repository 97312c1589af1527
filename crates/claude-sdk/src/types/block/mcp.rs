//! Calls of MCP servers' tools, which the service makes itself.

use serde_json::Value;

use crate::types::cache::CacheControl;
use crate::types::content::Content;

object! {
    /// A call of an MCP server's tool.
    ///
    /// ```
    /// use claude_sdk::types::ContentBlock;
    ///
    /// let block = r#"{"type": "mcp_tool_use", "id": "1", "name": "find", "server_name": "library", "input": {"title": "Emma"}}"#;
    /// if let ContentBlock::McpToolUse(call) = serde_json::from_str(block)? {
    ///     println!("{} of {} is called with {}", call.name, call.server_name, call.input);
    /// }
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    McpToolUseBlock {
        /// The id of the call, repeated in the result.
        id: String,
        /// The name of the tool.
        name: String,
        /// The name of the server, as the request calls it.
        server_name: String,
        /// The arguments; a string where a streamed reply ended inside them.
        input: Value,
        /// Marks the block for the cache; in requests.
        cache_control: Option<CacheControl>,
    }
}

object! {
    /// What an MCP server's tool answered.
    ///
    /// Example: [`McpToolUseBlock`](crate::types::McpToolUseBlock).
    McpToolResultBlock {
        /// The id of the call.
        tool_use_id: String,
        /// The answer: text, or blocks of text.
        content: Option<Content>,
        /// Whether the tool failed.
        is_error: Option<bool>,
        /// Marks the block for the cache; in requests.
        cache_control: Option<CacheControl>,
    }
}

object! {
    /// The tools that an MCP server has.
    ///
    /// Example: [`McpToolUseBlock`](crate::types::McpToolUseBlock).
    McpToolListingBlock {
        /// The name of the server, as the request calls it.
        mcp_server_name: String,
        /// The tools.
        tools: Vec<McpTool>,
    }
}

object! {
    /// A tool of an MCP server.
    ///
    /// Example: [`Tool`](crate::types::Tool).
    McpTool {
        /// The name of the tool.
        name: String,
        /// What it does.
        description: Option<String>,
        /// A JSON Schema of its arguments.
        input_schema: Value,
    }

    /// A tool with a JSON Schema of its arguments.
    pub fn new(name: impl Into<String>, input_schema: impl Into<Value>);
}

setters! { McpTool { description: impl Into<String>, } }

serde_object!(McpTool);
