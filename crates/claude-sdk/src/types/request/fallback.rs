//! Models that answer where another one declines.

use super::{OutputConfig, Thinking};
use crate::types::message::Speed;
use crate::types::model::Model;

either! {
    /// Models that answer where another one declines.
    ///
    /// ```
    /// use claude_sdk::types::{Fallback, Fallbacks, MessageRequest, Model};
    ///
    /// let request = MessageRequest::new(Model::CLAUDE_MYTHOS_5_2, 1024).fallbacks(Fallbacks::default());
    /// let request = request.fallbacks(vec![Fallback::new(Model::CLAUDE_OPUS_5_5)]);
    /// # assert_eq!(serde_json::to_value(&request).unwrap()["fallbacks"][0]["model"], "claude-opus-5-5");
    /// ```
    Fallbacks {
        /// A choice of the service's, by its name.
        Named(String),
        /// These, in this order.
        Models(Vec<Fallback>),
    }
}

/// The choice that the service calls `default`.
impl Default for Fallbacks {
    fn default() -> Self {
        Self::Named("default".to_owned())
    }
}

object! {
    /// A model that answers where another one declines, and what is different with it.
    ///
    /// Example: [`Fallbacks`](crate::types::Fallbacks).
    Fallback {
        /// The model.
        model: Model,
        /// How many tokens the reply may have at most.
        max_tokens: Option<u32>,
        /// How much effort it makes, and in which form it answers.
        output_config: Option<OutputConfig>,
        /// How fast it is served.
        speed: Option<Speed>,
        /// Whether and how much it thinks first.
        thinking: Option<Thinking>,
    }

    /// This model, with everything as it is.
    pub fn new(model: impl Into<Model>);
}

setters! { Fallback { max_tokens: u32, output_config: OutputConfig, speed: Speed, thinking: Thinking, } }

either! {
    /// The credit of a refused request, which makes the next one cost less.
    ///
    /// Example: [`Fallbacks`](crate::types::Fallbacks).
    FallbackCreditToken {
        /// The token of [`StopDetails::fallback_credit_token`](crate::types::StopDetails::fallback_credit_token).
        Token(String),
        /// The token, and what happens where it does not count.
        Issued(IssuedCredit),
    }
}

impl From<&str> for FallbackCreditToken {
    fn from(token: &str) -> Self {
        Self::Token(token.to_owned())
    }
}

object! {
    /// A credit, and what happens where it does not count.
    ///
    /// Example: [`Fallbacks`](crate::types::Fallbacks).
    IssuedCredit {
        /// The token.
        token: String,
        /// What happens where it does not count.
        mode: Option<CreditMode>,
    }

    /// The credit of this token.
    pub fn new(token: impl Into<String>);
}

setters! { IssuedCredit { mode: CreditMode, } }

open_enum! {
    /// What happens where a credit does not count.
    ///
    /// Example: [`Fallbacks`](crate::types::Fallbacks).
    CreditMode {
        /// The request is refused.
        Strict = "strict",
        /// The request costs what it costs.
        BestEffort = "best_effort",
    }
}

serde_object!(Fallback, IssuedCredit);
