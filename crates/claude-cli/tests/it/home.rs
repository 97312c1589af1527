//! A user's home folder, with profiles in it.

use std::{
    cell::Cell,
    fs,
    io::Read,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use mock_server::{MockServer, leaks};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    claudectl::{Run, Running, claudectl},
    person,
};

/// A home folder that is empty at first, and the server that its owner logs in at.
#[derive(Debug)]
pub struct Home {
    folder: TempDir,
    base_url: String,
    /// Whether the test has opened a file to others, which says nothing against the program.
    opened: Cell<bool>,
}

impl Home {
    pub fn new(server: &MockServer) -> Self {
        Self { folder: TempDir::new().unwrap(), base_url: server.base_url().into(), opened: Cell::default() }
    }

    /// A home folder whose owner has logged in at `server`, in the profile `default`.
    pub async fn logged_in(server: &MockServer) -> Self {
        let home = Self::new(server);
        home.log_in(server, &[]).await.ok_after_talk();
        home
    }

    /// The program, for the owner of this home.
    pub fn claudectl(&self, arguments: &[&str]) -> Command {
        let mut command = claudectl(arguments);
        command.env("HOME", self.folder.path()).env("ANTHROPIC_BASE_URL", &self.base_url);
        command
    }

    /// `claudectl auth login` at `server`, found by its metadata, with `more` arguments.
    pub fn login(&self, server: &MockServer, more: &[&str]) -> Command {
        let mut arguments =
            vec!["auth", "login", "--client-id", server.client_id(), "--issuer", server.issuer()];
        arguments.extend(more);
        self.claudectl(&arguments)
    }

    /// A whole login, by a person who consents.
    pub async fn log_in(&self, server: &MockServer, more: &[&str]) -> Run {
        let mut running = Running::start(&mut self.login(server, more));
        let page = person::consent(&running.link()).await;
        assert!(page.text.contains("You are logged in"), "{page:?}");
        running.end()
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn config(&self, below: &str) -> PathBuf {
        self.folder.path().join(".config/anthropic").join(below)
    }

    /// A file of the profiles, which is JSON.
    pub fn json(&self, below: &str) -> Value {
        serde_json::from_slice(&fs::read(self.config(below)).unwrap()).unwrap()
    }

    /// Writes a file of the profiles, for its owner only.
    pub fn write(&self, below: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.config(below);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::set_permissions(path.parent().unwrap(), fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// Lets others at a file.
    pub fn open(&self, path: &Path, mode: u32) {
        self.opened.set(true);
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Puts a named pipe in the place of a file.
    pub fn pipe(&self, below: &str) {
        let path = self.write(below, "");
        fs::remove_file(&path).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::from_raw_mode(0o600)).unwrap();
    }

    /// Puts a program in this home that is given one address and adds it to the file beside it.
    pub fn browser(&self) -> PathBuf {
        let path = self.folder.path().join("browser");
        let script = "#!/bin/sh\nprintf '%s %s %s\\n' \"$#\" \"$1\" \"$ANTHROPIC_API_KEY$CLAUDE_CLIENT_SECRET\" >> \"$0.seen\"\n";
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// What that program was given so far, once it was.
    pub async fn browsed(&self) -> String {
        loop {
            match fs::read_to_string(self.folder.path().join("browser.seen")) {
                Ok(seen) if seen.ends_with('\n') => return seen,
                _ => tokio::task::yield_now().await,
            }
        }
    }

    /// Every file of the profiles with its content; the locks, which hold nothing, are left out.
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        let mut folders = vec![self.config("")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_none_or(|extension| extension != "lock") {
                    files.push((path.clone(), fs::read(path).unwrap()));
                }
            }
        }
        files.sort();
        files
    }
}

/// What is left in a home is its owner's alone.
impl Drop for Home {
    fn drop(&mut self) {
        if !self.opened.get() {
            leaks::left_in(self.path());
        }
    }
}

impl Running {
    /// Waits for a line on standard error that has `text` in it.
    pub fn line_with(&mut self, text: &str) -> String {
        let mut errors = self.child().stderr.take().unwrap();
        let (mut line, mut byte) = (Vec::new(), [0]);
        // Byte by byte, so that what comes after is still there.
        let line = loop {
            assert_eq!(
                errors.read(&mut byte).unwrap(),
                1,
                "ended without {text:?}: {}",
                String::from_utf8_lossy(&line)
            );
            if byte != *b"\n" {
                line.extend(byte);
                continue;
            }
            let read = String::from_utf8(std::mem::take(&mut line)).unwrap();
            if read.contains(text) {
                break read;
            }
        };
        self.child().stderr = Some(errors);
        line
    }

    /// Waits for the link that the person has to open.
    pub fn link(&mut self) -> String {
        self.line_with("/oauth/authorize?").trim().to_owned()
    }
}

impl Run {
    /// Asserts that it went well; what it told the person on the way does not matter. Gives standard output.
    #[track_caller]
    pub fn ok_after_talk(&self) -> &str {
        assert_eq!(self.status, Some(0), "{self:?}");
        &self.stdout
    }

    /// The last line on standard error.
    pub fn last_words(&self) -> &str {
        self.stderr.trim_end().lines().last().unwrap_or_default()
    }
}
