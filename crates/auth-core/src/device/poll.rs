//! Waiting for the user, at the server's pace.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::Value;

use super::{DeviceAuthorization, DeviceError, pace, pace::Pace};
use crate::{
    Asked, ExchangeError, ExchangeKind, Format, OAuthErrorCode, SendFailure, TokenSet,
    exchange::{self, MAX_ANSWER, request},
};

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Polls the token endpoint until the user is done (RFC 8628 sections 3.4 and 3.5).
///
/// The driver calls [`poll`](Self::poll), does what the output says, and reports an answer with
/// [`handle`](Self::handle); [`DeviceRequest`](crate::DeviceRequest) has a complete one. All pacing is in `elapsed`: the
/// reading of a clock that only goes forward, with any origin, always the same one. A step of the wall clock neither
/// ends a login nor prolongs it.
///
/// What holds, whatever the server and the network do:
///
/// - The first poll comes one interval after [`new`](Self::new), each other one at least one interval after the answer
///   before it, and there is one at most in flight.
/// - The interval never shrinks: `slow_down` adds 5 s, or more if the server names a longer interval.
/// - Failures of the network and of the server double the gap, up to a minute or twice the interval, whichever is
///   longer; a longer `Retry-After` is honoured. They do not end the login. A 4xx without a known reason does.
/// - Nothing is sent once the code has expired.
#[derive(Debug)]
pub struct DevicePoll {
    authorization: DeviceAuthorization,
    asked: Asked,
    pace: Pace,
    expires_at: Duration,
    state: State,
}

#[derive(Debug)]
enum State {
    Waiting { until: Duration },
    InFlight,
    Done(TokenSet),
    Failed(DeviceError),
}

/// What the driver has to do: one `match`, without a wildcard.
///
/// `Debug` shows no token and no code.
#[must_use]
pub enum DeviceOutput {
    /// Send this request once, without following redirects, and report with [`DevicePoll::handle`].
    Transmit {
        /// The request, complete; its body holds the device code.
        request: Request<Bytes>,
    },
    /// Poll again at this time, or after an answer if that comes first; it is always later than `elapsed`.
    Wait {
        /// When, on the clock of `elapsed`.
        until: Duration,
    },
    /// The user is logged in; what was granted may be less than what was asked.
    Done(TokenSet),
    /// The login is over.
    Failed(DeviceError),
}

impl fmt::Debug for DeviceOutput {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transmit { .. } => f.debug_struct("Transmit").finish_non_exhaustive(),
            Self::Wait { until } => f.debug_struct("Wait").field("until", until).finish(),
            Self::Done(tokens) => f.debug_tuple("Done").field(tokens).finish(),
            Self::Failed(error) => f.debug_tuple("Failed").field(error).finish(),
        }
    }
}

impl DevicePoll {
    /// Begins to wait; `elapsed` is when the authorization was received.
    #[must_use]
    #[inline]
    pub fn new(authorization: DeviceAuthorization, elapsed: Duration) -> Self {
        let mut secrets = authorization.client.secrets();
        secrets.push(authorization.device_code.clone());
        Self {
            asked: Asked::new(ExchangeKind::DeviceCode, authorization.scopes.clone(), secrets),
            pace: Pace::new(authorization.interval),
            expires_at: elapsed.saturating_add(authorization.expires_in),
            state: State::Waiting { until: elapsed.saturating_add(authorization.interval) },
            authorization,
        }
    }

    /// Returns what the user has to be shown for as long as this waits.
    #[must_use]
    #[inline]
    pub fn authorization(&self) -> &DeviceAuthorization {
        &self.authorization
    }

    /// Takes in the answer to the last [`DeviceOutput::Transmit`], whatever its status, or how far the request got.
    ///
    /// An answer nobody waits for is ignored. `now` is the wall clock; it only dates the tokens.
    #[inline]
    pub fn handle(
        &mut self,
        result: Result<Response<Bytes>, SendFailure>,
        elapsed: Duration,
        now: SystemTime,
    ) {
        if !matches!(self.state, State::InFlight) {
            return;
        }
        self.state = match self.verdict(result, now) {
            Ok(Verdict::Tokens(tokens)) => State::Done(tokens),
            Ok(Verdict::After(gap)) => State::Waiting { until: elapsed.saturating_add(gap) },
            Err(error) => State::Failed(error),
        };
    }

    /// Says what to do next; once the login is over, it says how it ended as often as it is asked.
    #[inline]
    pub fn poll(&mut self, elapsed: Duration) -> DeviceOutput {
        if matches!(self.state, State::Waiting { .. } | State::InFlight) && elapsed >= self.expires_at {
            self.state = State::Failed(DeviceError::Expired);
        }
        match &self.state {
            State::Waiting { until } if *until <= elapsed => {
                self.state = State::InFlight;
                DeviceOutput::Transmit { request: self.request() }
            }
            State::Waiting { until } => DeviceOutput::Wait { until: self.expires_at.min(*until) },
            State::InFlight => DeviceOutput::Wait { until: self.expires_at },
            State::Done(tokens) => DeviceOutput::Done(tokens.clone()),
            State::Failed(error) => DeviceOutput::Failed(error.clone()),
        }
    }

    #[inline]
    fn request(&self) -> Request<Bytes> {
        let DeviceAuthorization { server, client, device_code, .. } = &self.authorization;
        let members = vec![("grant_type", GRANT_TYPE), ("device_code", device_code.expose_secret())];
        request::build(server.token_uri(), Some(client), &Format::form(), members)
    }

    #[inline]
    fn verdict(
        &mut self,
        result: Result<Response<Bytes>, SendFailure>,
        now: SystemTime,
    ) -> Result<Verdict, DeviceError> {
        let Ok(response) = result else {
            return Ok(Verdict::After(self.pace.failed(None)));
        };
        if let Some(told) = Told::read(&response) {
            match told.error.as_str() {
                "authorization_pending" => return Ok(Verdict::After(self.pace.pending())),
                "slow_down" => {
                    let interval = told.interval.as_ref().and_then(pace::seconds);
                    return Ok(Verdict::After(self.pace.slow_down(interval)));
                }
                "expired_token" => return Err(DeviceError::Expired),
                _ => {}
            }
        }
        match exchange::response(&self.asked, &response, now) {
            Ok(tokens) => Ok(Verdict::Tokens(tokens)),
            Err(ExchangeError::Refused { code: OAuthErrorCode::AccessDenied, .. }) => {
                Err(DeviceError::Denied)
            }
            Err(error) if error.is_retryable() => Ok(Verdict::After(self.pace.failed(error.retry_after()))),
            Err(error) => Err(DeviceError::Exchange(error)),
        }
    }
}

/// What an answer means.
enum Verdict {
    Tokens(TokenSet),
    /// Poll again when this much time has passed.
    After(Duration),
}

/// The members by which a server sets the pace.
#[derive(Deserialize)]
struct Told {
    error: String,
    interval: Option<Value>,
}

impl Told {
    #[inline]
    fn read(response: &Response<Bytes>) -> Option<Self> {
        if response.status() == StatusCode::OK || response.body().len() > MAX_ANSWER {
            return None;
        }
        serde_json::from_slice(response.body()).ok()
    }
}
