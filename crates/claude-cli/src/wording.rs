//! Errors of the library whose advice is for programmers, in words for someone at a terminal.

use std::{error::Error as _, iter};

use claude_sdk::{AuthError, ConfigError, Error, credentials::Refresher, transport::ErrorKind};
use http::StatusCode;

use crate::{
    console::{Ending, plain},
    failure::Reworded,
};

/// The error of a command that has the option `--model`.
pub(crate) fn of_a_model(error: Error) -> anyhow::Error {
    told(error, "--model")
}

/// The error of a command that names what it is about, if anything, by an identifier.
pub(crate) fn at_a_terminal(error: Error) -> anyhow::Error {
    told(error, "the identifier")
}

/// The error of a command that names a path.
pub(crate) fn of_a_path(error: Error) -> anyhow::Error {
    told(error, "the path, what is named in it and in the body,")
}

/// How a program reads an answer whatever its shape.
const UNTYPED: &str = "`raw()`";

/// The error of a job's call whose answer did not come, which need not be looked for: the job does that. `left` is what there is.
pub(crate) fn of_a_job(error: Error, left: &str) -> anyhow::Error {
    match &error {
        Error::Transport(closed) if closed.kind() == ErrorKind::Closed => {
            let text = closed.to_string();
            let what = text.split("; ").next().unwrap_or_default();
            let causes = iter::successors(closed.source(), |&cause| cause.source());
            let cause = causes.last().map(|cause| format!(": {cause}")).unwrap_or_default();
            let told = format!("{what}{cause}; {left}");
            Reworded { told: plain(&told), error }.into()
        }
        _ => at_a_terminal(error),
    }
}

/// A status as the user is told it; the API's own 529 has a name that HTTP does not know.
pub(crate) fn spoken(status: StatusCode) -> String {
    match (status.as_u16(), status.canonical_reason()) {
        (529, _) => "529 Overloaded".to_owned(),
        (code, Some(reason)) => format!("{code} {reason}"),
        (code, None) => code.to_string(),
    }
}

/// The error as the user is told it, most as they are; `named` is what the service may not have found.
fn told(error: Error, named: &str) -> anyhow::Error {
    let request = error.request_id().map(|id| format!(" (request {id})")).unwrap_or_default();
    let told = match &error {
        Error::Config(ConfigError::MissingCredential { looked }) => {
            let but = looked.last().filter(|text| !text.starts_with("there is no "));
            let but = but.map(|text| format!(" (the profile in use: {text})")).unwrap_or_default();
            format!(
                "no credential; log in with `claudectl auth login`, or set ANTHROPIC_API_KEY in the environment, or give \
                 --api-key-file{but}"
            )
        }
        Error::Config(ConfigError::NoFile { path }) => {
            format!(
                "{} is no regular file; give the path of one, or pipe the content in with `-`",
                path.display()
            )
        }
        Error::Config(ConfigError::TooLongToWait { max_tokens }) => format!(
            "an answer of up to {max_tokens} tokens may take more than ten minutes, and few networks keep a silent \
             connection so long; use `claudectl messages stream`, or a smaller --max-tokens"
        ),
        Error::Auth(error @ AuthError::LoginRequired { .. }, ..) => {
            let status = u8::try_from(Refresher::LOGIN_REQUIRED).unwrap_or(1);
            let told = plain(&format!("{error} (`claudectl auth login`)"));
            return Ending { status, kind: "login_required", told }.into();
        }
        Error::Api(api) if api.status() == StatusCode::NOT_FOUND => {
            let (kind, message) = (api.kind(), api.message());
            format!("the service answered 404 {kind}: {message}; check {named} and the base URL{request}")
        }
        Error::Stream(stream) if stream.is_truncated() => {
            let cause = stream.source().map(|cause| format!(": {cause}")).unwrap_or_default();
            let attempts = match error.attempts() {
                0 | 1 => String::new(),
                attempts => format!(" after {attempts} attempts"),
            };
            format!("the answer broke off before its end{attempts}; send the prompt again{request}{cause}")
        }
        Error::Answer(answer) if answer.to_string().contains(UNTYPED) => {
            let cause = answer.source().map(|cause| format!(": {cause}")).unwrap_or_default();
            answer.to_string().replace(UNTYPED, "`claudectl api`").replacen("; ", &format!("{cause}; "), 1)
        }
        _ => return error.into(),
    };
    Reworded { told, error }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_has_its_number_and_a_name_if_there_is_one() {
        let told = [404, 529, 599].map(|code| spoken(StatusCode::from_u16(code).unwrap()));
        assert_eq!(told, ["404 Not Found", "529 Overloaded", "599"]);
    }
}
