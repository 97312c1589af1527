//! What goes to standard output, and to standard error one line at a time.

use std::{
    fmt::Display,
    io::{self, IsTerminal as _, Write},
    sync::{
        LazyLock,
        atomic::{AtomicBool, Ordering},
    },
};

use claude_sdk::secrets::Scrubber;
use serde::Serialize;
use serde_json::{Value, json};

use crate::secrets::shapes::Scanner;

/// What was to be printed could not be.
#[derive(Debug, thiserror::Error)]
#[error("the output could not be written; check where it goes")]
pub(crate) struct OutputError(#[source] pub(crate) io::Error);

impl OutputError {
    /// Whether whoever reads the output has stopped reading.
    pub(crate) fn is_unread(&self) -> bool {
        self.0.kind() == io::ErrorKind::BrokenPipe
    }
}

/// A failure with an exit status of its own, by which a script or another program knows it.
#[derive(Debug, thiserror::Error)]
#[error("{told}")]
pub(crate) struct Ending {
    pub(crate) status: u8,
    /// The same in a word, for a program.
    pub(crate) kind: &'static str,
    pub(crate) told: String,
}

impl Ending {
    /// Arguments that are wrong, as far as only the command itself can tell.
    pub(crate) fn usage(told: impl Display) -> Self {
        Self { status: 2, kind: "usage", told: told.to_string() }
    }
}

/// The secrets of this run, which are taken out of all that is told.
pub(crate) fn scrubber() -> &'static Scrubber {
    static SCRUBBER: LazyLock<Scrubber> = LazyLock::new(Scrubber::new);
    &SCRUBBER
}

/// Standard output. Rust's own says that all is written where it leads to what is open for reading only; this one fails there.
#[derive(Debug)]
pub(crate) struct Output(io::Stdout);

impl Output {
    pub(crate) fn new() -> Self {
        Self(io::stdout())
    }
}

impl Write for Output {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        judge()?;
        self.0.write(text)
    }

    fn flush(&mut self) -> io::Result<()> {
        judge()?;
        self.0.flush()
    }
}

fn judge() -> io::Result<()> {
    static IS_WRITABLE: LazyLock<bool> = LazyLock::new(is_writable);
    match *IS_WRITABLE {
        true => Ok(()),
        false => Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is open for reading only")),
    }
}

#[cfg(unix)]
fn is_writable() -> bool {
    use rustix::fs::{OFlags, fcntl_getfl};

    fcntl_getfl(io::stdout()).is_ok_and(|flags| flags & OFlags::ACCMODE != OFlags::RDONLY)
}

#[cfg(not(unix))]
fn is_writable() -> bool {
    true
}

/// Writes `text` to standard output, now.
pub(crate) fn print(text: impl AsRef<[u8]>) -> Result<(), OutputError> {
    // Held until all is written: lines of two tasks are not to mix.
    let mut out = io::stdout().lock();
    judge().and_then(|()| out.write_all(text.as_ref())).and_then(|()| out.flush()).map_err(OutputError)
}

/// Writes somebody else's text to standard output, now: as it is, or without what a terminal would obey where it is one.
pub(crate) fn print_text(text: &str) -> Result<(), OutputError> {
    if io::stdout().is_terminal() { print(for_a_terminal(text)) } else { print(text) }
}

/// What a command comes to that has printed what it found: where nobody reads that, its verdict counts all the same.
pub(crate) fn concluded(printed: anyhow::Result<()>, verdict: anyhow::Result<()>) -> anyhow::Result<()> {
    match printed {
        Err(error) if error.downcast_ref().is_some_and(OutputError::is_unread) => verdict.and(Err(error)),
        Err(error) => Err(error),
        Ok(()) => verdict,
    }
}

/// Whether a program reads standard error: each line is a JSON document then.
static TELLS_PROGRAMS: AtomicBool = AtomicBool::new(false);

/// From here on, what is told is for a program.
pub(crate) fn tell_programs() {
    TELLS_PROGRAMS.store(true, Ordering::Relaxed);
}

pub(crate) fn tells_programs() -> bool {
    TELLS_PROGRAMS.load(Ordering::Relaxed)
}

/// Tells `text` in a line of its own, without secrets. Where standard error is closed, nobody is there to be told: no reason to
/// stop.
pub(crate) fn tell(text: impl Display) {
    if tells_programs() {
        let message = without_secrets(&text.to_string());
        return tell_program(&json!({"type": "remark", "message": message}));
    }
    let line = without_secrets(&format!("claudectl: {text}"));
    drop(writeln!(io::stderr().lock(), "{line}"));
}

/// Tells a program, in a line of its own; its texts are without secrets already.
pub(crate) fn tell_program(value: &impl Serialize) {
    if let Ok(line) = serde_json::to_string(value) {
        drop(writeln!(io::stderr().lock(), "{line}"));
    }
}

/// The text without this run's secrets and without what looks like a key: somebody may have typed one where a path or a name
/// belongs.
pub(crate) fn without_secrets(text: &str) -> String {
    Scanner::new().masked(&scrubber().scrub(text))
}

/// Whether there is a secret of this run in a text, or what looks like a key; in small letters too, which is how hosts are told.
pub(crate) fn has_secrets(text: &str) -> bool {
    let holds = |text: &str| without_secrets(text) != text;
    holds(text) || holds(&text.to_ascii_lowercase())
}

/// Says `text` to the person at the terminal, as it is: several lines, without the program's name before them.
pub(crate) fn say(text: impl Display) {
    drop(writeln!(io::stderr().lock(), "{text}"));
}

/// Prints `value` as one JSON document.
pub(crate) fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    Ok(print(serde_json::to_string_pretty(value)? + "\n")?)
}

/// Prints `value` as one JSON document, with `[key]` in the place of what looks like a key: for what is from a file that should
/// have none in it.
pub(crate) fn print_masked(value: &impl Serialize) -> anyhow::Result<()> {
    print_json(&without_keys(serde_json::to_value(value)?))
}

fn without_keys(value: Value) -> Value {
    match value {
        Value::String(text) => masked(&text).into(),
        Value::Array(values) => values.into_iter().map(without_keys).collect(),
        Value::Object(members) => {
            members.into_iter().map(|(name, value)| (masked(&name), without_keys(value))).collect()
        }
        other => other,
    }
}

/// The same of a text.
pub(crate) fn masked(text: &str) -> String {
    Scanner::new().masked(text)
}

/// The error and its causes on one line, each said once.
pub(crate) fn one_line(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain() {
        let text = plain(&cause.to_string());
        if line.contains(&text) {
            continue;
        }
        if !line.is_empty() {
            line.push_str(": ");
        }
        line.push_str(&text);
    }
    line
}

/// The text without line breaks and without what a terminal would obey.
pub(crate) fn plain(text: &str) -> String {
    text.replace(is_obeyed, " ")
}

/// The same of a text that may have several lines.
fn for_a_terminal(text: &str) -> String {
    text.replace(|c| is_obeyed(c) && !matches!(c, '\n' | '\t'), " ")
}

/// Whether a terminal does something other than show this: control characters, and those that turn the direction of text around.
fn is_obeyed(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn causes_follow_the_error_and_are_said_once() {
        let error = anyhow!("disk full").context("cannot write: disk full").context("cannot save");
        assert_eq!(one_line(&error), "cannot save: cannot write: disk full");
    }

    #[test]
    fn an_error_stays_on_its_line_whatever_it_says() {
        let line = one_line(&anyhow!("one\ntwo\r\u{1b}[31mred\u{202e}"));
        assert_eq!(line, "one two  [31mred ");
    }

    #[test]
    fn a_text_at_a_terminal_keeps_its_lines_and_nothing_else_that_is_obeyed() {
        let text = "one\n\ttwo\r\n\u{1b}]0;title\u{7}\u{9b}2J\u{202e}\u{2066}caf\u{e9}";
        assert_eq!(for_a_terminal(text), "one\n\ttwo \n ]0;title  2J  caf\u{e9}");
    }
}
