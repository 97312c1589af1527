//! What reqwest's errors mean: the kind, and how far the request got.

use crate::{
    Error, ErrorKind, Reach, TimeoutKind,
    backends::failure::{self, causes, find},
};

/// An error instead of a response.
pub(super) fn of_request(error: ::reqwest::Error) -> Error {
    let (kind, reach) = if error.is_builder() {
        (ErrorKind::InvalidRequest, Reach::NotSent)
    } else if error.is_connect() {
        (of_connecting(&error), Reach::NotSent)
    } else {
        failure::of_exchange(&error)
    };
    Error::new(kind, reach, error.without_url())
}

/// An error after the head of the response.
pub(super) fn of_body(error: ::reqwest::Error) -> Error {
    Error::new(failure::of_body(&error), Reach::Answered, error.without_url())
}

fn of_connecting(error: &::reqwest::Error) -> ErrorKind {
    if error.is_timeout() {
        ErrorKind::Timeout(TimeoutKind::Connect)
    } else if failure::is_exhausted(error) {
        ErrorKind::Exhausted
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
