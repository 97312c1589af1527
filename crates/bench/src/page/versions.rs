//! Which version of everybody was measured, from the lock files they were built with.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::stand::{ALL, Contender, Kind};

/// The section of the page with the versions.
pub(super) fn section(root: &Path) -> Result<String> {
    let mut text = "## Contenders\n\n| contender | version |\n|---|---|\n".to_owned();
    for contender in ALL {
        writeln!(text, "| {} | {} |", contender.name, version(root, contender)?)?;
    }
    text.push('\n');
    Ok(text)
}

fn version(root: &Path, contender: &Contender) -> Result<String> {
    let locked = |folder: &Path, package: &str| {
        let lock = read(&folder.join("Cargo.lock"))?;
        locked_version(&lock, package).with_context(|| format!("{package} is not in {}", folder.display()))
    };
    match contender.kind {
        Kind::Here("ours") => Ok(format!("of this page, on reqwest {}", locked(root, "reqwest")?)),
        Kind::Here("ours-hyper") => Ok(format!("of this page, on hyper {}", locked(root, "hyper")?)),
        Kind::Here("reqwest") => {
            Ok(format!("reqwest {}, serde_json {}", locked(root, "reqwest")?, locked(root, "serde_json")?))
        }
        Kind::Here("hyper") => {
            Ok(format!("hyper {}, hyper-util {}", locked(root, "hyper")?, locked(root, "hyper-util")?))
        }
        Kind::Here(_) => Ok(format!("memchr {}", locked(root, "memchr")?)),
        Kind::Peer { program, package } => {
            let folder = root.join("crates/bench/contenders").join(program);
            Ok(format!("{package} {}", locked(&folder, package)?))
        }
        Kind::Python => {
            let wanted = read(&root.join("xtask/tools/python.in"))?;
            let version = wanted.lines().find_map(|line| line.strip_prefix("anthropic=="));
            Ok(format!("anthropic {}", version.context("python.in names no anthropic")?))
        }
        Kind::TypeScript => {
            let wanted: serde_json::Value =
                serde_json::from_str(&read(&root.join("xtask/tools/package.json"))?)?;
            let version =
                wanted.pointer("/dependencies/@anthropic-ai~1sdk").and_then(serde_json::Value::as_str);
            Ok(format!("@anthropic-ai/sdk {}", version.context("package.json names no SDK")?))
        }
    }
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// The newest version of a package in a lock file: the last one, as they are in order.
pub fn locked_version(lock: &str, package: &str) -> Option<String> {
    let name = format!("name = \"{package}\"\nversion = \"");
    let (_, rest) = lock.rsplit_once(&name)?;
    rest.split('"').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_versions_of_everybody_are_found() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let section = section(&root).unwrap();
        assert_eq!(section.lines().filter(|line| line.starts_with("| ")).count(), ALL.len() + 1);
    }

    #[test]
    fn of_two_versions_the_newer_one_is_taken() {
        let lock = "name = \"a\"\nversion = \"1.0.0\"\n\nname = \"a\"\nversion = \"2.0.0\"\n";
        assert_eq!(locked_version(lock, "a").as_deref(), Some("2.0.0"));
    }
}
