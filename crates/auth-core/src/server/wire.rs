//! How an authorization server wants its token requests written.

use http::{HeaderName, HeaderValue};

/// How a server wants its token requests written: data, not code.
///
/// A server with a dialect of its own gets a `Wire` of its own; the exchanges do not know any server by name. It covers
/// the exchanges of a login, where servers differ: the code and the refresh. All others are forms, as their RFCs say;
/// only a [`Federation`](crate::Federation) brings its own form.
#[derive(Debug, Clone)]
pub struct Wire {
    code: Format,
    refresh: Format,
}

impl Wire {
    /// Creates a wire from the format of the code exchange and the format of the refresh.
    #[must_use]
    pub fn new(code: Format, refresh: Format) -> Self {
        Self { code, refresh }
    }

    /// Creates the wire of RFC 6749: forms everywhere.
    #[must_use]
    pub fn rfc() -> Self {
        Self::new(Format::form(), Format::form())
    }

    /// Creates the wire of the Claude endpoints: the code goes as a form that repeats `state`; the refresh goes as JSON
    /// with the beta header `oauth-2025-04-20`.
    #[must_use]
    pub fn claude() -> Self {
        let beta = HeaderName::from_static("anthropic-beta");
        Self::new(
            Format::form().with_state(),
            Format::json().with_header(beta, HeaderValue::from_static("oauth-2025-04-20")),
        )
    }

    pub(crate) fn code(&self) -> &Format {
        &self.code
    }

    pub(crate) fn refresh(&self) -> &Format {
        &self.refresh
    }
}

impl Default for Wire {
    fn default() -> Self {
        Self::rfc()
    }
}

/// How one kind of token request is written.
#[derive(Debug, Clone)]
pub struct Format {
    pub(crate) encoding: Encoding,
    pub(crate) state: bool,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
}

/// How the members of a token request become a body.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Encoding {
    Form,
    Json,
}

impl Format {
    /// Creates a format with an `application/x-www-form-urlencoded` body (RFC 6749 section 4.1.3).
    #[must_use]
    pub fn form() -> Self {
        Self { encoding: Encoding::Form, state: false, headers: Vec::new() }
    }

    /// Creates a format with one flat JSON object as its body.
    #[must_use]
    pub fn json() -> Self {
        Self { encoding: Encoding::Json, state: false, headers: Vec::new() }
    }

    /// Repeats `state` in the body; only a code exchange has one.
    #[must_use]
    pub fn with_state(mut self) -> Self {
        self.state = true;
        self
    }

    /// Adds a fixed header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }
}
