//! What every provider has to keep, wherever its secrets are.

use std::{sync::Arc, time::Duration};

use crate::{Error, ErrorKind, Leased, Secret, SecretName, SecretProvider, SecretStore};

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

/// Runs a store through what [`SecretStore`] promises, leases too if it has them, and leaves `name` removed.
///
/// The store has to have nothing by that name.
///
/// # Panics
///
/// With the promise that was broken; never with the value.
#[expect(clippy::panic, reason = "a check that fails ends the test")]
pub async fn store_contract(store: impl SecretStore, name: SecretName) {
    let store: Arc<dyn SecretStore> = Arc::new(store);
    let holds = async |value: Option<&str>| match (store.get(name.clone()).await, value) {
        (Ok(Some(found)), Some(value)) => found.expose() == value,
        (Ok(None), None) => true,
        _ => false,
    };
    let secret = |text: &str| Secret::from(text.to_owned());
    let delete =
        async || assert!(store.delete(name.clone()).await.is_ok(), "a secret is removed, there or not");

    delete().await;
    for value in ["canary-one", "canary-two {\"json\": \"ünïcödé\"}"] {
        assert!(store.put(name.clone(), secret(value)).await.is_ok(), "a secret is stored");
        assert!(holds(Some(value)).await, "the newest value is found, unchanged");
    }
    assert!(!format!("{store:?}").contains("canary"), "`Debug` of a store does not print the secret");
    delete().await;
    assert!(holds(None).await, "what was removed is `None`");

    let put_if = async |value, version| store.put_if(name.clone(), secret(value), version).await;
    match put_if("canary-seven", 0).await {
        Ok(first) => {
            assert!(
                is(put_if("canary-no", 0).await, ErrorKind::Superseded),
                "what is there is not made anew"
            );
            let known =
                matches!(store.get(name.clone()).await, Ok(Some(found)) if found.version() == Some(first));
            assert!(known, "a secret that is read tells its version");
            let second = put_if("canary-eight", first).await;
            assert!(matches!(second, Ok(second) if second != first), "the newest version is replaced");
            assert!(is(put_if("canary-no", first).await, ErrorKind::Superseded), "an older one is not");
            assert!(holds(Some("canary-eight")).await, "what was refused is not written");
        }
        Err(error) => assert!(error.kind() == ErrorKind::Unsupported, "a store that does not count says so"),
    }
    delete().await;

    let lasting = Duration::from_secs(60);
    let lease = async || store.lease(name.clone(), lasting).await;
    let Ok(Some(first)) = lease().await else { return delete().await };
    let Leased::Held(first) = first else { panic!("a lease that nobody has is given") };
    assert!(matches!(lease().await, Ok(Some(Leased::Busy(left))) if left <= lasting), "one holder at a time");
    assert!(first.replace(Some(secret("canary-three"))).await.is_ok(), "the holder may write");
    assert!(holds(Some("canary-three")).await, "what the holder writes is there");
    assert!(matches!(first.extend(lasting).await, Ok(true)), "a lease that has not run out is extended");
    assert!(matches!(first.extend(Duration::ZERO).await, Ok(true)), "a lease can be given up");
    assert!(matches!(first.extend(lasting).await, Ok(false)), "what was given up cannot be extended");
    let Ok(Some(Leased::Held(second))) = lease().await else { panic!("a lease that was given up is given") };
    assert!(first.replace(Some(secret("canary-four"))).await.is_ok(), "nobody has written since");
    assert!(second.replace(Some(secret("canary-five"))).await.is_ok(), "the later holder may write");
    let late = first.replace(Some(secret("canary-six"))).await;
    assert!(
        matches!(late, Err(error) if error.kind() == ErrorKind::Superseded),
        "an earlier holder overwrites nothing"
    );
    assert!(holds(Some("canary-five")).await, "a refused write changes nothing");
    assert!(second.replace(None).await.is_ok() && holds(None).await, "the holder may remove");
    let late = first.replace(Some(secret("canary-seven"))).await;
    assert!(late.is_err() && holds(None).await, "a removal is not undone by an earlier holder");
    assert!(store.put(name.clone(), secret("canary-eight")).await.is_ok(), "whoever has no lease may write");
    assert!(
        second.replace(None).await.is_err() && holds(Some("canary-eight")).await,
        "and comes after all leases"
    );
    assert!(matches!(second.extend(Duration::ZERO).await, Ok(true)), "a lease can be given up");
    delete().await;
}

fn is<T>(outcome: Result<T, Error>, kind: ErrorKind) -> bool {
    outcome.is_err_and(|error| error.kind() == kind)
}
