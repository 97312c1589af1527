//! The interactive flow: authorization code with PKCE (RFC 6749 section 4.1, RFC 7636).

mod callback;

use std::fmt;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

pub use self::callback::{CallbackError, CallbackErrorKind};
use crate::{Client, ConfigError, ScopeSet, Server, server::RESERVED};

/// Of the 64 bytes of entropy, this many become the verifier (64 characters); the other 16 become `state`.
const VERIFIER_BYTES: usize = 48;

/// A login about to begin: where the user will be sent, and what will be asked.
///
/// See the [crate's front page](crate) for a whole login.
#[derive(Debug, Clone)]
pub struct AuthorizationRequest {
    server: Server,
    endpoint: Url,
    client: Client,
    redirect_uri: Url,
    scopes: ScopeSet,
    params: Vec<(String, String)>,
}

impl AuthorizationRequest {
    /// Creates a request for no particular scope.
    ///
    /// The redirect URI goes to both endpoints exactly as [`Url`] writes it.
    ///
    /// # Errors
    ///
    /// [`ConfigError::NoAuthorizationEndpoint`] when the server has none.
    #[inline]
    pub fn new(server: &Server, client: &Client, redirect_uri: Url) -> Result<Self, ConfigError> {
        let endpoint = server.authorization_endpoint().ok_or(ConfigError::NoAuthorizationEndpoint)?;
        Ok(Self {
            server: server.clone(),
            endpoint: endpoint.clone(),
            client: client.clone(),
            redirect_uri,
            scopes: ScopeSet::default(),
            params: Vec::new(),
        })
    }

    /// Sets the scopes to ask for.
    #[must_use]
    #[inline]
    pub fn scopes(mut self, scopes: ScopeSet) -> Self {
        self.scopes = scopes;
        self
    }

    /// Adds a parameter of the server's own, such as `prompt` or `login_hint`.
    ///
    /// The parameters of the flow (`state`, `code_challenge`, `redirect_uri`, …) cannot be set this way: such a name is
    /// left out, so that no caller's input can weaken a login.
    #[must_use]
    #[inline]
    pub fn param(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let name = name.into();
        if !RESERVED.contains(&name.as_str()) {
            self.params.push((name, value.into()));
        }
        self
    }

    /// Begins the login: the URL to open, and what is needed to recognise the answer.
    ///
    /// The entropy must come fresh from a cryptographic source for each login: 48 bytes become the `code_verifier`,
    /// 16 other bytes become `state`. The method is always S256; there is no fallback to `plain`.
    #[must_use]
    #[inline]
    pub fn begin(self, entropy: [u8; 64]) -> (Url, PendingAuthorization) {
        let (verifier, state) = entropy.split_at(VERIFIER_BYTES);
        let verifier = SecretString::from(BASE64_URL_SAFE_NO_PAD.encode(verifier));
        let state = SecretString::from(BASE64_URL_SAFE_NO_PAD.encode(state));

        let Self { server, endpoint: mut url, client, redirect_uri, scopes, params } = self;
        let mut query = url.query_pairs_mut();
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", client.id())
            .append_pair("redirect_uri", redirect_uri.as_str())
            .append_pair("state", state.expose_secret())
            .append_pair("code_challenge", &challenge(verifier.expose_secret()))
            .append_pair("code_challenge_method", "S256");
        if !scopes.is_empty() {
            query.append_pair("scope", &scopes.to_string());
        }
        query.extend_pairs(&params);
        drop(query);

        (url, PendingAuthorization { server, client, redirect_uri, scopes, verifier, state })
    }
}

/// A login that waits for its redirect.
///
/// It is consumed by the answer and given back, inside the error, by everything that is not its answer: a forged or
/// stray callback cannot cancel a login. It cannot be cloned, so an answer counts once.
pub struct PendingAuthorization {
    server: Server,
    client: Client,
    redirect_uri: Url,
    scopes: ScopeSet,
    verifier: SecretString,
    state: SecretString,
}

impl PendingAuthorization {
    /// Returns where the answer will arrive.
    #[must_use]
    pub fn redirect_uri(&self) -> &Url {
        &self.redirect_uri
    }

    /// Reads the redirect: a full URL, or the path and query a listener saw.
    ///
    /// `state` is compared in constant time before anything else is believed, then `iss` (RFC 9207), then `error` and
    /// `code` are read. A fragment is never looked at: there is no implicit grant here. Nor are host and path: where an
    /// answer may arrive is the listener's business, and only the state makes it this login's.
    ///
    /// # Errors
    ///
    /// [`CallbackError`], which gives the login back when the callback was not the answer to it.
    #[inline]
    pub fn complete(self, callback: &str) -> Result<CodeGrant, CallbackError> {
        match callback::read(&self, callback) {
            Ok(code) => Ok(self.grant(code)),
            Err(kind) => Err(CallbackError::new(kind, self)),
        }
    }

    /// Reads `code#state`, as a page shows it to a user whose browser cannot reach the listener.
    ///
    /// The state is as mandatory here as in a redirect. A server that must name itself with `iss` cannot be answered
    /// this way: the login then waits for the whole address of the last page, which goes to
    /// [`complete`](Self::complete).
    ///
    /// # Errors
    ///
    /// [`CallbackError`], which gives the login back when the text was not the answer to it.
    #[inline]
    pub fn complete_pasted(self, pasted: &str) -> Result<CodeGrant, CallbackError> {
        match callback::read_pasted(&self, pasted) {
            Ok(code) => Ok(self.grant(code)),
            Err(kind) => Err(CallbackError::new(kind, self)),
        }
    }

    #[inline]
    fn grant(self, code: SecretString) -> CodeGrant {
        let Self { server, client, redirect_uri, scopes, verifier, state } = self;
        CodeGrant { server, client, redirect_uri, scopes, verifier, state, code }
    }
}

impl fmt::Debug for PendingAuthorization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingAuthorization").field("scopes", &self.scopes).finish_non_exhaustive()
    }
}

/// A code and everything it is bound to; [`exchange::code`](crate::exchange::code) consumes it.
///
/// A code is good for one exchange (RFC 6749 section 4.1.2), and a second try makes a server revoke what the first one
/// gave, so a second try does not compile:
///
/// ```compile_fail,E0382
/// fn twice(grant: auth_core::CodeGrant) {
///     let first = auth_core::exchange::code(grant);
///     let again = auth_core::exchange::code(grant);
/// }
/// ```
///
/// The server travels with the code, so that it cannot be sent to another server's token endpoint.
pub struct CodeGrant {
    pub(crate) server: Server,
    pub(crate) client: Client,
    pub(crate) redirect_uri: Url,
    pub(crate) scopes: ScopeSet,
    pub(crate) verifier: SecretString,
    pub(crate) state: SecretString,
    pub(crate) code: SecretString,
}

impl fmt::Debug for CodeGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CodeGrant").field("scopes", &self.scopes).finish_non_exhaustive()
    }
}

/// Computes the S256 challenge of a verifier (RFC 7636 section 4.2).
#[inline]
fn challenge(verifier: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(hmac_sha256::Hash::hash(verifier.as_bytes()))
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

    use super::challenge;

    #[test]
    fn the_challenge_is_that_of_rfc_7636_appendix_b() {
        let entropy = [
            116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212, 37, 77, 105,
            214, 191, 240, 91, 88, 5, 88, 83, 132, 141, 121,
        ];
        let verifier = BASE64_URL_SAFE_NO_PAD.encode(entropy);
        assert_eq!(verifier, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(challenge(&verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
