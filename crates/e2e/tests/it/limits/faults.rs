//! F65: servers that are gone, hang or refuse, and what they do to those who share limits.

use ratelimit::Timer as _;
use ratelimit::limiters::redis::WhenGone;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

async fn pause() {
    TokioTimer::new().sleep(Duration::from_millis(10)).await;
}

/// Asks every few milliseconds until the server is used again, or no more, and says how long that took and how many were
/// admitted by then.
pub(super) async fn until(limiter: &Redis, is_shared: bool) -> (Duration, usize) {
    let (timer, mut admitted) = (TokioTimer::new(), 0);
    while limiter.is_shared() != is_shared {
        admitted += drain(limiter).await;
        pause().await;
        assert!(timer.now() < 5 * SECOND, "nothing happens");
    }
    (timer.now(), admitted)
}

/// The server answers in time: the first question also connects, which may take longer.
pub(super) async fn connected(limiter: &Redis) {
    until(limiter, true).await;
    while try_one(limiter).await.is_err() || !limiter.is_shared() {
        pause().await;
    }
}

/// Whatever is wrong: the mode changes within a second, the share is kept, the server is used again within a second
/// after it is well, and there is no burst then.
async fn survives(
    server: &mut RedisServer,
    what: &str,
    hurt: impl Fn(&mut RedisServer),
    heal: impl Fn(&mut RedisServer),
) {
    let limiter = Redis::at(server.url(), limits(), 2).prefix(what).build(TokioTimer::new()).unwrap();
    connected(&limiter).await;
    let before = TokioTimer::new();
    drain(&limiter).await;
    hurt(server);
    let (took, mut admitted) = until(&limiter, false).await;
    assert!(took <= SECOND, "{what}: the mode changed after {took:?}");
    let timer = TokioTimer::new();
    let mut longest = Duration::ZERO;
    while timer.now() < SECOND {
        let began = timer.now();
        admitted += drain(&limiter).await;
        longest = longest.max(timer.now() - began);
        pause().await;
    }
    heal(server);
    let (took, more) = until(&limiter, true).await;
    assert!(took <= SECOND, "{what}: back after {took:?}");
    admitted += more + drain(&limiter).await;
    // Ten a second, of which the share is a half; the server is asked for more until it is hurt.
    let allowed = before.now().as_millis() / 100 + 1;
    assert!(
        admitted as u128 <= allowed,
        "{what}: {admitted} and not {allowed} while the server was gone and after it"
    );
    assert!(longest <= Duration::from_millis(100), "{what}: somebody waited {longest:?} for a share");
}

#[tokio::test]
async fn a_server_that_is_killed_and_comes_back_empty_or_stands_still_is_done_without() {
    let mut server = RedisServer::start(&[]).unwrap();
    survives(&mut server, "killed", RedisServer::stop, |server| server.resume().unwrap()).await;
    let (stop, go) =
        (|server: &mut RedisServer| server.freeze(true), |server: &mut RedisServer| server.freeze(false));
    survives(&mut server, "stopped", |server| stop(server).unwrap(), |server| go(server).unwrap()).await;
}

#[tokio::test]
async fn a_server_that_is_slow_or_refuses_is_done_without() {
    let mut server = RedisServer::start(&[]).unwrap();
    // For longer than the test looks at it, and then over by itself.
    let pause = |server: &mut RedisServer| server.say("CLIENT PAUSE 1500 ALL").unwrap();
    survives(&mut server, "slow", pause, |_| ()).await;
    let faults = [
        ("read-only", "REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"),
        ("full", "CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0"),
    ];
    for (what, hurt, heal) in faults {
        let hurt = |server: &mut RedisServer| {
            let answer = server.tell(hurt).unwrap();
            assert!(answer.starts_with("+OK"), "{answer}");
        };
        survives(&mut server, what, hurt, |server| drop(server.tell(heal).unwrap())).await;
    }
}

#[tokio::test]
async fn a_key_that_holds_something_else_is_told_by_its_name_and_harms_no_other() {
    let server = RedisServer::start(&[]).unwrap();
    let limiter = Redis::at(server.url(), limits(), 2).patience(LONG).build(TokioTimer::new()).unwrap();
    let ask = |key: &str| limiter.acquire(Key::from(key), Cost::requests(1), Duration::ZERO);
    ask("good").await.unwrap().settle(Cost::requests(1));
    assert!(server.tell("SET {ratelimit:bad} text").unwrap().starts_with("+OK"));
    let error = ask("bad").await.unwrap_err();
    let Error::Unavailable(why) = error else { panic!("{error:?}") };
    assert!(why.to_string().contains("{ratelimit:bad} holds something else than a limit"), "{why}");
    assert!(limiter.is_shared());
    ask("good").await.unwrap().settle(Cost::requests(1));
    server.tell("DEL {ratelimit:bad}").unwrap();
    ask("bad").await.unwrap().settle(Cost::requests(1));
}

#[tokio::test]
async fn what_does_not_concern_a_limit_changes_no_mode() {
    let server = RedisServer::start(&[]).unwrap();
    let limiter = Redis::at(server.url(), limits(), 2).patience(LONG).build(TokioTimer::new()).unwrap();
    let timer = TokioTimer::new();
    connected(&limiter).await;
    let mut admitted = 1 + drain(&limiter).await;
    // Scripts are forgotten, a clock goes back by a minute as seen from what is kept, and data is lost.
    server.tell("SCRIPT FLUSH").unwrap();
    admitted += drain(&limiter).await;
    let now: u64 = kept(&server, "now") + 60_000_000;
    server.tell(&format!("HSET {{ratelimit:team/model}} now {now} at {now}")).unwrap();
    admitted += drain(&limiter).await;
    assert!(kept(&server, "shift") > 59_000_000 && limiter.is_shared());
    server.tell("FLUSHALL").unwrap();
    admitted += drain(&limiter).await;
    // Where data is lost, the time that a question may take counts as earned.
    let earned = (timer.now() + LONG).as_millis() / 100;
    assert!(admitted as u128 <= 101 + earned && limiter.is_shared(), "{admitted}, but {earned} earned");
    let permit = limiter.acquire(key(), Cost::requests(1), SECOND).await;
    assert!(permit.is_ok(), "time goes on: {permit:?}");
}

#[tokio::test]
async fn a_server_that_reads_its_data_after_a_start_is_done_without_until_it_has_read_it() {
    let mut server = RedisServer::start(&["--rdbcompression", "no"]).unwrap();
    let limiter = Redis::at(server.url(), limits(), 2).prefix("loading").build(TokioTimer::new()).unwrap();
    connected(&limiter).await;
    let spent = drain(&limiter).await;
    assert!(spent >= 99 && limiter.is_shared(), "{spent}");
    let before = TokioTimer::new();
    // 150 keys, and 10 ms for each.
    for number in 0..150 {
        server.tell(&format!("SET key:{number} {number:0512}")).unwrap();
    }
    assert!(server.tell("SAVE").unwrap().starts_with("+OK"));
    server.stop();
    server.reload(&["--key-load-delay", "10000", "--loading-process-events-interval-bytes", "1024"]).unwrap();
    assert!(server.tell("GET key:1").unwrap().starts_with("-LOADING"));
    let (took, mut admitted) = until(&limiter, false).await;
    assert!(took <= SECOND, "the mode changed after {took:?}");
    let (_, more) = until(&limiter, true).await;
    admitted += more + drain(&limiter).await;
    let allowed = before.now().as_millis() / 100 + 1;
    assert!(admitted as u128 <= allowed, "{admitted} and not {allowed}");
}

fn kept(server: &RedisServer, field: &str) -> u64 {
    let answer = server.tell(&format!("HGET {{ratelimit:team/model}} {field}")).unwrap();
    answer.lines().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_server_that_refuses_the_password_is_told_as_such_and_the_password_is_not() {
    let server = RedisServer::start(&["--requirepass", "canary"]).unwrap();
    let at = |url: &str| Redis::at(url.replace("PORT", &server.port().to_string()), limits(), 2);
    let wrong = at("redis://:canary-wrong@127.0.0.1:PORT").when_gone(WhenGone::Closed);
    let wrong = wrong.build(TokioTimer::new()).unwrap();
    let error = try_one(&wrong).await.unwrap_err();
    let told = format!("{error} {error:?} {wrong:?}");
    assert!(matches!(error, Error::Unavailable(_)) && !told.contains("canary"), "{told}");
    let right = at("redis://:canary@127.0.0.1:PORT").build(TokioTimer::new()).unwrap();
    connected(&right).await;
    assert!(!format!("{right:?}").contains("canary"));
}
