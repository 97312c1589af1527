//! Many processes with one session, against a server that rotates refresh tokens and takes a repetition for theft.
//!
//! What is at stake is what processes do to each other, so these are real ones and they take real time.
//! `cargo xtask soak` runs the same for longer.

use std::time::Duration;

use e2e::fleet::{
    Blow, Grants, Killing, Official, Order, World, both_ways, kill_trials, mixed, stopped_holder, storm,
    together,
};
use mock_server::{Builder, MockServer};

use crate::tools;

const PROGRAM: &str = env!("CARGO_BIN_EXE_session");

/// G3.
#[tokio::test]
async fn sixty_four_processes_with_an_expired_session_renew_it_once() {
    let world = World::start(MockServer::builder(), PROGRAM).await.unwrap();
    for trial in 0..5 {
        world.set_expiry(1).unwrap();
        let outcome = together(&world, 64).await.unwrap();
        assert!(outcome.failures.is_empty(), "trial {trial}: {:?}", outcome.failures);
        assert_eq!(outcome.grants, Grants { rotated: 1, ..Grants::default() }, "trial {trial}");
    }
}

/// G54: what a start costs a processor; how long it takes is the machine's affair while 64 of them start. One in a hundred may
/// be charged with what the system did meanwhile, so the 99th percentile counts.
#[tokio::test]
async fn sixty_four_processes_that_start_with_a_good_token_renew_nothing_and_start_at_once() {
    let world = World::start(MockServer::builder(), PROGRAM).await.unwrap().measured();
    let mut work = Vec::new();
    for _ in 0..4 {
        let outcome = storm(&world, 64).await.unwrap();
        assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
        assert_eq!(outcome.grants, Grants::default());
        work.extend(outcome.work);
    }
    work.sort();
    assert!(work[work.len() * 99 / 100] < Duration::from_millis(5), "{work:?}");
}

/// G5 and G6c: sessions do get lost to a kill between the server's answer and the disk, and are told as such.
#[tokio::test]
async fn a_process_that_is_killed_leaves_a_whole_file_and_a_free_lock() {
    let killing = kill(MockServer::builder(), &[], 7).await;
    let lock = *killing.locks.last().unwrap();
    assert!(lock <= Duration::from_millis(100), "the next one waited {lock:?} for the lock");
    assert!(killing.lost > 0, "{killing:?}: no blow hit the moment that matters");
    assert_eq!(killing.lost, killing.diagnosed, "{killing:?}");
}

/// G6a.
#[tokio::test]
async fn where_the_server_forgives_a_repetition_no_kill_costs_the_session() {
    let server = MockServer::builder().refresh_reuse_window(Duration::from_secs(60));
    let killing = kill(server, &[], 8).await;
    assert!(killing.rotated > killing.stored, "{killing:?}: no blow hit the moment that matters");
    assert_eq!(killing.lost, 0, "{killing:?}");
}

/// G6b.
#[tokio::test]
async fn where_another_process_renews_no_kill_costs_the_session_of_a_strict_server_either() {
    let killing = kill(MockServer::builder(), &["delegates"], 9).await;
    assert!(killing.rotated > killing.stored, "{killing:?}: no blow hit the moment that matters");
    assert_eq!(killing.lost, 0, "{killing:?}");
}

async fn kill(server: Builder, words: &[&str], seed: u64) -> Killing {
    let world = World::start(server, PROGRAM).await.unwrap();
    let mut random = fastrand::Rng::with_seed(seed);
    let killing = kill_trials(&world, words, (0..80).map(|_| Blow::random(&mut random))).await.unwrap();
    let nothing = Vec::<String>::new();
    assert_eq!((&killing.broken, &killing.litter, &killing.failures), (&nothing, &nothing, &nothing));
    killing
}

/// F41.
#[tokio::test]
async fn while_a_process_that_renews_is_stopped_nobody_else_does() {
    let world = World::start(MockServer::builder(), PROGRAM).await.unwrap();
    stopped_holder(&world).await.unwrap();
}

#[tokio::test]
async fn the_official_sdks_and_we_use_and_renew_each_others_session() {
    for sdk in Official::all(&tools()) {
        let world = World::start(MockServer::builder(), PROGRAM).await.unwrap();
        both_ways(&world, &sdk).await.unwrap();
    }
}

/// G15 and F43.
#[tokio::test]
async fn beside_four_official_sdks_that_take_no_lock_our_calls_all_go_well() {
    let server = MockServer::builder().refresh_reuse_revokes(false);
    let world = World::start(server, PROGRAM).await.unwrap();
    let sdks = Official::all(&tools());
    for (order, trials) in [(Order::AtOnce, 3), (Order::TheyAreFirst, 2)] {
        let outcome = mixed(&world, &sdks, 4, trials, order).await.unwrap();
        assert!(outcome.ours.is_empty(), "{order:?}: {:?}", outcome.ours);
    }
}
