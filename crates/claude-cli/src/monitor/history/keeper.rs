//! Who writes the history: on a thread of its own, so that a slow disk holds nobody up, and with a memory, so that a full one
//! loses nothing.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        mpsc::{SyncSender, sync_channel},
    },
    time::Duration,
};

use claude_sdk::transport::Clock;
use tokio::sync::oneshot::{self, error::TryRecvError};

use super::{
    History,
    lock::{Lock, refuse_another_name},
};
use crate::{
    console::tell,
    monitor::{alarm::Firing, outcome::Outcome, post::Letter},
};

mod shared;
mod writer;

use shared::{Shared, State, last_word};
use writer::Writer;

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
    shared: Arc<Shared>,
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
        let shared = Arc::clone(&writer.shared);
        let thread = tokio::task::spawn_blocking(move || {
            writer.work(&received).into_iter().for_each(tell);
            drop(taken);
        });
        Ok((Self { notes, shared }, reader, thread))
    }

    /// Keeps a run. When this is over, it is in the history, or else somebody has been told that it cannot be now: a disk that stands
    /// still is not to stop the monitor.
    pub(in crate::monitor) async fn keep(&self, outcome: Outcome, clock: &dyn Clock) {
        let (kept, mut is_kept) = oneshot::channel();
        self.shared.state().waiting += 1;
        if self.notes.try_send(Note::Run(outcome, kept)).is_err() {
            self.shared.state().give_up();
        }
        if self.shared.state().stands_still {
            return;
        }
        tokio::select! {
            biased;
            _ = &mut is_kept => {}
            () = clock.sleep(PATIENCE) => {
                let mut state = self.shared.state();
                // It may have been written at the last moment.
                if is_kept.try_recv() == Err(TryRecvError::Empty) {
                    state.stop();
                }
            }
        }
    }

    /// Keeps which alarms fire, where that has changed, and of which nobody has been told: both or none of it.
    pub(in crate::monitor) fn keep_alarms(&self, firing: Option<Vec<Firing>>, untold: Vec<Letter>) {
        let mut alarms = self.shared.alarms();
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
        self.shared.state().clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, mpsc::Receiver};

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
        let keeper = Keeper { notes, shared: Arc::clone(&writer.shared) };
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
            let (writer, received) = &mut *self.1.lock().unwrap();
            assert_eq!(writer.work(received), None);
        }
    }

    #[tokio::test]
    async fn a_run_that_is_written_at_the_last_moment_is_no_trouble() {
        let folder = tempfile::tempdir().unwrap();
        let writer = Writer::new(folder.path().join("history")).unwrap();
        let (notes, received) = sync_channel(10);
        let keeper = Keeper { notes, shared: Arc::clone(&writer.shared) };
        keeper.keep(run(60), &LastMoment(keeper.clone(), Mutex::new((writer, received)))).await;
        assert_eq!(keeper.state(), State::default());
    }
}
