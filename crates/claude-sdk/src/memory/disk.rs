//! Every operation on the files of a memory. None follows a link, and each is bounded.

use std::{
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use super::MemoryPath;
use crate::tools::ToolError;

/// The largest file, in bytes.
pub(super) const FILE_LIMIT: u64 = 1024 * 1024;
/// The most files and folders.
pub(super) const ENTRY_LIMIT: usize = 10_000;
/// The most bytes in all files.
pub(super) const TOTAL_LIMIT: u64 = 64 * 1024 * 1024;
/// A name that no memory can have.
const WRITING: &str = ".writing";

/// Something in a folder.
#[derive(Debug)]
pub(super) struct Entry {
    /// Below the folder that was asked for, with `/`.
    pub(super) path: String,
    pub(super) bytes: u64,
    pub(super) is_folder: bool,
}

/// The folder that is `/memories`.
#[derive(Debug)]
pub(super) struct Disk {
    root: PathBuf,
}

impl Disk {
    /// Opens the folder, and makes it where it is not there.
    pub(super) fn open(root: &Path) -> io::Result<Self> {
        if !root.exists() {
            new_folder(root)?;
        }
        let root = fs::canonicalize(root)?;
        if !root.is_dir() {
            return Err(io::Error::new(io::ErrorKind::NotADirectory, "the memory's folder is no folder"));
        }
        Ok(Self { root })
    }

    /// Waits until nobody else is at work in this folder, whichever handle or process they have it open in.
    #[cfg(unix)]
    pub(super) fn turn(&self) -> io::Result<File> {
        let folder = File::open(&self.root)?;
        folder.lock()?;
        Ok(folder)
    }

    /// A folder cannot be locked here: each handle takes turns for itself.
    #[cfg(not(unix))]
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "on Unix it can")]
    pub(super) fn turn(&self) -> io::Result<()> {
        Ok(())
    }

    /// Where a path is, and what is there. No part of it may be a link.
    pub(super) fn find(&self, path: &MemoryPath) -> Result<(PathBuf, Option<Metadata>), ToolError> {
        let mut place = self.root.clone();
        let mut found = Some(fs::symlink_metadata(&place)?);
        for name in path.names() {
            match &found {
                Some(folder) if !folder.is_dir() => {
                    return Err(ToolError::new(format!("a part of {path} is a file, not a folder")));
                }
                _ => place.push(name),
            }
            if found.is_none() {
                continue;
            }
            found = match fs::symlink_metadata(&place) {
                Ok(metadata) if metadata.is_file() || metadata.is_dir() => Some(metadata),
                Ok(_) => {
                    return Err(ToolError::new(format!(
                        "{path} leads over a link or a device, which is not followed"
                    )));
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => None,
                Err(error) => return Err(error.into()),
            };
        }
        Ok((place, found))
    }

    pub(super) fn read(&self, path: &MemoryPath) -> Result<String, ToolError> {
        let (place, found) = self.find(path)?;
        match found {
            Some(metadata) if metadata.is_file() => {}
            Some(_) => return Err(ToolError::new(format!("{path} is a folder, not a file"))),
            None => return Err(missing(path)),
        }
        let mut bytes = Vec::new();
        File::open(place)?.take(FILE_LIMIT + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > FILE_LIMIT {
            return Err(ToolError::new(format!("{path} is larger than 1 MiB and is not read")));
        }
        String::from_utf8(bytes).map_err(|_| ToolError::new(format!("{path} is no text")))
    }

    /// Writes a file whole or not at all.
    pub(super) fn write(&self, path: &MemoryPath, text: &str) -> Result<(), ToolError> {
        let (place, before) = self.find(path)?;
        if before.as_ref().is_some_and(Metadata::is_dir) {
            return Err(ToolError::new(format!("{path} is a folder, not a file")));
        }
        self.check_room(text.len() as u64, before.map_or(0, |before| before.len()))?;
        self.make_parents(path)?;
        let writing = self.root.join(WRITING);
        match fs::remove_file(&writing) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let mut file = new_file(&writing)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&writing, place)?;
        Ok(())
    }

    /// Whether a file may have this many bytes in place of the bytes it has.
    fn check_room(&self, bytes: u64, before: u64) -> Result<(), ToolError> {
        if bytes > FILE_LIMIT {
            return Err(ToolError::new("a file may have 1 MiB at most; split it"));
        }
        let entries = self.list(&MemoryPath::parse("/memories")?, usize::MAX)?;
        let total = entries.iter().filter(|entry| !entry.is_folder).map(|entry| entry.bytes).sum::<u64>();
        let is_full = total.saturating_sub(before) + bytes > TOTAL_LIMIT;
        if is_full || entries.len() >= ENTRY_LIMIT {
            return Err(ToolError::new("the memory is full; delete what is no longer needed"));
        }
        Ok(())
    }

    /// What is in a folder, sorted, down to `depth` levels. Hidden things and links are left out.
    pub(super) fn list(&self, path: &MemoryPath, depth: usize) -> Result<Vec<Entry>, ToolError> {
        let mut entries = Vec::new();
        list(&self.find(path)?.0, "", depth, &mut entries)?;
        Ok(entries)
    }

    pub(super) fn delete(&self, path: &MemoryPath) -> Result<(), ToolError> {
        let (place, found) = self.find(path)?;
        match found {
            None => Err(missing(path)),
            Some(metadata) if metadata.is_dir() => Ok(fs::remove_dir_all(place)?),
            Some(_) => Ok(fs::remove_file(place)?),
        }
    }

    pub(super) fn rename(&self, from: &MemoryPath, to: &MemoryPath) -> Result<(), ToolError> {
        let (old, found) = self.find(from)?;
        if found.is_none() {
            return Err(missing(from));
        }
        if to.names().starts_with(from.names()) {
            return Err(ToolError::new(format!("{from} cannot be moved into itself")));
        }
        let (new, found) = self.find(to)?;
        if found.is_some() {
            return Err(ToolError::new(format!(
                "{to} is there already; delete it first, or choose another path"
            )));
        }
        self.make_parents(to)?;
        Ok(fs::rename(old, new)?)
    }

    /// Makes the folders that a file lies in.
    fn make_parents(&self, path: &MemoryPath) -> Result<(), ToolError> {
        let mut place = self.root.clone();
        let folders = path.names().split_last().map(|(_, folders)| folders).unwrap_or_default();
        for name in folders {
            place.push(name);
            if !place.exists() {
                new_folder(&place)?;
            }
        }
        Ok(())
    }
}

pub(super) fn missing(path: &MemoryPath) -> ToolError {
    ToolError::new(format!("{path} is not there; view /memories to see what is"))
}

fn list(folder: &Path, prefix: &str, depth: usize, entries: &mut Vec<Entry>) -> Result<(), ToolError> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)?.take(ENTRY_LIMIT) {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let metadata = fs::symlink_metadata(entry.path())?;
        if !name.starts_with('.') && (metadata.is_file() || metadata.is_dir()) {
            found.push((name, entry.path(), metadata));
        }
    }
    found.sort_by(|(left, ..), (right, ..)| left.cmp(right));
    for (name, place, metadata) in found {
        if entries.len() >= ENTRY_LIMIT {
            return Ok(());
        }
        let path = format!("{prefix}{name}");
        let is_folder = metadata.is_dir();
        entries.push(Entry { path: path.clone(), bytes: metadata.len(), is_folder });
        if is_folder && depth > 1 {
            list(&place, &format!("{path}/"), depth - 1, entries)?;
        }
    }
    Ok(())
}

fn new_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn new_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
