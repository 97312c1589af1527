//! Connections that can be heard to end.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use ::hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use tokio::{
    runtime::Handle,
    sync::{Notify, futures::Notified},
};

use crate::{Clock as _, SystemClock};

/// How long lies between two looks after a request.
pub(super) const LOOK: Duration = Duration::from_secs(1);

/// Where the ends of a client's connections are told: whoever waits for an answer has nothing to look for before one.
#[derive(Clone, Default)]
pub(super) struct Ends(Arc<Told>);

#[derive(Default)]
struct Told {
    ends: Notify,
    any: AtomicBool,
    once: AtomicBool,
    making: AtomicUsize,
    /// How long it may take to make a connection.
    limit: Duration,
}

/// A connection that is being made.
pub(super) struct Making(Ends);

/// A connection that can be seen to have ended.
pub(super) struct Watched<T> {
    io: T,
    #[cfg_attr(not(feature = "http2"), expect(dead_code, reason = "it is there to be dropped"))]
    alive: Arc<Alive>,
}

/// Tells its end.
pub(super) struct Alive(Ends);

impl Ends {
    /// Of connections that are each made within `limit`.
    pub(super) fn new(limit: Duration) -> Self {
        Self(Arc::new(Told { limit, ..Told::default() }))
    }

    pub(super) fn limit(&self) -> Duration {
        self.0.limit
    }

    /// The next end from now on, whether or not anybody waits for it by then.
    pub(super) fn next(&self) -> Notified<'_> {
        self.0.ends.notified()
    }

    /// Whether a connection has ended yet. If none has, every end will be the [next](Self::next) to whoever waits by now.
    #[cfg(feature = "http2")]
    pub(super) fn any(&self) -> bool {
        self.0.any.load(Ordering::SeqCst)
    }

    /// Whether an end was told only once, so that who has given a request to that connection just then may have missed it.
    #[cfg(any(test, not(feature = "http2")))]
    pub(super) fn may_be_missed(&self) -> bool {
        self.0.once.load(Ordering::SeqCst)
    }

    /// Begins to make a connection.
    pub(super) fn making(&self) -> Making {
        self.0.making.fetch_add(1, Ordering::SeqCst);
        Making(self.clone())
    }

    /// Whether a connection is being made.
    #[cfg(any(test, not(feature = "http2")))]
    pub(super) fn are_making(&self) -> bool {
        self.0.making.load(Ordering::SeqCst) > 0
    }

    /// Tells an end. A connection lets go of itself before it lets go of its channel: a request that is given to it in
    /// between finds nobody to tell it, so it is told again.
    fn tell(&self) {
        self.0.any.store(true, Ordering::SeqCst);
        // A runtime that is closing lets go of the work at once.
        let again = Again { ends: self.clone(), is_told: false };
        match Handle::try_current() {
            Ok(runtime) => {
                self.0.ends.notify_waiters();
                runtime.spawn(async move {
                    SystemClock.sleep(LOOK).await;
                    again.tell();
                });
            }
            Err(_) => drop(again),
        }
    }
}

/// An end that is still to be told again; let go before that, it says that it was told once.
struct Again {
    ends: Ends,
    is_told: bool,
}

impl Again {
    fn tell(mut self) {
        self.is_told = true;
    }
}

impl Drop for Again {
    fn drop(&mut self) {
        if !self.is_told {
            self.ends.0.once.store(true, Ordering::SeqCst);
        }
        self.ends.0.ends.notify_waiters();
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        self.0.0.making.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Alive {
    pub(super) fn new(ends: Ends) -> Arc<Self> {
        Arc::new(Self(ends))
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.tell();
    }
}

impl<T> Watched<T> {
    pub(super) fn new(io: T, ends: Ends) -> Self {
        Self { io, alive: Alive::new(ends) }
    }
}

impl<T: Connection> Connection for Watched<T> {
    // What else is known of the connection nobody asks for, and it would be copied for each request.
    fn connected(&self) -> Connected {
        let is_http2 = self.io.connected().is_negotiated_h2();
        let connected = if is_http2 { Connected::new().negotiated_h2() } else { Connected::new() };
        #[cfg(feature = "http2")]
        let connected = connected.extra(super::life::Life::new(&self.alive, is_http2));
        connected
    }
}

impl<T: Read + Unpin> Read for Watched<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl<T: Write + Unpin> Write for Watched<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, parts)
    }
}
