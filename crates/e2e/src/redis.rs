//! A Redis server of a test's own.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use ratelimit::{Timer as _, TokioTimer};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::{Process, free_port};

/// A running Redis server that keeps nothing on disk; it is killed when this is dropped.
#[derive(Debug)]
pub struct RedisServer {
    port: u16,
    bus: u16,
    folder: TempDir,
    more: Vec<String>,
    process: Option<Process>,
}

impl RedisServer {
    /// Starts one with these arguments more.
    ///
    /// # Errors
    ///
    /// When it is not installed or does not start.
    pub fn start(more: &[&str]) -> Result<Self> {
        let more = more.iter().map(|word| (*word).to_owned()).collect();
        let (port, bus) = (free_port()?, free_port()?);
        let mut server = Self { port, bus, folder: tempfile::tempdir()?, more, process: None };
        server.resume()?;
        Ok(server)
    }

    /// Starts three that are a cluster, with a third of the slots each.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start), and when they do not find each other.
    pub async fn cluster() -> Result<[Self; 3]> {
        let node = || Self::start(&["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"]);
        let nodes = [node()?, node()?, node()?];
        for (node, slots) in nodes.iter().zip(["0 5460", "5461 10922", "10923 16383"]) {
            node.tell(&format!("CLUSTER ADDSLOTSRANGE {slots}"))?;
            for other in &nodes {
                node.tell(&format!("CLUSTER MEET 127.0.0.1 {} {}", other.port, other.bus))?;
            }
        }
        // A node takes its time before it believes that all is well: two seconds or so.
        let timer = TokioTimer::new();
        for node in &nodes {
            let is_ready = || {
                let info = node.tell("CLUSTER INFO")?;
                Ok::<_, anyhow::Error>(
                    ["cluster_state:ok", "cluster_known_nodes:3", "cluster_slots_ok:16384"]
                        .iter()
                        .all(|line| info.contains(line)),
                )
            };
            while !is_ready()? {
                ensure!(
                    timer.now() < Duration::from_secs(20),
                    "the nodes of the cluster do not find each other"
                );
                timer.sleep(Duration::from_millis(50)).await;
            }
        }
        Ok(nodes)
    }

    /// Starts it again after [`stop`](Self::stop), with nothing in it.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn resume(&mut self) -> Result<()> {
        self.run(&[], "Ready to accept connections")
    }

    /// Starts it again with these arguments more and with what it was told to `SAVE`, which it begins to read.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn reload(&mut self, more: &[&str]) -> Result<()> {
        self.run(more, "Server initialized")
    }

    /// Starts it and waits until it says so.
    fn run(&mut self, more: &[&str], until: &str) -> Result<()> {
        // Debian's package without the service has the server under this name; it goes by the one it is called by.
        let mut command = Command::new("redis-check-rdb");
        command.arg0("redis-server").args(["--bind", "127.0.0.1", "--save", "", "--port"]);
        command.arg(self.port.to_string()).arg("--cluster-port").arg(self.bus.to_string());
        command.arg("--dir").arg(self.folder.path()).args(&self.more).args(more);
        let mut process = Process::start(command)?;
        process.wait_for(until, Duration::from_secs(10))?;
        self.process = Some(process);
        Ok(())
    }

    /// Kills it.
    pub fn stop(&mut self) {
        self.process = None;
    }

    /// Lets it stand still, or go on.
    ///
    /// # Errors
    ///
    /// When it is gone.
    pub fn freeze(&self, is_frozen: bool) -> Result<()> {
        let id = self.process.as_ref().context("the server is stopped")?.id();
        let id = Pid::from_raw(id.cast_signed()).context("a process has a number")?;
        kill_process(id, if is_frozen { Signal::STOP } else { Signal::CONT })?;
        Ok(())
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The port it listens on.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Says something to the server and does not wait for an answer.
    ///
    /// # Errors
    ///
    /// When it is gone.
    pub fn say(&self, line: &str) -> Result<()> {
        let mut socket = TcpStream::connect(("127.0.0.1", self.port))?;
        Ok(socket.write_all(format!("{line}\r\n").as_bytes())?)
    }

    /// Says something to the server, past everybody, and returns what it answers.
    ///
    /// # Errors
    ///
    /// When it does not answer.
    pub fn tell(&self, line: &str) -> Result<String> {
        let mut socket = TcpStream::connect(("127.0.0.1", self.port))?;
        socket.write_all(format!("{line}\r\nQUIT\r\n").as_bytes())?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer)?;
        Ok(answer)
    }
}
