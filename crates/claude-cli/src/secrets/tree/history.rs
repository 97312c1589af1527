//! All that git remembers.

use std::{collections::HashMap, fs, path::Path};

use anyhow::Context as _;

use super::{
    Find, Scan,
    git::{git, path_of, refusal},
    objects::BATCH,
};
use crate::{console::plain, secrets::shapes::Scanner};

impl Scan {
    /// Looks into all that git keeps: every version of every file of every branch, and what hangs on none; messages, names
    /// of files, branches and tags; and what is beside that: settings, and the log of where branches were.
    pub(in crate::secrets) fn history(&mut self, scanner: &Scanner, root: &Path) -> anyhow::Result<()> {
        let mut command = git(root);
        command.args(["cat-file", "--batch-all-objects", "--unordered", "--buffer"]).arg(BATCH);
        let found = self.objects(scanner, &mut command).map_err(|error| refusal(root).unwrap_or(error))?;
        let paths = if found.is_empty() { HashMap::new() } else { paths(scanner, root)? };
        for (object, sights) in found {
            let path = paths.get(&object.id).map(|path| format!(" {path}")).unwrap_or_default();
            self.finds.extend(sights.into_iter().map(|sight| Find::at(format!("{object}{path}"), sight)));
        }
        let output = git(root).args(["for-each-ref", "--format=%(refname)"]).output();
        let names = output.context("cannot run git")?.stdout;
        for name in String::from_utf8_lossy(&names).lines() {
            let sights = scanner.scan(name.as_bytes());
            let place = scanner.masked(&plain(name));
            self.finds.extend(sights.first().map(|&sight| Find::in_name(place, sight)));
        }
        self.beside(scanner, root)
    }

    /// Looks into what git keeps beside its objects.
    fn beside(&mut self, scanner: &Scanner, root: &Path) -> anyhow::Result<()> {
        let mut command = git(root);
        command.args(["rev-parse", "--path-format=absolute", "--git-dir", "--git-common-dir"]);
        let output = command.output().context("cannot run git")?;
        if !output.status.success() {
            self.skipped.push("what git keeps beside its objects".to_owned());
        }
        let mut folders: Vec<&[u8]> =
            output.stdout.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()).collect();
        folders.dedup();
        let looked_at = self.looked_at;
        for folder in folders {
            for name in BESIDE {
                let path = path_of(folder)?.join(name);
                match fs::metadata(&path) {
                    Ok(metadata) if metadata.is_dir() => self.folder(scanner, &path),
                    Ok(_) => self.file(scanner, &path),
                    Err(_) => {} // most of them are rare
                }
            }
        }
        self.looked_at = looked_at; // a repository without objects is still empty
        Ok(())
    }
}

/// What git keeps beside its objects, in words of people and of programs.
const BESIDE: [&str; 10] = [
    "config",
    "config.worktree",
    "logs",
    "COMMIT_EDITMSG",
    "MERGE_MSG",
    "SQUASH_MSG",
    "TAG_EDITMSG",
    "FETCH_HEAD",
    "hooks",
    "info",
];

/// The last path by which each object is known.
fn paths(scanner: &Scanner, root: &Path) -> anyhow::Result<HashMap<String, String>> {
    let output = git(root).args(["rev-list", "--all", "--objects"]).output().context("cannot run git")?;
    let lines = String::from_utf8_lossy(&output.stdout);
    let named = lines.lines().filter_map(|line| line.split_once(' ')).filter(|(_, path)| !path.is_empty());
    Ok(named.map(|(id, path)| (id.to_owned(), scanner.masked(&plain(path)))).collect())
}
