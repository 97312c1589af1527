//! Scripted replies.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};

use crate::body::Body;
use crate::catalogue;
use crate::fault::Fault;

const MESSAGES: &str = "/v1/messages";

/// What the server answers instead of an echo.
///
/// A script is a queue: the first reply for a path answers the next good request to it and is gone. On the API
/// side a request is good when its credential, body and limits are in order; other requests get their error and
/// leave the script alone. On the OAuth side and on unknown paths a reply takes the place of the endpoint:
/// nothing is checked, and no code or token is used up.
///
/// Replies are for `/v1/messages` unless [`on`](Self::on) says otherwise.
#[derive(Clone, Debug)]
pub struct Reply {
    pub(crate) path: String,
    pub(crate) status: Option<StatusCode>,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) content: Content,
    pub(crate) cut: Option<Cut>,
    pub(crate) when: Option<String>,
    pub(crate) times: u32,
    pub(crate) pace: Duration,
    pub(crate) chunk: Option<usize>,
    pub(crate) fault: Option<Fault>,
}

/// What a reply says.
#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// A message, as JSON or as a stream, whichever was asked for.
    Message { blocks: Vec<Value>, stop_reason: Option<String>, stop_details: Value },
    /// An error in the API's form.
    Error { kind: String, message: String, code: Option<String> },
    /// A body as it is.
    Whole { content_type: &'static str, bytes: Bytes },
    /// A body piece by piece.
    Pieces { content_type: &'static str, pieces: Vec<Bytes> },
}

/// Where a body ends before its end.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cut {
    Orderly(usize),
    Broken(usize),
}

impl Reply {
    /// Answers with a message of one text block.
    ///
    /// It is JSON or a stream as the request asks, and ends at the request's `max_tokens` and `stop_sequences`.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        let text: String = text.into();
        Self::message([json!({"type": "text", "text": text})])
    }

    /// Answers with a message of one `tool_use` block, and the stop reason `tool_use`.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "replies own what they say")]
    pub fn tool_use(name: impl Into<String>, input: Value) -> Self {
        let name: String = name.into();
        Self::message([json!({"type": "tool_use", "name": name, "input": input})])
    }

    /// Answers with a message of these content blocks.
    ///
    /// A `tool_use` block without an `id` gets one. Blocks of kinds the server does not know are sent as they are.
    #[must_use]
    pub fn message(blocks: impl IntoIterator<Item = Value>) -> Self {
        Self::new(Content::Message {
            blocks: blocks.into_iter().collect(),
            stop_reason: None,
            stop_details: Value::Null,
        })
    }

    /// Answers with an error in the API's form, such as `(529, "overloaded_error", "…")`.
    #[must_use]
    pub fn error(status: StatusCode, kind: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Content::Error { kind: kind.into(), message: message.into(), code: None }).status(status)
    }

    /// Answers with an error that has this code, such as `enforced_spend_limit_reached`, and the status and type that go with
    /// it. A code that the API does not have is one of a bad request.
    #[must_use]
    pub fn coded(code: impl Into<String>) -> Self {
        let code: String = code.into();
        let status = catalogue::status(&code).unwrap_or(400);
        let kind = catalogue::kind(status).to_owned();
        let message = "the error that was asked for".to_owned();
        let reply = Self::new(Content::Error { kind, message, code: Some(code) });
        reply.status(StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST))
    }

    /// Answers with a refusal: no content, the stop reason `refusal`, and why, such as `("cyber", "…")`.
    #[must_use]
    pub fn refusal(category: impl Into<String>, explanation: impl Into<String>) -> Self {
        let (category, explanation): (String, String) = (category.into(), explanation.into());
        Self::new(Content::Message {
            blocks: Vec::new(),
            stop_reason: Some("refusal".to_owned()),
            stop_details: json!({"type": "refusal", "category": category, "explanation": explanation}),
        })
    }

    /// Answers with this JSON, whatever was asked for.
    #[must_use]
    #[expect(clippy::needless_pass_by_value, reason = "replies own what they say")]
    pub fn json(value: Value) -> Self {
        Self::raw("application/json", value.to_string())
    }

    /// Answers 200 with a page of HTML, as a captive portal or a broken gateway does.
    #[must_use]
    pub fn html(page: impl Into<String>) -> Self {
        Self::raw("text/html; charset=utf-8", page.into())
    }

    /// Answers with an event stream of exactly these pieces, each sent on its own.
    ///
    /// Nothing is added: the pieces may split an event, a line or a character, and may end without `message_stop`.
    #[must_use]
    pub fn sse<P: Into<Bytes>>(pieces: impl IntoIterator<Item = P>) -> Self {
        let pieces = pieces.into_iter().map(Into::into).collect();
        Self::new(Content::Pieces { content_type: "text/event-stream; charset=utf-8", pieces })
    }

    /// Answers with these bytes, whatever was asked for.
    #[must_use]
    pub fn bytes(content_type: &'static str, bytes: impl Into<Bytes>) -> Self {
        Self::new(Content::Whole { content_type, bytes: bytes.into() })
    }

    /// Says which path this reply is for, without the path prefix, such as `/v1/oauth/token`.
    #[must_use]
    pub fn on(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// Replaces the status.
    #[must_use]
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = Some(status);
        self
    }

    /// Adds a header, or replaces the server's own of that name.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Waits for a request whose last message from the user has this in it, or whose body has where it is no message; other
    /// requests leave the reply where it is.
    #[must_use]
    pub fn when(mut self, heard: impl Into<String>) -> Self {
        self.when = Some(heard.into());
        self
    }

    /// Answers this many requests; the default is one.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// Answers all requests for as long as the script is not replaced; what comes after it in the script is for others.
    #[must_use]
    pub fn always(self) -> Self {
        self.times(u32::MAX)
    }

    /// Pauses, in real time, before each piece of the body but the first: the events of a stream, or its
    /// [chunks](Self::chunks).
    #[must_use]
    pub fn pace(mut self, pause: Duration) -> Self {
        self.pace = pause;
        self
    }

    /// Sends the body in pieces of this many bytes, wherever that cuts events, lines or characters.
    #[must_use]
    pub fn chunks(mut self, bytes: usize) -> Self {
        self.chunk = Some(bytes);
        self
    }

    /// Lets this go wrong with the answer, wherever nothing else was injected.
    #[must_use]
    pub fn fault(mut self, fault: Fault) -> Self {
        self.fault = Some(fault);
        self
    }

    /// Replaces the stop reason of a message.
    #[must_use]
    pub fn stop_reason(mut self, reason: impl Into<String>) -> Self {
        if let Content::Message { stop_reason, .. } = &mut self.content {
            *stop_reason = Some(reason.into());
        }
        self
    }

    /// Ends the body in order after this many bytes: HTTP calls it complete, only its content is not.
    #[must_use]
    pub fn truncate_after(mut self, bytes: usize) -> Self {
        self.cut = Some(Cut::Orderly(bytes));
        self
    }

    /// Drops the connection after this many bytes of the body, so that HTTP itself calls it incomplete.
    #[must_use]
    pub fn break_after(mut self, bytes: usize) -> Self {
        self.cut = Some(Cut::Broken(bytes));
        self
    }

    /// Gives an error this code.
    #[cfg(feature = "script")]
    pub(crate) fn code(mut self, told: Option<String>) -> Self {
        if let Content::Error { code, .. } = &mut self.content {
            *code = told;
        }
        self
    }

    fn raw(content_type: &'static str, body: String) -> Self {
        Self::new(Content::Whole { content_type, bytes: Bytes::from(body) })
    }

    fn new(content: Content) -> Self {
        Self {
            path: MESSAGES.to_owned(),
            status: None,
            headers: Vec::new(),
            content,
            cut: None,
            when: None,
            times: 1,
            pace: Duration::ZERO,
            chunk: None,
            fault: None,
        }
    }
}

impl Cut {
    pub(crate) fn apply(self, body: &mut Body) {
        match self {
            Self::Orderly(bytes) => body.truncate(bytes),
            Self::Broken(bytes) => body.break_after(bytes),
        }
    }
}
