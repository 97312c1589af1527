use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use secrets::{
    Error, ErrorKind, Secret, SecretName, SecretProvider,
    providers::{Cached, Chain, Memory},
    test_util::{ManualTimer, contract},
};
use tokio::sync::Semaphore;

use crate::name;

const LEASE: Duration = Duration::from_secs(900);

/// A backend that answers when it is let, with what it is told to.
#[derive(Debug)]
struct Backend {
    asked: AtomicUsize,
    gate: Semaphore,
    mood: Mutex<Mood>,
}

#[derive(Clone, Copy, Debug)]
enum Mood {
    /// A secret with the number of the question, lent for a time.
    Lends(Option<Duration>),
    KnowsNothing,
    Fails(ErrorKind),
    Panics,
}

#[async_trait]
impl SecretProvider for Backend {
    async fn get(&self, name: SecretName) -> Result<Option<Secret>, Error> {
        let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        self.gate.acquire().await.unwrap().forget();
        let secret = Secret::from(format!("{name}-{number}"));
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::Lends(time) => Ok(Some(time.map_or(secret.duplicate(), |time| secret.with_good_for(time)))),
            Mood::KnowsNothing => Ok(None),
            Mood::Fails(kind) => Err(Error::new(kind, "the backend")),
            Mood::Panics => panic!("the backend falls over"),
        }
    }
}

struct World {
    backend: Arc<Backend>,
    timer: Arc<ManualTimer>,
    cached: Cached,
}

impl World {
    fn new(mood: Mood) -> Self {
        Self::gated(mood, Semaphore::MAX_PERMITS)
    }

    fn gated(mood: Mood, open: usize) -> Self {
        let backend =
            Backend { asked: AtomicUsize::new(0), gate: Semaphore::new(open), mood: Mutex::new(mood) };
        let (backend, timer) = (Arc::new(backend), Arc::new(ManualTimer::new()));
        let cached = Cached::new_with(Arc::clone(&backend), Arc::clone(&timer), Duration::from_secs(300), 7);
        Self { backend, timer, cached }
    }

    fn mood(&self, mood: Mood) {
        *self.backend.mood.lock().unwrap() = mood;
    }

    fn asked(&self) -> usize {
        self.backend.asked.load(Ordering::SeqCst)
    }

    fn after(&self, seconds: u64) {
        self.timer.advance(Duration::from_secs(seconds));
    }

    async fn get(&self) -> Result<Option<String>, ErrorKind> {
        let got = self.cached.get(name("key")).await;
        // What was begun in the background has its turn.
        for _ in 0..3 {
            tokio::task::yield_now().await;
        }
        got.map(|secret| secret.map(|secret| secret.expose().to_owned())).map_err(|error| error.kind())
    }
}

fn is(number: usize) -> Result<Option<String>, ErrorKind> {
    Ok(Some(format!("key-{number}")))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_callers_of_a_cold_secret_are_one_question() {
    let world = World::gated(Mood::Lends(None), 0);
    let callers: Vec<_> = (0..10_000)
        .map(|_| {
            let cached = world.cached.clone();
            tokio::spawn(async move { cached.get(name("key")).await.unwrap().unwrap().expose().to_owned() })
        })
        .collect();
    while world.asked() == 0 {
        tokio::task::yield_now().await;
    }
    world.backend.gate.add_permits(100);
    for caller in callers {
        assert_eq!(caller.await.unwrap(), "key-1");
    }
    assert_eq!(world.asked(), 1);
}

#[tokio::test]
async fn a_lease_is_renewed_after_two_thirds_while_the_old_secret_is_given() {
    let world = World::new(Mood::Lends(Some(LEASE)));
    assert_eq!(world.get().await, is(1));
    world.after(499); // 5/9 of it
    assert_eq!((world.get().await, world.asked()), (is(1), 1));
    world.after(202); // 7/9 of it
    assert_eq!((world.get().await, world.asked()), (is(1), 2), "nobody waits for the next one");
    assert_eq!((world.get().await, world.asked()), (is(2), 2));
}

#[tokio::test]
async fn nobody_asks_and_nothing_is_sent() {
    let world = World::new(Mood::Lends(Some(LEASE)));
    assert_eq!(world.get().await, is(1));
    world.after(100_000);
    tokio::task::yield_now().await;
    assert_eq!(world.asked(), 1);
    assert_eq!((world.get().await, world.asked()), (is(2), 2), "what has ended is waited for");
}

#[tokio::test]
async fn while_the_source_fails_the_old_secret_is_given_until_its_lease_ends() {
    for kind in [ErrorKind::Unavailable, ErrorKind::Denied] {
        let world = World::new(Mood::Lends(Some(LEASE)));
        assert_eq!(world.get().await, is(1));
        world.mood(Mood::Fails(kind));
        world.after(701);
        assert_eq!(world.get().await, is(1));
        assert_eq!(world.cached.failure(&name("key")).unwrap().kind(), kind, "and who looks is told");
        world.after(198);
        assert_eq!(world.get().await, is(1), "899 s");
        world.after(1);
        assert_eq!(world.get().await, Err(kind), "900 s");
        world.mood(Mood::Lends(Some(LEASE)));
        world.after(60);
        assert_eq!(world.get().await, is(world.asked()), "it heals by itself");
        assert!(world.cached.failure(&name("key")).is_none());
    }
}

#[tokio::test]
async fn a_source_that_fails_is_left_alone_for_a_while_that_doubles() {
    let world = World::new(Mood::Fails(ErrorKind::Unavailable));
    let mut asked = Vec::new();
    for second in 0..200 {
        let before = world.asked();
        assert_eq!(world.get().await, Err(ErrorKind::Unavailable));
        assert_eq!(world.get().await, Err(ErrorKind::Unavailable));
        if world.asked() > before {
            asked.push(second);
        }
        world.after(1);
    }
    assert_eq!(asked, [0, 1, 3, 7, 15, 31, 63, 123, 183]);
    assert_eq!(world.asked(), asked.len());
}

#[tokio::test]
async fn a_secret_that_is_gone_is_gone_and_nothing_is_not_kept() {
    let world = World::new(Mood::KnowsNothing);
    assert_eq!((world.get().await, world.asked()), (Ok(None), 1));
    assert_eq!((world.get().await, world.asked()), (Ok(None), 2));
    world.mood(Mood::Lends(None));
    assert_eq!(world.get().await, is(3));
    world.mood(Mood::KnowsNothing);
    world.after(290);
    assert_eq!(world.get().await, is(3), "the answer is on its way");
    assert_eq!(world.get().await, Ok(None));
}

#[tokio::test]
async fn a_caller_who_goes_away_ends_nothing_and_a_panic_is_a_failure() {
    let world = World::gated(Mood::Lends(None), 0);
    let entry = world.cached.entry(name("key"));
    assert!(entry.ready().is_none());
    let mut gone = Box::pin(entry.get());
    assert!(futures_util::poll!(&mut gone).is_pending());
    drop(gone);
    world.backend.gate.add_permits(1);
    assert_eq!((world.get().await, world.asked()), (is(1), 1));
    assert_eq!(entry.ready().unwrap().expose(), "key-1");

    world.backend.gate.add_permits(9);
    world.mood(Mood::Panics);
    world.after(1000);
    assert_eq!(world.get().await, Err(ErrorKind::Unavailable));
    world.mood(Mood::Lends(None));
    world.after(1);
    assert_eq!(world.get().await, is(3));
}

#[tokio::test]
async fn what_was_refused_is_asked_for_anew_and_an_answer_from_before_is_not_kept() {
    let world = World::gated(Mood::Lends(None), 1);
    assert_eq!(world.get().await, is(1));
    world.cached.forget(&name("key"));
    let cached = world.cached.clone();
    let waiting =
        tokio::spawn(async move { cached.get(name("key")).await.unwrap().unwrap().expose().to_owned() });
    while world.asked() < 2 {
        tokio::task::yield_now().await;
    }
    world.cached.forget(&name("key")); // the question of `waiting` is from before
    world.backend.gate.add_permits(2);
    assert_eq!((waiting.await.unwrap().as_str(), world.asked()), ("key-3", 3));
}

#[tokio::test]
async fn a_cache_keeps_the_contract_and_is_a_link_of_a_chain() {
    let memory = || Memory::new().with(name("key"), "canary-1".to_owned());
    contract(Cached::new(memory(), 1), name("key"), "canary-1", name("other")).await;
    let chain = Chain::new().with(Cached::new(Memory::new(), 1)).with(Cached::new(memory(), 2));
    contract(chain, name("key"), "canary-1", name("other")).await;
}

#[tokio::test]
async fn a_cache_whose_source_is_broken_stops_a_chain() {
    let world = World::new(Mood::Fails(ErrorKind::Unavailable));
    let weaker = Memory::new().with(name("key"), "weaker".to_owned());
    let chain = Chain::new().with(world.cached.clone()).with(weaker);
    assert_eq!(chain.get(name("key")).await.unwrap_err().kind(), ErrorKind::Unavailable);
}
