//! What a person can do about a file, in a command where there can be one.

use std::path::Path;

use crate::console::{has_secrets, plain};

/// Why there is no command.
pub(super) const UNSHOWN: &str = "its name cannot be shown, and so no command for it";

pub(super) fn by_hand(command: &str, path: &Path) -> String {
    match in_a_shell(path) {
        Some(quoted) => format!("{command} {quoted}, or run this with --fix"),
        None => format!("run this with --fix: {UNSHOWN}"),
    }
}

pub(super) fn as_root(deed: &str, command: &str, path: &Path) -> String {
    match in_a_shell(path) {
        Some(quoted) => format!("have its owner {deed}, or do so as root: `sudo {command} {quoted}`"),
        None => format!("have its owner {deed}, or do so as root; {UNSHOWN}"),
    }
}

/// The path as a shell takes it for one word and no command for an option, whatever is in it: somebody else may have named the
/// file. Nothing, where what is shown would be another name.
pub(super) fn in_a_shell(path: &Path) -> Option<String> {
    let text = path.to_str().filter(|text| plain(text) == *text && !has_secrets(text))?;
    let text = if text.starts_with('-') { format!("./{text}") } else { text.to_owned() };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=@%,:".contains(c);
    Some(if text.chars().all(is_plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) })
}
