//! Whether the connection that a request was given to still lives.
//!
//! hyper forgets a request that is handed to a connection at the very moment in which that one ends: nobody sends it
//! and nobody answers (`docs/decisions/0024-forgotten-requests.md`). So whoever waits for an answer looks now and then.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use ::hyper::rt::{Read, ReadBufCursor, Write};
use http::Extensions;
use hyper_util::client::legacy::connect::{CaptureConnection, Connected, Connection};
use tokio::sync::{Notify, futures::Notified};

use crate::{Clock, Reach};

/// Where the ends of a client's connections are told: whoever waits for an answer has nothing to look for before one.
#[derive(Clone, Default)]
pub(super) struct Ends(Arc<Told>);

#[derive(Default)]
struct Told {
    ends: Notify,
    any: AtomicBool,
}

/// A connection that can be seen to have ended.
pub(super) struct Watched<T> {
    io: T,
    alive: Arc<Alive>,
}

/// Tells its end.
struct Alive(Ends);

/// What is known of a connection without holding it.
#[derive(Clone)]
pub(super) struct Life {
    alive: Weak<Alive>,
    reach: Reach,
}

impl Ends {
    /// The next end from now on, whether or not anybody waits for it by then.
    pub(super) fn next(&self) -> Notified<'_> {
        self.0.ends.notified()
    }

    /// Whether a connection has ended yet. If none has, every end will be the [next](Self::next) to whoever waits by now.
    fn any(&self) -> bool {
        self.0.any.load(Ordering::SeqCst)
    }
}

impl<T> Watched<T> {
    pub(super) fn new(io: T, ends: Ends) -> Self {
        Self { io, alive: Arc::new(Alive(ends)) }
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        let Ends(told) = &self.0;
        told.any.store(true, Ordering::SeqCst);
        told.ends.notify_waiters();
    }
}

impl Life {
    /// The connection that a request was last given to, if it was given to one.
    pub(super) fn of(request: &CaptureConnection) -> Option<Self> {
        let mut extras = Extensions::new();
        request.connection_metadata().as_ref()?.get_extras(&mut extras);
        extras.remove()
    }

    fn has_ended(&self) -> bool {
        self.alive.strong_count() == 0
    }
}

/// Waits until the request has lain for a while in a connection that is no more, and says how far it can have got. `end` is
/// the first end of a connection since before it was sent.
///
/// hyper answers everything that it has taken when a connection ends, so what is still unanswered at the second look was
/// never taken. It can also give a request to a connection whose end was told before.
pub(super) async fn forgotten(
    clock: &dyn Clock,
    ends: &Ends,
    mut end: Notified<'_>,
    connection: impl Fn() -> Option<Life>,
) -> Reach {
    loop {
        if !ends.any() || connection().is_some_and(|life| !life.has_ended()) {
            end.await;
        }
        let mut before: Option<Life> = None;
        loop {
            end = ends.next();
            clock.sleep(LOOK).await;
            let now = connection();
            match (&before, &now) {
                (_, Some(now)) if !now.has_ended() => break,
                (Some(before), Some(now)) if Weak::ptr_eq(&before.alive, &now.alive) => return now.reach,
                _ => before = now,
            }
        }
    }
}

/// How long lies between two looks.
const LOOK: Duration = Duration::from_secs(1);

impl<T: Connection> Connection for Watched<T> {
    fn connected(&self) -> Connected {
        // What else is known of the connection nobody asks for, and it would be copied for each request.
        let (connected, reach) = match self.io.connected().is_negotiated_h2() {
            // Over HTTP/2 other tasks than the connection's own have the last word on what was taken.
            true => (Connected::new().negotiated_h2(), Reach::MaybeSent),
            false => (Connected::new(), Reach::NotSent),
        };
        connected.extra(Life { alive: Arc::downgrade(&self.alive), reach })
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

#[cfg(test)]
mod tests {
    use std::{pin::pin, sync::Mutex, task::Waker, time::SystemTime};

    use super::*;
    use crate::SimClock;

    /// A request whose connection can be another one at each look.
    struct Waiting {
        clock: SimClock,
        ends: Ends,
        connection: Arc<Mutex<Option<Life>>>,
        forgotten: Pin<Box<dyn Future<Output = Reach>>>,
    }

    impl Waiting {
        fn new() -> Self {
            let (clock, ends) = (SimClock::new(SystemTime::UNIX_EPOCH), Ends::default());
            let connection = Arc::new(Mutex::new(None));
            let (watched, timer, told) = (Arc::clone(&connection), clock.clone(), ends.clone());
            let forgotten = Box::pin(async move {
                forgotten(&timer, &told, told.next(), || watched.lock().unwrap().clone()).await
            });
            Self { clock, ends, connection, forgotten }
        }

        fn given_to(&self, connection: &Arc<Alive>) {
            let life = Life { alive: Arc::downgrade(connection), reach: Reach::NotSent };
            *self.connection.lock().unwrap() = Some(life);
        }

        fn connection(&self) -> Arc<Alive> {
            Arc::new(Alive(self.ends.clone()))
        }

        fn after(&mut self, seconds: u64) -> Poll<Reach> {
            let mut context = Context::from_waker(Waker::noop());
            let mut answer = self.forgotten.as_mut().poll(&mut context);
            for _ in 0..seconds {
                if answer.is_pending() {
                    self.clock.advance(LOOK);
                    answer = self.forgotten.as_mut().poll(&mut context);
                }
            }
            answer
        }
    }

    #[test]
    fn a_request_in_a_connection_that_ended_is_given_up_within_two_seconds() {
        let mut waiting = Waiting::new();
        assert!(waiting.after(3600).is_pending(), "it waits for a connection");
        let connection = waiting.connection();
        waiting.given_to(&connection);
        assert!(waiting.after(3600).is_pending(), "it waits for an answer");
        assert_eq!(waiting.clock.sleepers(), 0, "nothing has ended, so nobody looks");
        drop(connection);
        assert!(waiting.after(1).is_pending(), "the answer may be on its way");
        assert_eq!(waiting.after(1), Poll::Ready(Reach::NotSent));
    }

    /// Whether hyper tells the request's channel of the end before or after.
    #[test]
    fn an_end_just_before_the_sending_is_seen_as_one_just_after_it() {
        for is_before in [true, false] {
            let (clock, ends) = (SimClock::new(SystemTime::UNIX_EPOCH), Ends::default());
            let connection = Arc::new(Alive(ends.clone()));
            let life = Life { alive: Arc::downgrade(&connection), reach: Reach::NotSent };
            let mut connection = Some(connection);
            if is_before {
                connection = None;
            }
            let end = ends.next();
            drop(connection);
            let mut forgotten = pin!(forgotten(&clock, &ends, end, || Some(life.clone())));
            let mut context = Context::from_waker(Waker::noop());
            for _ in 0..2 {
                assert!(forgotten.as_mut().poll(&mut context).is_pending());
                clock.advance(LOOK);
            }
            assert_eq!(forgotten.as_mut().poll(&mut context), Poll::Ready(Reach::NotSent));
        }
    }

    #[test]
    fn a_request_is_looked_after_that_is_given_to_a_connection_which_had_ended() {
        let mut waiting = Waiting::new();
        let connection = waiting.connection();
        let life = Life { alive: Arc::downgrade(&connection), reach: Reach::NotSent };
        drop(connection);
        assert!(waiting.after(10).is_pending(), "it waits for a connection");
        *waiting.connection.lock().unwrap() = Some(life);
        assert_eq!(waiting.after(2), Poll::Ready(Reach::NotSent));
    }

    #[test]
    fn an_end_between_two_looks_is_seen() {
        let mut waiting = Waiting::new();
        let first = waiting.connection();
        waiting.given_to(&first);
        assert!(waiting.after(0).is_pending());
        drop(waiting.connection());
        assert!(waiting.after(0).is_pending(), "another connection has ended");
        drop(first);
        assert_eq!(waiting.after(2), Poll::Ready(Reach::NotSent));
    }

    #[test]
    fn a_request_that_moved_to_another_connection_waits_on() {
        let mut waiting = Waiting::new();
        for _ in 0..5 {
            let ended = waiting.connection();
            waiting.given_to(&ended);
            drop(ended);
            assert!(waiting.after(1).is_pending());
        }
        let connection = waiting.connection();
        waiting.given_to(&connection);
        assert!(waiting.after(3600).is_pending());
        assert_eq!(waiting.clock.sleepers(), 0);
    }
}
