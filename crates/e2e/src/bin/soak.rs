//! `soak TARGET PART…`: the trials of `tests/it/fleet.rs` in full number, for `cargo xtask soak`.
//!
//! `TARGET` is the target folder. Each line is a figure and its goal; the exit status is 0 only where each was met.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "its output is what people read")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use e2e::fleet::{
    Blow, Grants, Killing, Official, Order, World, both_ways, crowd, kill_trials, mixed, stopped_holder,
    storm, together, windows,
};
use e2e::limits::Shared;
use e2e::{Left, RedisServer, Tools};
use mock_server::{Builder, MockServer};

/// How many worlds are struck at the same time.
const LANES: usize = 4;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(0) => ExitCode::SUCCESS,
        Ok(missed) => {
            eprintln!("error: {missed} goals were missed, see above");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<usize> {
    let mut words = std::env::args().skip(1);
    let target = PathBuf::from(words.next().context("usage: soak TARGET fleet|kill|mixed|limits|leave…")?);
    // They are built together and lie side by side.
    let program = std::env::current_exe()?.with_file_name("session");
    let mut soak = Soak { program, missed: 0 };
    for part in words {
        match part.as_str() {
            "fleet" => soak.fleet().await?,
            "kill" => soak.kill().await?,
            "mixed" => soak.mixed(&target).await?,
            "limits" => soak.limits().await?,
            "leave" => soak.leave().await?,
            _ => bail!("there is no part {part}; there are fleet, kill, mixed, limits and leave"),
        }
    }
    Ok(soak.missed)
}

struct Soak {
    program: PathBuf,
    missed: usize,
}

impl Soak {
    fn line(&mut self, goal: &str, met: bool, figure: &str) {
        println!("{:<7} {goal:<4} {figure}", if met { "ok" } else { "MISSED" });
        self.missed += usize::from(!met);
    }

    async fn world(&self, server: Builder) -> Result<World> {
        Ok(World::start(server, &self.program).await?.measured())
    }

    async fn fleet(&mut self) -> Result<()> {
        self.crowd().await?;
        for (goal, processes, trials) in [("G3", 64, 100), ("G4", 256, 20)] {
            let world = self.world(MockServer::builder()).await?;
            let (mut grants, mut failures, mut waits) = (Grants::default(), Vec::new(), Vec::new());
            for trial in 0..trials {
                progress(goal, trial, trials);
                world.set_expiry(1)?;
                let outcome = together(&world, processes).await?;
                grants.rotated += outcome.grants.rotated;
                grants.refused += outcome.grants.refused;
                failures.extend(outcome.failures);
                waits.extend(outcome.waits);
            }
            waits.sort_unstable();
            let met = grants == Grants { rotated: trials, ..Grants::default() } && failures.is_empty();
            let (rotated, refused, failed) = (grants.rotated, grants.refused, failures.len());
            let (median, last) = (at(&waits, 50), at(&waits, 100));
            let soon = goal != "G4" || last <= Duration::from_secs(2);
            self.line(
                goal,
                met && soon,
                &format!(
                    "{trials} trials of {processes} processes with an expired session: {rotated} grants (goal {trials}), \
                     {refused} refused, {failed} failures; waits: median {median:?}, longest {last:?} (goal for 256: 2 s)"
                ),
            );
            failures.first().inspect(|failure| println!("        {failure}"));
        }

        let world = self.world(MockServer::builder()).await?;
        let outcome = storm(&world, 64).await?;
        let (work, wait) = (at(&outcome.work, 99), at(&outcome.waits, 99));
        let met = outcome.failures.is_empty() && outcome.grants == Grants::default();
        self.line(
            "G54",
            met && work <= Duration::from_millis(5),
            &format!(
                "64 processes start with a good token: {} grants (goal 0); opening and a credential cost {work:?} of a \
                 processor at p99 (goal 5 ms), {wait:?} by the clock while all of them start",
                outcome.grants.rotated
            ),
        );

        let world = self.world(MockServer::builder()).await?;
        let outcome = stopped_holder(&world).await;
        let told =
            outcome.as_ref().map_or_else(|error| format!("{error:#}"), |()| "as it should be".to_owned());
        self.line("F41", outcome.is_ok(), &format!("the holder of the lock is stopped: {told}"));
        Ok(())
    }

    async fn crowd(&mut self) -> Result<()> {
        let world = self.world(MockServer::builder()).await?;
        for (callers, goal) in [(10_000, 100), (100_000, 1000)] {
            let took = crowd(&world, callers).await?;
            self.line(
                "G1",
                took <= Duration::from_millis(goal),
                &format!("{callers} callers of an expired token: 1 grant, and all have the new one after {took:?} (goal {goal} ms)"),
            );
        }
        Ok(())
    }

    async fn kill(&mut self) -> Result<()> {
        let forgiving = || MockServer::builder().refresh_reuse_window(Duration::from_secs(5));
        let killing = self.kills("G5", forgiving, &[], 10_000).await?;
        let Killing { kills, rotated, stored, lost, .. } = killing;
        let broken = killing.broken.len() + killing.failures.len();
        let litter = killing.litter.len();
        let (usual, longest) = (at(&killing.locks, 99), at(&killing.locks, 100));
        self.line(
            "G5",
            broken == 0 && litter == 0 && longest <= Duration::from_millis(100),
            &format!(
                "{kills} processes killed ({rotated} after a grant, {stored} of them after storing it): {broken} broken \
                 files or failures, {litter} temporary files after the next start (goal 0 and 0); the next one waits \
                 for the lock {usual:?} at p99, {longest:?} at most (goal 100 ms)"
            ),
        );
        let first = killing.broken.iter().chain(&killing.failures).chain(&killing.litter).next();
        first.inspect(|first| println!("        {first}"));
        self.line(
            "G6a",
            lost == 0,
            &format!("a reuse window of 5 s: {lost} of {kills} sessions lost (goal 0)"),
        );

        let strict = self.kills("G6c", MockServer::builder, &[], 1_000).await?;
        let world = self.world(MockServer::builder()).await?;
        let windows = windows(&world, 200).await?;
        let Killing { kills, lost, diagnosed, .. } = strict;
        let (usual, longest) = (at(&windows, 50), at(&windows, 99));
        self.line(
            "G6c",
            lost == diagnosed && longest <= Duration::from_millis(60),
            &format!(
                "a strict server: {lost} of {kills} sessions lost, {diagnosed} of them told as a lost answer (goal all); \
                 from the grant to the stored file {usual:?}, {longest:?} at p99 (goal 60 ms)"
            ),
        );

        let killing = self.kills("G6b", MockServer::builder, &["delegates"], 1_000).await?;
        let Killing { kills, rotated, stored, lost, .. } = killing;
        let broken = killing.broken.len() + killing.failures.len();
        self.line(
            "G6b",
            lost == 0 && broken == 0,
            &format!(
                "a strict server, and another process that renews: {lost} of {kills} sessions lost (goal 0), {broken} \
                 broken files or failures; {} were killed between the grant and the disk",
                rotated - stored
            ),
        );
        killing.broken.iter().chain(&killing.failures).next().inspect(|first| println!("        {first}"));
        Ok(())
    }

    async fn kills(
        &self,
        goal: &'static str,
        server: fn() -> Builder,
        words: &'static [&'static str],
        kills: usize,
    ) -> Result<Killing> {
        let mut lanes = tokio::task::JoinSet::new();
        for lane in 0..LANES {
            let world = self.world(server()).await?;
            lanes.spawn(async move {
                let mut random = fastrand::Rng::with_seed(lane.try_into()?);
                let mut killing = Killing::default();
                let batches = kills / LANES / 50;
                for batch in 0..batches {
                    if lane == 0 {
                        progress(goal, batch, batches);
                    }
                    let blows = (0..50).map(|_| Blow::random(&mut random));
                    killing = killing.and(kill_trials(&world, words, blows).await?);
                }
                Ok::<_, anyhow::Error>(killing)
            });
        }
        let mut killing = Killing::default();
        while let Some(lane) = lanes.join_next().await {
            killing = killing.and(lane??);
        }
        Ok(killing)
    }

    async fn mixed(&mut self, target: &Path) -> Result<()> {
        let sdks = Official::all(&Tools::beside(&target.join("tmp").to_string_lossy()));
        for sdk in &sdks {
            let world = self.world(MockServer::builder()).await?;
            let outcome = both_ways(&world, sdk).await;
            let told =
                outcome.as_ref().map_or_else(|error| format!("{error:#}"), |()| "as it should be".to_owned());
            self.line(
                "G15",
                outcome.is_ok(),
                &format!("one profile, used and renewed in turns with {}: {told}", sdk.name()),
            );
        }

        const TRIALS: usize = 100;
        let world = self.world(MockServer::builder().refresh_reuse_revokes(false)).await?;
        for (order, told) in
            [(Order::AtOnce, "at once"), (Order::TheyAreFirst, "after an official one has renewed")]
        {
            let outcome = mixed(&world, &sdks, 4, TRIALS / 2, order).await?;
            let (ours, theirs) = (outcome.ours.len(), outcome.theirs.len());
            self.line(
                "G15",
                ours == 0,
                &format!(
                    "{} trials of 4 of ours and 4 official ones, {told}: {ours} of {} of our calls failed (goal 0), \
                     {theirs} of theirs; the file was whole and private after each",
                    TRIALS / 2,
                    2 * TRIALS
                ),
            );
            outcome.ours.first().inspect(|failure| println!("        {failure}"));
        }
        Ok(())
    }

    async fn limits(&mut self) -> Result<()> {
        let program = self.program.with_file_name("limited");
        let direct = Shared { processes: 8, is_leased: false, per_minute: 12_000, burst: 400, seconds: 60 };
        let leased = Shared { is_leased: true, per_minute: 24_000, burst: 4_000, ..direct };
        for place in ["one server", "a cluster of three"] {
            for (shared, most) in [(direct, 0), (leased, leased.burst.cast_signed() / 50)] {
                // What one run has spent is spent for the next one, too: each begins with servers of its own.
                let nodes = match place {
                    "one server" => vec![RedisServer::start(&[])?],
                    _ => RedisServer::cluster().await?.into(),
                };
                let urls: Vec<_> = nodes.iter().map(RedisServer::url).collect();
                let admitted = shared.run(&program, &urls).await?;
                let excess = admitted.excess(Duration::from_millis(50)).max(admitted.excess_of_all());
                let (count, utilisation) = (admitted.count(), admitted.utilisation());
                let mode = if shared.is_leased { "with blocks" } else { "each permit asked for" };
                self.line(
                    "G32",
                    excess <= most && utilisation >= 0.97,
                    &format!(
                        "8 processes for 60 s at {place}, {mode}: {count} admitted, {excess} too many in any stretch of \
                         time (goal {most}), {:.1} % of what the limits allow (goal 97 %)",
                        100.0 * utilisation
                    ),
                );
            }
        }
        Ok(())
    }
}

impl Soak {
    async fn leave(&mut self) -> Result<()> {
        const CYCLES: usize = 100_000;
        let program = self.program.with_file_name("leave");
        for backend in ["reqwest", "hyper"] {
            let Left { files, kib } = Left::by(&program, backend, CYCLES).await?;
            self.line(
                "G44",
                files <= 0 && kib <= 2 * 1024,
                &format!(
                    "{CYCLES} calls by {backend} that are begun and dropped: {files:+} descriptors (goal 0), {kib:+} KiB of \
                     memory (goal 2,048)"
                ),
            );
        }
        Ok(())
    }
}

/// The value below which so many hundredths of the sorted values are.
fn at(sorted: &[Duration], hundredths: usize) -> Duration {
    let index = (sorted.len() * hundredths).div_ceil(100).saturating_sub(1);
    sorted.get(index).copied().unwrap_or_default()
}

/// A line at each tenth.
fn progress(goal: &str, done: usize, of: usize) {
    if done.is_multiple_of(of.div_ceil(10)) {
        eprintln!("        {goal}: {done} of {of}");
    }
}
