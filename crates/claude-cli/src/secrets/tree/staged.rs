//! What git is about to commit.

use std::{
    collections::{HashMap, HashSet},
    io::{Seek as _, Write as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;

use super::{
    Find, Scan,
    git::{git, path_of},
    objects::BATCH,
    shown,
};
use crate::secrets::shapes::Scanner;

impl Scan {
    /// Looks into what is about to be committed, where it is not what lies in the tree.
    pub(super) fn staged(&mut self, scanner: &Scanner, root: &Path) -> anyhow::Result<()> {
        let output = git(root).args(["ls-files", "-z", "--stage"]).output().context("cannot run git")?;
        let entries = output.stdout.split(|&byte| byte == 0).filter_map(|entry| {
            // `MODE OBJECT STAGE\tPATH`; what is not a blob is another repository.
            let tab = memchr::memchr(b'\t', entry)?;
            let (head, path) = (entry.get(..tab)?, entry.get(tab + 1..)?);
            let head = std::str::from_utf8(head).ok()?;
            let id = head.split(' ').nth(1).filter(|_| !head.starts_with("160000"))?;
            Some((id.to_owned(), path_of(path).ok()?))
        });
        let mut paths: HashMap<String, Vec<PathBuf>> = HashMap::new();
        entries.for_each(|(id, path)| paths.entry(id).or_default().push(path));
        if paths.is_empty() {
            return Ok(());
        }
        let mut asked = tempfile::tempfile().context("cannot make a temporary file")?;
        paths.keys().try_for_each(|id| writeln!(asked, "{id}"))?;
        asked.rewind()?;
        let mut command = git(root);
        command.args(["cat-file", "--buffer"]).arg(BATCH).stdin(asked);
        let found = self.objects(scanner, &mut command)?;
        let known: HashSet<(String, usize, &str)> =
            self.finds.iter().map(|find| (find.place.clone(), find.line, find.kind)).collect();
        for (object, sights) in found {
            for path in paths.get(&object.id).into_iter().flatten() {
                let place = shown(scanner, &root.join(path));
                let new =
                    sights.iter().filter(|sight| !known.contains(&(place.clone(), sight.line, sight.kind)));
                self.finds.extend(new.map(|&sight| Find::at(format!("{place} (staged)"), sight)));
            }
        }
        Ok(())
    }
}
