use std::fmt;

use serde::Deserialize;

const ROOT: &str = "/memories";
const LENGTH: usize = 1024;
const NAME_LENGTH: usize = 128;
const DEPTH: usize = 12;

/// A path at or below `/memories`, which cannot lead out of it.
///
/// Each name in it is plain: it does not begin with a dot, and has no backslash, no colon, no control character and no
/// percent escape, so that nothing which reads paths in another way finds a way out either.
///
/// Example: [`memory`](crate::memory).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct MemoryPath(Vec<String>);

impl MemoryPath {
    /// Reads a path as the model writes it.
    ///
    /// # Errors
    ///
    /// [`BadPath`] where it is not below `/memories`, or not plain.
    pub fn parse(path: &str) -> Result<Self, BadPath> {
        if path.len() > LENGTH {
            return Err(BadPath("the path is too long"));
        }
        let rest = path.strip_prefix(ROOT).filter(|rest| rest.is_empty() || rest.starts_with('/'));
        let rest = rest.ok_or(BadPath("the path does not begin with /memories/"))?;
        let rest = rest.strip_prefix('/').unwrap_or(rest);
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.is_empty() {
            return Ok(Self(Vec::new()));
        }
        let names = rest.split('/').map(name).collect::<Result<Vec<_>, _>>()?;
        if names.len() > DEPTH {
            return Err(BadPath("the path has too many folders"));
        }
        Ok(Self(names))
    }

    /// The names below `/memories`, none for `/memories` itself.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// Whether it is `/memories` itself.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }
}

fn name(name: &str) -> Result<String, BadPath> {
    let is_escape =
        |bytes: &[u8]| matches!(bytes, [b'%', a, b] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit());
    if name.is_empty() {
        return Err(BadPath("the path has two slashes in a row"));
    }
    if name.starts_with('.') {
        return Err(BadPath("a name in the path begins with a dot"));
    }
    if name.ends_with(['.', ' ']) || name.len() > NAME_LENGTH {
        return Err(BadPath("a name in the path is too long, or ends with a dot or a blank"));
    }
    if name.contains(['\\', ':']) || name.chars().any(char::is_control) {
        return Err(BadPath("a name in the path has a backslash, a colon or a control character"));
    }
    if name.as_bytes().windows(3).any(is_escape) {
        return Err(BadPath("a name in the path has a percent escape; write it out"));
    }
    Ok(name.to_owned())
}

impl TryFrom<String> for MemoryPath {
    type Error = BadPath;

    fn try_from(path: String) -> Result<Self, BadPath> {
        Self::parse(&path)
    }
}

impl fmt::Display for MemoryPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(ROOT)?;
        self.0.iter().try_for_each(|name| write!(f, "/{name}"))
    }
}

/// A path that is not one of the memory.
///
/// Example: [`memory`](crate::memory).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadPath(&'static str);
