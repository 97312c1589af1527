//! The API side: who may call, whether the limits allow it, and the endpoints.

mod access;
mod archive;
mod ask;
mod batches;
mod count;
mod examples;
mod files;
mod models;
mod multipart;
mod pages;
mod profiles;
mod route;
mod skills;
mod speech;

pub(crate) use self::files::File;
pub(crate) use self::route::Call;

use http::StatusCode;
use http::header::{HeaderName, RETRY_AFTER};
use serde_json::{Value, json};

use self::ask::{Ask, Terms};
use crate::answer::{Answer, Received};
use crate::body::Body;
use crate::limits::{Asker, class};
use crate::reply::{Content, Reply};
use crate::state::State;

/// What was put onto the server and can be got from it.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    batches: batches::Batches,
    pub(crate) files: files::Files,
    skills: skills::Skills,
    profiles: profiles::Profiles,
}

/// An error in the API's words, on its way to become a reply.
#[derive(Debug, PartialEq, Eq)]
struct Refusal {
    status: StatusCode,
    kind: &'static str,
    message: String,
    /// What tells errors of one kind apart.
    code: Option<&'static str>,
    /// Whole seconds.
    retry_after: Option<u64>,
}

/// Answers a call. The order of the checks: version, credential, scope, request, limits, script.
pub(crate) fn answer(state: &State, received: &Received, call: Call<'_>) -> Answer {
    let entry = match access::check(state, received, call) {
        Ok(entry) => entry,
        Err(refused) => return *refused,
    };
    let example = state.examples.then(|| examples::provide(state, received, call));
    let received = example.as_ref().unwrap_or(received);
    let [organization, workspace] = state.seats.get(entry.seat).map_or([0; 2], |seat| seat.numbers);
    let mut asker = Asker { organization, workspace, class: String::new() };
    let served = serve(state, received, call, entry.version, &mut asker);
    let mut answer = served.unwrap_or_else(|refusal| refusal.into_answer(received));
    (answer.credential, answer.seat) = (entry.credential, entry.seat);
    state.lock().limits.write(received.at, &asker, &state.clock, &mut answer.headers);
    match state.seats.get(entry.seat).and_then(|seat| seat.headers.as_ref()) {
        Some([_, workspace]) => {
            answer.header(HeaderName::from_static("anthropic-workspace-id"), workspace.clone())
        }
        None => answer,
    }
}

/// Renders a scripted reply where no message was asked for.
pub(crate) fn scripted(state: &State, received: &Received, reply: Reply) -> Answer {
    perform(state, received, None, &Ask::default(), reply)
}

fn serve(
    state: &State,
    received: &Received,
    call: Call<'_>,
    version: access::Version,
    asker: &mut Asker,
) -> Result<Answer, Refusal> {
    let other = |answer: Answer| {
        let path = received.path.strip_prefix(state.path_prefix.as_str()).unwrap_or(&received.path);
        state.scripted(path, || received.text()).map_or(answer, |reply| scripted(state, received, reply))
    };
    match call {
        Call::Messages => {
            let terms = Terms::new(state, received, version, ask::Call::Message);
            let ask = Ask::message(&received.body, &terms)?;
            class(&ask.model).clone_into(&mut asker.class);
            admit(state, received, asker, ask.input_tokens)?;
            let reply = reply(state, &ask);
            Ok(perform(state, received, Some(asker), &ask, reply))
        }
        Call::CountTokens => {
            let terms = Terms::new(state, received, version, ask::Call::Count);
            let ask = Ask::count(&received.body, &terms)?;
            class(&ask.model).clone_into(&mut asker.class);
            admit(state, received, asker, 0)?;
            Ok(other(Answer::json(StatusCode::OK, &json!({"input_tokens": ask.input_tokens}))))
        }
        Call::Models => {
            let page = models::page(&state.models, &received.query)?;
            admit(state, received, asker, 0)?;
            Ok(other(Answer::json(StatusCode::OK, &page)))
        }
        Call::Model(id) => {
            let model = models::one(&state.models, id)?;
            admit(state, received, asker, 0)?;
            Ok(other(Answer::json(StatusCode::OK, &model)))
        }
        Call::Batches(call) => {
            admit(state, received, asker, 0)?;
            batches::serve(state, received, call, version).map(other)
        }
        Call::Files(call) => {
            admit(state, received, asker, 0)?;
            files::serve(state, received, call).map(other)
        }
        Call::Skills(call) => {
            admit(state, received, asker, 0)?;
            skills::serve(state, received, call).map(other)
        }
        Call::Profiles(call) => {
            admit(state, received, asker, 0)?;
            profiles::serve(state, received, call).map(other)
        }
    }
}

/// What a message is answered with: what the script says, or an echo; nothing, and not by the script, where the request only
/// fills the cache.
fn reply(state: &State, ask: &Ask) -> Reply {
    if ask.is_warming() {
        return Reply::message([]).stop_reason("max_tokens");
    }
    let scripted = state.scripted("/v1/messages", || ask.last_user_text.clone());
    scripted.unwrap_or_else(|| Reply::text(format!("You said: {}", ask.last_user_text)))
}

/// A message of a batch: the same as of a call of its own, or the error in the API's form.
fn batched(state: &State, ask: &Ask) -> Result<Value, Value> {
    let said = match reply(state, ask).content {
        Content::Message { blocks, stop_reason, stop_details } => {
            let stop = (stop_reason, stop_details);
            let changing = &mut *state.lock();
            return Ok(speech::Speech::new(ask, blocks, stop, &mut changing.mint).whole(ask));
        }
        Content::Error { kind, message, .. } => (kind, message),
        Content::Whole { bytes, .. } => match serde_json::from_slice(&bytes) {
            Ok(message) => return Ok(message),
            Err(_) => ("api_error".to_owned(), "the script's reply is no JSON".to_owned()),
        },
        Content::Pieces { .. } => ("api_error".to_owned(), "a batch has no streams".to_owned()),
    };
    Err(error_body(&said.0, &said.1))
}

/// An error as a batch's results have it.
fn error_body(kind: &str, message: &str) -> Value {
    json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": null})
}

fn admit(state: &State, received: &Received, asker: &Asker, input_tokens: u64) -> Result<(), Refusal> {
    state.lock().limits.admit(received.at, asker, input_tokens).map_err(|refused| Refusal {
        status: StatusCode::TOO_MANY_REQUESTS,
        kind: "rate_limit_error",
        message: refused.message,
        code: refused.code,
        // Rounded up: who waits as told is let in.
        retry_after: refused.wait.map(|wait| wait.as_secs() + u64::from(wait.subsec_nanos() > 0)),
    })
}

/// Says what a reply says, in the form that was asked for, cut where the script cuts it.
fn perform(state: &State, received: &Received, asker: Option<&Asker>, ask: &Ask, reply: Reply) -> Answer {
    let mut answer =
        match reply.content {
            Content::Message { blocks, stop_reason, stop_details } => {
                let stop = (stop_reason, stop_details);
                let changing = &mut *state.lock();
                let speech = speech::Speech::new(ask, blocks, stop, &mut changing.mint);
                if let Some(asker) = asker {
                    changing.limits.spend_output(received.at, asker, speech.output_tokens);
                }
                match ask.stream {
                    true => speech.stream(ask),
                    false => Answer::json(StatusCode::OK, &speech.whole(ask)),
                }
            }
            Content::Error { kind, message, code } => {
                Answer::refusal(&received.id, StatusCode::OK, &kind, &message, code.as_deref())
            }
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
    if let Some(bytes) = reply.chunk {
        answer.body.chunk(bytes);
    }
    answer.body.pace(reply.pace);
    answer.fault = reply.fault.map(|fault| fault.effect);
    answer.scripted_headers = reply.headers;
    answer
}

impl Refusal {
    fn invalid(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            kind: "invalid_request_error",
            message: message.into(),
            code: None,
            retry_after: None,
        }
    }

    fn not_found(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            kind: "not_found_error",
            message: message.into(),
            code: None,
            retry_after: None,
        }
    }

    fn coded(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    fn into_answer(self, received: &Received) -> Answer {
        let answer = Answer::refusal(&received.id, self.status, self.kind, &self.message, self.code);
        match self.retry_after {
            Some(seconds) => answer.header(RETRY_AFTER, seconds),
            None => answer,
        }
    }
}
