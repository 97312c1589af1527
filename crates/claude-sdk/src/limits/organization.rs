//! The limits of an organization, as its own endpoint tells them.

use std::sync::Arc;

use ratelimit::{
    Limits,
    limiters::{Local, LocalBuilder},
};

use super::ModelClasses;
use crate::types::RateLimitEntry;

/// The rate limits of an organization: which models share one, and how much each allows.
///
/// Example: [`Organization`](crate::Organization).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct OrganizationLimits {
    /// The entries as they came: groups of models, and other parts of the API.
    pub entries: Vec<RateLimitEntry>,
}

impl OrganizationLimits {
    /// Which models share a limit, for [`ClientBuilder::model_classes`](crate::ClientBuilder::model_classes).
    #[must_use]
    #[inline]
    pub fn classes(&self) -> ModelClasses {
        self.entries.iter().fold(ModelClasses::new(), |classes, entry| {
            classes.class(name(entry), entry.models.iter().flatten().map(String::as_str))
        })
    }

    /// Begins a limiter with these limits for the classes of `classes`, which may be [`classes`](Self::classes) in a workspace;
    /// of everything else it listens to what the service tells.
    #[must_use = "call `build`"]
    #[inline]
    pub fn limiter(&self, classes: &ModelClasses) -> LocalBuilder {
        self.entries.iter().fold(Local::listening(), |limiter, entry| match limits_of(entry) {
            Some(limits) => limiter.limits_of(classes.key(&name(entry)), limits),
            None => limiter,
        })
    }
}

/// What an entry is counted under; its group is the same in every organization.
#[inline]
fn name(entry: &RateLimitEntry) -> Arc<str> {
    let group = entry.group.as_ref();
    let id = || group.and_then(|group| group.id.as_deref()).or(entry.id.as_deref()).unwrap_or("unnamed");
    match group.map(|group| group.kind.as_str()) {
        // Counts are known by this name.
        Some("token_count") => "count_tokens".into(),
        _ => id().into(),
    }
}

/// What an entry allows in a minute, if it says so.
#[inline]
fn limits_of(entry: &RateLimitEntry) -> Option<Limits> {
    let mut limits = Limits::default();
    for value in &entry.limits {
        match value.kind.as_str() {
            "requests_per_minute" => limits = limits.with_requests(value.value),
            "input_tokens_per_minute" | "input_tokens_per_minute_cache_aware" => {
                limits = limits.with_input_tokens(value.value);
            }
            "output_tokens_per_minute" => limits = limits.with_output_tokens(value.value),
            _ => {}
        }
    }
    (limits != Limits::default()).then_some(limits)
}
