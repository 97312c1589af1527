//! What the service says when it refuses: the body of an error reply and of an `error` event.

use http::StatusCode;
use serde_json::Value;

object! {
    /// The body of an error reply, and the data of an `error` event in a stream.
    ///
    /// ```
    /// use claude_sdk::types::{ErrorBody, ErrorType};
    ///
    /// let body = r#"{"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}, "request_id": "req_1"}"#;
    /// let body: ErrorBody = serde_json::from_str(body)?;
    /// assert_eq!(body.error.kind, ErrorType::Overloaded);
    /// assert_eq!(body.error.kind.status(), 529);
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    ErrorBody {
        /// What went wrong.
        error: ErrorDetail,
        /// The id of the request, for a report to the service's support.
        request_id: Option<String>,
    }
}

object! {
    /// What went wrong, in the service's words.
    ///
    /// Example: [`ErrorBody`](crate::types::ErrorBody).
    ErrorDetail {
        /// The type of error; it decides what the reader can do.
        kind as "type": ErrorType,
        /// An explanation for people. Its wording changes: do not match on it.
        message: String,
        /// More about the error, for programs.
        details: Option<Value>,
    }
}

serde_object!(ErrorBody, ErrorDetail);

impl ErrorDetail {
    /// The code that tells errors of one type apart (`details.error_code`), where the service gives one.
    #[must_use]
    pub fn error_code(&self) -> Option<&str> {
        self.details.as_ref()?.get("error_code")?.as_str()
    }
}

open_enum! {
    /// The types of error the API documents.
    ///
    /// Example: [`ErrorBody`](crate::types::ErrorBody).
    ErrorType {
        /// The request is malformed (400).
        InvalidRequest = "invalid_request_error",
        /// The credential is missing or refused (401).
        Authentication = "authentication_error",
        /// The account cannot be charged (402).
        Billing = "billing_error",
        /// The credential may not do this (403).
        Permission = "permission_error",
        /// There is no such resource (404).
        NotFound = "not_found_error",
        /// The resource is not in a state for this (409).
        Conflict = "conflict_error",
        /// The request is too large (413).
        RequestTooLarge = "request_too_large",
        /// A limit is reached (429).
        RateLimit = "rate_limit_error",
        /// The service failed (500).
        Api = "api_error",
        /// The service took too long (504).
        Timeout = "timeout_error",
        /// The service has more to do than it can (529).
        Overloaded = "overloaded_error",
    }
}

impl ErrorType {
    /// The status a reply with this error has (API documentation: errors); 500 for a type that is not known here.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::InvalidRequest => StatusCode::BAD_REQUEST,
            Self::Authentication => StatusCode::UNAUTHORIZED,
            Self::Billing => StatusCode::PAYMENT_REQUIRED,
            Self::Permission => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Conflict => StatusCode::CONFLICT,
            Self::RequestTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::RateLimit => StatusCode::TOO_MANY_REQUESTS,
            Self::Timeout => StatusCode::GATEWAY_TIMEOUT,
            Self::Overloaded => StatusCode::from_u16(529).unwrap_or(StatusCode::SERVICE_UNAVAILABLE),
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}
