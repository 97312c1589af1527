//! The mock of the seam, for tests that script every call.
#![allow(missing_docs, reason = "mockall writes most of these items")]

use async_trait::async_trait;
use mockall::mock;

use crate::{Error, Secret, SecretName, SecretProvider};

mock! {
    /// A [`SecretProvider`] whose every call is scripted.
    #[derive(Debug)]
    pub SecretProvider {}

    #[async_trait]
    impl SecretProvider for SecretProvider {
        async fn get(&self, name: SecretName) -> Result<Option<Secret>, Error>;
    }
}
