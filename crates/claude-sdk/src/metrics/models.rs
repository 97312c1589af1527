use std::{
    collections::BTreeSet,
    sync::{Arc, PoisonError, RwLock},
};

use crate::types::Model;

/// The names of models as labels: callers may ask for models of any name, and there must be few labels.
#[derive(Debug, Default)]
pub(super) struct Models(RwLock<Seen>);

#[derive(Debug, Default)]
struct Seen {
    names: BTreeSet<Arc<str>>,
    /// How many of these are not known here.
    unknown: usize,
}

impl Models {
    pub(super) fn label(&self, name: &str) -> Arc<str> {
        let seen = self.0.read().unwrap_or_else(PoisonError::into_inner).names.get(name).cloned();
        seen.unwrap_or_else(|| self.add(name))
    }

    fn add(&self, name: &str) -> Arc<str> {
        let mut seen = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let is_known = Model::KNOWN.contains(&name);
        if !is_known && (seen.unknown == MOST_UNKNOWN || !is_plain(name)) {
            return seen.names.get(OTHER).cloned().unwrap_or_else(|| {
                let other = Arc::from(OTHER);
                seen.names.insert(Arc::clone(&other));
                other
            });
        }
        let label = Arc::from(name);
        if seen.names.insert(Arc::clone(&label)) && !is_known {
            seen.unknown += 1;
        }
        label
    }
}

fn is_plain(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:/@".contains(&byte);
    !name.is_empty() && name.len() <= LONGEST && name.bytes().all(is_plain)
}

const OTHER: &str = "other";
/// How many names that are not known here are told apart: those of gateways, and of models newer than this.
const MOST_UNKNOWN: usize = 50;
/// No model has a longer name, in bytes.
const LONGEST: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_models_are_few_labels_and_push_out_no_known_one() {
        let models = Models::default();
        let mut labels = BTreeSet::new();
        for number in 0..10_000 {
            labels.insert(models.label(&format!("made-up-{number}")));
        }
        assert_eq!(labels.len(), MOST_UNKNOWN + 1);
        assert_eq!(&*models.label("made-up-49"), "made-up-49");
        assert_eq!(&*models.label("made-up-50"), "other");
        for name in Model::KNOWN {
            assert_eq!(&*models.label(name), *name);
        }
        assert_eq!(models.0.read().unwrap().names.len(), MOST_UNKNOWN + 1 + Model::KNOWN.len());
    }

    #[test]
    fn what_is_no_name_of_a_model_is_no_label() {
        let models = Models::default();
        for name in ["", "a b", "a\"b", "\u{e9}", "a\nb", &"x".repeat(LONGEST + 1)] {
            assert_eq!(&*models.label(name), "other", "{name:?}");
        }
        assert_eq!(&*models.label("us.anthropic/claude-x@2027:1"), "us.anthropic/claude-x@2027:1");
    }
}
