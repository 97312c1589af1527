//! A folder that is open, and what lies directly in it.
//!
//! On Unix nothing is reached by a path of several names, so that no link can get into the way, whenever it is put there.

#[cfg(not(unix))]
mod by_path;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
pub(super) use by_path::Folder;
#[cfg(unix)]
pub(super) use unix::Folder;

/// What a name in a folder stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    File {
        bytes: u64,
    },
    Folder,
    /// A link, a pipe, a device: nothing of a memory's.
    Other,
}
