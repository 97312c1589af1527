//! How somebody who waits is told.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use super::lane::Misfit;

/// The place where one waiter is told what has become of it.
#[derive(Debug, Default)]
pub(in crate::limiters) struct Seat(Mutex<Told>);

#[derive(Debug, Default)]
struct Told {
    news: Option<News>,
    waker: Option<Waker>,
}

#[derive(Debug)]
pub(in crate::limiters) enum News {
    /// It has been charged, and its permit has this number.
    Granted(u64),
    /// It cannot fit any more, because a limit was lowered.
    TooLarge(Misfit),
    /// It is in front, and the time it waits for may have changed.
    Look,
}

impl Seat {
    /// Leaves the news and returns whom to wake, once no lock is held.
    pub(in crate::limiters) fn tell(&self, news: News) -> Option<Waker> {
        let mut told = self.lock();
        if !matches!((&told.news, &news), (Some(_), News::Look)) {
            told.news = Some(news);
        }
        told.waker.take()
    }

    pub(in crate::limiters) fn take(&self) -> Option<News> {
        self.lock().news.take()
    }

    /// Is ready as soon as there are news; they stay.
    pub(in crate::limiters) fn poll(&self, context: &Context<'_>) -> Poll<()> {
        let mut told = self.lock();
        if told.news.is_some() {
            return Poll::Ready(());
        }
        told.waker = Some(context.waker().clone());
        Poll::Pending
    }

    #[inline]
    fn lock(&self) -> MutexGuard<'_, Told> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
