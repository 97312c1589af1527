//! Rate limits of an organization.

object! {
    /// The limits of one group of models, or of another part of the API (`GET /v1/organizations/rate_limits`).
    ///
    /// Example: [`Organization`](crate::Organization).
    RateLimitEntry {
        /// The entry's own identifier.
        id: Option<String>,
        /// What it is about.
        group: Option<RateLimitGroup>,
        /// What it allows.
        limits: Vec<RateLimitValue>,
        /// The models that share it, aliases among them; none where the group is no group of models.
        models: Option<Vec<String>>,
    }
}

object! {
    /// What a [`RateLimitEntry`] is about.
    ///
    /// Example: [`Organization`](crate::Organization).
    RateLimitGroup {
        /// The group's identifier, the same in every organization.
        id: Option<String>,
        /// Which kind of group, such as `model_group` or `token_count`.
        kind as "type": String,
        /// The name to show to people.
        display_name: Option<String>,
    }
}

object! {
    /// One limit of a [`RateLimitEntry`].
    ///
    /// Example: [`Organization`](crate::Organization).
    RateLimitValue {
        /// What is limited, such as `requests_per_minute`.
        kind as "type": String,
        /// How much of it there may be.
        value: u64,
    }
}

serde_object!(RateLimitEntry, RateLimitGroup, RateLimitValue);
