//! Batches that really run: each request is answered as one that had come alone, and shows when its time has come.

use std::collections::HashSet;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::access::Version;
use super::ask::{self, Ask, Terms};
use super::route::Batches as Call;
use super::{Refusal, batched, error_body, pages};
use crate::answer::{Answer, Received};
use crate::body::Body;
use crate::state::State;
use crate::time;

/// All batches, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Batches(Vec<Batch>);

#[derive(Debug)]
struct Batch {
    id: String,
    created: Duration,
    cancelled: Option<Duration>,
    /// How long it takes, if nobody ends it before.
    time: Duration,
    /// The requests, by their own names, with what they come to.
    requests: Vec<(String, Value)>,
}

/// How many requests a batch may have.
const MAX_REQUESTS: usize = 100_000;
/// How long after its creation a batch ends in any case.
const EXPIRY: Duration = Duration::from_secs(24 * 3600);
/// How long after its creation a batch's results are gone.
const ARCHIVE: Duration = Duration::from_secs(29 * 24 * 3600);
/// How long a cancellation takes.
const CANCELLING: Duration = Duration::from_secs(1);

pub(super) fn serve(
    state: &State,
    received: &Received,
    call: Call<'_>,
    version: Version,
) -> Result<Answer, Refusal> {
    let json = |value: &Value| Answer::json(StatusCode::OK, value);
    let now = received.at;
    match (call, &received.method) {
        (Call::All, &Method::POST) => {
            let batch = Batch::read(state, received, version)?;
            let answer = json(&batch.describe(state, now));
            state.lock().shelf.batches.0.push(batch);
            Ok(answer)
        }
        (Call::All, _) => {
            let changing = state.lock();
            let newest = changing.shelf.batches.0.iter().rev();
            let all: Vec<Value> = newest.map(|batch| batch.describe(state, now)).collect();
            pages::by_id(&all, &received.query).map(|page| json(&page))
        }
        (Call::One(id), &Method::DELETE) => {
            let batches = &mut state.lock().shelf.batches;
            if batches.find(id)?.ended(now).is_none() {
                return Err(Refusal::invalid(
                    "the batch is in progress: cancel it first, or wait for its end",
                ));
            }
            batches.0.retain(|batch| batch.id != id);
            Ok(json(&json!({"id": id, "type": "message_batch_deleted"})))
        }
        (Call::One(id), _) => Ok(json(&state.lock().shelf.batches.find(id)?.describe(state, now))),
        (Call::Cancel(id), _) => {
            let batches = &mut state.lock().shelf.batches;
            let batch = batches.find(id)?;
            if batch.ended(now).is_none() {
                batch.cancelled.get_or_insert(now);
            }
            Ok(json(&batch.describe(state, now)))
        }
        (Call::Results(id), _) => {
            let batches = &mut state.lock().shelf.batches;
            let lines = batches.find(id)?.results(now)?;
            Ok(Answer::new(StatusCode::OK, Body::whole(lines)).header(CONTENT_TYPE, "application/x-jsonl"))
        }
    }
}

impl Batches {
    /// Makes a batch of this id, one that has ended, where there is none.
    pub(super) fn provide(&mut self, id: &str, now: Duration) {
        if self.find(id).is_err() {
            let requests = vec![("example".to_owned(), json!({"type": "canceled"}))];
            let (id, time) = (id.to_owned(), Duration::ZERO);
            self.0.push(Batch { id, created: now, cancelled: None, time, requests });
        }
    }

    fn find(&mut self, id: &str) -> Result<&mut Batch, Refusal> {
        let found = self.0.iter_mut().find(|batch| batch.id == id);
        found.ok_or_else(|| Refusal::not_found(format!("message_batch_id: there is no batch {id}")))
    }
}

impl Batch {
    /// Reads the body of `POST /v1/messages/batches`. What is wrong with one message shows in its result.
    fn read(state: &State, received: &Received, version: Version) -> Result<Self, Refusal> {
        let body: Value = serde_json::from_slice(&received.body)
            .map_err(|error| Refusal::invalid(format!("the request body is not valid JSON: {error}")))?;
        let requests = match body.get("requests").and_then(Value::as_array) {
            Some(requests) if (1..=MAX_REQUESTS).contains(&requests.len()) => requests,
            Some(_) => {
                return Err(Refusal::invalid(format!("requests: must be 1 to {MAX_REQUESTS} requests")));
            }
            None => return Err(Refusal::invalid("requests: must be a list of requests")),
        };
        if let Some(name) = stranger(&body, &["requests"]) {
            return Err(Refusal::invalid(format!("{name}: the API knows no such member here")));
        }
        let terms = Terms::new(state, received, version, ask::Call::Batched);
        let mut names = HashSet::new();
        let mut answered = Vec::with_capacity(requests.len());
        for (index, request) in requests.iter().enumerate() {
            let place = |what: &str| Refusal::invalid(format!("requests.{index}.{what}"));
            let name = request.get("custom_id").and_then(Value::as_str);
            let name = name.ok_or_else(|| place("custom_id: field required"))?;
            if !is_name(name) {
                return Err(place("custom_id: must be 1 to 64 letters, digits, hyphens and underscores"));
            }
            if !names.insert(name) {
                return Err(place("custom_id: must be unique in the batch"));
            }
            if let Some(name) = stranger(request, &["custom_id", "params"]) {
                return Err(place(&format!("{name}: the API knows no such member here")));
            }
            let params = request.get("params").and_then(Value::as_object);
            let params = params.ok_or_else(|| place("params: field required"))?;
            let message = match Ask::of(params, &terms) {
                Ok(ask) if ask.stream => {
                    Err(error_body("invalid_request_error", "stream: a batch has no streams"))
                }
                Ok(ask) => batched(state, &ask),
                Err(refusal) => Err(error_body(refusal.kind, &refusal.message)),
            };
            let result = match message {
                Ok(message) => json!({"type": "succeeded", "message": message}),
                Err(error) => json!({"type": "errored", "error": error}),
            };
            answered.push((name.to_owned(), result));
        }
        let (id, time) = (state.lock().mint.name("msgbatch_", 24), state.lifetimes.batch);
        Ok(Self { id, created: received.at, cancelled: None, time, requests: answered })
    }

    /// How many requests are done at a time. They come one after another, evenly.
    fn done(&self, now: Duration) -> usize {
        let end = self.cancelled.map_or(now, |cancelled| now.min(cancelled)).min(self.created + EXPIRY);
        let ran = end.saturating_sub(self.created);
        if ran >= self.time {
            return self.requests.len();
        }
        let nanos = |time: Duration| time.as_nanos().max(1);
        let count = self.requests.len() as u128 * nanos(ran) / nanos(self.time);
        usize::try_from(count).unwrap_or(usize::MAX).min(self.requests.len())
    }

    /// When it ended, if it has.
    fn ended(&self, now: Duration) -> Option<Duration> {
        let whole = self.created + self.time.min(EXPIRY);
        let end = match self.cancelled {
            Some(cancelled) => whole.min(cancelled + CANCELLING),
            None => whole,
        };
        (now >= end).then_some(end)
    }

    fn is_archived(&self, now: Duration) -> bool {
        now >= self.created + ARCHIVE
    }

    /// What became of each request, at the end.
    fn outcomes(&self) -> impl Iterator<Item = (&str, Value)> {
        let done = self.done(Duration::MAX);
        let undone = if self.cancelled.is_some() { "canceled" } else { "expired" };
        self.requests.iter().enumerate().map(move |(index, (name, result))| {
            let result = if index < done { result.clone() } else { json!({"type": undone}) };
            (name.as_str(), result)
        })
    }

    fn describe(&self, state: &State, now: Duration) -> Value {
        let ended = self.ended(now);
        let status = match (ended, self.cancelled) {
            (Some(_), _) => "ended",
            (None, Some(_)) => "canceling",
            (None, None) => "in_progress",
        };
        // All are processing until the whole batch has ended.
        let outcomes: Vec<Value> = match ended {
            Some(_) => self.outcomes().map(|(_, result)| result).collect(),
            None => Vec::new(),
        };
        let count = |kind: &str| {
            outcomes.iter().filter(|outcome| outcome.get("type").is_some_and(|known| known == kind)).count()
        };
        let date = |at: Duration| time::rfc3339(state.clock.wall(at));
        let results = ended.filter(|_| !self.is_archived(now)).map(|_| {
            let path = format!("/v1/messages/batches/{}/results", self.id);
            state.url(&path).to_string()
        });
        json!({
            "type": "message_batch",
            "id": self.id,
            "processing_status": status,
            "request_counts": {
                "processing": self.requests.len() - outcomes.len(),
                "succeeded": count("succeeded"),
                "errored": count("errored"),
                "canceled": count("canceled"),
                "expired": count("expired"),
            },
            "created_at": date(self.created),
            "expires_at": date(self.created + EXPIRY),
            "cancel_initiated_at": self.cancelled.map(date),
            "ended_at": ended.map(date),
            "archived_at": self.is_archived(now).then(|| date(self.created + ARCHIVE)),
            "results_url": results,
        })
    }

    fn results(&self, now: Duration) -> Result<Bytes, Refusal> {
        if self.ended(now).is_none() {
            return Err(Refusal::invalid("the batch has no results before it has ended"));
        }
        if self.is_archived(now) {
            return Err(Refusal::not_found("the results are gone: they are kept for 29 days"));
        }
        let lines = self.outcomes().map(|(name, result)| {
            let line = json!({"custom_id": name, "result": result});
            line.to_string() + "\n"
        });
        Ok(Bytes::from(lines.collect::<String>()))
    }
}

/// The name of a member that is not one of these.
fn stranger<'a>(value: &'a Value, known: &[&str]) -> Option<&'a str> {
    value.as_object()?.keys().map(String::as_str).find(|name| !known.contains(name))
}

fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=64).contains(&name.len()) && name.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(time: u64, cancelled: Option<u64>) -> Batch {
        let requests = (0..10).map(|number| (format!("r{number}"), json!({"type": "succeeded"}))).collect();
        let seconds = Duration::from_secs;
        let cancelled = cancelled.map(seconds);
        Batch { id: "b".into(), created: seconds(100), cancelled, time: seconds(time), requests }
    }

    fn outcome(batch: &Batch) -> (usize, String) {
        let kinds: Vec<Value> = batch.outcomes().map(|(_, result)| result["type"].clone()).collect();
        let done = kinds.iter().filter(|kind| *kind == "succeeded").count();
        (done, kinds.last().unwrap().as_str().unwrap().to_owned())
    }

    #[test]
    fn a_batch_ends_when_its_time_has_come() {
        let batch = batch(10, None);
        assert_eq!(batch.ended(Duration::from_secs(109)), None);
        assert_eq!(batch.ended(Duration::from_secs(111)), Some(Duration::from_secs(110)));
        assert_eq!(outcome(&batch), (10, "succeeded".to_owned()));
    }

    #[test]
    fn a_cancelled_batch_keeps_what_was_done() {
        let batch = batch(10, Some(104));
        assert_eq!(batch.ended(Duration::from_secs(104)), None);
        assert!(batch.ended(Duration::from_secs(105)).is_some());
        assert_eq!(outcome(&batch), (4, "canceled".to_owned()));
    }

    #[test]
    fn a_batch_that_takes_more_than_a_day_expires() {
        let batch = batch(2 * 24 * 3600, None);
        assert!(batch.ended(Duration::from_secs(100) + EXPIRY).is_some());
        assert_eq!(outcome(&batch), (5, "expired".to_owned()));
    }

    #[test]
    fn a_name_is_letters_digits_hyphens_and_underscores() {
        assert!(is_name("a-Z_9") && is_name(&"x".repeat(64)));
        assert!(!is_name("") && !is_name("a b") && !is_name("é") && !is_name(&"x".repeat(65)));
    }
}
