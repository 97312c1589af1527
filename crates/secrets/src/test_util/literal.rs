//! Secrets that stand in their own place.

use async_trait::async_trait;

use crate::{Error, Secret, SecretName, SecretProvider};

/// Answers every name with the name: registered as `literal`, it makes a reference of `literal:value`. For tests only.
#[derive(Debug, Clone, Copy)]
pub struct Literal;

#[async_trait]
impl SecretProvider for Literal {
    async fn get(&self, name: SecretName) -> Result<Option<Secret>, Error> {
        Ok(Some(name.as_str().to_owned().into()))
    }
}
