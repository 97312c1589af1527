//! The device authorization endpoint and its page (RFC 8628).

use http::StatusCode;
use http::header::CACHE_CONTROL;
use serde_json::json;

use super::grants::DeviceQuestion;
use super::params::Params;
use super::token::{client_params, refusal};
use super::{grants::Denied, login, meanings, scopes};
use crate::answer::{Answer, Received};
use crate::page;
use crate::state::State;

/// Gives the two codes of a new login (RFC 8628, section 3.2).
pub(crate) fn authorize_device(state: &State, received: &Received) -> Answer {
    let scope = client_params(state, received).and_then(|params| {
        let unknown = Denied { error: "invalid_scope", description: "a scope is unknown", note: None };
        scopes(params.get("scope")).ok_or(unknown)
    });
    let scope = match scope {
        Ok(scope) => scope,
        Err(denied) => return refusal(&denied),
    };
    let changing = &mut *state.lock();
    let life = state.lifetimes;
    let codes =
        changing.grants.begin_device(received.at, &mut changing.mint, life, scope, login::begin(state));
    let page = state.url("/oauth/device");
    let mut complete = page.clone();
    complete.query_pairs_mut().append_pair("user_code", &codes.user_code);
    let body = json!({
        "device_code": codes.device_code,
        "user_code": codes.user_code,
        "verification_uri": page.as_str(),
        "verification_uri_complete": complete.as_str(),
        "expires_in": life.device_code.as_secs(),
        "interval": life.device_interval.as_secs(),
    });
    Answer::json(StatusCode::OK, &body).header(CACHE_CONTROL, "no-store").noted(Some("device codes given"))
}

/// The page: it asks for the code, and once it has one, whether to allow what it stands for.
pub(crate) fn device_page(state: &State, received: &Received) -> Answer {
    let action = state.url("/oauth/device");
    let params = Params::of_query(received);
    let Some(typed) = params.get("user_code") else { return page::device_code(action.path(), false) };
    let question = state.lock().grants.device_question(received.at, typed);
    match question {
        Some(question) => ask(state, &question),
        None => page::device_code(action.path(), true),
    }
}

/// Asks whether to allow what a code stands for, or first who is asked.
pub(super) fn ask(state: &State, question: &DeviceQuestion) -> Answer {
    let Some(seat) = question.login.seat.and_then(|seat| state.seats.get(seat)) else {
        return login::page(state, ("user_code", &question.user_code), &question.csrf);
    };
    let action = state.url("/oauth/device/decision");
    page::device_consent(&page::DeviceConsent {
        client: &state.client,
        seat,
        user_code: &question.user_code,
        scopes: meanings(&question.scope),
        action: action.path(),
        csrf: &question.csrf,
    })
}

/// Takes the person's answer and says that it was taken.
pub(crate) fn decide_device(state: &State, received: &Received) -> Answer {
    let form = Params::of_form(&received.body);
    let (Some(user_code), Some(csrf)) = (form.get("user_code"), form.get("csrf_token")) else {
        return page::problem("This form is incomplete", "Go back and enter the code again.");
    };
    let allowed = match form.get("decision") {
        Some("allow") => true,
        Some("deny") => false,
        _ => return page::problem("Nothing was chosen", "Go back and choose Allow or Deny."),
    };
    if !state.lock().grants.decide_device(received.at, user_code, csrf, allowed) {
        let advice = "It was answered before, or the code has expired. Start the login again in the app.";
        return page::problem("This request is over", advice);
    }
    match allowed {
        true => page::notice("The app is logged in", "You can close this window and go back to the app.")
            .noted(Some("device login allowed")),
        false => {
            page::notice("The app was refused", "It cannot use your account. You can close this window.")
                .noted(Some("device login denied"))
        }
    }
}

/// Where a login without a listener sends the browser: the page shows what the person pastes into the app.
pub(crate) fn callback_page(received: &Received) -> Answer {
    let params = Params::of_query(received);
    match (params.get("code"), params.get("state")) {
        (Some(code), Some(state)) => page::code_to_paste(&format!("{code}#{state}")),
        _ => page::problem("There is no code", "The login was refused. Start it again in the app."),
    }
}
