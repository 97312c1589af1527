//! The call that a task is in, for the layers that see a part of it.

use std::{
    cell::RefCell,
    sync::Arc,
    time::{Duration, SystemTime},
};

use http::StatusCode;

use super::{Measurement, meter::Kind};

thread_local! {
    /// That of the task that is polled. It is small: it comes and goes with every poll. In the request's extensions it would
    /// cost more allocations than all the rest of it.
    static CURRENT: RefCell<Option<Call>> = const { RefCell::new(None) };
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
    end: Result<(), &'static str>,
}

impl Call {
    pub(super) fn new(kind: Arc<Kind>, began: SystemTime) -> Self {
        Self { kind, began, is_new: true, answer: None, reason: None, end: Err("cancelled") }
    }

    /// Has what `poll` calls find the call. It does not where a sink makes calls itself, in the midst of a measurement.
    pub(super) fn within<T>(call: &mut Option<Self>, poll: impl FnOnce() -> T) -> T {
        let _swapped = Swapped::with(call);
        poll()
    }

    /// The call that the task is in, where it is measured.
    pub(crate) fn current<T>(see: impl FnOnce(&mut Self) -> T) -> Option<T> {
        CURRENT.try_with(|current| current.try_borrow_mut().ok()?.as_mut().map(see)).ok().flatten()
    }

    pub(super) fn kind(&self) -> &Kind {
        &self.kind
    }

    /// What outlasts a look at it.
    pub(crate) fn kept_kind(&self) -> Arc<Kind> {
        Arc::clone(&self.kind)
    }

    pub(crate) fn now(&self) -> SystemTime {
        self.kind.now()
    }

    pub(super) fn took(&self, now: SystemTime) -> Duration {
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
        if let Some(reason) = self.reason.take() {
            self.kind.record(&Measurement::Retry { labels: self.kind.labels(), reason });
        }
        match std::mem::take(&mut self.is_new) {
            true => self.began,
            false => self.now(),
        }
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

    pub(super) fn ends(&mut self, end: Result<(), &'static str>) {
        self.end = end;
    }

    pub(super) fn is_well(&self) -> bool {
        self.end.is_ok()
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let (labels, took) = (self.kind.labels(), self.took(self.now()));
        let (error, status) = (self.end.err(), self.answer.map(|(status, _)| status));
        self.kind.record(&Measurement::Call { labels, took, error, status });
    }
}

/// A call that has changed places with the task's own, until this is dropped.
struct Swapped<'a>(&'a mut Option<Call>);

impl<'a> Swapped<'a> {
    fn with(call: &'a mut Option<Call>) -> Self {
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

fn swap(call: &mut Option<Call>) {
    // While it is looked at, or when its thread is over, everybody keeps what he has.
    let _ = CURRENT.try_with(|current| {
        if let Ok(mut current) = current.try_borrow_mut() {
            std::mem::swap(&mut *current, call);
        }
    });
}
