//! The kinds of tool there are.

open_enum! {
    /// The kinds of tool, with their versions; later ones of a kind come last.
    ///
    /// Example: [`Tool`](crate::types::Tool).
    ToolKind {
        /// A tool of your own.
        Custom = "custom",
        /// A shell; a beta.
        Bash20241022 = "bash_20241022",
        /// A shell.
        Bash20250124 = "bash_20250124",
        /// Code in a container of the service.
        CodeExecution20250522 = "code_execution_20250522",
        /// Code in a container of the service.
        CodeExecution20250825 = "code_execution_20250825",
        /// Code in a container of the service.
        CodeExecution20260120 = "code_execution_20260120",
        /// Code in a container of the service.
        CodeExecution20260521 = "code_execution_20260521",
        /// A set of tools for a browser.
        BrowserToolset20260801 = "browser_toolset_20260801",
        /// A set of tools for a screen with mouse and keyboard.
        ComputerToolset20260801 = "computer_toolset_20260801",
        /// A screen with mouse and keyboard; a beta.
        Computer20241022 = "computer_20241022",
        /// A screen with mouse and keyboard; a beta.
        Computer20250124 = "computer_20250124",
        /// A screen with mouse and keyboard; a beta.
        Computer20251124 = "computer_20251124",
        /// A memory of files.
        Memory20250818 = "memory_20250818",
        /// An editor of text files; a beta.
        TextEditor20241022 = "text_editor_20241022",
        /// An editor of text files.
        TextEditor20250124 = "text_editor_20250124",
        /// An editor of text files.
        TextEditor20250429 = "text_editor_20250429",
        /// An editor of text files.
        TextEditor20250728 = "text_editor_20250728",
        /// A search of the web.
        WebSearch20250305 = "web_search_20250305",
        /// A search of the web.
        WebSearch20260209 = "web_search_20260209",
        /// A search of the web.
        WebSearch20260318 = "web_search_20260318",
        /// Pages and files from the web.
        WebFetch20250910 = "web_fetch_20250910",
        /// Pages and files from the web.
        WebFetch20260209 = "web_fetch_20260209",
        /// Pages and files from the web.
        WebFetch20260309 = "web_fetch_20260309",
        /// Pages and files from the web.
        WebFetch20260318 = "web_fetch_20260318",
        /// A search for tools by words.
        ToolSearchToolBm2520251119 = "tool_search_tool_bm25_20251119",
        /// A search for tools by a regular expression.
        ToolSearchToolRegex20251119 = "tool_search_tool_regex_20251119",
        /// The advice of another model; a beta.
        Advisor20260301 = "advisor_20260301",
        /// The tools of an MCP server; a beta.
        McpToolset = "mcp_toolset",
    }
}

impl ToolKind {
    /// The name that a tool of this kind has to have; `None` for your own, for sets of tools and for unknown kinds.
    #[must_use]
    pub fn tool_name(&self) -> Option<&'static str> {
        match self {
            Self::Bash20241022 | Self::Bash20250124 => Some("bash"),
            Self::CodeExecution20250522
            | Self::CodeExecution20250825
            | Self::CodeExecution20260120
            | Self::CodeExecution20260521 => Some("code_execution"),
            Self::Computer20241022 | Self::Computer20250124 | Self::Computer20251124 => Some("computer"),
            Self::Memory20250818 => Some("memory"),
            Self::TextEditor20241022 | Self::TextEditor20250124 => Some("str_replace_editor"),
            Self::TextEditor20250429 | Self::TextEditor20250728 => Some("str_replace_based_edit_tool"),
            Self::WebSearch20250305 | Self::WebSearch20260209 | Self::WebSearch20260318 => Some("web_search"),
            Self::WebFetch20250910
            | Self::WebFetch20260209
            | Self::WebFetch20260309
            | Self::WebFetch20260318 => Some("web_fetch"),
            Self::ToolSearchToolBm2520251119 => Some("tool_search_tool_bm25"),
            Self::ToolSearchToolRegex20251119 => Some("tool_search_tool_regex"),
            Self::Advisor20260301 => Some("advisor"),
            Self::Custom
            | Self::BrowserToolset20260801
            | Self::ComputerToolset20260801
            | Self::McpToolset
            | Self::Other(_) => None,
        }
    }
    /// The name by which calls refer to a set of tools that your program runs, such as a browser's; `None` for all else.
    #[must_use]
    pub fn toolset_name(&self) -> Option<&str> {
        self.as_str().split_once("_toolset_").map(|(name, _)| name)
    }
}
