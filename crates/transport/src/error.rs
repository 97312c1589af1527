//! Why an attempt failed, how far the request got, and what the reader can do about it.

mod kind;

use std::{error::Error as StdError, fmt, time::Duration};

use http::{Uri, response::Parts};

pub use kind::{ErrorKind, Reach, TimeoutKind};

type Source = Box<dyn StdError + Send + Sync>;

/// A request that got no response, or a response whose body broke off.
///
/// Its text says what can be done and names the host, but no path, query or user info, and no header or body; the
/// [`source`](StdError::source) chain holds the backend's own words.
pub struct Error {
    kind: ErrorKind,
    reach: Reach,
    target: Option<String>,
    attempts: u32,
    retry_after: Option<Duration>,
    last_reply: Option<Box<Parts>>,
    source: Option<Source>,
}

impl Error {
    /// Makes an error from what a backend reports.
    ///
    /// `source` must hold no secret: it is printed with the chain. If in doubt about `reach`, say
    /// [`Reach::MaybeSent`].
    #[must_use]
    pub fn new(kind: ErrorKind, reach: Reach, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { source: Some(source.into()), ..Self::bare(kind, reach) }
    }

    /// Makes an error that has no cause beneath it.
    #[must_use]
    pub fn bare(kind: ErrorKind, reach: Reach) -> Self {
        Self { kind, reach, target: None, attempts: 1, retry_after: None, last_reply: None, source: None }
    }

    /// Makes the error of a layer that says no before anything is sent, such as one that has no credential.
    ///
    /// It is never retried, and is no attempt. [`into_refusal`](Self::into_refusal) gives the reason back.
    #[must_use]
    pub fn refused(reason: impl StdError + Send + Sync + 'static) -> Self {
        Self::new(ErrorKind::Refused, Reach::NotSent, reason).with_attempts(0)
    }

    /// Takes out the reason of a refusal, where it is a `T`.
    ///
    /// # Errors
    ///
    /// The error itself, unchanged, where it is something else.
    pub fn into_refusal<T: StdError + 'static>(mut self) -> Result<T, Self> {
        if self.kind != ErrorKind::Refused {
            return Err(self);
        }
        match self.source.take().map(<dyn StdError + Send + Sync>::downcast::<T>) {
            Some(Ok(reason)) => Ok(*reason),
            Some(Err(source)) => Err(Self { source: Some(source), ..self }),
            None => Err(self),
        }
    }

    /// Adds the host and port of `uri`, for the text; its other parts are not kept.
    #[must_use]
    pub fn with_target(mut self, uri: &Uri) -> Self {
        self.target = target(uri);
        self
    }

    /// Adds how long the caller should wait at least before it tries again.
    #[must_use]
    pub fn with_retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Sets how many attempts were made; [`Retry`](crate::layers::Retry) does.
    #[must_use]
    pub fn with_attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// Adds the head of a reply that the call got before this error; [`Retry`](crate::layers::Retry) does, and so may a layer
    /// that sends more than once. Its extensions are left out: they may hold on to something.
    #[must_use]
    pub fn with_last_reply(mut self, head: &Parts) -> Self {
        self.last_reply = Some(Box::new(without_extensions(head)));
        self
    }

    /// Returns the head of the last reply that the call has got, where this attempt got none.
    #[must_use]
    pub fn last_reply(&self) -> Option<&Parts> {
        self.last_reply.as_deref()
    }

    /// Returns what went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Returns how far the request got.
    #[must_use]
    pub fn reach(&self) -> Reach {
        self.reach
    }

    /// Tells whether the same request might succeed later.
    ///
    /// It speaks of the cause alone: a lost connection can come back, a wrong certificate does not mend itself.
    /// Whether a repetition is also harmless, [`reach`](Self::reach) and the request decide.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self.kind {
            ErrorKind::Dns
            | ErrorKind::Connect
            | ErrorKind::Exhausted
            | ErrorKind::Proxy
            | ErrorKind::Timeout(_)
            | ErrorKind::Truncated
            | ErrorKind::Closed
            | ErrorKind::Open => true,
            ErrorKind::InvalidRequest
            | ErrorKind::Tls
            | ErrorKind::Protocol
            | ErrorKind::BodyTooLarge { .. }
            | ErrorKind::Decode
            | ErrorKind::Refused
            | ErrorKind::Panicked
            | ErrorKind::Other => false,
        }
    }

    /// Returns how long to wait at least before trying again, if whoever failed said so.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Returns how many attempts were made; 0 where the first was [not let through](ErrorKind::Open), or was
    /// [refused](ErrorKind::Refused) before anything was sent.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.tell(self.reach, self.target.as_deref().unwrap_or("the server"), f)?;
        if self.attempts > 1 { write!(f, " ({} attempts)", self.attempts) } else { Ok(()) }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.kind)
            .field("reach", &self.reach)
            .field("target", &self.target)
            .field("attempts", &self.attempts)
            .field("retry_after", &self.retry_after)
            .field("last_status", &self.last_reply.as_ref().map(|head| head.status))
            .field("source", &self.source)
            .finish()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

/// A copy of `head` that holds nothing of what layers have put into it.
pub(crate) fn without_extensions(head: &Parts) -> Parts {
    let (mut copy, ()) = http::Response::new(()).into_parts();
    copy.status = head.status;
    copy.version = head.version;
    copy.headers.clone_from(&head.headers);
    copy
}

/// Host and port of a URI; `http::Uri` has no accessor that could return its user info among them.
fn target(uri: &Uri) -> Option<String> {
    let host = uri.host()?;
    Some(match uri.port_u16() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_gives_its_reason_back_and_only_as_what_it_is() {
        let error = Error::refused(fmt::Error);
        assert!(!error.is_retryable() && error.reach() == Reach::NotSent);
        let error = error.into_refusal::<std::num::ParseIntError>().unwrap_err();
        assert_eq!(error.into_refusal::<fmt::Error>().unwrap(), fmt::Error);
        assert!(Error::bare(ErrorKind::Other, Reach::NotSent).into_refusal::<fmt::Error>().is_err());
    }

    #[test]
    fn the_text_names_the_host_and_nothing_secret() {
        let uri = Uri::from_static("https://user:hunter2@api.example:8443/v1/private?key=hunter3");
        let error = Error::bare(ErrorKind::Connect, Reach::NotSent).with_target(&uri).with_attempts(3);
        let text = format!("{error} {error:?}");
        assert!(error.to_string().starts_with("could not connect to api.example:8443;"), "{error}");
        assert!(error.to_string().ends_with("(3 attempts)"), "{error}");
        for hidden in ["hunter2", "hunter3", "user", "private"] {
            assert!(!text.contains(hidden), "{text}");
        }
    }

    #[test]
    fn a_connection_that_closed_says_whether_the_work_may_be_done() {
        let text = |reach| Error::bare(ErrorKind::Closed, reach).to_string();
        assert!(text(Reach::MaybeSent).contains("may have done the work"));
        assert!(
            !text(Reach::NotSent).contains("may have") && text(Reach::NotSent).ends_with("send it again")
        );
    }

    #[test]
    fn the_cause_is_in_the_chain_and_not_in_the_text() {
        let error = Error::new(ErrorKind::Other, Reach::MaybeSent, "backend words");
        assert!(!error.to_string().contains("backend words"));
        assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("backend words"));
    }
}
