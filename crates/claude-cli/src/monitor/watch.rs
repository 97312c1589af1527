//! The monitor at work, until it is interrupted.

use std::{
    convert::Infallible,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use anyhow::bail;
use claude_sdk::{ratelimit::Timer, transport::Clock};
use tokio::task::{JoinHandle, JoinSet};

use super::{
    alarm::News,
    board::Board,
    history::keeper::Keeper,
    outcome::{Class, Failure, Outcome},
    post::Post,
    prober::Prober,
    schedule::Schedule,
    seconds,
    server::Server,
};
use crate::{
    args::Probe,
    console::{one_line, print, say, tell, tell_program, tells_programs},
    interrupt::interrupted,
};

/// How long the last runs may take to be written when the monitor ends.
const LAST_WORDS: Duration = Duration::from_secs(5);
const UNREAD: &str =
    "nobody reads the runs any more that are printed; the monitor goes on until it is interrupted";

/// A monitor that goes on until it is interrupted.
#[derive(Debug)]
pub(super) struct Monitor {
    pub(super) prober: Arc<Prober>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) timer: Arc<dyn Timer>,
    pub(super) plan: Vec<(Probe, Duration)>,
    pub(super) board: Mutex<Board>,
    pub(super) keeper: Keeper,
    pub(super) post: Arc<Post>,
    pub(super) json: bool,
    /// Whether what it prints goes nowhere.
    pub(super) is_mute: AtomicBool,
}

impl Monitor {
    /// Goes on until it is interrupted, and then waits for what is to be written still.
    pub(super) async fn go_on(
        self: &Arc<Self>,
        server: Option<Server>,
        writer: JoinHandle<()>,
    ) -> anyhow::Result<()> {
        let ended = tokio::select! {
            biased;
            request = interrupted() => request.map(drop).map_err(Into::into),
            ended = self.watch() => ended.map(|never| match never {}),
            ended = serve(server, self) => ended.map(|never| match never {}),
        };
        self.prober.flush().await;
        self.keeper.end();
        tokio::select! {
            _ = writer => {}
            () = self.clock.sleep(LAST_WORDS) => self.keeper.last_word().into_iter().for_each(tell),
        }
        ended
    }

    /// Runs all probes, each by a schedule of its own, whether or not anybody reads what it prints.
    async fn watch(self: &Arc<Self>) -> anyhow::Result<Infallible> {
        let now = self.clock.now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let seed =
            u64::from(now.subsec_nanos()) ^ now.as_secs() ^ u64::from(std::process::id()).rotate_left(32);
        let mut probes = JoinSet::new();
        for (index, (probe, interval)) in (0..).zip(&self.plan) {
            let (monitor, probe, schedule) =
                (Arc::clone(self), *probe, Schedule::new(*interval, seed.wrapping_add(index)));
            probes.spawn(async move {
                let run = || async {
                    let outcome = attempt(&monitor.prober, probe, monitor.clock.now()).await;
                    monitor.hear(outcome).await
                };
                schedule.follow(&*monitor.timer, run).await
            });
        }
        match probes.join_next().await {
            Some(Ok(error)) => Err(error),
            _ => bail!("a probe ended"),
        }
    }

    async fn hear(&self, outcome: Outcome) -> anyhow::Result<()> {
        self.weigh(&outcome);
        let told = if self.json { serde_json::to_string(&outcome)? + "\n" } else { outcome.line() };
        // First, so that what has been printed is in the history, whatever comes then.
        self.keeper.keep(outcome, &*self.clock).await;
        match print(told) {
            // The history, the page and the alerts go on, whatever is wrong with where this goes.
            Err(error) => {
                if !self.is_mute.swap(true, Ordering::Relaxed) {
                    tell(if error.is_unread() { UNREAD.to_owned() } else { one_line(&error.into()) });
                }
            }
            Ok(()) => self.is_mute.store(false, Ordering::Relaxed),
        }
        Ok(())
    }

    /// Looks what a run means for the alarms, and tells.
    fn weigh(&self, outcome: &Outcome) {
        let now = seconds(self.clock.now());
        let mut board = self.board();
        let news = board.hear(outcome, self.prober.limits(), now);
        if !news.is_empty() {
            announce(&self.post, &news, &board);
        }
    }

    pub(super) fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells what began and what ended; who else has to know is told by the post.
pub(super) fn announce(post: &Arc<Post>, news: &[News], board: &Board) {
    for news in news {
        let word = if news.begins { "ALERT" } else { "resolved" };
        tell(format!("{word} {}: {}", news.rule.name(), news.told));
    }
    post.send(news, board.alarms.firing());
}

/// Runs a probe; its panic, which would be a fault of this program, is a failure like others.
async fn attempt(prober: &Arc<Prober>, probe: Probe, now: SystemTime) -> Outcome {
    let its = Arc::clone(prober);
    let run = tokio::spawn(async move { its.run(probe).await });
    run.await.unwrap_or_else(|_| {
        let failure = Failure::new(Class::Local, "the probe panicked; its message is on standard error");
        Outcome { probe, at: seconds(now), took: Duration::ZERO, failure: Some(failure) }
    })
}

/// Says where the page is, and answers there for ever; does nothing where nobody asked for one.
async fn serve(server: Option<Server>, monitor: &Arc<Monitor>) -> anyhow::Result<Infallible> {
    let Some(server) = server else { std::future::pending().await };
    let told = format!("The page is at {} until you press Ctrl-C.", server.url()?);
    if tells_programs() {
        // As it is: an address that begins like a webhook's would be taken for that secret.
        tell_program(&serde_json::json!({"type": "remark", "message": told}));
    } else {
        say(told);
    }
    Ok(server.serve(Arc::clone(monitor)).await)
}
