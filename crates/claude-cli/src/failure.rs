//! A failure as it is told at the end: one line for a person, and with `--json` one object for a program, in the form in
//! which the API tells its own errors.

use std::{error::Error as StdError, io};

use claude_sdk::{
    ApiError, AuthError, ConfigError, Error, JobError, LoginError, ProfileError, StoreError,
    attachment::AttachmentError, secrets,
};
use serde::Serialize;

use crate::console::{
    Ending, OutputError, one_line, plain, tell, tell_program, tells_programs, without_secrets,
};

/// An error of the library in other words, for someone at a terminal.
#[derive(Debug, thiserror::Error)]
#[error("{told}")]
pub(crate) struct Reworded {
    pub(crate) told: String,
    pub(crate) error: Error,
}

/// Tells of the failure that ends the program.
pub(crate) fn tell_failure(error: &anyhow::Error) {
    if tells_programs() { tell_program(&Told::of(error)) } else { tell(one_line(error)) }
}

/// Tells of wrong usage, which is one line.
pub(crate) fn tell_usage(line: &str) {
    if tells_programs() {
        let (message, next) = split(line, "");
        tell_program(&Told::new("usage", message, next, None));
    } else {
        tell(line);
    }
}

/// What a program is told, in the form of the API's own errors.
#[derive(Debug, Serialize)]
struct Told {
    #[serde(rename = "type")]
    what: &'static str,
    error: Described,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
}

#[derive(Debug, Serialize)]
struct Described {
    #[serde(rename = "type")]
    kind: String,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_step: Option<String>,
}

impl Told {
    fn new(kind: &str, message: &str, next: Option<&str>, request_id: Option<&str>) -> Self {
        let (message, next_step) = (without_secrets(message), next.map(without_secrets));
        let error = Described { kind: without_secrets(kind), message, next_step };
        Self { what: "error", error, request_id: request_id.map(without_secrets) }
    }

    fn of(error: &anyhow::Error) -> Self {
        let id = of_the_library(error).and_then(Error::request_id).map(plain);
        let (message, next) = parts(error, id.as_deref());
        Self::new(&kind(error), &message, next.as_deref(), id.as_deref())
    }
}

/// The error of the library that this one is, or tells of.
fn of_the_library(error: &anyhow::Error) -> Option<&Error> {
    error.chain().find_map(|cause| {
        let reworded = cause.downcast_ref().map(|reworded: &Reworded| &reworded.error);
        reworded.or_else(|| cause.downcast_ref())
    })
}

/// What kind of error it is: the service's own name for it, or a word of ours.
fn kind(error: &anyhow::Error) -> String {
    if let Some(ending) = error.downcast_ref::<Ending>() {
        return ending.kind.to_owned();
    }
    match of_the_library(error) {
        Some(error) => match of_the_service(error) {
            Some(api) => plain(api.kind().as_str()),
            None => error.class().to_owned(),
        },
        None => error.chain().find_map(word).unwrap_or("failed").to_owned(),
    }
}

/// What the service said itself.
fn of_the_service(error: &Error) -> Option<&ApiError> {
    match error {
        Error::Api(api) => Some(api),
        Error::Stream(stream) => stream.api_error(),
        _ => None,
    }
}

fn word(cause: &(dyn StdError + 'static)) -> Option<&'static str> {
    let words = [
        (cause.is::<ConfigError>(), "config"),
        (cause.is::<ProfileError>(), "profile"),
        (cause.is::<AuthError>() || cause.is::<LoginError>(), "auth"),
        (cause.is::<StoreError>() || cause.is::<secrets::Error>(), "secrets"),
        (cause.is::<JobError>(), "job"),
        (cause.is::<AttachmentError>(), "attachment"),
        (cause.is::<OutputError>() || cause.is::<io::Error>(), "io"),
        (cause.is::<serde_json::Error>(), "json"),
    ];
    words.into_iter().find_map(|(is_it, word)| is_it.then_some(word))
}

/// What is wrong, and the next step: an error and its causes say them in this order, with a semicolon between.
pub(crate) fn parts(error: &anyhow::Error, request_id: Option<&str>) -> (String, Option<String>) {
    let named = request_id.map(|id| format!(" (request {id})"));
    let said = of_the_library(error).and_then(said).unwrap_or_default();
    let (mut message, mut next) = (String::new(), None);
    for cause in error.chain() {
        let mut text = plain(&cause.to_string());
        if let Some(named) = &named {
            text = text.replace(named, "");
        }
        // What an interruption left behind is no step to take.
        let is_interrupted = cause.downcast_ref().is_some_and(|ending: &Ending| ending.kind == "interrupted");
        let (what, step) = if is_interrupted { (&*text, None) } else { split(&text, &said) };
        next = next.or_else(|| step.map(str::to_owned));
        if !message.contains(what) {
            let colon = if message.is_empty() { "" } else { ": " };
            message = format!("{message}{colon}{what}");
        }
    }
    (message, next)
}

/// How an error of the service's begins: its message may have semicolons of its own.
fn said(error: &Error) -> Option<String> {
    let api = of_the_service(error)?;
    Some(plain(&format!("the service answered {} {}: {}", api.status().as_u16(), api.kind(), api.message())))
}

fn split<'t>(text: &'t str, beginning: &str) -> (&'t str, Option<&'t str>) {
    let from = if text.starts_with(beginning) { beginning.len() } else { 0 };
    let found = text.get(from..).and_then(|rest| rest.find("; ")).map(|place| from + place);
    let cut = found.and_then(|place| Some((text.get(..place)?, text.get(place + 2..)?)));
    cut.map_or((text, None), |(what, step)| (what, Some(step)))
}

#[cfg(test)]
mod tests {
    use anyhow::{Context as _, anyhow};
    use serde_json::{Value, json};

    use super::*;

    fn object(error: &anyhow::Error) -> Value {
        serde_json::to_value(Told::of(error)).unwrap()
    }

    #[test]
    fn a_program_is_told_what_kind_of_error_it_is_and_the_next_step() {
        let missing = io::Error::from(io::ErrorKind::NotFound);
        let error = Err::<(), _>(missing).context("a.json cannot be read; check the path").unwrap_err();
        let told = object(&error);
        let expected = json!({"type": "error", "error": {
            "type": "io", "message": "a.json cannot be read: entity not found", "next_step": "check the path",
        }});
        assert_eq!(told, expected);
        let plain = object(&anyhow!("no way"));
        assert_eq!(plain, json!({"type": "error", "error": {"type": "failed", "message": "no way"}}));
        let ending = Ending { status: 130, kind: "interrupted", told: "interrupted; all is well".to_owned() };
        let told = object(&ending.into());
        assert_eq!(told["error"], json!({"type": "interrupted", "message": "interrupted; all is well"}));
    }

    #[test]
    fn what_the_service_said_is_not_cut() {
        let text = "the service answered 400 x: a; b; try c";
        assert_eq!(split(text, "the service answered 400 x: a; b"), (&text[..32], Some("try c")));
        assert_eq!(split(text, ""), (&text[..29], Some("b; try c")));
        assert_eq!(split("no step", ""), ("no step", None));
    }

    #[test]
    fn a_key_is_in_no_object_either() {
        let key = format!("sk-ant-{}-{}", "api03", "Zx9-Kq2_".repeat(12));
        let told = object(&anyhow!("{key} is no path; give one")).to_string();
        assert!(!told.contains(&key), "{told}");
    }
}
