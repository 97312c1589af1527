//! What came in and what goes out, before and after HTTP.

use std::time::Duration;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde_json::{Value, json};

use crate::body::Body;
use crate::fault::Effect;
use crate::journal::Credential;

/// A request that was read to its end.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) method: Method,
    /// As sent.
    pub(crate) path: String,
    /// Decoded.
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// When it was complete, on the server's clock.
    pub(crate) at: Duration,
    /// The request id of the reply.
    pub(crate) id: String,
    /// Whether a mail that this request asks for gets lost.
    pub(crate) loses_mail: bool,
}

impl Received {
    /// The body as text, for a script that waits for a word.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A header's value as text; the first where there are several.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// A reply on its way out, with what the journal wants to know about it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
    /// Headers of a script: they are set last.
    pub(crate) scripted_headers: Vec<(HeaderName, HeaderValue)>,
    /// What a script lets go wrong with it.
    pub(crate) fault: Option<Effect>,
    pub(crate) credential: Credential,
    /// Whose organisation it is from.
    pub(crate) seat: usize,
    pub(crate) note: Option<&'static str>,
}

impl Answer {
    pub(crate) fn new(status: StatusCode, body: Body) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            body,
            scripted_headers: Vec::new(),
            fault: None,
            credential: Credential::None,
            seat: 0,
            note: None,
        }
    }

    pub(crate) fn json(status: StatusCode, value: &Value) -> Self {
        let content_type = HeaderValue::from_static("application/json");
        Self::new(status, Body::whole(value.to_string())).header(CONTENT_TYPE, content_type)
    }

    /// An error in the form of the API.
    pub(crate) fn error(request_id: &str, status: StatusCode, kind: &str, message: &str) -> Self {
        Self::refusal(request_id, status, kind, message, None)
    }

    /// An error in the form of the API, with the code that tells it apart from others of its kind.
    pub(crate) fn refusal(
        request_id: &str,
        status: StatusCode,
        kind: &str,
        message: &str,
        code: Option<&str>,
    ) -> Self {
        let mut error = json!({"type": kind, "message": message});
        if let (Some(code), Some(error)) = (code, error.as_object_mut()) {
            error.insert("details".to_owned(), json!({"error_code": code}));
        }
        Self::json(status, &json!({"type": "error", "error": error, "request_id": request_id}))
    }

    pub(crate) fn html(status: StatusCode, page: String) -> Self {
        Self::new(status, Body::whole(page))
            .header(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"))
            .header(CACHE_CONTROL, HeaderValue::from_static("no-store"))
    }

    /// Sets a header; a value that no header can hold is left out.
    pub(crate) fn header<V: TryInto<HeaderValue>>(mut self, name: HeaderName, value: V) -> Self {
        if let Ok(value) = value.try_into() {
            self.headers.insert(name, value);
        }
        self
    }

    pub(crate) fn noted(mut self, note: Option<&'static str>) -> Self {
        self.note = note;
        self
    }
}
