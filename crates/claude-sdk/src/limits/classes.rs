//! Which models share a limit.

use std::{collections::HashMap, sync::Arc};

use ratelimit::Key;

/// Which models share a rate limit: under one name the limiter counts together what the service counts together.
///
/// Where nothing else was said, the versions of one generation of a model share one: `claude-sonnet-5-5` and `claude-sonnet-5`
/// are of the class `claude-sonnet-5`. What really holds in an organization is told by
/// [`OrganizationLimits`](crate::OrganizationLimits).
///
/// ```
/// use claude_sdk::ModelClasses;
///
/// let classes = ModelClasses::new().workspace("wrkspc_1").class("mine", ["claude-opus-5", "claude-sonnet-5"]);
/// assert_eq!(classes.key_of("claude-opus-5").as_str(), "wrkspc_1/mine");
/// assert_eq!(classes.key_of("claude-haiku-4-5-20251001").as_str(), "wrkspc_1/claude-haiku-4");
/// ```
#[derive(Debug, Clone, Default)]
pub struct ModelClasses {
    workspace: Option<String>,
    by_model: HashMap<String, Arc<str>>,
}

impl ModelClasses {
    /// The classes that the names of models tell.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts the name of a workspace before each class: where one limiter serves clients of several workspaces, each has
    /// limits of its own.
    #[must_use]
    pub fn workspace(mut self, id: impl Into<String>) -> Self {
        self.workspace = Some(id.into());
        self
    }

    /// Says that these models are of one class.
    #[must_use]
    pub fn class<M: Into<String>>(
        mut self,
        class: impl Into<Arc<str>>,
        models: impl IntoIterator<Item = M>,
    ) -> Self {
        let class = class.into();
        self.by_model.extend(models.into_iter().map(|model| (model.into(), Arc::clone(&class))));
        self
    }

    /// What a message of this model is counted under.
    #[must_use]
    pub fn key_of(&self, model: &str) -> Key {
        match self.by_model.get(model) {
            Some(class) => self.key(class),
            None => self.key(generation(model)),
        }
    }

    /// What counts of tokens are counted under: the service gives them a limit of their own.
    pub(crate) fn key_of_counts(&self) -> Key {
        self.key("count_tokens")
    }

    /// The name of a class within the workspace.
    pub(crate) fn key(&self, class: &str) -> Key {
        match &self.workspace {
            Some(workspace) => Key::from(format!("{workspace}/{class}")),
            None => Key::from(class),
        }
    }
}

/// The name of a model up to the first number after its family; the whole name where it has no such number.
fn generation(model: &str) -> &str {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let mut end = 0;
    for (place, part) in model.split('-').enumerate() {
        end += part.len() + usize::from(place > 0);
        if is_number(part) {
            return if place > 1 { model.get(..end).unwrap_or(model) } else { model };
        }
    }
    model
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_a_generation_share_a_class_and_other_names_are_their_own() {
        for (model, class) in [
            ("claude-sonnet-5", "claude-sonnet-5"),
            ("claude-sonnet-5-5", "claude-sonnet-5"),
            ("claude-haiku-4-5-20251001", "claude-haiku-4"),
            ("claude-3-5-sonnet-20241022", "claude-3-5-sonnet-20241022"),
            ("claude-mythos-preview", "claude-mythos-preview"),
            ("", ""),
        ] {
            assert_eq!(ModelClasses::new().key_of(model).as_str(), class);
        }
    }
}
