use std::{
    any::Any,
    fmt,
    hash::{Hash, Hasher},
    sync::{OnceLock, PoisonError, RwLock},
};
#[cfg(feature = "metrics")]
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use super::points::{COMMON, Point};

/// What a sink has made of labels, kept beside them, so that it need not look for it. There is room for one kind of sink;
/// where a client's `Metrics` passes on to two, the second makes everything anew.
#[derive(Default)]
pub(super) struct Prepared {
    kept: OnceLock<Box<dyn Any + Send + Sync>>,
    /// The second in which the newest call with these labels began.
    #[cfg(feature = "metrics")]
    second: AtomicU64,
}

impl Prepared {
    /// A call with these labels begins.
    #[cfg(feature = "metrics")]
    pub(super) fn used_at(&self, now: SystemTime) {
        let second = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        self.second.store(second, Ordering::Relaxed);
    }

    /// The second in which the newest call with these labels began.
    #[cfg(feature = "metrics")]
    pub(super) fn second(&self) -> u64 {
        self.second.load(Ordering::Relaxed)
    }

    /// Has `see` look at what was made for the series of `point`, or at what `make` makes of it.
    pub(super) fn of<T: Send + Sync + 'static>(
        &self,
        point: &Point<'_>,
        make: impl Fn() -> T,
        see: impl Fn(&T),
    ) {
        let kept = self.kept.get_or_init(|| Box::new(Series::<T>::default()));
        match kept.downcast_ref::<Series<T>>() {
            Some(series) => series.of(point, make, see),
            None => see(&make()),
        }
    }
}

/// One thing for each instrument and further label.
struct Series<T> {
    common: [OnceLock<T>; COMMON],
    /// They are few: to compare them in turn is faster than to hash one.
    others: RwLock<Vec<(Name, T)>>,
}

/// Of the instrument, and the value of the further label.
type Name = (&'static str, Option<&'static str>);

impl<T> Default for Series<T> {
    fn default() -> Self {
        Self { common: [const { OnceLock::new() }; COMMON], others: RwLock::default() }
    }
}

impl<T> Series<T> {
    fn of(&self, point: &Point<'_>, make: impl Fn() -> T, see: impl Fn(&T)) {
        if let Some(common) = point.place.and_then(|place| self.common.get(place)) {
            return see(common.get_or_init(make));
        }
        let name = (point.instrument.name, point.extra.map(|(_, value)| value));
        let find = |made: &[(Name, T)]| {
            let found = made.iter().find(|(its, _)| *its == name);
            found.map(|(_, made)| see(made)).is_some()
        };
        if find(&self.others.read().unwrap_or_else(PoisonError::into_inner)) {
            return;
        }
        let mut made = self.others.write().unwrap_or_else(PoisonError::into_inner);
        if !find(&made) {
            let new = make();
            see(&new);
            made.push((name, new));
        }
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared").finish_non_exhaustive()
    }
}

/// Nothing is prepared of a copy.
impl Clone for Prepared {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// Labels are the same whatever was made of them.
impl PartialEq for Prepared {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Prepared {}

impl Hash for Prepared {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}
