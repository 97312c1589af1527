//! What is kept in the prompt cache, and for how long.

object! {
    /// A mark in a request: everything up to here may be kept in the cache (API documentation: prompt caching).
    ///
    /// ```
    /// use claude_sdk::types::{CacheControl, ContentBlockParam, MessageRequest, Model, Ttl};
    ///
    /// let manual = ContentBlockParam::text("…").cache_control(CacheControl::ephemeral().ttl(Ttl::OneHour));
    /// let request = MessageRequest::new(Model::CLAUDE_OPUS_5_5, 1024).system(manual).user("What does it say?");
    /// # assert_eq!(
    /// #     serde_json::to_value(&request).unwrap()["system"][0]["cache_control"],
    /// #     serde_json::json!({"type": "ephemeral", "ttl": "1h"}),
    /// # );
    /// ```
    CacheControl {
        /// The kind of cache; `ephemeral` is the only one.
        kind as "type": String,
        /// How long it is kept since it was last read; five minutes where unset.
        ttl: Option<Ttl>,
    }

    /// The cache that forgets what nobody reads.
    pub fn ephemeral() where kind = "ephemeral";
}

setters! { CacheControl { ttl: Ttl, } }

open_enum! {
    /// How long something is kept in the cache.
    ///
    /// Example: [`CacheControl`](crate::types::CacheControl).
    Ttl {
        /// Five minutes.
        FiveMinutes = "5m",
        /// An hour.
        OneHour = "1h",
    }
}

serde_object!(CacheControl);
