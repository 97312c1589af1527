//! A connection that does what a fault says to the bytes on it.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use crate::fault::Ending;
use crate::stream::Stream;
use crate::time;

/// What all connections have brought.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    connections: AtomicU64,
    open: AtomicU64,
    received: AtomicU64,
    sent: AtomicU64,
}

/// What is to happen to the answer that is on its way; shared by the connection, its service and the body.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan(Arc<Mutex<Steps>>);

#[derive(Debug, Default)]
struct Steps {
    /// How many requests the connection has had.
    requests: u32,
    /// These bytes before the answer.
    ahead: Bytes,
    /// These bytes in place of what is written.
    raw: Option<Bytes>,
    /// So many more bytes, then the end.
    cut: Option<(usize, Ending)>,
    /// So many more bytes, then one by one.
    drip: Option<(usize, Duration)>,
    /// These bytes after the answer.
    tail: Bytes,
    /// What happens to the idle connection, and whether it waits for the next request.
    idle: Option<(Ending, bool)>,
    /// The answer was written down, if not yet sent.
    answered: bool,
    resets: bool,
    reader: Option<Waker>,
}

/// A stream of bytes under a plan.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: Stream,
    plan: Plan,
    traffic: Arc<Traffic>,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Traffic {
    pub(crate) fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    pub(crate) fn open(&self) -> u64 {
        self.open.load(Ordering::Relaxed)
    }

    pub(crate) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    pub(crate) fn accepted(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }
}

impl Plan {
    /// Forgets the last answer's plan.
    pub(crate) fn begin(&self) {
        let mut steps = self.lock();
        let (reader, requests) = (steps.reader.take(), steps.requests.saturating_add(1));
        *steps = Steps { reader, requests, ..Steps::default() };
    }

    /// Which request of its connection this is, from 1.
    pub(crate) fn number(&self) -> u32 {
        self.lock().requests
    }

    pub(crate) fn ahead(&self, bytes: Bytes) {
        self.lock().ahead = bytes;
    }

    pub(crate) fn raw(&self, bytes: Bytes) {
        self.lock().raw = Some(bytes);
    }

    /// These bytes in place of the answer, and then the end of the connection.
    pub(crate) fn raw_to_the_end(&self, bytes: Bytes) {
        let mut steps = self.lock();
        (steps.raw, steps.cut) = (Some(bytes), Some((0, Ending::Close)));
    }

    pub(crate) fn cut(&self, after: usize, ending: Ending) {
        self.lock().cut = Some((after, ending));
    }

    pub(crate) fn drip(&self, after: usize, every: Duration) {
        self.lock().drip = Some((after, every));
    }

    pub(crate) fn tail(&self, bytes: Bytes) {
        self.lock().tail = bytes;
    }

    /// What happens when the answer is over: at once, or when the next request comes.
    pub(crate) fn idle(&self, ending: Ending, waits: bool) {
        self.lock().idle = Some((ending, waits));
    }

    /// Makes a RST of the end that is about to come.
    pub(crate) fn reset(&self) {
        self.lock().resets = true;
    }

    /// Says that the answer is complete.
    pub(crate) fn answered(&self) {
        let mut steps = self.lock();
        steps.answered = true;
        if let Some(reader) = steps.reader.take() {
            reader.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Steps> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wire {
    pub(crate) fn new(stream: Stream, plan: Plan, traffic: Arc<Traffic>) -> Self {
        traffic.open.fetch_add(1, Ordering::Relaxed);
        Self { stream, plan, traffic, pause: None }
    }

    /// Whether the client speaks HTTP/2: by what it agreed on within TLS, or by how it begins.
    #[cfg(feature = "http2")]
    pub(crate) async fn speaks_http2(&self) -> bool {
        match &self.stream {
            Stream::Plain(stream) => {
                // No method begins like this (RFC 9113, section 3.4), and nobody sends it bit by bit.
                let mut beginning = [0; 4];
                stream.peek(&mut beginning).await.is_ok_and(|count| count == 4 && &beginning == b"PRI ")
            }
            #[cfg(feature = "tls")]
            Stream::Tls(stream) => stream.get_ref().1.alpn_protocol() == Some(b"h2"),
        }
    }

    /// Ends the connection; an error makes the HTTP side let go of it.
    fn end<T>(&self, ending: Ending, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        let ended = Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionAborted, "a fault")));
        match ending {
            Ending::Close => ended,
            Ending::Reset => {
                self.plan.reset();
                ended
            }
            Ending::Stall => match self.has_input(cx) {
                Poll::Ready(false) => ended,
                _ => Poll::Pending,
            },
        }
    }

    /// Whether the peer has sent something; false if it is gone.
    fn has_input(&self, cx: &mut Context<'_>) -> Poll<bool> {
        let mut byte = [0];
        let peeked = ready!(self.stream.tcp().poll_peek(cx, &mut ReadBuf::new(&mut byte)));
        Poll::Ready(peeked.is_ok_and(|count| count > 0))
    }

    /// Waits before a byte that drips.
    fn pause(&mut self, every: Duration, cx: &mut Context<'_>) -> Poll<()> {
        let pause = self.pause.get_or_insert_with(|| Box::pin(time::pause(every)));
        ready!(pause.as_mut().poll(cx));
        self.pause = None;
        Poll::Ready(())
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let idle = {
            let mut steps = this.plan.lock();
            steps.reader = Some(cx.waker().clone());
            steps.idle.filter(|_| steps.answered)
        };
        if let Some((ending, waits)) = idle
            && (!waits || ready!(this.has_input(cx)))
        {
            // To the HTTP side an end is the end of what the peer sends.
            return this.end(ending, cx).map(|_: io::Result<()>| Ok(()));
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(cx, buffer);
        let count = u64::try_from(buffer.filled().len() - before).unwrap_or_default();
        this.traffic.received.fetch_add(count, Ordering::Relaxed);
        read
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let (mut ahead, raw, cut, drip) = {
            let steps = this.plan.lock();
            (steps.ahead.clone(), steps.raw.clone(), steps.cut, steps.drip)
        };
        while !ahead.is_empty() {
            let count = ready!(Pin::new(&mut this.stream).poll_write(cx, &ahead))?;
            ahead.advance(count);
            this.plan.ahead(ahead.clone());
        }
        if let Some(mut raw) = raw {
            while !raw.is_empty() {
                let count = ready!(Pin::new(&mut this.stream).poll_write(cx, &raw))?;
                raw.advance(count);
                this.plan.raw(raw.clone());
            }
            return match cut {
                Some((0, ending)) => this.end(ending, cx),
                _ => Poll::Ready(Ok(bytes.len())),
            };
        }
        let mut most = bytes.len();
        if let Some((left, ending)) = cut {
            if left == 0 {
                return this.end(ending, cx);
            }
            most = most.min(left);
        }
        if let Some((left, every)) = drip {
            if left == 0 {
                ready!(this.pause(every, cx));
                most = most.min(1);
            } else {
                most = most.min(left);
            }
        }
        let count = ready!(Pin::new(&mut this.stream).poll_write(cx, bytes.get(..most).unwrap_or_default()))?;
        this.traffic.sent.fetch_add(u64::try_from(count).unwrap_or_default(), Ordering::Relaxed);
        let mut steps = this.plan.lock();
        if let Some((left, _)) = &mut steps.cut {
            *left = left.saturating_sub(count);
        }
        if let Some((left, _)) = &mut steps.drip {
            *left = left.saturating_sub(count);
        }
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let cut = this.plan.lock().cut;
        if let Some((0, ending)) = cut {
            return this.end(ending, cx);
        }
        loop {
            let mut tail = {
                let steps = this.plan.lock();
                if steps.answered { steps.tail.clone() } else { Bytes::new() }
            };
            if tail.is_empty() {
                return Pin::new(&mut this.stream).poll_flush(cx);
            }
            let count = ready!(Pin::new(&mut this.stream).poll_write(cx, &tail))?;
            tail.advance(count);
            this.plan.tail(tail);
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.plan.lock().resets {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut this.stream).poll_shutdown(cx)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.traffic.open.fetch_sub(1, Ordering::Relaxed);
        if self.plan.lock().resets {
            // It fails only for a connection that the peer has reset before.
            let _ = self.stream.tcp().set_zero_linger();
        }
    }
}
