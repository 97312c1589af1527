//! Calls of tools, who makes them, and what tools of your own answer.

use serde_json::Value;

use crate::types::cache::CacheControl;
use crate::types::content::Content;

hot_object! {
    /// A call of a tool.
    ///
    /// ```
    /// use claude_sdk::{Client, types::{ContentBlockParam, MessageRequest, Model, Tool}};
    /// use serde_json::json;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = mock_server::MockServer::builder().script([mock_server::Reply::tool_use("double", json!({"of": 4})), mock_server::Reply::text("8")]).start().await?;
    /// # let client = Client::builder().api_key(server.api_key()).base_url(server.base_url()).build()?;
    /// let request = MessageRequest::new(Model::CLAUDE_SONNET_5_5, 100)
    ///     .tool(Tool::new("double", json!({"type": "object", "properties": {"of": {"type": "integer"}}})))
    ///     .user("What is twice four?");
    /// let message = client.messages().create(&request).await?;
    /// let mut answers = Vec::new();
    /// for call in message.tool_uses() {
    ///     answers.push(match call.input["of"].as_i64() {
    ///         Some(number) => ContentBlockParam::tool_result(&call.id, (number * 2).to_string()),
    ///         None => ContentBlockParam::tool_error(&call.id, "`of` must be a number"),
    ///     });
    /// }
    /// let message = client.messages().create(&request.message(message.to_param()).user(answers)).await?;
    /// # assert_eq!(message.text(), "8");
    /// # Ok(())
    /// # }
    /// ```
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
        /// Who makes the call, if not the model itself.
        caller: Option<Caller>,
        /// The set that the tool belongs to, such as a browser's.
        toolset_name: Option<String>,
        /// Marks the block for the cache; in requests.
        cache_control: Option<CacheControl>,
    }

    /// A call with its arguments.
    pub fn new(id: impl Into<String>, name: impl Into<String>, input: impl Into<Value>);
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
    /// Who makes a call of a tool.
    ///
    /// Example: [`ToolUseBlock`](crate::types::ToolUseBlock).
    Caller {
        /// The kind of caller.
        kind as "type": CallerKind,
        /// The run of code that makes the call, if one does.
        tool_id: Option<String>,
    }
}

open_enum! {
    /// The kinds of [`Caller`], and of callers that a tool allows.
    ///
    /// Example: [`ToolUseBlock`](crate::types::ToolUseBlock).
    CallerKind {
        /// The model itself.
        Direct = "direct",
        /// Code that the model wrote and the service runs.
        CodeExecution20250825 = "code_execution_20250825",
        /// Code that the model wrote and the service runs.
        CodeExecution20260120 = "code_execution_20260120",
        /// Code that the model wrote and the service runs.
        CodeExecution20260521 = "code_execution_20260521",
    }
}

object! {
    /// What a tool answered.
    ///
    /// Example: [`ToolUseBlock`](crate::types::ToolUseBlock).
    ToolResultBlock {
        /// The id of the call that this answers.
        tool_use_id: String,
        /// The answer: text, or blocks of text, images, documents, search results, tools or a browser's state.
        content: Option<Content>,
        /// Whether the tool failed.
        is_error: Option<bool>,
        /// The set that the tool belongs to, such as a browser's.
        toolset_name: Option<String>,
        /// Marks the block for the cache.
        cache_control: Option<CacheControl>,
    }

    /// An empty answer to the call of this id.
    pub fn new(tool_use_id: impl Into<String>);
}

setters! {
    ToolResultBlock {
        content: impl Into<Content>,
        is_error: bool,
        toolset_name: impl Into<String>,
        cache_control: CacheControl,
    }
}

object! {
    /// A tool that was found and may now be called.
    ///
    /// Example: [`ToolUseBlock`](crate::types::ToolUseBlock).
    ToolReferenceBlock {
        /// The name of the tool.
        tool_name: String,
        /// Marks the block for the cache; in requests.
        cache_control: Option<CacheControl>,
    }

    /// The tool of this name.
    pub fn new(tool_name: impl Into<String>);
}

object! {
    /// A call of a tool that the service runs itself; its result is a block of its own.
    ///
    /// Example: [`ToolUseBlock`](crate::types::ToolUseBlock).
    ServerToolUseBlock {
        /// The id of the call, repeated in the result.
        id: String,
        /// The tool.
        name: ServerToolName,
        /// The arguments; a string where a streamed reply ended inside them.
        input: Value,
        /// Who makes the call, if not the model itself.
        caller: Option<Caller>,
        /// Marks the block for the cache; in requests.
        cache_control: Option<CacheControl>,
    }
}

open_enum! {
    /// The tools that the service runs.
    ///
    /// Example: [`ToolUseBlock`](crate::types::ToolUseBlock).
    ServerToolName {
        /// Asks another model.
        Advisor = "advisor",
        /// Searches the web.
        WebSearch = "web_search",
        /// Fetches from the web.
        WebFetch = "web_fetch",
        /// Runs code.
        CodeExecution = "code_execution",
        /// Runs a shell.
        BashCodeExecution = "bash_code_execution",
        /// Edits files.
        TextEditorCodeExecution = "text_editor_code_execution",
        /// Searches for tools by a pattern.
        ToolSearchToolRegex = "tool_search_tool_regex",
        /// Searches for tools by words.
        ToolSearchToolBm25 = "tool_search_tool_bm25",
    }
}

object! {
    /// Why a tool that the service runs has failed.
    ///
    /// Example: [`ToolUseBlock`](crate::types::ToolUseBlock).
    ServerToolError {
        /// The reason.
        error_code: ServerToolErrorCode,
        /// More about it, from some tools.
        error_message: Option<String>,
    }
}

open_enum! {
    /// The reasons why a tool that the service runs fails.
    ///
    /// Example: [`ToolUseBlock`](crate::types::ToolUseBlock).
    ServerToolErrorCode {
        /// The model gave arguments that the tool does not take.
        InvalidToolInput = "invalid_tool_input",
        /// The tool is out of order.
        Unavailable = "unavailable",
        /// The tool was used as often as the request allows.
        MaxUsesExceeded = "max_uses_exceeded",
        /// The tool was used too often in a short time.
        TooManyRequests = "too_many_requests",
        /// What was searched for is too long.
        QueryTooLong = "query_too_long",
        /// The request is too large for the tool.
        RequestTooLarge = "request_too_large",
        /// The address is too long.
        UrlTooLong = "url_too_long",
        /// The address is not one the request allows.
        UrlNotAllowed = "url_not_allowed",
        /// The address has not been mentioned in the conversation.
        UrlNotInPriorContext = "url_not_in_prior_context",
        /// Nothing answers at the address.
        UrlNotAccessible = "url_not_accessible",
        /// What is at the address cannot be read.
        UnsupportedContentType = "unsupported_content_type",
        /// What is at the address is too large.
        ContentTooLarge = "content_too_large",
        /// The tool took too long.
        ExecutionTimeExceeded = "execution_time_exceeded",
        /// The tool wrote too large a file.
        OutputFileTooLarge = "output_file_too_large",
        /// There is no such file.
        FileNotFound = "file_not_found",
        /// What the other model was to read is too long.
        PromptTooLong = "prompt_too_long",
        /// The other model has too much to do.
        Overloaded = "overloaded",
        /// There is no such other model.
        ModelNotFound = "model_not_found",
    }
}

serde_object!(Caller, ServerToolError);
