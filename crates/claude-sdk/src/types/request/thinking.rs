//! Whether and how much the model thinks before it answers.

object! {
    /// Whether and how much the model thinks before it answers.
    ///
    /// ```
    /// use claude_sdk::types::{Effort, MessageRequest, Model, Thinking, ThinkingDisplay};
    ///
    /// let request = MessageRequest::new(Model::CLAUDE_OPUS_5_5, 16_000)
    ///     .thinking(Thinking::adaptive().display(ThinkingDisplay::Summarized))
    ///     .effort(Effort::High)
    ///     .user("Prove that there is no largest prime.");
    /// # assert_eq!(serde_json::to_value(&request).unwrap()["thinking"]["display"], "summarized");
    /// ```
    Thinking {
        /// The kind of thinking.
        kind as "type": ThinkingKind,
        /// How many tokens it may think, for [`ThinkingKind::Enabled`]; at least 1024, and less than `max_tokens`.
        budget_tokens: Option<u32>,
        /// How much of it is shown.
        display: Option<ThinkingDisplay>,
        /// What happens to thinking that does not belong where it is sent back; a beta.
        block_binding: Option<BlockBinding>,
    }

    /// The model thinks as much as it finds useful.
    pub fn adaptive() where kind = ThinkingKind::Adaptive;

    /// The model thinks between calls of tools, and not first.
    pub fn between_tools() where kind = ThinkingKind::BetweenTools;

    /// The model does not think first.
    pub fn disabled() where kind = ThinkingKind::Disabled;

    fn of(kind: ThinkingKind);
}

impl Thinking {
    /// The model thinks, within a budget in tokens: at least 1024, and less than `max_tokens`.
    #[must_use]
    pub fn enabled(budget_tokens: u32) -> Self {
        Self { budget_tokens: Some(budget_tokens), ..Self::of(ThinkingKind::Enabled) }
    }
}

setters! { Thinking { display: ThinkingDisplay, block_binding: BlockBinding, } }

open_enum! {
    /// The kinds of [`Thinking`].
    ///
    /// Example: [`Thinking`](crate::types::Thinking).
    ThinkingKind {
        /// As much as the model finds useful.
        Adaptive = "adaptive",
        /// Within a budget.
        Enabled = "enabled",
        /// Between calls of tools.
        BetweenTools = "between_tools",
        /// Not at all.
        Disabled = "disabled",
    }
}

open_enum! {
    /// How much of the thinking is shown.
    ///
    /// Example: [`Thinking`](crate::types::Thinking).
    ThinkingDisplay {
        /// A summary.
        Summarized = "summarized",
        /// Nothing; only the signature comes.
        Omitted = "omitted",
        /// Now and then a word on how it goes; a beta.
        Updates = "updates",
    }
}

object! {
    /// What happens to thinking that does not belong where it is sent back.
    ///
    /// Example: [`Thinking`](crate::types::Thinking).
    #[derive(Default)]
    BlockBinding {
        /// Where what came before it is not what it was.
        prefix_mismatch_behavior: Option<PrefixMismatch>,
    }
}

setters! { BlockBinding { prefix_mismatch_behavior: PrefixMismatch, } }

open_enum! {
    /// What happens to thinking where what came before it is not what it was.
    ///
    /// Example: [`Thinking`](crate::types::Thinking).
    PrefixMismatch {
        /// The request is refused.
        Error = "error",
        /// The thinking is left out.
        DropBlock = "drop_block",
    }
}

serde_object!(BlockBinding, Thinking);
