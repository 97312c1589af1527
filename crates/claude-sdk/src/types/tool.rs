//! Tools that a request offers to the model.

mod kind;
mod settings;

use serde_json::{Map, Value};

use super::block::{CallerKind, McpTool};
use super::cache::CacheControl;
use super::citation::Citations;
use super::model::Model;

pub use kind::ToolKind;
pub use settings::{MemberConfig, ResponseInclusion, UrlSource, UrlSourceKind, UrlSources, UserLocation};

object! {
    /// A tool that the model may call: one of your own, or one that the service defines.
    ///
    /// Which fields count follows from the kind; the constructors give those that a tool cannot do without, and name the
    /// newest version. An older one is [`Tool::of`] its [`ToolKind`].
    ///
    /// ```
    /// use claude_sdk::types::{MessageRequest, Model, Tool, ToolKind, UserLocation};
    /// use serde_json::json;
    ///
    /// let schema = json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
    /// let request = MessageRequest::new(Model::CLAUDE_SONNET_5_5, 1024)
    ///     .tool(Tool::new("weather", schema).description("The weather in a city.").strict(true))
    ///     .tool(Tool::web_search().max_uses(3).user_location(UserLocation::approximate().city("Ghent")))
    ///     .tool(Tool::of(ToolKind::CodeExecution20250825))
    ///     .user("Shall I take an umbrella?");
    /// # let tools = serde_json::to_value(&request).unwrap()["tools"].take();
    /// # assert_eq!(tools[1]["type"], "web_search_20260318");
    /// # assert_eq!(tools[2], json!({"type": "code_execution_20250825", "name": "code_execution"}));
    /// ```
    Tool {
        /// The kind of tool, with its version; may be missing where the tool is your own.
        kind as "type": Option<ToolKind>,
        /// The name by which the model calls it; sets of tools have none.
        name: Option<String>,
        /// What it does and when to use it; the model reads this.
        description: Option<String>,
        /// A JSON Schema of the arguments, for a tool of your own.
        input_schema: Option<Value>,
        /// Whether the arguments are sure to follow the schema.
        strict: Option<bool>,
        /// Whether the model learns of the tool only by searching for it.
        defer_loading: Option<bool>,
        /// Who may call it; the model itself where unset.
        allowed_callers: Option<Vec<CallerKind>>,
        /// Examples of arguments.
        input_examples: Option<Vec<Value>>,
        /// Whether the arguments are streamed as they are written, before they are known to be JSON.
        eager_input_streaming: Option<bool>,
        /// Marks the tool for the cache.
        cache_control: Option<CacheControl>,
        /// How often it may be used in a request: web search, web fetch, advisor.
        max_uses: Option<u64>,
        /// The only domains it goes to: web search, web fetch.
        allowed_domains: Option<Vec<String>>,
        /// The domains it does not go to: web search, web fetch.
        blocked_domains: Option<Vec<String>>,
        /// Where the user is, for the search of the web.
        user_location: Option<UserLocation>,
        /// Whether results of calls from code are in the reply: web search, web fetch.
        response_inclusion: Option<ResponseInclusion>,
        /// Whether the model says what it takes from a page: web fetch.
        citations: Option<Citations>,
        /// How much of a page is read at most: web fetch.
        max_content_tokens: Option<u64>,
        /// Where the addresses may come from: web fetch.
        url_sources: Option<UrlSources>,
        /// Whether a copy will do: web fetch.
        use_cache: Option<bool>,
        /// The width of the screen: computer.
        display_width_px: Option<u64>,
        /// The height of the screen: computer.
        display_height_px: Option<u64>,
        /// The number of the screen: computer.
        display_number: Option<u64>,
        /// Whether the model may look closer: computer.
        enable_zoom: Option<bool>,
        /// How much of a file is shown at most: text editor.
        max_characters: Option<u64>,
        /// The model that advises: advisor.
        model: Option<Model>,
        /// How much it may say: advisor.
        max_tokens: Option<u64>,
        /// How what it reads is kept in the cache: advisor.
        caching: Option<CacheControl>,
        /// The name of the server, as the request calls it: MCP.
        mcp_server_name: Option<String>,
        /// The tools of the server, where the service need not ask it: MCP.
        tools: Option<Vec<McpTool>>,
        /// How the tools of a set are offered that `configs` says nothing of: MCP.
        default_config: Option<MemberConfig>,
        /// How single tools of a set are offered, each a [`MemberConfig`] by the tool's name: browser, computer, MCP.
        configs: Option<Map<String, Value>>,
    }

    fn named(name: Option<String>, kind: Option<ToolKind>);
}

impl Tool {
    /// A tool of your own, with a JSON Schema of its arguments.
    #[must_use]
    #[inline]
    pub fn new(name: impl Into<String>, input_schema: Value) -> Self {
        Self { input_schema: Some(input_schema), ..Self::named(Some(name.into()), None) }
    }

    /// A tool that the service defines, by its kind, with the name that it has to have.
    ///
    /// A kind that is not known here gets its name with [`Tool::predefined`].
    #[must_use]
    #[inline]
    pub fn of(kind: ToolKind) -> Self {
        Self::named(kind.tool_name().map(str::to_owned), Some(kind))
    }

    /// A tool that the service defines, by its kind and name.
    #[must_use]
    pub fn predefined(kind: impl Into<ToolKind>, name: impl Into<String>) -> Self {
        Self::named(Some(name.into()), Some(kind.into()))
    }

    /// The name by which the model calls it; empty for sets of tools.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    /// Searches the web.
    #[must_use]
    pub fn web_search() -> Self {
        Self::of(ToolKind::WebSearch20260318)
    }

    /// Fetches pages and files from the web.
    #[must_use]
    pub fn web_fetch() -> Self {
        Self::of(ToolKind::WebFetch20260318)
    }

    /// Runs code in a container of the service.
    #[must_use]
    pub fn code_execution() -> Self {
        Self::of(ToolKind::CodeExecution20260521)
    }

    /// A shell, which your program runs.
    #[must_use]
    pub fn bash() -> Self {
        Self::of(ToolKind::Bash20250124)
    }

    /// An editor of text files, which your program runs.
    #[must_use]
    pub fn text_editor() -> Self {
        Self::of(ToolKind::TextEditor20250728)
    }

    /// A memory of files, which your program keeps.
    #[must_use]
    pub fn memory() -> Self {
        Self::of(ToolKind::Memory20250818)
    }

    /// A screen with mouse and keyboard, which your program runs; a beta. See [`Tool::computer_toolset`] for its successor.
    #[must_use]
    #[inline]
    pub fn computer(width: u64, height: u64) -> Self {
        Self {
            display_width_px: Some(width),
            display_height_px: Some(height),
            ..Self::of(ToolKind::Computer20251124)
        }
    }

    /// A set of tools for a screen with mouse and keyboard, which your program runs.
    #[must_use]
    pub fn computer_toolset() -> Self {
        Self::of(ToolKind::ComputerToolset20260801)
    }

    /// A set of tools for a browser, which your program runs.
    #[must_use]
    pub fn browser_toolset() -> Self {
        Self::of(ToolKind::BrowserToolset20260801)
    }

    /// Finds tools with [`Tool::defer_loading()`] by words.
    #[must_use]
    pub fn tool_search_bm25() -> Self {
        Self::of(ToolKind::ToolSearchToolBm2520251119)
    }

    /// Finds tools with [`Tool::defer_loading()`] by a regular expression.
    #[must_use]
    pub fn tool_search_regex() -> Self {
        Self::of(ToolKind::ToolSearchToolRegex20251119)
    }

    /// Asks another model for advice; a beta.
    #[must_use]
    pub fn advisor(model: impl Into<Model>) -> Self {
        Self { model: Some(model.into()), ..Self::of(ToolKind::Advisor20260301) }
    }

    /// The tools of an MCP server that the request names; a beta.
    #[must_use]
    pub fn mcp_toolset(server_name: impl Into<String>) -> Self {
        Self { mcp_server_name: Some(server_name.into()), ..Self::of(ToolKind::McpToolset) }
    }

    /// Says how one tool of a set is offered.
    #[must_use]
    pub fn config(mut self, name: impl Into<String>, config: MemberConfig) -> Self {
        self.configs.get_or_insert_default().insert(name.into(), config.into());
        self
    }

    /// The only domains it goes to: web search, web fetch.
    #[must_use]
    pub fn allowed_domains<D: Into<String>>(mut self, domains: impl IntoIterator<Item = D>) -> Self {
        self.allowed_domains = Some(domains.into_iter().map(Into::into).collect());
        self
    }

    /// The domains it does not go to: web search, web fetch.
    #[must_use]
    pub fn blocked_domains<D: Into<String>>(mut self, domains: impl IntoIterator<Item = D>) -> Self {
        self.blocked_domains = Some(domains.into_iter().map(Into::into).collect());
        self
    }
}

setters! {
    Tool {
        description: impl Into<String>,
        strict: bool,
        defer_loading: bool,
        allowed_callers: Vec<CallerKind>,
        input_examples: Vec<Value>,
        eager_input_streaming: bool,
        cache_control: CacheControl,
        max_uses: u64,
        user_location: UserLocation,
        response_inclusion: ResponseInclusion,
        citations: Citations,
        max_content_tokens: u64,
        url_sources: UrlSources,
        use_cache: bool,
        display_number: u64,
        enable_zoom: bool,
        max_characters: u64,
        max_tokens: u64,
        caching: CacheControl,
        tools: Vec<McpTool>,
        default_config: MemberConfig,
    }
}

object! {
    /// Whether and which tools the model is to call.
    ///
    /// ```
    /// use claude_sdk::types::{MessageRequest, Model, Tool, ToolChoice};
    ///
    /// let request = MessageRequest::new(Model::CLAUDE_SONNET_5_5, 1024)
    ///     .tool(Tool::bash())
    ///     .tool_choice(ToolChoice::any().disable_parallel_tool_use(true));
    /// ```
    ToolChoice {
        /// The kind of choice.
        kind as "type": ToolChoiceKind,
        /// The tool to call, for [`ToolChoiceKind::Tool`].
        name: Option<String>,
        /// Whether the model is kept from calling more than one tool at a time.
        disable_parallel_tool_use: Option<bool>,
    }

    /// The model decides.
    pub fn auto() where kind = ToolChoiceKind::Auto;

    /// The model must call a tool, whichever.
    pub fn any() where kind = ToolChoiceKind::Any;

    /// The model must not call a tool.
    pub fn none() where kind = ToolChoiceKind::None;

    fn of(kind: ToolChoiceKind);
}

impl ToolChoice {
    /// The model must call this tool.
    #[must_use]
    pub fn tool(name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..Self::of(ToolChoiceKind::Tool) }
    }
}

setters! { ToolChoice { disable_parallel_tool_use: bool, } }

open_enum! {
    /// The kinds of [`ToolChoice`].
    ///
    /// Example: [`ToolChoice`](crate::types::ToolChoice).
    ToolChoiceKind {
        /// The model decides.
        Auto = "auto",
        /// The model must call a tool.
        Any = "any",
        /// The model must call the tool named.
        Tool = "tool",
        /// The model must not call a tool.
        None = "none",
    }
}

serde_object!(Tool, ToolChoice);
