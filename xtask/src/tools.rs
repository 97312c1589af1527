//! What the tests need from others: which packages, whether they are there, and how they are installed.
//!
//! The exact versions are in `xtask/tools`: `python.txt` and `mitmproxy.txt` (with hashes, made from `python.in` and
//! `mitmproxy.in`), `sdist.txt` (a source distribution, for the tests in it) and `package-lock.json` (made from
//! `package.json`). They go into `target/tools`, where `crates/e2e` looks for them.

mod python;

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::step::{self, Workspace, on_path, output, step};

const PACKAGE: &str = "package.json";
const LOCK: &str = "package-lock.json";

/// A program from Debian, and how to see that it is missing.
#[derive(Debug)]
struct Debian {
    packages: &'static [&'static str],
    present: fn(&Workspace) -> bool,
}

const DEBIAN: [Debian; 9] = [
    // The wheels need 3.10; Debian splits `ensurepip` from Python.
    Debian { packages: &["python3", "python3-venv"], present: python::makes_environments },
    // The program without the service, so that nothing is started on this machine.
    Debian { packages: &["tinyproxy-bin"], present: |_| on_path("tinyproxy") },
    // It brings the server as a program that goes by two names; the service is in another package.
    Debian { packages: &["redis-tools"], present: |_| on_path("redis-check-rdb") },
    // A DNS server with the records of a test's companies.
    Debian { packages: &["dnsmasq-base"], present: |_| on_path("dnsmasq") },
    // A real browser, and the program that drives it.
    Debian {
        packages: &["chromium", "chromium-driver"],
        present: |_| on_path("chromium") && on_path("chromedriver"),
    },
    // The steps of docs/lab.
    Debian { packages: &["curl"], present: |_| on_path("curl") },
    // Certificates of every kind for nginx.
    Debian { packages: &["openssl"], present: |_| on_path("openssl") },
    // A message bus and a keyring of a test's own, and programs that ask them.
    Debian {
        packages: &["dbus-bin", "dbus-daemon", "gnome-keyring", "libsecret-tools"],
        present: |_| {
            ["dbus-send", "dbus-daemon", "gnome-keyring-daemon", "secret-tool"]
                .iter()
                .all(|name| on_path(name))
        },
    },
    // Networks of a test's own, and what goes wrong in them.
    Debian {
        packages: &["iproute2", "nftables"],
        present: |_| on_path("ip") && on_path("tc") && on_path("nft"),
    },
];

/// Installs what is missing; does nothing when all of it is there.
pub(crate) fn install(workspace: &Workspace) -> Result<()> {
    let _lock = lock(workspace)?;
    install_debian(workspace)?;
    install_packages(workspace)
}

/// Installs the packages from PyPI and npm, the official SDKs among them, and nothing of Debian's.
pub(crate) fn install_official(workspace: &Workspace) -> Result<()> {
    let _lock = lock(workspace)?;
    install_packages(workspace)
}

/// Two test runs at once: the second waits, and then finds everything there.
fn lock(workspace: &Workspace) -> Result<File> {
    let folder = folder(workspace);
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let lock = File::create(folder.join("lock")).context("cannot create the lock of target/tools")?;
    lock.lock().context("cannot lock target/tools")?;
    Ok(lock)
}

fn install_packages(workspace: &Workspace) -> Result<()> {
    let folder = folder(workspace);
    python::install(workspace, &folder)?;
    install_node(workspace, &folder)?;
    install_unpacked(workspace, &folder, "nginx", "usr/sbin/nginx")?;
    install_unpacked(workspace, &folder, "prometheus", "usr/bin/promtool")?;
    install_unpacked(workspace, &folder, "chrony", "usr/sbin/chronyd")?;
    let library = format!("usr/lib/{}-linux-gnu/faketime/libfaketimeMT.so.1", std::env::consts::ARCH);
    install_unpacked(workspace, &folder, "libfaketime", &library)
}

fn folder(workspace: &Workspace) -> PathBuf {
    workspace.target.join("tools")
}

/// A program from the registry that only some commands need: the one on the `PATH`, or one built into `target/tools`.
pub(crate) fn cargo_program(workspace: &Workspace, name: &str, version: &str) -> Result<PathBuf> {
    let folder = workspace.target.join("tools/cargo");
    let ours = folder.join("bin").join(name);
    if on_path(name) {
        return Ok(name.into());
    }
    if !ours.is_file() {
        let install = ["install", name, "--version", version, "--locked", "--root"];
        step(name, || step::run(workspace.cargo(&install).arg(&folder)))?;
    }
    Ok(ours)
}

fn install_debian(workspace: &Workspace) -> Result<()> {
    let missing = DEBIAN.iter().filter(|part| !(part.present)(workspace));
    let missing: Vec<&str> = missing.flat_map(|part| part.packages).copied().collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !on_path("apt-get") || !is_root(workspace) {
        bail!(
            "the tests need programs that are missing; as root: apt-get install --no-install-recommends {}",
            missing.join(" ")
        );
    }
    let apt = |arguments: &[&str]| {
        let mut command = workspace.command("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").args(arguments);
        command
    };
    let install =
        [&["install", "-y", "-qq", "-o", "Dpkg::Use-Pty=0", "--no-install-recommends"], missing.as_slice()]
            .concat();
    // A fresh machine has no package lists, an old one has stale ones; most need no update.
    if step::run(&mut apt(&install)).is_err() {
        step::run(&mut apt(&["update", "-qq"]))?;
        step::run(&mut apt(&install))?;
    }
    Ok(())
}

fn install_node(workspace: &Workspace, tools: &Path) -> Result<()> {
    let folder = tools.join("node");
    let (package, lock) = (pinned(workspace, PACKAGE)?, pinned(workspace, LOCK)?);
    let stamp = Stamp::new(&folder, format!("{package}{lock}"));
    if stamp.is_current() {
        return Ok(());
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    for (name, text) in [(PACKAGE, &package), (LOCK, &lock)] {
        fs::write(folder.join(name), text)
            .with_context(|| format!("cannot write {name} to target/tools/node"))?;
    }
    // Node and npm came with the Python packages, at a pinned version.
    let npm = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error", "--prefix"];
    step::run(workspace.command(tools.join("python/bin/npm")).args(npm).arg(&folder))?;
    stamp.write()
}

/// Unpacks a package of Debian's that has this program: installed in the system, it would start a service.
fn install_unpacked(workspace: &Workspace, tools: &Path, package: &str, program: &str) -> Result<()> {
    let folder = tools.join(package);
    if folder.join(program).exists() {
        return Ok(());
    }
    if !on_path("apt-get") {
        bail!(
            "the tests need {package}, unpacked into {}; it comes from Debian, by apt-get",
            folder.display()
        );
    }
    fs::create_dir_all(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let download = || {
        let mut command = workspace.command("apt-get");
        command.current_dir(&folder).args(["download", "-qq", package]);
        command
    };
    if step::run(&mut download()).is_err() {
        step::run(workspace.command("apt-get").args(["update", "-qq"]))?;
        step::run(&mut download())?;
    }
    let archive = only_file(&folder, "deb")?;
    step::run(workspace.command("dpkg-deb").arg("--extract").arg(archive).arg(&folder))
}

/// What was downloaded to a folder: its file with this ending.
fn only_file(folder: &Path, ending: &str) -> Result<PathBuf> {
    let files = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut paths = files.filter_map(|file| Some(file.ok()?.path()));
    let found = paths.find(|path| path.extension().is_some_and(|end| end == ending));
    found.with_context(|| format!("the download has brought no .{ending} file to {}", folder.display()))
}

/// A copy of the lock files beside what was installed from them, written last: an interrupted install leaves none.
#[derive(Debug)]
struct Stamp {
    path: PathBuf,
    wanted: String,
}

impl Stamp {
    fn new(folder: &Path, wanted: String) -> Self {
        Self { path: folder.join("installed"), wanted }
    }

    fn is_current(&self) -> bool {
        fs::read_to_string(&self.path).is_ok_and(|found| found == self.wanted)
    }

    fn write(&self) -> Result<()> {
        fs::write(&self.path, &self.wanted).with_context(|| format!("cannot write {}", self.path.display()))
    }
}

fn lock_folder(workspace: &Workspace) -> PathBuf {
    workspace.root.join("xtask/tools")
}

fn pinned(workspace: &Workspace, name: &str) -> Result<String> {
    let path = lock_folder(workspace).join(name);
    fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

fn is_root(workspace: &Workspace) -> bool {
    output(workspace.command("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_current_only_for_the_very_lock_it_was_written_from() {
        let folder = tempfile::tempdir().unwrap();
        let stamp = Stamp::new(folder.path(), "a==1".to_owned());
        assert!(!stamp.is_current());
        stamp.write().unwrap();
        assert!(stamp.is_current());
        assert!(!Stamp::new(folder.path(), "a==2".to_owned()).is_current());
    }
}
