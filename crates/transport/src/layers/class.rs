//! What an outcome means for sending the same request again.

use http::{StatusCode, response::Parts};

use super::Outcome;
use crate::{ErrorKind, Reach, Replayable, Request, TimeoutKind};

/// What may be done about the outcome of an attempt, as far as the outcome itself tells.
///
/// [`Backoff`](super::Backoff) makes its verdicts from it, and [`Breaker`](super::Breaker) its opinion of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Class {
    /// It is final: a success, or a failure that the same request would meet again.
    Never,
    /// It may pass, and the server has not done what was asked: send it again after a wait.
    AfterDelay(Strain),
    /// The server has not looked at it, and nothing is wrong with the server: send it again at once.
    ///
    /// A kept connection was closed before anything was written to it, or the server said which requests it had not
    /// begun (HTTP/2: GOAWAY, `REFUSED_STREAM`).
    AtOnce,
    /// It may pass, but the server may have done what was asked already: only the caller can know.
    Ambiguous,
    /// The credential was refused; another one may be let in.
    AfterRenewal,
}

/// Why a failure may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Strain {
    /// The server, or the way to it, fails.
    Failing,
    /// The server works, and this client asked for too much: of the server, or of its own machine.
    Throttled,
}

impl Class {
    /// Classifies the outcome of an attempt to send `request`.
    ///
    /// **Responses.** The header `x-should-retry` decides if it is `true` or `false`; otherwise 408, 429 and everything
    /// from 500 on may pass. A 409 is a matter of the resource, which no wait mends unless the server says so.
    ///
    /// **Errors** that may pass are ambiguous where the request may have reached the server, unless it may be replayed:
    /// its method is idempotent (RFC 9110, section 9.2.2), or it is marked [`Replayable`]. So is a stream that lives and
    /// shows nothing but that for too long; one that ends or breaks before it has begun may pass.
    #[must_use]
    pub fn of(request: &Request, outcome: Outcome<'_>) -> Self {
        let error = match outcome {
            Outcome::Response { head, .. } => return of_response(head),
            // It lives: whoever gave it up here was this side.
            Outcome::Opening { error } if error.kind() == ErrorKind::Timeout(TimeoutKind::Progress) => {
                return if may_be_replayed(request) {
                    Self::AfterDelay(Strain::Failing)
                } else {
                    Self::Ambiguous
                };
            }
            Outcome::Opening { error } if error.is_retryable() => return Self::AfterDelay(Strain::Failing),
            Outcome::Error(error) if error.is_retryable() => error,
            Outcome::Opening { .. } | Outcome::Error(_) => return Self::Never,
        };
        match (error.reach(), error.kind()) {
            (Reach::NotSent, ErrorKind::Closed) => Self::AtOnce,
            (Reach::NotSent, ErrorKind::Timeout(TimeoutKind::Total)) => Self::Never,
            (Reach::NotSent, ErrorKind::Exhausted) => Self::AfterDelay(Strain::Throttled),
            (Reach::NotSent, _) => Self::AfterDelay(Strain::Failing),
            (Reach::MaybeSent, _) if may_be_replayed(request) => Self::AfterDelay(Strain::Failing),
            (Reach::MaybeSent, _) => Self::Ambiguous,
            (Reach::Answered, _) => Self::Never,
        }
    }
}

fn of_response(head: &Parts) -> Class {
    let strain = match head.status {
        StatusCode::TOO_MANY_REQUESTS => Strain::Throttled,
        _ => Strain::Failing,
    };
    match head.headers.get("x-should-retry").map(http::HeaderValue::as_bytes) {
        Some(b"true") => Class::AfterDelay(strain),
        Some(b"false") => Class::Never,
        _ => match head.status.as_u16() {
            401 => Class::AfterRenewal,
            408 | 429 | 500.. => Class::AfterDelay(strain),
            _ => Class::Never,
        },
    }
}

fn may_be_replayed(request: &Request) -> bool {
    request.method().is_idempotent() || request.extensions().get::<Replayable>().is_some()
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use http::Method;

    use super::*;
    use crate::Error;

    const PASSES: Class = Class::AfterDelay(Strain::Failing);

    fn request(method: Method) -> Request {
        let mut request = Request::default();
        *request.method_mut() = method;
        request
    }

    fn answered(status: u16, should_retry: Option<&'static str>) -> Class {
        let mut response = http::Response::new(());
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        let value = should_retry.map(http::HeaderValue::from_static);
        response
            .headers_mut()
            .extend(value.map(|value| (http::HeaderName::from_static("x-should-retry"), value)));
        let (head, ()) = response.into_parts();
        let outcome = Outcome::Response { head: &head, body: b"", now: SystemTime::UNIX_EPOCH };
        Class::of(&request(Method::POST), outcome)
    }

    fn failed(method: Method, kind: ErrorKind, reach: Reach) -> Class {
        Class::of(&request(method), Outcome::Error(&Error::bare(kind, reach)))
    }

    #[test]
    fn a_status_tells_whether_it_may_pass() {
        for status in [408, 500, 502, 503, 504, 529, 599] {
            assert_eq!(answered(status, None), PASSES, "{status}");
        }
        assert_eq!(answered(429, None), Class::AfterDelay(Strain::Throttled));
        assert_eq!(answered(401, None), Class::AfterRenewal);
        for status in [200, 204, 302, 400, 402, 403, 404, 409, 413, 422] {
            assert_eq!(answered(status, None), Class::Never, "{status}");
        }
    }

    #[test]
    fn the_server_has_the_last_word_on_whether() {
        assert_eq!(answered(400, Some("true")), PASSES);
        assert_eq!(answered(409, Some("true")), PASSES);
        assert_eq!(answered(529, Some("false")), Class::Never);
        assert_eq!(answered(529, Some("perhaps")), PASSES);
    }

    #[test]
    fn a_want_of_descriptors_passes_and_is_not_the_servers_fault() {
        let class = failed(Method::POST, ErrorKind::Exhausted, Reach::NotSent);
        assert_eq!(class, Class::AfterDelay(Strain::Throttled));
    }

    #[test]
    fn a_lost_post_is_ambiguous_unless_it_may_be_replayed() {
        let lost = ErrorKind::Timeout(TimeoutKind::Headers);
        assert_eq!(failed(Method::POST, lost, Reach::MaybeSent), Class::Ambiguous);
        assert_eq!(failed(Method::POST, ErrorKind::Closed, Reach::MaybeSent), Class::Ambiguous);
        assert_eq!(failed(Method::GET, lost, Reach::MaybeSent), PASSES);
        let mut marked = request(Method::POST);
        marked.extensions_mut().insert(Replayable);
        let error = Error::bare(lost, Reach::MaybeSent);
        assert_eq!(Class::of(&marked, Outcome::Error(&error)), PASSES);
    }

    #[test]
    fn what_never_left_is_told_apart_by_whether_the_server_is_well() {
        assert_eq!(failed(Method::POST, ErrorKind::Connect, Reach::NotSent), PASSES);
        assert_eq!(failed(Method::POST, ErrorKind::Closed, Reach::NotSent), Class::AtOnce);
        assert_eq!(failed(Method::POST, ErrorKind::Tls, Reach::NotSent), Class::Never);
        assert_eq!(failed(Method::POST, ErrorKind::Refused, Reach::NotSent), Class::Never);
    }

    #[test]
    fn nothing_is_repeated_after_a_reply_unless_none_of_it_was_handed_on() {
        let cut = Error::bare(ErrorKind::Truncated, Reach::Answered);
        assert_eq!(Class::of(&request(Method::GET), Outcome::Error(&cut)), Class::Never);
        assert_eq!(Class::of(&request(Method::POST), Outcome::Opening { error: &cut }), PASSES);
        let large = Error::bare(ErrorKind::BodyTooLarge { limit: 1 }, Reach::Answered);
        assert_eq!(Class::of(&request(Method::POST), Outcome::Opening { error: &large }), Class::Never);
    }
}
