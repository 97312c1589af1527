//! One attempt: sent, and looked at as far as a policy has to see it.

use std::{
    pin::Pin,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::response::Parts;

use super::{Outcome, Retry};
use crate::{
    Error, ErrorKind, HttpBackend, Reach, Request, Response, Sending, TimeoutKind,
    layers::{Judge, Opinion, opening::Start},
    race,
};

impl<B: HttpBackend> Retry<B> {
    pub(super) fn sending(&self, request: Request, deadline: Option<SystemTime>) -> Sending<'_> {
        match deadline {
            None => self.backend.send(request),
            Some(deadline) => Box::pin(self.send_before(request, deadline)),
        }
    }

    /// A reply whose head says everything, and says that it is a success; any other answer has to be looked into.
    #[inline]
    pub(super) fn plain(&self, answer: Result<Response, Error>) -> Result<Response, Box<Answer>> {
        let response = match answer {
            Ok(response) if response.status().is_success() => response,
            other => return Err(Box::new((other, None))),
        };
        let Some((opening, limit)) = &self.opening else { return Ok(response) };
        match opening.judge(&response) {
            None => Ok(response),
            Some(judge) => Err(Box::new((Ok(response), Some((judge, *limit))))),
        }
    }

    /// Waits for as much of an answer as says how it is meant. Boxed, as every call would have to allocate for it.
    #[cold]
    pub(super) fn look_into(
        &self,
        answer: Box<Answer>,
    ) -> Pin<Box<dyn Future<Output = Attempted> + Send + '_>> {
        Box::pin(async move {
            let (answer, judge) = *answer;
            let (head, body) = answer?.into_parts();
            let mut replied = Replied { head, start: Start::new(body), read: Bytes::new(), failure: None };
            let status = replied.head.status;
            if let Some((judge, limit)) = judge {
                replied.failure = self.open(judge, limit, &replied.head, &mut replied.start).await;
            } else if status.is_client_error() || status.is_server_error() {
                replied.read = self.read_error(&mut replied.start).await;
            }
            Ok(replied)
        })
    }

    async fn read_error(&self, start: &mut Start) -> Bytes {
        let reading = async { while start.length() < ERROR_PART && start.read().await.is_some() {} };
        let _ = race::until(reading, self.clock.sleep(ERROR_TIME)).await;
        start.bytes()
    }

    /// Layers between this one and the backend may wait for something and not know of the deadline.
    async fn send_before(&self, request: Request, deadline: SystemTime) -> Result<Response, Error> {
        let uri = request.uri().clone();
        let left = deadline.duration_since(self.clock.now()).unwrap_or_default();
        // Those who do know it can say better what happened.
        let limit = self.clock.sleep(left.saturating_add(DEADLINE_GRACE));
        let expired = ErrorKind::Timeout(TimeoutKind::Total);
        match race::until(self.backend.send(request), limit).await {
            Ok(answer) => answer,
            Err(()) => Err(Error::bare(expired, Reach::MaybeSent).with_target(&uri)),
        }
    }

    /// Reads a reply until it is known to have begun well.
    async fn open(
        &self,
        mut judge: Box<dyn Judge>,
        limit: Duration,
        head: &Parts,
        start: &mut Start,
    ) -> Option<Failure> {
        let reading = async {
            while let Some(piece) = start.read().await {
                match judge.push(&piece) {
                    Opinion::Undecided if start.length() < OPENING_PART => {}
                    opinion => return Some(opinion),
                }
            }
            None
        };
        match race::until(reading, self.clock.sleep(limit)).await {
            Ok(Some(Opinion::Failed { status, body })) => {
                let mut head = head.clone();
                head.status = status;
                Some(Failure::Told { head: Box::new(head), body })
            }
            Ok(Some(Opinion::Committed | Opinion::Undecided)) => None,
            Ok(None) if start.error().is_some() => Some(Failure::Broken),
            Ok(None) => Some(Failure::Ended(Error::bare(ErrorKind::Truncated, Reach::Answered))),
            Err(()) => {
                start.fail(Error::bare(ErrorKind::Timeout(TimeoutKind::Progress), Reach::Answered));
                Some(Failure::Broken)
            }
        }
    }
}

/// An answer that has to be looked into, and who judges it for how long, where it is a success that may have begun badly.
pub(super) type Answer = (Result<Response, Error>, Option<(Box<dyn Judge>, Duration)>);

/// How an attempt ended, with everything the caller would get.
pub(super) type Attempted = Result<Replied, Error>;

pub(super) struct Replied {
    pub(super) head: Parts,
    pub(super) start: Start,
    /// The part of an error's body that the policy may see.
    read: Bytes,
    /// What is wrong with a reply whose status is a success.
    pub(super) failure: Option<Failure>,
}

pub(super) enum Failure {
    /// It said so.
    Told { head: Box<Parts>, body: Bytes },
    /// It ended too early, as if that were in order.
    Ended(Error),
    /// It broke off; the error is where the body ends.
    Broken,
}

pub(super) fn outcome(attempted: &Attempted, now: SystemTime) -> Outcome<'_> {
    let replied = match attempted {
        Err(error) => return Outcome::Error(error),
        Ok(replied) => replied,
    };
    match (&replied.failure, replied.start.error()) {
        (Some(Failure::Told { head, body }), _) => Outcome::Response { head, body, now },
        (Some(Failure::Ended(error)), _) | (Some(Failure::Broken), Some(error)) => Outcome::Opening { error },
        (Some(Failure::Broken), None) | (None, _) => {
            Outcome::Response { head: &replied.head, body: &replied.read, now }
        }
    }
}

pub(super) fn is_success(attempted: &Attempted) -> bool {
    attempted.as_ref().is_ok_and(|replied| replied.failure.is_none() && replied.head.status.is_success())
}

/// How much of an error's body is read before a policy is asked.
const ERROR_PART: usize = 64 * 1024;
/// How long that may take.
const ERROR_TIME: Duration = Duration::from_secs(30);
/// How much of a reply is read until it must have begun.
const OPENING_PART: usize = 256 * 1024;
/// How long after the deadline an attempt is ended that has not ended itself.
const DEADLINE_GRACE: Duration = Duration::from_millis(100);
