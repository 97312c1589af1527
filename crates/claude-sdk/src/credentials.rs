//! Who a request is sent as: the [`CredentialProvider`] seam and its ready implementations.
//!
//! | who you are | take | it is renewed |
//! |---|---|---|
//! | an API key or a token at hand | [`Credential`], or [`ClientBuilder::api_key`](crate::ClientBuilder::api_key) | never |
//! | an API key in a secret store | [`FromSecret`] | read for each attempt |
//! | a person who has logged in | [`OAuth`] | with the refresh token, once for all processes |
//! | a workload that its platform vouches for | [`Cached`] over [`Federation`] | by asking again |
//! | a client with a secret of its own | [`Cached`] over [`ClientCredentials`] | by asking again |
//! | whoever a helper program says (feature `command`) | [`Cached`] over `Command` | by running it again |
//! | anything that hands out tokens when asked | [`Cached`] over a [`TokenSource`] of your own | by asking again |
//! | anything else | a [`CredentialProvider`] of your own | as you say |

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use auth_core::ScopeSet;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use secrecy::{ExposeSecret, SecretString, zeroize::Zeroizing};
use url::{Origin, Url};

use crate::{betas, config::ApiVersion, error::AuthError, metrics::Metrics};

mod cached;
#[cfg(any(feature = "command", feature = "refresher"))]
mod children;
mod client_credentials;
#[cfg(feature = "command")]
mod command;
mod exchange;
mod federation;
mod oauth;
mod resolution;
mod secret;
mod source;
pub(crate) mod spread;

pub use cached::Cached;
pub use client_credentials::ClientCredentials;
#[cfg(feature = "command")]
pub use command::Command;
pub use federation::Federation;
pub use oauth::OAuth;
#[cfg(feature = "refresher")]
pub use oauth::Refresher;
pub use resolution::{Resolution, Source};
pub use secret::FromSecret;
#[cfg(feature = "profile")]
pub(crate) use secret::told;
pub use source::{Grant, TokenSource};

/// Gives a credential for each attempt; swap in your own to take it from anywhere.
///
/// # Cancel safety
///
/// `credential` may be dropped at any point. An implementation that renews a single-use refresh token must go on
/// renewing it when its caller goes away, as [`OAuth`] does.
///
/// ```
/// use claude_sdk::{AuthError, Client, credentials::{Credential, CredentialProvider}};
///
/// /// One key by day, another by night.
/// #[derive(Debug)]
/// struct Shifts(Credential, Credential);
///
/// #[async_trait::async_trait]
/// impl CredentialProvider for Shifts {
///     async fn credential(&self) -> Result<Credential, AuthError> {
///         let is_day = true;
///         Ok(if is_day { self.0.clone() } else { self.1.clone() })
///     }
/// }
///
/// let shifts = Shifts(Credential::api_key("sk-ant-day".into())?, Credential::api_key("sk-ant-night".into())?);
/// let client = Client::builder().credentials(shifts).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[async_trait]
pub trait CredentialProvider: fmt::Debug + Send + Sync + 'static {
    /// A credential that is good now.
    ///
    /// # Errors
    ///
    /// An [`AuthError`] ends the call; it is not tried again.
    async fn credential(&self) -> Result<Credential, AuthError>;

    /// A credential that is good now, where that is known at once. It is asked first, for every attempt: whoever keeps a
    /// credential at hand answers here, and spares each call the future of [`credential`](Self::credential).
    fn ready(&self) -> Option<Credential> {
        None
    }

    /// Hears that the service refused `refused` with a 401; the next [`credential`](Self::credential) should be
    /// another one, if there is any. Compare [`Credential::generation`]: the refusal may be late.
    fn reject(&self, refused: &Credential) {
        let _ = refused;
    }

    /// Waits until a renewal that is under way is stored, for a bounded time; `false` where it is not by then. Called
    /// before a program ends, where what a refresh token was spent for would be lost.
    async fn flush(&self) -> bool {
        true
    }

    /// Tells `metrics` of renewals from now on ([`Measurement::Refresh`](crate::metrics::Measurement::Refresh)). A client
    /// that has metrics asks for it when it is built; whoever renews nothing need not listen.
    fn report_to(&self, metrics: &Arc<dyn Metrics>) {
        let _ = metrics;
    }
}

#[async_trait]
impl<T: CredentialProvider + ?Sized> CredentialProvider for Arc<T> {
    async fn credential(&self) -> Result<Credential, AuthError> {
        (**self).credential().await
    }

    fn ready(&self) -> Option<Credential> {
        (**self).ready()
    }

    fn reject(&self, refused: &Credential) {
        (**self).reject(refused);
    }

    async fn flush(&self) -> bool {
        (**self).flush().await
    }

    fn report_to(&self, metrics: &Arc<dyn Metrics>) {
        (**self).report_to(metrics);
    }
}

/// An API key or an access token; cheap to clone, unprintable.
///
/// Its header values are made once, so that putting it on a request copies no secret. The secret is wiped from memory
/// with the last clone.
///
/// Example: [`CredentialProvider`].
#[derive(Clone)]
pub struct Credential(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    /// `Bearer ` and the secret. Both header values point into it.
    text: Text,
    bearer: HeaderValue,
    bare: HeaderValue,
    scheme: Scheme,
    generation: u64,
    origin: Option<Origin>,
    workspace: Option<HeaderValue>,
    scopes: Option<Arc<ScopeSet>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scheme {
    ApiKey,
    Token,
}

const BEARER: &str = "Bearer ";

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

    #[expect(clippy::needless_pass_by_value, reason = "taken, so that the caller's copy is wiped")]
    fn new(secret: SecretString, scheme: Scheme, generation: u64) -> Result<Self, AuthError> {
        let secret = secret.expose_secret();
        if secret.is_empty() || !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(AuthError::Malformed);
        }
        let text = Text::of(&[BEARER, secret]);
        let bytes = Bytes::from_owner(text.clone());
        let sensitive = |bytes: Bytes| {
            let mut value = HeaderValue::from_maybe_shared(bytes).map_err(|_| AuthError::Malformed)?;
            value.set_sensitive(true);
            Ok::<_, AuthError>(value)
        };
        let (bearer, bare) = (sensitive(bytes.clone())?, sensitive(bytes.slice(BEARER.len()..))?);
        Ok(Self(Arc::new(Inner {
            text,
            bearer,
            bare,
            scheme,
            generation,
            origin: None,
            workspace: None,
            scopes: None,
        })))
    }

    /// Binds the credential to the deployment it was made for: it is never sent to another scheme, host or port than
    /// those of `url`, whatever base URL a client has.
    #[must_use]
    pub fn bound_to(mut self, url: &Url) -> Self {
        Arc::make_mut(&mut self.0).origin = Some(url.origin());
        self
    }

    /// Acts in a workspace, where the token itself does not say so: `id` (`wrkspc_…`) is sent as `anthropic-workspace-id`.
    #[must_use]
    pub fn in_workspace(mut self, id: HeaderValue) -> Self {
        Arc::make_mut(&mut self.0).workspace = Some(id);
        self
    }

    /// Says which scopes the token was granted, so that what it may not do can be told.
    #[must_use]
    pub fn with_scopes(mut self, scopes: ScopeSet) -> Self {
        Arc::make_mut(&mut self.0).scopes = Some(Arc::new(scopes));
        self
    }

    /// The scopes the token was granted, where that is known.
    #[must_use]
    pub fn scopes(&self) -> Option<&ScopeSet> {
        self.0.scopes.as_deref()
    }

    /// Which renewal this credential came from; 0 for one that is never renewed.
    #[must_use]
    pub fn generation(&self) -> u64 {
        self.0.generation
    }

    /// The scheme, host and port it may be sent to, where it is [bound](Self::bound_to) to some.
    #[must_use]
    pub fn origin(&self) -> Option<&Origin> {
        self.0.origin.as_ref()
    }

    /// The secret itself. Whoever calls this keeps it out of logs and errors.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.text.0.strip_prefix(BEARER).unwrap_or_default()
    }

    /// Whether the other is this one and no newer one, whatever session they are of.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.generation() == other.generation() && self.expose() == other.expose()
    }

    /// Whether a 401 may be answered with another credential: an API key stays what it is, unless it was had by asking.
    pub(crate) fn is_renewable(&self) -> bool {
        self.0.scheme == Scheme::Token || self.0.generation > 0
    }

    /// Says which renewal this is.
    pub(crate) fn with_generation(mut self, generation: u64) -> Self {
        Arc::make_mut(&mut self.0).generation = generation;
        self
    }

    /// Puts the credential, and what the service wants beside it, into a request's headers.
    #[inline(always)]
    pub(crate) fn attach(&self, version: ApiVersion, headers: &mut HeaderMap) {
        const X_API_KEY: HeaderName = HeaderName::from_static("x-api-key");
        const WORKSPACE: HeaderName = HeaderName::from_static("anthropic-workspace-id");
        if let Some(id) = &self.0.workspace
            && !headers.contains_key(WORKSPACE)
        {
            headers.insert(WORKSPACE, id.clone());
        }
        if self.0.scheme == Scheme::ApiKey && version == ApiVersion::V2023_06_01 {
            headers.insert(X_API_KEY, self.0.bare.clone());
            return;
        }
        headers.insert(header::AUTHORIZATION, self.0.bearer.clone());
        if self.0.scheme == Scheme::Token {
            headers.append(betas::BETA, HeaderValue::from_static("oauth-2025-04-20"));
            betas::join(headers);
        }
    }
}

/// Text that is wiped when its last holder is gone.
#[derive(Clone)]
struct Text(Arc<Zeroizing<String>>);

impl Text {
    fn of(parts: &[&str]) -> Self {
        // The whole room at once: a string that grows would leave pieces of the secret behind.
        let mut text = Zeroizing::new(String::with_capacity(parts.iter().map(|part| part.len()).sum()));
        parts.iter().for_each(|part| text.push_str(part));
        Self(Arc::new(text))
    }
}

impl AsRef<[u8]> for Text {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("scheme", &self.0.scheme)
            .field("generation", &self.0.generation)
            .field("origin", &self.0.origin)
            .finish_non_exhaustive()
    }
}

/// A credential that never changes is its own provider.
#[async_trait]
impl CredentialProvider for Credential {
    async fn credential(&self) -> Result<Credential, AuthError> {
        Ok(self.clone())
    }

    fn ready(&self) -> Option<Credential> {
        Some(self.clone())
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
        credential.attach(version, &mut headers);
        assert!(headers.values().all(|value| value.is_sensitive() || value == "oauth-2025-04-20"));
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

    #[test]
    fn all_clones_share_one_copy_of_the_secret() {
        let credential = Credential::token("t1".into(), 1).unwrap();
        let clone = credential.clone().bound_to(&"https://api.example/v1".parse().unwrap());
        assert_eq!(clone.expose(), "t1");
        assert_eq!(clone.expose().as_ptr(), credential.expose().as_ptr());
        assert_eq!(credential.0.bare.as_bytes().as_ptr(), credential.expose().as_ptr());
        assert_eq!(credential.origin(), None);
        assert_eq!(clone.origin().unwrap().ascii_serialization(), "https://api.example");
    }
}
