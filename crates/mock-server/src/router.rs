//! From an HTTP request to its reply: reading, finding the endpoint, signing off, journal.

mod breakdown;
mod endpoint;

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use bytes::{Bytes, BytesMut};
use http::header::DATE;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use self::breakdown::break_down;
use self::endpoint::{dispatch, local};
use crate::admin;
use crate::answer::{Answer, Received};
use crate::api::{self, Call};
use crate::body::Body;
use crate::fault::{Effect, Fault, UnknownFault};
use crate::http2;
use crate::journal::Entry;
use crate::state::State;
use crate::visitor;
use crate::wire::Plan;

/// The largest body that is read where the API does not say otherwise.
const MAX_BODY: usize = 32 << 20;
/// What is read and thrown away of a larger one, so that its sender gets to read the refusal.
const MAX_DISCARDED: usize = 32 << 20;

/// The largest body of an order to the server itself.
const MAX_ADMIN: usize = 1 << 20;

/// Answers one request and writes it into the journal; an error ends the connection.
pub(crate) async fn answer(
    state: Arc<State>,
    plan: Plan,
    request: Request<Incoming>,
) -> Result<Response<Body>, Box<dyn std::error::Error + Send + Sync>> {
    plan.begin();
    let (parts, incoming) = request.into_parts();
    let path = local(&state, parts.uri.path()).unwrap_or_default();
    if path.starts_with("/mock/") && !visitor::is_local(&parts, state.base_url.host_str()) {
        let mut response = admin::turned_away();
        response.body_mut().planned(plan);
        return Ok(response);
    }
    if let Some(call) = admin::Call::of(path) {
        let body = read(incoming, MAX_ADMIN).await?.unwrap_or_default();
        let mut response = admin::answer(&state, call, &parts, &body);
        response.body_mut().planned(plan);
        return Ok(response);
    }
    let most = local(&state, parts.uri.path()).and_then(Call::of).map_or(MAX_BODY, Call::most);
    let body = read(incoming, most).await?;
    let query = parts.uri.query().unwrap_or_default();
    let id = state.lock().mint.name("req_", 24);
    let mut received = Received {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers: parts.headers,
        body: Bytes::new(),
        at: state.clock.now(),
        id,
        loses_mail: false,
    };
    let path = local(&state, &received.path).map(str::to_owned);
    let (answer, fault) = match (body, fault(&state, &received, path.as_deref())) {
        (None, _) => {
            let message =
                format!("the request body is larger than {} MiB: send less in one request", most >> 20);
            let status = StatusCode::PAYLOAD_TOO_LARGE;
            (Answer::error(&received.id, status, "request_too_large", &message), None)
        }
        (Some(body), Ok(fault)) => {
            http2::unserved(fault.as_ref(), &plan)?;
            received.body = body;
            match fault {
                Some(Effect::Answer(reply)) => {
                    (api::scripted(&state, &received, *reply).noted(Some("a fault in its place")), None)
                }
                fault => {
                    received.loses_mail = matches!(fault, Some(Effect::LoseMail));
                    (dispatch(&state, &received), fault)
                }
            }
        }
        (Some(_), Err(unknown)) => {
            let message = unknown.to_string();
            let status = StatusCode::BAD_REQUEST;
            (Answer::error(&received.id, status, "invalid_request_error", &message), None)
        }
    };
    let mut answer = answer;
    let fault = fault.or(answer.fault.take());
    let request = fault.as_ref().map(|_| received.body.clone()).unwrap_or_default();
    let mut response = finish(&state, received, answer);
    if let Some(path) = path {
        state.gate.pass(&path).await;
    }
    match fault {
        Some(fault) => break_down(fault, plan, &request, &mut response).await?,
        None => response.body_mut().planned(plan),
    }
    Ok(response)
}

/// Takes what is to go wrong: what the request itself asks for, or what was injected.
fn fault(state: &State, received: &Received, path: Option<&str>) -> Result<Option<Effect>, UnknownFault> {
    match received.header("x-mock-fault") {
        Some(text) => match text.parse::<Fault>()? {
            // The connection is there.
            fault if fault.is_at_accept() => Err(UnknownFault),
            fault => Ok(Some(fault.effect)),
        },
        None => {
            let bearer = received.header("authorization").and_then(|value| Some(value.split_once(' ')?.1));
            let credential = bearer.or_else(|| received.header("x-api-key"));
            Ok(path.and_then(|path| state.lock().faults.at_request(path, credential)))
        }
    }
}

/// Reads a body; `None` if it has more than `most` bytes.
async fn read(mut incoming: Incoming, most: usize) -> Result<Option<Bytes>, hyper::Error> {
    let mut body = BytesMut::new();
    let mut length = 0;
    while let Some(frame) = incoming.frame().await {
        let Ok(data) = frame?.into_data() else { continue };
        length += data.len();
        if length > most + MAX_DISCARDED {
            break;
        }
        if length > most {
            body = BytesMut::new();
        } else {
            body.extend_from_slice(&data);
        }
    }
    Ok((length <= most).then(|| body.freeze()))
}

/// Adds what every reply carries, and writes the journal before the reply leaves.
fn finish(state: &State, received: Received, answer: Answer) -> Response<Body> {
    let mut response = Response::new(answer.body);
    *response.status_mut() = answer.status;
    let headers = response.headers_mut();
    *headers = answer.headers;
    if let Ok(id) = HeaderValue::try_from(received.id) {
        headers.insert(HeaderName::from_static("request-id"), id);
    }
    let now = state.clock.wall(received.at);
    let second = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    // The guard ends here.
    let date = state.lock().dates.header(second, || httpdate::fmt_http_date(now));
    if let Some(date) = date {
        headers.insert(DATE, date);
    }
    if let Some([organization, _]) = state.seats.get(answer.seat).and_then(|seat| seat.headers.as_ref()) {
        headers.insert(HeaderName::from_static("anthropic-organization-id"), organization.clone());
    }
    for (name, value) in answer.scripted_headers {
        headers.insert(name, value);
    }
    state.lock().journal.push(Entry {
        seq: 0,
        at: received.at,
        method: received.method,
        path: received.path,
        query: received.query,
        headers: received.headers,
        body: received.body,
        status: answer.status,
        credential: answer.credential,
        note: answer.note,
    });
    response
}
