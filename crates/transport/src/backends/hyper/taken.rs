//! Whether a connection has taken a request.
//!
//! hyper forgets a request that is handed to a connection at the very moment in which that one ends: nobody sends it
//! and nobody answers (`docs/decisions/0024-forgotten-requests.md`). What it takes it answers. So where connections end,
//! whoever waits for an answer looks now and then whether anybody has taken the request, and takes it back if not.

use std::{
    future::pending,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http::Request;
use http_body::{Body, Frame, SizeHint};
use tokio::sync::futures::Notified;

use super::ends::{Ends, LOOK};
use crate::{Clock, Error, ErrorKind, Reach, backends::outgoing::Outgoing};

/// Whose a request is, for its body and for whoever waits for the answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Ticket(Arc<AtomicU8>);

/// Nobody's so far: it waits for a connection, or in one.
const WAITING: u8 = 0;
/// A connection's, which will answer.
const TAKEN: u8 = 1;
/// Its sender's again, so that no connection may send it any more.
const BACK: u8 = 2;

impl Ticket {
    /// Takes the request for a connection, unless it has been taken back.
    fn take(&self) -> bool {
        self.claim(TAKEN)
    }

    /// Takes it back, unless a connection was first.
    fn take_back(&self) -> bool {
        self.claim(BACK)
    }

    fn claim(&self, state: u8) -> bool {
        let claimed = self.0.compare_exchange(WAITING, state, Ordering::SeqCst, Ordering::SeqCst);
        claimed == Ok(WAITING) || claimed == Err(state)
    }

    fn is(&self, state: u8) -> bool {
        self.0.load(Ordering::SeqCst) == state
    }
}

/// The body of a request that can be seen to be taken.
pub(super) struct Followed {
    body: Outgoing,
    ticket: Ticket,
}

impl Body for Followed {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if self.ticket.is(BACK) {
            return Poll::Ready(Some(Err(Error::bare(ErrorKind::Closed, Reach::NotSent))));
        }
        Pin::new(&mut self.body).poll_frame(cx)
    }

    /// hyper asks first when it has taken the request, before it writes anything of it.
    fn is_end_stream(&self) -> bool {
        self.ticket.take() && self.body.is_end_stream()
    }

    /// Where something is still to come, it is asked for before the head goes out.
    fn size_hint(&self) -> SizeHint {
        if self.ticket.is(BACK) { SizeHint::with_exact(1) } else { self.body.size_hint() }
    }
}

/// Makes a request one that can be seen to be taken.
pub(super) fn follow(request: Request<Outgoing>) -> (Request<Followed>, Ticket) {
    let ticket = Ticket::default();
    (request.map(|body| Followed { body, ticket: ticket.clone() }), ticket)
}

/// Waits until the request could be taken back, because it lies in a connection that is no more. `end` is the first end of a
/// connection that is told since before it was sent.
///
/// A connection that lives takes what it is given at once, so what nobody has taken by the second look lies in one that
/// does not, or waits for one that is being made. Nothing is lost where that is a mistake: it was not sent.
pub(super) async fn forgotten(clock: &dyn Clock, ends: &Ends, end: Notified<'_>, ticket: &Ticket) -> Reach {
    if !ends.may_be_missed() {
        end.await;
    }
    let (mut waited, mut quiet) = (Duration::ZERO, 0);
    loop {
        clock.sleep(LOOK).await;
        if ticket.is(TAKEN) {
            return pending().await;
        }
        waited += LOOK;
        quiet = if ends.are_making() { 0 } else { quiet + 1 };
        if (quiet >= 2 || waited > ends.limit().saturating_add(LOOK)) && ticket.take_back() {
            return Reach::NotSent;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{pin::pin, task::Waker, time::SystemTime};

    use ::hyper::client::conn::http1;
    use http::Method;
    use hyper_util::rt::TokioIo;
    use tokio::io::{AsyncReadExt as _, duplex};

    use super::*;
    use crate::{SimClock, backends::hyper::ends::Alive};

    const LIMIT: Duration = Duration::from_secs(5);

    /// What a request's forgetting comes to when so many seconds have passed, in which `each` second sees something happen.
    fn after(seconds: u64, ends: &Ends, ticket: &Ticket, mut each: impl FnMut(u64)) -> Poll<Reach> {
        let clock = SimClock::new(SystemTime::UNIX_EPOCH);
        let mut forgotten = pin!(forgotten(&clock, ends, ends.next(), ticket));
        let mut context = Context::from_waker(Waker::noop());
        for second in 0..seconds {
            each(second);
            if let Poll::Ready(reach) = forgotten.as_mut().poll(&mut context) {
                return Poll::Ready(reach);
            }
            clock.advance(LOOK);
        }
        forgotten.as_mut().poll(&mut context)
    }

    fn ends_at(ends: &Ends, end: u64) -> impl FnMut(u64) {
        move |second| {
            if second == end {
                drop(Alive::new(ends.clone()));
            }
        }
    }

    #[test]
    fn what_nobody_has_taken_two_seconds_after_an_end_is_taken_back() {
        let (ends, ticket) = (Ends::new(LIMIT), Ticket::default());
        assert!(after(3600, &ends, &ticket, |_| {}).is_pending(), "nothing has ended");
        assert!(after(11, &ends, &ticket, ends_at(&ends, 10)).is_pending());
        assert_eq!(after(12, &Ends::new(LIMIT), &Ticket::default(), |_| {}), Poll::Pending);
        let ends = Ends::new(LIMIT);
        assert_eq!(after(12, &ends, &ticket, ends_at(&ends, 10)), Poll::Ready(Reach::NotSent));
        assert!(ticket.is(BACK) && !ticket.take());
    }

    #[test]
    fn what_a_connection_has_taken_stays_its_own() {
        let (ends, ticket) = (Ends::new(LIMIT), Ticket::default());
        assert!(ticket.take());
        assert!(after(3600, &ends, &ticket, ends_at(&ends, 0)).is_pending());
        assert!(!ticket.take_back());
    }

    #[test]
    fn a_request_waits_for_a_connection_that_is_being_made_for_as_long_as_that_may_take() {
        let (ends, ticket) = (Ends::new(LIMIT), Ticket::default());
        let making = ends.making();
        assert!(after(6, &ends, &ticket, ends_at(&ends, 0)).is_pending());
        drop(making);
        let ends = Ends::new(LIMIT);
        let _made_again_and_again = ends.making();
        assert_eq!(after(7, &ends, &ticket, ends_at(&ends, 0)), Poll::Ready(Reach::NotSent));
    }

    #[test]
    fn an_end_that_could_not_be_told_again_has_everybody_look() {
        let ends = Ends::new(LIMIT);
        drop(Alive::new(ends.clone()));
        assert_eq!(after(2, &ends, &Ticket::default(), |_| {}), Poll::Ready(Reach::NotSent));
    }

    #[test]
    fn a_connection_may_take_for_ever_to_make() {
        let (ends, ticket) = (Ends::new(Duration::MAX), Ticket::default());
        let _making = ends.making();
        assert!(after(3600, &ends, &ticket, ends_at(&ends, 0)).is_pending());
    }

    /// Who shares the client in another runtime still waits.
    #[test]
    fn an_end_in_a_runtime_that_closes_has_everybody_look() {
        let ends = Ends::new(LIMIT);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let connection = Alive::new(ends.clone());
        runtime.spawn(async move {
            let _connection = connection;
            pending::<()>().await;
        });
        runtime.block_on(tokio::task::yield_now());
        assert!(!ends.may_be_missed());
        drop(runtime);
        assert!(ends.may_be_missed());
        assert_eq!(after(2, &ends, &Ticket::default(), |_| {}), Poll::Ready(Reach::NotSent));
    }

    #[tokio::test(start_paused = true)]
    async fn an_end_is_told_again_to_who_came_too_late_for_it() {
        let ends = Ends::new(LIMIT);
        drop(Alive::new(ends.clone()));
        assert!(!ends.may_be_missed());
        ends.next().await;
    }

    /// Gives hyper a request while the task of its connection is held back. Says whether it was taken before and after that
    /// was let go, and what was written.
    async fn given(method: Method, is_taken_back: bool) -> (bool, bool, String) {
        let (ours, mut theirs) = duplex(4096);
        let (mut sender, connection) = http1::handshake(TokioIo::new(ours)).await.unwrap();
        let mut connection = Box::pin(connection);
        let mut context = Context::from_waker(Waker::noop());
        assert!(connection.as_mut().poll(&mut context).is_pending());

        let content: &'static [u8] = if method == Method::GET { b"" } else { b"{}" };
        let body = Outgoing::whole(Bytes::from_static(content));
        let (request, ticket) = follow(Request::builder().method(method).uri("/").body(body).unwrap());
        let answer = sender.send_request(request);
        let before = ticket.is(TAKEN);
        assert!(!is_taken_back || ticket.take_back());
        let _ = connection.as_mut().poll(&mut context);
        let after = ticket.is(TAKEN);

        drop((answer, sender, connection));
        let mut written = String::new();
        theirs.read_to_string(&mut written).await.unwrap();
        (before, after, written)
    }

    /// What all of this rests on.
    #[tokio::test]
    async fn hyper_takes_a_request_when_it_comes_to_it_and_then_writes_it() {
        for method in [Method::GET, Method::POST] {
            let (before, after, written) = given(method.clone(), false).await;
            assert!(!before && after, "{method}");
            assert!(written.starts_with(method.as_str()), "{written}");
        }
    }

    #[tokio::test]
    async fn nothing_is_written_of_a_request_that_was_taken_back() {
        for method in [Method::GET, Method::POST] {
            let (_, after, written) = given(method.clone(), true).await;
            assert!(!after && written.is_empty(), "{method}: {written}");
        }
    }
}
