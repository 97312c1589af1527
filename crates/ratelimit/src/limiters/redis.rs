//! Limits that many processes on many machines share, counted by a Redis server.

use std::{collections::HashMap, sync::Arc, time::Duration};

use async_trait::async_trait;

use crate::{Cost, Dimension, Error, Key, Limits, Observation, Permit, RateLimiter, moment::nanos};

mod account;
mod builder;
mod desk;
mod health;
mod keeper;
mod question;
mod queue;
mod race;
mod serve;
mod server;
#[cfg(all(test, feature = "test-util"))]
mod tests;

pub use builder::{BuildError, RedisBuilder};
pub use health::WhenGone;

use desk::{Desk, Settings};
use serve::SOME_TIME;
use server::Trouble;

const LEASE: Duration = Duration::from_mins(10);
const PATIENCE: Duration = Duration::from_millis(50);

/// Requests, tokens and how much goes on at once, per key, for all processes that ask the same Redis server.
///
/// One script decides over all dimensions by the server's own clock: a cost is charged in every dimension or in none, and
/// for every stretch of time what is admitted is at most the burst plus the rate times the stretch, in whole numbers.
/// Redis 5 or later, or what speaks its protocol and runs its scripts; the keys of one limit are on one node of a
/// cluster.
///
/// - Each permit is one question to the server. With [`leased`](RedisBuilder::leased) a process takes blocks and gives
///   permits out of them; all blocks together are at most a fiftieth of the burst, and that is how much more may be
///   admitted in a stretch of time.
/// - [`Permit::settle`] charges the difference to what the work really cost, once, even where an answer is lost. It is
///   told with the next question, or some milliseconds later.
/// - The permits of a process that has died are free again after 20 seconds. What they were charged stays spent, for
///   their work may have been done.
/// - A question may take 50 ms. When the server does not answer in that time, or refuses, the process goes on as
///   [`when_gone`](RedisBuilder::when_gone) says, and tries the server four times a second. When it is back, what was
///   earned in the meantime is not spent a second time. A server that has lost its data begins with nothing for those
///   who have used it before.
/// - Whoever waits stands in line: in one process as at a [`Local`](super::Local), with tenants by turns and priorities,
///   between processes in the order Redis hears of them.
/// - It listens to the service ([`Observation`]), for all processes. `retry_after` closes the key for everybody, for an
///   hour at the most in other processes (what these were admitted for already is theirs), and what is left is the most that is left here. Limits that were set are
///   ceilings: the newest word of the service, which any process has heard, lowers them and never raises them.
/// - A rate or a burst above 100 million counts as 100 million. A key that is not used is forgotten by the server an hour
///   after it is full again, and by a process when it uses more than 1024 others.
/// - Where less may go on at once than there are processes, each permit is asked for even with blocks, and nothing is
///   admitted as a share.
/// - A question whose answer does not come in time may have been charged all the same; time gives that back.
///
/// Calls are made on a tokio runtime. The connection is not encrypted.
///
/// ```no_run
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// use ratelimit::{Limits, TokioTimer, limiters::Redis};
///
/// let limits = Limits::default().with_requests(4_000).with_input_tokens(2_000_000).with_output_tokens(400_000);
/// let limiter = Redis::at("redis://10.0.0.7", limits, 8).build(TokioTimer::new())?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Redis(Arc<Desk>);

impl Redis {
    /// Begins a limiter at one server, such as `redis://127.0.0.1:6379/0` or `unix:///run/redis.sock`, of `limits` for
    /// every key that about so many `processes` share. The number decides how much one of them gets when it is on its own.
    pub fn at(url: impl Into<String>, limits: Limits, processes: u32) -> RedisBuilder {
        Self::cluster([url], limits, processes)
    }

    /// Begins a limiter at a cluster, some of whose nodes have these addresses.
    pub fn cluster<T: Into<String>>(
        urls: impl IntoIterator<Item = T>,
        limits: Limits,
        processes: u32,
    ) -> RedisBuilder {
        let settings = Settings {
            limits,
            special: HashMap::new(),
            processes: processes.max(1),
            is_leased: false,
            when_gone: WhenGone::default(),
            lease: LEASE,
            patience: PATIENCE,
        };
        let urls = urls.into_iter().map(Into::into).collect();
        RedisBuilder { urls, prefix: "ratelimit".to_owned(), in_clear: false, settings }
    }

    /// Whether the server decides at present: it answered last time, or was not asked yet.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.0.health.outage().is_none()
    }

    /// Why the server does not decide at present, for a person to read.
    #[must_use]
    pub fn outage(&self) -> Option<String> {
        self.0.health.outage().map(|outage| outage.why.to_string())
    }

    /// Tells the server all it has not heard yet, and returns what blocks are left: good manners before a program ends.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] where the server does not answer.
    pub async fn give_back(&self) -> Result<(), Error> {
        self.0.give_back_all().await.map_err(Error::unavailable)
    }
}

#[async_trait]
impl RateLimiter for Redis {
    async fn acquire(&self, key: Key, cost: Cost, max_wait: Duration) -> Result<Permit, Error> {
        let desk = &self.0;
        desk.keep();
        let deadline = desk.now().saturating_add(nanos(max_wait));
        let account = loop {
            if let Some(account) = desk.account(&key) {
                break account;
            }
            let left = Duration::from_nanos(deadline.saturating_sub(desk.now()));
            if left.is_zero() {
                return Err(Error::WouldWait { wait: SOME_TIME, max_wait });
            }
            desk.timer.sleep(left.min(SOME_TIME)).await;
        };
        misfit(&account.limits, cost)?;
        loop {
            let left = Duration::from_nanos(deadline.saturating_sub(desk.now()));
            let outcome = match desk.health.outage() {
                Some(outage) => desk.without_server(&outage, &account, &key, cost, left).await,
                None => match desk.with_server(&account, &key, cost, deadline).await {
                    Err(trouble @ Trouble::Key(_)) => Some(Err(Error::unavailable(trouble))),
                    outcome => outcome.ok(),
                },
            };
            match outcome {
                Some(Ok(permit)) => return Ok(permit),
                Some(Err(Error::WouldWait { wait, .. })) => return Err(Error::WouldWait { wait, max_wait }),
                Some(Err(error)) => return Err(error),
                // The server has gone, or it has come back.
                None => {}
            }
        }
    }

    fn observe(&self, key: &Key, seen: &Observation) {
        let Some(account) = self.0.account(key) else { return };
        account.books().hear(self.0.now(), seen, nanos(self.0.settings.lease));
        if seen.retry_after.is_some() {
            account.changed.notify_waiters();
        }
        if let Some(outage) = self.0.health.outage() {
            outage.share.observe(key, seen);
        }
        self.0.news.notify_one();
    }
}

fn misfit(limits: &Limits, cost: Cost) -> Result<(), Error> {
    let dimensions = Dimension::ALL.into_iter().zip(limits.rates()).zip(cost.amounts());
    for ((dimension, rate), asked) in dimensions {
        if let Some(rate) = rate.filter(|rate| rate.burst() < asked) {
            return Err(Error::TooLarge { dimension, asked, capacity: rate.burst() });
        }
    }
    Ok(())
}
