//! What a request cost.

use crate::types::model::Model;

hot_object! {
    /// What a request cost, in tokens.
    ///
    /// What was sent is the sum of `input_tokens`, `cache_creation_input_tokens` and `cache_read_input_tokens`.
    ///
    /// ```
    /// # use claude_sdk::types::Usage;
    /// # fn show(usage: &Usage) {
    /// let thought = usage.output_tokens_details.as_ref().map_or(0, |details| details.thinking_tokens);
    /// println!("{} tokens, {thought} of them thinking", usage.output_tokens);
    /// for step in usage.iterations.iter().flatten() {
    ///     println!("  {}: {} by {:?}", step.kind, step.output_tokens, step.model);
    /// }
    /// if let Some(tools) = &usage.server_tool_use {
    ///     println!("{:?} searches of the web", tools.web_search_requests);
    /// }
    /// # }
    /// ```
    Usage {
        /// Tokens read that were neither written to nor read from the cache.
        input_tokens: u64,
        /// Tokens generated.
        output_tokens: u64,
        /// Tokens written to the cache.
        cache_creation_input_tokens: Option<u64>,
        /// Tokens read from the cache.
        cache_read_input_tokens: Option<u64>,
        /// The tokens written to the cache, by how long they live there.
        cache_creation: Option<CacheCreation>,
        /// How the tokens generated divide.
        output_tokens_details: Option<OutputTokensDetails>,
        /// What the service's own tools did, which is paid for apart.
        server_tool_use: Option<ServerToolUsage>,
        /// Which tier served the request.
        service_tier: Option<ServiceTier>,
        /// How fast it was served.
        speed: Option<Speed>,
        /// Where the model ran.
        inference_geo: Option<String>,
        /// What each step cost, where the service took several.
        iterations: Option<Vec<Iteration>>,
        /// What became of the credit that the request brought.
        fallback_credit: Option<FallbackCredit>,
    }
}

hot_object! {
    /// Tokens written to the cache, by how long they live there.
    ///
    /// Example: [`Usage`](crate::types::Usage).
    CacheCreation {
        /// Tokens that live for five minutes.
        ephemeral_5m_input_tokens: u64,
        /// Tokens that live for an hour.
        ephemeral_1h_input_tokens: u64,
    }
}

open_enum! {
    /// A tier of service (API documentation: service tiers).
    ///
    /// Example: [`Usage`](crate::types::Usage).
    ServiceTier {
        /// The usual one.
        Standard = "standard",
        /// With committed capacity.
        Priority = "priority",
        /// For batches.
        Batch = "batch",
    }
}

object! {
    /// What has changed in the [`Usage`] since a stream began; every count is a total, not an increment.
    ///
    /// Example: [`Usage`](crate::types::Usage).
    UsageDelta {
        /// As [`Usage::input_tokens`].
        input_tokens: Option<u64>,
        /// As [`Usage::output_tokens`].
        output_tokens: Option<u64>,
        /// As [`Usage::cache_creation_input_tokens`].
        cache_creation_input_tokens: Option<u64>,
        /// As [`Usage::cache_read_input_tokens`].
        cache_read_input_tokens: Option<u64>,
        /// As [`Usage::cache_creation`].
        cache_creation: Option<CacheCreation>,
        /// As [`Usage::output_tokens_details`].
        output_tokens_details: Option<OutputTokensDetails>,
        /// As [`Usage::server_tool_use`].
        server_tool_use: Option<ServerToolUsage>,
        /// As [`Usage::service_tier`].
        service_tier: Option<ServiceTier>,
        /// As [`Usage::speed`].
        speed: Option<Speed>,
        /// As [`Usage::inference_geo`].
        inference_geo: Option<String>,
        /// As [`Usage::iterations`].
        iterations: Option<Vec<Iteration>>,
        /// As [`Usage::fallback_credit`].
        fallback_credit: Option<FallbackCredit>,
    }
}

open_enum! {
    /// How fast a request is served.
    ///
    /// Example: [`Usage`](crate::types::Usage).
    Speed {
        /// As usual.
        Standard = "standard",
        /// Faster, at a higher price.
        Fast = "fast",
    }
}

object! {
    /// How the tokens generated divide.
    ///
    /// Example: [`Usage`](crate::types::Usage).
    OutputTokensDetails {
        /// Those that were thinking.
        thinking_tokens: u64,
    }
}

object! {
    /// What the service's own tools did.
    ///
    /// Example: [`Usage`](crate::types::Usage).
    ServerToolUsage {
        /// Searches of the web.
        web_search_requests: Option<u64>,
        /// Fetches from the web.
        web_fetch_requests: Option<u64>,
    }
}

object! {
    /// What one step of a request cost, in tokens.
    ///
    /// Example: [`Usage`](crate::types::Usage).
    Iteration {
        /// The kind of step.
        kind as "type": IterationKind,
        /// The model that took it, where that is said.
        model: Option<Model>,
        /// As [`Usage::input_tokens`].
        input_tokens: u64,
        /// As [`Usage::output_tokens`].
        output_tokens: u64,
        /// As [`Usage::cache_creation_input_tokens`].
        cache_creation_input_tokens: Option<u64>,
        /// As [`Usage::cache_read_input_tokens`].
        cache_read_input_tokens: Option<u64>,
        /// As [`Usage::cache_creation`].
        cache_creation: Option<CacheCreation>,
    }
}

open_enum! {
    /// The kinds of step that a request takes.
    ///
    /// Example: [`Usage`](crate::types::Usage).
    IterationKind {
        /// The model answered.
        Message = "message",
        /// The conversation was shortened.
        Compaction = "compaction",
        /// Another model advised.
        AdvisorMessage = "advisor_message",
        /// Another model answered in place of the first.
        FallbackMessage = "fallback_message",
    }
}

object! {
    /// What became of the credit that a request brought.
    ///
    /// Example: [`Usage`](crate::types::Usage).
    FallbackCredit {
        /// Whether it counted.
        status: FallbackCreditStatus,
    }
}

object! {
    /// Whether a credit counted.
    ///
    /// Example: [`Usage`](crate::types::Usage).
    FallbackCreditStatus {
        /// Whether it did.
        kind as "type": FallbackCreditKind,
        /// Why it did not, such as `expired` or `body_mismatch`.
        reason: Option<String>,
        /// The members of the request without which it would have counted.
        remove_to_redeem: Option<Vec<String>>,
    }
}

open_enum! {
    /// Whether a credit counted.
    ///
    /// Example: [`Usage`](crate::types::Usage).
    FallbackCreditKind {
        /// It did.
        Redeemed = "redeemed",
        /// It did not.
        NotApplied = "not_applied",
    }
}

serde_object!(
    CacheCreation,
    FallbackCredit,
    FallbackCreditStatus,
    Iteration,
    OutputTokensDetails,
    ServerToolUsage,
    Usage,
    UsageDelta
);
