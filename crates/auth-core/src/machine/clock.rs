//! Two clocks: this machine's, in which everything is told, and the server's.

use std::time::SystemTime;

use bytes::Bytes;
use http::{HeaderMap, Response};

use super::{Event, TokenMachine};
use crate::{ExchangeError, TokenSet, exchange, exchange::Asked};

impl TokenMachine {
    /// Learns from an answer where the server's clock is.
    pub(super) fn observe(&mut self, headers: &HeaderMap, sent_at: SystemTime, now: SystemTime) {
        // Without TLS anyone on the way could write the date.
        if self.server.token_endpoint().scheme() != "https" {
            return;
        }
        let known = self.skew.uncertainty().is_some();
        let before = self.skew.clone();
        let Some(change) = self.skew.observe(headers, sent_at, now) else { return };
        self.events.push_back(Event::ClockSkew { offset: change.offset });
        // The first sighting says how wrong the clock is, and has been. Any other says that it was set since. It may
        // lie: what it says to live longer is renewed when it would have been.
        if known {
            let moved = |time: SystemTime| time.min(self.skew.local(before.correct(time)));
            if let Some(held) = &mut self.held {
                held.snapshot.expires_at = held.snapshot.expires_at.map(moved);
                held.obtained_at = held.obtained_at.map(moved);
            }
            self.lease = self.lease.take().map(|lease| lease.expiring_at(lease.expires_at().map(moved)));
        }
    }

    /// Reads an answer by the server's clock, and says by ours when the tokens expire.
    pub(super) fn read(
        &self,
        asked: &Asked,
        response: &Response<Bytes>,
        now: SystemTime,
    ) -> Result<TokenSet, ExchangeError> {
        let tokens = exchange::response(asked, response, self.skew.correct(now))?;
        let expires_at = tokens.expires_at.map(|expiry| self.skew.local(expiry));
        Ok(TokenSet { expires_at, ..tokens })
    }
}
