//! `cargo xtask lab`: the exercise of `docs/lab`, done against `claudectl mock` in each of its three ways: by newman, as
//! `curl`, and with the library, which is what `claudectl quickstart` does.

mod curl;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::step::{self, Workspace};
use crate::tools;

const FOLDER: &str = "docs/lab";
/// Few enough for the exercise to meet the limit soon.
const REQUESTS_PER_MINUTE: &str = "20";

/// Builds the program, and goes through the exercise three times, each time at a server of its own.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    tools::install_official(workspace)?;
    // As the quickstart builds it, so that nothing is built twice.
    step::run(&mut workspace.cargo(&["build", "--quiet", "--release", "--package", "claude-cli"]))?;
    let folder = workspace.root.join(FOLDER);
    run_newman(workspace, &folder)?;
    run_curl(workspace, &folder)?;
    step::run(workspace.command(program(workspace)).arg("quickstart"))?;
    // Nothing that was got on the way is left in the files, or ever was.
    step::run(workspace.command(program(workspace)).args(["secrets", "scan"]).arg(&folder))
}

fn run_curl(workspace: &Workspace, folder: &Path) -> Result<()> {
    let server = Server::start(workspace)?;
    let readme = fs::read_to_string(folder.join("README.md")).context("cannot read docs/lab/README.md")?;
    let mut shell = workspace.command("sh");
    shell.arg("-c").arg(curl::script(&readme)?).arg("lab").arg(&server.base_url);
    let status = shell.status().context("cannot start sh")?;
    ensure!(status.success(), "a step of docs/lab/README.md does not show what it should");
    Ok(())
}

fn run_newman(workspace: &Workspace, folder: &Path) -> Result<()> {
    let server = Server::start(workspace)?;
    let tools = workspace.target.join("tools");
    let mut newman = workspace.command(tools.join("python/bin/node"));
    newman.arg(tools.join("node/node_modules/newman/bin/newman.js"));
    newman.arg("run").arg(folder.join("claude.postman_collection.json"));
    newman.arg("--environment").arg(folder.join("claude.postman_environment.json"));
    for name in ["base_url", "issuer"] {
        newman.arg("--env-var").arg(format!("{name}={}", server.base_url));
    }
    // Every request of the one that is sent until the limit is met would be a line.
    newman.args(["--reporters", "cli", "--reporter-cli-no-banner", "--reporter-cli-no-console"]);
    step::run(&mut newman)
}

fn program(workspace: &Workspace) -> PathBuf {
    workspace.target.join("release/claudectl")
}

/// The mock server; it ends with this.
struct Server {
    child: Child,
    base_url: String,
}

impl Server {
    fn start(workspace: &Workspace) -> Result<Self> {
        let mut command = workspace.command(program(workspace));
        command.args(["mock", "--requests-per-minute", REQUESTS_PER_MINUTE]).stdout(Stdio::piped());
        let child = command.spawn().context("cannot start the mock server")?;
        let mut server = Self { child, base_url: String::new() };
        let output = server.child.stdout.take().context("the mock server has no output")?;
        let exported = |line: &String| line.contains("ANTHROPIC_BASE_URL=");
        let line = BufReader::new(output).lines().map_while(Result::ok).find(exported);
        let line = line.context("the mock server does not say where it is")?;
        server.base_url =
            line.split('=').next_back().unwrap_or_default().trim().trim_end_matches('/').to_owned();
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Nothing is to be done where it is gone already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    /// What looks like a secret: the beginnings of keys and tokens, and long words with letters of both sizes and digits.
    fn secrets(text: &str) -> Vec<&str> {
        let is_part = |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
        let words = text.split(|character| !is_part(character));
        let looks = |word: &&str| {
            let kinds: HashSet<u8> = word
                .bytes()
                .map(|byte| match byte {
                    b'a'..=b'z' => 0,
                    b'A'..=b'Z' => 1,
                    b'0'..=b'9' => 2,
                    _ => 3,
                })
                .collect();
            word.starts_with("sk-ant-")
                || word.starts_with("eyJ")
                || word.contains("CANARY")
                || (word.len() >= 20 && [0, 1, 2].iter().all(|kind| kinds.contains(kind)))
        };
        words.filter(looks).collect()
    }

    #[test]
    fn no_secret_is_in_the_files_of_the_lab() {
        let folder = Workspace::find().unwrap().root.join(FOLDER);
        let files: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|file| fs::read_to_string(file.unwrap().path()).unwrap())
            .collect();
        assert_eq!(files.len(), 3);
        for file in &files {
            assert_eq!(secrets(file), Vec::<&str>::new());
        }
        // What the environment will hold of secrets is empty, and typed so that Postman does not show or share it.
        let environment = files.iter().find(|file| file.contains("_postman_variable_scope")).unwrap();
        let empty = environment.matches("\"value\": \"\",\n      \"type\": \"secret\"").count();
        assert_eq!((empty, environment.matches("\"secret\"").count()), (4, 4));
    }

    #[test]
    fn what_looks_like_a_secret_is_found() {
        for planted in ["Bearer sk-ant-oat01-x", "\"eyJhbGciOi\"", "code=Ab3dEf6hIj9kLm2nOp5q&state=lab"] {
            assert_eq!(secrets(planted).len(), 1, "{planted}");
        }
        assert!(
            secrets("curl $BASE/.well-known/oauth-authorization-server Bearer {{access_token}}").is_empty()
        );
    }
}
