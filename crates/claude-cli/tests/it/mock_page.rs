//! The commands of docs/mock.md, run as they stand but for the port.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    process::Command,
};

use crate::claudectl::{Running, claudectl};

const PAGE: &str = include_str!("../../../../docs/mock.md");
const ADDRESS: &str = "http://127.0.0.1:8080";

/// What stands in blocks of this kind.
fn blocks(kind: &str) -> String {
    let fence = format!("```{kind}\n");
    PAGE.split(&fence).skip(1).filter_map(|after| after.split("```").next()).collect()
}

#[test]
fn every_command_of_the_page_about_the_mock_runs_as_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("weather.toml"), blocks("toml")).unwrap();
    let commands = blocks("console").replace("\\\n", " ");
    let mut commands = commands.lines().map(|line| line.strip_prefix("$ ").unwrap());

    let start = commands.next().unwrap().replace("--port 8080", "--port 0");
    let arguments = start.strip_prefix("claudectl ").unwrap().split(' ');
    let mut mock = Running::start(claudectl(arguments).current_dir(folder.path()));
    let mut lines = BufReader::new(mock.stdout()).lines().map(Result::unwrap);
    let address =
        lines.find_map(|line| line.strip_prefix("  export ANTHROPIC_BASE_URL=").map(str::to_owned)).unwrap();

    let said: Vec<String> = commands
        .map(|command| {
            assert!(command.starts_with("curl ") && command.contains(ADDRESS), "{command}");
            let command = command.replace(ADDRESS, address.trim_end_matches('/'));
            let output = Command::new("sh").arg("-c").arg(&command).output().unwrap();
            assert!(output.status.success(), "{command}: {output:?}; it needs curl");
            String::from_utf8(output.stdout).unwrap()
        })
        .collect();
    mock.interrupt();
    mock.end().ok();
    assert_eq!(said.len(), 3);
    assert_eq!(said[..2], ["{}", "{}"]);
    assert!(said[2].contains("overloaded_error"), "{}", said[2]);
    let journal = fs::read_to_string(folder.path().join("journal.jsonl")).unwrap();
    assert_eq!(journal.lines().count(), 1, "orders are not in it: {journal}");
}
