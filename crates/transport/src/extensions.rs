//! What a caller and the layers tell each other through the extensions of a request or a response.

use std::time::{Duration, SystemTime};

use crate::{Request, Response};

/// In a request: when the caller stops being interested, on the same [`Clock`](crate::Clock) as the layers'.
///
/// [`Retry`](crate::layers::Retry) does not start a wait that would end past it, and
/// [`Timeout`](crate::layers::Timeout) ends an attempt at it, so that it bounds the whole call with all its attempts. A
/// layer that waits for something of its own, such as a credential, has to heed it too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadline(pub SystemTime);

/// In a request: how often this one may be sent again, instead of what the policy would allow.
///
/// [`Backoff`](crate::layers::Backoff) reads it; zero means one attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxRetries(pub u32);

/// In a request: how long an attempt may take until the head of the response is here, instead of what
/// [`Timeout::headers`](crate::layers::Timeout::headers) says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadersTimeout(pub Duration);

/// In a request: it may be sent again even if the server may already have acted on it.
///
/// Methods that are idempotent by definition (RFC 9110, section 9.2.2) need no mark. Put it on a POST only if doing
/// the work twice is harmless, or the request carries a key by which the server recognises the second one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replayable;

/// In a request, set by [`Retry`](crate::layers::Retry) from the second attempt on: which one this is.
///
/// Layers further in can read it with [`Attempt::of`], for example to tell the server or a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt(pub u32);

impl Attempt {
    /// The number of the attempt that `request` is, the first being 1.
    #[must_use]
    pub fn of(request: &Request) -> u32 {
        request.extensions().get().map_or(1, |&Self(number)| number)
    }
}

/// In a response, set by [`Retry`](crate::layers::Retry) where it took more than one attempt: how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempts(pub u32);

impl Attempts {
    /// How many attempts `response` took, at least 1.
    #[must_use]
    pub fn of(response: &Response) -> u32 {
        response.extensions().get().map_or(1, |&Self(number)| number)
    }
}
