//! What reqwest's errors mean: the kind, and how far the request got.

use std::{error::Error as StdError, io};

use crate::{Error, ErrorKind, Reach, TimeoutKind};

/// An error instead of a response.
pub(super) fn of_request(error: ::reqwest::Error) -> Error {
    let (kind, reach) = if error.is_builder() {
        (ErrorKind::InvalidRequest, Reach::NotSent)
    } else if error.is_connect() {
        (of_connecting(&error), Reach::NotSent)
    } else if let Some(hyper) = find::<hyper::Error>(&error) {
        if hyper.is_parse() {
            (ErrorKind::Protocol, Reach::MaybeSent)
        } else if hyper.is_user() {
            (ErrorKind::InvalidRequest, Reach::MaybeSent)
        } else {
            // Closed in the middle, or while the request waited for its turn: nothing proves that it was not read.
            (ErrorKind::Closed, Reach::MaybeSent)
        }
    } else {
        (ErrorKind::Other, Reach::MaybeSent)
    };
    Error::new(kind, reach, error.without_url())
}

/// An error after the head of the response.
pub(super) fn of_body(error: ::reqwest::Error) -> Error {
    let is_malformed = find::<hyper::Error>(&error).is_some_and(hyper::Error::is_parse)
        || find::<io::Error>(&error)
            .is_some_and(|io| matches!(io.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput));
    let kind = if is_malformed { ErrorKind::Protocol } else { ErrorKind::Truncated };
    Error::new(kind, Reach::Answered, error.without_url())
}

fn of_connecting(error: &::reqwest::Error) -> ErrorKind {
    if error.is_timeout() {
        ErrorKind::Timeout(TimeoutKind::Connect)
    } else if causes(error).any(|cause| cause.to_string().starts_with("tunnel error")) {
        ErrorKind::Proxy // its type is private to hyper-util
    } else if error.is_dns() {
        ErrorKind::Dns
    } else if find::<rustls::Error>(error).is_some() {
        ErrorKind::Tls
    } else {
        ErrorKind::Connect
    }
}

fn find<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

/// The error and what is beneath it. An `io::Error` made from another error leaves that one out of its own chain.
fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| {
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner as &(dyn StdError + 'static)),
            None => error.source(),
        }
    })
}
