//! `cargo xtask tidy`: the rules of this workspace that no compiler and no linter checks.

mod examples;
mod manifest;
mod names;
mod prose;
mod rows;
mod source;

use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::step::Workspace;

/// One broken rule: where it is, and what to do about it.
#[derive(Debug, PartialEq)]
struct Finding {
    path: String,
    line: usize,
    todo: String,
}

impl Finding {
    fn new(file: &File, line: usize, todo: impl Into<String>) -> Self {
        Self { path: file.path.clone(), line, todo: todo.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}", self.path, self.line, self.todo)
    }
}

/// A file of the repository: its path from the root, with `/`, and its text.
#[derive(Debug)]
struct File {
    path: String,
    text: String,
}

impl File {
    fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Code that ships, in contrast to tests, examples and benchmarks.
    fn is_source(&self) -> bool {
        self.is_rust() && (self.path.starts_with("src/") || self.path.contains("/src/"))
    }

    /// Every line with its number.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }

    /// A finding for every line that contains `pattern`.
    fn lines_with(&self, pattern: &str, todo: &str) -> Vec<Finding> {
        let lines = self.lines().filter(|(_, line)| line.contains(pattern));
        lines.map(|(line, _)| Finding::new(self, line, todo)).collect()
    }
}

type Check = fn(&Path, &File) -> Vec<Finding>;

const CHECKS: &[Check] = &[
    names::module_file,
    names::vague,
    source::length,
    source::owner,
    source::unfinished,
    source::front_page,
    manifest::inherits,
    manifest::names_its_library,
    prose::machine,
    prose::links,
    rows::rows,
];

/// Prints a line for each broken rule and fails if there was one.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let files = read(&workspace.root)?;
    for file in &files {
        source::mention_long(file);
    }
    let findings = check(&workspace.root, &files);
    for finding in &findings {
        eprintln!("{finding}");
    }
    match findings.len() {
        0 => Ok(()),
        1 => bail!("1 thing to tidy, see the line above"),
        count => bail!("{count} things to tidy, see the lines above"),
    }
}

fn check(root: &Path, files: &[File]) -> Vec<Finding> {
    let each = files.iter().flat_map(|file| CHECKS.iter().flat_map(move |check| check(root, file)));
    each.chain(examples::examples(files)).collect()
}

/// Reads every text file of the repository, in the order of their paths.
fn read(root: &Path) -> Result<Vec<File>> {
    let mut files = Vec::new();
    read_folder(root, "", &mut files).with_context(|| format!("cannot read {}", root.display()))?;
    files.sort_by(|left, right| left.path.cmp(&right.path));
    Ok(files)
}

fn read_folder(folder: &Path, prefix: &str, files: &mut Vec<File>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        let kind = entry.file_type()?;
        if is_foreign(&entry.path(), &name) {
            continue;
        }
        if kind.is_dir() {
            read_folder(&entry.path(), &format!("{path}/"), files)?;
        } else if kind.is_file()
            && let Ok(text) = String::from_utf8(fs::read(entry.path())?)
        {
            files.push(File { path, text });
        }
    }
    Ok(())
}

/// What holds nobody's source: git's own, a file in a worktree, and what was built or installed. Cargo marks its target
/// folders, wherever they are.
fn is_foreign(path: &Path, name: &str) -> bool {
    [".git", "target", "node_modules", "__pycache__"].contains(&name) || path.join("CACHEDIR.TAG").exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found in a repository that has only these files.
    pub(super) fn planted(files: &[(&str, &str)]) -> Vec<String> {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let files = read(root.path()).unwrap();
        check(root.path(), &files).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_finding_reads_as_file_line_and_what_to_do() {
        let found = planted(&[("crates/a/src/x/mod.rs", "")]);
        assert_eq!(found, ["crates/a/src/x/mod.rs:1: move this to x.rs beside the folder x"]);
    }

    #[test]
    fn what_was_built_or_is_no_text_is_not_read() {
        let found = planted(&[
            ("target/debug/mod.rs", ""),
            ("elsewhere/CACHEDIR.TAG", ""),
            ("elsewhere/mod.rs", ""),
            (".git/mod.rs", ""),
        ]);
        assert!(found.is_empty(), "{found:?}");
        let found = planted(&[(".git", "gitdir: /tmp/elsewhere")]);
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn the_repository_itself_is_read() {
        let workspace = Workspace::find().unwrap();
        let files = read(&workspace.root).unwrap();
        assert!(files.len() > 20, "only {} files were read", files.len());
    }
}
