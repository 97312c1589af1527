//! The script on a real server beside its twin, over the same random histories.

use e2e::RedisServer;
use fastrand::Rng;
use ratelimit::test_util::twin::{SCRIPT, Twin};
use redis::Script;

/// The script with a clock that the test holds.
fn held() -> Script {
    let clock = "redis.call('TIME')";
    assert_eq!(SCRIPT.matches(clock).count(), 1);
    Script::new(&SCRIPT.replace(clock, "{ARGV[#ARGV - 1], ARGV[#ARGV]}"))
}

/// Rates and bursts from one to the largest, and odd ones.
fn amount(random: &mut Rng) -> i64 {
    match random.u8(0..5) {
        0 => random.i64(0..3),
        1 => random.i64(1..100),
        2 => random.i64(1..100_000),
        3 => [7, 59, 40_000_007, 99_999_989, 100_000_000][random.usize(0..5)],
        _ => random.i64(1..=100_000_000),
    }
}

fn span(random: &mut Rng, told: i64) -> i64 {
    match random.u8(0..8) {
        0 => 0,
        1 => random.i64(0..5),
        2 => random.i64(0..100_000),
        3 => random.i64(0..10_000_000),
        4 => random.i64(0..10_000_000_000),
        // To the time that was told, and a little off it.
        _ => (told + random.i64(-2..3)).clamp(0, 1_000_000_000_000),
    }
}

#[test]
fn the_script_and_its_twin_answer_the_same_over_the_same_histories() {
    let server = RedisServer::start(&[]).unwrap();
    let mut connection = redis::Client::open(server.url()).unwrap().get_connection().unwrap();
    let (script, mut random) = (held(), Rng::with_seed(65));
    let (mut compared, mut undone, mut kinds) = (0, 0, [0; 4]);
    for history in 0..150 {
        let mut twin = Twin::default();
        let mut clock = 1_700_000_000_000_000_i64;
        let (rates, bursts) = ([(); 3].map(|()| amount(&mut random)), [(); 3].map(|()| amount(&mut random)));
        let is_limited = [(); 3].map(|()| random.u8(0..6) > 0);
        let most = if random.bool() { random.i64(1..6) } else { 0 };
        // Three processes, with the names they were given, their last batches, and what they hold.
        let mut processes = [(0, 0, 0); 3];
        let (mut told, mut last) = (0, 0);
        for step in 0..40 {
            clock += span(&mut random, told);
            if random.u8(0..12) == 0 {
                clock -= random.i64(0..90_000_000);
            }
            let who = random.usize(0..3);
            let (name, batch, held) = &mut processes[who];
            let has_batch = *name != 0 && random.bool();
            if has_batch && random.u8(0..4) > 0 {
                *batch += 1;
            }
            if most > 0 && *held > 0 && random.bool() {
                *held -= 1;
            }
            let batch = if has_batch { *batch } else { 0 };
            let away = if random.u8(0..8) == 0 { span(&mut random, told) } else { 0 };
            let idle = if random.bool() { span(&mut random, told) } else { -1 };
            let wants = i64::from(random.u8(0..5) > 0);
            let closed = if random.u8(0..20) == 0 { random.i64(0..100_000) } else { 0 };
            let patience = span(&mut random, told);
            let age = if random.u8(0..6) == 0 { span(&mut random, told) } else { -1 };
            let undo = if random.u8(0..3) == 0 { last - i64::from(random.u8(0..6) == 0) } else { 0 };
            let mut arguments = [0; 31];
            arguments[..13].copy_from_slice(&[
                *name, batch, *held, most, 20_000_000, away, idle, 100_000, patience, wants, closed, age,
                undo,
            ]);
            for dimension in 0..3 {
                let burst = bursts[dimension];
                let cost = if random.bool() { random.i64(0..=burst) } else { random.i64(0..=burst.min(3)) };
                let correction = random.i64(-burst * 2..=burst);
                let remaining = if random.u8(0..12) == 0 { random.i64(0..=burst) } else { -1 };
                let rate = if is_limited[dimension] { rates[dimension] } else { -1 };
                // What the service tells is above what is set, and sometimes below.
                let word = match random.u8(0..6) {
                    0 => -1,
                    1 => random.i64(1..=burst.max(1)),
                    _ => 100_000_000,
                };
                let place = 13 + 6 * dimension;
                arguments[place..place + 6]
                    .copy_from_slice(&[rate, burst, cost, correction, remaining, word]);
            }

            let mut call = script.key(format!("{{{history}}}"));
            call.key(format!("{{{history}}}:holders"));
            for argument in arguments {
                call.arg(argument);
            }
            call.arg(clock / 1_000_000).arg(clock % 1_000_000);
            let answer: [i64; 5] = call.invoke(&mut connection).unwrap();
            assert_eq!(
                answer,
                twin.answer(clock, arguments),
                "history {history}, step {step}: {arguments:?}"
            );

            let [status, wait, again, given, number] = answer;
            undone += i32::from(undo == last && batch > 0);
            last = number;
            told = if status == 0 { wait } else { again };
            (compared, kinds[usize::try_from(status).unwrap()]) =
                (compared + 1, kinds[usize::try_from(status).unwrap()] + 1);
            *name = given;
            if status == 0 && wants > 0 && most > 0 {
                *held += 1;
            }
        }
        redis::cmd("FLUSHALL").exec(&mut connection).unwrap();
    }
    assert!(compared == 6_000 && undone > 150 && kinds.iter().all(|kind| *kind > 150), "{kinds:?}, {undone}");
}
