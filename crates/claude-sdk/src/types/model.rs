//! Models: their names, and what the service says about them.

use std::borrow::Cow;
use std::fmt;

/// The name of a model; any text, with constants for the names known when this was written.
///
/// Which of them an account may use is for the service to say (`GET /v1/models`).
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
    ModelInfo {
        /// The name to put into requests.
        id: Model,
        /// The name to show to people.
        display_name: Option<String>,
        /// When the model was released, as RFC 3339 text.
        created_at: Option<String>,
        /// Where the model stands in its life.
        lifecycle: Option<Lifecycle>,
        /// When the model is or was retired, as RFC 3339 text.
        retires_at: Option<String>,
        /// The size of the context window, in tokens.
        max_input_tokens: Option<u64>,
        /// The greatest `max_tokens` a request may ask for.
        max_tokens: Option<u64>,
    }
}

serde_object!(ModelInfo);

open_enum! {
    /// Where a model stands in its life.
    Lifecycle {
        /// In service.
        Active = "active",
        /// In service, with a date of retirement.
        Deprecated = "deprecated",
        /// Out of service.
        Retired = "retired",
    }
}
