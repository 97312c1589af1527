//! Any server and any network against the pace of the device login (G18).

use std::time::Duration;

use auth_core::{Client, DeviceError, DeviceOutput, DevicePoll, DeviceRequest, SendFailure};
use bytes::Bytes;
use http::{HeaderValue, Response, header::RETRY_AFTER};
use proptest::prelude::*;
use serde_json::json;

use crate::rig::{at, oauth_error, reply, server, tokens};

#[derive(Debug, Clone)]
struct Script {
    interval: i64,
    expires_in: u64,
    steps: Vec<Step>,
}

#[derive(Debug, Clone)]
struct Step {
    answer: Answer,
    /// How long the answer takes, in milliseconds.
    delay: u64,
    /// How much time the driver spends elsewhere before it polls again, in milliseconds.
    late: u64,
    /// Where the wall clock jumps to.
    wall: u64,
}

#[derive(Debug, Clone)]
enum Answer {
    Pending,
    SlowDown(Option<i64>),
    NotSent,
    MaybeSent,
    Gateway,
    Portal,
    Busy(u64),
}

fn answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        4 => Just(Answer::Pending),
        2 => proptest::option::of(-10_i64..200).prop_map(Answer::SlowDown),
        2 => Just(Answer::NotSent),
        2 => Just(Answer::MaybeSent),
        1 => Just(Answer::Gateway),
        1 => Just(Answer::Portal),
        1 => (0_u64..200).prop_map(Answer::Busy),
    ]
}

fn script() -> impl Strategy<Value = Script> {
    let step = (answer(), 0_u64..20_000, 0_u64..3000, 0_u64..4_000_000)
        .prop_map(|(answer, delay, late, wall)| Step { answer, delay, late, wall });
    let interval = prop_oneof![4 => -2_i64..120, 1 => Just(1_000_000_000)];
    (interval, 1_u64..4000, proptest::collection::vec(step, 0..20))
        .prop_map(|(interval, expires_in, steps)| Script { interval, expires_in, steps })
}

/// What the RFC requires, written a second time and without looking at the machine.
struct Required {
    interval: i64,
    failures: u32,
    retry_after: u64,
}

impl Required {
    fn note(&mut self, answer: &Answer) {
        self.retry_after = 0;
        match answer {
            Answer::Pending => self.failures = 0,
            Answer::SlowDown(told) => {
                self.failures = 0;
                self.interval = (self.interval + 5).max(told.unwrap_or(0));
            }
            Answer::Busy(wait) => {
                self.failures += 1;
                self.retry_after = *wait;
            }
            _ => self.failures += 1,
        }
    }

    /// After a failure at least twice the interval, and never less than `Retry-After`.
    fn gap(&self) -> Duration {
        let factor = if self.failures > 0 { 2 } else { 1 };
        Duration::from_secs((self.interval.unsigned_abs() * factor).max(self.retry_after))
    }
}

fn respond(answer: &Answer) -> Result<Response<Bytes>, SendFailure> {
    Ok(match answer {
        Answer::Pending => oauth_error(400, "authorization_pending"),
        Answer::SlowDown(None) => oauth_error(400, "slow_down"),
        Answer::SlowDown(Some(interval)) => {
            reply(400, json!({ "error": "slow_down", "interval": interval }).to_string())
        }
        Answer::NotSent => return Err(SendFailure::NotSent),
        Answer::MaybeSent => return Err(SendFailure::MaybeSent),
        Answer::Gateway => reply(502, "<html>"),
        Answer::Portal => reply(200, "<html>"),
        Answer::Busy(wait) => {
            let mut response = reply(503, "");
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(*wait));
            response
        }
    })
}

fn begin(script: &Script, elapsed: Duration) -> DevicePoll {
    let body = json!({
        "device_code": "d", "user_code": "u", "verification_uri": "https://a.example/",
        "expires_in": script.expires_in, "interval": script.interval,
    });
    let endpoint = "https://auth.example/device".parse().unwrap();
    let asking = DeviceRequest::new(&server(), &Client::public("app"), endpoint).unwrap();
    DevicePoll::new(asking.response(&reply(200, body.to_string()), at(0)).unwrap(), elapsed)
}

fn run(script: &Script) -> Result<(), TestCaseError> {
    let start = Duration::from_secs(1000);
    let expires_at = start + Duration::from_secs(script.expires_in);
    let lifetime = i64::try_from(script.expires_in).unwrap();
    let mut poll = begin(script, start);
    let mut required =
        Required { interval: script.interval.min(lifetime).max(1), failures: 0, retry_after: 0 };
    // When the last answer came, or the login began.
    let (mut since, mut elapsed) = (start, start);
    let mut steps = script.steps.iter();
    for _ in 0..10_000 {
        match poll.poll(elapsed) {
            DeviceOutput::Transmit { .. } => {
                prop_assert!(elapsed - since >= required.gap(), "early: {:?}", elapsed - since);
                prop_assert!(elapsed < expires_at, "a poll with an expired code");
                let again = poll.poll(elapsed);
                prop_assert!(matches!(again, DeviceOutput::Wait { .. }), "two in flight: {:?}", again);
                let Some(step) = steps.next() else {
                    poll.handle(Ok(tokens("at", "rt", 60)), elapsed, at(0));
                    continue;
                };
                elapsed += Duration::from_millis(step.delay);
                since = elapsed;
                required.note(&step.answer);
                poll.handle(respond(&step.answer), elapsed, at(step.wall));
                elapsed += Duration::from_millis(step.late);
            }
            DeviceOutput::Wait { until } => {
                prop_assert!(until > elapsed && until <= expires_at, "{until:?} at {elapsed:?}");
                // Whoever comes halfway is told the same again.
                let halfway = elapsed + (until - elapsed) / 2;
                let again = poll.poll(halfway);
                prop_assert!(
                    matches!(again, DeviceOutput::Wait { until: same } if same == until),
                    "{:?}",
                    again
                );
                elapsed = until;
            }
            DeviceOutput::Done(_) => {
                prop_assert_eq!(steps.len(), 0, "done before the user was");
                return Ok(());
            }
            DeviceOutput::Failed(error) => {
                prop_assert_eq!(error, DeviceError::Expired, "nothing else here ends a login");
                prop_assert!(elapsed >= expires_at, "given up early");
                return Ok(());
            }
        }
    }
    Err(TestCaseError::fail("the login does not end"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, ..ProptestConfig::default() })]

    /// C69, C70, C71, C73, C77; G18: 10,000 random scripts, no poll too early.
    #[test]
    fn no_script_makes_a_poll_come_early(script in script()) {
        run(&script)?;
    }
}
