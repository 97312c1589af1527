//! Who writes the history: on a thread of its own, so that a slow disk holds nobody up, and with a memory, so that a full one
//! loses nothing.

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
};

use rusqlite::ErrorCode;

use super::History;
use crate::{
    console::{one_line, tell},
    monitor::{alarm::Firing, outcome::Outcome},
};

/// How many runs wait in memory for a disk that takes nothing; of more, the oldest are given up.
const WAITING: usize = 10_000;

/// What is to be kept.
#[derive(Debug)]
enum Note {
    Run(Outcome),
    Firing(Vec<Firing>),
    /// Nothing comes after this.
    End,
}

/// Hands over what is to be written.
#[derive(Clone, Debug)]
pub(in crate::monitor) struct Keeper {
    notes: SyncSender<Note>,
    state: Arc<Mutex<State>>,
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
}

impl Keeper {
    /// Opens the history and starts the thread, which ends when it is told to and has written all. A full disk is no reason not
    /// to begin.
    pub(in crate::monitor) fn start(
        path: PathBuf,
    ) -> anyhow::Result<(Self, Option<History>, tokio::task::JoinHandle<()>)> {
        let mut writer = Writer::new(path)?;
        let reader = writer.history.as_ref().and_then(|_| History::read(&writer.path).ok());
        let (notes, received) = sync_channel(WAITING);
        let state = Arc::clone(&writer.state);
        let thread = tokio::task::spawn_blocking(move || writer.work(&received));
        Ok((Self { notes, state }, reader, thread))
    }

    pub(in crate::monitor) fn keep(&self, outcome: Outcome) {
        self.send(Note::Run(outcome));
    }

    pub(in crate::monitor) fn keep_firing(&self, firing: Vec<Firing>) {
        self.send(Note::Firing(firing));
    }

    /// Ends the thread, once it has written what was kept before.
    pub(in crate::monitor) fn end(&self) {
        self.send(Note::End);
    }

    /// Waits for nothing: a disk that stands still is not to stop the monitor.
    fn send(&self, note: Note) {
        if let Err(TrySendError::Full(Note::Run(_)) | TrySendError::Disconnected(Note::Run(_))) =
            self.notes.try_send(note)
        {
            lock(&self.state).lost += 1;
        }
    }

    pub(in crate::monitor) fn state(&self) -> State {
        lock(&self.state).clone()
    }
}

#[derive(Debug)]
struct Writer {
    path: PathBuf,
    history: Option<History>,
    waiting: VecDeque<Outcome>,
    firing: Option<Vec<Firing>>,
    state: Arc<Mutex<State>>,
}

impl Writer {
    fn new(path: PathBuf) -> anyhow::Result<Self> {
        let mut writer =
            Self { path, history: None, waiting: VecDeque::new(), firing: None, state: Arc::default() };
        match History::open(&writer.path) {
            Ok(history) => writer.history = Some(history),
            Err(error) if is_full(&error) => writer.troubled(Some(&error)),
            Err(error) => return Err(error),
        }
        Ok(writer)
    }

    fn work(&mut self, notes: &Receiver<Note>) {
        while let Ok(note) = notes.recv() {
            match note {
                Note::Run(outcome) => self.take(outcome),
                Note::Firing(firing) => self.firing = Some(firing),
                Note::End => {
                    let written = self.write();
                    self.troubled(written.err().as_ref());
                    return self.take_leave();
                }
            }
            let written = self.write();
            if written.is_err() {
                // The file may have been taken away: it is opened, or made, anew.
                self.history = None;
            }
            self.troubled(written.err().as_ref());
        }
    }

    /// Tells what nobody will ever see, if there is something.
    fn take_leave(&self) {
        match self.waiting.len() {
            0 => {}
            1 => tell("a run is in memory only and is lost now: the history could not be written"),
            count => tell(format!(
                "{count} runs are in memory only and are lost now: the history could not be written"
            )),
        }
    }

    fn take(&mut self, outcome: Outcome) {
        self.waiting.push_back(outcome);
        if self.waiting.len() > WAITING {
            self.waiting.pop_front();
            lock(&self.state).lost += 1;
        }
    }

    /// Writes all that waits.
    fn write(&mut self) -> anyhow::Result<()> {
        let history = match &mut self.history {
            Some(history) => history,
            None => self.history.insert(History::open(&self.path)?),
        };
        if !self.waiting.is_empty() {
            history.record(self.waiting.make_contiguous())?;
            self.waiting.clear();
        }
        if let Some(firing) = &self.firing {
            history.set_firing(firing)?;
            self.firing = None;
        }
        Ok(())
    }

    /// Tells when the trouble begins and when it is over, and not each time.
    fn troubled(&mut self, error: Option<&anyhow::Error>) {
        let mut state = lock(&self.state);
        state.waiting = self.waiting.len();
        match (error, state.trouble.is_some()) {
            (Some(error), false) => {
                let why = one_line(error);
                tell(format!("the history cannot be written now, and is kept in memory until it can: {why}"));
                state.trouble = Some(why);
            }
            (None, true) => {
                tell("the history is written again, with what was in memory");
                state.trouble = None;
            }
            _ => {}
        }
    }
}

fn lock(state: &Mutex<State>) -> std::sync::MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether it is for want of room that a file could not be made.
fn is_full(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let sqlite = cause.downcast_ref::<rusqlite::Error>().and_then(rusqlite::Error::sqlite_error_code);
        let file = cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
        sqlite == Some(ErrorCode::DiskFull)
            || matches!(file, Some(std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded))
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::args::Probe;

    #[test]
    fn what_waits_for_a_disk_is_bounded_and_the_newest_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = Writer::new(folder.path().join("history")).unwrap();
        for at in 0..10_005 {
            writer.take(Outcome { probe: Probe::Models, at, took: Duration::ZERO, failure: None });
        }
        assert_eq!((writer.waiting.len(), writer.waiting[0].at, lock(&writer.state).lost), (WAITING, 5, 5));
    }

    #[test]
    fn a_file_that_was_taken_away_is_made_anew_with_what_came_since() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history");
        let mut writer = Writer::new(path.clone()).unwrap();
        let (notes, received) = sync_channel(100);
        let note = |at| Note::Run(Outcome { probe: Probe::Models, at, took: Duration::ZERO, failure: None });
        let removed = path.clone();
        let thread = std::thread::spawn(move || writer.work(&received));
        notes.send(note(60)).unwrap();
        // Written, when the next one can be taken.
        while History::read(&path).map_or(0, |history| history.summaries(60, 0).map_or(0, |all| all.len()))
            == 0
        {
            std::thread::yield_now();
        }
        for file in std::fs::read_dir(folder.path()).unwrap() {
            std::fs::remove_file(file.unwrap().path()).unwrap();
        }
        for at in [120, 180, 240] {
            notes.send(note(at)).unwrap();
        }
        notes.send(Note::End).unwrap();
        thread.join().unwrap();
        let kept = History::read(&removed).unwrap().summaries(60, 0).unwrap();
        assert!(!kept.is_empty(), "nothing of what came since");
    }
}
