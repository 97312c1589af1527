//! Secrets in HashiCorp's Vault, or in OpenBao, which speaks its protocol.

use std::{
    collections::HashMap,
    fmt, io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use reqwest::Method;
use serde_json::{Map, Value, json};
use tokio::sync::Mutex as Turn;

use crate::{Error, ErrorKind, Secret, SecretName, SecretProvider, SecretStore, Timer, text};

mod builder;
mod lent;
mod login;
mod place;
mod session;
mod wire;

pub use builder::VaultBuilder;
pub use login::Login;

use lent::Lent;
use place::Place;
use session::Session;
use wire::{Answer, Call, Wire};

/// Secrets in a Vault-compatible server.
///
/// A name is a path of its API and a field: `secret/data/claude#client_secret` in the key-value store of version 2,
/// `kv/claude#client_secret` in one of version 1, `database/creds/app#password` for credentials made for the asker. The field `*`
/// is all of them as one JSON object, for those that belong together. `?version=3` before the `#` reads an older version.
///
/// - It logs in when it is first asked ([`Login`]), renews its token after about two thirds of its life, and logs in again
///   when the token has ended or was revoked.
/// - What is lent is kept until half of its time is over, then renewed, and asked for anew when it cannot be renewed. All
///   fields of a path come from one loan. [`Secret::good_for`] tells what is left: put a [`Cached`](super) around it.
/// - It follows no redirect and uses no proxy: the token goes to the address that was given. Over `http` that is this
///   machine.
/// - Each request carries an id of its own as `X-Correlation-Id`, which is in the source of its error. A server that is told to
///   (`sys/config/auditing/request-headers/X-Correlation-Id`) writes it into its audit log.
///
/// One path is asked for by one caller at a time. Cloning gives another handle to the same session.
#[derive(Clone)]
pub struct Vault(Arc<Shared>);

struct Shared {
    session: Session,
    timer: Arc<dyn Timer>,
    /// What is lent, by its path.
    lent: Mutex<HashMap<String, Arc<Turn<Option<Lent>>>>>,
}

impl Vault {
    /// Starts with a server's address, such as `https://vault.example:8200`, and how to log in there.
    ///
    /// Any number will do as `seed`: clients with different ones have ids of their own, and do not renew in the same moment.
    pub fn builder(address: impl Into<String>, login: Login, seed: u64) -> VaultBuilder {
        VaultBuilder::new(address.into(), login, seed)
    }

    /// Has the server keep the answer to reading the path of `name` (all its fields) for `lasting`, and returns the token
    /// that fetches it, once.
    ///
    /// # Errors
    ///
    /// As [`get`](SecretProvider::get), and [`ErrorKind::Missing`].
    pub async fn wrap(&self, name: &SecretName, lasting: Duration) -> Result<Secret, Error> {
        let place = Place::parse(name)?;
        let call = Call::new(Method::GET, &place.path, place.shown()).wrapped(lasting);
        let answer = self.0.session.call(call).await?.succeeded()?;
        let token = answer.at(&["wrap_info", "token"]).and_then(Value::as_str);
        token.map(|token| token.to_owned().into()).ok_or_else(|| answer.error(ErrorKind::Missing))
    }

    /// Fetches what a wrapping token stands for: one of its fields, or all with `*`. The token is spent by that.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Denied`] where the token was spent, by somebody else maybe, or has ended.
    pub async fn unwrap(&self, token: &Secret, field: &str) -> Result<Secret, Error> {
        let answer = self.0.session.wire().unwrap(token).await?;
        let inner = answer.at(&["data", "data"]).or_else(|| answer.at(&["data"]));
        let found = inner.and_then(Value::as_object).map(|fields| text_of(fields, field)).transpose();
        let found = found.map_err(|kind| answer.error(kind))?;
        found.flatten().ok_or_else(|| answer.error(ErrorKind::Missing))
    }

    /// Revokes the token of this session, and with it all that was lent to it.
    ///
    /// # Errors
    ///
    /// The token may live on until its end.
    pub async fn revoke(&self) -> Result<(), Error> {
        self.0.lent.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.0.session.revoke().await
    }

    /// Gives back at once what the server has lent to this client, for a program that has looked at it and needs it no more.
    ///
    /// A session that was logged in for here ends with it, as in [`revoke`](Self::revoke). A token that was handed in is
    /// somebody else's and stays: only the loans are given back, which its policies have to allow (`sys/leases/revoke`).
    ///
    /// # Errors
    ///
    /// The first thing that went wrong; what was lent may live on until its end.
    pub async fn give_back(&self) -> Result<(), Error> {
        if !self.0.session.is_handed_in() {
            return self.revoke().await;
        }
        let lent = std::mem::take(&mut *self.0.lent.lock().unwrap_or_else(PoisonError::into_inner));
        let mut outcome = Ok(());
        for slot in lent.into_values() {
            let Some(loan) = slot.lock().await.take() else { continue };
            let call = Call::new(Method::POST, "sys/leases/revoke", "what Vault has lent".to_owned());
            let answer = self.0.session.call(call.body(loan.revocation())).await;
            outcome = outcome.and(answer.and_then(Answer::succeeded).map(drop));
        }
        outcome
    }

    fn slot(&self, path: &str) -> Arc<Turn<Option<Lent>>> {
        let mut lent = self.0.lent.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(lent.entry(path.to_owned()).or_default())
    }

    async fn read(&self, place: &Place) -> Result<Answer, Error> {
        let call = Call::new(Method::GET, &place.path, place.shown()).version(place.version);
        self.0.session.call(call).await
    }

    /// Reads what can be changed: its fields and its version; 0 and nothing where there is none.
    async fn read_for_writing(&self, place: &Place) -> Result<(Map<String, Value>, u64), Error> {
        let answer = self.read(place).await?;
        if let Some(version) = answer.at(&["data", "metadata", "version"]).and_then(Value::as_u64) {
            let fields = answer.at(&["data", "data"]).and_then(Value::as_object);
            return Ok((fields.cloned().unwrap_or_default(), version));
        }
        let Some(answer) = answer.found()? else { return Ok((Map::new(), 0)) };
        let fields = answer.at(&["data"]).and_then(Value::as_object);
        Ok((fields.cloned().unwrap_or_default(), 0))
    }

    /// Says whether a path is in a key-value store with versions, as Vault's own program finds out.
    async fn counts(&self, place: &Place) -> Result<bool, Error> {
        let path = format!("sys/internal/ui/mounts/{}", place.path);
        let answer = self.0.session.call(Call::new(Method::GET, &path, place.shown())).await?.succeeded()?;
        Ok(answer.at(&["data", "options", "version"]).and_then(Value::as_str) == Some("2"))
    }

    /// Writes all fields of a path, over `version` if it counts.
    async fn write(
        &self,
        place: &Place,
        fields: Map<String, Value>,
        version: Option<u64>,
    ) -> Result<Answer, Error> {
        let body = match version {
            Some(version) => json!({ "options": { "cas": version }, "data": fields }),
            None => Value::Object(fields),
        };
        let answer =
            self.0.session.call(Call::new(Method::POST, &place.path, place.shown()).body(body)).await?;
        if answer.says("check-and-set") {
            return Err(answer.error(ErrorKind::Superseded));
        }
        answer.succeeded()
    }
}

#[async_trait]
impl SecretProvider for Vault {
    async fn get(&self, name: SecretName) -> Result<Option<Secret>, Error> {
        let place = Place::parse(&name)?;
        let slot = self.slot(&place.key());
        let mut lent = slot.lock().await;
        let now = self.0.timer.now();
        let mut still_good = None;
        if let Some(loan) = lent.as_mut().filter(|loan| loan.is_good(now)) {
            if loan.is_fresh(now) || self.renew(loan, &place).await {
                return loan.secret(&place.field, self.0.timer.now()).map_err(|kind| place.error(kind));
            }
            still_good = loan.secret(&place.field, now).map_err(|kind| place.error(kind))?;
        }
        let asked_at = self.0.timer.now();
        let answer = match self.read(&place).await.and_then(Answer::found) {
            Ok(Some(answer)) => answer,
            Ok(None) => {
                *lent = None;
                return Ok(None);
            }
            Err(error) => return still_good.map(Some).ok_or(error),
        };
        let Some(data) = answer.at(&["data"]).and_then(Value::as_object) else {
            return Err(answer.error(ErrorKind::Unreadable));
        };
        *lent = Lent::of(&answer, data, asked_at);
        if let Some(loan) = lent.as_ref() {
            return loan.secret(&place.field, self.0.timer.now()).map_err(|kind| place.error(kind));
        }
        let versioned = answer.at(&["data", "metadata", "version"]).and_then(Value::as_u64);
        let inner = answer.at(&["data", "data"]).and_then(Value::as_object);
        let found = match (versioned, inner) {
            (Some(version), Some(fields)) => {
                text_of(fields, &place.field).map(|found| found.map(|found| found.with_version(version)))
            }
            _ => text_of(data, &place.field),
        };
        found.map_err(|kind| place.error(kind))
    }
}

impl Vault {
    /// As [`put`](SecretStore::put), and gives the version that this write made; `None` where the store does not count.
    ///
    /// # Errors
    ///
    /// As `put`.
    pub async fn put_counted(&self, name: SecretName, secret: Secret) -> Result<Option<u64>, Error> {
        let place = Place::parse(&name)?.writable()?;
        let counts = self.counts(&place).await?;
        for _ in 0..TRIES {
            let (mut fields, version) = self.read_for_writing(&place).await?;
            fields.insert(place.field.clone(), secret.expose().into());
            match self.write(&place, fields, counts.then_some(version)).await {
                Err(error) if error.kind() == ErrorKind::Superseded => {}
                outcome => return Ok(outcome?.at(&["data", "version"]).and_then(Value::as_u64)),
            }
        }
        Err(Error::new(ErrorKind::Unavailable, place.shown())
            .with_source(io::Error::other("others write it all the time")))
    }

    /// Renews a loan; `false` where something new has to be asked for.
    async fn renew(&self, loan: &mut Lent, place: &Place) -> bool {
        if !loan.renewable() {
            return false;
        }
        let asked_at = self.0.timer.now();
        let call = Call::new(Method::POST, "sys/leases/renew", place.shown()).body(loan.renewal());
        match self.0.session.call(call).await.and_then(Answer::succeeded) {
            Ok(answer) => loan.renewed(&answer, asked_at),
            Err(_) => false,
        }
    }
}

#[async_trait]
impl SecretStore for Vault {
    async fn put(&self, name: SecretName, secret: Secret) -> Result<(), Error> {
        self.put_counted(name, secret).await.map(drop)
    }

    async fn put_if(&self, name: SecretName, secret: Secret, version: u64) -> Result<u64, Error> {
        let place = Place::parse(&name)?.writable()?;
        if !self.counts(&place).await? {
            return Err(Error::new(ErrorKind::Unsupported, place.shown()));
        }
        let (mut fields, newest) = self.read_for_writing(&place).await?;
        // A version without the field counts as none: others of the same path are no obstacle, and are kept.
        let known = if fields.contains_key(&place.field) { newest } else { 0 };
        if known != version {
            return Err(Error::new(ErrorKind::Superseded, place.shown()));
        }
        fields.insert(place.field.clone(), secret.expose().into());
        let answer = self.write(&place, fields, Some(newest)).await?;
        let written = answer.at(&["data", "version"]).and_then(Value::as_u64);
        written.ok_or_else(|| answer.error(ErrorKind::Unreadable))
    }

    /// Removes the field, and with its last field the newest version.
    async fn delete(&self, name: SecretName) -> Result<(), Error> {
        let place = Place::parse(&name)?.writable()?;
        let counts = self.counts(&place).await?;
        for _ in 0..TRIES {
            let (mut fields, version) = self.read_for_writing(&place).await?;
            if fields.remove(&place.field).is_none() {
                return Ok(());
            }
            if fields.is_empty() {
                let call = Call::new(Method::DELETE, &place.path, place.shown());
                return self.0.session.call(call).await?.succeeded().map(drop);
            }
            match self.write(&place, fields, counts.then_some(version)).await {
                Err(error) if error.kind() == ErrorKind::Superseded => {}
                outcome => return outcome.map(drop),
            }
        }
        Err(Error::new(ErrorKind::Unavailable, place.shown()))
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("address", &self.0.session.wire().shown()).finish_non_exhaustive()
    }
}

/// How often a write is tried when others write too.
const TRIES: usize = 5;

/// A field as text, by the rules of all sources; anything but text, and the field `*`, as JSON.
fn text_of(fields: &Map<String, Value>, field: &str) -> Result<Option<Secret>, ErrorKind> {
    match (field, fields.get(field)) {
        (_, Some(Value::String(text))) => text::parse(text.clone().into_bytes()),
        (_, Some(Value::Null)) => Ok(None),
        (_, Some(other)) => Ok(Some(other.to_string().into())),
        ("*", None) => Ok(serde_json::to_string(fields).ok().map(Secret::from)),
        (_, None) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_a_secret_where_something_is_in_it() {
        let fields = serde_json::json!({ "key": "hidden", "empty": "", "null": null, "number": 7,
            "line": "hidden\n", "end": "\n", "lines": "one\ntwo", "bell": "\u{7}" });
        let fields = fields.as_object().unwrap();
        let text = |field: &str| {
            text_of(fields, field).unwrap().map(|secret| (secret.expose().to_owned(), secret.was_trimmed()))
        };
        let is = |value: &str, trimmed| Some((value.to_owned(), trimmed));
        assert_eq!((text("key"), text("number")), (is("hidden", false), is("7", false)));
        assert_eq!((text("empty"), text("null"), text("missing")), (None, None, None));
        assert_eq!((text("line"), text("end")), (is("hidden", true), None));
        for (field, kind) in [("lines", ErrorKind::Newline), ("bell", ErrorKind::ControlCharacter)] {
            assert_eq!(text_of(fields, field).unwrap_err(), kind, "{field}");
        }
        let all = text_of(fields, "*").unwrap().unwrap();
        assert!(all.expose().contains(r"one\ntwo"), "together they are one line of JSON");
    }
}
