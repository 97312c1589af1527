//! Tools that a request offers to the model.

use serde_json::{Map, Value};

use super::wire::Nulls;

object! {
    /// A tool that the model may call.
    Tool {
        /// The name by which the model calls it.
        name: String,
        /// What it does and when to use it; the model reads this.
        description: Option<String>,
        /// A JSON Schema of the arguments, for a tool of your own.
        input_schema: Option<Value>,
    }
}

impl Tool {
    /// A tool of your own, with a JSON Schema of its arguments.
    #[must_use]
    pub fn new(name: impl Into<String>, input_schema: Value) -> Self {
        Self {
            name: name.into(),
            description: None,
            input_schema: Some(input_schema),
            extra: Map::new(),
            nulls: Nulls::default(),
        }
    }

    /// A tool that the service defines, such as `web_search_20260318`, by its type and name.
    ///
    /// Its settings go into [`Tool::extra()`].
    #[must_use]
    pub fn predefined(kind: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            description: None,
            input_schema: None,
            extra: Map::new(),
            nulls: Nulls::default(),
        }
        .extra("type", kind.into())
    }

    /// Says what the tool does and when to use it.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }
}

object! {
    /// Whether and which tools the model is to call.
    ToolChoice {
        /// The kind of choice.
        kind as "type": ToolChoiceKind,
        /// The tool to call, for [`ToolChoiceKind::Tool`].
        name: Option<String>,
        /// Whether the model is kept from calling more than one tool at a time.
        disable_parallel_tool_use: Option<bool>,
    }
}

impl ToolChoice {
    /// The model decides.
    #[must_use]
    pub fn auto() -> Self {
        Self::of(ToolChoiceKind::Auto)
    }

    /// The model must call a tool, whichever.
    #[must_use]
    pub fn any() -> Self {
        Self::of(ToolChoiceKind::Any)
    }

    /// The model must call this tool.
    #[must_use]
    pub fn tool(name: impl Into<String>) -> Self {
        Self { name: Some(name.into()), ..Self::of(ToolChoiceKind::Tool) }
    }

    /// The model must not call a tool.
    #[must_use]
    pub fn none() -> Self {
        Self::of(ToolChoiceKind::None)
    }

    /// Keeps the model from calling more than one tool at a time, or lets it.
    #[must_use]
    pub fn disable_parallel_tool_use(mut self, disable: bool) -> Self {
        self.disable_parallel_tool_use = Some(disable);
        self
    }

    fn of(kind: ToolChoiceKind) -> Self {
        Self { kind, name: None, disable_parallel_tool_use: None, extra: Map::new(), nulls: Nulls::default() }
    }
}

open_enum! {
    /// The kinds of [`ToolChoice`].
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
