//! Several processes at one server.

use super::*;
use crate::{Dimension, Observation, Window, test_util::contract};

#[tokio::test]
async fn the_contract_of_every_limiter_is_kept_in_both_modes() {
    contract(Twins::start().process(sixty())).await;
    contract(Twins::start().process(sixty().leased())).await;
    contract(Twins::start().process(Redis::at("redis://127.0.0.1", three(), 1))).await;
}

#[tokio::test]
async fn two_processes_share_one_limit_and_each_permit_is_one_question() {
    let twins = Twins::start();
    let (one, other) = (twins.process(sixty()), twins.process(sixty()));
    assert!(try_one(&one).await.is_ok());
    assert_eq!(twins.asked(), 1);
    assert_eq!((drain(&other).await, drain(&one).await), (59, 0));
    let refused = try_one(&one).await.unwrap_err();
    assert_eq!(refused.retry_after(), Some(SECOND), "{refused:?}");
}

#[tokio::test]
async fn a_cost_is_charged_in_every_dimension_or_in_none() {
    let twins = Twins::start();
    let limiter = twins.process(Redis::at("redis://127.0.0.1", three(), 1));
    let ask = |input, output| {
        let cost = Cost::requests(1).with_input_tokens(input).with_output_tokens(output);
        limiter.acquire(key(), cost, Duration::ZERO)
    };
    let mut permit = ask(600, 600).await.unwrap();
    permit.assume(Cost::requests(1).with_input_tokens(600));
    assert!(ask(1, 0).await.is_err());
    for _ in 0..100 {
        assert!(ask(0, 1).await.is_err());
    }
    drop(permit);
    // All 600 tokens of output have come back, and of the requests one is gone.
    drop(ask(0, 600).await.unwrap());
    for _ in 0..58 {
        drop(ask(0, 0).await.unwrap());
    }
    assert!(ask(0, 0).await.is_err());
}

#[tokio::test]
async fn what_can_never_fit_is_told_at_once_and_nobody_is_asked() {
    let twins = Twins::start();
    let limiter = twins.process(Redis::at("redis://127.0.0.1", three(), 1));
    let error = limiter.acquire(key(), Cost::requests(1).with_input_tokens(601), SECOND).await.unwrap_err();
    let Error::TooLarge { dimension, asked, capacity } = error else { panic!("{error:?}") };
    assert_eq!((dimension, asked, capacity), (Dimension::InputTokens, 601, 600));
    assert_eq!(twins.asked(), 0);
}

#[tokio::test]
async fn a_debt_is_paid_back_by_waiting_by_everybody() {
    let twins = Twins::start();
    let (one, other) = (twins.process(sixty()), twins.process(sixty()));
    try_one(&one).await.unwrap().settle(Cost::requests(70));
    one.give_back().await.unwrap();
    assert_eq!(try_one(&other).await.unwrap_err().retry_after(), Some(11 * SECOND));
    twins.pass(11 * SECOND).await;
    assert_eq!(drain(&other).await, 1);
}

#[tokio::test]
async fn a_settlement_counts_once_although_its_answer_is_lost() {
    let twins = Twins::start();
    let limiter = twins.process(sixty());
    let permit = limiter.acquire(key(), Cost::requests(40), Duration::ZERO).await.unwrap();
    permit.settle(Cost::requests(10));
    for behaviour in [LOSES_ANSWERS, REFUSES, LOSES_ANSWERS] {
        twins.behave(behaviour);
        assert!(limiter.give_back().await.is_err());
    }
    twins.behave(ANSWERS);
    limiter.give_back().await.unwrap();
    assert_eq!(drain(&twins.process(sixty())).await, 50);
}

#[tokio::test]
async fn whoever_goes_away_is_charged_nothing() {
    let twins = Twins::start();
    let limiter = twins.process(sixty());
    drain(&limiter).await;
    twins.behave(IS_SLOW);
    for polls in 0..6 {
        let mut waiting = Box::pin(limiter.acquire(key(), Cost::requests(60), 100 * SECOND));
        for _ in 0..polls {
            let _ = std::future::poll_fn(|context| {
                std::task::Poll::Ready(waiting.as_mut().poll(context).is_ready())
            })
            .await;
            tokio::task::yield_now().await;
        }
        drop(waiting);
        settle_down().await;
    }
    limiter.give_back().await.unwrap();
    twins.behave(ANSWERS);
    // Its place in line is gone as well: the time until its turn is not waited for.
    twins.pass(2 * SECOND).await;
    let other = twins.process(sixty());
    assert_eq!(drain(&limiter).await + drain(&other).await, 2);
    twins.pass(60 * SECOND).await;
    assert_eq!(drain(&limiter).await, 60);
}

#[tokio::test]
async fn whoever_gives_up_again_and_again_does_not_starve_the_others() {
    let twins = Twins::start();
    let (impatient, other) = (twins.process(sixty()), twins.process(sixty()));
    drain(&other).await;
    let timer = Arc::clone(&twins.timer);
    let impatient = tokio::spawn(async move {
        loop {
            let all = impatient.acquire(key(), Cost::requests(60), 600 * SECOND);
            let _ = super::super::race::within(&*timer, SECOND / 5, all).await;
        }
    });
    let served = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&served);
    let patient = tokio::spawn(async move {
        loop {
            other.acquire(key(), Cost::requests(1), 600 * SECOND).await.unwrap().settle(Cost::requests(1));
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    twins.pass(20 * SECOND).await;
    impatient.abort();
    patient.abort();
    let served = served.load(Ordering::Relaxed);
    assert!((10..=20).contains(&served), "{served} of 20");
}

#[tokio::test]
async fn whoever_waits_for_a_time_that_is_closed_since_then_waits_until_it_is_open() {
    for is_leased in [false, true] {
        let twins = Twins::start();
        let limiter = twins.process(if is_leased { sixty().leased() } else { sixty() });
        drain(&limiter).await;
        let waiting = {
            let limiter = limiter.clone();
            tokio::spawn(
                async move { limiter.acquire(key(), Cost::requests(2), 60 * SECOND).await.map(drop) },
            )
        };
        settle_down().await;
        limiter.observe(&key(), &Observation::default().with_retry_after(8 * SECOND));
        twins.pass(7 * SECOND).await;
        assert!(!waiting.is_finished(), "closed, leased: {is_leased}");
        twins.pass(2 * SECOND).await;
        assert!(waiting.is_finished(), "open again, leased: {is_leased}");
    }
}

#[tokio::test]
async fn a_large_request_is_served_although_small_ones_keep_coming() {
    let twins = Twins::start();
    let (small, large) = (twins.process(sixty()), twins.process(sixty()));
    drain(&small).await;
    let small = tokio::spawn(async move {
        loop {
            drop(small.acquire(key(), Cost::requests(1), 300 * SECOND).await.unwrap());
        }
    });
    let large =
        tokio::spawn(async move { large.acquire(key(), Cost::requests(48), 300 * SECOND).await.is_ok() });
    let before = twins.timer.now();
    while !large.is_finished() {
        twins.pass(SECOND / 10).await;
        assert!(twins.timer.now() - before < 2 * 48 * SECOND, "twice what it takes alone");
    }
    small.abort();
    assert!(large.await.unwrap());
}

#[tokio::test]
async fn permits_of_a_process_that_died_come_back_and_those_of_one_that_lives_do_not() {
    let twins = Twins::start();
    let two = || Redis::at("redis://127.0.0.1", Limits::default().with_concurrency(2), 2);
    let is_dead = Arc::new(AtomicBool::new(false));
    let mortal = Mortal { twins: Arc::clone(&twins), is_dead: Arc::clone(&is_dead) };
    let dies = two().build_on(mortal, Arc::clone(&twins.timer));
    let (lives, third) = (twins.process(two()), twins.process(two()));
    let held = (try_one(&dies).await.unwrap(), try_one(&lives).await.unwrap());
    assert!(try_one(&third).await.is_err());
    is_dead.store(true, Ordering::Relaxed);
    twins.pass(15 * SECOND).await;
    assert!(try_one(&third).await.is_err());
    twins.pass(10 * SECOND).await;
    let mine = try_one(&third).await.unwrap();
    assert!(try_one(&third).await.is_err(), "the one that lives has its permit still");
    drop((mine, held));
}

#[tokio::test]
async fn a_clock_that_goes_back_gives_nothing_and_takes_nothing() {
    let twins = Twins::start();
    let limiter = twins.process(sixty());
    drain(&limiter).await;
    for _ in 0..3 {
        twins.clock_off.fetch_sub(60_000_000, Ordering::Relaxed);
        assert_eq!(drain(&limiter).await, 0);
        twins.pass(SECOND).await;
        assert_eq!(drain(&limiter).await, 1, "a second is worth one");
    }
}

#[tokio::test]
async fn what_the_service_says_is_heard_by_every_process_and_only_lowers() {
    let twins = Twins::start();
    let (one, other) = (twins.process(sixty()), twins.process(sixty()));
    drop(try_one(&one).await.unwrap());
    one.observe(&key(), &Observation::default().with_requests(Window::default().with_remaining(7)));
    one.give_back().await.unwrap();
    assert_eq!(drain(&other).await, 7);
    one.observe(&key(), &Observation::default().with_requests(Window::default().with_remaining(60)));
    one.give_back().await.unwrap();
    assert_eq!(drain(&other).await, 0);

    one.observe(&key(), &Observation::default().with_retry_after(5 * SECOND));
    one.give_back().await.unwrap();
    twins.pass(4 * SECOND).await;
    assert_eq!((drain(&other).await, drain(&one).await), (0, 0));
    twins.pass(SECOND).await;
    assert_eq!(drain(&other).await, 5);
}

#[tokio::test]
async fn those_who_wait_in_one_process_are_served_in_the_order_they_came() {
    let twins = Twins::start();
    let limiter = twins.process(sixty());
    drain(&limiter).await;
    let order = Arc::new(Mutex::new(Vec::new()));
    for number in 0..5 {
        let (limiter, order) = (limiter.clone(), Arc::clone(&order));
        tokio::spawn(async move {
            drop(limiter.acquire(key(), Cost::requests(1), 60 * SECOND).await.unwrap());
            order.lock().unwrap().push(number);
        });
        settle_down().await;
    }
    twins.pass(6 * SECOND).await;
    assert_eq!(*order.lock().unwrap(), [0, 1, 2, 3, 4]);
}
