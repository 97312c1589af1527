//! How a path is shown.

use std::path::{Component, Path, PathBuf};

/// The path as an error may show it: what is nothing like a path and leads nowhere is not shown, for somebody may have put a
/// secret where its path belongs.
#[must_use]
pub fn shown_path(path: &Path) -> String {
    if looks_like_a_path(path) { quoted(path) } else { "[not shown]".to_owned() }
}

/// It begins with a dot or with `~`, or with what is there, or is a whole path from the root through a folder.
pub(crate) fn looks_like_a_path(path: &Path) -> bool {
    let mut begin = PathBuf::new();
    let mut parts = path.components();
    for part in parts.by_ref() {
        begin.push(part);
        match part {
            Component::CurDir | Component::ParentDir => return true,
            Component::Normal(name) if name == "~" => return true,
            Component::Normal(_) => break,
            Component::Prefix(_) | Component::RootDir => {}
        }
    }
    begin.symlink_metadata().is_ok() || (path.is_absolute() && parts.next().is_some())
}

/// The path as a shell and a terminal may safely see it.
pub(crate) fn quoted(path: &Path) -> String {
    let path: String = path.to_string_lossy().chars().flat_map(printable).collect();
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+".contains(&byte);
    if !path.is_empty() && !path.starts_with('-') && path.bytes().all(is_plain) {
        return path;
    }
    format!("'{}'", path.replace('\'', r"'\''"))
}

fn printable(char: char) -> impl Iterator<Item = char> {
    let shown = if char.is_control() { '\u{fffd}' } else { char };
    std::iter::once(shown)
}
