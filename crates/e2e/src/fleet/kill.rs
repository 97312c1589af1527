//! Processes that are killed, and what the next one finds.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use transport::{Clock as _, SystemClock};

use super::{Report, World};

/// The path of the token endpoint.
const TOKEN: &str = "/v1/oauth/token";

/// The moment at which a process that renews the session is killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blow {
    /// After so many hundredths of the life of a process that is not killed.
    At(u32),
    /// Once the server has rotated the tokens, and before it says so.
    Committed,
    /// So long after the answer left the server: while the process writes, or just has.
    Answered(Duration),
}

impl Blow {
    /// A moment out of the whole life of the process, of which every third one is aimed at the time when the old token
    /// is spent and the new one not yet safe.
    pub fn random(random: &mut fastrand::Rng) -> Self {
        match random.u32(..6) {
            0 => Self::Committed,
            1 => Self::Answered(Duration::from_micros(random.u64(..40_000))),
            _ => Self::At(random.u32(..120)),
        }
    }
}

/// What many processes that were killed left behind.
#[derive(Debug, Default)]
pub struct Killing {
    /// How many were killed.
    pub kills: usize,
    /// How many of them the server had rotated tokens for.
    pub rotated: usize,
    /// How many of these had stored the new tokens.
    pub stored: usize,
    /// Files that were torn, mixed or open to others, in words.
    pub broken: Vec<String>,
    /// Files that lay about after the next process had renewed the session, by their names.
    pub litter: Vec<String>,
    /// How long the next process waited for the lock, shortest first.
    pub locks: Vec<Duration>,
    /// Sessions that the next process found to be over.
    pub lost: usize,
    /// Those of them whose diagnosis was that an answer may have been lost.
    pub diagnosed: usize,
    /// What else the next process failed with.
    pub failures: Vec<String>,
}

impl Killing {
    /// Adds what another run found.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.kills += other.kills;
        self.rotated += other.rotated;
        self.stored += other.stored;
        self.broken.extend(other.broken);
        self.litter.extend(other.litter);
        self.locks.extend(other.locks);
        self.locks.sort_unstable();
        self.lost += other.lost;
        self.diagnosed += other.diagnosed;
        self.failures.extend(other.failures);
        self
    }
}

/// Kills as many processes, one after the other, each while it renews; after each another one makes a call. `words` are
/// those of the processes that are killed.
///
/// # Errors
///
/// When a process cannot be started or killed, or there is no session to begin with.
pub async fn kill_trials(
    world: &World,
    words: &[&str],
    blows: impl IntoIterator<Item = Blow>,
) -> Result<Killing> {
    let mut killing = Killing::default();
    let (_, mut life) = lived(world).await?;
    for blow in blows {
        let (report, next) =
            one(world, words, (blow, life), &mut killing).await.with_context(|| format!("{blow:?}"))?;
        life = next;
        killing.locks.push(report.lock());
        match report.kind().as_str() {
            _ if report.is_ok() => {}
            "login" => {
                killing.lost += 1;
                killing.diagnosed += usize::from(report.maybe_consumed());
                world.log_in().await?;
            }
            _ => killing.failures.push(report.error()),
        }
    }
    killing.locks.sort_unstable();
    Ok(killing)
}

async fn one(
    world: &World,
    words: &[&str],
    (blow, life): (Blow, Duration),
    killing: &mut Killing,
) -> Result<(Report, Duration)> {
    world.set_expiry(1)?;
    let before = world.pair()?;
    world.server.clear_journal();
    strike(world, words, blow, life).await?;
    killing.kills += 1;
    let rotated = world.grants().rotated;
    ensure!(rotated < 2, "it renewed {rotated} times");
    killing.rotated += rotated;
    match world.pair() {
        Ok(after) if after == before => {}
        Ok(after) if before.is_followed_by(&after) && rotated == 1 => killing.stored += 1,
        Ok(_) => killing.broken.push(format!("{blow:?}: a file of old and new tokens")),
        Err(error) => killing.broken.push(format!("{blow:?}: {error:#}")),
    }
    let (report, life) = lived(world).await?;
    if report.is_ok() {
        killing.litter.extend(world.litter()?);
    }
    Ok((report, life))
}

/// A process that nobody kills, and how long it lives.
async fn lived(world: &World) -> Result<(Report, Duration)> {
    let began = SystemClock.now();
    let report = world.member(&["lock"])?.end().await?;
    Ok((report, SystemClock.now().duration_since(began).unwrap_or_default()))
}

/// Starts a process and kills it.
async fn strike(world: &World, words: &[&str], blow: Blow, life: Duration) -> Result<()> {
    match blow {
        Blow::At(hundredths) => {
            let member = world.member(words)?;
            SystemClock.sleep(life * hundredths / 100).await;
            member.kill().await
        }
        Blow::Committed => {
            let held = world.server.hold_answers(TOKEN);
            let member = world.member(words)?;
            world.rotation().await;
            member.kill().await?;
            drop(held);
            Ok(())
        }
        Blow::Answered(wait) => {
            let held = world.server.hold_answers(TOKEN);
            let member = world.member(words)?;
            world.rotation().await;
            drop(held);
            SystemClock.sleep(wait).await;
            member.kill().await
        }
    }
}

/// How long it takes from the server's rotating a token to the file that holds the new ones, shortest first.
///
/// # Errors
///
/// When a process cannot be started, or fails.
pub async fn windows(world: &World, renewals: usize) -> Result<Vec<Duration>> {
    let mut windows = Vec::new();
    for _ in 0..renewals {
        world.set_expiry(1)?;
        let before = world.pair()?;
        world.server.clear_journal();
        let member = world.member(&[])?;
        world.rotation().await;
        let rotated = SystemClock.now();
        while world.pair()? == before {
            SystemClock.sleep(Duration::from_millis(1)).await;
        }
        windows.push(SystemClock.now().duration_since(rotated).unwrap_or_default());
        let report = member.end().await?;
        ensure!(report.is_ok(), "{}", report.error());
    }
    windows.sort_unstable();
    Ok(windows)
}
