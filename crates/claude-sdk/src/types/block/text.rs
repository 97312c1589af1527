//! Text and thinking.

use crate::types::cache::CacheControl;
use crate::types::citation::Citation;

hot_object! {
    /// A block of text.
    ///
    /// ```
    /// use claude_sdk::types::{CacheControl, ContentBlockParam, MessageRequest, Model, TextBlock};
    ///
    /// let rules = TextBlock::new("A long text that is the same in each request.").cache_control(CacheControl::ephemeral());
    /// let request = MessageRequest::new(Model::CLAUDE_SONNET_5_5, 100).system(ContentBlockParam::from(rules)).user("Hello!");
    /// ```
    TextBlock {
        /// The text.
        text: String,
        /// Where the text has its words from.
        citations: Option<Vec<Citation>>,
        /// Marks the block for the cache; in requests.
        cache_control: Option<CacheControl>,
    }

    /// A block of this text.
    pub fn new(text: impl Into<String>);
}

setters! { TextBlock { cache_control: CacheControl, } }

hot_object! {
    /// The model's thinking.
    ///
    /// Example: [`Thinking`](crate::types::Thinking).
    ThinkingBlock {
        /// The thinking, or a summary of it; may be empty.
        thinking: String,
        /// The service's signature, without which it does not take the block back.
        signature: Option<String>,
    }
}

object! {
    /// Thinking that only the service can read.
    ///
    /// Example: [`Thinking`](crate::types::Thinking).
    RedactedThinkingBlock {
        /// The thinking, encrypted.
        data: String,
    }
}
