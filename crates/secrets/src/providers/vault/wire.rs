//! One request and its answer: the file that sends.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use reqwest::{Client, Method, header::HeaderValue};
use secrecy::zeroize::Zeroizing;
use serde_json::Value;
use url::Url;

use crate::{Error, ErrorKind, Secret, Timer};

/// The most an answer may be, in bytes.
const LARGEST: usize = 1024 * 1024;

pub(super) struct Wire {
    pub(super) client: Client,
    pub(super) address: Url,
    pub(super) namespace: Option<HeaderValue>,
    pub(super) patience: Duration,
    pub(super) timer: Arc<dyn Timer>,
    /// What our ids begin with.
    pub(super) run: u64,
    pub(super) sent: AtomicU64,
}

/// What is asked.
#[derive(Clone)]
pub(super) struct Call {
    method: Method,
    path: String,
    version: Option<u64>,
    body: Option<Value>,
    wrapped: Option<Duration>,
    /// What an error is about.
    place: String,
}

impl Call {
    pub(super) fn new(method: Method, path: &str, place: String) -> Self {
        Self { method, path: path.to_owned(), version: None, body: None, wrapped: None, place }
    }

    pub(super) fn version(self, version: Option<u64>) -> Self {
        Self { version, ..self }
    }

    pub(super) fn body(self, body: Value) -> Self {
        Self { body: Some(body), ..self }
    }

    pub(super) fn wrapped(self, lasting: Duration) -> Self {
        Self { wrapped: Some(lasting), ..self }
    }
}

impl Wire {
    /// Sends once and waits for the whole answer, of whatever status.
    pub(super) async fn send(&self, call: Call, token: Option<&Secret>) -> Result<Answer, Error> {
        let number = self.sent.fetch_add(1, Ordering::Relaxed);
        let id = format!("{:016x}-{number}", self.run);
        let place = call.place.clone();
        let failed = |why: String| {
            let source = io::Error::other(format!("{why} (X-Correlation-Id {id})"));
            Error::new(ErrorKind::Unavailable, place.clone()).with_source(source)
        };
        let answered = async {
            let mut response = self.request(call, token, &id)?.send().await?;
            let status = response.status().as_u16();
            let mut body = Zeroizing::new(Vec::new());
            while let Some(piece) = response.chunk().await? {
                if body.len().saturating_add(piece.len()) > LARGEST {
                    return Ok((status, None));
                }
                body.extend_from_slice(&piece);
            }
            Ok::<_, reqwest::Error>((status, Some(body)))
        };
        let answered = tokio::select! {
            answered = answered => answered.map_err(|error| failed(words_of(&error))),
            () = self.timer.sleep(self.patience) => {
                Err(failed(format!("no answer in {} s", self.patience.as_secs())))
            }
        };
        let (status, body) = answered?;
        let body = body.map(|body| serde_json::from_slice(&body).unwrap_or_default());
        let body = body.ok_or_else(|| Error::new(ErrorKind::TooLarge, place.clone()))?;
        Ok(Answer { status, body, id, place })
    }

    /// Fetches what a wrapping token stands for.
    pub(super) async fn unwrap(&self, token: &Secret) -> Result<Answer, Error> {
        let call = Call::new(Method::POST, "sys/wrapping/unwrap", "the wrapped secret in Vault".to_owned());
        let answer = self.send(call, Some(token)).await?;
        // A token that is spent is told with this status.
        if answer.status() == 400 { Err(answer.error(ErrorKind::Denied)) } else { answer.succeeded() }
    }

    pub(super) fn shown(&self) -> String {
        self.address.origin().ascii_serialization()
    }

    fn request(
        &self,
        call: Call,
        token: Option<&Secret>,
        id: &str,
    ) -> Result<reqwest::RequestBuilder, reqwest::Error> {
        let mut url = self.address.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("v1").extend(call.path.split('/'));
        }
        if let Some(version) = call.version {
            url.query_pairs_mut().append_pair("version", &version.to_string());
        }
        let mut request = self.client.request(call.method, url);
        request = request.header("X-Vault-Request", "true").header("X-Correlation-Id", id);
        if let Some(namespace) = &self.namespace {
            request = request.header("X-Vault-Namespace", namespace.clone());
        }
        if let Some(lasting) = call.wrapped {
            request = request.header("X-Vault-Wrap-TTL", format!("{}s", lasting.as_secs().max(1)));
        }
        // One that no header can hold is no token; the server says so.
        if let Some(Ok(mut token)) = token.map(|token| HeaderValue::from_str(token.expose())) {
            token.set_sensitive(true);
            request = request.header("X-Vault-Token", token);
        }
        if let Some(body) = call.body {
            request = request.header("Content-Type", "application/json").body(body.to_string());
        }
        Ok(request)
    }
}

/// What came back.
#[derive(Clone)]
pub(super) struct Answer {
    status: u16,
    body: Value,
    id: String,
    place: String,
}

impl Answer {
    pub(super) fn status(&self) -> u16 {
        self.status
    }

    pub(super) fn at(&self, path: &[&str]) -> Option<&Value> {
        path.iter().try_fold(&self.body, |value, name| value.get(name))
    }

    /// Whether one of the server's own errors has these words. They are not shown: it may repeat what it was sent.
    pub(super) fn says(&self, words: &str) -> bool {
        self.errors().any(|error| error.contains(words))
    }

    fn errors(&self) -> impl Iterator<Item = &str> {
        self.at(&["errors"]).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
    }

    /// The answer if it is a success.
    pub(super) fn succeeded(self) -> Result<Self, Error> {
        let kind = match self.status {
            200..=299 => return Ok(self),
            401 | 403 => ErrorKind::Denied,
            // Redirected by a standby, too many at once, standby or in recovery, uninitialised, sealed, or broken.
            300..=399 | 408 | 412 | 429 | 472 | 473 | 500..=599 => ErrorKind::Unavailable,
            _ => ErrorKind::Unreadable,
        };
        Err(self.error(kind))
    }

    /// As [`succeeded`](Self::succeeded), with `None` where there is nothing. A mount that does not exist is an error: it is
    /// said with words, and nothing without.
    pub(super) fn found(self) -> Result<Option<Self>, Error> {
        if self.status == 404 && self.errors().next().is_none() {
            Ok(None)
        } else {
            self.succeeded().map(Some)
        }
    }

    pub(super) fn error(&self, kind: ErrorKind) -> Error {
        let meaning = match self.status {
            200..=299 => "not the answer that was expected",
            300..=399 => "redirected: give the address of the active server",
            400 => "bad request",
            403 => "permission denied, or the token is not valid",
            404 => "nothing there",
            429 => "too many requests",
            472 | 473 => "a standby",
            501 => "not initialised",
            503 => "sealed, or down for maintenance",
            _ => "refused",
        };
        let source = format!("status {}: {meaning} (X-Correlation-Id {})", self.status, self.id);
        Error::new(kind, self.place.clone()).with_source(io::Error::other(source))
    }
}

/// What went wrong on the way, down to its cause, without the address.
fn words_of(error: &reqwest::Error) -> String {
    let mut words = if error.is_connect() { "no connection" } else { "the connection broke" }.to_owned();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        words = format!("{words}: {error}");
        cause = error.source();
    }
    words
}
