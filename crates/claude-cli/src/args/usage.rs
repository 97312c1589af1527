//! What is told of wrong usage.

use std::error::Error as _;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use mock_server::UnknownLimits;

use crate::console;

/// What is wrong, without what was typed in the wrong place: it may be a secret, whatever it looks like.
pub(super) fn told(error: &clap::Error) -> String {
    let message = error.to_string();
    if error.kind() == ErrorKind::UnknownArgument && message.contains("Usage: claudectl env run") {
        return "write `--` before the program: `claudectl env run PROFILE -- PROGRAM …`".to_owned();
    }
    // It says how to write them, and none of what was typed: what is taken out below could be part of that.
    if let Some(wrong) = error.source().and_then(|source| source.downcast_ref::<UnknownLimits>()) {
        return usage(&format!("the value of --limits: {wrong}"));
    }
    let kinds = [ContextKind::InvalidArg, ContextKind::InvalidSubcommand, ContextKind::InvalidValue];
    let typed = kinds.into_iter().filter_map(|kind| match error.get(kind) {
        // It is the name of an argument of ours, unless it is not known.
        Some(ContextValue::String(_))
            if kind == ContextKind::InvalidArg && error.kind() != ErrorKind::UnknownArgument =>
        {
            None
        }
        Some(ContextValue::String(text)) if kind == ContextKind::InvalidValue && is_slip(error, text) => None,
        Some(ContextValue::String(text)) if !text.is_empty() && !is_option(text) => Some(text),
        _ => None,
    });
    usage(&typed.fold(message, |message, text| {
        let message = message.replace(&format!("'{text}'"), "[not shown]");
        let message = message.replace(&format!("'-- {text}'"), "`--` before it");
        if text.len() < SHORT { message } else { message.replace(text, "[not shown]") }
    }))
}

/// What is shorter is part of other words.
const SHORT: usize = 8;

/// An option that is not known is a slip: `--jsno`.
fn is_option(text: &str) -> bool {
    let of_names = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
    text.len() <= 24 && text.strip_prefix("--").is_some_and(|name| name.bytes().all(of_names))
}

/// Where a time, a number or an address belongs, a word or a number that is none is a slip too: `models=often`, `localhost:9464`.
fn is_slip(error: &clap::Error, text: &str) -> bool {
    const PLACES: [&str; 6] = ["--every", "--timeout", "--slow", "--objective", "--serve", "--dns-server"];
    let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg) else { return false };
    let is_word = |piece: &str| piece.len() <= 10 && piece.bytes().all(|byte| byte.is_ascii_lowercase());
    let is_time = |piece: &str| {
        let of_times = |byte: u8| byte.is_ascii_digit() || b"dhmsu".contains(&byte);
        piece.len() <= 8
            && piece.starts_with(|first: char| first.is_ascii_digit())
            && piece.bytes().all(of_times)
    };
    let mut pieces = text.split(['=', ':', '.', ',', '-', '%', '[', ']']);
    PLACES.contains(&argument.split(' ').next().unwrap_or_default())
        && text.len() <= 24
        && pieces.all(|piece| is_word(piece) || is_time(piece))
}

/// What is wrong, from a message that goes on with the whole usage, on one line.
fn usage(message: &str) -> String {
    let paragraphs = message.trim_start_matches("error: ").split("\n\n");
    let telling = paragraphs.take_while(|text| !text.starts_with("Usage:") && !text.starts_with("For more"));
    let lines = telling.map(|text| text.lines().map(str::trim).collect::<Vec<_>>().join(" "));
    let line = lines.collect::<Vec<_>>().join("; ");
    format!("{}; see `claudectl --help`", console::plain(line.trim()))
}
