use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use super::Found;

/// A folder, by its path: whoever else may write there can put a link into it between two looks.
#[derive(Debug)]
pub(in super::super) struct Folder(PathBuf);

impl Folder {
    /// Opens the folder there.
    pub(in super::super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(path.to_owned()))
    }

    /// A folder cannot be locked here: each handle takes turns for itself.
    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "on Unix it can")]
    pub(in super::super) fn lock(&self) -> io::Result<()> {
        Ok(())
    }

    #[expect(clippy::unnecessary_wraps, reason = "on Unix it may fail")]
    pub(in super::super) fn try_clone(&self) -> io::Result<Self> {
        Ok(Self(self.0.clone()))
    }

    /// What is there, if anything is; a link is what it is.
    pub(in super::super) fn look(&self, name: &str) -> io::Result<Option<Found>> {
        match fs::symlink_metadata(self.0.join(name)) {
            Ok(found) if found.is_file() => Ok(Some(Found::File { bytes: found.len() })),
            Ok(found) if found.is_dir() => Ok(Some(Found::Folder)),
            Ok(_) => Ok(Some(Found::Other)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The names of all that is in it, up to `most` of them.
    pub(in super::super) fn names(&self, most: usize) -> io::Result<Vec<String>> {
        let entries = fs::read_dir(&self.0)?.take(most);
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
    }

    /// Opens a folder in it.
    pub(in super::super) fn folder(&self, name: &str) -> io::Result<Self> {
        Self::open(&self.0.join(name))
    }

    /// Makes a folder in it.
    pub(in super::super) fn make_folder(&self, name: &str) -> io::Result<()> {
        fs::create_dir(self.0.join(name))
    }

    /// Opens a file in it.
    pub(in super::super) fn file(&self, name: &str) -> io::Result<File> {
        File::open(self.0.join(name))
    }

    /// Makes a file in it that is not there yet.
    pub(in super::super) fn new_file(&self, name: &str) -> io::Result<File> {
        File::create_new(self.0.join(name))
    }

    /// Removes a file, or a link itself.
    pub(in super::super) fn remove_file(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.0.join(name))
    }

    /// Removes a folder without anything in it.
    pub(in super::super) fn remove_folder(&self, name: &str) -> io::Result<()> {
        fs::remove_dir(self.0.join(name))
    }

    /// Moves what has this name to a name in a folder.
    pub(in super::super) fn rename(&self, name: &str, to: &Self, new: &str) -> io::Result<()> {
        fs::rename(self.0.join(name), to.0.join(new))
    }
}
