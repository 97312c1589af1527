//! From an HTTP request to its reply: reading, finding the endpoint, signing off, journal.

use std::io;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use bytes::{Bytes, BytesMut};
use http::header::{ALLOW, DATE};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use crate::admin;
use crate::answer::{Answer, Received};
use crate::api::{self, Call};
use crate::body::{Body, Turn};
use crate::fault::{At, Effect, Ending, Fault, UnknownFault};
use crate::http2;
use crate::journal::Entry;
use crate::oauth;
use crate::page;
use crate::state::State;
use crate::time;
use crate::visitor;
use crate::wire::Plan;

/// The largest body that is read where the API does not say otherwise.
const MAX_BODY: usize = 32 << 20;
/// What is read and thrown away of a larger one, so that its sender gets to read the refusal.
const MAX_DISCARDED: usize = 32 << 20;

/// The largest body of an order to the server itself.
const MAX_ADMIN: usize = 1 << 20;

const GET: &[Method] = &[Method::GET];
const POST: &[Method] = &[Method::POST];

/// A path the server knows.
#[derive(Debug)]
enum Endpoint<'a> {
    Index,
    Metadata,
    Keys,
    Authorize,
    Decision,
    Login,
    Mailbox,
    Callback,
    DeviceAuthorization,
    DevicePage,
    DeviceDecision,
    Token,
    Revoke,
    Api(Call<'a>),
}

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

/// Prepares what goes wrong with a response; an error is a connection without one.
async fn break_down(
    fault: Effect,
    plan: Plan,
    request: &[u8],
    response: &mut Response<Body>,
) -> io::Result<()> {
    let fault = match fault {
        Effect::Edit(edit) => {
            let mut body = std::mem::take(response.body_mut());
            edit.apply(response.headers_mut(), &mut body, request);
            body.planned(plan);
            *response.body_mut() = body;
            return Ok(());
        }
        fault => fault,
    };
    let body = response.body_mut();
    match fault {
        Effect::End(At::Accept | At::Request, ending) => {
            return match ending {
                Ending::Stall => std::future::pending().await,
                Ending::Reset => {
                    plan.reset();
                    Err(io::ErrorKind::ConnectionReset.into())
                }
                Ending::Close => Err(io::ErrorKind::ConnectionAborted.into()),
            };
        }
        Effect::End(At::Byte(bytes), ending) => plan.cut(bytes, ending),
        Effect::End(At::Body(bytes), ending) => body.turn_after(bytes, Turn::End(ending)),
        Effect::End(At::Event(events), ending) => body.turn_after(body.length_of(events), Turn::End(ending)),
        Effect::End(At::End, ending) => plan.idle(ending, false),
        Effect::End(At::Next, ending) => plan.idle(ending, true),
        Effect::Drip(At::Accept | At::Request, every) => plan.drip(0, every),
        Effect::Drip(At::Byte(bytes), every) => plan.drip(bytes, every),
        Effect::Drip(At::Body(bytes), every) => body.turn_after(bytes, Turn::Drip(every)),
        Effect::Drip(At::Event(events), every) => body.turn_after(body.length_of(events), Turn::Drip(every)),
        Effect::Raw(bytes) => plan.raw(bytes),
        Effect::Length(off_by) => plan.tail(body.announce(off_by)),
        Effect::Extra(bytes) => plan.tail(bytes),
        Effect::Delay(length) => time::pause(length).await,
        Effect::KeepAlive(events, bytes, every) => {
            body.turn_after(body.length_of(events), Turn::KeepAlive(bytes, every));
        }
        // After the answer nothing is left to drip, and an answer was given before.
        Effect::Drip(At::End | At::Next, _) | Effect::Answer(_) | Effect::LoseMail => {}
        Effect::GoAway { .. } => return Err(http2::go_away_served(&plan)),
        Effect::Flood(frames, count) => http2::flood(&plan, frames, count),
        Effect::Edit(_) | Effect::Handshake(_) | Effect::RefuseStream => {}
    }
    body.planned(plan);
    Ok(())
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

fn dispatch(state: &State, received: &Received) -> Answer {
    let Some(path) = local(state, &received.path) else {
        return not_found(received);
    };
    let endpoint = Endpoint::of(path);
    // A script takes the place of everything but the API's own endpoints, which look for it after their checks.
    if !matches!(endpoint, Some(Endpoint::Api(_)))
        && let Some(reply) = state.scripted(path, || received.text())
    {
        return api::scripted(state, received, reply);
    }
    let Some(endpoint) = endpoint else {
        return not_found(received);
    };
    let methods = endpoint.methods();
    if !methods.contains(&received.method) {
        let methods = methods.iter().map(Method::as_str).collect::<Vec<_>>();
        let message = format!("{} is not allowed here: use {}", received.method, methods.join(" or "));
        return Answer::error(
            &received.id,
            StatusCode::METHOD_NOT_ALLOWED,
            "invalid_request_error",
            &message,
        )
        .header(ALLOW, methods.join(", "));
    }
    match endpoint {
        Endpoint::Index => page::index(state),
        Endpoint::Metadata => oauth::metadata(state),
        Endpoint::Keys => Answer::json(StatusCode::OK, &state.workload.keys()),
        Endpoint::Authorize => oauth::authorize(state, received),
        Endpoint::Decision => oauth::decide(state, received),
        Endpoint::Login => oauth::log_in(state, received),
        Endpoint::Mailbox => oauth::mailbox(state),
        Endpoint::Callback => oauth::callback_page(received),
        Endpoint::DeviceAuthorization => oauth::authorize_device(state, received),
        Endpoint::DevicePage => oauth::device_page(state, received),
        Endpoint::DeviceDecision => oauth::decide_device(state, received),
        Endpoint::Token => oauth::token(state, received),
        Endpoint::Revoke => oauth::revoke(state, received),
        Endpoint::Api(call) => api::answer(state, received, call),
    }
}

impl<'a> Endpoint<'a> {
    fn of(path: &'a str) -> Option<Self> {
        Some(match path {
            "" | "/" => Self::Index,
            "/.well-known/oauth-authorization-server" => Self::Metadata,
            "/.well-known/jwks.json" => Self::Keys,
            "/oauth/authorize" => Self::Authorize,
            "/oauth/authorize/decision" => Self::Decision,
            "/oauth/login" => Self::Login,
            "/mock/mail" => Self::Mailbox,
            "/oauth/code/callback" => Self::Callback,
            "/v1/oauth/device_authorization" => Self::DeviceAuthorization,
            "/oauth/device" => Self::DevicePage,
            "/oauth/device/decision" => Self::DeviceDecision,
            "/v1/oauth/token" | "/oauth/token" => Self::Token,
            "/v1/oauth/revoke" => Self::Revoke,
            _ => Self::Api(Call::of(path)?),
        })
    }

    fn methods(&self) -> &'static [Method] {
        match self {
            Self::Index
            | Self::Metadata
            | Self::Keys
            | Self::Authorize
            | Self::Mailbox
            | Self::Callback
            | Self::DevicePage => GET,
            Self::Decision
            | Self::Login
            | Self::DeviceAuthorization
            | Self::DeviceDecision
            | Self::Token
            | Self::Revoke => POST,
            Self::Api(call) => call.methods(),
        }
    }
}

/// The path without the prefix; `None` if it is not below the prefix.
///
/// The metadata of an issuer with a path lives before that path (RFC 8414, section 3.1), so that is understood too.
fn local<'a>(state: &State, path: &'a str) -> Option<&'a str> {
    const METADATA: &str = "/.well-known/oauth-authorization-server";
    if let Some(local) = path.strip_prefix(state.path_prefix.as_str())
        && (local.is_empty() || local.starts_with('/'))
    {
        return Some(local);
    }
    (path.strip_prefix(METADATA)? == state.path_prefix).then_some(METADATA)
}

fn not_found(received: &Received) -> Answer {
    let message = format!("there is nothing at {}: check the base URL and its path", received.path);
    Answer::error(&received.id, StatusCode::NOT_FOUND, "not_found_error", &message)
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
