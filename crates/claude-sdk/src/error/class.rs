use http::StatusCode;
use transport::ErrorKind;

use super::Error;
use crate::types::ErrorType;

impl Error {
    /// What went wrong, as one of few words, for a label: the API's name of its error, such as `rate_limit_error`, and for what
    /// it did not say itself a word of ours, such as `connect`, `timeout` or `config`. The metrics have it too.
    #[must_use]
    pub fn class(&self) -> &'static str {
        match self {
            Self::Config(_) => "config",
            Self::Auth(..) => "auth",
            Self::RateLimit(..) => "limiter",
            Self::Api(error) => of_type(error.kind()),
            Self::Stream(error) => error.api_error().map_or("stream", |error| of_type(error.kind())),
            Self::Transport(error) => of_failure(error.kind()),
            Self::Answer(_) => "answer",
            #[cfg(feature = "schema")]
            Self::Output(_) => "output",
        }
    }
}

/// The name of an error of the API; `other` where it is not known here.
pub(crate) fn of_type(kind: &ErrorType) -> &'static str {
    match kind {
        ErrorType::InvalidRequest => "invalid_request_error",
        ErrorType::Authentication => "authentication_error",
        ErrorType::Billing => "billing_error",
        ErrorType::Permission => "permission_error",
        ErrorType::NotFound => "not_found_error",
        ErrorType::Conflict => "conflict_error",
        ErrorType::RequestTooLarge => "request_too_large",
        ErrorType::RateLimit => "rate_limit_error",
        ErrorType::Api => "api_error",
        ErrorType::Timeout => "timeout_error",
        ErrorType::Overloaded => "overloaded_error",
        ErrorType::Other(_) => "other",
    }
}

/// What an answer with this status is, where it is no success.
pub(crate) fn of_status(status: StatusCode) -> Option<&'static str> {
    Some(match status.as_u16() {
        ..=399 => return None,
        401 => of_type(&ErrorType::Authentication),
        408 | 504 => of_type(&ErrorType::Timeout),
        409 => of_type(&ErrorType::Conflict),
        429 => of_type(&ErrorType::RateLimit),
        529 => of_type(&ErrorType::Overloaded),
        500.. => of_type(&ErrorType::Api),
        _ => "other",
    })
}

pub(crate) fn of_failure(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidRequest => "invalid_request",
        ErrorKind::Dns => "dns",
        ErrorKind::Connect => "connect",
        ErrorKind::Exhausted => "exhausted",
        ErrorKind::Tls => "tls",
        ErrorKind::Proxy => "proxy",
        ErrorKind::Timeout(_) => "timeout",
        ErrorKind::Protocol => "protocol",
        ErrorKind::BodyTooLarge { .. } => "body_too_large",
        ErrorKind::Decode => "decode",
        ErrorKind::Truncated => "truncated",
        ErrorKind::Closed => "closed",
        ErrorKind::Open => "circuit_open",
        ErrorKind::Refused => "refused",
        ErrorKind::Panicked => "panicked",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_the_name_that_the_api_gives_it() {
        for name in
            ["rate_limit_error", "overloaded_error", "request_too_large", "timeout_error", "api_error"]
        {
            assert_eq!(of_type(&ErrorType::from(name)), name);
        }
        assert_eq!(of_type(&ErrorType::from("sk-ant-api03-anything")), "other");
    }
}
