//! What a job has done, in a file that a crash leaves whole.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::JobError;

/// What was done.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    version: Version,
    pub(super) batches: Vec<JobBatch>,
    /// Of all messages that are in batches.
    pub(super) digest: Option<String>,
    /// What is being sent, or was when the program ended.
    pub(super) sending: Option<Sending>,
    /// There are no more messages.
    pub(super) complete: bool,
}

/// Says which program can read a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
enum Version {
    #[default]
    #[serde(rename = "claude-sdk batch job 1")]
    One,
}

/// A batch that was created.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct JobBatch {
    pub(super) id: String,
    pub(super) requests: u64,
    pub(super) ended: bool,
}

/// A batch that may have been created.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Sending {
    pub(super) requests: u64,
    pub(super) digest: String,
    /// The newest batch there was before.
    pub(super) after: Option<String>,
}

impl State {
    /// How many messages are in batches.
    pub(super) fn requests(&self) -> u64 {
        self.batches.iter().map(|batch| batch.requests).sum()
    }
}

/// The file.
#[derive(Debug)]
pub(super) struct StateFile(PathBuf);

impl StateFile {
    pub(super) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// What it says; `None` where there is no file.
    pub(super) fn read(&self) -> Result<Option<State>, JobError> {
        let text = match fs::read(&self.0) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(JobError::File { path: self.0.clone(), source }),
        };
        serde_json::from_slice(&text).map(Some).map_err(|_| JobError::Format { path: self.0.clone() })
    }

    /// Writes it anew beside the old one, which it then takes the place of.
    pub(super) fn write(&self, state: &State) -> Result<(), JobError> {
        let written =
            serde_json::to_vec_pretty(state).map_err(io::Error::from).and_then(|text| self.replace(&text));
        written.map_err(|source| JobError::File { path: self.0.clone(), source })
    }

    fn replace(&self, text: &[u8]) -> io::Result<()> {
        let mut new = OsString::from(&self.0);
        new.push(".new");
        match fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&new)?;
        file.write_all(text)?;
        file.sync_all()?;
        fs::rename(&new, &self.0)?;
        #[cfg(unix)]
        {
            let folder = self.0.parent().filter(|folder| !folder.as_os_str().is_empty());
            File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?;
        }
        Ok(())
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
