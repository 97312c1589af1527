use std::{
    borrow::Cow,
    fmt,
    time::{Duration, SystemTime},
};

use auth_core::MissingScope;
use bytes::Bytes;
use http::StatusCode;
use serde_json::error::Category;

use crate::{
    instant::written,
    retry::is_passing,
    types::{ErrorBody, ErrorType, place_in},
};

use super::Envelope;

/// The longest part of a server's message that is shown.
const SHOWN: usize = 500;

/// An error the service answered with (API documentation: errors).
///
/// Example: [`Error`](crate::Error).
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    kind: ErrorType,
    message: String,
    code: Option<String>,
    retry_after: Option<Duration>,
    retry_at: Option<SystemTime>,
    retryable: bool,
    envelope: Envelope,
    missing: Option<MissingScope>,
    body: Body,
}

/// A body that is reachable and never printed.
struct Body(Bytes);

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} bytes]", self.0.len())
    }
}

impl ApiError {
    pub(crate) fn new(
        status: StatusCode,
        answer: ErrorBody,
        retry: (bool, Option<Duration>),
        envelope: Envelope,
        body: Bytes,
        secret: Option<&str>,
    ) -> Self {
        let code = answer.error.error_code().map(|code| shown(code, secret));
        let message = shown(&answer.error.message, secret);
        let kind = match answer.error.kind {
            ErrorType::Other(text) => ErrorType::from(shown(&text, secret)),
            known => known,
        };
        let (retryable, retry_after) = retry;
        Self {
            status,
            kind,
            message,
            code,
            retry_after,
            retry_at: None,
            retryable,
            envelope,
            missing: None,
            body: Body(body),
        }
    }

    /// An `error` event as the error that the same answer would be with its status.
    pub(crate) fn of_event(event: ErrorBody, envelope: Envelope, secret: Option<&str>) -> Self {
        let status = event.error.kind.status();
        let retryable = status.is_server_error() || matches!(status.as_u16(), 408 | 429);
        let raw = serde_json::to_vec(&event).unwrap_or_default().into();
        Self::new(status, event, (retryable, None), envelope, raw, secret)
    }

    pub(crate) fn missing(self, missing: Option<MissingScope>) -> Self {
        Self { missing, ..self }
    }

    /// Says when the answer came, from which its wait counts.
    pub(crate) fn at(self, now: SystemTime) -> Self {
        Self { retry_at: instant(now, self.retry_after), ..self }
    }

    /// The scopes that the token lacks for this call, where the service says that some are missing.
    #[must_use]
    pub fn missing_scope(&self) -> Option<&MissingScope> {
        self.missing.as_ref()
    }

    /// The HTTP status; for an error inside a stream, the status it stands for.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The error's type, such as `rate_limit_error`.
    #[must_use]
    pub fn kind(&self) -> &ErrorType {
        &self.kind
    }

    /// What the service said, cut at 500 characters and free of control characters and of the credential sent.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The finer `details.error_code`, such as `enforced_spend_limit_reached`.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// The answer's body as it came; it may hold anything, so it is never part of a printed error.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body.0
    }

    pub(crate) fn is_retryable(&self) -> bool {
        self.retryable
    }

    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    pub(crate) fn retry_at(&self) -> Option<SystemTime> {
        self.retry_at
    }

    pub(crate) fn request_id(&self) -> Option<&str> {
        self.envelope.request_id.as_deref()
    }

    pub(crate) fn attempts(&self) -> u32 {
        self.envelope.attempts
    }

    /// The next step, for the errors that have a usual one.
    fn advice(&self) -> Option<&'static str> {
        Some(match self.status.as_u16() {
            401 => "check the key or token, and that it belongs to this base URL",
            403 => {
                "the credential is valid but not allowed to do this; ask for the missing scope or permission"
            }
            402 => "check the billing settings of the organisation",
            404 if self.message.starts_with("model") => {
                "check the model; `models().list()` names those that this credential may use"
            }
            404 => "check the identifier, and that the credential is of the same workspace",
            413 => "send less at once",
            429 if self.retry_after.is_none() => {
                "a limit is used up; check the limits and spend of the organisation"
            }
            429 => "slow down, or set a rate limiter on the client",
            500..=599 if !self.retryable => "the service failed, and asks not to be tried again",
            529 => "the service is overloaded; try again later",
            500..=599 => "the service failed; try again later",
            _ => return None,
        })
    }
}

/// The error that an `error` event of a recorded stream is; of the call it ended nothing is known but the name.
///
/// ```
/// use claude_sdk::{ApiError, stream::Event};
///
/// let data = r#"{"error": {"type": "overloaded_error", "message": "Overloaded"}, "request_id": "req_1"}"#;
/// let Event::Error(body) = Event::parse("error", data)? else { return Ok(()) };
/// assert_eq!(
///     ApiError::from(body).to_string(),
///     "the service answered 529 overloaded_error: Overloaded; the service is overloaded; try again later (request req_1)"
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
impl From<ErrorBody> for ApiError {
    fn from(event: ErrorBody) -> Self {
        let request_id = event.request_id.as_deref().map(|id| shown(id, None));
        Self::of_event(event, Envelope { request_id, attempts: 0 }, None)
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the service answered {} {}: {}", self.status.as_u16(), self.kind, self.message)?;
        if let Some(missing) = &self.missing {
            write!(f, "; {missing}")?;
        } else if let Some(advice) = self.advice() {
            write!(f, "; {advice}")?;
        }
        match (self.retry_at.and_then(written), self.retry_after) {
            (Some(at), _) => write!(f, "; not before {at}")?,
            (None, Some(_)) => f.write_str("; not before a time that no calendar has")?,
            (None, None) => {}
        }
        write!(f, "{}", self.envelope)
    }
}

impl std::error::Error for ApiError {}

/// An answer that is not one of this API's: an HTML page, another content type, JSON of another shape, a redirect; or
/// one that began and broke off.
///
/// Example: [`Error`](crate::Error).
#[derive(Debug)]
pub struct UnexpectedAnswer {
    status: StatusCode,
    what: String,
    envelope: Envelope,
    retryable: bool,
    retry_after: Option<Duration>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl UnexpectedAnswer {
    pub(crate) fn new(status: StatusCode, what: impl Into<String>, envelope: Envelope) -> Self {
        Self {
            status,
            what: what.into(),
            envelope,
            retryable: is_passing(status),
            retry_after: None,
            source: None,
        }
    }

    /// An answer whose JSON is not the expected one.
    pub(crate) fn json(status: StatusCode, error: &serde_json::Error, envelope: Envelope) -> Self {
        let what = match error.is_eof() {
            true if (error.line(), error.column()) == (1, 0) => {
                "an empty answer in place of JSON; try again, and check the base URL if it stays so"
            }
            true => "JSON that broke off before it was complete; try again",
            false if is_odd_in_a_place(&error.to_string()) => {
                "JSON of which one part cannot be read; the answer had come, and counts where such calls are billed: \
                 `raw()` reads the next one whatever its shape"
            }
            false => "JSON of an unknown shape; is the base URL one of the Claude API?",
        };
        let mut answer = Self::new(status, what, envelope);
        answer.retryable |= error.is_eof();
        answer.source = Some(Box::new(JsonError::from(error)));
        answer
    }

    /// The same of an answer in lines, of which this one is not the expected JSON.
    pub(crate) fn json_line(
        status: StatusCode,
        error: &serde_json::Error,
        envelope: Envelope,
        line: u64,
    ) -> Self {
        let mut answer = Self::json(status, error, envelope);
        answer.what = format!("lines of which number {line} is {}", answer.what);
        let inside = JsonError { line: 0, ..JsonError::from(error) };
        answer.source = Some(Box::new(inside));
        answer
    }

    /// An answer whose body could not be read to its end.
    pub(crate) fn body(status: StatusCode, error: transport::Error, envelope: Envelope) -> Self {
        let what = match error.is_retryable() {
            true => "a body that broke off; try again",
            false => "a body that cannot be read; the cause says what to do",
        };
        let mut answer = Self::new(status, what, envelope);
        answer.retryable |= error.is_retryable();
        answer.source = Some(Box::new(error));
        answer
    }

    /// Adds what its head says of another try: whether, where it says that, and after which wait.
    pub(crate) fn advised(self, should_retry: Option<bool>, retry_after: Option<Duration>) -> Self {
        Self { retryable: should_retry.unwrap_or(self.retryable), retry_after, ..self }
    }

    pub(crate) fn wait(&self) -> Option<Duration> {
        self.retry_after
    }

    pub(crate) fn is_retryable(&self) -> bool {
        self.retryable
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn request_id(&self) -> Option<&str> {
        self.envelope.request_id.as_deref()
    }

    pub(crate) fn attempts(&self) -> u32 {
        self.envelope.attempts
    }
}

impl fmt::Display for UnexpectedAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server answered {} with {}{}", self.status.as_u16(), self.what, self.envelope)
    }
}

impl std::error::Error for UnexpectedAnswer {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// When a wait that begins now ends.
fn instant(now: SystemTime, wait: Option<Duration>) -> Option<SystemTime> {
    now.checked_add(wait?)
}

/// Where JSON stopped making sense. The decoder's own words would repeat what it found there; a path that
/// [`types`](crate::types) names does not.
#[derive(Debug, Clone)]
pub(crate) struct JsonError {
    what: &'static str,
    path: Option<String>,
    line: usize,
    column: usize,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the JSON {}", self.what)?;
        if let Some(path) = &self.path {
            return write!(f, " at `{path}`");
        }
        // A member of the wrong type is found after the text was read, where places are no longer known.
        if self.line > 0 { write!(f, " at line {}, column {}", self.line, self.column) } else { Ok(()) }
    }
}

impl std::error::Error for JsonError {}

impl From<&serde_json::Error> for JsonError {
    fn from(error: &serde_json::Error) -> Self {
        let what = match error.classify() {
            Category::Eof => "ends too early",
            Category::Data => "has another shape than expected",
            Category::Syntax | Category::Io => "is malformed",
        };
        let path = match error.classify() {
            Category::Data => path(&error.to_string()),
            _ => None,
        };
        Self { what, path, line: error.line(), column: error.column() }
    }
}

/// Whether what is wrong is a part of what is otherwise one of ours: somebody else's JSON lacks a member at its top.
fn is_odd_in_a_place(text: &str) -> bool {
    place_in(text).is_some_and(|path| path.contains(['.', '[']) || !text.ends_with("` is missing"))
}

/// The place that an error of ours names, or the member that is missing in a list's page, whose names are ours too.
fn path(text: &str) -> Option<String> {
    let missing = text.strip_prefix("missing field `").and_then(|rest| rest.split_once('`'));
    let text = missing.map_or(text.into(), |(name, _)| Cow::Owned(format!("`{name}` is missing")));
    place_in(&text).map(str::to_owned)
}

/// A server's text made fit to show: one line, short, free of control characters and of the secret that was sent.
pub(crate) fn shown(text: &str, secret: Option<&str>) -> String {
    let text = match secret {
        Some(secret) if !secret.is_empty() => text.replace(secret, "[redacted]"),
        _ => text.to_owned(),
    };
    let mut line: String = text.chars().map(|c| if is_printable(c) { c } else { ' ' }).take(SHOWN).collect();
    if text.chars().nth(SHOWN).is_some() {
        line.push('…');
    }
    line
}

/// Neither a control character nor one that breaks or turns around a line on a terminal.
fn is_printable(c: char) -> bool {
    let turns =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    !c.is_control() && !turns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{ModelInfo, Page};

    #[test]
    fn a_list_without_its_items_is_told_by_its_member() {
        for page in [r#"{"has_more": false}"#, r#"{"data": {"id": "a"}}"#] {
            let error = serde_json::from_str::<Page<ModelInfo>>(page).unwrap_err();
            let told = JsonError::from(&error).to_string();
            assert_eq!(told, "the JSON has another shape than expected at `data`");
        }
    }

    #[test]
    fn json_that_is_not_there_is_told_apart_from_json_that_broke_off() {
        for (json, told) in [("", "an empty answer"), ("{\"data\"", "JSON that broke off")] {
            let error = serde_json::from_str::<Page<ModelInfo>>(json).unwrap_err();
            let answer = UnexpectedAnswer::json(StatusCode::OK, &error, Envelope::default());
            assert!(answer.to_string().contains(told) && answer.is_retryable(), "{answer}");
        }
    }

    #[test]
    fn a_servers_text_is_shown_on_one_line_short_and_without_the_secret() {
        let text = format!("bad key sk-ant-canary\u{1b}[31m\nnext\u{202e}{}", "x".repeat(1000));
        let line = shown(&text, Some("sk-ant-canary"));
        assert!(line.starts_with("bad key [redacted] [31m next xxx"));
        assert!(line.chars().count() == SHOWN + 1 && !line.contains("canary"));
    }
}
