//! The call that a task is in, for the layers that see a part of it.

use std::{
    cell::Cell,
    sync::Arc,
    time::{Duration, SystemTime},
};

use http::StatusCode;

use super::{Measurement, Tokens, meter::Kind};

thread_local! {
    /// That of the task that is polled; it comes and goes with every poll. In the request's extensions it would cost more
    /// allocations than all the rest of it.
    static CURRENT: Cell<Option<Box<Call>>> = const { Cell::new(None) };
}

/// A call that has begun. Its end is told when this is dropped.
#[derive(Debug)]
pub(crate) struct Call {
    kind: Arc<Kind>,
    began: SystemTime,
    /// Whether it has waited for nothing yet, and was not sent.
    is_new: bool,
    /// The last answer's status, and when its head came.
    answer: Option<(StatusCode, SystemTime)>,
    /// Why it is to be sent again.
    reason: Option<&'static str>,
    /// When the first content of a stream came.
    first: Option<SystemTime>,
    used: Option<Tokens>,
    end: Result<(), &'static str>,
}

impl Call {
    pub(super) fn new(kind: Arc<Kind>, began: SystemTime) -> Self {
        let end = Err("cancelled");
        Self { kind, began, is_new: true, answer: None, reason: None, first: None, used: None, end }
    }

    /// Has what `poll` calls find the call, or none.
    pub(crate) fn within<T>(call: &mut Option<Box<Self>>, poll: impl FnOnce() -> T) -> T {
        let _swapped = Swapped::with(call);
        poll()
    }

    /// The call that the task is in, where it is measured. While it is looked at there is none.
    pub(crate) fn current<T>(see: impl FnOnce(&mut Self) -> T) -> Option<T> {
        let mut call = None;
        // It is back in its place even where a clock panics.
        let swapped = Swapped::with(&mut call);
        swapped.0.as_deref_mut().map(see)
    }

    /// What outlasts a look at it.
    pub(crate) fn kept_kind(&self) -> Arc<Kind> {
        Arc::clone(&self.kind)
    }

    pub(crate) fn now(&self) -> SystemTime {
        self.kind.now()
    }

    fn took(&self, now: SystemTime) -> Duration {
        now.duration_since(self.began).unwrap_or_default()
    }

    /// It is going to be sent again, if nothing comes in between.
    pub(crate) fn is_retried_for(&mut self, reason: &'static str) {
        self.reason = Some(reason);
    }

    /// It is no longer sent when it began.
    pub(super) fn has_waited(&mut self) {
        self.is_new = false;
    }

    /// It is sent, for the first time or again. What is given is when: where it has waited for nothing, that is when it began.
    pub(crate) fn is_sent(&mut self) -> SystemTime {
        match std::mem::take(&mut self.is_new) {
            true => self.began,
            false => self.is_sent_late(),
        }
    }

    #[cold]
    fn is_sent_late(&mut self) -> SystemTime {
        if let Some(reason) = self.reason.take() {
            self.kind.record(&Measurement::Retry { labels: self.kind.labels(), reason });
        }
        self.now()
    }

    /// The head of an answer is here, to what was sent then.
    pub(crate) fn is_answered(&mut self, status: StatusCode, sent: SystemTime) {
        let now = self.now();
        self.answer = Some((status, now));
        let took = now.duration_since(sent).unwrap_or_default();
        self.kind.record(&Measurement::Headers { labels: self.kind.labels(), took, status });
    }

    /// When the head of the last answer came: whoever wants to know at once need not read the clock again.
    pub(crate) fn answered_at(&self) -> Option<SystemTime> {
        self.answer.map(|(_, at)| at)
    }

    pub(crate) fn is_rate_limited(&self) {
        self.kind.record(&Measurement::RateLimited { labels: self.kind.labels() });
    }

    /// The first content of a stream is here.
    pub(super) fn begins(&mut self) {
        let now = self.now();
        self.first = Some(now);
        self.kind.record(&Measurement::FirstToken { labels: self.kind.labels(), took: self.took(now) });
    }

    pub(super) fn uses(&mut self, used: Tokens) {
        self.used = Some(used);
    }

    pub(super) fn ends(&mut self, end: Result<(), &'static str>) {
        self.end = end;
    }

    /// The output tokens over the time that they took.
    #[expect(clippy::cast_precision_loss, reason = "nobody writes 2^52 tokens")]
    fn speed(&self, now: SystemTime) -> Option<f64> {
        let (first, used) = (self.first?, self.used.filter(|_| self.end.is_ok())?);
        let took = now.duration_since(first).ok().filter(|took| !took.is_zero())?;
        Some(used.output as f64 / took.as_secs_f64())
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let now = self.now();
        self.kind.record(&Measurement::Call {
            labels: self.kind.labels(),
            took: self.took(now),
            error: self.end.err(),
            status: self.answer.map(|(status, _)| status),
            used: self.used,
            tokens_per_second: self.speed(now),
        });
    }
}

/// A call that has changed places with the task's own, until this is dropped.
struct Swapped<'a>(&'a mut Option<Box<Call>>);

impl<'a> Swapped<'a> {
    fn with(call: &'a mut Option<Box<Call>>) -> Self {
        swap(call);
        Self(call)
    }
}

impl Drop for Swapped<'_> {
    fn drop(&mut self) {
        swap(self.0);
        if let Some(call) = self.0 {
            call.has_waited();
        }
    }
}

fn swap(call: &mut Option<Box<Call>>) {
    // When its thread is over, everybody keeps what he has.
    let _ = CURRENT.try_with(|current| *call = current.replace(call.take()));
}
