//! The authorization endpoint: checks the request, asks the person, sends the answer back.

use http::StatusCode;
use http::header::{CACHE_CONTROL, LOCATION};
use url::{Host, Url};

use super::grants::{Asked, Request};
use super::params::Params;
use super::{login, meanings, scopes};
use crate::answer::{Answer, Received};
use crate::body::Body;
use crate::page::{self, Consent};
use crate::state::State;

/// Shows the consent page, or says what is wrong with the request.
///
/// Errors go to the redirect URI, except where client or redirect URI themselves are wrong (RFC 6749, 4.1.2.1).
pub(crate) fn authorize(state: &State, received: &Received) -> Answer {
    let params = Params::of_query(received);
    let repeated = params.repeated();
    if let Some(name @ ("client_id" | "redirect_uri")) = repeated {
        return page::problem(
            "This link is broken",
            &format!("It names {name} twice. Ask the app for a new one."),
        );
    }
    if params.get("client_id") != Some(state.client.as_str()) {
        let advice = "It names no app this server knows. Check the client id.";
        return page::problem("This link is broken", advice);
    }
    let Some((redirect_uri, target)) = params.get("redirect_uri").and_then(|uri| Some((uri, loopback(uri)?)))
    else {
        let advice = "It would send you to a place that is not on this computer. Use an http address on 127.0.0.1, \
                      [::1] or localhost, with any port.";
        return page::problem("This link is broken", advice);
    };
    let back = |code, description| send_back(state, &target, params.get("state"), &error(code, description));
    if repeated.is_some() {
        return back("invalid_request", "a parameter is given twice");
    }
    match params.get("response_type") {
        Some("code") => {}
        Some(_) => return back("unsupported_response_type", "response_type has to be code"),
        None => return back("invalid_request", "response_type is missing"),
    }
    let Some(client_state) = params.get("state") else {
        return back("invalid_request", "state is missing");
    };
    if params.get("code_challenge_method") != Some("S256") {
        return back("invalid_request", "code_challenge_method has to be S256");
    }
    let challenge = params.get("code_challenge").unwrap_or_default();
    if challenge.len() != 43
        || !challenge.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    {
        return back(
            "invalid_request",
            "code_challenge has to be a SHA-256 digest in base64url, 43 characters",
        );
    }
    let Some(scope) = scopes(params.get("scope")) else {
        return back("invalid_scope", "a scope is unknown");
    };

    let request = Request {
        redirect_uri: redirect_uri.to_owned(),
        target,
        scope,
        state: client_state.to_owned(),
        challenge: challenge.to_owned(),
    };
    let begun = login::begin(state);
    let seat = begun.seat;
    let asked = {
        let changing = &mut *state.lock();
        changing.grants.ask(received.at, &mut changing.mint, request.clone(), begun)
    };
    ask(state, &request, seat, &asked)
}

/// Asks whether to allow what was asked for, or first who is asked.
pub(super) fn ask(state: &State, request: &Request, seat: Option<usize>, asked: &Asked) -> Answer {
    let Some(seat) = seat.and_then(|seat| state.seats.get(seat)) else {
        return login::page(state, ("request_id", &asked.id), &asked.csrf);
    };
    let target = &request.target;
    let action = state.url("/oauth/authorize/decision");
    let consent = Consent {
        client: &state.client,
        seat,
        redirect_host: &target[url::Position::BeforeHost..url::Position::AfterPort],
        scopes: meanings(&request.scope),
        action: action.path(),
        request_id: &asked.id,
        csrf: &asked.csrf,
    };
    page::consent(&consent, &form_target(target))
}

/// Takes the person's answer and redirects with it.
pub(crate) fn decide(state: &State, received: &Received) -> Answer {
    let form = Params::of_form(&received.body);
    let (Some(id), Some(csrf)) = (form.get("request_id"), form.get("csrf_token")) else {
        return page::problem("This form is incomplete", "Go back to the app and start again.");
    };
    let allowed = match form.get("decision") {
        Some("allow") => true,
        Some("deny") => false,
        _ => return page::problem("Nothing was chosen", "Go back and choose Allow or Deny."),
    };
    let changing = &mut *state.lock();
    let Some((request, seat)) = changing.grants.decide(received.at, id, csrf) else {
        let advice =
            "It was answered before, or too much time has passed. Go back to the app and start again.";
        return page::problem("This request is over", advice);
    };
    let (target, client_state) = (request.target.clone(), request.state.clone());
    if !allowed {
        return send_back(state, &target, Some(&client_state), &error("access_denied", "the person said no"))
            .noted(Some("consent denied"));
    }
    let code = changing.grants.allow(received.at, &mut changing.mint, request, seat);
    send_back(state, &target, Some(&client_state), &[("code", &code)]).noted(Some("consent given"))
}

fn error<'a>(code: &'a str, description: &'a str) -> [(&'static str, &'a str); 2] {
    [("error", code), ("error_description", description)]
}

/// Redirects to the client with an answer, the client's state, and who is answering (RFC 9207).
fn send_back(state: &State, target: &Url, client_state: Option<&str>, answer: &[(&str, &str)]) -> Answer {
    let mut target = target.clone();
    target
        .query_pairs_mut()
        .extend_pairs(answer)
        .extend_pairs(client_state.map(|value| ("state", value)))
        .append_pair("iss", &state.issuer);
    Answer::new(StatusCode::FOUND, Body::whole(""))
        .header(LOCATION, target.as_str())
        .header(CACHE_CONTROL, "no-store")
}

/// Accepts a redirect URI of a native app: plain http on the loopback interface, any port (RFC 8252, section 7.3).
fn loopback(uri: &str) -> Option<Url> {
    let url = Url::parse(uri).ok()?;
    let on_loopback = match url.host()? {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    };
    let plain = url.scheme() == "http" && url.fragment().is_none();
    let nobody = url.username().is_empty() && url.password().is_none();
    (on_loopback && plain && nobody).then_some(url)
}

/// Where the form may lead, as a content security policy can say it: IPv6 addresses it cannot.
fn form_target(target: &Url) -> String {
    match target.host() {
        Some(Host::Ipv6(_)) | None => "'self' http:".to_owned(),
        Some(_) => format!("'self' {}", target.origin().ascii_serialization()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_computer_is_a_place_to_go_back_to() {
        for good in [
            "http://127.0.0.1:4242/callback",
            "http://127.0.0.1/",
            "http://[::1]:1/cb?x=1",
            "http://localhost:80/callback",
        ] {
            assert!(loopback(good).is_some(), "{good}");
        }
        for bad in [
            "https://127.0.0.1/callback",
            "http://localhost.evil.example/",
            "http://localhost@evil.example/",
            "http://user@127.0.0.1/",
            "http://127.0.0.1/#fragment",
            "http://example.com/",
            "javascript:alert(1)",
            "/callback",
            "",
        ] {
            assert!(loopback(bad).is_none(), "{bad}");
        }
    }
}
