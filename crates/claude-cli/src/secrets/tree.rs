//! The files of a tree, and what git remembers.

use std::{
    collections::{HashMap, HashSet},
    fs,
    io::{BufRead as _, BufReader, Read as _, Seek as _, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use anyhow::{Context as _, bail};
use claude_sdk::secrets::{ChildEnvironment, shown_path};

use super::shapes::{Scanner, Sight};
use crate::console::plain;

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
    /// Adds what was found in a file; its name is line 0.
    fn add(&mut self, scanner: &Scanner, path: &Path, sights: &[Sight]) {
        self.looked_at += 1;
        let place = &shown(scanner, path);
        let named = scanner.scan(path.to_string_lossy().as_bytes());
        let named = named.first().map(|sight| Find { place: place.clone(), line: 0, kind: sight.kind });
        self.finds.extend(named);
        let finds =
            sights.iter().map(|sight| Find { place: place.to_owned(), line: sight.line, kind: sight.kind });
        self.finds.extend(finds);
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

    /// Looks into what is about to be committed, where it is not what lies in the tree.
    fn staged(&mut self, scanner: &Scanner, root: &Path) -> anyhow::Result<()> {
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
        for (id, sights) in found {
            for path in id.rsplit(' ').next().and_then(|id| paths.get(id)).into_iter().flatten() {
                let place = shown(scanner, &root.join(path));
                for &Sight { line, kind } in &sights {
                    if !known.contains(&(place.clone(), line, kind)) {
                        self.finds.push(Find { place: format!("{place} (staged)"), line, kind });
                    }
                }
            }
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

    /// Looks into all that git keeps: every version of every file of every branch, and what hangs on none; messages, names
    /// of files, branches and tags; and what is beside that: settings, and the log of where branches were.
    pub(super) fn history(&mut self, scanner: &Scanner, root: &Path) -> anyhow::Result<()> {
        let mut command = git(root);
        command.args(["cat-file", "--batch-all-objects", "--unordered", "--buffer"]).arg(BATCH);
        let found = self.objects(scanner, &mut command).map_err(|error| refusal(root).unwrap_or(error))?;
        let paths = if found.is_empty() { HashMap::new() } else { paths(scanner, root)? };
        for (object, sights) in found {
            let id = object.rsplit(' ').next().unwrap_or_default();
            let place = paths.get(id).map_or_else(|| object.clone(), |path| format!("{object} {path}"));
            let finds =
                sights.iter().map(|sight| Find { place: place.clone(), line: sight.line, kind: sight.kind });
            self.finds.extend(finds);
        }
        let output = git(root).args(["for-each-ref", "--format=%(refname)"]).output();
        let names = output.context("cannot run git")?.stdout;
        for name in String::from_utf8_lossy(&names).lines() {
            let sights = scanner.scan(name.as_bytes());
            let place = scanner.masked(&plain(name));
            self.finds.extend(sights.first().map(|sight| Find { place, line: 0, kind: sight.kind }));
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

    /// What is found in the objects that git prints, each by its kind and id.
    fn objects(
        &mut self,
        scanner: &Scanner,
        command: &mut Command,
    ) -> anyhow::Result<Vec<(String, Vec<Sight>)>> {
        let before = self.looked_at;
        let mut objects = Running::start(command)?;
        let mut output = BufReader::new(objects.0.stdout.take().context("git has no output")?);
        let (mut found, mut named) = (Vec::new(), HashSet::new());
        loop {
            let mut head = String::new();
            if output.read_line(&mut head)? == 0 {
                break;
            }
            if let Some(id) = head.trim_end().strip_suffix(" missing") {
                self.skipped.push(format!("object {id}"));
                continue;
            }
            let mut words = head.split_whitespace();
            let (Some(id), Some(kind), Some(size)) = (words.next(), words.next(), words.next()) else {
                bail!("git says something that is not understood; run `git fsck`");
            };
            let size: u64 = size.parse().context("git says a size that is none; run `git fsck`")?;
            let mut object = (&mut output).take(size);
            let mut text = Vec::new();
            (&mut object).take(LARGEST).read_to_end(&mut text)?;
            if size > LARGEST {
                self.skipped.push(format!("{kind} {id} (after {LARGEST} bytes)"));
            }
            let rest = std::io::copy(&mut object, &mut std::io::sink())?;
            // With the newline behind it.
            if text.len() as u64 + rest < size || output.read_exact(&mut [0]).is_err() {
                bail!("git cannot read {kind} {id} to its end; run `git fsck`, which says what is damaged");
            }
            if kind == "tree" {
                self.names(scanner, &text, id, &mut named);
                continue;
            }
            self.looked_at += 1;
            let sights = scanner.scan(&text);
            if !sights.is_empty() {
                found.push((format!("{kind} {id}"), sights));
            }
        }
        objects.succeed(self.looked_at > before)?;
        Ok(found)
    }

    /// The keys among the names in a tree, each told once, though it is in every later tree too.
    fn names(&mut self, scanner: &Scanner, tree: &[u8], id: &str, told: &mut HashSet<Vec<u8>>) {
        if scanner.is_clean(tree) {
            return;
        }
        let mut rest = tree;
        // `MODE NAME\0HASH`, and the hash is as long as the tree's own.
        while let Some(end) = memchr::memchr(0, rest) {
            let entry = rest.get(..end).unwrap_or_default();
            rest = rest.get(end + 1 + id.len() / 2..).unwrap_or_default();
            let name = entry.splitn(2, |&byte| byte == b' ').nth(1).unwrap_or_default();
            let Some(sight) = scanner.scan(name).into_iter().next() else { continue };
            if told.insert(name.to_owned()) {
                let name = scanner.masked(&plain(&String::from_utf8_lossy(name)));
                self.finds.push(Find { place: format!("tree {id} {name}"), line: 0, kind: sight.kind });
            }
        }
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

/// What git says of each object before it.
const BATCH: &str = "--batch=%(objectname) %(objecttype) %(objectsize)";

/// The files of a git work tree that git does not ignore.
struct Listed {
    files: Vec<PathBuf>,
    /// What git says of folders that it cannot read.
    unread: Vec<String>,
}

/// What lies in a git work tree; `None` where there is none.
fn listed(root: &Path) -> anyhow::Result<Option<Listed>> {
    let output = git(root).args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).output();
    let Ok(output) = output else { return Ok(None) }; // no git on this machine
    if !output.status.success() {
        return Ok(None);
    }
    let files = output.stdout.split(|&byte| byte == 0).filter(|file| !file.is_empty());
    let mut files: Vec<PathBuf> = files.map(path_of).collect::<Result<_, _>>()?;
    files.dedup();
    let unread = String::from_utf8_lossy(&output.stderr).lines().map(str::to_owned).collect();
    Ok(Some(Listed { files, unread }))
}

/// The last path by which each object is known.
fn paths(scanner: &Scanner, root: &Path) -> anyhow::Result<HashMap<String, String>> {
    let output = git(root).args(["rev-list", "--all", "--objects"]).output().context("cannot run git")?;
    let lines = String::from_utf8_lossy(&output.stdout);
    let named = lines.lines().filter_map(|line| line.split_once(' ')).filter(|(_, path)| !path.is_empty());
    Ok(named.map(|(id, path)| (id.to_owned(), scanner.masked(&plain(path)))).collect())
}

#[cfg(unix)]
fn path_of(file: &[u8]) -> anyhow::Result<PathBuf> {
    use std::os::unix::ffi::OsStrExt as _;
    Ok(std::ffi::OsStr::from_bytes(file).into())
}

#[cfg(not(unix))]
fn path_of(file: &[u8]) -> anyhow::Result<PathBuf> {
    Ok(std::str::from_utf8(file).context("a file's name is not UTF-8")?.into())
}

/// Git, which runs nothing that the repository's own settings name.
fn git(root: &Path) -> Command {
    let mut git = Command::new("git");
    git.arg("-C").arg(root).args(["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"]);
    git.env_clear().envs(ChildEnvironment::process().variables());
    git.env("GIT_OPTIONAL_LOCKS", "0").env("GIT_NO_LAZY_FETCH", "1");
    // What is there is looked at, and not what the repository has put in its place.
    git.env("GIT_NO_REPLACE_OBJECTS", "1").stdin(Stdio::null());
    git.env("LC_ALL", "C"); // what it says is read here
    git
}

/// Why git does not look into a repository at all, where that is because of its owner.
fn refusal(root: &Path) -> Option<anyhow::Error> {
    let output = git(root).args(["rev-parse", "--git-dir"]).output().ok()?;
    foreign(&String::from_utf8_lossy(&output.stderr))
}

/// What git says names the folder in the last line, as a shell takes it.
fn foreign(said: &str) -> Option<anyhow::Error> {
    let allow = said.lines().rev().find(|line| line.contains("safe.directory"))?;
    let allow = plain(allow.trim());
    Some(anyhow::anyhow!(
        "the repository belongs to another user, and git looks into no such history; run this as its owner, or allow it with \
         `{allow}`"
    ))
}

/// A running git, which is ended when it is not waited for.
struct Running(Child);

impl Running {
    fn start(command: &mut Command) -> anyhow::Result<Self> {
        let child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        child.map(Self).context("cannot run git; install it, or leave --history out")
    }

    fn succeed(&mut self, has_begun: bool) -> anyhow::Result<()> {
        if !self.0.wait().context("cannot wait for git")?.success() {
            if has_begun {
                bail!("git cannot read all of its objects; run `git fsck`, which says what is damaged");
            }
            bail!("git cannot read the history; name a folder of a git repository");
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only for a process that has ended and was waited for, which is what they are for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A name as it may be shown: there are keys in names too.
fn shown(scanner: &Scanner, path: &Path) -> String {
    scanner.masked(&plain(&path.to_string_lossy()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In git's own words, which it says to this variable as it does to another owner.
    #[test]
    fn a_repository_of_somebody_else_is_told_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        assert!(git(folder.path()).args(["init", "-q"]).status().unwrap().success());
        let said = |owner: &str| {
            let mut git = git(folder.path());
            let output =
                git.args(["rev-parse", "--git-dir"]).env("GIT_TEST_ASSUME_DIFFERENT_OWNER", owner).output();
            String::from_utf8(output.unwrap().stderr).unwrap()
        };
        let told = foreign(&said("1")).unwrap().to_string();
        let allow = format!("`git config --global --add safe.directory {}`", folder.path().display());
        assert!(told.contains("belongs to another user") && told.ends_with(&allow), "{told}");
        assert!(foreign(&said("0")).is_none());
        assert!(refusal(folder.path()).is_none());
    }
}
