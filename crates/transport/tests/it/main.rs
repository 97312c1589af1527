//! The crate as others use it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

mod body;
mod clock;
#[cfg(feature = "decompress")]
mod decode;
#[cfg(all(feature = "hyper", feature = "reqwest"))]
mod exchange;
#[cfg(all(feature = "hyper", feature = "reqwest"))]
mod faults;
mod fleet;
mod foreign;
#[cfg(all(feature = "hyper", feature = "http2", feature = "reqwest"))]
mod http2;
mod jsonl;
mod patience;
#[cfg(all(feature = "hyper", feature = "reqwest"))]
mod proxy;
#[cfg(all(feature = "replay", feature = "reqwest"))]
mod replay;
mod retry;
mod sse;
mod sse_cut;
mod sse_linear;
mod sse_props;
mod sse_standard;
mod timeout;
#[cfg(all(feature = "hyper", feature = "reqwest"))]
mod tls;
#[cfg(all(feature = "hyper", feature = "reqwest", feature = "tower"))]
mod tower;
mod trace;

use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use futures_core::Stream;
use mock_server::leaks;
use transport::{Body, Error, Request, Response, SimClock};

/// A stream of given pieces, which after them ends, or stays silent for ever.
struct Pieces {
    pieces: VecDeque<Result<Bytes, Error>>,
    then_silent: bool,
}

impl Stream for Pieces {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.pieces.pop_front() {
            None if self.then_silent => Poll::Pending,
            piece => Poll::Ready(piece),
        }
    }
}

fn pieces(pieces: impl IntoIterator<Item = Result<&'static str, Error>>) -> Body {
    let pieces = pieces.into_iter().map(|piece| piece.map(|text| Bytes::from_static(text.as_bytes())));
    Body::from_stream(Pieces { pieces: pieces.collect(), then_silent: false })
}

fn pieces_then_silence(texts: impl IntoIterator<Item = &'static str>) -> Body {
    let pieces = texts.into_iter().map(|text| Ok(Bytes::from_static(text.as_bytes()))).collect();
    Body::from_stream(Pieces { pieces, then_silent: true })
}

fn start() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

fn clock() -> SimClock {
    SimClock::new(start())
}

/// A request with a secret in it; what anybody logs from now on is searched for that.
fn get() -> Request {
    leaks::listen();
    http::Request::get("http://api.example/v1/things?key=CANARY").body(Bytes::new()).unwrap()
}

fn post() -> Request {
    http::Request::post("http://api.example/v1/things").body(Bytes::from_static(b"{}")).unwrap()
}

fn status(status: u16) -> Result<Response, Error> {
    Ok(http::Response::builder().status(status).body(Body::empty()).unwrap())
}

/// Lets the other tasks of a current-thread runtime run until they wait.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}
