//! Who writes the history: on a thread of its own, so that a slow disk holds nobody up, and with a memory, so that a full one
//! loses nothing.

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    time::Duration,
};

use claude_sdk::transport::Clock;
use rusqlite::ErrorCode;
use tokio::sync::oneshot::{self, error::TryRecvError};

use super::{
    History,
    lock::{Lock, refuse_another_name},
};
use crate::{
    console::{one_line, tell},
    monitor::{alarm::Firing, outcome::Outcome, post::Letter},
};

/// How many runs wait in memory for a disk that takes nothing; of more, the oldest are given up.
const WAITING: usize = 10_000;
/// How long a run is waited for, until the disk is said to stand still.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is to be kept.
#[derive(Debug)]
enum Note {
    /// With who waits until it is written, or cannot be now.
    Run(Outcome, oneshot::Sender<()>),
    /// The alarms have changed.
    Alarms,
    /// Nothing comes after this.
    End,
}

/// Hands over what is to be written.
#[derive(Clone, Debug)]
pub(in crate::monitor) struct Keeper {
    notes: SyncSender<Note>,
    state: Arc<Mutex<State>>,
    alarms: Arc<Mutex<Alarms>>,
}

/// What is to be kept of the alarms, where it has changed: only the newest counts.
#[derive(Debug, Default)]
struct Alarms {
    firing: Option<Vec<Firing>>,
    untold: Option<Vec<Letter>>,
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
    stands_still: bool,
}

impl Keeper {
    /// Opens the history and starts the thread, which ends when it is told to and has written all. A full disk is no reason not
    /// to begin; another monitor that keeps this history is one.
    pub(in crate::monitor) fn start(
        path: PathBuf,
    ) -> anyhow::Result<(Self, Option<History>, tokio::task::JoinHandle<()>)> {
        refuse_another_name(&path)?;
        let mut writer = Writer::new(path)?;
        let taken = Lock::take(&writer.path)?;
        let reader = writer.history.as_ref().and_then(|_| History::read(&writer.path).ok());
        let (notes, received) = sync_channel(WAITING);
        let (state, alarms) = (Arc::clone(&writer.state), Arc::clone(&writer.alarms));
        let thread = tokio::task::spawn_blocking(move || {
            writer.work(&received).into_iter().for_each(tell);
            drop(taken);
        });
        Ok((Self { notes, state, alarms }, reader, thread))
    }

    /// Keeps a run. When this is over, it is in the history, or else somebody has been told that it cannot be now: a disk that stands
    /// still is not to stop the monitor.
    pub(in crate::monitor) async fn keep(&self, outcome: Outcome, clock: &dyn Clock) {
        let (kept, mut is_kept) = oneshot::channel();
        lock(&self.state).waiting += 1;
        if self.notes.try_send(Note::Run(outcome, kept)).is_err() {
            lock(&self.state).give_up();
        }
        if lock(&self.state).stands_still {
            return;
        }
        tokio::select! {
            biased;
            _ = &mut is_kept => {}
            () = clock.sleep(PATIENCE) => {
                let mut state = lock(&self.state);
                // It may have been written at the last moment.
                if is_kept.try_recv() == Err(TryRecvError::Empty) {
                    state.stop();
                }
            }
        }
    }

    /// Keeps which alarms fire, where that has changed, and of which nobody has been told: both or none of it.
    pub(in crate::monitor) fn keep_alarms(&self, firing: Option<Vec<Firing>>, untold: Vec<Letter>) {
        let mut alarms = lock(&self.alarms);
        if firing.is_some() {
            alarms.firing = firing;
        }
        alarms.untold = Some(untold);
        drop(alarms);
        // Where there is no room for it, what is written next has the alarms with it.
        let _ = self.notes.try_send(Note::Alarms);
    }

    /// Ends the thread, once it has written what was kept before.
    pub(in crate::monitor) fn end(&self) {
        // Where there is no room for it, the disk stands still, and nobody waits for it for long.
        let _ = self.notes.try_send(Note::End);
    }

    /// What is to be said where the thread did not end in time.
    pub(in crate::monitor) fn last_word(&self) -> Option<String> {
        last_word(self.state().waiting)
    }

    pub(in crate::monitor) fn state(&self) -> State {
        lock(&self.state).clone()
    }
}

impl State {
    /// A run is in no history any more.
    fn give_up(&mut self) {
        self.waiting = self.waiting.saturating_sub(1);
        self.lost += 1;
    }

    /// What is written does not end.
    fn stop(&mut self) {
        if !self.stands_still {
            self.stands_still = true;
            self.is_troubled(format!("its disk has not answered for {} s", PATIENCE.as_secs()));
        }
    }

    /// Tells when the trouble begins, and not each time.
    fn is_troubled(&mut self, why: String) {
        if self.trouble.is_none() {
            tell(format!("the history cannot be written now, and is kept in memory until it can: {why}"));
            self.trouble = Some(why);
        }
    }
}

/// What nobody will ever see, if there is something.
fn last_word(waiting: usize) -> Option<String> {
    let lost = match waiting {
        0 => return None,
        1 => "a run is in memory only and is lost now".to_owned(),
        count => format!("{count} runs are in memory only and are lost now"),
    };
    Some(format!("{lost}: the history could not be written"))
}

#[derive(Debug)]
struct Writer {
    path: PathBuf,
    history: Option<History>,
    waiting: VecDeque<Outcome>,
    state: Arc<Mutex<State>>,
    alarms: Arc<Mutex<Alarms>>,
}

impl Writer {
    fn new(path: PathBuf) -> anyhow::Result<Self> {
        let mut writer = Self {
            path,
            history: None,
            waiting: VecDeque::new(),
            state: Arc::default(),
            alarms: Arc::default(),
        };
        match History::open(&writer.path) {
            Ok(history) => writer.history = Some(history),
            Err(error) if is_full(&error) => writer.troubled(Some(&error), None),
            Err(error) => return Err(error),
        }
        Ok(writer)
    }

    /// Writes what comes until the end, and gives what is to be said then.
    fn work(&mut self, notes: &Receiver<Note>) -> Option<String> {
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
            lock(&self.state).give_up();
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
            let mut state = lock(&self.state);
            state.waiting = state.waiting.saturating_sub(self.waiting.len());
            self.waiting.clear();
        }
        let Alarms { firing, untold } = std::mem::take(&mut *lock(&self.alarms));
        let written = match (&firing, &untold) {
            (None, None) => Ok(()),
            _ => history.set_alarms(firing.as_deref(), untold.as_deref()),
        };
        if written.is_err() {
            // What has come meanwhile is newer.
            let mut alarms = lock(&self.alarms);
            alarms.firing = alarms.firing.take().or(firing);
            alarms.untold = alarms.untold.take().or(untold);
        }
        Ok(written?)
    }

    /// Tells when the trouble begins and when it is over, and not each time. Then whoever waits for it goes on: under the same
    /// lock, so that nobody says later that it stands still.
    fn troubled(&mut self, error: Option<&anyhow::Error>, kept: Option<oneshot::Sender<()>>) {
        let mut state = lock(&self.state);
        state.stands_still = false;
        match error {
            Some(error) => state.is_troubled(one_line(error)),
            None => {
                if state.trouble.take().is_some() {
                    tell("the history is written again, with what was in memory");
                }
            }
        }
        drop(kept);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
    use super::*;
    use crate::{args::Probe, monitor::held::Held};

    fn run(at: i64) -> Outcome {
        Outcome { probe: Probe::Models, at, took: Duration::ZERO, failure: None }
    }

    #[tokio::test]
    async fn a_run_that_is_kept_is_in_the_history() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history");
        let (keeper, ..) = Keeper::start(path.clone()).unwrap();
        for at in 1..=20 {
            keeper.keep(run(60 * at), &Held::default()).await;
            let kept = History::read(&path).unwrap().summaries(60, 0, 10_000).unwrap();
            assert_eq!((kept.len(), keeper.state()), (usize::try_from(at).unwrap(), State::default()));
        }
        keeper.end();
    }

    #[tokio::test]
    async fn a_disk_that_stands_still_holds_a_run_up_once_and_is_told_of_until_it_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = Writer::new(folder.path().join("history")).unwrap();
        // Nobody writes yet.
        let (notes, received) = sync_channel(10);
        let (state, alarms) = (Arc::clone(&writer.state), Arc::clone(&writer.alarms));
        let keeper = Keeper { notes, state, alarms };
        let clock = Held::default();
        let mut first = Box::pin(keeper.keep(run(60), &clock));
        let is_over = tokio::select! {
            biased;
            () = &mut first => true,
            () = std::future::ready(()) => false,
        };
        assert!(!is_over);
        assert_eq!((keeper.state().waiting, keeper.state().trouble), (1, None));
        clock.advance(PATIENCE);
        first.await;
        assert_eq!(keeper.state().trouble.as_deref(), Some("its disk has not answered for 5 s"));
        keeper.keep(run(120), &clock).await;
        assert_eq!(keeper.state().waiting, 2);
        assert!(keeper.last_word().unwrap().starts_with("2 runs are in memory only and are lost now"));
        keeper.end();
        assert_eq!(writer.work(&received), None);
        assert_eq!(keeper.state(), State::default());
        assert_eq!(writer.history.unwrap().summaries(60, 0, 10_000).unwrap().len(), 2);
    }

    /// A clock by which the patience is over just when the run has been written.
    #[derive(Debug)]
    struct LastMoment(Keeper, Mutex<(Writer, Receiver<Note>)>);

    #[async_trait::async_trait]
    impl Clock for LastMoment {
        fn now(&self) -> std::time::SystemTime {
            std::time::UNIX_EPOCH
        }

        async fn sleep(&self, _: Duration) {
            self.0.end();
            let (writer, received) = &mut *lock(&self.1);
            assert_eq!(writer.work(received), None);
        }
    }

    #[tokio::test]
    async fn a_run_that_is_written_at_the_last_moment_is_no_trouble() {
        let folder = tempfile::tempdir().unwrap();
        let writer = Writer::new(folder.path().join("history")).unwrap();
        let (notes, received) = sync_channel(10);
        let (state, alarms) = (Arc::clone(&writer.state), Arc::clone(&writer.alarms));
        let keeper = Keeper { notes, state, alarms };
        keeper.keep(run(60), &LastMoment(keeper.clone(), Mutex::new((writer, received)))).await;
        assert_eq!(keeper.state(), State::default());
    }

    #[test]
    fn what_waits_for_a_disk_is_bounded_and_the_newest_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = Writer::new(folder.path().join("history")).unwrap();
        for at in 0..10_005 {
            writer.take(run(at));
        }
        assert_eq!((writer.waiting.len(), writer.waiting[0].at, lock(&writer.state).lost), (WAITING, 5, 5));
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
