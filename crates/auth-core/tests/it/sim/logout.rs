//! Logging out, from the first word to an empty store, and logging in again.

use std::{collections::HashMap, time::Duration};

use auth_core::{Access, ExchangeId, Input, Reason, SendFailure, Snapshot};
use bytes::Bytes;
use http::Response;
use secrecy::ExposeSecret as _;

use super::{Answer, World, login};
use crate::rig::{oauth_error, reply};

/// How often a token may be given back.
const TRIES: u32 = 2;

/// What a driver knows of the last logout.
#[derive(Debug, Default)]
pub(super) struct Logout {
    pub(super) stage: Stage,
    /// How often each token was given back.
    tries: HashMap<String, u32>,
    /// Something went wrong since the tokens came: it may be said that not all of them were taken back.
    doubt: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    #[default]
    In,
    Leaving,
    Out,
}

impl Logout {
    /// Other tokens have come: those are the ones to give back now.
    pub(super) fn begins_again(&mut self) {
        self.tries.clear();
    }
}

impl World {
    pub(super) fn log_out(&mut self) {
        self.quiet_until = None;
        self.logout.stage = Stage::Leaving;
        self.logout.tries.clear();
        // Nobody is asked to take back what nobody has.
        self.logout.doubt |= self.rig.machine.snapshot().is_none();
        self.rig.handle(Input::LogOut);
    }

    /// A user logs in, here or in another process that shares the store.
    pub(super) fn log_in(&mut self) {
        self.quiet_until = None;
        let now = self.server_now();
        let (access, refresh) = self.server.log_in(now, 600);
        let tokens = login(&access, &refresh, self.rig.now);
        if self.logout.stage == Stage::Out && self.dice.percent(50) {
            self.file = Some(Snapshot::from(tokens));
            self.read_again();
            assert!(self.rig.machine.snapshot().is_some(), "another login was not taken over");
        } else {
            self.rig.handle(Input::LoggedIn(tokens));
        }
        self.logout = Logout::default();
    }

    /// Whoever asks between a logout and the next login gets nothing.
    pub(super) fn call_in_vain(&mut self) {
        let access = self.rig.access();
        assert!(matches!(access, Access::LoginRequired(Reason::NoTokens)), "logged out, and {access:?}");
        let again = match self.logout.stage {
            Stage::Out => 30,
            // Before it is over: the login wins.
            _ => 3,
        };
        if self.dice.percent(again) {
            self.log_in();
        }
    }

    /// An exchange has ended; a renewal that changed nothing may have brought tokens that nobody knows.
    pub(super) fn doubt(&mut self, revocation: bool, result: &Answer, changed: bool) {
        let failed = match result {
            Ok(answer) if revocation => answer.status() != 200,
            Ok(_) => !changed,
            Err(_) => true,
        };
        // New tokens make good what happened before, but not during a logout.
        self.logout.doubt = failed || (self.logout.doubt && !(changed && self.logout.stage == Stage::In));
    }

    pub(super) fn give_back(&mut self, exchange: ExchangeId, token: &str) {
        assert_eq!(self.logout.stage, Stage::Leaving, "{token} is given back although nobody logs out");
        assert!(self.wire.is_none() && self.disk.is_none(), "{token} is given back before the rest is done");
        let held = self.rig.machine.snapshot().unwrap();
        let refresh = held.refresh_token.as_ref().unwrap().expose_secret();
        let first = token == refresh || self.logout.tries.contains_key(refresh);
        assert!(first, "{token} is given back before {refresh}");
        let known = token == refresh || token == held.access_token.expose_secret();
        assert!(known, "{token} is given back, which is not held");
        let tries = self.logout.tries.entry(token.to_owned()).or_default();
        *tries += 1;
        assert!(*tries <= TRIES, "{token} is given back on and on");
        let result = self.carry_back(token);
        self.send(exchange, true, result);
    }

    /// The network between the machine and the place where tokens are revoked.
    fn carry_back(&mut self, token: &str) -> Answer {
        if self.faults.lost && self.dice.percent(20) {
            // Half of the time it did arrive.
            if self.dice.percent(50) {
                let _lost = self.server.revoke(token);
            }
            return Err(SendFailure::MaybeSent);
        }
        if self.faults.busy && self.dice.percent(40) {
            return self.turned_away();
        }
        Ok(self.server.revoke(token))
    }

    fn turned_away(&mut self) -> Answer {
        let answer: Response<Bytes> = match self.dice.roll(4) {
            0 => return Err(SendFailure::NotSent),
            1 => oauth_error(400, "unsupported_token_type"),
            2 => oauth_error(503, "temporarily_unavailable"),
            _ => reply(502, ""),
        };
        Ok(answer)
    }

    pub(super) fn remove(&mut self) {
        assert_eq!(self.logout.stage, Stage::Leaving, "removed although nobody logs out");
        assert!(self.wire.is_none(), "removed while an exchange may bring tokens");
        assert!(self.disk.is_none(), "removed while a write may bring tokens back");
        let refresh = self.rig.machine.snapshot().and_then(|held| held.refresh_token.as_ref());
        let tried = refresh.is_none_or(|token| self.logout.tries.contains_key(token.expose_secret()));
        assert!(tried, "removed before it was given back");
        self.write(None);
    }

    /// The machine says that it is logged out.
    pub(super) fn logged_out(&mut self, revoked: bool) {
        assert_eq!(self.logout.stage, Stage::Leaving, "a logout that nobody asked for");
        assert!(self.file.is_none() && self.disk.is_none(), "logged out with tokens in the store");
        assert!(self.rig.machine.snapshot().is_none(), "logged out with tokens");
        let alive = self.server.knows_any(self.server_now());
        assert!(!(revoked && alive), "called revoked, and the server still takes a token");
        assert!(revoked || self.logout.doubt, "not called revoked, and there is nothing to say against it");
        self.logout.stage = Stage::Out;
        self.tally.logouts += 1;
        self.tally.revoked += u64::from(revoked);
    }

    /// No more faults: a logout comes to its end, and nothing comes after it.
    pub(super) fn leave_for_good(&mut self) {
        self.log_out();
        let mut seconds_out = 0;
        for _ in 0..200 {
            self.rig.now += Duration::from_secs(1);
            self.deliver();
            self.drive();
            let access = self.rig.access();
            assert!(matches!(access, Access::LoginRequired(Reason::NoTokens)), "logged out, and {access:?}");
            seconds_out += u32::from(self.logout.stage == Stage::Out);
            if seconds_out > 10 {
                assert!(self.file.is_none() && self.wake_at.is_none(), "a logout left something behind");
                return;
            }
        }
        panic!("a logout does not end: {:?}", self.rig.machine);
    }
}
