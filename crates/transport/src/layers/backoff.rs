//! The default retry policy.

use std::time::{Duration, SystemTime};

use http::HeaderMap;

use super::{Class, Outcome, RetryPolicy, Strain, Verdict};
use crate::{Deadline, MaxRetries, Request};

/// Retries what may pass, after waits that double, and never earlier than the server said.
///
/// **Whether** is a matter of the outcome's [`Class`]: what may pass is sent again after a wait, what has never left at
/// once. A POST whose answer was lost is *not* repeated: the server may have done the work, and may have charged for it.
///
/// **Waits.** `retry-after-ms`, else `retry-after` in seconds or as a date, is the least to wait, with jitter on top.
/// A value that is not a positive length of time is ignored. A delay that does not fit the request's
/// [`Deadline`], or without one is beyond [`max_wait`](Self::max_wait), ends the matter at once: the caller gets the
/// response and can decide. Without such a header the wait is random between half of and all of
/// `min(0.5 s * 2^n, 8 s)`, where `n` counts the retries so far.
///
/// **How often** is [`max_retries`](Self::max_retries), or the request's own [`MaxRetries`]. A retry costs the
/// [`Budget`](super::Budget) 14 tokens, or 5 where the server works and this client asked for too much.
#[derive(Clone, Debug)]
pub struct Backoff {
    max_retries: u32,
    max_wait: Duration,
}

impl Backoff {
    /// Makes the policy with two retries and waits of at most a minute.
    #[must_use]
    pub fn new() -> Self {
        Self { max_retries: 2, max_wait: Duration::from_secs(60) }
    }

    /// Sets how often a request is sent again; zero means never.
    #[must_use]
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.max_retries = retries;
        self
    }

    /// Sets the longest delay a server may ask for; a response that asks for more is returned at once.
    #[must_use]
    pub fn max_wait(mut self, wait: Duration) -> Self {
        self.max_wait = wait;
        self
    }

    fn wait(&self, attempt: u32, floor: Option<Duration>, strain: Strain, has_deadline: bool) -> Verdict {
        let step = step(attempt);
        let cost = match strain {
            Strain::Failing => FAILING_COST,
            Strain::Throttled => THROTTLED_COST,
        };
        match floor {
            None => Verdict::Retry { at_least: step / 2, jitter: step / 2, cost },
            Some(floor) if floor > self.max_wait && !has_deadline => Verdict::Return,
            // Everybody was told the same, and the longer they waited, the more of them come back: spread them.
            Some(floor) => Verdict::Retry { at_least: floor, jitter: SPREAD.max(floor / 10), cost },
        }
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self::new()
    }
}

impl RetryPolicy for Backoff {
    fn verdict(&self, attempt: u32, request: &Request, outcome: Outcome<'_>) -> Verdict {
        let max_retries = request.extensions().get().map_or(self.max_retries, |&MaxRetries(own)| own);
        let strain = match Class::of(request, outcome) {
            Class::AtOnce => return Verdict::Again,
            Class::AfterDelay(strain) if attempt <= max_retries => strain,
            _ => return Verdict::Return,
        };
        let floor = match outcome {
            Outcome::Response { head, now, .. } => retry_after(&head.headers, now),
            Outcome::Error(error) | Outcome::Opening { error } => error.retry_after(),
        };
        self.wait(attempt, floor, strain, request.extensions().get::<Deadline>().is_some())
    }
}

const FAILING_COST: u32 = 14;
const THROTTLED_COST: u32 = 5;
/// Over how long those who were told the same delay are spread at least.
const SPREAD: Duration = Duration::from_secs(2);

/// The wait before a retry without instructions: half a second, doubling up to eight.
fn step(attempt: u32) -> Duration {
    let doublings = attempt.saturating_sub(1).min(4);
    Duration::from_millis(500 << doublings)
}

/// How long a response asks to wait: `retry-after-ms`, else `retry-after` in seconds or as a date (RFC 9110 section
/// 10.2.3), counted from `now`; `None` where it does not ask, or not for a positive length of time.
#[must_use]
pub fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let milliseconds = text("retry-after-ms").and_then(|text| scaled(text, 0.001));
    milliseconds
        .or_else(|| {
            let text = text("retry-after")?;
            scaled(text, 1.0).or_else(|| httpdate::parse_http_date(text).ok()?.duration_since(now).ok())
        })
        .filter(|wait| !wait.is_zero())
}

/// A plain decimal number of units; anything longer is [`LONGEST`].
fn scaled(text: &str, unit: f64) -> Option<Duration> {
    if !text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return None; // no sign, no exponent, no "inf", no "nan"
    }
    let seconds = text.parse::<f64>().ok()? * unit;
    Some(Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST).min(LONGEST))
}

/// A hundred years or so: whoever adds it to a time gets one.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use http::{Method, StatusCode};

    use super::*;
    use crate::{Error, ErrorKind, Reach};

    /// Fri, 29 Sep 2023 16:26:37 GMT
    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_696_004_797)
    }

    fn request(method: Method) -> Request {
        let mut request = Request::default();
        *request.method_mut() = method;
        request
    }

    fn judge(status: u16, headers: &[(&'static str, &'static str)]) -> Verdict {
        let mut response = http::Response::new(());
        *response.status_mut() = StatusCode::from_u16(status).unwrap();
        for &(name, value) in headers {
            response.headers_mut().insert(name, http::HeaderValue::from_static(value));
        }
        let (head, ()) = response.into_parts();
        Backoff::new().verdict(
            1,
            &request(Method::POST),
            Outcome::Response { head: &head, body: b"", now: now() },
        )
    }

    fn fails(method: Method, kind: ErrorKind, reach: Reach) -> Verdict {
        Backoff::new().verdict(1, &request(method), Outcome::Error(&Error::bare(kind, reach)))
    }

    const OWN_WAIT: Verdict = Verdict::Retry {
        at_least: Duration::from_millis(250),
        jitter: Duration::from_millis(250),
        cost: FAILING_COST,
    };

    fn floor(verdict: Verdict) -> Option<Duration> {
        match verdict {
            Verdict::Retry { at_least, .. } => Some(at_least),
            Verdict::Return | Verdict::Again => None,
        }
    }

    #[test]
    fn only_what_may_pass_is_sent_again() {
        assert_eq!(judge(529, &[]), OWN_WAIT);
        assert_eq!(judge(200, &[]), Verdict::Return);
        assert_eq!(judge(409, &[]), Verdict::Return);
        assert_eq!(fails(Method::POST, ErrorKind::Connect, Reach::NotSent), OWN_WAIT);
        assert_eq!(fails(Method::POST, ErrorKind::Closed, Reach::MaybeSent), Verdict::Return);
        assert_eq!(fails(Method::POST, ErrorKind::Closed, Reach::NotSent), Verdict::Again);
    }

    #[test]
    fn a_retry_costs_less_where_only_this_client_asks_too_much() {
        let Verdict::Retry { cost, .. } = judge(429, &[]) else { panic!("no retry") };
        assert_eq!(cost, THROTTLED_COST);
    }

    #[test]
    fn the_server_has_the_last_word_on_when() {
        let seconds = Duration::from_secs_f64;
        for (name, value, wait) in [
            ("retry-after", "20", seconds(20.0)),
            ("retry-after", "0.25", seconds(0.25)),
            ("retry-after", "60", seconds(60.0)),
            ("retry-after", "Fri, 29 Sep 2023 16:26:57 GMT", seconds(20.0)),
            ("retry-after-ms", "1500", seconds(1.5)),
        ] {
            assert_eq!(floor(judge(429, &[(name, value)])), Some(wait), "{name}: {value}");
        }
        let both = judge(429, &[("retry-after-ms", "1500"), ("retry-after", "20")]);
        assert_eq!(floor(both), Some(seconds(1.5)));
    }

    #[test]
    fn a_delay_that_is_none_falls_back_to_our_own() {
        for value in [
            "0",
            "-10",
            "",
            "nan",
            "inf",
            "1e3",
            "+5",
            "soon",
            ".",
            "Fri, 29 Sep 2023 16:26:27 GMT",
            "99 Sep",
        ] {
            assert_eq!(judge(503, &[("retry-after", value)]), OWN_WAIT, "{value:?}");
        }
    }

    #[test]
    fn a_delay_beyond_the_longest_wait_is_returned_at_once() {
        for value in ["61", "99999999999999999999999999999999999", "Fri, 29 Sep 2023 16:27:38 GMT"] {
            assert_eq!(judge(429, &[("retry-after", value)]), Verdict::Return, "{value}");
        }
    }

    #[test]
    fn with_a_deadline_it_is_the_deadline_that_says_what_is_too_long() {
        let (head, ()) = http::Response::builder()
            .status(429)
            .header("retry-after", "3600")
            .body(())
            .unwrap()
            .into_parts();
        let mut request = request(Method::POST);
        request.extensions_mut().insert(Deadline(now()));
        let outcome = Outcome::Response { head: &head, body: b"", now: now() };
        assert_eq!(floor(Backoff::new().verdict(1, &request, outcome)), Some(Duration::from_secs(3600)));
    }

    #[test]
    fn waits_double_up_to_eight_seconds() {
        let steps: Vec<u128> = [1, 2, 3, 4, 5, 6, u32::MAX].map(|n| step(n).as_millis()).into();
        assert_eq!(steps, [500, 1_000, 2_000, 4_000, 8_000, 8_000, 8_000]);
    }
}
