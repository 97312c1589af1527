//! The two kinds of answers that a device login gets.

use std::time::Duration;

use auth_core::{
    Client, DeviceAuthorization, DeviceError, DeviceOutput, DevicePoll, DeviceRequest, ExchangeKind, ScopeSet,
};
use auth_core_fuzz::{assert_printable, is_safe, said, server, start, url};
use bytes::Bytes;
use http::{Request, Response, StatusCode};

use super::{accepted, secrets};

const SECOND: Duration = Duration::from_secs(1);
/// How far the clock of a poll is when the answer comes.
const ANSWERED: Duration = Duration::from_secs(6);
/// What `begun` is told.
const INTERVAL: Duration = Duration::from_secs(5);
const LIFETIME: Duration = Duration::from_secs(900);

/// The answer to the first request: codes, and where the user is sent.
pub(crate) fn authorization(client: &Client, answer: &Response<Bytes>) {
    let asking = asking(client);
    match asking.response(answer, start()) {
        Ok(authorization) => {
            assert_eq!(answer.status(), StatusCode::OK);
            shows(&authorization, &asking.request());
            waits(authorization);
        }
        Err(error) => refused(&error, &asking.request()),
    }
}

/// The answer to a poll.
pub(crate) fn poll(client: &Client, answer: &Response<Bytes>) {
    let mut poll = DevicePoll::new(begun(client), Duration::ZERO);
    let DeviceOutput::Transmit { request } = poll.poll(INTERVAL) else {
        unreachable!("the interval is over")
    };
    poll.handle(Ok(answer.clone()), ANSWERED, start());
    match poll.poll(ANSWERED) {
        DeviceOutput::Transmit { .. } => unreachable!("it polls again at once"),
        DeviceOutput::Wait { until } => {
            assert!((ANSWERED + INTERVAL..=LIFETIME).contains(&until), "{until:?}");
        }
        DeviceOutput::Done(tokens) => {
            assert_eq!(answer.status(), StatusCode::OK);
            accepted(&tokens, ExchangeKind::DeviceCode);
        }
        DeviceOutput::Failed(error) => refused(&error, &request),
    }
}

fn asking(client: &Client) -> DeviceRequest {
    DeviceRequest::new(&server(), client, url("https://auth.example/device"))
        .expect("the endpoint is fit for a server")
        .scopes(ScopeSet::parse("user:inference"))
}

fn begun(client: &Client) -> DeviceAuthorization {
    let answer = serde_json::json!({
        "device_code": secrets::GRANT, "user_code": "WDJB", "verification_uri": "https://auth.example/enter",
        "interval": INTERVAL.as_secs(), "expires_in": LIFETIME.as_secs(),
    });
    let answer = Response::new(answer.to_string().into());
    asking(client).response(&answer, start()).expect("the answer begins a login")
}

fn shows(authorization: &DeviceAuthorization, request: &Request<Bytes>) {
    let code = authorization.user_code();
    assert!((1..=256).contains(&code.chars().count()), "{code}");
    assert_printable(code);
    secrets::assert_none_of(request, code);
    for address in [Some(authorization.verification_uri()), authorization.verification_uri_complete()] {
        assert!(address.is_none_or(is_safe), "{address:?}");
    }
    let (interval, lifetime) = (authorization.interval(), authorization.expires_in());
    assert!(!lifetime.is_zero() && (SECOND..=lifetime.max(SECOND)).contains(&interval), "{authorization:?}");
}

/// The first poll comes after the interval, if the code lives that long.
fn waits(authorization: DeviceAuthorization) {
    let (interval, lifetime) = (authorization.interval(), authorization.expires_in());
    let mut poll = DevicePoll::new(authorization, Duration::ZERO);
    let waits =
        matches!(poll.poll(Duration::ZERO), DeviceOutput::Wait { until } if until == interval.min(lifetime));
    assert!(waits, "{poll:?}");
    let sends = matches!(poll.poll(interval), DeviceOutput::Transmit { .. });
    assert_eq!(sends, interval < lifetime, "{poll:?}");
}

fn refused(error: &DeviceError, request: &Request<Bytes>) {
    secrets::assert_none_of(request, &said(error));
    assert_printable(&error.to_string());
    assert!(error.to_string().chars().count() < 1000, "{error}");
}
