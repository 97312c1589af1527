//! A machine on a held clock, and short names for what tests do to it.

use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};

use auth_core::{
    Access, Client, Event, ExchangeId, Failure, Input, Lease, Output, Policy, Reason, SendFailure, Server,
    Snapshot, TokenMachine, Wire,
};
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use secrecy::ExposeSecret as _;

pub(crate) const START: u64 = 1_800_000_000;

pub(crate) fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(START + seconds)
}

pub(crate) fn server() -> Server {
    server_at("https://auth.example/authorize", "https://auth.example/token")
}

pub(crate) fn server_at(authorization: &str, token: &str) -> Server {
    let server = Server::new(token.parse().unwrap()).unwrap();
    server.with_authorization_endpoint(authorization.parse().unwrap()).unwrap()
}

pub(crate) fn snapshot(access: &str, refresh: Option<&str>, expires_at: Option<SystemTime>) -> Snapshot {
    Snapshot {
        access_token: access.into(),
        refresh_token: refresh.map(Into::into),
        expires_at,
        scopes: None,
        generation: 1,
        extra: serde_json::Map::new(),
    }
}

pub(crate) fn reply(status: u16, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    response
}

pub(crate) fn tokens(access: &str, refresh: &str, expires_in: u64) -> Response<Bytes> {
    let body = serde_json::json!({
        "access_token": access, "refresh_token": refresh, "expires_in": expires_in, "token_type": "Bearer",
    });
    reply(200, body.to_string())
}

pub(crate) fn oauth_error(status: u16, code: &str) -> Response<Bytes> {
    reply(status, serde_json::json!({ "error": code }).to_string())
}

/// Reads the form of a request.
pub(crate) fn form(request: &Request<Bytes>) -> HashMap<String, String> {
    url::form_urlencoded::parse(request.body()).into_owned().collect()
}

/// Everything a machine said until it was idle.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// The renewals and the refresh tokens they spend.
    pub(crate) transmits: Vec<(ExchangeId, String)>,
    /// The tokens that are given back.
    pub(crate) revocations: Vec<(ExchangeId, String)>,
    pub(crate) stores: Vec<u64>,
    pub(crate) removes: u32,
    pub(crate) events: Vec<Event>,
    pub(crate) wake_at: Option<SystemTime>,
}

/// A machine, and the time.
#[derive(Debug)]
pub(crate) struct Rig {
    pub(crate) machine: TokenMachine,
    pub(crate) now: SystemTime,
}

impl Rig {
    /// A machine with a token `a1`/`r1` that lives until second 1000; it is second 0.
    pub(crate) fn new() -> Self {
        Self::with(Policy::default(), snapshot("a1", Some("r1"), Some(at(1000))))
    }

    pub(crate) fn with(policy: Policy, snapshot: Snapshot) -> Self {
        let mut machine = TokenMachine::new(server().with_wire(Wire::rfc()), Client::public("app"), policy);
        machine.restore(snapshot);
        Self { machine, now: at(0) }
    }

    pub(crate) fn at(&mut self, seconds: u64) -> &mut Self {
        self.now = at(seconds);
        self
    }

    pub(crate) fn access(&mut self) -> Access {
        self.machine.access(self.now)
    }

    pub(crate) fn handle(&mut self, input: Input) -> &mut Self {
        self.machine.handle(input, self.now);
        self
    }

    /// Polls until idle and leaves every request and snapshot unanswered.
    pub(crate) fn drain(&mut self) -> Said {
        let mut said = Said::default();
        for _ in 0..100 {
            match self.machine.poll(self.now) {
                Output::Transmit { exchange, request } => {
                    let form = form(&request);
                    match form.get("refresh_token") {
                        Some(token) => said.transmits.push((exchange, token.clone())),
                        None => said.revocations.push((exchange, form["token"].clone())),
                    }
                }
                Output::Store { generation, .. } => said.stores.push(generation),
                Output::Remove => said.removes += 1,
                Output::Event(event) => said.events.push(event),
                Output::Idle { wake_at } => {
                    assert!(wake_at.is_none_or(|wake_at| wake_at > self.now), "wake_at is in the past");
                    said.wake_at = wake_at;
                    return said;
                }
            }
        }
        panic!("poll does not come to idle: {said:?}");
    }

    /// Expects exactly one request and returns its id and refresh token.
    pub(crate) fn transmit(&mut self) -> (ExchangeId, String) {
        let said = self.drain();
        assert_eq!(said.transmits.len(), 1, "{said:?}");
        said.transmits[0].clone()
    }

    pub(crate) fn answer(&mut self, exchange: ExchangeId, response: Response<Bytes>) -> Said {
        self.handle(Input::Response { exchange, sent_at: self.now, result: Ok(response) }).drain()
    }

    pub(crate) fn lose(&mut self, exchange: ExchangeId, failure: SendFailure) -> Said {
        self.handle(Input::Response { exchange, sent_at: self.now, result: Err(failure) }).drain()
    }

    pub(crate) fn stored(&mut self, generation: u64, ok: bool) -> Said {
        self.handle(Input::Stored { generation, ok }).drain()
    }

    /// Asks, sends, answers with these tokens, and stores them.
    pub(crate) fn refresh(&mut self, access: &str, refresh: &str, expires_in: u64) -> u64 {
        let _ = self.access();
        let (exchange, _) = self.transmit();
        let said = self.answer(exchange, tokens(access, refresh, expires_in));
        let generation = said.stores[0];
        self.stored(generation, true);
        generation
    }

    #[track_caller]
    pub(crate) fn ready(&mut self) -> Lease {
        match self.access() {
            Access::Ready(lease) => lease,
            other => panic!("expected a lease, got {other:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn token(&mut self) -> String {
        self.ready().access_token().expose_secret().to_owned()
    }

    #[track_caller]
    pub(crate) fn pending(&mut self) -> &mut Self {
        let access = self.access();
        assert!(matches!(access, Access::Pending), "{access:?}");
        self
    }

    #[track_caller]
    pub(crate) fn failed(&mut self) -> Failure {
        match self.access() {
            Access::Failed(failure) => failure,
            other => panic!("expected a failure, got {other:?}"),
        }
    }

    #[track_caller]
    pub(crate) fn login_required(&mut self) -> Reason {
        match self.access() {
            Access::LoginRequired(reason) => reason,
            other => panic!("expected a login, got {other:?}"),
        }
    }
}
