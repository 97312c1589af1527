//! `cargo xtask lab`: the exercise of `docs/lab`, done by newman against `claudectl mock`.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use anyhow::{Context as _, Result};

use crate::step::{self, Workspace};
use crate::tools;

const FOLDER: &str = "docs/lab";
/// Few enough for the exercise to meet the limit soon.
const REQUESTS_PER_MINUTE: &str = "20";

/// Builds the program, starts its server, and goes through the collection.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    tools::install_official(workspace)?;
    // As the quickstart builds it, so that nothing is built twice.
    step::run(&mut workspace.cargo(&["build", "--quiet", "--release", "--package", "claude-cli"]))?;
    let server = Server::start(workspace)?;
    let folder = workspace.root.join(FOLDER);
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

/// The mock server; it ends with this.
struct Server {
    child: Child,
    base_url: String,
}

impl Server {
    fn start(workspace: &Workspace) -> Result<Self> {
        let program = workspace.target.join("release/claudectl");
        let mut command = workspace.command(program);
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
