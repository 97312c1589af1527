//! The API side: who may call, whether the limits allow it, and the endpoints.

mod access;
mod ask;
mod count;
mod models;
mod speech;

use http::header::{HeaderName, RETRY_AFTER};
use http::{Method, StatusCode};
use serde_json::json;

use self::ask::Ask;
use crate::answer::{Answer, Received};
use crate::body::Body;
use crate::reply::{Content, Reply};
use crate::state::State;

/// An endpoint of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call<'a> {
    Messages,
    CountTokens,
    Models,
    Model(&'a str),
}

/// An error in the API's words, on its way to become a reply.
#[derive(Debug, PartialEq, Eq)]
struct Refusal {
    status: StatusCode,
    kind: &'static str,
    message: String,
    /// Whole seconds.
    retry_after: Option<u64>,
}

impl<'a> Call<'a> {
    pub(crate) fn of(path: &'a str) -> Option<Self> {
        match path {
            "/v1/messages" => Some(Self::Messages),
            "/v1/messages/count_tokens" => Some(Self::CountTokens),
            "/v1/models" => Some(Self::Models),
            _ => {
                let id = path.strip_prefix("/v1/models/")?;
                (!id.is_empty() && !id.contains('/')).then_some(Self::Model(id))
            }
        }
    }

    pub(crate) fn method(self) -> Method {
        match self {
            Self::Messages | Self::CountTokens => Method::POST,
            Self::Models | Self::Model(_) => Method::GET,
        }
    }

    /// Whether an OAuth token needs the scope for inference.
    fn is_inference(self) -> bool {
        matches!(self, Self::Messages | Self::CountTokens)
    }
}

/// Answers a call. The order of the checks: version, credential, scope, request, limits, script.
pub(crate) fn answer(state: &State, received: &Received, call: Call<'_>) -> Answer {
    let entry = match access::check(state, received, call) {
        Ok(entry) => entry,
        Err(refused) => return *refused,
    };
    let mut answer =
        serve(state, received, call, entry.version).unwrap_or_else(|refusal| refusal.into_answer(received));
    answer.credential = entry.credential;
    state.lock().limits.write(received.at, &state.clock, &mut answer.headers);
    answer.header(HeaderName::from_static("anthropic-workspace-id"), state.workspace.as_str())
}

/// Renders a scripted reply where no message was asked for.
pub(crate) fn scripted(state: &State, received: &Received, reply: Reply) -> Answer {
    perform(state, received, &Ask::default(), reply)
}

fn serve(
    state: &State,
    received: &Received,
    call: Call<'_>,
    version: access::Version,
) -> Result<Answer, Refusal> {
    let other = |answer: Answer| {
        let path = received.path.strip_prefix(state.path_prefix.as_str()).unwrap_or(&received.path);
        state.scripted(path).map_or(answer, |reply| scripted(state, received, reply))
    };
    match call {
        Call::Messages => {
            let ask = Ask::message(&received.body, version, &state.models)?;
            admit(state, received, ask.input_tokens)?;
            let reply = state
                .scripted("/v1/messages")
                .unwrap_or_else(|| Reply::text(format!("You said: {}", ask.last_user_text)));
            Ok(perform(state, received, &ask, reply))
        }
        Call::CountTokens => {
            let ask = Ask::count(&received.body, version, &state.models)?;
            admit(state, received, 0)?;
            Ok(other(Answer::json(StatusCode::OK, &json!({"input_tokens": ask.input_tokens}))))
        }
        Call::Models => {
            let page = models::page(&state.models, &received.query)?;
            admit(state, received, 0)?;
            Ok(other(Answer::json(StatusCode::OK, &page)))
        }
        Call::Model(id) => {
            let model = models::one(&state.models, id)?;
            admit(state, received, 0)?;
            Ok(other(Answer::json(StatusCode::OK, &model)))
        }
    }
}

fn admit(state: &State, received: &Received, input_tokens: u64) -> Result<(), Refusal> {
    state.lock().limits.admit(received.at, input_tokens).map_err(|refused| Refusal {
        status: StatusCode::TOO_MANY_REQUESTS,
        kind: "rate_limit_error",
        message: refused.message,
        // Rounded up: who waits as told is let in.
        retry_after: Some(refused.wait.as_secs() + u64::from(refused.wait.subsec_nanos() > 0)),
    })
}

/// Says what a reply says, in the form that was asked for, cut where the script cuts it.
fn perform(state: &State, received: &Received, ask: &Ask, reply: Reply) -> Answer {
    let mut answer =
        match reply.content {
            Content::Message { blocks, stop_reason } => {
                let changing = &mut *state.lock();
                let speech = speech::Speech::new(ask, blocks, stop_reason, &mut changing.mint);
                changing.limits.spend_output(speech.output_tokens);
                if ask.stream { speech.stream(ask) } else { speech.whole(ask) }
            }
            Content::Error { kind, message } => Answer::error(&received.id, StatusCode::OK, &kind, &message),
            Content::Whole { content_type, bytes } => Answer::new(StatusCode::OK, Body::whole(bytes))
                .header(http::header::CONTENT_TYPE, content_type),
            Content::Pieces { content_type, pieces } => Answer::new(StatusCode::OK, Body::pieces(pieces))
                .header(http::header::CONTENT_TYPE, content_type),
        };
    if let Some(status) = reply.status {
        answer.status = status;
    }
    if let Some(cut) = reply.cut {
        cut.apply(&mut answer.body);
    }
    answer.scripted_headers = reply.headers;
    answer
}

impl Refusal {
    fn invalid(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            kind: "invalid_request_error",
            message: message.into(),
            retry_after: None,
        }
    }

    fn not_found(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            kind: "not_found_error",
            message: message.into(),
            retry_after: None,
        }
    }

    fn into_answer(self, received: &Received) -> Answer {
        let answer = Answer::error(&received.id, self.status, self.kind, &self.message);
        match self.retry_after {
            Some(seconds) => answer.header(RETRY_AFTER, seconds),
            None => answer,
        }
    }
}
