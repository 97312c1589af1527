//! Who a request is sent as: the [`CredentialProvider`] seam and its ready implementations.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use secrecy::{ExposeSecret, SecretString};

use crate::{config::ApiVersion, error::AuthError};

mod oauth;
mod secret;

pub use oauth::OAuth;
pub use secret::FromSecret;

/// Gives a credential for each attempt; swap in your own to take it from anywhere.
///
/// # Cancel safety
///
/// `credential` may be dropped at any point. An implementation that renews a single-use refresh token must go on
/// renewing it when its caller goes away, as [`OAuth`] does.
#[async_trait]
pub trait CredentialProvider: fmt::Debug + Send + Sync + 'static {
    /// A credential that is good now. Called for every attempt, so keep it cheap.
    ///
    /// # Errors
    ///
    /// An [`AuthError`] ends the call; it is not tried again.
    async fn credential(&self) -> Result<Credential, AuthError>;

    /// Hears that the service refused `refused` with a 401; the next [`credential`](Self::credential) should be
    /// another one, if there is any. Compare [`Credential::generation`]: the refusal may be late.
    fn reject(&self, refused: &Credential) {
        let _ = refused;
    }
}

#[async_trait]
impl<T: CredentialProvider + ?Sized> CredentialProvider for Arc<T> {
    async fn credential(&self) -> Result<Credential, AuthError> {
        (**self).credential().await
    }

    fn reject(&self, refused: &Credential) {
        (**self).reject(refused);
    }
}

/// An API key or an access token; cheap to clone, unprintable.
#[derive(Clone)]
pub struct Credential {
    secret: Arc<SecretString>,
    scheme: Scheme,
    generation: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    ApiKey,
    Token,
}

impl Credential {
    /// An API key.
    ///
    /// # Errors
    ///
    /// [`AuthError::Malformed`] where the key has characters no header can carry.
    pub fn api_key(key: SecretString) -> Result<Self, AuthError> {
        Self::new(key, Scheme::ApiKey, 0)
    }

    /// An access token. `generation` grows with each renewal, so that a late refusal of an old token is told from
    /// one of the current token.
    ///
    /// # Errors
    ///
    /// [`AuthError::Malformed`] where the token has characters no header can carry.
    pub fn token(token: SecretString, generation: u64) -> Result<Self, AuthError> {
        Self::new(token, Scheme::Token, generation)
    }

    fn new(secret: SecretString, scheme: Scheme, generation: u64) -> Result<Self, AuthError> {
        let text = secret.expose_secret();
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(AuthError::Malformed);
        }
        Ok(Self { secret: Arc::new(secret), scheme, generation })
    }

    /// Which renewal this credential came from; 0 for one that is never renewed.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// The secret itself. Whoever calls this keeps it out of logs and errors.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.secret.expose_secret()
    }

    /// Whether a 401 may be answered with another credential: an API key stays what it is.
    pub(crate) fn is_renewable(&self) -> bool {
        self.scheme == Scheme::Token
    }

    /// Puts the credential, and what the service wants beside it, into a request's headers.
    pub(crate) fn attach(&self, version: ApiVersion, headers: &mut HeaderMap) -> Result<(), AuthError> {
        const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
        const BETA: HeaderName = HeaderName::from_static("anthropic-beta");
        let sensitive = |text: &str| {
            let mut value = HeaderValue::from_str(text).map_err(|_| AuthError::Malformed)?;
            value.set_sensitive(true);
            Ok::<_, AuthError>(value)
        };
        if self.scheme == Scheme::ApiKey && version == ApiVersion::V2023_06_01 {
            headers.insert(X_API_KEY, sensitive(self.expose())?);
            return Ok(());
        }
        headers.insert(header::AUTHORIZATION, sensitive(&format!("Bearer {}", self.expose()))?);
        if self.scheme == Scheme::Token {
            headers.append(BETA, HeaderValue::from_static("oauth-2025-04-20"));
        }
        Ok(())
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("scheme", &self.scheme)
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

/// A credential that never changes is its own provider.
#[async_trait]
impl CredentialProvider for Credential {
    async fn credential(&self) -> Result<Credential, AuthError> {
        Ok(self.clone())
    }
}

#[cfg(feature = "test-util")]
mockall::mock! {
    /// A mockall mock of the seam.
    #[derive(Debug)]
    pub CredentialProvider {}

    #[async_trait]
    impl CredentialProvider for CredentialProvider {
        async fn credential(&self) -> Result<Credential, AuthError>;
        fn reject(&self, refused: &Credential);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(credential: &Credential, version: ApiVersion) -> Vec<(String, String)> {
        let mut headers = HeaderMap::new();
        credential.attach(version, &mut headers).unwrap();
        headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect()
    }

    #[test]
    fn the_api_version_decides_how_a_key_travels() {
        let key = Credential::api_key("k1".into()).unwrap();
        let bearer = ("authorization".to_owned(), "Bearer k1".to_owned());
        assert_eq!(headers(&key, ApiVersion::V2026_10_21), [bearer]);
        assert_eq!(headers(&key, ApiVersion::V2023_06_01), [("x-api-key".to_owned(), "k1".to_owned())]);
    }

    #[test]
    fn a_token_is_a_bearer_in_both_versions_and_names_its_beta() {
        let token = Credential::token("t1".into(), 7).unwrap();
        for version in [ApiVersion::V2026_10_21, ApiVersion::V2023_06_01] {
            assert_eq!(
                headers(&token, version),
                [
                    ("authorization".to_owned(), "Bearer t1".to_owned()),
                    ("anthropic-beta".to_owned(), "oauth-2025-04-20".to_owned())
                ]
            );
        }
    }

    #[test]
    fn a_key_no_header_can_carry_is_refused_and_never_shown() {
        for text in ["", "canary\nX: 1", "canary key", "canary\u{e9}"] {
            let error = Credential::api_key(text.into()).unwrap_err();
            assert!(matches!(error, AuthError::Malformed), "{text:?}");
            assert!(!format!("{error} {error:?}").contains("canary"));
        }
        assert!(!format!("{:?}", Credential::api_key("canary".into()).unwrap()).contains("canary"));
    }
}
