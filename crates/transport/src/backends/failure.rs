//! What the errors of hyper, and of what lies beneath it, mean: the kind, and how far the request got.

use std::{error::Error as StdError, io};

use crate::{ErrorKind, Reach};

/// An error between the connection and the head of the response.
pub(super) fn of_exchange(error: &(dyn StdError + 'static)) -> (ErrorKind, Reach) {
    if http2::says_not_processed(error) {
        return (ErrorKind::Closed, Reach::NotSent);
    }
    let Some(hyper) = find::<hyper::Error>(error) else {
        return (ErrorKind::Other, Reach::MaybeSent);
    };
    if hyper.is_canceled() {
        // Only said of a request that was still waiting for its turn when the connection ended.
        (ErrorKind::Closed, Reach::NotSent)
    } else if hyper.is_parse() || http2::is_breach(error) {
        (ErrorKind::Protocol, Reach::MaybeSent)
    } else if hyper.is_user() {
        (ErrorKind::InvalidRequest, Reach::MaybeSent)
    } else {
        // Closed in the middle: nothing proves that it was not read.
        (ErrorKind::Closed, Reach::MaybeSent)
    }
}

/// An error after the head of the response.
pub(super) fn of_body(error: &(dyn StdError + 'static)) -> ErrorKind {
    let is_malformed = find::<hyper::Error>(error).is_some_and(hyper::Error::is_parse)
        || find::<io::Error>(error)
            .is_some_and(|io| matches!(io.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput));
    if is_malformed || http2::is_breach(error) { ErrorKind::Protocol } else { ErrorKind::Truncated }
}

/// Tells whether a connection could not be made for want of a file descriptor: `EMFILE` for the process, `ENFILE` for
/// the machine, `WSAEMFILE` on Windows.
pub(super) fn is_exhausted(error: &(dyn StdError + 'static)) -> bool {
    let codes: &[i32] = if cfg!(windows) { &[10_024] } else { &[23, 24] };
    causes(error)
        .filter_map(|cause| cause.downcast_ref::<io::Error>()?.raw_os_error())
        .any(|code| codes.contains(&code))
}

pub(super) fn find<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

/// The error and what is beneath it. An `io::Error` made from another error leaves that one out of its own chain.
pub(super) fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| {
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner as &(dyn StdError + 'static)),
            None => error.source(),
        }
    })
}

#[cfg(feature = "http2")]
mod http2 {
    use super::{StdError, find};

    /// The peer refused the stream, or went away before it came to it (RFC 9113 sections 6.8 and 8.7).
    pub(super) fn says_not_processed(error: &(dyn StdError + 'static)) -> bool {
        let Some(error) = find::<h2::Error>(error) else { return false };
        let reason = error.reason();
        error.is_remote()
            && (error.is_go_away() && reason == Some(h2::Reason::NO_ERROR)
                || error.is_reset() && reason == Some(h2::Reason::REFUSED_STREAM))
    }

    /// This side ended it because the peer broke the rules of HTTP/2.
    pub(super) fn is_breach(error: &(dyn StdError + 'static)) -> bool {
        find::<h2::Error>(error).is_some_and(h2::Error::is_library)
    }
}

/// Without HTTP/2 none of its errors comes.
#[cfg(not(feature = "http2"))]
mod http2 {
    use super::StdError;

    pub(super) fn says_not_processed(_: &(dyn StdError + 'static)) -> bool {
        false
    }

    pub(super) fn is_breach(_: &(dyn StdError + 'static)) -> bool {
        false
    }
}
