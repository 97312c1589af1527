//! The thread that writes, and what it has not written yet.

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{Arc, mpsc::Receiver},
};

use rusqlite::ErrorCode;
use tokio::sync::oneshot;

use super::{
    Note, WAITING,
    shared::{Alarms, Shared, last_word},
};
use crate::{
    console::one_line,
    monitor::{history::History, outcome::Outcome},
};

#[derive(Debug)]
pub(super) struct Writer {
    pub(super) path: PathBuf,
    /// Nothing, where it could not be opened yet.
    pub(super) history: Option<History>,
    waiting: VecDeque<Outcome>,
    pub(super) shared: Arc<Shared>,
}

impl Writer {
    pub(super) fn new(path: PathBuf) -> anyhow::Result<Self> {
        let mut writer = Self { path, history: None, waiting: VecDeque::new(), shared: Arc::default() };
        match History::open(&writer.path) {
            Ok(history) => writer.history = Some(history),
            Err(error) if is_full(&error) => writer.troubled(Some(&error), None),
            Err(error) => return Err(error),
        }
        Ok(writer)
    }

    /// Writes what comes until the end, and gives what is to be said then.
    pub(super) fn work(&mut self, notes: &Receiver<Note>) -> Option<String> {
        while let Ok(note) = notes.recv() {
            let kept = match note {
                Note::Run(outcome, kept) => {
                    self.take(outcome);
                    Some(kept)
                }
                Note::Alarms => None,
                Note::End => {
                    let written = self.write();
                    self.troubled(written.err().as_ref(), None);
                    return last_word(self.waiting.len());
                }
            };
            let written = self.write();
            if written.is_err() {
                // The file may have been taken away: it is opened, or made, anew.
                self.history = None;
            }
            self.troubled(written.err().as_ref(), kept);
        }
        None
    }

    fn take(&mut self, outcome: Outcome) {
        self.waiting.push_back(outcome);
        if self.waiting.len() > WAITING {
            self.waiting.pop_front();
            self.shared.state().give_up();
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
            self.shared.state().are_written(self.waiting.len());
            self.waiting.clear();
        }
        let alarms = std::mem::take(&mut *self.shared.alarms());
        let written = match &alarms {
            Alarms { firing: None, untold: None } => Ok(()),
            Alarms { firing, untold } => history.set_alarms(firing.as_deref(), untold.as_deref()),
        };
        if written.is_err() {
            self.shared.alarms().put_back(alarms);
        }
        Ok(written?)
    }

    /// Says how it went. Then whoever waits for it goes on: under the same lock, so that nobody says later that it stands still.
    fn troubled(&mut self, error: Option<&anyhow::Error>, kept: Option<oneshot::Sender<()>>) {
        let mut state = self.shared.state();
        state.goes_on(error.map(one_line));
        drop(kept);
    }
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
    use std::{sync::mpsc::sync_channel, time::Duration};

    use super::*;
    use crate::args::Probe;

    fn run(at: i64) -> Outcome {
        Outcome { probe: Probe::Models, at, took: Duration::ZERO, failure: None }
    }

    #[test]
    fn what_waits_for_a_disk_is_bounded_and_the_newest_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = Writer::new(folder.path().join("history")).unwrap();
        for at in 0..10_005 {
            writer.take(run(at));
        }
        assert_eq!((writer.waiting.len(), writer.waiting[0].at, writer.shared.state().lost), (WAITING, 5, 5));
    }

    #[test]
    fn at_its_end_it_tells_how_many_runs_no_history_will_ever_have() {
        let note = |at| Note::Run(run(at), oneshot::channel().0);
        let last_word = |count| {
            let folder = tempfile::tempdir().unwrap();
            let mut writer = Writer::new(folder.path().join("history")).unwrap();
            // From now on there is a folder in the place of the file.
            writer.path = folder.path().to_owned();
            writer.history = None;
            let (notes, received) = sync_channel(10);
            (0..count).for_each(|at| notes.send(note(at)).unwrap());
            notes.send(Note::End).unwrap();
            writer.work(&received).unwrap_or_default()
        };
        assert_eq!(last_word(0), "");
        assert!(last_word(1).starts_with("a run is in memory only and is lost now: the history"));
        assert!(last_word(3).starts_with("3 runs are in memory only and are lost now: the history"));
    }

    #[test]
    fn a_file_that_was_taken_away_is_made_anew_with_what_came_since() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history");
        let mut writer = Writer::new(path.clone()).unwrap();
        let (notes, received) = sync_channel(100);
        let note = |at| Note::Run(run(at), oneshot::channel().0);
        let removed = path.clone();
        let thread = std::thread::spawn(move || writer.work(&received));
        notes.send(note(60)).unwrap();
        // Written, when the next one can be taken.
        while History::read(&path)
            .map_or(0, |history| history.summaries(60, 0, 1_000).map_or(0, |all| all.len()))
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
        let kept = History::read(&removed).unwrap().summaries(60, 0, 1_000).unwrap();
        assert!(!kept.is_empty(), "nothing of what came since");
    }
}
