//! A backend that knows whether somebody waits for it.

use std::{
    pin::{Pin, pin},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use async_trait::async_trait;
use bytes::Bytes;
use claude_sdk::transport::{self, Body, HttpBackend, Request, Response, backends::Reqwest};
use futures_core::Stream;
use futures_util::future::poll_fn;

/// Leads to the real backend.
#[derive(Clone, Debug, Default)]
pub(super) struct Wire(Arc<State>);

#[derive(Debug, Default)]
struct State {
    backend: OnceLock<Reqwest>,
    sent: AtomicUsize,
    is_waited_for: AtomicBool,
}

impl Wire {
    pub(super) fn leads_to(&self, backend: Reqwest) {
        self.0.backend.set(backend).unwrap();
    }

    /// How many requests it was given.
    pub(super) fn sent(&self) -> usize {
        self.0.sent.load(Ordering::SeqCst)
    }

    /// Whether somebody has asked for a head or for more of a body, which have not come yet.
    pub(super) fn is_waited_for(&self) -> bool {
        self.0.is_waited_for.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl HttpBackend for Wire {
    async fn send(&self, request: Request) -> Result<Response, transport::Error> {
        self.0.sent.fetch_add(1, Ordering::SeqCst);
        let waiting = Waiting(Arc::clone(&self.0));
        let mut answer = pin!(self.0.backend.get().unwrap().send(request));
        let response = poll_fn(|cx| waiting.note(answer.as_mut().poll(cx))).await?;
        Ok(response.map(|body| Body::from_stream(Watched { body, waiting })))
    }
}

/// Somebody who may wait, until it is dropped.
struct Waiting(Arc<State>);

impl Waiting {
    fn note<T>(&self, poll: Poll<T>) -> Poll<T> {
        self.0.is_waited_for.store(poll.is_pending(), Ordering::SeqCst);
        poll
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.is_waited_for.store(false, Ordering::SeqCst);
    }
}

struct Watched {
    body: Body,
    waiting: Waiting,
}

impl Stream for Watched {
    type Item = Result<Bytes, transport::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let piece = Pin::new(&mut self.body).poll_next(cx);
        self.waiting.note(piece)
    }
}
