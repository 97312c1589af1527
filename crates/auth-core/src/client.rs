//! Who the client is, and how it proves it.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::HeaderValue;
use secrecy::{ExposeSecret as _, SecretString, zeroize::Zeroizing};
use url::form_urlencoded::byte_serialize;

use crate::wiped::wiped;

/// The client as the authorization server knows it: an id and one way to authenticate (RFC 6749 section 2.3).
///
/// `Debug` shows the id, never the secret.
#[derive(Debug, Clone)]
pub struct Client {
    id: String,
    auth: Auth,
}

#[derive(Debug, Clone)]
enum Auth {
    None,
    Basic(SecretString),
    Post(SecretString),
}

impl Client {
    /// Creates a public client, which names itself in the body and proves nothing; PKCE protects it.
    #[must_use]
    pub fn public(id: impl Into<String>) -> Self {
        Self { id: id.into(), auth: Auth::None }
    }

    /// Creates a client that authenticates with the `Authorization: Basic` header.
    ///
    /// Id and secret are form-encoded before they are joined, as RFC 6749 section 2.3.1 asks and many forget.
    #[must_use]
    pub fn secret_basic(id: impl Into<String>, secret: SecretString) -> Self {
        Self { id: id.into(), auth: Auth::Basic(secret) }
    }

    /// Creates a client that sends its id and secret in the body, for servers that cannot do Basic.
    #[must_use]
    pub fn secret_post(id: impl Into<String>, secret: SecretString) -> Self {
        Self { id: id.into(), auth: Auth::Post(secret) }
    }

    /// Returns the client id, which is public.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the body members that identify this client.
    pub(crate) fn members(&self) -> Vec<(&'static str, &str)> {
        match &self.auth {
            Auth::None => vec![("client_id", &self.id)],
            Auth::Basic(_) => Vec::new(),
            Auth::Post(secret) => vec![("client_id", &self.id), ("client_secret", secret.expose_secret())],
        }
    }

    /// Returns the `Authorization` header of this client, marked sensitive.
    pub(crate) fn header(&self) -> Option<HeaderValue> {
        let credentials = self.basic()?;
        // Base64 is always a legal header value, so this is never `None`.
        let value = Zeroizing::new(["Basic ", credentials.expose_secret()].concat().into_bytes());
        let mut value = HeaderValue::from_maybe_shared(wiped(value)).ok()?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Returns every secret string that a request of this client carries.
    pub(crate) fn secrets(&self) -> Vec<SecretString> {
        let secret = match &self.auth {
            Auth::None => None,
            Auth::Basic(secret) | Auth::Post(secret) => Some(secret.clone()),
        };
        secret.into_iter().chain(self.basic()).collect()
    }

    fn basic(&self) -> Option<SecretString> {
        let Auth::Basic(secret) = &self.auth else { return None };
        let secret = secret.expose_secret();
        // Room for all of it: a text that grows would leave pieces of the secret behind.
        let mut pair = Zeroizing::new(String::with_capacity(3 * (self.id.len() + secret.len()) + 1));
        pair.extend(byte_serialize(self.id.as_bytes()));
        pair.push(':');
        pair.extend(byte_serialize(secret.as_bytes()));
        Some(BASE64_STANDARD.encode(&*pair).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_form_encodes_id_and_secret_before_base64() {
        let client = Client::secret_basic("my app", "a:%+ü".into());
        let header = client.header().unwrap();
        assert!(header.is_sensitive());
        let encoded = header.to_str().unwrap().strip_prefix("Basic ").unwrap();
        assert_eq!(BASE64_STANDARD.decode(encoded).unwrap(), b"my+app:a%3A%25%2B%C3%BC");
        assert!(client.members().is_empty(), "one authentication method, not two");
    }

    #[test]
    fn the_secret_is_not_in_debug() {
        let shown = format!("{:?}", Client::secret_post("app", "hunter2".into()));
        assert!(shown.contains("app") && !shown.contains("hunter2"), "{shown}");
    }
}
