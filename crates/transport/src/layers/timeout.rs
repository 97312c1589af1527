//! Ending what takes too long.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use futures_core::Stream;
use http::Uri;

use crate::{
    Body, Clock, Deadline, Error, ErrorKind, HeadersTimeout, HttpBackend, Patience, Reach, Request, Response,
    Sending, TimeoutKind,
};

/// Limits how long an attempt may take, as a whole and in its parts.
///
/// Nothing is limited until set, except by the request's own [`Deadline`], which counts like a
/// [`total`](Self::total). Inside [`Retry`](super::Retry) the limits hold for each attempt, outside of it for all of
/// them together.
#[derive(Debug)]
pub struct Timeout<B> {
    backend: B,
    clock: Arc<dyn Clock>,
    headers: Option<Duration>,
    idle: Option<Duration>,
    total: Option<Duration>,
}

impl<B> Timeout<B> {
    /// Wraps `backend`, without limits so far.
    #[must_use]
    pub fn new(backend: B, clock: Arc<dyn Clock>) -> Self {
        Self { backend, clock, headers: None, idle: None, total: None }
    }

    /// Limits the time from sending the request to the head of the response.
    ///
    /// It includes making a connection and sending the body.
    #[must_use]
    pub fn headers(mut self, limit: Duration) -> Self {
        self.headers = Some(limit);
        self
    }

    /// Limits the silence between two pieces of the response's body.
    ///
    /// Only silence counts while someone is waiting for the next piece: a slow reader is not a slow sender. Directly around
    /// [`Decode`](super::Decode) it is the pieces as they come that count, not what is made of them.
    #[must_use]
    pub fn idle(mut self, limit: Duration) -> Self {
        self.idle = Some(limit);
        self
    }

    /// Limits the time from sending the request to the end of the response's body, as it comes.
    #[must_use]
    pub fn total(mut self, limit: Duration) -> Self {
        self.total = Some(limit);
        self
    }

    /// What is left of the whole: the shorter of the limit and the caller's deadline.
    fn total_for(&self, request: &Request) -> Option<Duration> {
        let deadline = request
            .extensions()
            .get()
            .map(|&Deadline(at)| at.duration_since(self.clock.now()).unwrap_or_default());
        match (self.total, deadline) {
            (Some(total), Some(deadline)) => Some(total.min(deadline)),
            (total, deadline) => total.or(deadline),
        }
    }
}

impl<B: HttpBackend> HttpBackend for Timeout<B> {
    fn send<'a, 'f>(&'a self, request: Request) -> Sending<'f>
    where
        'a: 'f,
        Self: 'f,
    {
        let uri = request.uri().clone();
        let limit = self.total_for(&request);
        if limit.is_some_and(|left| left.is_zero()) {
            return Box::pin(async move { Err(expired(TimeoutKind::Total, Reach::NotSent, &uri)) });
        }
        let own = request.extensions().get().map(|&HeadersTimeout(own)| own);
        let total = limit.map(|limit| Timer::new(Arc::clone(&self.clock), limit));
        let headers = own.or(self.headers);
        Box::pin(self.wait(self.backend.begin(request), headers, total, uri))
    }
}

impl<B: HttpBackend> Timeout<B> {
    async fn wait(
        &self,
        mut sending: Sending<'_>,
        headers: Option<Duration>,
        mut total: Option<Timer>,
        uri: Uri,
    ) -> Result<Response, Error> {
        let clock = &self.clock;
        // It ends with the head, so it can borrow the clock.
        let mut alarm = None;
        let mut are_late = |cx: &mut Context<'_>| {
            let Some(limit) = headers else { return false };
            alarm.get_or_insert_with(|| clock.sleep(limit)).as_mut().poll(cx).is_ready()
        };
        // An answer that is ready at once with a limit wins.
        let answer = poll_fn(|cx| {
            if let Poll::Ready(answer) = sending.as_mut().poll(cx) {
                return Poll::Ready(answer);
            }
            let kind = if are_late(cx) {
                TimeoutKind::Headers
            } else if has_fired(&mut total, cx) {
                TimeoutKind::Total
            } else {
                return Poll::Pending;
            };
            Poll::Ready(Err(expired(kind, Reach::MaybeSent, &uri)))
        })
        .await;
        let mut response = answer?;
        let finish = self.backend.finish(&response).map(|finish| (finish, uri.clone()));
        // Around the body as it comes: what `finish` makes of it may take many pieces for one.
        if total.is_some() || self.idle.is_some() {
            let body = std::mem::take(response.body_mut());
            let idle = self.idle.map(|limit| Patience::new(Arc::clone(&self.clock), limit));
            *response.body_mut() = Body::from_stream(Watched { body, idle, total, uri });
        }
        Ok(match finish {
            Some((finish, target)) => finish(response, target),
            None => response,
        })
    }
}

/// A body whose pieces must come in time.
struct Watched {
    body: Body,
    /// Tried while the reader waits for a piece.
    idle: Option<Patience>,
    total: Option<Timer>,
    uri: Uri,
}

impl Stream for Watched {
    type Item = Result<Bytes, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let piece = Pin::new(&mut this.body).poll_next(cx);
        if matches!(piece, Poll::Ready(None | Some(Err(_)))) {
            return piece;
        }
        // Even a sender that never pauses has to end in time.
        if has_fired(&mut this.total, cx) {
            return Poll::Ready(Some(Err(expired(TimeoutKind::Total, Reach::Answered, &this.uri))));
        }
        let Some(idle) = &mut this.idle else { return piece };
        if piece.is_ready() {
            idle.rest();
        } else if idle.poll_end(cx).is_ready() {
            return Poll::Ready(Some(Err(expired(TimeoutKind::Idle, Reach::Answered, &this.uri))));
        }
        piece
    }
}

/// A limit that has begun to run.
struct Timer {
    clock: Arc<dyn Clock>,
    began: SystemTime,
    limit: Duration,
    sleep: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Timer {
    fn new(clock: Arc<dyn Clock>, limit: Duration) -> Self {
        Self { began: clock.now(), clock, limit, sleep: None }
    }

    fn has_fired(&mut self, cx: &mut Context<'_>) -> bool {
        let Self { clock, began, limit, sleep } = self;
        let sleep = sleep.get_or_insert_with(|| {
            let passed = clock.now().duration_since(*began).unwrap_or_default();
            let (clock, left) = (Arc::clone(clock), limit.saturating_sub(passed));
            Box::pin(async move { clock.sleep(left).await })
        });
        sleep.as_mut().poll(cx).is_ready()
    }
}

#[inline]
fn has_fired(timer: &mut Option<Timer>, cx: &mut Context<'_>) -> bool {
    timer.as_mut().is_some_and(|timer| timer.has_fired(cx))
}

#[cold]
fn expired(kind: TimeoutKind, reach: Reach, uri: &Uri) -> Error {
    Error::bare(ErrorKind::Timeout(kind), reach).with_target(uri)
}
