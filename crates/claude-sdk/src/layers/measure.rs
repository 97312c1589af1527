use transport::{
    HttpBackend, Request, Sending,
    layers::{Outcome, RetryPolicy, Verdict},
};

use crate::{
    error::{of_failure, of_status},
    metrics::Metered,
};

/// Measures each attempt of a call that is measured, from when it is sent to the head of its answer.
#[derive(Debug)]
pub(crate) struct Measure<B> {
    backend: B,
    is_on: bool,
}

impl<B> Measure<B> {
    pub(crate) fn new(backend: B, is_on: bool) -> Self {
        Self { backend, is_on }
    }
}

impl<B: HttpBackend> HttpBackend for Measure<B> {
    fn send<'a, 'f>(&'a self, request: Request) -> Sending<'f>
    where
        'a: 'f,
        Self: 'f,
    {
        let Some(call) = self.is_on.then(Metered::current).flatten() else {
            return self.backend.send(request);
        };
        call.is_sent();
        let sent = call.now();
        // Asked for out here, so that the request is no part of one more future.
        let sending = self.backend.send(request);
        Box::pin(async move {
            let answer = sending.await;
            if let Ok(response) = &answer {
                let took = call.now().duration_since(sent).unwrap_or_default();
                call.is_answered(response.status(), took);
            }
            answer
        })
    }
}

/// A retry policy that is listened to: it hears of every attempt that came to nothing, of the beginnings of streams too.
#[derive(Debug)]
pub(crate) struct Overheard<P>(pub(crate) P);

impl<P: RetryPolicy> RetryPolicy for Overheard<P> {
    fn verdict(&self, attempt: u32, request: &Request, outcome: Outcome<'_>) -> Verdict {
        let verdict = self.0.verdict(attempt, request, outcome);
        if let Some(call) = Metered::current() {
            if matches!(outcome, Outcome::Response { head, .. } if head.status.as_u16() == 429) {
                call.is_rate_limited();
            }
            if matches!(verdict, Verdict::Retry { .. }) {
                call.is_retried_for(reason(outcome));
            }
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
