use std::{
    cmp::Ordering,
    sync::{Arc, OnceLock, PoisonError, RwLock},
};

use url::Url;

use super::models::Models;
#[cfg(any(feature = "metrics", feature = "otel"))]
use super::prepared::Prepared;

/// Which call something was measured of, in values of which there are few.
///
/// Example: [`metrics`](crate::metrics).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Labels {
    /// What was called: `chat` is a message, `count_tokens` the count of its tokens; any other is named for its route
    /// (`models`, `batches`, `files`, `skills`, `user_profiles`, `organization`, `other`).
    pub operation: &'static str,
    /// The model that was asked for, where one was. Of names that are not known here the first 50 are told apart; any
    /// other is `other`.
    pub model: Option<Arc<str>>,
    /// The host of the base URL.
    pub server_address: Option<Arc<str>>,
    /// The port of the base URL, its default included.
    pub server_port: Option<u16>,
    /// What a sink has made of them.
    #[cfg(any(feature = "metrics", feature = "otel"))]
    pub(super) prepared: Prepared,
}

impl Labels {
    /// Whether it is that call. Operations are mostly the very same word.
    fn is(&self, operation: &'static str, model: Option<&str>) -> bool {
        (std::ptr::eq(self.operation, operation) || self.operation == operation)
            && self.model.as_deref() == model
    }

    fn order(&self, operation: &str, model: Option<&str>) -> Ordering {
        self.operation.cmp(operation).then_with(|| self.model.as_deref().cmp(&model))
    }
}

/// The labels that a client has used, each in a `K` that calls share: a call allocates none, and a sink prepares them once.
#[derive(Debug)]
pub(super) struct Known<K> {
    models: Models,
    server_address: Option<Arc<str>>,
    server_port: Option<u16>,
    /// Of most clients the only one.
    first: OnceLock<Arc<K>>,
    /// All, in the order of their labels.
    kinds: RwLock<Vec<Arc<K>>>,
}

impl<K: AsRef<Labels>> Known<K> {
    pub(super) fn new(base: &Url) -> Self {
        Self {
            models: Models::default(),
            server_address: base.host_str().map(Arc::from),
            server_port: base.port_or_known_default(),
            first: OnceLock::new(),
            kinds: RwLock::default(),
        }
    }

    /// What calls with these labels share; the first of them has it made.
    pub(super) fn kind(
        &self,
        operation: &'static str,
        model: Option<&str>,
        make: impl FnOnce(Labels) -> K,
    ) -> Arc<K> {
        if let Some(first) = self.first.get()
            && first.as_ref().as_ref().is(operation, model)
        {
            return Arc::clone(first);
        }
        self.searched(operation, model, make)
    }

    #[cold]
    fn searched(
        &self,
        operation: &'static str,
        model: Option<&str>,
        make: impl FnOnce(Labels) -> K,
    ) -> Arc<K> {
        let kinds = self.kinds.read().unwrap_or_else(PoisonError::into_inner);
        let found = kinds.binary_search_by(|kind| kind.as_ref().as_ref().order(operation, model));
        let found = found.ok().and_then(|index| kinds.get(index)).cloned();
        drop(kinds);
        found.unwrap_or_else(|| self.add(operation, model, make))
    }

    fn add(&self, operation: &'static str, model: Option<&str>, make: impl FnOnce(Labels) -> K) -> Arc<K> {
        let model = model.map(|model| self.models.label(model));
        let mut kinds = self.kinds.write().unwrap_or_else(PoisonError::into_inner);
        let place = kinds.binary_search_by(|kind| kind.as_ref().as_ref().order(operation, model.as_deref()));
        if let Some(kind) = place.ok().and_then(|index| kinds.get(index)) {
            return Arc::clone(kind);
        }
        let kind = Arc::new(make(Labels {
            operation,
            model,
            server_address: self.server_address.clone(),
            server_port: self.server_port,
            #[cfg(any(feature = "metrics", feature = "otel"))]
            prepared: Prepared::default(),
        }));
        self.first.get_or_init(|| Arc::clone(&kind));
        kinds.insert(place.unwrap_or_else(|index| index), Arc::clone(&kind));
        kind
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Kind(Labels);

    impl AsRef<Labels> for Kind {
        fn as_ref(&self) -> &Labels {
            &self.0
        }
    }

    #[test]
    fn the_same_call_has_the_same_labels_and_no_more_are_kept_than_there_are() {
        let known = Known::new(&"https://api.example:8443/".parse().unwrap());
        let labels = |operation, model: Option<&str>| known.kind(operation, model, Kind);
        let chat = labels("chat", Some("claude-haiku-4-5"));
        assert_eq!((chat.0.operation, chat.0.model.as_deref()), ("chat", Some("claude-haiku-4-5")));
        assert_eq!((chat.0.server_address.as_deref(), chat.0.server_port), (Some("api.example"), Some(8443)));
        assert!(Arc::ptr_eq(&chat, &labels("chat", Some("claude-haiku-4-5"))));
        for (operation, model) in [
            ("chat", Some("claude-opus-5")),
            ("chat", None),
            ("count_tokens", Some("claude-haiku-4-5")),
            ("models", None),
        ] {
            let found = labels(operation, model);
            assert_eq!((found.0.operation, found.0.model.as_deref()), (operation, model));
            assert!(Arc::ptr_eq(&found, &labels(operation, model)));
        }
        for number in 0..200 {
            labels("chat", Some(&format!("made-up-{number}")));
        }
        let other = labels("chat", Some("one more"));
        assert_eq!(other.0.model.as_deref(), Some("other"));
        assert!(Arc::ptr_eq(&other, &labels("chat", Some("and another"))));
        assert_eq!(known.kinds.read().unwrap().len(), 5 + 50 + 1);
    }
}
