//! The server: bare hyper on loopback, which answers every request with the same.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use anyhow::Result;
use bytes::Bytes;
use http::{Request, Response, header};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use crate::script;

/// What is answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Script {
    /// A message that is no stream.
    Message,
    /// A stream with this many deltas of text.
    Stream {
        /// How many.
        deltas: usize,
        /// How many bytes go into one chunk; with 0, each event is one.
        chunk: usize,
    },
    /// A stream that begins, and then says nothing for ever.
    Idle,
}

/// Serves on a port of its own, and says which in one line; it never ends by itself.
///
/// # Errors
///
/// Nothing can be listened to.
#[expect(clippy::print_stdout, reason = "the line tells the port to whoever started this")]
pub fn serve(script: &Script) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        println!("http://{}", listener.local_addr()?);
        let answer = Answer::new(script);
        loop {
            let (socket, _) = listener.accept().await?;
            socket.set_nodelay(true)?;
            let answer = answer.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                let answer = answer.clone();
                async move { answer.reply(request).await }
            });
            // A client that goes away in the middle is no matter.
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(socket), service));
        }
    })
}

/// The answer to every request, made once.
#[derive(Clone, Debug)]
struct Answer {
    kind: &'static str,
    pieces: Arc<[Bytes]>,
    ends: bool,
}

impl Answer {
    fn new(script: &Script) -> Self {
        let (kind, pieces) = match *script {
            Script::Message => ("application/json", vec![script::message()]),
            Script::Idle => ("text/event-stream; charset=utf-8", first_events()),
            Script::Stream { deltas, chunk: 0 } => {
                ("text/event-stream; charset=utf-8", script::events(deltas))
            }
            Script::Stream { deltas, chunk } => {
                let all: Bytes = script::events(deltas).concat().into();
                let starts = (0..all.len()).step_by(chunk);
                let pieces = starts.map(|start| all.slice(start..all.len().min(start + chunk)));
                ("text/event-stream; charset=utf-8", pieces.collect())
            }
        };
        Self { kind, pieces: pieces.into(), ends: *script != Script::Idle }
    }

    async fn reply(&self, request: Request<Incoming>) -> Result<Response<Pieces>, Infallible> {
        // The request is read to its end, or the connection could not be used again.
        let mut body = request.into_body();
        while let Some(Ok(_)) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {}
        let mut response =
            Response::new(Pieces { pieces: Arc::clone(&self.pieces), next: 0, ends: self.ends });
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(self.kind));
        for (name, value) in script::HEADERS {
            headers.insert(name, header::HeaderValue::from_static(value));
        }
        Ok(response)
    }
}

/// The beginning of a stream, in one piece.
fn first_events() -> Vec<Bytes> {
    let events = script::events(4);
    vec![events.get(..4).unwrap_or_default().concat().into()]
}

/// A body that hands out pieces as they are.
#[derive(Debug)]
struct Pieces {
    pieces: Arc<[Bytes]>,
    next: usize,
    ends: bool,
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.pieces.get(self.next).cloned() {
            Some(piece) => {
                self.next += 1;
                Poll::Ready(Some(Ok(Frame::data(piece))))
            }
            None if self.ends => Poll::Ready(None),
            None => Poll::Pending,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &*self.pieces {
            [only] if self.ends => SizeHint::with_exact(only.len() as u64),
            _ => SizeHint::default(),
        }
    }
}
