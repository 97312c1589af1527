//! From an answer on the wire to a typed value or a typed error.

use std::{borrow::Cow, fmt, ops::Deref, pin::Pin};

use auth_core::MissingScope;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, StatusCode, header};
use serde::de::{DeserializeOwned, Error as _};
use transport::{Body, Clock, Response};

use crate::{
    apart::Apart,
    credentials::Credential,
    error::{ApiError, Envelope, Error, UnexpectedAnswer, shown},
    layers::Sent,
    retry::{may_pass, should_retry},
    types::{ErrorBody, from_bytes},
};

/// The largest answer that is read whole, in bytes.
const ANSWER_LIMIT: usize = 64 * 1024 * 1024;
/// The largest error answer that is read, in bytes.
const ERROR_LIMIT: usize = 1024 * 1024;

/// The content type of most answers.
pub(crate) const JSON: &str = "application/json";

/// The header that names a request.
pub(crate) static REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
/// The longest name of a request that is kept, in characters.
const MAX_ID: usize = 128;

/// A typed answer together with what its head said. It derefs to the answer.
///
/// ```
/// use claude_sdk::{Client, types::{MessageRequest, Model}};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = mock_server::MockServer::builder().start().await?;
/// # let client = Client::builder().api_key(server.api_key()).base_url(server.base_url()).build()?;
/// let reply = client.messages().create(&MessageRequest::new(Model::CLAUDE_HAIKU_4_5, 100).user("Hello!")).await?;
/// println!("{} is {}, sent {} times", reply.request_id().unwrap_or("a call"), reply.status(), reply.retries_taken() + 1);
/// println!("{}", reply.text()); // it is the message, too
/// let message = reply.into_inner();
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Reply<T> {
    answer: Apart<Answer<T>>,
    envelope: Envelope,
}

/// What is large of a reply, which is handed on a few times: in one place.
#[derive(Debug, Clone, PartialEq)]
struct Answer<T> {
    value: T,
    /// In a box of its own: with it, a message would take more than most allocators have at hand.
    head: Box<Head>,
}

/// What an answer's head said besides.
#[derive(Clone, PartialEq)]
pub(crate) struct Head {
    status: StatusCode,
    headers: HeaderMap,
}

impl Head {
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.headers
    }
}

/// Says nothing of the headers, which may hold anything.
impl fmt::Debug for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Head").field("status", &self.status).finish_non_exhaustive()
    }
}

impl<T: Clone + Send + Sync + 'static> Clone for Reply<T> {
    fn clone(&self) -> Self {
        Self { answer: Apart::new(Box::new(Answer::clone(&self.answer))), envelope: self.envelope.clone() }
    }
}

impl<T: PartialEq> PartialEq for Reply<T> {
    fn eq(&self, other: &Self) -> bool {
        *self.answer == *other.answer && self.envelope == other.envelope
    }
}

impl<T: Send + Sync + 'static> Reply<T> {
    #[inline]
    pub(crate) fn new(value: T, envelope: Envelope, head: Box<Head>) -> Self {
        Self { answer: Apart::new(Box::new(Answer { value, head })), envelope }
    }
}

impl<T> Reply<T> {
    /// The HTTP status, which is a success.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.answer.head.status
    }

    /// The headers of the answer.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.answer.head.headers
    }

    pub(crate) fn attempts(&self) -> u32 {
        self.envelope.attempts
    }

    /// The service's name for the call, from the `request-id` header; quote it when asking for help.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.envelope.request_id.as_deref()
    }

    /// How many times the request was sent again before this answer came.
    #[must_use]
    pub fn retries_taken(&self) -> u32 {
        self.envelope.retries_taken()
    }

    pub(crate) fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// The same reply with something made of the answer.
    #[cfg(feature = "schema")]
    pub(crate) fn map<U: Send + Sync + 'static>(self, make: impl FnOnce(T) -> U) -> Reply<U> {
        let Answer { value, head } = *self.answer.out();
        Reply::new(make(value), self.envelope, head)
    }

    /// The answer alone.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.answer.out().value
    }
}

impl Reply<Bytes> {
    /// Reads the body as JSON.
    ///
    /// # Errors
    ///
    /// [`Error::Answer`] where it is no JSON, or none that `T` can be read from.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        let unexpected = |error| UnexpectedAnswer::json(self.status(), &error, self.envelope.clone());
        from_bytes(self).map_err(|error| Box::new(unexpected(error)).into())
    }
}

impl<T> Deref for Reply<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.answer.value
    }
}

/// An answer's head, checked to be a success of the expected content type.
pub(crate) struct Opened {
    pub(crate) envelope: Envelope,
    pub(crate) credential: Option<Credential>,
    pub(crate) body: Body,
    pub(crate) extensions: http::Extensions,
    pub(crate) head: Box<Head>,
}

/// Looks at the head: a success is opened, where a content type is expected one of that, everything else becomes its
/// error.
pub(crate) async fn open(
    response: Response,
    content_type: Option<&'static str>,
    clock: &dyn Clock,
) -> Result<Opened, Error> {
    match opened(response, content_type) {
        Ok(opened) => Ok(opened),
        Err(refused) => Err(error_of(refused, content_type, clock).await),
    }
}

/// What is opened, or the answer that becomes an error.
#[inline(always)]
fn opened(response: Response, content_type: Option<&'static str>) -> Result<Opened, Box<Response>> {
    let head = (response.status(), response.headers());
    if !head.0.is_success() || !content_type.is_none_or(|content_type| is_of(content_type, head.1)) {
        return Err(Box::new(response));
    }
    let (head, body) = response.into_parts();
    let credential = head.extensions.get().map(|Sent(credential)| credential.clone());
    let secret = credential.as_ref().map(Credential::expose);
    let envelope = envelope(&head.headers, &head.extensions, secret);
    let extensions = head.extensions;
    let head = Box::new(Head { status: head.status, headers: head.headers });
    Ok(Opened { envelope, credential, body, extensions, head })
}

/// The error that an answer is.
#[cold]
#[inline(never)]
fn error_of<'a>(
    answer: Box<Response>,
    content_type: Option<&'static str>,
    clock: &'a dyn Clock,
) -> Pin<Box<dyn Future<Output = Error> + Send + 'a>> {
    Box::pin(async move {
        let (head, body) = answer.into_parts();
        let credential = head.extensions.get().map(|Sent(credential)| credential.clone());
        let secret = credential.as_ref().map(Credential::expose);
        let envelope = envelope(&head.headers, &head.extensions, secret);
        let unexpected = |what: String, envelope| {
            let what = shown(&what, secret);
            Error::from(Box::new(UnexpectedAnswer::new(head.status, what, envelope)))
        };

        if head.status.is_redirection() {
            return unexpected(redirect(&head.headers), envelope);
        }
        let received = media_type(&head.headers, secret);
        if head.status.is_success() {
            return unexpected(foreign(&received, content_type), envelope);
        }
        let now = clock.now();
        let retry_after = transport::layers::retry_after(&head.headers, now);
        let should_retry = should_retry(&head.headers);
        let body = match body.collect(ERROR_LIMIT).await {
            Ok(body) => body,
            Err(error) => {
                let answer =
                    UnexpectedAnswer::body(head.status, error, envelope).advised(should_retry, retry_after);
                return Box::new(answer).into();
            }
        };
        let Ok(answer) = from_bytes::<ErrorBody>(&body) else {
            let what = shown(&foreign(&received, None), secret);
            let answer =
                UnexpectedAnswer::new(head.status, what, envelope).advised(should_retry, retry_after);
            return Box::new(answer).into();
        };
        let retry = (may_pass(head.status, &head.headers, &answer), retry_after);
        let missing = credential.as_ref().and_then(|credential| missing_scope(&head.headers, credential));
        let error =
            ApiError::new(head.status, answer, retry, envelope, body, secret).missing(missing).at(now);
        Error::Api(Box::new(error))
    })
}

/// Reads a JSON answer whole.
pub(crate) async fn json<T: DeserializeOwned + Send + Sync + 'static>(
    response: Response,
    clock: &dyn Clock,
) -> Result<(Reply<T>, http::Extensions), Error> {
    read(response, Some(JSON), clock)
        .await?
        .json_by(|json, place| from_bytes(json).map(|value| *place = Some(value)))
}

/// Reads any answer whole.
pub(crate) async fn bytes(response: Response, clock: &dyn Clock) -> Result<Reply<Bytes>, Error> {
    let Read { body, envelope, head, .. } = read(response, None, clock).await?;
    Ok(Reply::new(body, envelope, head))
}

/// An answer that is read whole.
pub(crate) struct Read {
    body: Bytes,
    envelope: Envelope,
    head: Box<Head>,
    extensions: http::Extensions,
}

/// Reads an answer whole, of the content type that is expected.
pub(crate) async fn read(
    response: Response,
    content_type: Option<&'static str>,
    clock: &dyn Clock,
) -> Result<Read, Error> {
    let opened = match opened(response, content_type) {
        Ok(opened) => opened,
        Err(refused) => return Err(error_of(refused, content_type, clock).await),
    };
    let Opened { envelope, body, extensions, head, .. } = opened;
    match body.collect(ANSWER_LIMIT).await {
        Ok(body) => Ok(Read { body, envelope, head, extensions }),
        Err(error) => Err(Box::new(UnexpectedAnswer::body(head.status, error, envelope)).into()),
    }
}

impl Read {
    /// The value that `from_json` reads from the body, to where it is told: a message is large.
    #[inline]
    pub(crate) fn json_by<T: Send + Sync + 'static>(
        self,
        from_json: impl FnOnce(&[u8], &mut Option<T>) -> Result<(), serde_json::Error>,
    ) -> Result<(Reply<T>, http::Extensions), Error> {
        let Self { body, envelope, head, extensions } = self;
        let mut value = None;
        let read = from_json(&body, &mut value);
        match read.and_then(|()| value.ok_or_else(|| serde_json::Error::custom("nothing was read"))) {
            Ok(value) => Ok((Reply::new(value, envelope, head), extensions)),
            Err(error) => Err(Box::new(UnexpectedAnswer::json(head.status, &error, envelope)).into()),
        }
    }
}

/// What the service says is missing; a renewal would not bring it.
fn missing_scope(headers: &HeaderMap, credential: &Credential) -> Option<MissingScope> {
    let granted = credential.scopes().cloned().unwrap_or_default();
    MissingScope::read(headers, &granted, &credential.expose().into())
}

#[inline(always)]
fn envelope(headers: &HeaderMap, extensions: &http::Extensions, secret: Option<&str>) -> Envelope {
    let request_id = headers.get(&REQUEST_ID).and_then(|value| value.to_str().ok());
    let attempts = extensions.get::<transport::Attempts>().map_or(1, |attempts| attempts.0);
    Envelope { request_id: request_id.map(|id| plain(id, secret)), attempts }
}

/// A request's name fit to show; most are as they come.
fn plain(id: &str, secret: Option<&str>) -> String {
    let is_plain = id.len() <= MAX_ID && id.bytes().all(|byte| byte.is_ascii_graphic());
    if is_plain && !secret.is_some_and(|secret| id.contains(secret)) {
        return id.to_owned();
    }
    shown(id, secret).chars().take(MAX_ID).collect()
}

/// The request's name in a head that came to nothing; none where it is not one. `Authorize` has taken out one that repeats
/// the credential.
pub(crate) fn request_id(head: &http::response::Parts) -> Option<&str> {
    let id = head.headers.get(&REQUEST_ID)?.to_str().ok()?;
    (id.len() <= MAX_ID).then_some(id)
}

/// Whether an answer is of the content type. Nearly all are written the same.
#[inline(always)]
fn is_of(content_type: &str, headers: &HeaderMap) -> bool {
    let received = headers.get(&header::CONTENT_TYPE).is_some_and(|received| received == content_type);
    received || media_type(headers, None) == content_type
}

/// The content type without its parameters, in lower case.
#[cold]
#[inline(never)]
fn media_type<'a>(headers: &'a HeaderMap, secret: Option<&str>) -> Cow<'a, str> {
    let value = headers.get(&header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let shown = shown(value, secret);
    shown.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().into()
}

/// What came in place of the API's answer, or of the content type that was wanted of a success, and what to do about it.
fn foreign(received: &str, wanted: Option<&str>) -> String {
    match (received, wanted) {
        ("application/json", Some("text/event-stream")) => {
            "one whole JSON answer where a stream of events was asked for; call `create()` if what stands between cannot \
             stream, or check the base URL"
                .to_owned()
        }
        ("text/event-stream", Some("application/json")) => {
            "text/event-stream instead of one whole JSON answer; call `stream()` if that is what the server does, or check \
             the base URL"
                .to_owned()
        }
        ("text/html", _) => {
            "a web page instead of the API's answer; check the base URL, and that no proxy or login page \
                        of the network stands in between"
                .to_owned()
        }
        ("", _) => "no content type; check the base URL".to_owned(),
        ("application/json", _) => {
            "JSON that is not the API's; check the base URL, and what stands between".to_owned()
        }
        (other, _) => format!("{} instead of the API's answer; check the base URL", other.escape_default()),
    }
}

/// Names the target's origin only: its path and query may carry anything.
fn redirect(headers: &HeaderMap) -> String {
    let target = headers.get(header::LOCATION).and_then(|value| value.to_str().ok());
    match target.map(url::Url::parse) {
        Some(Ok(url)) => format!(
            "a redirect to {}, which was not followed; if that is the service, make it the base URL",
            url.origin().ascii_serialization()
        ),
        Some(Err(url::ParseError::RelativeUrlWithoutBase)) => {
            "a redirect to another path of the same server, which was not followed; check the path of the base URL"
                .to_owned()
        }
        Some(Err(_)) | None => "a redirect, which was not followed; check the base URL".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Message;

    #[test]
    fn a_message_and_its_head_are_small_enough_for_an_allocator_to_have_them_at_hand() {
        assert!(size_of::<Answer<Message>>() <= 1024, "{}", size_of::<Answer<Message>>());
    }
}
