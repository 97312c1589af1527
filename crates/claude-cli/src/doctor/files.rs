//! Whether others can get at what is kept on disk.

use std::{fs, io, path::Path};

use claude_sdk::{
    profile::Profiles,
    secrets::{check_folder, providers::Env},
    transport::{Clock as _, SystemClock},
};

use super::{Finding, network::PATIENCE};
use crate::failure::parts;

mod by_hand;
mod left;
mod modes;
#[cfg(test)]
mod tests;
mod walk;

use by_hand::{UNSHOWN, in_a_shell};
use walk::Walk;

pub(super) const FILES: &str = "files";
/// How many entries are looked at.
const ENTRIES: usize = 2_000;

/// The folder of the profiles with what is in it, and with `fix` its modes set right.
pub(super) fn look(env: &Env, fix: bool) -> Vec<Finding> {
    let folder = match Profiles::of(env) {
        Ok(profiles) => profiles.path().to_owned(),
        Err(error) => {
            let next = "set HOME, or ANTHROPIC_CONFIG_DIR, if there is to be a profile";
            return vec![Finding::skipped(FILES, parts(&error.into(), None).0, next)];
        }
    };
    if !folder.exists() {
        return vec![Finding::ok(FILES, format!("nothing is kept in {}", folder.display()))];
    }
    // A link's own mode says nothing; what the folder's link leads to is what counts.
    let real = if folder.is_symlink() { fs::canonicalize(&folder).ok() } else { None };
    let mut walk = Walk::until(SystemClock.now() + PATIENCE);
    if let Err(error) = walk.over(real.as_ref().unwrap_or(&folder)) {
        return vec![unreadable(&folder, &error)];
    }
    let mut findings: Vec<_> =
        walk.open.iter().map(|(path, mode, right)| modes::told(path, *mode, *right, fix)).collect();
    // The folders above count too: who may rename one of them decides what lies in this one.
    if findings.is_empty()
        && let Err(error) = check_folder(&folder)
    {
        let next = "do that, or set ANTHROPIC_CONFIG_DIR to a folder that only you can change";
        findings.push(Finding::failed(FILES, &error.into(), next));
    }
    if findings.is_empty() {
        let whole = if walk.is_cut { "the part that was looked at of " } else { "" };
        findings.push(Finding::ok(
            FILES,
            format!("nobody else can read a credential or change anything in {whole}{}", folder.display()),
        ));
    }
    if walk.is_cut {
        findings.push(cut(&folder));
    }
    let folders = [folder.join("credentials"), folder.join("configs"), folder];
    findings.extend(
        folders.iter().flat_map(|folder| left::left_over(folder)).map(|path| left::cleaned(&path, fix)),
    );
    findings
}

fn unreadable(folder: &Path, error: &io::Error) -> Finding {
    let next = match (error.kind(), in_a_shell(folder)) {
        (io::ErrorKind::NotADirectory, Some(quoted)) => {
            format!("it is no folder: move it away, `mv {quoted} {quoted}.old`; a login makes the folder")
        }
        (io::ErrorKind::NotADirectory, None) => format!("it is no folder: move it away; {UNSHOWN}"),
        (_, Some(quoted)) => format!(
            "see whose it is, `ls -ld {quoted}`, and give it back: `sudo chown -R \"$USER\" {quoted}`"
        ),
        (_, None) => format!("see whose it is, and give it back to you; {UNSHOWN}"),
    };
    Finding::problem(FILES, format!("{} cannot be read: {error}", folder.display()), next)
}

/// Not all of it was looked at.
fn cut(folder: &Path) -> Finding {
    let evidence = format!(
        "{} holds more than {ENTRIES} entries, or takes longer than {} s to read: of `credentials`, of `configs` and then of the \
         rest, only the first were looked at",
        folder.display(),
        PATIENCE.as_secs()
    );
    let next =
        "move out of it what belongs to no profile, or set ANTHROPIC_CONFIG_DIR to a folder of its own";
    Finding::skipped(FILES, evidence, next)
}
