//! What every provider has to keep, wherever its secrets are.

use std::sync::Arc;

use crate::{SecretName, SecretProvider};

/// Runs a provider through what [`SecretProvider`] promises.
///
/// It has to know `present`, with the value `expected`, and nothing by the name of `absent`.
///
/// # Panics
///
/// With the promise that was broken; never with the value.
pub async fn contract(
    provider: impl SecretProvider,
    present: SecretName,
    expected: &str,
    absent: SecretName,
) {
    let provider: Arc<dyn SecretProvider> = Arc::new(provider);
    for attempt in ["first", "second"] {
        let found = provider.get(present.clone()).await;
        let is_right = matches!(&found, Ok(Some(secret)) if secret.expose() == expected);
        assert!(is_right, "a secret that is there is found the {attempt} time, unchanged");
        assert!(!format!("{found:?}").contains(expected), "an answer does not print the secret");
    }
    let missing = provider.get(absent).await;
    assert!(matches!(missing, Ok(None)), "a name that is not there is `None`, so that the next can be asked");
    assert!(!format!("{provider:?}").contains(expected), "`Debug` of a provider does not print the secret");

    drop(provider.get(present.clone())); // a caller that goes away
    assert!(matches!(provider.get(present).await, Ok(Some(_))), "a dropped call has no effect");
}
