//! What is measured of the attempts of a call.

use std::time::SystemTime;

use transport::{
    Error, Request, Response,
    layers::{Outcome, RetryPolicy, Verdict},
};

use crate::{
    error::{of_failure, of_status},
    metrics::Call,
};

/// An attempt that is measured, if its call is, from when it is sent to the head of its answer.
pub(super) struct Measured {
    sent: Option<SystemTime>,
}

impl Measured {
    /// It is sent.
    #[inline]
    pub(super) fn begins() -> Self {
        Self { sent: Call::current(Call::is_sent) }
    }

    #[inline]
    pub(super) fn ends(self, answer: &Result<Response, Error>) {
        if let (Some(sent), Ok(response)) = (self.sent, answer) {
            Call::current(|call| call.is_answered(response.status(), sent));
        }
    }
}

/// A retry policy that is listened to: it hears of every attempt that came to nothing, of the beginnings of streams too.
#[derive(Debug)]
pub(crate) struct Overheard<P>(pub(crate) P);

impl<P: RetryPolicy> RetryPolicy for Overheard<P> {
    fn verdict(&self, attempt: u32, request: &Request, outcome: Outcome<'_>) -> Verdict {
        let verdict = self.0.verdict(attempt, request, outcome);
        let is_limit = matches!(outcome, Outcome::Response { head, .. } if head.status.as_u16() == 429);
        let is_retried = matches!(verdict, Verdict::Retry { .. });
        if is_limit || is_retried {
            Call::current(|call| {
                if is_limit {
                    call.is_rate_limited();
                }
                if is_retried {
                    call.is_retried_for(reason(outcome));
                }
            });
        }
        verdict
    }
}

/// Why something is sent again, as one of few words.
fn reason(outcome: Outcome<'_>) -> &'static str {
    match outcome {
        Outcome::Response { head, .. } => of_status(head.status).unwrap_or("other"),
        Outcome::Opening { error } | Outcome::Error(error) => of_failure(error.kind()),
    }
}
