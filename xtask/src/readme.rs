//! The README's two commands, taken from the README itself, so that what a reader types is what CI has run.

use std::fs;

use anyhow::{Context as _, Result, bail};

use crate::markdown;
use crate::step::Workspace;

const TEST: &str = "cargo xtask test";
const QUICKSTART: &str = "cargo run --release -p claude-cli -- quickstart";

/// The commands as a reader would type them, split into words.
#[derive(Debug, PartialEq)]
pub(crate) struct Commands {
    pub(crate) test: Vec<String>,
    pub(crate) quickstart: Vec<String>,
}

/// Reads the commands from the README's code blocks.
pub(crate) fn commands(workspace: &Workspace) -> Result<Commands> {
    let path = workspace.root.join("README.md");
    let text =
        fs::read_to_string(path).context("cannot read README.md, which names the commands that CI runs")?;
    parse(&text)
}

fn parse(text: &str) -> Result<Commands> {
    Ok(Commands { test: command(text, TEST)?, quickstart: command(text, QUICKSTART)? })
}

fn command(text: &str, expected: &str) -> Result<Vec<String>> {
    let lines = markdown::code_lines(text).map(|line| line.strip_prefix("$ ").unwrap_or(line));
    let lines = lines.map(|line| line.split(" #").next().unwrap_or(line).trim());
    let written: Vec<&str> = lines.filter(|line| line.starts_with(expected)).collect();
    // Exactly this: with another argument it would be another command than the one a first reader types.
    if !written.contains(&expected) {
        bail!("README.md: add a code block with the line `{expected}`; CI runs it as it stands there");
    }
    Ok(expected.split_whitespace().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_are_found_in_code_blocks_with_or_without_a_prompt_and_a_comment() {
        let text = "# x\n```sh\n$ cargo run --release -p claude-cli -- quickstart\n```\n\
                    ```sh\ncargo xtask test   # everything\n```\n";
        let commands = parse(text).unwrap();
        assert_eq!(commands.test, ["cargo", "xtask", "test"]);
        assert_eq!(commands.quickstart.join(" "), QUICKSTART);
    }

    #[test]
    fn a_command_outside_a_code_block_does_not_count() {
        let text = "cargo xtask test\n\n```sh\ncargo run --release -p claude-cli -- quickstart\n```\n";
        let error = parse(text).unwrap_err();
        assert!(error.to_string().contains("`cargo xtask test`"), "{error}");
    }

    #[test]
    fn a_command_with_another_ending_is_another_command() {
        let text = "```\ncargo xtask tests\ncargo run --release -p claude-cli -- quickstart\n```\n";
        assert!(parse(text).is_err());
    }
}
