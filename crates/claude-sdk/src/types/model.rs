//! Models: their names, and what the service says about them.

use std::borrow::Cow;
use std::fmt;

/// The name of a model; any text, with constants for the names known when this was written.
///
/// Which of them an account may use is for the service to say (`GET /v1/models`).
///
/// Example: [`ModelInfo`](crate::types::ModelInfo).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Model(Cow<'static, str>);

/// Constants for known model names.
macro_rules! known_models {
    ($($name:ident = $text:literal,)*) => {
        impl Model {
            $(#[doc = concat!("The model `", $text, "`.")]
            pub const $name: Self = Self(Cow::Borrowed($text));)*

            /// All of these names.
            pub(crate) const KNOWN: &'static [&'static str] = &[$($text),*];
        }
    };
}

known_models! {
    CLAUDE_FABLE_5_2 = "claude-fable-5-2",
    CLAUDE_MYTHOS_5_2 = "claude-mythos-5-2",
    CLAUDE_HAIKU_5_5 = "claude-haiku-5-5",
    CLAUDE_SONNET_5_5 = "claude-sonnet-5-5",
    CLAUDE_FABLE_5_1 = "claude-fable-5-1",
    CLAUDE_OPUS_5_5 = "claude-opus-5-5",
    CLAUDE_MYTHOS_5_1 = "claude-mythos-5-1",
    CLAUDE_SONNET_5 = "claude-sonnet-5",
    CLAUDE_FABLE_5 = "claude-fable-5",
    CLAUDE_MYTHOS_5 = "claude-mythos-5",
    CLAUDE_OPUS_5 = "claude-opus-5",
    CLAUDE_OPUS_4_8 = "claude-opus-4-8",
    CLAUDE_OPUS_4_7 = "claude-opus-4-7",
    CLAUDE_MYTHOS_PREVIEW = "claude-mythos-preview",
    CLAUDE_OPUS_4_6 = "claude-opus-4-6",
    CLAUDE_SONNET_4_6 = "claude-sonnet-4-6",
    CLAUDE_HAIKU_4_5 = "claude-haiku-4-5",
    CLAUDE_HAIKU_4_5_20251001 = "claude-haiku-4-5-20251001",
    CLAUDE_OPUS_4_5 = "claude-opus-4-5",
    CLAUDE_OPUS_4_5_20251101 = "claude-opus-4-5-20251101",
    CLAUDE_SONNET_4_5 = "claude-sonnet-4-5",
    CLAUDE_SONNET_4_5_20250929 = "claude-sonnet-4-5-20250929",
}

impl Model {
    /// The name as the API spells it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Model {
    fn from(name: &str) -> Self {
        Self(Cow::Owned(name.to_owned()))
    }
}

impl From<String> for Model {
    fn from(name: String) -> Self {
        Self(Cow::Owned(name))
    }
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

serde_string!(Model);

object! {
    /// What the service says about a model (`GET /v1/models`).
    ///
    /// Everything but the name is optional: older servers and gateways say less.
    ///
    /// ```
    /// use claude_sdk::{Client, types::Lifecycle};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = mock_server::MockServer::start().await?;
    /// # let client = Client::builder().api_key(server.api_key()).base_url(server.base_url()).build()?;
    /// let mut models = client.models().list().items();
    /// while let Some(model) = models.next().await {
    ///     let model = model?;
    ///     let can = model.capabilities.unwrap_or_default();
    ///     let reads_images = can.image_input.is_some_and(|support| support.supported);
    ///     let is_current = model.lifecycle == Some(Lifecycle::Active);
    ///     println!("{}: current {is_current}, reads images {reads_images}", model.id);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ModelInfo {
        /// The name to put into requests.
        id: Model,
        /// The name to show to people.
        display_name: Option<String>,
        /// When the model was released, as RFC 3339 text.
        created_at: Option<String>,
        /// Where the model stands in its life.
        lifecycle: Option<Lifecycle>,
        /// When the model was deprecated, as RFC 3339 text.
        deprecated_at: Option<String>,
        /// When the model is or was retired, as RFC 3339 text.
        retires_at: Option<String>,
        /// The line that the model belongs to; it cannot be told from the name.
        line: Option<ModelLine>,
        /// What the model can do.
        capabilities: Option<ModelCapabilities>,
        /// The models that may answer where this one declines.
        allowed_fallback_models: Option<Vec<Model>>,
        /// The size of the context window, in tokens.
        max_input_tokens: Option<u64>,
        /// The greatest `max_tokens` a request may ask for.
        max_tokens: Option<u64>,
    }
}

open_enum! {
    /// The lines of models.
    ///
    /// Example: [`ModelInfo`](crate::types::ModelInfo).
    ModelLine {
        /// Claude Haiku.
        Haiku = "haiku",
        /// Claude Sonnet.
        Sonnet = "sonnet",
        /// Claude Opus.
        Opus = "opus",
        /// Claude Fable.
        Fable = "fable",
        /// Claude Mythos.
        Mythos = "mythos",
    }
}

object! {
    /// What a model can do.
    ///
    /// Example: [`ModelInfo`](crate::types::ModelInfo).
    #[derive(Default)]
    ModelCapabilities {
        /// Messages in batches.
        batch: Option<Support>,
        /// Citations of documents.
        citations: Option<Support>,
        /// Running code.
        code_execution: Option<Support>,
        /// Summaries of long conversations.
        compaction: Option<CompactionSupport>,
        /// Edits of long conversations.
        context_management: Option<ContextManagementSupport>,
        /// Levels of effort.
        effort: Option<EffortSupport>,
        /// Images in messages.
        image_input: Option<Support>,
        /// PDF documents in messages.
        pdf_input: Option<Support>,
        /// Tools that the service runs.
        server_tools: Option<ServerToolsSupport>,
        /// Answers that follow a schema.
        structured_outputs: Option<Support>,
        /// Thinking before the answer.
        thinking: Option<ThinkingSupport>,
    }
}

object! {
    /// Whether a model can do something.
    ///
    /// Example: [`ModelInfo`](crate::types::ModelInfo).
    Support {
        /// Whether it can.
        supported: bool,
    }
}

object! {
    /// Which summaries of long conversations a model makes.
    ///
    /// Example: [`ModelInfo`](crate::types::ModelInfo).
    CompactionSupport {
        /// Whether it makes any.
        supported: bool,
        /// By [`CompactionConfig::summarize`](super::CompactionConfig::summarize).
        summarize: Option<Support>,
    }
}

object! {
    /// Which edits of long conversations a model bears; see [`ContextEditKind`](super::ContextEditKind).
    ///
    /// Example: [`ModelInfo`](crate::types::ModelInfo).
    ContextManagementSupport {
        /// Whether it bears any.
        supported: bool,
        /// Thinking can be left out.
        clear_thinking_20251015: Option<Support>,
        /// Calls of tools can be left out.
        clear_tool_uses_20250919: Option<Support>,
        /// The conversation can be summarized.
        compact_20260112: Option<Support>,
    }
}

object! {
    /// Which levels of [`Effort`](super::Effort) a model knows.
    ///
    /// Example: [`ModelInfo`](crate::types::ModelInfo).
    EffortSupport {
        /// Whether it knows any.
        supported: bool,
        /// [`Effort::Low`](super::Effort::Low).
        low: Option<Support>,
        /// [`Effort::Medium`](super::Effort::Medium).
        medium: Option<Support>,
        /// [`Effort::High`](super::Effort::High).
        high: Option<Support>,
        /// [`Effort::XHigh`](super::Effort::XHigh).
        xhigh: Option<Support>,
        /// [`Effort::Max`](super::Effort::Max).
        max: Option<Support>,
    }
}

object! {
    /// Which tools of the service a model can use.
    ///
    /// Example: [`ModelInfo`](crate::types::ModelInfo).
    ServerToolsSupport {
        /// Whether it can use any.
        supported: bool,
        /// Running code.
        code_execution: Option<Support>,
        /// Searching the web.
        web_search: Option<Support>,
    }
}

object! {
    /// Which kinds of [`Thinking`](super::Thinking) a model knows.
    ///
    /// Example: [`ModelInfo`](crate::types::ModelInfo).
    ThinkingSupport {
        /// Whether it thinks.
        supported: bool,
        /// The kinds.
        types: Option<ThinkingTypes>,
    }
}

object! {
    /// The kinds of thinking of a model, each with whether it knows it.
    ///
    /// Example: [`ModelInfo`](crate::types::ModelInfo).
    ThinkingTypes {
        /// As much as it takes.
        adaptive: Option<Support>,
        /// Between calls of tools.
        between_tools: Option<Support>,
        /// None.
        disabled: Option<Support>,
        /// With a budget.
        enabled: Option<Support>,
    }
}

serde_object!(
    ModelInfo,
    ModelCapabilities,
    Support,
    CompactionSupport,
    ContextManagementSupport,
    EffortSupport,
    ServerToolsSupport,
    ThinkingSupport,
    ThinkingTypes,
);

open_enum! {
    /// Where a model stands in its life.
    ///
    /// Example: [`ModelInfo`](crate::types::ModelInfo).
    Lifecycle {
        /// In service.
        Active = "active",
        /// In service, with a date of retirement.
        Deprecated = "deprecated",
        /// Out of service.
        Retired = "retired",
    }
}
