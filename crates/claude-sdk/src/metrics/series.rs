use std::{
    any::Any,
    fmt,
    hash::{Hash, Hasher},
    sync::{Arc, OnceLock, PoisonError, RwLock},
};

use super::points::Point;

/// What a sink has made of labels, kept beside them, so that it need not look for it. There is room for one kind of sink;
/// where a client's `Metrics` passes on to two, the second makes everything anew.
#[derive(Default)]
pub(super) struct Prepared(OnceLock<Box<dyn Any + Send + Sync>>);

impl Prepared {
    /// What was made for the series of `point`, or what `make` makes of it.
    pub(super) fn of<T: Send + Sync + 'static>(&self, point: &Point<'_>, make: impl Fn() -> T) -> Arc<T> {
        let kept = self.0.get_or_init(|| Box::new(Series::<T>::default()));
        match kept.downcast_ref::<Series<T>>() {
            Some(series) => series.of(point, make),
            None => Arc::new(make()),
        }
    }
}

/// One thing for each instrument and further label. They are few: to compare them in turn is faster than to hash one.
struct Series<T>(RwLock<Vec<(Name, Arc<T>)>>);

/// Of the instrument, and the value of the further label.
type Name = (&'static str, Option<&'static str>);

impl<T> Default for Series<T> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<T> Series<T> {
    fn of(&self, point: &Point<'_>, make: impl Fn() -> T) -> Arc<T> {
        let name = (point.instrument.name, point.extra.map(|(_, value)| value));
        let find = |made: &[(Name, Arc<T>)]| {
            made.iter().find(|(its, _)| *its == name).map(|(_, made)| Arc::clone(made))
        };
        let found = find(&self.0.read().unwrap_or_else(PoisonError::into_inner));
        found.unwrap_or_else(|| {
            let mut made = self.0.write().unwrap_or_else(PoisonError::into_inner);
            find(&made).unwrap_or_else(|| {
                let new = Arc::new(make());
                made.push((name, Arc::clone(&new)));
                new
            })
        })
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
