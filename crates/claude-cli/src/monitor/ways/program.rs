//! A program that is told of an alarm.

use std::{process::Stdio, time::Duration};

use anyhow::bail;
use async_trait::async_trait;
use claude_sdk::secrets::{ChildEnvironment, kill_family};
use tokio::{
    io::AsyncWriteExt as _,
    process::{Child, Command},
};

use super::Way;

/// A program that gets the alert on its standard input, and none of this program's secrets.
#[derive(Debug)]
pub(super) struct Program(String);

impl Program {
    pub(super) fn new(path: &str) -> Self {
        Self(path.to_owned())
    }
}

#[async_trait]
impl Way for Program {
    fn name(&self) -> &'static str {
        "command"
    }

    fn whom(&self) -> String {
        format!("the program {}", self.0)
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(60)
    }

    async fn tell(&self, alert: &str) -> anyhow::Result<()> {
        let mut command = Command::new(&self.0);
        command.env_clear().envs(ChildEnvironment::process().variables());
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        let mut running = Running(command.spawn()?);
        if let Some(mut input) = running.0.stdin.take() {
            // A program that does not want to know need not read.
            let _ = input.write_all(format!("{alert}\n").as_bytes()).await;
        }
        match running.0.wait().await? {
            status if status.success() => Ok(()),
            status => bail!("it ended with {status}"),
        }
    }
}

/// A running program, which is killed with all that it has started when nobody waits for its end.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // While it has not been waited for, nobody else can have its number.
        if let Some(id) = self.0.id() {
            kill_family(id);
        }
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use claude_sdk::transport::{Clock as _, SystemClock};
    use rustix::process::{Pid, test_kill_process};

    use super::*;

    /// Gives a program up that has started something which is like this, and waits for the end of that.
    async fn given_up(starts: &str, like: impl Fn(Pid) -> bool) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("hangs");
        let script =
            format!("#!/bin/sh\n{starts} &\necho $! > \"$0.tmp\"; mv \"$0.tmp\" \"$0.child\"; wait\n");
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        let program = Program::new(path.to_str().unwrap());
        let child = || {
            let written = fs::read_to_string(folder.path().join("hangs.child")).ok()?;
            Pid::from_raw(written.trim().parse().unwrap())
        };
        tokio::select! {
            ended = program.tell("{}") => panic!("{ended:?}"),
            () = until(|| child().is_some_and(&like)) => {}
        }
        let child = child().unwrap();
        // Whoever was its parent is gone, so that somebody else has to bury it.
        until(|| test_kill_process(child).is_err() || is_dead(child)).await;
    }

    #[tokio::test]
    async fn a_program_that_is_given_up_is_killed_with_all_that_it_has_started() {
        given_up("sleep 1000", |_| true).await;
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn a_session_of_its_own_is_no_place_to_hide() {
        // By its line in `/proc`: of a session from outside of the tests' own PID namespace `getsid` has no number.
        let leads_a_session = |child| session(child) == Some(child.as_raw_nonzero().get());
        given_up("setsid sleep 1000", leads_a_session).await;
    }

    async fn until(is: impl Fn() -> bool) {
        while !is() {
            SystemClock.sleep(Duration::from_millis(5)).await;
        }
    }

    fn is_dead(process: Pid) -> bool {
        let stat = stat(process);
        stat.is_empty() || stat.contains(") Z ")
    }

    /// The session of a process, which is the fourth value after its name (`proc_pid_stat(5)`).
    #[cfg(target_os = "linux")]
    fn session(process: Pid) -> Option<i32> {
        let stat = stat(process);
        stat.rsplit_once(") ")?.1.split(' ').nth(3)?.parse().ok()
    }

    /// What the system says of a process, which is nothing where there is none.
    fn stat(process: Pid) -> String {
        fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero())).unwrap_or_default()
    }
}
