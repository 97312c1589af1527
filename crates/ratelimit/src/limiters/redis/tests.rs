//! The limiter on a server that is its twin, at a time that is held.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod gone;
mod keys;
mod leased;
mod seats;
mod shared;
mod told;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;

use super::{
    Redis, RedisBuilder, WhenGone,
    question::{Answer, Question},
    server::{Store, Trouble},
};
use crate::{
    Cost, Error, Key, Limits, Permit, Rate, RateLimiter as _, Timer as _,
    test_util::{ManualTimer, twin::Twin},
};

const SECOND: Duration = Duration::from_secs(1);

/// A server of twins, which may fail.
#[derive(Debug)]
struct Twins {
    keys: Mutex<HashMap<String, Twin>>,
    timer: Arc<ManualTimer>,
    behaviour: AtomicU8,
    asked: AtomicUsize,
    held_up: Mutex<Vec<(String, Question)>>,
    clock_off: AtomicI64,
}

const ANSWERS: u8 = 0;
const REFUSES: u8 = 1;
const IS_SILENT: u8 = 2;
/// Does what it is asked, and does not say so.
const LOSES_ANSWERS: u8 = 3;
/// Does what it is asked much later.
const IS_HELD_UP: u8 = 5;
/// Answers in the next turn.
const IS_SLOW: u8 = 4;

#[async_trait]
impl Store for Arc<Twins> {
    async fn ask(&self, key: &str, question: &Question) -> Result<Answer, Trouble> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if key == "poisoned" {
            return Err(Trouble::Key(key.into()));
        }
        let behaviour = self.behaviour.load(Ordering::Relaxed);
        match behaviour {
            REFUSES => return Err(Trouble::Server("refused".into())),
            IS_SILENT => std::future::pending().await,
            IS_SLOW => tokio::task::yield_now().await,
            _ => {}
        }
        if behaviour == IS_HELD_UP {
            self.held_up.lock().unwrap().push((key.to_owned(), question.clone()));
            return std::future::pending().await;
        }
        let answer = self.answer(key, question);
        if behaviour == LOSES_ANSWERS { Err(Trouble::Server("lost".into())) } else { Ok(answer.into()) }
    }
}

/// A way to the server that can be cut, which is how a dead process looks from there.
#[derive(Debug)]
struct Mortal {
    twins: Arc<Twins>,
    is_dead: Arc<AtomicBool>,
}

#[async_trait]
impl Store for Mortal {
    async fn ask(&self, key: &str, question: &Question) -> Result<Answer, Trouble> {
        if self.is_dead.load(Ordering::Relaxed) {
            return Err(Trouble::Server("dead".into()));
        }
        self.twins.ask(key, question).await
    }
}

impl Twins {
    fn start() -> Arc<Self> {
        Arc::new(Self {
            keys: Mutex::default(),
            timer: Arc::new(ManualTimer::new()),
            behaviour: AtomicU8::new(ANSWERS),
            asked: AtomicUsize::new(0),
            held_up: Mutex::default(),
            clock_off: AtomicI64::new(0),
        })
    }

    fn answer(&self, key: &str, question: &Question) -> [i64; 5] {
        let clock = i64::try_from(self.timer.now().as_micros()).unwrap();
        let clock = clock + 1_000_000_000_000 + self.clock_off.load(Ordering::Relaxed);
        self.keys.lock().unwrap().entry(key.to_owned()).or_default().answer(clock, question.arguments())
    }

    /// Does what was held up.
    fn let_in(&self) {
        for (key, question) in self.held_up.lock().unwrap().drain(..) {
            self.answer(&key, &question);
        }
    }

    fn behave(&self, behaviour: u8) {
        self.behaviour.store(behaviour, Ordering::Relaxed);
    }

    fn asked(&self) -> usize {
        self.asked.swap(0, Ordering::Relaxed)
    }

    /// One more process.
    fn process(self: &Arc<Self>, builder: RedisBuilder) -> Redis {
        builder.build_on(Arc::clone(self), Arc::clone(&self.timer))
    }

    /// Lets time pass in steps, and everybody do what is due.
    async fn pass(&self, time: Duration) {
        let step = Duration::from_millis(20).min(time);
        for _ in 0..time.as_nanos().div_ceil(step.as_nanos()) {
            settle_down().await;
            self.timer.advance(step);
        }
        settle_down().await;
    }
}

/// Lets every task run until it waits.
async fn settle_down() {
    for _ in 0..30 {
        tokio::task::yield_now().await;
    }
}

/// Sixty requests a minute and as many at once, for two processes.
fn sixty() -> RedisBuilder {
    Redis::at("redis://127.0.0.1", Limits::default().with_requests(60), 2)
}

fn key() -> Key {
    Key::from("team/model")
}

async fn try_one(limiter: &Redis) -> Result<Permit, Error> {
    limiter.acquire(key(), Cost::requests(1), Duration::ZERO).await
}

/// Takes all that is there at once, and says how much that was.
async fn drain(limiter: &Redis) -> usize {
    let mut taken = 0;
    while let Ok(permit) = try_one(limiter).await {
        permit.settle(Cost::requests(1));
        taken += 1;
    }
    taken
}

fn three() -> Limits {
    Limits::default()
        .with_requests(60)
        .with_input_tokens(Rate::per_minute(6_000).with_burst(600))
        .with_output_tokens(600)
}
