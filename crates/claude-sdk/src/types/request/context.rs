//! What the service may leave out of a long conversation.

object! {
    /// What the service may leave out of the conversation.
    ///
    /// ```
    /// use claude_sdk::types::{ContextEdit, ContextManagement, Keep, MessageRequest, Model, Threshold};
    ///
    /// let edits = vec![
    ///     ContextEdit::clear_thinking().keep(Keep::from(Threshold::thinking_turns(2))),
    ///     ContextEdit::clear_tool_uses().trigger(Threshold::input_tokens(100_000)).keep(Threshold::tool_uses(3)),
    /// ];
    /// let request = MessageRequest::new(Model::CLAUDE_OPUS_5_5, 1024).context_management(ContextManagement::new(edits));
    /// # let sent = serde_json::to_value(&request).unwrap()["context_management"]["edits"].take();
    /// # assert_eq!(sent[1]["keep"], serde_json::json!({"type": "tool_uses", "value": 3}));
    /// ```
    #[derive(Default)]
    ContextManagement {
        /// What, in this order.
        edits: Option<Vec<ContextEdit>>,
    }
}

impl ContextManagement {
    /// These edits, in this order.
    #[must_use]
    pub fn new(edits: Vec<ContextEdit>) -> Self {
        Self { edits: Some(edits), ..Self::default() }
    }
}

object! {
    /// Something that the service may leave out of the conversation; which fields count follows from the kind.
    ///
    /// Example: [`ContextManagement`](crate::types::ContextManagement).
    ContextEdit {
        /// What.
        kind as "type": ContextEditKind,
        /// When it does.
        trigger: Option<Threshold>,
        /// How much of it stays.
        keep: Option<Keep>,
        /// How much has to go for the edit to be worth it: calls of tools.
        clear_at_least: Option<Threshold>,
        /// Whether the arguments go as well: calls of tools.
        clear_tool_inputs: Option<ClearInputs>,
        /// The tools whose calls stay: calls of tools.
        exclude_tools: Option<Vec<String>>,
        /// What the summary is to say: compaction.
        instructions: Option<String>,
        /// Whether the reply ends after the summary: compaction.
        pause_after_compaction: Option<bool>,
    }

    /// Old calls of tools and their results.
    pub fn clear_tool_uses() where kind = ContextEditKind::ClearToolUses20250919;

    /// Old thinking.
    pub fn clear_thinking() where kind = ContextEditKind::ClearThinking20251015;

    /// Everything, in exchange for a summary.
    pub fn compact() where kind = ContextEditKind::Compact20260112;
}

setters! {
    ContextEdit {
        trigger: Threshold,
        keep: impl Into<Keep>,
        clear_at_least: Threshold,
        clear_tool_inputs: impl Into<ClearInputs>,
        exclude_tools: Vec<String>,
        instructions: impl Into<String>,
        pause_after_compaction: bool,
    }
}

open_enum! {
    /// What the service may leave out.
    ///
    /// Example: [`ContextManagement`](crate::types::ContextManagement).
    ContextEditKind {
        /// Old calls of tools and their results.
        ClearToolUses20250919 = "clear_tool_uses_20250919",
        /// Old thinking.
        ClearThinking20251015 = "clear_thinking_20251015",
        /// Everything, in exchange for a summary.
        Compact20260112 = "compact_20260112",
    }
}

object! {
    /// So much of something.
    ///
    /// Example: [`ContextManagement`](crate::types::ContextManagement).
    Threshold {
        /// Of what.
        kind as "type": ThresholdKind,
        /// How much; `None` for all.
        value: Option<u64>,
    }

    /// All of it.
    pub fn all() where kind = ThresholdKind::All;

    fn of(kind: ThresholdKind);
}

impl Threshold {
    /// So many tokens sent.
    #[must_use]
    pub fn input_tokens(tokens: u64) -> Self {
        Self { value: Some(tokens), ..Self::of(ThresholdKind::InputTokens) }
    }

    /// So many calls of tools.
    #[must_use]
    pub fn tool_uses(calls: u64) -> Self {
        Self { value: Some(calls), ..Self::of(ThresholdKind::ToolUses) }
    }

    /// So many turns with thinking.
    #[must_use]
    pub fn thinking_turns(turns: u64) -> Self {
        Self { value: Some(turns), ..Self::of(ThresholdKind::ThinkingTurns) }
    }
}

open_enum! {
    /// What a [`Threshold`] counts.
    ///
    /// Example: [`ContextManagement`](crate::types::ContextManagement).
    ThresholdKind {
        /// Tokens sent.
        InputTokens = "input_tokens",
        /// Calls of tools.
        ToolUses = "tool_uses",
        /// Turns with thinking.
        ThinkingTurns = "thinking_turns",
        /// Everything.
        All = "all",
    }
}

either! {
    /// How much stays.
    ///
    /// Example: [`ContextManagement`](crate::types::ContextManagement).
    Keep {
        /// So much.
        Some(Threshold),
        /// A choice of the service's by its name, such as `all`.
        Named(String),
    }
}

either! {
    /// Whether the arguments of calls go as well.
    ///
    /// Example: [`ContextManagement`](crate::types::ContextManagement).
    ClearInputs {
        /// Of all calls or of none.
        All(bool),
        /// Of the calls of these tools.
        Tools(Vec<String>),
    }
}

object! {
    /// Shortens the conversation in place of answering it.
    ///
    /// Example: [`ContextManagement`](crate::types::ContextManagement).
    CompactionConfig {
        /// How: `summarize`.
        kind as "type": String,
        /// What the summary is to say.
        instructions: Option<String>,
    }

    /// A summary.
    pub fn summarize() where kind = "summarize";
}

setters! { CompactionConfig { instructions: impl Into<String>, } }

serde_object!(CompactionConfig, ContextEdit, ContextManagement, Threshold);
