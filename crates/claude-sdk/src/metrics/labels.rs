use std::{
    cmp::Ordering,
    sync::{Arc, PoisonError, RwLock},
};

use url::Url;

use super::models::Models;
#[cfg(any(feature = "metrics", feature = "otel"))]
use super::series::Prepared;

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
    fn order(&self, operation: &str, model: Option<&str>) -> Ordering {
        self.operation.cmp(operation).then_with(|| self.model.as_deref().cmp(&model))
    }
}

/// The labels that a client has used: one value each, so that a call allocates none and a sink prepares them once.
#[derive(Debug)]
pub(super) struct Known {
    models: Models,
    server_address: Option<Arc<str>>,
    server_port: Option<u16>,
    /// In order.
    labels: RwLock<Vec<Arc<Labels>>>,
}

impl Known {
    pub(super) fn new(base: &Url) -> Self {
        Self {
            models: Models::default(),
            server_address: base.host_str().map(Arc::from),
            server_port: base.port_or_known_default(),
            labels: RwLock::default(),
        }
    }

    pub(super) fn labels(&self, operation: &'static str, model: Option<&str>) -> Arc<Labels> {
        let labels = self.labels.read().unwrap_or_else(PoisonError::into_inner);
        let found = labels.binary_search_by(|labels| labels.order(operation, model));
        let found = found.ok().and_then(|index| labels.get(index)).cloned();
        drop(labels);
        found.unwrap_or_else(|| self.add(operation, model))
    }

    fn add(&self, operation: &'static str, model: Option<&str>) -> Arc<Labels> {
        let model = model.map(|model| self.models.label(model));
        let mut known = self.labels.write().unwrap_or_else(PoisonError::into_inner);
        let place = known.binary_search_by(|labels| labels.order(operation, model.as_deref()));
        if let Some(labels) = place.ok().and_then(|index| known.get(index)) {
            return Arc::clone(labels);
        }
        let labels = Arc::new(Labels {
            operation,
            model,
            server_address: self.server_address.clone(),
            server_port: self.server_port,
            #[cfg(any(feature = "metrics", feature = "otel"))]
            prepared: Prepared::default(),
        });
        known.insert(place.unwrap_or_else(|index| index), Arc::clone(&labels));
        labels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_call_has_the_same_labels_and_no_more_are_kept_than_there_are() {
        let known = Known::new(&"https://api.example:8443/".parse().unwrap());
        let chat = known.labels("chat", Some("claude-haiku-4-5"));
        assert_eq!((chat.operation, chat.model.as_deref()), ("chat", Some("claude-haiku-4-5")));
        assert_eq!((chat.server_address.as_deref(), chat.server_port), (Some("api.example"), Some(8443)));
        assert!(Arc::ptr_eq(&chat, &known.labels("chat", Some("claude-haiku-4-5"))));
        for (operation, model) in [
            ("chat", Some("claude-opus-5")),
            ("chat", None),
            ("count_tokens", Some("claude-haiku-4-5")),
            ("models", None),
        ] {
            let labels = known.labels(operation, model);
            assert_eq!((labels.operation, labels.model.as_deref()), (operation, model));
            assert!(Arc::ptr_eq(&labels, &known.labels(operation, model)));
        }
        for number in 0..200 {
            known.labels("chat", Some(&format!("made-up-{number}")));
        }
        let other = known.labels("chat", Some("one more"));
        assert_eq!(other.model.as_deref(), Some("other"));
        assert!(Arc::ptr_eq(&other, &known.labels("chat", Some("and another"))));
        assert_eq!(known.labels.read().unwrap().len(), 5 + 50 + 1);
    }
}
