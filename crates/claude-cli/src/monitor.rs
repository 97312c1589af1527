//! `claudectl monitor`: tries the API again and again, keeps what comes of it, and tells when it fails.
//!
//! Nothing that it watches can end it: whatever a probe meets comes out as an outcome, a slow disk is a thread's affair, and what
//! a full one does not take waits in memory. Only wrong settings end it, at its beginning.

use std::{
    sync::{Arc, Mutex, atomic::AtomicBool},
    time::SystemTime,
};

use anyhow::Context as _;
use claude_sdk::{
    ratelimit::{Timer, TokioTimer},
    secrets::providers::Env,
    transport::{Clock, SystemClock},
};

use crate::{
    args::MonitorArgs,
    console::{Ending, tell},
};

mod alarm;
mod board;
mod chart;
mod exposition;
#[cfg(test)]
mod held;
mod history;
mod once;
mod opening;
mod outcome;
mod plan;
mod post;
mod prober;
mod schedule;
mod server;
mod state;
mod steady;
mod summary;
mod watch;
mod ways;
mod windows;

use alarm::Tolerance;
use board::Board;
use history::{keeper::Keeper, place};
use post::Post;
use prober::Prober;
use server::Server;
use watch::{Monitor, announce};

pub(crate) async fn run(args: MonitorArgs) -> anyhow::Result<()> {
    let env = Env::process();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let timer: Arc<dyn Timer> = Arc::new(TokioTimer::new());
    let prober = Arc::new(Prober::new(&args, &env, Arc::clone(&clock), Arc::clone(&timer)).await?);
    let plan = plan::plan(&args.every, |probe| prober.has(probe))?;
    plan::remarks(&args, |probe| prober.has(probe)).for_each(tell);
    if plan.is_empty() {
        return Err(Ending::usage("every probe is off; leave one of them on").into());
    }
    if args.once {
        return once::once(&prober, &plan, args.json).await;
    }
    let ways = ways::ways(&args, &env).await?;
    let path = args.history.clone().or_else(|| place::default(&env));
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
            place::in_a_folder(&path)?;
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
    monitor.go_on(server, writer).await
}

fn seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or_default()
}
