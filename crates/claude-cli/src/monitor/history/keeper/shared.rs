//! What the monitor and the thread that writes tell each other.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::PATIENCE;
use crate::{
    console::tell,
    monitor::{alarm::Firing, post::Letter},
};

/// What both look at.
#[derive(Debug, Default)]
pub(super) struct Shared {
    state: Mutex<State>,
    alarms: Mutex<Alarms>,
}

impl Shared {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn alarms(&self) -> MutexGuard<'_, Alarms> {
        self.alarms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is to be kept of the alarms, where it has changed: only the newest counts.
#[derive(Debug, Default)]
pub(super) struct Alarms {
    pub(super) firing: Option<Vec<Firing>>,
    pub(super) untold: Option<Vec<Letter>>,
}

impl Alarms {
    /// What could not be written; what has come meanwhile is newer.
    pub(super) fn put_back(&mut self, older: Self) {
        self.firing = self.firing.take().or(older.firing);
        self.untold = self.untold.take().or(older.untold);
    }
}

/// How the writing goes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::monitor) struct State {
    /// How many runs are in memory only.
    pub(in crate::monitor) waiting: usize,
    /// How many were given up.
    pub(in crate::monitor) lost: u64,
    /// What is wrong, if something is.
    pub(in crate::monitor) trouble: Option<String>,
    /// Whether that is a write that does not end.
    pub(super) stands_still: bool,
}

impl State {
    /// So many runs are in the history.
    pub(super) fn are_written(&mut self, count: usize) {
        self.waiting = self.waiting.saturating_sub(count);
    }

    /// A run is in no history any more.
    pub(super) fn give_up(&mut self) {
        self.waiting = self.waiting.saturating_sub(1);
        self.lost += 1;
    }

    /// What is written does not end.
    pub(super) fn stop(&mut self) {
        if !self.stands_still {
            self.stands_still = true;
            self.is_troubled(format!("its disk has not answered for {} s", PATIENCE.as_secs()));
        }
    }

    /// A write has ended, well or not. Tells when the trouble begins and when it is over, and not each time.
    pub(super) fn goes_on(&mut self, trouble: Option<String>) {
        self.stands_still = false;
        match trouble {
            Some(why) => self.is_troubled(why),
            None => {
                if self.trouble.take().is_some() {
                    tell("the history is written again, with what was in memory");
                }
            }
        }
    }

    fn is_troubled(&mut self, why: String) {
        if self.trouble.is_none() {
            tell(format!("the history cannot be written now, and is kept in memory until it can: {why}"));
            self.trouble = Some(why);
        }
    }
}

/// What nobody will ever see, if there is something.
pub(super) fn last_word(waiting: usize) -> Option<String> {
    let lost = match waiting {
        0 => return None,
        1 => "a run is in memory only and is lost now".to_owned(),
        count => format!("{count} runs are in memory only and are lost now"),
    };
    Some(format!("{lost}: the history could not be written"))
}
