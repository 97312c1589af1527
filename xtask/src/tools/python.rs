//! What comes from PyPI: environments with packages, and a source distribution.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::{Stamp, lock_folder, only_file, pinned};
use crate::step::{self, Workspace, succeeds};

const PYTHON: &str = "python.txt";
const MITMPROXY: &str = "mitmproxy.txt";
const SOURCE: &str = "sdist.txt";

/// Installs what is missing into folders of `tools`.
pub(super) fn install(workspace: &Workspace, tools: &Path) -> Result<()> {
    install_environment(workspace, &tools.join("python"), PYTHON, &[])?;
    // One of its packages is newer than it says it needs.
    install_environment(workspace, &tools.join("mitmproxy"), MITMPROXY, &["--no-deps"])?;
    install_source(workspace, tools)
}

/// Makes an environment with the packages of a lock file.
fn install_environment(workspace: &Workspace, folder: &Path, lock: &str, more: &[&str]) -> Result<()> {
    let stamp = Stamp::new(folder, pinned(workspace, lock)?);
    // The environment links to the system's Python: an upgrade of that leaves a link to nothing.
    if stamp.is_current() && folder.join("bin/python").exists() {
        return Ok(());
    }
    step::run(workspace.command("python3").args(["-m", "venv", "--clear"]).arg(folder))?;
    let pip = ["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"];
    // Wheels only: a source distribution would run its own code to build.
    let pinned = ["--require-hashes", "--only-binary", ":all:", "--requirement"];
    step::run(
        workspace
            .command(folder.join("bin/python"))
            .args(pip)
            .args(more)
            .args(pinned)
            .arg(lock_folder(workspace).join(lock)),
    )?;
    stamp.write()
}

/// Unpacks a source distribution, whose tests are not in the wheel.
fn install_source(workspace: &Workspace, tools: &Path) -> Result<()> {
    let folder = tools.join("sdist");
    let stamp = Stamp::new(&folder, pinned(workspace, SOURCE)?);
    if stamp.is_current() {
        return Ok(());
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    // Pip asks for the metadata, which the builder among the Python packages makes; nothing is installed.
    let pip = ["-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check"];
    let source = ["--no-deps", "--no-binary", ":all:", "--no-build-isolation", "--require-hashes"];
    let mut download = workspace.command(tools.join("python/bin/python"));
    download.args(pip).args(source).arg("--dest").arg(&folder);
    step::run(download.arg("--requirement").arg(lock_folder(workspace).join(SOURCE)))?;
    let archive = only_file(&folder, "gz")?;
    step::run(
        workspace
            .command("tar")
            .args(["--extract", "--gzip", "--strip-components", "1", "--file"])
            .arg(archive)
            .arg("--directory")
            .arg(&folder),
    )?;
    stamp.write()
}

/// The wheels need 3.10, and Debian splits `ensurepip` from Python.
pub(super) fn makes_environments(workspace: &Workspace) -> bool {
    let check = "import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 10))";
    succeeds(workspace.command("python3").args(["-c", check]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_python_package_is_pinned_with_a_hash() {
        let workspace = Workspace::find().unwrap();
        for lock in [PYTHON, MITMPROXY] {
            let text = pinned(&workspace, lock).unwrap();
            let packages: Vec<&str> =
                text.lines().filter(|line| line.contains("==") && !line.starts_with('#')).collect();
            assert!(!packages.is_empty());
            // A name's line continues with its hashes.
            assert!(packages.iter().all(|line| line.ends_with('\\')), "{packages:?}");
            let wanted = pinned(&workspace, &lock.replace(".txt", ".in")).unwrap();
            for wanted in wanted.lines().filter(|line| !line.starts_with('#')) {
                assert!(
                    packages.iter().any(|line| line.starts_with(wanted)),
                    "{lock} has no {wanted}: run uv again"
                );
            }
        }
    }
}
