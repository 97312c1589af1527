//! A body in a coding that is not known here.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_core::Stream;
use http::Uri;

use crate::{Body, Error, ErrorKind, Reach};

/// How much of a coding's name an error repeats.
const NAME: usize = 40;

/// Fails where there is something to read.
pub(super) struct Unreadable {
    coding: String,
    body: Body,
    uri: Uri,
}

impl Unreadable {
    pub(super) fn new(coding: &str, body: Body, uri: Uri) -> Self {
        let shown = |c: char| if c.is_ascii_graphic() || c == ' ' { c } else { '?' };
        Self { coding: coding.chars().take(NAME).map(shown).collect(), body, uri }
    }
}

impl Stream for Unreadable {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            let next = ready!(Pin::new(&mut self.body).poll_next(cx));
            return Poll::Ready(match next {
                Some(Ok(piece)) if piece.is_empty() => continue,
                Some(Ok(_)) => {
                    let reason =
                        format!("its content-encoding is `{}`, which this build does not read", self.coding);
                    Some(Err(Error::new(ErrorKind::Decode, Reach::Answered, reason).with_target(&self.uri)))
                }
                other => other,
            });
        }
    }
}
