use std::{
    collections::VecDeque,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use futures_util::future::{join_all, poll_immediate};
use transport::SimClock;

use super::*;

const T0: SystemTime = SystemTime::UNIX_EPOCH;
const HOUR: Duration = Duration::from_secs(3600);

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// Gives `t1`, `t2` and so on, for an hour each, unless its script says otherwise.
#[derive(Debug, Default)]
struct Office {
    asked: AtomicUsize,
    script: Mutex<VecDeque<Scripted>>,
}

#[derive(Debug)]
enum Scripted {
    Down,
    Waiting(Duration),
    Panic,
    Silence,
    Life(Duration),
}

#[async_trait]
impl TokenSource for Arc<Office> {
    async fn grant(&self, clock: &dyn Clock) -> Result<Grant, AuthError> {
        let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        tokio::task::yield_now().await;
        let scripted = self.script.lock().unwrap().pop_front();
        let down = |retry_after| AuthError::Renewal { reason: "closed".into(), retryable: true, retry_after };
        let life = match scripted {
            None => HOUR,
            Some(Scripted::Life(life)) => life,
            Some(Scripted::Down) => return Err(down(None)),
            Some(Scripted::Waiting(wait)) => return Err(down(Some(wait))),
            Some(Scripted::Panic) => panic!("on purpose"),
            Some(Scripted::Silence) => std::future::pending().await,
        };
        let credential = Credential::token(format!("t{number}").into(), 0)?;
        Ok(Grant { credential, expires_at: Some(clock.now() + life) })
    }
}

impl Office {
    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// A cache on a clock that is held, over an office that does these things first.
fn over(script: impl IntoIterator<Item = Scripted>) -> (Cached, Arc<Office>, SimClock) {
    let office = Arc::new(Office { script: Mutex::new(script.into_iter().collect()), ..Office::default() });
    let clock = SimClock::new(T0);
    (Cached::new_with(Arc::clone(&office), clock.clone(), Policy::default()), office, clock)
}

async fn token(cached: &Cached) -> String {
    cached.credential().await.unwrap().expose().to_owned()
}

/// Lets everybody else go on until there is nothing left to do without the clock.
async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn ten_thousand_callers_are_one_question() {
    let (cached, office, _) = over([]);
    let tokens = join_all((0..10_000).map(|_| token(&cached))).await;
    assert!(tokens.iter().all(|token| token == "t1"));
    assert_eq!(office.asked(), 1);
}

#[tokio::test]
async fn ten_thousand_refusals_of_one_token_that_come_in_over_ten_seconds_are_one_question() {
    let (cached, office, clock) = over([]);
    let old = cached.credential().await.unwrap();
    for _ in 0..10_000 {
        cached.reject(&old);
        assert_eq!(token(&cached).await, "t2");
        clock.advance(Duration::from_millis(1));
    }
    assert_eq!(office.asked(), 2);
}

#[tokio::test]
async fn in_its_last_two_minutes_a_token_is_given_while_the_next_is_asked_for() {
    let (cached, office, clock) = over([]);
    assert_eq!(token(&cached).await, "t1");
    clock.advance(HOUR - seconds(121));
    assert_eq!(poll_immediate(token(&cached)).await.unwrap(), "t1");
    settle().await;
    assert_eq!(office.asked(), 1);

    clock.advance(seconds(1));
    assert_eq!(poll_immediate(token(&cached)).await.unwrap(), "t1", "nobody waits");
    settle().await;
    assert_eq!(office.asked(), 2);
    assert_eq!(token(&cached).await, "t2");
}

#[tokio::test]
async fn in_its_last_half_minute_a_token_is_not_given_if_the_next_is_near() {
    let (cached, _, clock) = over([]);
    assert_eq!(token(&cached).await, "t1");
    clock.advance(HOUR - seconds(30));
    assert_eq!(token(&cached).await, "t2");
}

#[tokio::test]
async fn a_failure_is_everybodys_and_the_next_question_waits_twice_as_long_each_time() {
    use Scripted::Down;
    let (cached, office, clock) = over([Down, Down, Down]);
    for (count, wait) in [(1, 1), (2, 2), (3, 4)] {
        let outcomes = join_all((0..100).map(|_| cached.credential())).await;
        for outcome in outcomes {
            let error = outcome.unwrap_err();
            assert!(error.is_retryable());
            assert_eq!(error.retry_after(), Some(seconds(wait)), "{error}");
        }
        assert_eq!(office.asked(), count);
        clock.advance(seconds(wait) - Duration::from_millis(1));
        let error = cached.credential().await.unwrap_err();
        assert_eq!(error.retry_after(), Some(Duration::from_millis(1)));
        assert_eq!(office.asked(), count, "nothing is asked before the wait is over");
        clock.advance(Duration::from_millis(1));
    }
    assert_eq!(token(&cached).await, "t4");
}

#[tokio::test]
async fn a_source_that_says_how_long_is_left_alone_for_that_long() {
    let (cached, office, clock) = over([Scripted::Waiting(seconds(90))]);
    assert_eq!(cached.credential().await.unwrap_err().retry_after(), Some(seconds(90)));
    clock.advance(seconds(89));
    cached.credential().await.unwrap_err();
    assert_eq!(office.asked(), 1);
    clock.advance(seconds(1));
    assert_eq!(token(&cached).await, "t2");
}

#[tokio::test]
async fn while_the_source_is_down_a_good_token_is_given_and_few_questions_are_asked() {
    let (cached, office, clock) = over([Scripted::Life(2 * HOUR)]);
    assert_eq!(token(&cached).await, "t1");
    office.script.lock().unwrap().extend(std::iter::repeat_with(|| Scripted::Down).take(1000));
    clock.advance(2 * HOUR - seconds(120));
    for _ in 0..1190 {
        assert_eq!(token(&cached).await, "t1");
        settle().await;
        clock.advance(Duration::from_millis(100));
    }
    assert_eq!(office.asked(), 1 + 7, "after 0, 1, 3, 7, 15, 31 and 63 s");
    clock.advance(seconds(1));
    cached.credential().await.unwrap_err();
}

#[tokio::test]
async fn a_service_that_refuses_every_fresh_token_is_not_served_with_one_after_another() {
    let (cached, office, clock) = over([]);
    for _ in 0..100 {
        if let Ok(credential) = cached.credential().await {
            cached.reject(&credential);
        }
        clock.advance(Duration::from_millis(100));
    }
    assert_eq!(office.asked(), 5, "at once, then after waits of 1, 2 and 4 s");
    let error = cached.credential().await.unwrap_err();
    assert!(error.to_string().contains("refuses even fresh tokens"), "{error}");

    clock.advance(seconds(8));
    assert_eq!(token(&cached).await, "t6", "it goes on when the service does");
}

#[tokio::test]
async fn a_refusal_that_comes_late_does_not_touch_the_successor() {
    let (cached, office, _) = over([]);
    let old = cached.credential().await.unwrap();
    cached.reject(&old);
    let new = cached.credential().await.unwrap();
    cached.reject(&old);
    assert_eq!(cached.ready().unwrap().generation(), new.generation());
    assert_eq!(office.asked(), 2);
}

#[tokio::test]
async fn a_source_that_panics_has_failed_and_is_asked_again() {
    let (cached, office, clock) = over([Scripted::Panic]);
    for outcome in join_all((0..10).map(|_| cached.credential())).await {
        assert!(matches!(outcome, Err(AuthError::Panicked { what: "the token source" })), "{outcome:?}");
    }
    assert_eq!(office.asked(), 1);
    clock.advance(seconds(1));
    assert_eq!(token(&cached).await, "t2");
}

#[tokio::test]
async fn a_source_that_does_not_answer_is_given_up_for_everybody() {
    let (cached, _, clock) = over([Scripted::Silence]);
    let mut waiting = Box::pin(join_all((0..10).map(|_| cached.credential())));
    assert!(poll_immediate(&mut waiting).await.is_none());
    settle().await;
    clock.advance(seconds(30));
    for outcome in waiting.await {
        let error = outcome.unwrap_err();
        assert!(error.to_string().contains("no token within 30 s"), "{error}");
    }
    clock.advance(seconds(1));
    assert_eq!(token(&cached).await, "t2");
}

#[tokio::test]
async fn a_caller_who_goes_away_ends_nothing() {
    let (cached, office, _) = over([]);
    assert!(poll_immediate(cached.credential()).await.is_none());
    settle().await;
    assert_eq!(cached.ready().unwrap().expose(), "t1");
    assert_eq!(office.asked(), 1);
}

#[test]
fn a_runtime_that_ends_in_the_middle_of_a_question_leaves_the_next_one_free() {
    let (cached, _, _) = over([Scripted::Silence]);
    let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
    let first = runtime();
    first.block_on(async {
        assert!(poll_immediate(cached.credential()).await.is_none());
        settle().await;
    });
    drop(first);
    assert_eq!(runtime().block_on(token(&cached)), "t2");
}

#[tokio::test]
async fn a_token_that_comes_expired_is_a_failure() {
    let (cached, office, _) = over([Scripted::Life(Duration::ZERO)]);
    let error = cached.credential().await.unwrap_err();
    assert!(error.to_string().contains("has expired"), "{error}");
    assert_eq!(office.asked(), 1);
}

#[tokio::test]
async fn a_clock_that_is_set_back_takes_the_expiry_along_and_ends_a_wait() {
    /// The clock of a machine that somebody sets.
    #[derive(Debug, Clone)]
    struct Hand(Arc<Mutex<SystemTime>>);

    #[async_trait]
    impl Clock for Hand {
        fn now(&self) -> SystemTime {
            *self.0.lock().unwrap()
        }

        async fn sleep(&self, _: Duration) {
            std::future::pending::<()>().await;
        }
    }

    let office = Arc::new(Office::default());
    let hand = Hand(Arc::new(Mutex::new(T0 + 10 * HOUR)));
    let cached = Cached::new_with(Arc::clone(&office), hand.clone(), Policy::default());
    let set = |time| *hand.0.lock().unwrap() = time;
    assert_eq!(token(&cached).await, "t1");
    set(T0 + 8 * HOUR);
    assert_eq!(token(&cached).await, "t1");
    set(T0 + 9 * HOUR);
    assert_eq!(token(&cached).await, "t2", "an hour later it is over, whatever the clock was");

    office.script.lock().unwrap().push_back(Scripted::Down);
    set(T0 + 11 * HOUR);
    cached.credential().await.unwrap_err();
    set(T0 + 10 * HOUR);
    assert_eq!(token(&cached).await, "t4");
}

#[tokio::test]
async fn a_good_token_is_read_while_somebody_holds_the_state() {
    let (cached, _, clock) = over([]);
    cached.credential().await.unwrap();
    // Whoever took the lock now would never come back: there is one thread.
    let _held = cached.0.state();
    clock.advance(HOUR - seconds(121));
    assert_eq!(cached.ready().unwrap().expose(), "t1");
    assert_eq!(token(&cached).now_or_never().unwrap(), "t1");
    clock.advance(seconds(1));
    assert!(cached.ready().is_none(), "in its last 120 s the state has to be asked");
}
