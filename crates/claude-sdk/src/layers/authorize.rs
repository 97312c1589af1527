use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderName, StatusCode};
use transport::{Error, HttpBackend, Request, Response};

use crate::{
    config::{ApiVersion, BaseUrl},
    credentials::{Credential, CredentialProvider},
    error::{AuthError, ConfigError},
};

/// Puts a fresh credential on each attempt, and answers a 401 with one renewal and one replay.
///
/// It sends a credential to the configured origin only, and never unencrypted except on loopback.
#[derive(Debug, Clone)]
pub struct Authorize<B> {
    backend: B,
    provider: Arc<dyn CredentialProvider>,
    base: BaseUrl,
    version: ApiVersion,
}

impl<B> Authorize<B> {
    /// Wraps `backend`; credentials of `provider` go to the origin of `base_url` and nowhere else.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] where `base_url` is no URL that a credential may be sent to.
    pub fn new(
        backend: B,
        provider: Arc<dyn CredentialProvider>,
        base_url: &str,
        version: ApiVersion,
    ) -> Result<Self, ConfigError> {
        Ok(Self { backend, provider, base: BaseUrl::parse(base_url)?, version })
    }
}

impl<B: HttpBackend> Authorize<B> {
    async fn attempt(&self, mut request: Request, credential: &Credential) -> Result<Response, Error> {
        credential.attach(self.version, request.headers_mut()).map_err(Error::refused)?;
        let mut response = self.backend.send(request).await?;
        // Whoever turns an error body into text takes the secret out of it.
        response.extensions_mut().insert(credential.clone());
        Ok(response)
    }
}

#[async_trait]
impl<B: HttpBackend> HttpBackend for Authorize<B> {
    async fn send(&self, mut request: Request) -> Result<Response, Error> {
        if !self.base.is_origin_of(request.uri()) {
            let configured = self.base.as_url().origin().ascii_serialization();
            return Err(Error::refused(AuthError::ForeignOrigin { configured }));
        }
        request.headers_mut().insert(HeaderName::from_static("anthropic-version"), self.version.header());

        let credential = self.provider.credential().await.map_err(Error::refused)?;
        let response = self.attempt(request.clone(), &credential).await?;
        if response.status() != StatusCode::UNAUTHORIZED || !credential.is_renewable() {
            return Ok(response);
        }
        self.provider.reject(&credential);
        let renewed = self.provider.credential().await.map_err(Error::refused)?;
        if renewed.generation() == credential.generation() {
            return Ok(response);
        }
        drop(response);
        self.attempt(request, &renewed).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use bytes::Bytes;
    use transport::Body;

    use super::*;

    /// Answers 401 to the tokens it is told to refuse.
    #[derive(Debug, Default)]
    struct Service {
        refuses: Vec<&'static str>,
        saw: Mutex<Vec<String>>,
    }

    #[async_trait]
    impl HttpBackend for Service {
        async fn send(&self, request: Request) -> Result<Response, Error> {
            let bearer = request.headers()["authorization"].to_str().unwrap().to_owned();
            let refused = self.refuses.iter().any(|token| bearer.ends_with(token));
            self.saw.lock().unwrap().push(bearer);
            let mut response = Response::new(Body::empty());
            if refused {
                *response.status_mut() = StatusCode::UNAUTHORIZED;
            }
            Ok(response)
        }
    }

    /// Renews once, from `t1` to `t2`, when the first generation is refused.
    #[derive(Debug, Default)]
    struct Renewing(Mutex<u64>);

    #[async_trait]
    impl CredentialProvider for Renewing {
        async fn credential(&self) -> Result<Credential, AuthError> {
            let generation = *self.0.lock().unwrap();
            Credential::token(format!("t{}", generation + 1).into(), generation)
        }

        fn reject(&self, refused: &Credential) {
            *self.0.lock().unwrap() = (refused.generation() + 1).min(1);
        }
    }

    fn request(uri: &str) -> Request {
        http::Request::get(uri).body(Bytes::new()).unwrap()
    }

    async fn through(
        service: Service,
        provider: impl CredentialProvider,
        uri: &str,
    ) -> (Result<Response, Error>, Vec<String>) {
        let service = Arc::new(service);
        let layer = Authorize::new(
            Arc::clone(&service),
            Arc::new(provider),
            "https://api.example",
            ApiVersion::default(),
        );
        let result = layer.unwrap().send(request(uri)).await;
        let saw = service.saw.lock().unwrap().clone();
        (result, saw)
    }

    #[tokio::test]
    async fn a_401_is_answered_with_one_renewal_and_one_replay() {
        let service = Service { refuses: vec!["t1"], ..Service::default() };
        let (result, saw) = through(service, Renewing::default(), "https://api.example/v1").await;
        assert_eq!(result.unwrap().status(), 200);
        assert_eq!(saw, ["Bearer t1", "Bearer t2"]);
    }

    #[tokio::test]
    async fn a_second_401_is_the_answer() {
        let service = Service { refuses: vec!["t1", "t2"], ..Service::default() };
        let (result, saw) = through(service, Renewing::default(), "https://api.example/v1").await;
        assert_eq!(result.unwrap().status(), 401);
        assert_eq!(saw.len(), 2);
    }

    #[tokio::test]
    async fn a_401_for_an_api_key_is_not_replayed() {
        let service = Service { refuses: vec!["key"], ..Service::default() };
        let key = Credential::api_key("key".into()).unwrap();
        let (result, saw) = through(service, key, "https://api.example/v1").await;
        assert_eq!(result.unwrap().status(), 401);
        assert_eq!(saw.len(), 1);
    }

    #[tokio::test]
    async fn nothing_is_sent_to_another_origin() {
        for uri in ["https://evil.example/v1", "http://api.example/v1", "https://api.example:444/v1"] {
            let (result, saw) = through(Service::default(), Renewing::default(), uri).await;
            let refusal = result.unwrap_err().into_refusal::<AuthError>().unwrap();
            assert!(matches!(refusal, AuthError::ForeignOrigin { .. }), "{uri}: {refusal}");
            assert_eq!(saw.len(), 0, "{uri}");
        }
    }
}
