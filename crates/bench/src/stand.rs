//! The stand: where the programs are, how a contender is started, and how contenders take turns.

mod contender;
mod crowd;
mod process;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use bench_probe::{Report, Task, Work};

pub use self::contender::{
    ALL, ANTHROPIC_AI_SDK, Contender, FRAMER, GENAI, HYPER, Kind, LINES, OURS, OURS_HYPER, PYTHON, REQWEST,
    SSE_STREAM, TYPESCRIPT,
};
pub use self::process::Server;
use crate::server::Script;

/// Where the programs are, and how thoroughly to measure.
#[derive(Clone, Debug)]
pub struct Stand {
    /// The folder with `contender` and `bench-server`.
    programs: PathBuf,
    /// The target folder, with the others in it.
    target: PathBuf,
    /// The folder of the workspace.
    root: PathBuf,
    /// So little work that it shows that everything runs, and nothing else.
    quick: bool,
    /// Other people's clients too.
    peers: bool,
}

/// The reports of one contender, a round each.
#[derive(Clone, Debug)]
pub struct Turns {
    /// Whose.
    pub contender: &'static Contender,
    /// What each of its processes had to do.
    pub count: usize,
    /// What they reported.
    pub reports: Vec<Report>,
}

/// How often something is measured.
#[derive(Clone, Copy, Debug)]
pub struct Rounds {
    /// For the contenders that a goal compares.
    pub compared: usize,
    /// For all others.
    pub others: usize,
}

impl Stand {
    /// A stand with the programs that were built with this one.
    ///
    /// # Errors
    ///
    /// This program is not where cargo puts programs.
    pub fn beside_this_program() -> Result<Self> {
        let program = std::env::current_exe().context("this program has no place")?;
        let programs = program.parent().context("this program is in no folder")?;
        let target = programs.parent().context("this program is not in a target folder")?;
        Ok(Self::new(programs, target))
    }

    /// A stand with programs in one folder, and the rest in a target folder.
    #[must_use]
    pub fn new(programs: &Path, target: &Path) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        Self { programs: programs.into(), target: target.into(), root, quick: false, peers: true }
    }

    /// Does so little work that it shows that everything runs.
    #[must_use]
    pub fn quick(mut self, quick: bool) -> Self {
        self.quick = quick;
        self
    }

    /// Leaves out, or takes in, other people's clients.
    #[must_use]
    pub fn peers(mut self, peers: bool) -> Self {
        self.peers = peers;
        self
    }

    /// The folder of the workspace.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The target folder.
    #[must_use]
    pub fn target(&self) -> &Path {
        &self.target
    }

    /// Whether little work is asked for.
    #[must_use]
    pub fn is_quick(&self) -> bool {
        self.quick
    }

    /// Those that are to be measured.
    #[must_use]
    pub fn present(&self, contenders: &[&'static Contender]) -> Vec<&'static Contender> {
        contenders.iter().copied().filter(|contender| self.peers || contender.kind.is_built_here()).collect()
    }

    /// `full`, or a hundredth of it where little work is asked for.
    #[must_use]
    pub fn count(&self, full: usize) -> usize {
        if self.quick { full.div_ceil(100) } else { full }
    }

    /// As many rounds as asked for, or one.
    #[must_use]
    pub fn rounds(&self, compared: usize, others: usize) -> Rounds {
        if self.quick { Rounds { compared: 1, others: 1 } } else { Rounds { compared, others } }
    }

    /// Starts a server.
    ///
    /// # Errors
    ///
    /// It does not start.
    pub fn server(&self, script: &Script) -> Result<Server> {
        let program = self.programs.join("bench-server");
        Server::start(process::pinned(&program, process::Core::Server).arg(serde_json::to_string(script)?))
    }

    /// Has contenders do the same work in turns, round after round. A slow one does less of it; `expected` says what comes
    /// of `count` of it, so that nobody is fast by leaving something out.
    ///
    /// # Errors
    ///
    /// A contender fails, or does not do it all.
    pub fn take_turns(
        &self,
        label: &str,
        contenders: &[&'static Contender],
        rounds: Rounds,
        task: &Task,
        expected: impl Fn(usize) -> u64,
    ) -> Result<Vec<Turns>> {
        let mut turns: Vec<Turns> = self
            .present(contenders)
            .into_iter()
            .map(|contender| Turns { contender, count: contender.share(task.count), reports: Vec::new() })
            .collect();
        self.say(&format!("{label}: {} contenders, {} rounds", turns.len(), rounds.compared));
        for round in 0..rounds.compared.max(rounds.others) {
            // Another one begins in each round, so that nobody always comes after the same.
            let first = round % turns.len().max(1);
            turns.rotate_left(first);
            for Turns { contender, count, reports } in &mut turns {
                let wanted = if contender.kind.is_built_here() { rounds.compared } else { rounds.others };
                if round >= wanted {
                    continue;
                }
                let warm_up = contender.share(task.warm_up);
                let task = Task { count: *count, warm_up, ..task.clone() };
                let report = self.run(contender, &task)?;
                let (done, all) = (report.done, expected(*count));
                ensure!(done == all, "{} did {done} of {all} in {label}", contender.name);
                reports.push(report);
            }
            turns.rotate_right(first);
        }
        Ok(turns)
    }

    /// Tells whoever waits what it is at.
    #[expect(clippy::print_stderr, reason = "for whoever waits")]
    pub fn say(&self, text: &str) {
        eprintln!("{text}");
    }

    fn run(&self, contender: &Contender, task: &Task) -> Result<Report> {
        let mut command = self.command(contender)?;
        if matches!(task.work, Work::Decode) {
            // One rule for blocks of all sizes, which glibc would otherwise change on the way.
            command.env("MALLOC_MMAP_THRESHOLD_", "131072");
        }
        command.arg(serde_json::to_string(task)?);
        let output = command.output().with_context(|| format!("cannot start {}", contender.name))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            bail!("{} failed ({}): {}", contender.name, output.status, said.trim());
        }
        serde_json::from_slice(&output.stdout).with_context(|| {
            format!("{} reported {:?}", contender.name, String::from_utf8_lossy(&output.stdout))
        })
    }

    fn command(&self, contender: &Contender) -> Result<Command> {
        let scripts = self.root.join("crates/bench/contenders/official");
        let tools = self.target.join("tools");
        let (program, arguments) = match contender.kind {
            Kind::Here(name) => (self.programs.join("contender"), vec![name.into()]),
            Kind::Peer { program, .. } => (self.target.join("bench/release").join(program), Vec::new()),
            Kind::Python => (
                tools.join("python/bin/python"),
                vec!["-I".into(), scripts.join("python.py").into_os_string()],
            ),
            Kind::TypeScript => {
                let modules = tools.join("node/node_modules").into_os_string();
                (process::node(&tools)?, vec![scripts.join("typescript.mjs").into_os_string(), modules])
            }
        };
        ensure!(program.exists(), "{} is missing; `cargo xtask bench` builds it", program.display());
        let mut command = process::pinned(&program, process::Core::Contender);
        command.args(arguments);
        Ok(command)
    }
}
