//! Who we are for the server.

use std::sync::Arc;

use reqwest::Method;
use serde_json::{Map, Value};

use super::wire::{Answer, Call, Wire};
use crate::{Error, ErrorKind, Secret, SecretName, SecretProvider};

/// A way to log in to Vault.
///
/// The proof, be it a token, a secret id, a password or a JWT, comes from a provider, which is asked at each login: so a proof
/// that somebody replaces is picked up. A [`Secret`] that one has already is a provider too.
///
/// ```
/// # #[cfg(feature = "file")] {
/// use secrets::providers::{File, vault::Login};
///
/// let pod = File::at("/var/run/secrets/kubernetes.io/serviceaccount/token").mounted();
/// let login = Login::kubernetes("claude", pod);
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Login {
    /// Where the method is mounted; nothing for a token, which needs no login.
    mount: Option<String>,
    user: Option<String>,
    fields: Vec<(&'static str, String)>,
    /// What the proof is called.
    proof: &'static str,
    source: Arc<dyn SecretProvider>,
    wrapped: bool,
}

impl Login {
    /// A token that somebody else has got.
    #[must_use]
    pub fn token(token: impl SecretProvider) -> Self {
        Self {
            mount: None,
            user: None,
            fields: Vec::new(),
            proof: "token",
            source: Arc::new(token),
            wrapped: false,
        }
    }

    /// A role of a program, and its secret id.
    #[must_use]
    pub fn app_role(role_id: impl Into<String>, secret_id: impl SecretProvider) -> Self {
        let fields = vec![("role_id", role_id.into())];
        Self { mount: Some("approle".to_owned()), fields, proof: "secret_id", ..Self::token(secret_id) }
    }

    /// A role, and the token of a service account of Kubernetes.
    #[must_use]
    pub fn kubernetes(role: impl Into<String>, jwt: impl SecretProvider) -> Self {
        Self { mount: Some("kubernetes".to_owned()), ..Self::jwt(role, jwt) }
    }

    /// A role, and a JWT of somebody the server trusts.
    #[must_use]
    pub fn jwt(role: impl Into<String>, jwt: impl SecretProvider) -> Self {
        let fields = vec![("role", role.into())];
        Self { mount: Some("jwt".to_owned()), fields, proof: "jwt", ..Self::token(jwt) }
    }

    /// A user and a password.
    #[must_use]
    pub fn userpass(user: impl Into<String>, password: impl SecretProvider) -> Self {
        let user = Some(user.into());
        Self { mount: Some("userpass".to_owned()), user, proof: "password", ..Self::token(password) }
    }

    /// Logs in at another path than the method's usual one; a token has none.
    #[must_use]
    pub fn at_mount(self, mount: impl Into<String>) -> Self {
        Self { mount: self.mount.map(|_| mount.into()), ..self }
    }

    /// Takes what the provider gives for a wrapping token, which stands for the proof and works once.
    #[must_use]
    pub fn wrapped(self) -> Self {
        Self { wrapped: true, ..self }
    }

    /// Says whether the same proof can be used again for another token.
    pub(super) fn is_token(&self) -> bool {
        self.mount.is_none()
    }

    /// Logs in; the answer has an `auth`, or for a token in hand the `data` about it.
    pub(super) async fn perform(&self, wire: &Wire) -> Result<(Secret, Answer), Error> {
        let proof = self.proof(wire).await?;
        let Some(mount) = &self.mount else {
            let call = Call::new(Method::GET, "auth/token/lookup-self", PLACE.to_owned());
            let answer = wire.send(call, Some(&proof)).await?.succeeded()?;
            return Ok((proof, answer));
        };
        let mut path = format!("auth/{}/login", mount.trim_matches('/'));
        if let Some(user) = &self.user {
            path = format!("{path}/{user}");
        }
        let mut body: Map<String, Value> =
            self.fields.iter().map(|(name, value)| ((*name).to_owned(), value.as_str().into())).collect();
        body.insert(self.proof.to_owned(), proof.expose().into());
        let answer =
            wire.send(Call::new(Method::POST, &path, PLACE.to_owned()).body(body.into()), None).await?;
        // What is wrong with a login is told with this status.
        let answer =
            if answer.status() == 400 { Err(answer.error(ErrorKind::Denied)) } else { answer.succeeded() }?;
        let token = answer.at(&["auth", "client_token"]).and_then(Value::as_str);
        let token = token.ok_or_else(|| answer.error(ErrorKind::Unreadable))?;
        Ok((token.to_owned().into(), answer))
    }

    async fn proof(&self, wire: &Wire) -> Result<Secret, Error> {
        let missing = || Error::new(ErrorKind::Missing, format!("the {} of the login to Vault", self.proof));
        let proof = self.source.get(SecretName::new(self.proof)?).await?.ok_or_else(missing)?;
        if !self.wrapped {
            return Ok(proof);
        }
        let answer = wire.unwrap(&proof).await?;
        let inner = answer.at(&["data", self.proof]).or_else(|| answer.at(&["auth", "client_token"]));
        let inner = inner.and_then(Value::as_str).map(|proof| proof.to_owned().into());
        inner.ok_or_else(|| answer.error(ErrorKind::Unreadable))
    }
}

pub(super) const PLACE: &str = "the login to Vault";
