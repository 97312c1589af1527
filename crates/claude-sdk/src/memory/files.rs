use std::{
    fmt::Write as _,
    io,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;

use super::{
    MemoryCommand, MemoryPath, MemoryStore,
    disk::{Disk, Root, missing},
    folder::Found,
    text::{inserted, numbered, replaced},
};
use crate::tools::ToolError;

/// How deep a folder is shown.
const LEVELS: usize = 2;
/// How much of a folder is shown.
const SHOWN: usize = 1000;

/// A memory in a folder, which is the model's `/memories`.
///
/// Files have mode 0600 and folders 0700; a file is written whole or not at all. No link is followed, hidden files are not
/// seen, and there are bounds: 1 MiB for a file, 64 MiB and 10,000 entries for all.
///
/// Commands on one folder are carried out one after the other, whoever has opened it; on Unix those of other processes too.
/// There the folder is opened once for each command, and everything in it by its name in a folder that is open, so that a link
/// which somebody puts there meanwhile is not followed either. Elsewhere a command looks for links before it opens anything, and
/// whoever else may write into the folder could put one there in between: give it to nobody else.
///
/// Example: [`memory`](crate::memory).
#[derive(Debug, Clone)]
pub struct FileMemory(Arc<Mutex<Disk>>);

impl FileMemory {
    /// The memory in `folder`, which is made where it is not there.
    ///
    /// # Errors
    ///
    /// Where the folder can neither be opened nor made.
    #[inline]
    pub fn open(folder: impl AsRef<Path>) -> io::Result<Self> {
        Ok(Self(Arc::new(Mutex::new(Disk::open(folder.as_ref())?))))
    }
}

#[async_trait]
impl MemoryStore for FileMemory {
    #[inline]
    async fn run(&self, command: MemoryCommand) -> Result<String, ToolError> {
        let disk = Arc::clone(&self.0);
        let work = move || {
            let disk = disk.lock().unwrap_or_else(PoisonError::into_inner);
            disk.in_turn(|root| run(root, command))
        };
        tokio::task::spawn_blocking(work).await?
    }
}

#[inline]
fn run(disk: &Root, command: MemoryCommand) -> Result<String, ToolError> {
    match command {
        MemoryCommand::View { path, view_range } => view(disk, &path, view_range),
        MemoryCommand::Create { path, file_text } => {
            if disk.find(&path)?.is_some() {
                return Err(ToolError::new(format!(
                    "{path} is there already; change it, or delete it first"
                )));
            }
            disk.write(&path, &file_text)?;
            Ok(format!("{path} was written"))
        }
        MemoryCommand::StrReplace { path, old_str, new_str } => {
            let (text, around) = replaced(&path, &disk.read(&path)?, &old_str, &new_str)?;
            disk.write(&path, &text)?;
            Ok(around)
        }
        MemoryCommand::Insert { path, insert_line, insert_text } => {
            disk.write(&path, &inserted(&disk.read(&path)?, insert_line, &insert_text)?)?;
            Ok(format!("{path} was changed"))
        }
        MemoryCommand::Delete { path } => {
            not_root(&path)?;
            disk.delete(&path)?;
            Ok(format!("{path} was deleted"))
        }
        MemoryCommand::Rename { old_path, new_path } => {
            not_root(&old_path)?;
            not_root(&new_path)?;
            disk.rename(&old_path, &new_path)?;
            Ok(format!("{old_path} is now {new_path}"))
        }
    }
}

#[inline]
fn view(disk: &Root, path: &MemoryPath, range: Option<(i64, i64)>) -> Result<String, ToolError> {
    if let Found::File { .. } = disk.find(path)?.ok_or_else(|| missing(path))? {
        return numbered(path, &disk.read(path)?, range);
    }
    let entries = disk.list(path, LEVELS)?;
    let mut shown = format!("{path} has, {LEVELS} levels deep:\n");
    for entry in entries.iter().take(SHOWN) {
        let end = if entry.is_folder { "/" } else { "" };
        // Writing to a string does not fail.
        let _ = writeln!(shown, "{}\t{path}/{}{end}", size(entry.bytes), entry.path);
    }
    if entries.len() > SHOWN {
        let _ = writeln!(shown, "and {} more", entries.len() - SHOWN);
    }
    if entries.is_empty() {
        shown = format!("{path} is empty");
    }
    Ok(shown)
}

#[inline]
fn not_root(path: &MemoryPath) -> Result<(), ToolError> {
    if path.is_root() {
        return Err(ToolError::new(
            "/memories itself can be neither deleted nor renamed; name what is in it",
        ));
    }
    Ok(())
}

/// A number of bytes for people.
#[inline]
fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes}B"),
        1024..1_048_576 => format!("{}K", bytes.div_ceil(1024)),
        _ => format!("{}M", bytes.div_ceil(1_048_576)),
    }
}
