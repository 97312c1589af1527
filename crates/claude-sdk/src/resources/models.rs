use bytes::Bytes;
use http::Method;

use crate::{
    client::Client,
    error::{ConfigError, Error},
    layers::Charge,
    reply::{self, Reply},
    types::{Model, ModelInfo, Page},
};

/// The models a credential may use (`GET /v1/models`).
#[derive(Debug, Clone, Copy)]
pub struct Models<'a>(pub(crate) &'a Client);

impl Models<'_> {
    /// The first page of models, newest first.
    ///
    /// # Errors
    ///
    /// Any [`Error`] of a call.
    pub async fn list(self) -> Result<Reply<Page<ModelInfo>>, Error> {
        self.read("v1/models").await
    }

    /// The page of models after the one whose [`Page::last_id`] is `after_id`.
    ///
    /// # Errors
    ///
    /// Any [`Error`] of a call.
    pub async fn list_after(self, after_id: &str) -> Result<Reply<Page<ModelInfo>>, Error> {
        let query =
            url::form_urlencoded::Serializer::new(String::new()).append_pair("after_id", after_id).finish();
        self.read(&format!("v1/models?{query}")).await
    }

    /// One model.
    ///
    /// # Errors
    ///
    /// [`Error::Api`] with status 404 for a model this credential does not know, or any other [`Error`] of a call.
    pub async fn get(self, model: &Model) -> Result<Reply<ModelInfo>, Error> {
        let segment = segment(model.as_str())?;
        self.read(&format!("v1/models/{segment}")).await
    }

    async fn read<T: serde::de::DeserializeOwned>(self, route: &str) -> Result<Reply<T>, Error> {
        let request = self.0.request(Method::GET, route, Bytes::new(), |_| Charge::default())?;
        let response = self.0.send(request).await?;
        Ok(reply::json(response, self.0.clock()).await?.0)
    }
}

/// An identifier as one segment of a path: whatever could leave the route is refused, not escaped.
fn segment(id: &str) -> Result<&str, ConfigError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':' | b'@');
    if id.is_empty() || id.bytes().all(|byte| byte == b'.') || !id.bytes().all(plain) {
        return Err(ConfigError::Identifier { value: id.chars().take(80).collect() });
    }
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_cannot_leave_its_route() {
        assert!(segment("claude-haiku-4-5-20251001").is_ok());
        for id in ["", ".", "..", "a/b", "a?x=1", "a#b", "%2e%2e", "..;x", "a b", "a\\b"] {
            assert!(segment(id).is_err(), "{id}");
        }
    }
}
