//! What the service means where it refuses, as far as that decides whether a call is sent again.

use http::{HeaderMap, StatusCode};
use transport::{
    Request,
    layers::{Outcome, RetryPolicy, Verdict},
};

use crate::types::{ErrorBody, from_bytes};

/// Leaves alone what no wait will mend, and asks another policy about everything else.
#[derive(Debug)]
pub(crate) struct Claude<P>(pub(crate) P);

impl<P: RetryPolicy> RetryPolicy for Claude<P> {
    fn verdict(&self, attempt: u32, request: &Request, outcome: Outcome<'_>) -> Verdict {
        match outcome {
            Outcome::Response { head, body, .. }
                if head.status == StatusCode::TOO_MANY_REQUESTS && is_spent(body) =>
            {
                Verdict::Return
            }
            _ => self.0.verdict(attempt, request, outcome),
        }
    }
}

/// Whether the same call may succeed later: what is spent will not, then the service's own word, then the status.
pub(crate) fn may_pass(status: StatusCode, headers: &HeaderMap, answer: &ErrorBody) -> bool {
    if answer.error.error_code().is_some_and(is_spend_limit) {
        return false;
    }
    should_retry(headers).unwrap_or_else(|| is_passing(status))
}

/// Whether what a status says passes by itself.
pub(crate) fn is_passing(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429) || status.is_server_error()
}

/// The service's own word.
pub(crate) fn should_retry(headers: &HeaderMap) -> Option<bool> {
    match headers.get("x-should-retry").map(http::HeaderValue::as_bytes) {
        Some(b"true") => Some(true),
        Some(b"false") => Some(false),
        _ => None,
    }
}

fn is_spent(body: &[u8]) -> bool {
    let answer = from_bytes::<ErrorBody>(body);
    answer.is_ok_and(|answer| answer.error.error_code().is_some_and(is_spend_limit))
}

/// The 429s no wait will mend (API documentation: errors, spend limits).
fn is_spend_limit(code: &str) -> bool {
    matches!(code, "enforced_spend_limit_reached" | "contract_spend_limit_reached")
}
