//! The mock of the seam, for tests that script every call.
#![allow(missing_docs, reason = "mockall writes most of these items")]

use std::time::Duration;

use async_trait::async_trait;
use mockall::mock;

use crate::{Error, Leased, Secret, SecretName, SecretProvider, SecretStore};

mock! {
    /// A [`SecretProvider`] whose every call is scripted.
    #[derive(Debug)]
    pub SecretProvider {}

    #[async_trait]
    impl SecretProvider for SecretProvider {
        async fn get(&self, name: SecretName) -> Result<Option<Secret>, Error>;
    }
}

mock! {
    /// A [`SecretStore`] whose every call is scripted.
    #[derive(Debug)]
    pub SecretStore {}

    #[async_trait]
    impl SecretProvider for SecretStore {
        async fn get(&self, name: SecretName) -> Result<Option<Secret>, Error>;
    }

    #[async_trait]
    impl SecretStore for SecretStore {
        async fn put(&self, name: SecretName, secret: Secret) -> Result<(), Error>;
        async fn put_if(&self, name: SecretName, secret: Secret, version: u64) -> Result<u64, Error>;
        async fn delete(&self, name: SecretName) -> Result<(), Error>;
        async fn lease(&self, name: SecretName, lasting: Duration) -> Result<Option<Leased>, Error>;
    }
}
