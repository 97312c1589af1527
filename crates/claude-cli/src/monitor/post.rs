//! Alerts on their way to who has to know. One that cannot be told is tried again for as long as it takes, and kept in the
//! history until it was told: a restart loses none, and may tell one twice.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use anyhow::anyhow;
use claude_sdk::transport::Clock;
use tokio::sync::mpsc;

use super::{
    alarm::{Firing, News, Rule},
    history::keeper::Keeper,
    ways::Way,
};
use crate::{
    args::Probe,
    console::{one_line, tell},
};

/// How long to wait before it is tried again, and then again and again.
const WAITS: [Duration; 4] =
    [Duration::from_secs(2), Duration::from_secs(10), Duration::from_secs(60), Duration::from_secs(300)];

/// How many may wait; of more, the oldest are given up.
const WAITING: usize = 1_000;

/// An alert, and the way by which somebody is to be told of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Letter {
    pub(super) way: String,
    pub(super) news: News,
}

/// Takes alerts and sees to it that they are told: those of one alarm by one way in their order, the others side by side, so
/// that whoever hangs holds nobody else up.
#[derive(Debug)]
pub(super) struct Post {
    ways: Vec<Arc<dyn Way>>,
    clock: Arc<dyn Clock>,
    keeper: Keeper,
    desk: Mutex<Desk>,
}

#[derive(Debug, Default)]
struct Desk {
    /// What was not told yet, by its number.
    untold: BTreeMap<u64, Letter>,
    next: u64,
    lines: BTreeMap<(&'static str, Rule, Probe), mpsc::UnboundedSender<u64>>,
    /// Of each way that does not work, whom it leads to and why.
    broken: BTreeMap<&'static str, String>,
}

impl Post {
    pub(super) fn new(ways: Vec<Arc<dyn Way>>, clock: Arc<dyn Clock>, keeper: Keeper) -> Arc<Self> {
        Arc::new(Self { ways, clock, keeper, desk: Mutex::default() })
    }

    /// Goes on with what was not told when the monitor ended.
    pub(super) fn resume(self: &Arc<Self>, untold: Vec<Letter>) {
        let before = untold.len();
        let (there, gone): (Vec<_>, Vec<_>) =
            untold.into_iter().partition(|letter| self.ways.iter().any(|way| way.name() == letter.way));
        if !gone.is_empty() {
            let count = gone.len();
            tell(format!("{count} alerts could not be told before, and the ways they were to go are gone"));
        }
        if before > 0 {
            let mut desk = self.desk();
            there.into_iter().for_each(|letter| self.put(&mut desk, letter));
            self.keep(&mut desk, None);
        }
    }

    /// Takes alerts, and keeps them together with what fires now.
    pub(super) fn send(self: &Arc<Self>, news: &[News], firing: Vec<Firing>) {
        let mut desk = self.desk();
        for news in news {
            for way in &self.ways {
                self.put(&mut desk, Letter { way: way.name().to_owned(), news: news.clone() });
            }
        }
        self.keep(&mut desk, Some(firing));
    }

    /// How many alerts somebody has not been told of.
    pub(super) fn waiting(&self) -> usize {
        self.desk().untold.len()
    }

    /// Which ways do not work, and why.
    pub(super) fn broken(&self) -> Vec<String> {
        self.desk().broken.values().cloned().collect()
    }

    fn put(self: &Arc<Self>, desk: &mut Desk, letter: Letter) {
        let Some(way) = self.ways.iter().find(|way| way.name() == letter.way) else { return };
        let number = desk.next;
        desk.next += 1;
        let line = desk.lines.entry((way.name(), letter.news.rule, letter.news.probe)).or_insert_with(|| {
            let (line, numbers) = mpsc::unbounded_channel();
            tokio::spawn(Arc::clone(self).work(Arc::clone(way), numbers));
            line
        });
        // A line goes on for as long as the post does.
        let _ = line.send(number);
        desk.untold.insert(number, letter);
    }

    /// While the desk is held: what comes later is newer.
    fn keep(&self, desk: &mut Desk, firing: Option<Vec<Firing>>) {
        let mut given_up = 0;
        while desk.untold.len() > WAITING {
            desk.untold.pop_first();
            given_up += 1;
        }
        if given_up > 0 {
            tell(format!("{given_up} alerts that could not be told are given up: too many wait"));
        }
        self.keeper.keep_alarms(firing, desk.untold.values().cloned().collect());
    }

    /// Tells all that comes, in its order.
    async fn work(self: Arc<Self>, way: Arc<dyn Way>, mut numbers: mpsc::UnboundedReceiver<u64>) {
        while let Some(number) = numbers.recv().await {
            self.deliver(&*way, number).await;
            let mut desk = self.desk();
            if desk.untold.remove(&number).is_some() {
                self.keep(&mut desk, None);
            }
        }
    }

    /// Tries until it works, or until the alert was given up.
    async fn deliver(&self, way: &dyn Way, number: u64) {
        let mut waits = WAITS.into_iter();
        let mut wait = Duration::ZERO;
        loop {
            let letter = self.desk().untold.get(&number).cloned();
            let Some(Letter { news, .. }) = letter else { return };
            // A list of members that are all text cannot fail to be JSON.
            let alert = serde_json::to_string(&news).unwrap_or_default();
            let patience = way.patience();
            let result = tokio::select! {
                result = way.tell(&alert) => result,
                () = self.clock.sleep(patience) => Err(anyhow!("no end within {} s", patience.as_secs())),
            };
            let is_told = result.is_ok();
            self.learn(way, result);
            if is_told {
                return;
            }
            wait = waits.next().unwrap_or(wait);
            self.clock.sleep(wait).await;
        }
    }

    /// Tells once that a way does not work, and once that it does again; in between, the last reason can be asked for.
    fn learn(&self, way: &dyn Way, result: anyhow::Result<()>) {
        let whom = way.whom();
        match result {
            Ok(()) => {
                if self.desk().broken.remove(way.name()).is_some() {
                    tell(format!("{whom} was told of an alert now"));
                }
            }
            Err(error) => {
                let why = one_line(&error);
                let told = format!("{whom} could not be told of an alert: {why}");
                if self.desk().broken.insert(way.name(), told.clone()).is_none() {
                    tell(format!("{told}; it is tried again and again"));
                }
            }
        }
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
