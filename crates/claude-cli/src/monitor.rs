//! `claudectl monitor`: tries the API again and again, keeps what comes of it, and tells when it fails.
//!
//! Nothing that it watches can end it: whatever a probe meets comes out as an outcome, a slow disk is a thread's affair, and what
//! a full one does not take waits in memory. Only wrong settings end it, at its beginning.

use std::{
    convert::Infallible,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, anyhow, bail};
use claude_sdk::{
    ratelimit::{Timer, TokioTimer},
    secrets::providers::Env,
    transport::{Clock, SystemClock},
};
use tokio::task::JoinSet;

use crate::{
    args::{Every, MonitorArgs, Probe},
    console::{Ending, concluded, one_line, print, print_json, say, tell, tell_program, tells_programs},
    interrupt::{interrupted, unless_interrupted},
};

mod alarm;
mod board;
mod chart;
mod exposition;
#[cfg(test)]
mod held;
mod history;
mod opening;
mod outcome;
mod post;
mod prober;
mod schedule;
mod server;
mod state;
mod steady;
mod summary;
mod ways;
mod windows;

use alarm::{News, Tolerance};
use board::Board;
use history::keeper::Keeper;
use outcome::{Class, Failure, Outcome, PROBES, instant, milliseconds, name};
use post::Post;
use prober::Prober;
use schedule::Schedule;
use server::Server;

/// How long the last runs may take to be written when the monitor ends.
const LAST_WORDS: Duration = Duration::from_secs(5);
const UNREAD: &str =
    "nobody reads the runs any more that are printed; the monitor goes on until it is interrupted";

pub(crate) async fn run(args: MonitorArgs) -> anyhow::Result<()> {
    let env = Env::process();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let timer: Arc<dyn Timer> = Arc::new(TokioTimer::new());
    let prober = Arc::new(Prober::new(&args, &env, Arc::clone(&clock), Arc::clone(&timer)).await?);
    let plan = plan(&args.every, |probe| prober.has(probe))?;
    if let Some(remark) = in_vain(&args.every, |probe| prober.has(probe)) {
        tell(remark);
    }
    if let Some(remark) = never_slow(&args) {
        tell(remark);
    }
    if plan.is_empty() {
        return Err(Ending::usage("every probe is off; leave one of them on").into());
    }
    if args.once {
        return once(&prober, &plan, args.json).await;
    }
    let ways = ways::ways(&args, &env).await?;
    let path = args.history.clone().or_else(|| default_path(&env));
    let path = path.context("there is no folder for the history; name a file with --history")?;
    let server = match args.serve {
        Some(address) => Some(Server::bind(address, &args.host, path.clone()).await?),
        None => None,
    };
    let now = seconds(clock.now());
    let its_timer = Arc::clone(&timer);
    let tolerance = Tolerance { errors: 1.0 - args.objective / 100.0, slow: args.slow };
    let (is_named, shown) = (args.history.is_some(), path.clone());
    let (keeper, writer, mut board, untold) = opening::in_time(&shown, &*clock, move || {
        if is_named {
            in_a_folder(&path)?;
        }
        let (keeper, history, writer) = Keeper::start(path)?;
        let board = Board::new(tolerance, history.as_ref(), its_timer, now);
        Ok((keeper, writer, board, history.and_then(|history| history.untold().ok())))
    })
    .await?;
    let post = Post::new(ways, Arc::clone(&clock), keeper.clone());
    post.resume(untold.unwrap_or_default());
    let over = board.alarms.end_all_but(|probe| plan.iter().any(|(its, _)| *its == probe), now);
    if !over.is_empty() {
        announce(&post, &over, &board);
    }
    let monitor = Arc::new(Monitor {
        prober,
        clock,
        timer,
        plan,
        board: Mutex::new(board),
        keeper,
        post,
        json: args.json,
        is_mute: AtomicBool::new(false),
    });
    let ended = tokio::select! {
        biased;
        request = interrupted() => request.map(drop).map_err(Into::into),
        ended = monitor.watch() => ended.map(|never| match never {}),
        ended = serve(server, &monitor) => ended.map(|never| match never {}),
    };
    monitor.prober.flush().await;
    monitor.keeper.end();
    tokio::select! {
        _ = writer => {}
        () = monitor.clock.sleep(LAST_WORDS) => monitor.keeper.last_word().into_iter().for_each(tell),
    }
    ended
}

/// A monitor that goes on until it is interrupted.
#[derive(Debug)]
struct Monitor {
    prober: Arc<Prober>,
    clock: Arc<dyn Clock>,
    timer: Arc<dyn Timer>,
    plan: Vec<(Probe, Duration)>,
    board: Mutex<Board>,
    keeper: Keeper,
    post: Arc<Post>,
    json: bool,
    /// Whether what it prints goes nowhere.
    is_mute: AtomicBool,
}

impl Monitor {
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
        let told = if self.json { serde_json::to_string(&outcome)? + "\n" } else { line(&outcome) };
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

    fn board(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells what began and what ended; who else has to know is told by the post.
fn announce(post: &Arc<Post>, news: &[News], board: &Board) {
    for news in news {
        let word = if news.begins { "ALERT" } else { "resolved" };
        tell(format!("{word} {}: {}", news.rule.name(), news.told));
    }
    post.send(news, board.alarms.firing());
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

/// Runs a probe; its panic, which would be a fault of this program, is a failure like others.
async fn attempt(prober: &Arc<Prober>, probe: Probe, now: SystemTime) -> Outcome {
    let its = Arc::clone(prober);
    let run = tokio::spawn(async move { its.run(probe).await });
    run.await.unwrap_or_else(|_| {
        let failure = Failure::new(Class::Local, "the probe panicked; its message is on standard error");
        Outcome { probe, at: seconds(now), took: Duration::ZERO, failure: Some(failure) }
    })
}

/// Which probes run, and how often.
fn plan(asked: &[Every], has: impl Fn(Probe) -> bool) -> anyhow::Result<Vec<(Probe, Duration)>> {
    let of = |probe| asked.iter().filter(move |every| every.probe == probe);
    if let Some((_, name)) = PROBES.iter().find(|(probe, _)| of(*probe).count() > 1) {
        return Err(Ending::usage(format!("--every is given twice for {name}; leave one of them out")).into());
    }
    let interval = |probe| match of(probe).next() {
        Some(every) => every.interval,
        None if probe == Probe::Models => Some(Duration::from_secs(60)),
        None => Some(Duration::from_secs(300)),
    };
    let there = PROBES.into_iter().map(|(probe, _)| probe).filter(|probe| has(*probe));
    Ok(there.filter_map(|probe| Some((probe, interval(probe)?))).collect())
}

/// What is to be said of a probe that somebody asks for and that has nothing to probe.
fn in_vain(asked: &[Every], has: impl Fn(Probe) -> bool) -> Option<String> {
    let every = asked.iter().find(|every| every.interval.is_some() && !has(every.probe))?;
    let name = name(every.probe);
    Some(format!(
        "--every {name} has no effect: what is never renewed needs no such probe; it takes a profile (`claudectl auth login`)"
    ))
}

/// What is to be said of an alert for what takes longer than a run may.
fn never_slow(args: &MonitorArgs) -> Option<String> {
    let (slow, timeout) = (args.slow?, args.timeout);
    // A time is taken for up to a tenth more than it is.
    (slow >= timeout.mul_f64(1.1)).then(|| {
        format!(
            "--slow {slow:?} can never tell: a run is ended after {timeout:?} and has failed then; give less, or a longer --timeout"
        )
    })
}

/// Each probe once, side by side.
async fn once(prober: &Arc<Prober>, plan: &[(Probe, Duration)], json: bool) -> anyhow::Result<()> {
    let mut running = JoinSet::new();
    for (probe, _) in plan.iter().copied() {
        let prober = Arc::clone(prober);
        running.spawn(async move { prober.run(probe).await });
    }
    let mut outcomes = unless_interrupted(prober.flush(), running.join_all()).await?;
    outcomes.sort_by_key(|outcome| outcome.probe);
    let printed = match json {
        true => print_json(&outcomes),
        false => print(outcomes.iter().map(line).collect::<String>()).map_err(Into::into),
    };
    let verdict = match outcomes.iter().filter(|outcome| outcome.failure.is_some()).count() {
        0 => Ok(()),
        1 => Err(anyhow!("a probe failed")),
        count => Err(anyhow!("{count} probes failed")),
    };
    concluded(printed, verdict)
}

fn line(outcome: &Outcome) -> String {
    let (at, name, took) = (instant(outcome.at), name(outcome.probe), milliseconds(outcome.took));
    match &outcome.failure {
        None => format!("{at}  {name:<8}ok      {took:>8.1} ms\n"),
        Some(Failure { class, told, .. }) => {
            format!("{at}  {name:<8}FAILED  {took:>8.1} ms  {}: {told}\n", class.name())
        }
    }
}

/// Refuses the path of a file that cannot be made: a slip of the pen is not to make a folder too.
fn in_a_folder(path: &Path) -> anyhow::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        bail!(
            "there is no folder {} for the history; make it, or name another place with --history",
            folder.display()
        );
    }
    Ok(())
}

/// Where programs keep what they know between two runs. The folders on the way are made, but no home.
fn default_path(env: &Env) -> Option<PathBuf> {
    let lookup = env.lookup();
    let folder = |name: &str| lookup(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = if cfg!(windows) {
        folder("LOCALAPPDATA")
    } else {
        let home = || folder("HOME").filter(|home| home.is_dir());
        folder("XDG_STATE_HOME").or_else(|| Some(home()?.join(".local").join("state")))
    };
    Some(state?.join("claudectl").join("monitor.sqlite"))
}

fn seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_has_one_interval_and_one_without_anything_to_probe_is_left_out() {
        let asked = ["models=5s", "message=off"].map(|text| text.parse().unwrap());
        let seconds = Duration::from_secs;
        assert_eq!(
            plan(&asked, |probe| probe != Probe::Token).unwrap(),
            [(Probe::Models, seconds(5)), (Probe::Stream, seconds(300))]
        );
        assert_eq!(plan(&[], |_| true).unwrap().len(), 4);
        let twice = ["models=5s", "models=off"].map(|text| text.parse().unwrap());
        assert!(plan(&twice, |_| true).unwrap_err().to_string().contains("twice for models"));
    }

    #[test]
    fn who_asks_for_a_probe_that_there_is_not_is_told_and_who_turns_it_off_is_not() {
        let told = |text: &str| in_vain(&[text.parse().unwrap()], |probe| probe != Probe::Token);
        assert!(told("token=30s").unwrap().starts_with("--every token has no effect"));
        assert_eq!((told("token=off"), told("models=30s")), (None, None));
    }

    #[test]
    fn a_file_is_named_in_a_folder_that_is_there() {
        for path in ["history", "/history", "/tmp/history"] {
            in_a_folder(Path::new(path)).unwrap();
        }
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing");
        let error = in_a_folder(&missing.join("history")).unwrap_err().to_string();
        let told = format!("there is no folder {} for the history; make it", missing.display());
        assert!(error.starts_with(&told), "{error}");
    }

    #[test]
    fn the_history_is_where_states_are_kept() {
        let path = |name, value: &str| {
            let value = value.to_owned();
            default_path(&Env::new(Arc::new(move |asked| (asked == name).then(|| value.clone().into()))))
        };
        assert_eq!(path("XDG_STATE_HOME", "/s"), Some("/s/claudectl/monitor.sqlite".into()));
        assert_eq!(path("HOME", "/"), Some("/.local/state/claudectl/monitor.sqlite".into()));
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(path("HOME", folder.path().join("missing").to_str().unwrap()), None);
        assert_eq!(path("XDG_STATE_HOME", "relative"), None);
    }
}
