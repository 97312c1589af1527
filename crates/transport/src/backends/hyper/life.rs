//! Whether the connection that a request was given to still lives.
//!
//! hyper forgets a request that is handed to a connection at the very moment in which that one ends: nobody sends it
//! and nobody answers (`docs/decisions/0024-forgotten-requests.md`). So whoever waits for an answer looks now and then.
//! Where HTTP/2 may be spoken this takes the connection: a request may rightly wait in a living one.

use std::sync::{Arc, Weak};

use http::{Extensions, Request};
use hyper_util::client::legacy::connect::{CaptureConnection, capture_connection};
use tokio::sync::futures::Notified;

use super::ends::{Alive, Ends, LOOK};
use crate::{Clock, Reach, backends::outgoing::Outgoing};

/// What is known of a connection without holding it.
#[derive(Clone)]
pub(super) struct Life {
    alive: Weak<Alive>,
    reach: Reach,
}

impl Life {
    pub(super) fn new(alive: &Arc<Alive>, is_http2: bool) -> Self {
        // Over HTTP/2 other tasks than the connection's own have the last word on what was taken.
        let reach = if is_http2 { Reach::MaybeSent } else { Reach::NotSent };
        Self { alive: Arc::downgrade(alive), reach }
    }

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

/// The body of a request that is followed.
pub(super) type Followed = Outgoing;

/// Makes a request one whose connection can be seen.
pub(super) fn follow(mut request: Request<Followed>) -> (Request<Followed>, CaptureConnection) {
    let captured = capture_connection(&mut request);
    (request, captured)
}

/// Waits until the request has lain for a while in a connection that is no more, and says how far it can have got. `end` is
/// the first end of a connection since before it was sent.
///
/// hyper answers everything that it has taken when a connection ends, so what is still unanswered at the second look was
/// never taken. It can also give a request to a connection whose end was told before.
pub(super) async fn forgotten(
    clock: &dyn Clock,
    ends: &Ends,
    end: Notified<'_>,
    captured: &CaptureConnection,
) -> Reach {
    looking(clock, ends, end, || Life::of(captured)).await
}

async fn looking(
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

#[cfg(test)]
mod tests {
    use std::{
        pin::{Pin, pin},
        sync::Mutex,
        task::{Context, Poll, Waker},
        time::SystemTime,
    };

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
                looking(&timer, &told, told.next(), || watched.lock().unwrap().clone()).await
            });
            Self { clock, ends, connection, forgotten }
        }

        fn given_to(&self, connection: &Arc<Alive>) {
            let life = Life::new(connection, false);
            *self.connection.lock().unwrap() = Some(life);
        }

        fn connection(&self) -> Arc<Alive> {
            Alive::new(self.ends.clone())
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
            let connection = Alive::new(ends.clone());
            let life = Life::new(&connection, false);
            let mut connection = Some(connection);
            if is_before {
                connection = None;
            }
            let end = ends.next();
            drop(connection);
            let mut forgotten = pin!(looking(&clock, &ends, end, || Some(life.clone())));
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
        let life = Life::new(&connection, false);
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
