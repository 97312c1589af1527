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
async fn until(limiter: &Redis, is_shared: bool) -> (Duration, usize) {
    let (timer, mut admitted) = (TokioTimer::new(), 0);
    while limiter.is_shared() != is_shared {
        admitted += drain(limiter).await;
        pause().await;
        assert!(timer.now() < 5 * SECOND, "nothing happens");
    }
    (timer.now(), admitted)
}

/// The server answers in time: the first question also connects, which may take longer.
async fn connected(limiter: &Redis) {
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
        ("wrong", "SET {wrong:team/model} text", "DEL {wrong:team/model}"),
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

#[tokio::test]
async fn a_key_that_moves_to_another_node_of_a_cluster_is_followed() {
    let nodes = RedisServer::cluster().await.unwrap();
    let urls = nodes.iter().map(RedisServer::url);
    let limiter = Redis::cluster(urls, limits(), 2).patience(LONG).build(TokioTimer::new()).unwrap();
    connected(&limiter).await;
    let permit = limiter.acquire(key(), Cost::requests(60), SECOND).await.unwrap();
    permit.settle(Cost::requests(60));

    let word = |answer: String| answer.lines().nth(1).map(str::to_owned).unwrap_or_default();
    let slot = nodes[0].tell("CLUSTER KEYSLOT {ratelimit:team/model}").unwrap();
    let slot = slot.lines().next().unwrap().trim_start_matches(':').to_owned();
    let from =
        nodes.iter().position(|node| node.tell("EXISTS {ratelimit:team/model}").unwrap().starts_with(":1"));
    let from = from.unwrap();
    let to = (from + 1) % 3;
    let (source, target) = (&nodes[from], &nodes[to]);
    let (source_id, target_id) =
        (word(source.tell("CLUSTER MYID").unwrap()), word(target.tell("CLUSTER MYID").unwrap()));
    target.tell(&format!("CLUSTER SETSLOT {slot} IMPORTING {source_id}")).unwrap();
    source.tell(&format!("CLUSTER SETSLOT {slot} MIGRATING {target_id}")).unwrap();
    let port = target.port();
    source.tell(&format!("MIGRATE 127.0.0.1 {port} \"\" 0 1000 KEYS {{ratelimit:team/model}}")).unwrap();
    for node in [target, source, &nodes[(from + 2) % 3]] {
        node.tell(&format!("CLUSTER SETSLOT {slot} NODE {target_id}")).unwrap();
    }
    assert!(target.tell("EXISTS {ratelimit:team/model}").unwrap().starts_with(":1"));
    let left = drain(&limiter).await;
    assert!((39..=45).contains(&left) && limiter.is_shared(), "{left} are left");
}
