//! Every operation on the files of a memory. None follows a link, and each is bounded.

use std::{
    fs,
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

use super::{
    MemoryPath,
    folder::{Folder, Found},
};
use crate::tools::ToolError;

/// The largest file, in bytes.
pub(super) const FILE_LIMIT: u64 = 1024 * 1024;
/// The most files and folders.
pub(super) const ENTRY_LIMIT: usize = 10_000;
/// The most bytes in all files.
pub(super) const TOTAL_LIMIT: u64 = 64 * 1024 * 1024;
/// The most levels of folders that are deleted; a memory's own paths have fewer.
const LEVELS: usize = 64;
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
    #[inline]
    pub(super) fn open(root: &Path) -> io::Result<Self> {
        if !root.exists() {
            make_folders(root)?;
        }
        let root = fs::canonicalize(root)?;
        if !root.is_dir() {
            return Err(io::Error::new(io::ErrorKind::NotADirectory, "the memory's folder is no folder"));
        }
        Ok(Self { root })
    }

    /// Does `work` as soon as nobody else is at work in this folder, whichever handle or process they have it open in.
    pub(super) fn in_turn<T>(
        &self,
        work: impl FnOnce(&Root) -> Result<T, ToolError>,
    ) -> Result<T, ToolError> {
        let root = Folder::open(&self.root)?;
        let _turn = root.lock()?;
        work(&Root(root))
    }
}

/// The folder for the time of one command.
#[derive(Debug)]
pub(super) struct Root(Folder);

impl Root {
    /// What a path leads to, if anything is there. No part of it may be a link.
    #[inline]
    pub(super) fn find(&self, path: &MemoryPath) -> Result<Option<Found>, ToolError> {
        let Some((name, folders)) = path.names().split_last() else { return Ok(Some(Found::Folder)) };
        let Some(folder) = self.walk(path, folders)? else { return Ok(None) };
        look(&folder, name, path)
    }

    #[inline]
    pub(super) fn read(&self, path: &MemoryPath) -> Result<String, ToolError> {
        match self.find(path)? {
            Some(Found::File { .. }) => {}
            Some(_) => return Err(ToolError::new(format!("{path} is a folder, not a file"))),
            None => return Err(missing(path)),
        }
        let (folder, name) = self.place(path)?;
        let mut bytes = Vec::new();
        folder.file(name)?.take(FILE_LIMIT + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > FILE_LIMIT {
            return Err(ToolError::new(format!("{path} is larger than 1 MiB and is not read")));
        }
        String::from_utf8(bytes).map_err(|_| ToolError::new(format!("{path} is no text")))
    }

    /// Writes a file whole or not at all.
    #[inline]
    pub(super) fn write(&self, path: &MemoryPath, text: &str) -> Result<(), ToolError> {
        let before = match self.find(path)? {
            Some(Found::File { bytes }) => bytes,
            Some(_) => return Err(ToolError::new(format!("{path} is a folder, not a file"))),
            None => 0,
        };
        self.check_room(text.len() as u64, before)?;
        let (folder, name) = self.make_place(path)?;
        match self.0.remove_file(WRITING) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let mut file = self.0.new_file(WRITING)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        Ok(self.0.rename(WRITING, &folder, name)?)
    }

    /// Whether a file may have this many bytes in place of the bytes it has.
    #[inline]
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
    #[inline]
    pub(super) fn list(&self, path: &MemoryPath, depth: usize) -> Result<Vec<Entry>, ToolError> {
        let folder = self.walk(path, path.names())?.ok_or_else(|| missing(path))?;
        let mut entries = Vec::new();
        list(&folder, "", depth, &mut entries)?;
        Ok(entries)
    }

    #[inline]
    pub(super) fn delete(&self, path: &MemoryPath) -> Result<(), ToolError> {
        let found = self.find(path)?.ok_or_else(|| missing(path))?;
        let (folder, name) = self.place(path)?;
        match found {
            Found::Folder => remove(&folder, name, LEVELS),
            _ => Ok(folder.remove_file(name)?),
        }
    }

    #[inline]
    pub(super) fn rename(&self, from: &MemoryPath, to: &MemoryPath) -> Result<(), ToolError> {
        if self.find(from)?.is_none() {
            return Err(missing(from));
        }
        if to.names().starts_with(from.names()) {
            return Err(ToolError::new(format!("{from} cannot be moved into itself")));
        }
        if self.find(to)?.is_some() {
            return Err(ToolError::new(format!(
                "{to} is there already; delete it first, or choose another path"
            )));
        }
        let (new_folder, new_name) = self.make_place(to)?;
        let (folder, name) = self.place(from)?;
        Ok(folder.rename(name, &new_folder, new_name)?)
    }

    /// The folder that lies at the end of `folders`, which are those of `path`; `None` where one of them is not there.
    #[inline]
    fn walk(&self, path: &MemoryPath, folders: &[String]) -> Result<Option<Folder>, ToolError> {
        let mut place = self.0.try_clone()?;
        for name in folders {
            match look(&place, name, path)? {
                Some(Found::Folder) => place = place.folder(name)?,
                Some(_) => return Err(ToolError::new(format!("a part of {path} is a file, not a folder"))),
                None => return Ok(None),
            }
        }
        Ok(Some(place))
    }

    /// The folder that a path lies in, which is there, and its name in it.
    #[inline]
    fn place<'p>(&self, path: &'p MemoryPath) -> Result<(Folder, &'p str), ToolError> {
        let (name, folders) = path.names().split_last().ok_or_else(|| root(path))?;
        let folder = self.walk(path, folders)?.ok_or_else(|| missing(path))?;
        Ok((folder, name))
    }

    /// The same; the folders that are not there are made.
    #[inline]
    fn make_place<'p>(&self, path: &'p MemoryPath) -> Result<(Folder, &'p str), ToolError> {
        let (name, folders) = path.names().split_last().ok_or_else(|| root(path))?;
        let mut place = self.0.try_clone()?;
        for name in folders {
            if place.look(name)?.is_none() {
                place.make_folder(name)?;
            }
            place = place.folder(name)?;
        }
        Ok((place, name))
    }
}

pub(super) fn missing(path: &MemoryPath) -> ToolError {
    ToolError::new(format!("{path} is not there; view /memories to see what is"))
}

fn root(path: &MemoryPath) -> ToolError {
    ToolError::new(format!("{path} itself cannot be changed; name what is in it"))
}

#[inline]
fn look(folder: &Folder, name: &str, path: &MemoryPath) -> Result<Option<Found>, ToolError> {
    match folder.look(name)? {
        Some(Found::Other) => {
            Err(ToolError::new(format!("{path} leads over a link or a device, which is not followed")))
        }
        found => Ok(found),
    }
}

#[inline]
fn list(folder: &Folder, prefix: &str, depth: usize, entries: &mut Vec<Entry>) -> Result<(), ToolError> {
    let mut names = folder.names(ENTRY_LIMIT)?;
    names.retain(|name| !name.starts_with('.'));
    names.sort();
    for name in names {
        if entries.len() >= ENTRY_LIMIT {
            return Ok(());
        }
        let path = format!("{prefix}{name}");
        match folder.look(&name)? {
            Some(Found::File { bytes }) => entries.push(Entry { path, bytes, is_folder: false }),
            Some(Found::Folder) => {
                let below = format!("{path}/");
                entries.push(Entry { path, bytes: 0, is_folder: true });
                if depth > 1 {
                    list(&folder.folder(&name)?, &below, depth - 1, entries)?;
                }
            }
            Some(Found::Other) | None => {}
        }
    }
    Ok(())
}

/// Removes a folder and all that is in it; of a link, the link.
#[inline]
fn remove(folder: &Folder, name: &str, levels: usize) -> Result<(), ToolError> {
    if levels == 0 {
        return Err(ToolError::new("there are too many folders in each other to delete them"));
    }
    let inner = folder.folder(name)?;
    loop {
        let names = inner.names(ENTRY_LIMIT)?;
        if names.is_empty() {
            return Ok(folder.remove_folder(name)?);
        }
        for name in names {
            match inner.look(&name)? {
                Some(Found::Folder) => remove(&inner, &name, levels - 1)?,
                Some(_) => inner.remove_file(&name)?,
                None => {}
            }
        }
    }
}

#[inline]
fn make_folders(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
