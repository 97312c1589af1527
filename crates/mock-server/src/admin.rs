//! Orders to the server itself, under `/mock/`: they are not journaled, and no fault happens to them.
//!
//! A page of somebody else in a browser of this machine cannot give any: they are for names of this machine and of no page but
//! the server's own, and what says something has to be JSON, which browsers ask about first.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};
use serde_json::{Map, Value, json};

use crate::answer::Answer;
use crate::body::Body;
use crate::fault::Fault;
use crate::state::State;

/// The longest life of an identity, in seconds.
const DAY: u64 = 86_400;

/// An endpoint for orders.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Call {
    Faults,
    Journal,
    Clock,
    IdentityToken,
}

impl Call {
    pub(crate) fn of(path: &str) -> Option<Self> {
        Some(match path.strip_prefix("/mock/")? {
            "faults" => Self::Faults,
            "journal" => Self::Journal,
            "clock" => Self::Clock,
            "identity-token" => Self::IdentityToken,
            _ => return None,
        })
    }

    fn methods(self) -> &'static str {
        match self {
            Self::Faults => "GET, POST, DELETE",
            Self::Journal => "GET, DELETE",
            Self::Clock | Self::IdentityToken => "POST",
        }
    }
}

pub(crate) fn answer(state: &State, call: Call, parts: &Parts, body: &Bytes) -> Response<Body> {
    let answer = match (call, &parts.method) {
        (Call::Faults, &Method::DELETE) => {
            state.lock().faults.clear();
            done()
        }
        (Call::Faults, &Method::GET) => {
            // The guard ends here.
            let pending: Vec<Value> = state.lock().faults.all().map(Fault::to_json).collect();
            Answer::json(StatusCode::OK, &json!({"faults": pending}))
        }
        (Call::Journal, &Method::DELETE) => {
            state.lock().journal.clear();
            done()
        }
        (Call::Journal, &Method::GET) => {
            let entries = state.lock().journal.entries();
            let lines: String = entries.iter().map(|entry| entry.to_json().to_string() + "\n").collect();
            let kind = HeaderValue::from_static("application/x-ndjson");
            Answer::new(StatusCode::OK, Body::whole(lines)).header(CONTENT_TYPE, kind)
        }
        (Call::Faults | Call::Clock | Call::IdentityToken, &Method::POST) => {
            match object(parts, body).and_then(|order| obey(state, call, order)) {
                Ok(answer) => answer,
                Err(message) => Answer::json(StatusCode::BAD_REQUEST, &json!({"error": message})),
            }
        }
        _ => Answer::json(StatusCode::METHOD_NOT_ALLOWED, &json!({"error": "use another method"}))
            .header(ALLOW, call.methods()),
    };
    response(answer)
}

/// The answer to a page of somebody else.
pub(crate) fn turned_away() -> Response<Body> {
    let message = "orders are for 127.0.0.1, localhost and [::1], and of no page: give one of these as the host, and no origin";
    response(Answer::json(StatusCode::FORBIDDEN, &json!({"error": message})))
}

fn response(answer: Answer) -> Response<Body> {
    let mut response = Response::new(answer.body);
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    response
}

fn obey(state: &State, call: Call, mut order: Map<String, Value>) -> Result<Answer, String> {
    let answer = match call {
        Call::Faults => {
            let fault = fault(&mut order)?;
            if fault.is_of_tls() && state.base_url.scheme() == "http" {
                return Err("do: this happens within TLS, which the server does not speak".to_owned());
            }
            state.lock().faults.push(fault);
            done()
        }
        Call::Clock => {
            let by = take(&mut order, "advance_seconds", Value::as_f64)?;
            let by = by.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
            state.clock.advance(by.ok_or("advance_seconds: give a number that is not negative")?);
            done()
        }
        Call::IdentityToken | Call::Journal => {
            let subject = take(&mut order, "subject", |value| value.as_str().map(str::to_owned))?;
            let life = take(&mut order, "lifetime_seconds", Value::as_u64)?.unwrap_or(3600).min(DAY);
            let claims = take(&mut order, "claims", |value| value.as_object().cloned())?;
            let now = state.clock.wall(state.clock.now());
            let subject = subject.unwrap_or_else(|| "mock-workload".to_owned());
            let claims = claims.unwrap_or_default();
            let token = state.workload.sign(now, Duration::from_secs(life), &subject, claims);
            let told = json!({
                "identity_token": token,
                "federation_rule_id": state.workload.rule,
                "service_account_id": state.workload.service_account,
                "organization_id": state.seats.get(0).map(|seat| seat.organization.as_str()),
            });
            Answer::json(StatusCode::OK, &told)
        }
    };
    match order.keys().next() {
        None => Ok(answer),
        Some(name) => Err(format!("{name}: is no member of this order")),
    }
}

/// Reads `{"do": "status 529", "on": "/v1/messages", "times": 3, "probability": 0.5, "credential": "sk-…"}`.
fn fault(order: &mut Map<String, Value>) -> Result<Fault, String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let told = take(order, "do", text)?.ok_or("do: say what shall go wrong")?;
    let mut fault: Fault = told.parse().map_err(|error| format!("do: {error}"))?;
    let path = |value: &Value| text(value).filter(|path| path.starts_with('/'));
    if let Some(path) = take(order, "on", path)? {
        fault = fault.on(path);
    }
    let times = take(order, "times", |value| u32::try_from(value.as_u64()?).ok().filter(|times| *times > 0))?;
    let always = take(order, "always", Value::as_bool)? == Some(true);
    fault = match (times, always) {
        (Some(_), true) => return Err("times: give this or always, not both".to_owned()),
        (None, true) => fault.always(),
        (Some(times), false) => fault.times(times),
        (None, false) => fault,
    };
    let chance = |value: &Value| value.as_f64().filter(|chance| (0.0..=1.0).contains(chance));
    if let Some(probability) = take(order, "probability", chance)? {
        fault = fault.probability(probability);
    }
    if let Some(secret) = take(order, "credential", text)? {
        fault = fault.credential(secret);
    }
    match order.keys().next() {
        None => Ok(fault),
        Some(name) => Err(format!("{name}: is no member of a fault")),
    }
}

/// Takes a member out, so that what is left is unknown.
fn take<T>(
    order: &mut Map<String, Value>,
    name: &str,
    read: impl FnOnce(&Value) -> Option<T>,
) -> Result<Option<T>, String> {
    match order.remove(name) {
        None => Ok(None),
        Some(value) => read(&value).map(Some).ok_or_else(|| format!("{name}: cannot be this")),
    }
}

fn object(parts: &Parts, body: &Bytes) -> Result<Map<String, Value>, String> {
    let kind = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        return Err("send content-type: application/json".to_owned());
    }
    serde_json::from_slice(body).map_err(|error| format!("the body is no JSON object: {error}"))
}

fn done() -> Answer {
    Answer::json(StatusCode::OK, &json!({}))
}
