//! Limits that processes share in a real Redis.

mod cluster;
mod faults;
mod model;

use std::path::Path;
use std::time::Duration;

use e2e::RedisServer;
use e2e::fleet::Member;
use e2e::limits::Shared;
use ratelimit::test_util::contract;
use ratelimit::{Cost, Error, Key, Limits, Permit, Rate, RateLimiter as _, TokioTimer, limiters::Redis};

const PROGRAM: &str = env!("CARGO_BIN_EXE_limited");
/// What an answer may take on its way before it is none.
const ON_ITS_WAY: Duration = Duration::from_millis(50);
/// For tests in which the server is well, on machines that are busy.
const LONG: Duration = Duration::from_secs(2);
const DIRECT: Shared = Shared { processes: 8, is_leased: false, per_minute: 9_000, burst: 600, seconds: 4 };
const LEASED: Shared = Shared { is_leased: true, per_minute: 24_000, burst: 4_000, seconds: 3, ..DIRECT };

fn key() -> Key {
    Key::from("team/model")
}

async fn try_one(limiter: &Redis) -> Result<Permit, Error> {
    limiter.acquire(key(), Cost::requests(1), Duration::ZERO).await
}

/// A hundred at once, and ten more each second.
fn limits() -> Limits {
    Limits::default().with_requests(Rate::per_minute(600).with_burst(100))
}

async fn drain(limiter: &Redis) -> usize {
    let mut taken = 0;
    while let Ok(permit) = try_one(limiter).await {
        permit.settle(Cost::requests(1));
        taken += 1;
    }
    taken
}

#[tokio::test]
async fn redis_keeps_the_contract_of_every_limiter_in_both_modes_and_in_a_cluster() {
    let server = RedisServer::start(&[]).unwrap();
    let at = |prefix: &str| Redis::at(server.url(), limits(), 2).prefix(prefix).patience(LONG);
    contract(at("direct").build(TokioTimer::new()).unwrap()).await;
    contract(at("leased").leased().build(TokioTimer::new()).unwrap()).await;

    let nodes = RedisServer::cluster().await.unwrap();
    let cluster = Redis::cluster(nodes.iter().map(RedisServer::url), limits(), 2);
    contract(cluster.patience(LONG).build(TokioTimer::new()).unwrap()).await;
}

/// G32, for four seconds in place of sixty.
#[tokio::test]
async fn eight_processes_are_admitted_all_that_the_limits_allow_and_no_more() {
    let server = RedisServer::start(&[]).unwrap();
    let admitted = DIRECT.run(Path::new(PROGRAM), &[server.url()]).await.unwrap();
    let (all, any) = (admitted.excess_of_all(), admitted.excess(ON_ITS_WAY));
    assert!(all == 0 && any == 0, "{all} too many in all, {any} in some stretch of time");
    let utilisation = admitted.utilisation();
    assert!(utilisation >= 0.97, "{utilisation}, {} admitted", admitted.count());
}

#[tokio::test]
async fn eight_processes_with_blocks_are_admitted_at_most_a_fiftieth_of_the_burst_more() {
    let nodes = RedisServer::cluster().await.unwrap();
    let urls: Vec<_> = nodes.iter().map(RedisServer::url).collect();
    let admitted = LEASED.run(Path::new(PROGRAM), &urls).await.unwrap();
    let any = admitted.excess(ON_ITS_WAY);
    assert!(any <= 4_000 / 50, "{any} too many in some stretch of time");
    let utilisation = admitted.utilisation();
    assert!(utilisation >= 0.97, "{utilisation}, {} admitted", admitted.count());
}

#[tokio::test]
async fn the_seat_of_a_process_that_was_killed_is_free_when_its_lease_ends() {
    let server = RedisServer::start(&[]).unwrap();
    let holder = Shared { seconds: 0, processes: 2, ..DIRECT };
    let mut members = Vec::new();
    for _ in 0..2 {
        let command = holder.command(Path::new(PROGRAM), &[server.url()]);
        let mut member = Member::start(command, "limited").unwrap();
        member.ready().await.unwrap();
        member.go().await.unwrap();
        assert_eq!(member.said().await.unwrap(), "held");
        members.push(member);
    }
    let two = Limits::default().with_concurrency(2);
    let third = Redis::at(server.url(), two, 2).patience(LONG).build(TokioTimer::new()).unwrap();
    let ask = || third.acquire(Key::from("seats"), Cost::requests(1), Duration::ZERO);
    assert!(ask().await.is_err());
    members.remove(0).kill().await.unwrap();
    assert!(ask().await.is_err(), "nobody knows yet that it is dead");

    // Its lease ends, as if its time had gone by; the other one renews its own.
    let holders = server.tell("ZRANGE {ratelimit:seats}:holders 0 -1").unwrap();
    let names: Vec<_> = holders.lines().filter(|line| line.len() > 10).collect();
    let dead = names.iter().filter(|name| !name.starts_with(['+', '*', '$'])).min().unwrap();
    server.tell(&format!("ZADD {{ratelimit:seats}}:holders 1 {dead}")).unwrap();
    let permit = ask().await.unwrap();
    assert!(ask().await.is_err(), "the one that lives has its seat still");
    drop(permit);
}
