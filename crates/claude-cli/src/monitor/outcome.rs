//! What came of one run of a probe.

use std::time::Duration;

use claude_sdk::{
    Error,
    transport::{self, ErrorKind},
};
use http::StatusCode;
use jiff::Timestamp;
use serde::{Serialize, Serializer, ser::SerializeStruct as _};

use crate::{
    args::Probe,
    console::{one_line, plain, scrubber},
    secrets::shapes::Scanner,
    wording::of_a_model,
};

/// One run of a probe.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Outcome {
    pub(super) probe: Probe,
    /// When it began, in seconds since 1970.
    pub(super) at: i64,
    pub(super) took: Duration,
    pub(super) failure: Option<Failure>,
}

impl Outcome {
    /// As it is printed.
    pub(super) fn line(&self) -> String {
        let (at, name, took) = (instant(self.at), name(self.probe), milliseconds(self.took));
        match &self.failure {
            None => format!("{at}  {name:<8}ok      {took:>8.1} ms\n"),
            Some(Failure { class, told, .. }) => {
                format!("{at}  {name:<8}FAILED  {took:>8.1} ms  {}: {told}\n", class.name())
            }
        }
    }
}

/// Why it failed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Failure {
    pub(super) class: Class,
    /// In a line, without any secret.
    pub(super) told: String,
    pub(super) request_id: Option<String>,
}

/// What kind of failure it was: who has to do something about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    Dns,
    Connect,
    Tls,
    Proxy,
    /// No answer in time, whatever held it up.
    Timeout,
    /// The connection broke.
    Network,
    /// The server that renews tokens.
    Token,
    /// The credential is refused, or there is none.
    Credential,
    /// More was asked than the rate limits allow.
    Limit,
    Overloaded,
    Server,
    /// The service does not take the request.
    Request,
    /// What answers is not the API.
    Answer,
    /// A stream broke off.
    Stream,
    /// This machine or this program.
    Local,
    /// What answers does not speak HTTP, or breaks its rules.
    Protocol,
}

/// In the order of their numbers in the history: a new one goes to the end.
pub(super) const CLASSES: [(Class, &str); 16] = [
    (Class::Dns, "dns"),
    (Class::Connect, "connect"),
    (Class::Tls, "tls"),
    (Class::Proxy, "proxy"),
    (Class::Timeout, "timeout"),
    (Class::Network, "network"),
    (Class::Token, "token"),
    (Class::Credential, "credential"),
    (Class::Limit, "limit"),
    (Class::Overloaded, "overloaded"),
    (Class::Server, "server"),
    (Class::Request, "request"),
    (Class::Answer, "answer"),
    (Class::Stream, "stream"),
    (Class::Local, "local"),
    (Class::Protocol, "protocol"),
];

/// In the order of their numbers in the history.
pub(super) const PROBES: [(Probe, &str); 4] = [
    (Probe::Token, "token"),
    (Probe::Models, "models"),
    (Probe::Message, "message"),
    (Probe::Stream, "stream"),
];

/// The longest text and identifier that are kept, in characters.
const TOLD: usize = 400;
const IDENTIFIER: usize = 100;

impl Failure {
    pub(super) fn of(error: Error) -> Self {
        let class = Class::of(&error);
        let request_id = error.request_id().map(|id| plain(id).chars().take(IDENTIFIER).collect());
        Self { request_id, ..Self::new(class, &one_line(&of_a_model(error))) }
    }

    /// `told` may have been said by a server.
    pub(super) fn new(class: Class, told: &str) -> Self {
        let told = Scanner::new().masked(&scrubber().scrub(&plain(told)));
        Self { class, told: told.chars().take(TOLD).collect(), request_id: None }
    }
}

impl Class {
    fn of(error: &Error) -> Self {
        match error {
            Error::Config(_) => Self::Local,
            Error::Auth(error, _) if error.is_retryable() => Self::Token,
            Error::Auth(..) => Self::Credential,
            Error::Api(error) => Self::of_status(error.status()),
            Error::RateLimit(..) => Self::Limit,
            Error::Transport(error) => Self::of_transport(error),
            Error::Answer(_) => match error.status() {
                Some(StatusCode::PROXY_AUTHENTICATION_REQUIRED) => Self::Proxy,
                Some(status) if status.is_server_error() => Self::Server,
                _ => Self::Answer,
            },
            Error::Stream(error) => {
                error.api_error().map_or(Self::Stream, |api| Self::of_status(api.status()))
            }
            _ => Self::Answer,
        }
    }

    pub(super) fn of_status(status: StatusCode) -> Self {
        match status.as_u16() {
            401..=403 => Self::Credential,
            407 => Self::Proxy,
            429 => Self::Limit,
            529 => Self::Overloaded,
            400..500 => Self::Request,
            // Of a stream that had begun well, the status says nothing.
            _ => Self::Server,
        }
    }

    pub(super) fn of_transport(error: &transport::Error) -> Self {
        match error.kind() {
            ErrorKind::Dns => Self::Dns,
            ErrorKind::Connect => Self::Connect,
            ErrorKind::Tls => Self::Tls,
            ErrorKind::Proxy => Self::Proxy,
            ErrorKind::Timeout(_) => Self::Timeout,
            ErrorKind::InvalidRequest | ErrorKind::Exhausted | ErrorKind::Refused | ErrorKind::Panicked => {
                Self::Local
            }
            ErrorKind::Decode | ErrorKind::BodyTooLarge { .. } => Self::Answer,
            ErrorKind::Protocol => Self::Protocol,
            _ => Self::Network,
        }
    }

    pub(super) fn name(self) -> &'static str {
        CLASSES.iter().find(|(class, _)| *class == self).map_or("", |(_, name)| name)
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        CLASSES.iter().find(|(_, its)| *its == name).map(|(class, _)| *class)
    }

    pub(super) fn number(self) -> u8 {
        (0..).zip(CLASSES).find(|(_, (class, _))| *class == self).map_or(u8::MAX, |(number, _)| number)
    }

    pub(super) fn numbered(number: u8) -> Option<Self> {
        CLASSES.get(usize::from(number)).map(|(class, _)| *class)
    }
}

pub(super) fn name(probe: Probe) -> &'static str {
    PROBES.iter().find(|(its, _)| *its == probe).map_or("", |(_, name)| name)
}

impl Serialize for Outcome {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_struct("Outcome", 4)?;
        members.serialize_field("probe", name(self.probe))?;
        members.serialize_field("at", &instant(self.at))?;
        members.serialize_field("took_ms", &milliseconds(self.took))?;
        members.serialize_field("failure", &self.failure)?;
        members.end()
    }
}

impl Serialize for Failure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_struct("Failure", 3)?;
        members.serialize_field("class", self.class.name())?;
        members.serialize_field("told", &self.told)?;
        members.serialize_field("request_id", &self.request_id)?;
        members.end()
    }
}

/// In tenths.
pub(super) fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}

pub(super) fn instant(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_and_every_probe_is_found_by_its_name_and_its_number() {
        for (class, name) in CLASSES {
            assert_eq!((Class::named(name), Class::numbered(class.number())), (Some(class), Some(class)));
            assert_eq!(class.name(), name);
        }
        assert_eq!(PROBES.map(|(probe, _)| name(probe)), PROBES.map(|(_, name)| name));
    }

    #[test]
    fn a_failure_is_a_line_without_keys_that_is_no_longer_than_it_needs_to_be() {
        let key = "sk-ant-api03-".to_owned() + &"CANARY".repeat(20);
        let failure = Failure::new(Class::Answer, &format!("one\ntwo {key} {}", "x".repeat(1_000)));
        assert!(!failure.told.contains("CANARY") && !failure.told.contains('\n'), "{failure:?}");
        assert_eq!(failure.told.chars().count(), TOLD);
    }
}
