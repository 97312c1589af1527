//! The server: one login at a time, refresh tokens that rotate, and a clock of its own.

use std::{
    collections::HashMap,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::Response;

use crate::rig::{oauth_error, reply, tokens};

pub(super) struct Server {
    rotations: u64,
    pub(super) refresh: Option<String>,
    /// The access tokens of this login.
    pub(super) access: HashMap<String, Token>,
    /// The one that was given out last.
    last: String,
    /// Used refresh tokens, and how often each was seen again.
    used: HashMap<String, u32>,
}

/// An access token.
pub(super) struct Token {
    /// By the server's clock.
    pub(super) expires_at: SystemTime,
    /// How many nanoseconds later a machine may believe that to be: its clock was set back, and nobody has told it.
    pub(super) late: i64,
}

impl Server {
    pub(super) fn new() -> Self {
        Self {
            rotations: 0,
            refresh: None,
            access: HashMap::new(),
            last: String::new(),
            used: HashMap::new(),
        }
    }

    /// Begins a login; the one before is over.
    pub(super) fn log_in(&mut self, now: SystemTime, lifetime: u64) -> (String, String) {
        self.end();
        self.issue(now, lifetime)
    }

    fn issue(&mut self, now: SystemTime, lifetime: u64) -> (String, String) {
        let access = self.access_token(now, lifetime);
        let refresh = format!("refresh-{}", self.rotations);
        if let Some(used) = self.refresh.replace(refresh.clone()) {
            self.used.insert(used, 0);
        }
        (access, refresh)
    }

    fn access_token(&mut self, now: SystemTime, lifetime: u64) -> String {
        self.rotations += 1;
        let access = format!("access-{}", self.rotations);
        let token = Token { expires_at: now + Duration::from_secs(lifetime), late: 0 };
        self.access.insert(access.clone(), token);
        self.last.clone_from(&access);
        access
    }

    /// Answers without a new refresh token, as a server may.
    pub(super) fn renew(&mut self, now: SystemTime, lifetime: u64) -> Response<Bytes> {
        let body = serde_json::json!({
            "access_token": self.access_token(now, lifetime), "expires_in": lifetime, "token_type": "Bearer",
        });
        reply(200, body.to_string())
    }

    pub(super) fn grant(&mut self, token: &str, now: SystemTime, lifetime: u64) -> Response<Bytes> {
        if self.refresh.as_deref() == Some(token) {
            let (access, refresh) = self.issue(now, lifetime);
            return tokens(&access, &refresh, lifetime);
        }
        if let Some(again) = self.used.get_mut(token) {
            *again += 1;
            assert_eq!(*again, 1, "{token} was sent a third time");
            self.end();
        }
        oauth_error(400, "invalid_grant")
    }

    /// Takes a token back; one that it does not know any more is none to it (RFC 7009 section 2.2).
    ///
    /// The access tokens end with the refresh token (section 2.1), but for the last one: it has to be given back too.
    pub(super) fn revoke(&mut self, token: &str) -> Response<Bytes> {
        if self.refresh.take_if(|refresh| refresh == token).is_some() {
            self.access.retain(|access, _| *access == self.last);
        }
        self.access.remove(token);
        reply(200, "")
    }

    /// Ends the login.
    fn end(&mut self) {
        self.refresh = None;
        self.access.clear();
    }

    pub(super) fn accepts(&self, token: &str, now: SystemTime) -> bool {
        self.access.get(token).is_some_and(|token| now < token.expires_at)
    }

    /// Whether any token is still good for anything.
    pub(super) fn knows_any(&self, now: SystemTime) -> bool {
        self.refresh.is_some() || self.access.values().any(|token| now < token.expires_at)
    }
}
