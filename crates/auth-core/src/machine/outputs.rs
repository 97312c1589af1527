//! What to do next.

use std::time::SystemTime;

use super::{ExchangeId, Flight, Health, Output, TokenMachine};
use crate::exchange;

impl TokenMachine {
    pub(super) fn store(&mut self, now: SystemTime) -> Option<Output> {
        let busy = self.storing.waiting.is_some() || self.storing.removing;
        if !self.storing.due || busy || self.storing_again_at(now).is_some() {
            return None;
        }
        let snapshot = self.snapshot()?.clone();
        let generation = snapshot.generation;
        self.storing.waiting = Some(generation);
        Some(Output::Store { generation, snapshot })
    }

    pub(super) fn transmit(&mut self, now: SystemTime) -> Option<Output> {
        self.wanted &= self.can_refresh() && self.needs_refresh(now);
        if !self.wanted || self.flight.is_some() || self.backing_off(now).is_some() {
            return None;
        }
        let snapshot = self.snapshot()?;
        let generation = snapshot.generation;
        let (request, asked) =
            exchange::refresh(&self.server, &self.client, snapshot.refresh_token.as_ref()?);
        let asked = asked.hiding(&snapshot.access_token);
        let exchange = self.next_exchange();
        self.flight = Some(Flight { exchange, asked, generation });
        Some(Output::Transmit { exchange, request })
    }

    pub(super) fn idle(&self, now: SystemTime) -> Output {
        let transmit = if self.wanted && self.flight.is_none() { self.backing_off(now) } else { None };
        let waits_for_store = self.storing.due && self.storing.waiting.is_none();
        let store = if waits_for_store { self.storing_again_at(now) } else { None };
        let logout = self.leaving.as_ref().and_then(|leaving| leaving.waits_until(now));
        Output::Idle { wake_at: transmit.into_iter().chain(store).chain(logout).min() }
    }

    pub(super) fn next_exchange(&mut self) -> ExchangeId {
        self.exchanges = self.exchanges.wrapping_add(1);
        ExchangeId(self.exchanges)
    }

    pub(super) fn backing_off(&self, now: SystemTime) -> Option<SystemTime> {
        match &self.health {
            Health::BackingOff(_, deadline) => deadline.pending(now),
            _ => None,
        }
    }

    fn storing_again_at(&self, now: SystemTime) -> Option<SystemTime> {
        self.storing.retry?.pending(now)
    }

    pub(super) fn is_superseded(&self, flight: &Flight) -> bool {
        self.snapshot().is_none_or(|snapshot| snapshot.generation != flight.generation)
    }
}
