//! Rules of Rust files.

use std::path::Path;

use super::{File, Finding};

const LINES_AT_MOST: usize = 600;
const LINES_TO_MENTION: usize = 300;

/// The files that may read the clock, the environment or randomness, each one of them for a reason of its own.
/// Everything else is told. The lint in `clippy.toml` finds the reads however they are written; here the usual spellings
/// are looked for, and this table keeps the exceptions few.
const OWNERS: &[&str] = &[
    "crates/bench-probe/src/limited.rs",
    "crates/claude-sdk/src/entropy.rs",
    "crates/mock-server/src/time.rs",
    "crates/ratelimit/src/timer.rs",
    "crates/secrets/src/env.rs",
    "crates/secrets/src/timer.rs",
    "crates/transport/src/clock.rs",
    "xtask/src/step.rs",
];

// In two pieces, so that the checks do not find themselves.
const LINT: &str = concat!("clippy::disallowed", "_methods");
const READS: [&str; 9] = [
    concat!("SystemTime::", "now("),
    concat!("Instant::", "now("),
    concat!("UNIX_EPOCH.", "elapsed("),
    concat!("env::", "var("),
    concat!("env::", "var_os("),
    concat!("env::", "vars("),
    concat!("thread::", "sleep("),
    concat!("tokio::time::", "sleep("),
    concat!("getrandom::", "fill("),
];
const UNFINISHED: [&str; 3] =
    [concat!("#[ign", "ore"), concat!("to", "do!("), concat!("unimple", "mented!(")];

pub(super) fn length(_: &Path, file: &File) -> Vec<Finding> {
    let lines = file.text.lines().count();
    if !file.is_source() || lines <= LINES_AT_MOST {
        return Vec::new();
    }
    let todo = format!("split this file: {lines} lines are more than {LINES_AT_MOST}");
    vec![Finding::new(file, LINES_AT_MOST + 1, todo)]
}

/// Says which files get long; nothing fails.
pub(super) fn mention_long(file: &File) {
    let lines = file.text.lines().count();
    if file.is_source() && lines > LINES_TO_MENTION && lines <= LINES_AT_MOST {
        eprintln!("{}: {lines} lines, near 200 is easier to read", file.path);
    }
}

pub(super) fn owner(_: &Path, file: &File) -> Vec<Finding> {
    if !file.is_rust() || OWNERS.contains(&file.path.as_str()) {
        return Vec::new();
    }
    let todo = "take time, environment and randomness as a value; only the files in xtask/src/tidy/source.rs read them";
    let reads = READS.iter().filter(|_| file.is_source());
    reads.chain([&LINT]).flat_map(|pattern| file.lines_with(pattern, todo)).collect()
}

pub(super) fn unfinished(_: &Path, file: &File) -> Vec<Finding> {
    if !file.is_rust() {
        return Vec::new();
    }
    let found = UNFINISHED
        .iter()
        .flat_map(|pattern| file.lines_with(pattern, &format!("finish this or remove it: `{pattern}`")));
    found.collect()
}

pub(super) fn front_page(_: &Path, file: &File) -> Vec<Finding> {
    if !file.path.ends_with("src/lib.rs") || file.lines().any(|(_, line)| line.starts_with("//! ")) {
        return Vec::new();
    }
    vec![Finding::new(
        file,
        1,
        "start with `//!`: what this crate is in one sentence, what it is not, an example",
    )]
}

#[cfg(test)]
mod tests {
    use super::super::tests::planted;
    use super::*;

    #[test]
    fn a_source_file_beyond_the_limit_is_refused_and_a_test_is_not() {
        let text = "//! x\n".repeat(LINES_AT_MOST + 1);
        assert_eq!(planted(&[("crates/a/src/long.rs", &text)]).len(), 1);
        assert!(planted(&[("crates/a/tests/it/long.rs", &text)]).is_empty());
        assert!(planted(&[("crates/a/src/long.rs", &text[6..])]).is_empty());
    }

    #[test]
    fn the_clock_lint_is_lifted_only_in_an_owner_file() {
        let text = format!("//! x\n#![expect({LINT}, reason = \"mine\")]\n");
        let found = planted(&[("crates/transport/src/retry.rs", &text)]).concat();
        assert!(found.starts_with("crates/transport/src/retry.rs:2: "), "{found}");
        assert!(planted(&[("crates/transport/src/clock.rs", &text)]).is_empty());
    }

    #[test]
    fn the_clock_the_environment_and_randomness_are_read_only_in_an_owner_file() {
        for pattern in READS {
            let text = format!("//! x\nlet read = std::{pattern});\n");
            let found = planted(&[("crates/auth-core/src/token.rs", &text)]).concat();
            assert!(found.starts_with("crates/auth-core/src/token.rs:2: "), "{pattern}: {found}");
            assert!(planted(&[("crates/secrets/src/env.rs", &text)]).is_empty());
        }
    }

    #[test]
    fn unfinished_code_and_skipped_tests_are_refused() {
        for pattern in UNFINISHED {
            let found = planted(&[("crates/a/tests/it/main.rs", &format!("\n{pattern}"))]).concat();
            assert!(found.starts_with("crates/a/tests/it/main.rs:2: finish this"), "{found}");
        }
    }

    #[test]
    fn a_library_without_a_front_page_is_refused() {
        assert_eq!(planted(&[("crates/a/src/lib.rs", "pub fn x() {}\n")]).len(), 1);
        assert!(planted(&[("crates/a/src/lib.rs", "//! A crate.\n")]).is_empty());
    }
}
