//! The login before consent: who it is, at which workspace, and the code of the mail that some have to prove.

use super::grants::{Asked, Login, Request};
use super::params::Params;
use super::{authorize, device};
use crate::answer::{Answer, Received};
use crate::mail::Mail;
use crate::page::{self, Form};
use crate::state::State;

/// Where a login begins: settled already, where there is nothing to choose and to prove.
pub(super) fn begin(state: &State) -> Login {
    Login { seat: state.seats.only(), mail: None }
}

/// The first page of a login.
pub(super) fn page(state: &State, subject: (&'static str, &str), csrf: &str) -> Answer {
    let action = state.url("/oauth/login");
    page::login(&Form { action: action.path(), subject, csrf }, &state.client, &state.seats)
}

/// Takes a choice or a code, and goes on to the next page.
pub(crate) fn log_in(state: &State, received: &Received) -> Answer {
    let form = Params::of_form(&received.body);
    let subject = match (form.get("request_id"), form.get("user_code")) {
        (Some(id), None) => ("request_id", id),
        (None, Some(code)) => ("user_code", code),
        _ => return page::problem("This form is incomplete", "Go back to the app and start again."),
    };
    let account = form.get("account").and_then(|index| index.parse().ok());
    let Some((account, seat)) = account.and_then(|index| Some((index, state.seats.get(index)?))) else {
        return page::problem("Nobody was chosen", "Go back and choose an account.");
    };
    let csrf = form.get("csrf_token").unwrap_or_default();
    let over = || {
        let advice =
            "It was answered before, or too much time has passed. Go back to the app and start again.";
        page::problem("This request is over", advice)
    };
    let changing = &mut *state.lock();
    let Some(login) = find(&mut changing.grants, received, subject, csrf) else { return over() };

    let action = state.url("/oauth/login");
    let verify = |refused| {
        let form = Form { action: action.path(), subject, csrf };
        page::verify(&form, account, seat, refused, state.url("/mock/mail").path())
    };
    match (seat.verified_by_mail, form.get("mail_code")) {
        (true, None) => {
            let code = changing.mint.mail_code();
            login.mail = Some((account, code.clone()));
            if received.loses_mail {
                return verify(false).noted(Some("mail lost"));
            }
            changing.mailbox.put(Mail { to: seat.email.clone(), code, at: received.at });
            return verify(false).noted(Some("mail sent"));
        }
        // A code counts for one try, so that nobody gets to guess.
        (true, Some(typed)) if login.mail.take() != Some((account, typed.trim().to_owned())) => {
            return verify(true).noted(Some("mail code refused"));
        }
        _ => login.seat = Some(account),
    }
    let next = match subject {
        ("request_id", id) => {
            let request = changing.grants.login(received.at, id, csrf).map(|(request, _)| request.clone());
            request.map(|request: Request| {
                let asked = Asked { id: id.to_owned(), csrf: csrf.to_owned() };
                authorize::ask(state, &request, Some(account), &asked)
            })
        }
        (_, code) => {
            let question = changing.grants.device_question(received.at, code);
            question.map(|question| device::ask(state, &question))
        }
    };
    next.unwrap_or_else(over).noted(Some("logged in"))
}

/// The page with the mails, newest first.
pub(crate) fn mailbox(state: &State) -> Answer {
    page::mailbox(&state.lock().mailbox)
}

fn find<'a>(
    grants: &'a mut super::Grants,
    received: &Received,
    (name, value): (&str, &str),
    csrf: &str,
) -> Option<&'a mut Login> {
    match name {
        "request_id" => grants.login(received.at, value, csrf).map(|(_, login)| login),
        _ => grants.device_login(received.at, value, csrf),
    }
}
