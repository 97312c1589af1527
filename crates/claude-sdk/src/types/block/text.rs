//! Text and thinking.

use crate::types::cache::CacheControl;
use crate::types::citation::Citation;

hot_object! {
    /// A block of text.
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
    ThinkingBlock {
        /// The thinking, or a summary of it; may be empty.
        thinking: String,
        /// The service's signature, without which it does not take the block back.
        signature: Option<String>,
    }
}

object! {
    /// Thinking that only the service can read.
    RedactedThinkingBlock {
        /// The thinking, encrypted.
        data: String,
    }
}
