//! The files of a tree, and what git remembers.

use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use claude_sdk::secrets::shown_path;

use super::shapes::{Scanner, Sight};
use crate::console::plain;

mod git;
mod history;
mod objects;
mod staged;

use git::{Listed, listed};

/// The most of one file that is read, in bytes.
const LARGEST: u64 = 64 * 1024 * 1024;

/// A key that was found: where, and of what kind.
#[derive(Debug, serde::Serialize)]
pub(super) struct Find {
    /// The file, or for history the blob.
    pub(super) place: String,
    pub(super) line: usize,
    pub(super) kind: &'static str,
}

impl Find {
    fn at(place: String, sight: Sight) -> Self {
        Self { place, line: sight.line, kind: sight.kind }
    }

    /// In a name: that is line 0.
    fn in_name(place: String, sight: Sight) -> Self {
        Self::at(place, Sight { line: 0, ..sight })
    }
}

/// What was looked at.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub(super) finds: Vec<Find>,
    pub(super) looked_at: usize,
    /// What could not be read, or was too large to be read whole.
    pub(super) skipped: Vec<String>,
    /// The repositories that lie in those that were looked at, submodules among them.
    pub(super) nested: Vec<PathBuf>,
}

impl Scan {
    /// Adds what was found in a file and in its name.
    fn add(&mut self, scanner: &Scanner, path: &Path, sights: &[Sight]) {
        self.looked_at += 1;
        let place = shown(scanner, path);
        let named = scanner.scan(path.to_string_lossy().as_bytes());
        self.finds.extend(named.first().map(|&sight| Find::in_name(place.clone(), sight)));
        self.finds.extend(sights.iter().map(|&sight| Find::at(place.clone(), sight)));
    }

    /// Looks into a file, or into the files below a folder: in a git work tree into those that git does not ignore.
    pub(super) fn files(&mut self, scanner: &Scanner, root: &Path) -> anyhow::Result<()> {
        let metadata = fs::metadata(root).with_context(|| format!("cannot read {}", shown_path(root)))?;
        // What is named is meant, be it a link; of a pipe or a device there is no end.
        if !metadata.is_dir() {
            if metadata.is_file() {
                self.read(scanner, root);
            } else {
                self.skipped.push(format!("{}, which is neither file nor folder,", shown(scanner, root)));
            }
            return Ok(());
        }
        match listed(root)? {
            Some(Listed { files, unread }) => {
                self.skipped.extend(unread.iter().map(|text| scanner.masked(&plain(text))));
                for file in files {
                    let path = root.join(file);
                    // Of a repository in this one git lists the folder alone.
                    if path.join(".git").exists() {
                        self.nested.push(path.clone());
                        self.files(scanner, &path)?;
                    } else {
                        self.file(scanner, &path);
                    }
                }
                self.staged(scanner, root)?;
            }
            None => self.folder(scanner, root),
        }
        Ok(())
    }

    fn folder(&mut self, scanner: &Scanner, folder: &Path) {
        let Ok(entries) = fs::read_dir(folder) else { return self.skipped.push(shown(scanner, folder)) };
        let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.sort();
        for path in paths {
            // A link leads to what is looked at where it is, or lies outside.
            match fs::symlink_metadata(&path) {
                Ok(metadata) if metadata.is_dir() => self.folder(scanner, &path),
                Ok(metadata) if metadata.is_file() => self.file(scanner, &path),
                Ok(_) => {}
                Err(_) => self.skipped.push(shown(scanner, &path)),
            }
        }
    }

    fn file(&mut self, scanner: &Scanner, path: &Path) {
        // What git lists may be a link, a submodule, or gone.
        match fs::symlink_metadata(path) {
            Ok(metadata) if !metadata.is_file() => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            _ => self.read(scanner, path),
        }
    }

    fn read(&mut self, scanner: &Scanner, path: &Path) {
        let mut text = Vec::new();
        let read = fs::File::open(path).and_then(|file| file.take(LARGEST).read_to_end(&mut text));
        match read {
            Ok(count) => {
                if count as u64 == LARGEST {
                    self.skipped.push(format!("{} (after {LARGEST} bytes)", shown(scanner, path)));
                }
                self.add(scanner, path, &scanner.scan(&text));
            }
            Err(_) => self.skipped.push(shown(scanner, path)),
        }
    }
}

/// A name as it may be shown: there are keys in names too.
fn shown(scanner: &Scanner, path: &Path) -> String {
    scanner.masked(&plain(&path.to_string_lossy()))
}
