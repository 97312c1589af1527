//! What a request sends, in memory or piece by piece.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use futures_core::Stream;
use http::{HeaderMap, header};

use super::cassette::{Content, LIMIT};
use crate::{Body, Error, Request, Upload};

/// What stands for the boundary between the parts of a form, which differs each time.
const BOUNDARY: &[u8] = b"[boundary]";

/// What a request of these headers sends, as it is compared.
pub(super) fn content(headers: &HeaderMap, body: &Bytes) -> Content {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let boundary = kind.strip_prefix("multipart/").and_then(|kind| kind.split("boundary=").nth(1));
    match boundary.map(|boundary| boundary.trim_matches('"')).filter(|boundary| !boundary.is_empty()) {
        Some(boundary) => Content::Bytes(without(body, boundary.as_bytes())),
        None => Content::of(body.clone()),
    }
}

fn without(body: &[u8], boundary: &[u8]) -> Bytes {
    let mut rest = body;
    let mut clean = BytesMut::with_capacity(body.len());
    while let Some(first) = rest.first() {
        match rest.strip_prefix(boundary) {
            Some(after) => {
                clean.extend_from_slice(BOUNDARY);
                rest = after;
            }
            None => {
                clean.extend_from_slice(&[*first]);
                rest = rest.get(1..).unwrap_or_default();
            }
        }
    }
    clean.freeze()
}

/// Reads all that a request sends.
pub(super) async fn read(request: &Request) -> Result<Bytes, Error> {
    match Upload::of(request) {
        Some(upload) => upload.open().collect(LIMIT).await,
        None => Ok(request.body().clone()),
    }
}

/// What is heard of a request while it is sent.
#[derive(Clone, Debug, Default)]
pub(super) struct Ear(Arc<Mutex<BytesMut>>);

impl Ear {
    /// Listens to the upload of a request, or knows its body.
    pub(super) fn of(request: &mut Request) -> Self {
        let ear = Self(Arc::new(Mutex::new(BytesMut::from(request.body().as_ref()))));
        if let Some(upload) = Upload::of(request).cloned() {
            let heard = ear.clone();
            let length = upload.length();
            request.extensions_mut().insert(Upload::new(length, move || {
                heard.lock().clear();
                Body::from_stream(Heard { body: upload.open(), ear: heard.clone() })
            }));
        }
        ear
    }

    /// What was heard, at most a byte more than a cassette takes.
    pub(super) fn heard(&self) -> Bytes {
        self.lock().clone().freeze()
    }

    fn lock(&self) -> MutexGuard<'_, BytesMut> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A body that is heard as it is read.
struct Heard {
    body: Body,
    ear: Ear,
}

impl Stream for Heard {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = ready!(Pin::new(&mut self.body).poll_next(cx));
        if let Some(Ok(piece)) = &next {
            let mut heard = self.ear.lock();
            let room = (LIMIT + 1).saturating_sub(heard.len());
            heard.extend_from_slice(piece.get(..room).unwrap_or(piece));
        }
        Poll::Ready(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boundary_of_a_form_does_not_count() {
        let content = |boundary: &str| {
            let kind = format!("multipart/form-data; boundary={boundary}");
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, kind.parse().unwrap())]);
            content(&headers, &format!("--{boundary}\r\n\r\nhello\r\n--{boundary}--\r\n").into())
        };
        assert_eq!(content("one"), content("another"));
        let Content::Bytes(body) = content("one") else { panic!("no bytes") };
        assert_eq!(body, "--[boundary]\r\n\r\nhello\r\n--[boundary]--\r\n");
    }
}
