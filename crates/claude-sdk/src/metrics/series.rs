use std::sync::{OnceLock, PoisonError, RwLock};

use super::points::{self, Common, Of};

/// One thing for each instrument and further label.
pub(super) struct Series<T> {
    common: [OnceLock<T>; Common::COUNT],
    /// They are few: to compare them in turn is faster than to hash one.
    others: RwLock<Vec<(Name, T)>>,
}

/// Of the instrument, and the value of the further label.
type Name = (&'static str, Option<&'static str>);

impl<T> Default for Series<T> {
    fn default() -> Self {
        Self { common: [const { OnceLock::new() }; Common::COUNT], others: RwLock::default() }
    }
}

impl<T> Series<T> {
    /// Has `see` look at what was made for the series, or at what `make` makes of it.
    pub(super) fn of(&self, series: Of, make: impl Fn() -> T, see: impl Fn(&T)) {
        if let Of::Common(common) = series
            && let Some(place) = self.common.get(common as usize)
        {
            return see(place.get_or_init(make));
        }
        self.searched(series.name(), &make, &see);
    }

    #[cold]
    fn searched(&self, (instrument, extra): points::Name, make: &dyn Fn() -> T, see: &dyn Fn(&T)) {
        let name = (instrument.name, extra.map(|(_, value)| value));
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
