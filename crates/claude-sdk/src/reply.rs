//! From an answer on the wire to a typed value or a typed error.

use std::{ops::Deref, time::SystemTime};

use auth_core::MissingScope;
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;
use transport::{Body, Response};

use crate::{
    credentials::Credential,
    error::{ApiError, Envelope, Error, UnexpectedAnswer, shown},
    types::ErrorBody,
};

/// The largest answer that is read whole, in bytes.
const ANSWER_LIMIT: usize = 64 * 1024 * 1024;
/// The largest error answer that is read, in bytes.
const ERROR_LIMIT: usize = 1024 * 1024;

/// A typed answer together with what its head said. It derefs to the answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply<T> {
    value: T,
    envelope: Envelope,
}

impl<T> Reply<T> {
    pub(crate) fn new(value: T, envelope: Envelope) -> Self {
        Self { value, envelope }
    }

    /// The service's name for the call, from the `request-id` header; quote it when asking for help.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.envelope.request_id.as_deref()
    }

    /// How many times the request was sent again before this answer came.
    #[must_use]
    pub fn retries_taken(&self) -> u32 {
        self.envelope.attempts.saturating_sub(1)
    }

    /// The answer alone.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T> Deref for Reply<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// An answer's head, checked to be a success of the expected content type.
pub(crate) struct Opened {
    pub(crate) envelope: Envelope,
    pub(crate) credential: Option<Credential>,
    pub(crate) body: Body,
    pub(crate) extensions: http::Extensions,
    status: StatusCode,
}

/// Looks at the head: a success of `content_type` is opened, everything else becomes its error.
pub(crate) async fn open(
    response: Response,
    content_type: &'static str,
    now: SystemTime,
) -> Result<Opened, Error> {
    let (head, body) = response.into_parts();
    let credential = head.extensions.get::<Credential>().cloned();
    let secret = credential.as_ref().map(Credential::expose);
    let envelope = envelope(&head.headers, &head.extensions, secret);
    let unexpected = |what: String, envelope| {
        let what = shown(&what, secret);
        Error::from(Box::new(UnexpectedAnswer::new(head.status, what, envelope)))
    };

    if head.status.is_redirection() {
        return Err(unexpected(redirect(&head.headers), envelope));
    }
    let received = media_type(&head.headers, secret);
    if !head.status.is_success() {
        let body = body.collect(ERROR_LIMIT).await.unwrap_or_default();
        let Ok(answer) = serde_json::from_slice::<ErrorBody>(&body) else {
            return Err(unexpected(foreign(&received), envelope));
        };
        let retry = (
            is_retryable(head.status, &head.headers, &answer),
            transport::layers::retry_after(&head.headers, now),
        );
        let missing = credential.as_ref().and_then(|credential| missing_scope(&head.headers, credential));
        let error = ApiError::new(head.status, answer, retry, envelope, body, secret).missing(missing);
        return Err(Error::Api(Box::new(error)));
    }
    if received != content_type {
        return Err(unexpected(foreign(&received), envelope));
    }
    Ok(Opened { envelope, credential, body, extensions: head.extensions, status: head.status })
}

/// Reads a JSON answer whole.
pub(crate) async fn json<T: DeserializeOwned>(
    response: Response,
    now: SystemTime,
) -> Result<(Reply<T>, http::Extensions), Error> {
    let Opened { envelope, body, extensions, status, .. } = open(response, "application/json", now).await?;
    let body: Bytes = match body.collect(ANSWER_LIMIT).await {
        Ok(body) => body,
        Err(error) => return Err(Box::new(UnexpectedAnswer::body(status, error, envelope)).into()),
    };
    match serde_json::from_slice(&body) {
        Ok(value) => Ok((Reply::new(value, envelope), extensions)),
        Err(error) => Err(Box::new(UnexpectedAnswer::json(status, &error, envelope)).into()),
    }
}

/// What the service says is missing; a renewal would not bring it.
fn missing_scope(headers: &HeaderMap, credential: &Credential) -> Option<MissingScope> {
    let granted = credential.scopes().cloned().unwrap_or_default();
    MissingScope::read(headers, &granted, &credential.expose().into())
}

fn envelope(headers: &HeaderMap, extensions: &http::Extensions, secret: Option<&str>) -> Envelope {
    let request_id = headers.get("request-id").and_then(|value| value.to_str().ok());
    let attempts = extensions.get::<transport::Attempts>().map_or(1, |attempts| attempts.0);
    Envelope { request_id: request_id.map(|id| shown(id, secret).chars().take(128).collect()), attempts }
}

/// The content type without its parameters, in lower case.
fn media_type(headers: &HeaderMap, secret: Option<&str>) -> String {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    shown(value, secret).split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn foreign(received: &str) -> String {
    match received {
        "text/html" => {
            "a web page instead of the API's answer; check the base URL, and that no proxy or login page \
                        of the network stands in between"
                .to_owned()
        }
        "" => "no content type; check the base URL".to_owned(),
        "application/json" => "JSON that is not the API's; check the base URL".to_owned(),
        other => format!("{} instead of the API's answer; check the base URL", other.escape_default()),
    }
}

/// Names the target's origin only: its path and query may carry anything.
fn redirect(headers: &HeaderMap) -> String {
    let target = headers.get(header::LOCATION).and_then(|value| value.to_str().ok());
    match target.and_then(|target| url::Url::parse(target).ok()) {
        Some(url) => format!(
            "a redirect to {}, which was not followed; if that is the service, make it the base URL",
            url.origin().ascii_serialization()
        ),
        None => "a redirect, which was not followed; check the base URL".to_owned(),
    }
}

/// Whether the same call may succeed later: the service's own word first, then the status.
fn is_retryable(status: StatusCode, headers: &HeaderMap, answer: &ErrorBody) -> bool {
    match headers.get("x-should-retry").map(http::HeaderValue::as_bytes) {
        Some(b"true") => true,
        Some(b"false") => false,
        _ if answer.error.error_code().is_some_and(is_spend_limit) => false,
        _ => matches!(status.as_u16(), 408 | 409 | 429) || status.is_server_error(),
    }
}

/// The 429s no wait will mend (API documentation: errors, spend limits).
fn is_spend_limit(code: &str) -> bool {
    matches!(code, "enforced_spend_limit_reached" | "contract_spend_limit_reached")
}
