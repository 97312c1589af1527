//! What has become of a call over its attempts.

use std::time::{Duration, SystemTime};

use http::response::Parts;

use super::attempt::{Attempted, Replied};
use crate::{Attempts, Error, ErrorKind, Reach, Request, Response, error::without_extensions, layers::Open};

/// What has become of a call so far.
#[derive(Default)]
pub(super) struct Call {
    /// How often it was sent.
    pub(super) sent: u32,
    /// How many of these count as attempts for the policy.
    pub(super) counted: u32,
    /// How often it was not even sent.
    pub(super) unsent: u32,
    /// What the last retry has cost.
    pub(super) paid: Option<u32>,
    /// How the last attempt ended, if its reply was read to the end.
    last: Option<Box<Attempted>>,
    /// The head of the last reply.
    reply: Option<Box<Parts>>,
}

impl Call {
    /// Keeps an outcome that was to be mended, in case there is no other.
    pub(super) fn keep(&mut self, attempted: Attempted) {
        self.last = None;
        if let Ok(replied) = &attempted {
            self.reply = Some(Box::new(without_extensions(&replied.head)));
            // What began as a success may hold on to something in its extensions, and is let go.
            if replied.failure.is_some() || !replied.start.has_ended() {
                return;
            }
        }
        self.last = Some(Box::new(attempted));
    }

    pub(super) fn end(&mut self, attempted: Attempted) -> Next {
        Next::Return(self.outcome(attempted))
    }

    fn outcome(&mut self, attempted: Attempted) -> Result<Response, Error> {
        match attempted {
            Ok(Replied { mut head, start, .. }) => {
                if self.sent > 1 {
                    head.extensions.insert(Attempts(self.sent));
                }
                Ok(Response::from_parts(head, start.into_body()))
            }
            Err(error) => {
                // A refusal comes before anything is sent, or after an answer that it tells of.
                let was_sent = error.kind() != ErrorKind::Refused || error.last_reply().is_some();
                let error = error.with_attempts(self.sent - u32::from(!was_sent));
                Err(match self.reply.take() {
                    Some(head) if error.last_reply().is_none() => error.with_last_reply(&head),
                    _ => error,
                })
            }
        }
    }

    /// The breaker is open: the last word of the server counts, if there was one.
    pub(super) fn refused(
        mut self,
        open: Open,
        request: &Request,
        now: SystemTime,
    ) -> Result<Response, Error> {
        match self.last.take() {
            Some(attempted) => self.outcome(*attempted),
            None => {
                let wait = open.until.duration_since(now).unwrap_or_default();
                let error = Error::new(ErrorKind::Open, Reach::NotSent, open).with_target(request.uri());
                self.outcome(Err(error.with_retry_after(wait)))
            }
        }
    }
}

/// What is to be done after an attempt.
pub(super) enum Next {
    Return(Result<Response, Error>),
    Again,
    Wait(Duration),
}
