//! What the server lends for a time.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{text_of, wire::Answer};
use crate::{ErrorKind, Secret};

pub(super) struct Lent {
    fields: Map<String, Value>,
    id: String,
    renewable: bool,
    life: Duration,
    /// Half of its time is over then.
    half: Duration,
    until: Duration,
}

impl Lent {
    /// `None` where the answer is no loan: key-value stores lend nothing.
    pub(super) fn of(answer: &Answer, fields: &Map<String, Value>, asked_at: Duration) -> Option<Self> {
        let id = answer.at(&["lease_id"]).and_then(Value::as_str).filter(|id| !id.is_empty())?;
        let life = life_of(answer)?;
        let mut this = Self {
            fields: fields.clone(),
            id: id.to_owned(),
            renewable: answer.at(&["renewable"]).and_then(Value::as_bool).unwrap_or_default(),
            life,
            half: Duration::ZERO,
            until: Duration::ZERO,
        };
        this.extend(life, asked_at);
        Some(this)
    }

    pub(super) fn is_good(&self, now: Duration) -> bool {
        now < self.until
    }

    pub(super) fn is_fresh(&self, now: Duration) -> bool {
        now < self.half
    }

    pub(super) fn renewable(&self) -> bool {
        self.renewable
    }

    pub(super) fn renewal(&self) -> Value {
        json!({ "lease_id": self.id, "increment": self.life.as_secs() })
    }

    /// Takes the server's new time; `false` where it is so short that the loan is about to end for good.
    pub(super) fn renewed(&mut self, answer: &Answer, asked_at: Duration) -> bool {
        let Some(life) = life_of(answer) else { return false };
        self.extend(life, asked_at);
        life >= self.life / 2
    }

    pub(super) fn secret(&self, field: &str, now: Duration) -> Result<Option<Secret>, ErrorKind> {
        let found = text_of(&self.fields, field)?;
        Ok(found.map(|found| found.with_good_for(self.until.saturating_sub(now))))
    }

    /// What gives it back.
    pub(super) fn revocation(&self) -> Value {
        json!({ "lease_id": self.id })
    }

    fn extend(&mut self, life: Duration, asked_at: Duration) {
        self.half = asked_at.saturating_add(life / 2);
        self.until = asked_at.saturating_add(life);
    }
}

fn life_of(answer: &Answer) -> Option<Duration> {
    answer.at(&["lease_duration"]).and_then(Value::as_u64).filter(|&life| life > 0).map(Duration::from_secs)
}
