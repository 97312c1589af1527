//! What a secret is called.

use std::{fmt, str::FromStr, sync::Arc};

use crate::{Error, ErrorKind};

const LONGEST: usize = 255; // bytes, as a file name may have

/// The name of a secret: 1 to 255 visible ASCII characters that stay inside a folder.
///
/// A `/` makes segments, as backends with paths have them; no segment is empty, `.` or `..`, and there is no `\`.
/// A name is no secret: it shows up in errors.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SecretName(Arc<str>);

impl SecretName {
    /// Checks a name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidName`] for anything else than the type's page allows. The error does not repeat the
    /// text, because a secret in the place of its name is an easy slip.
    pub fn new(name: impl AsRef<str>) -> Result<Self, Error> {
        let name = name.as_ref();
        let visible = name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
        let inside = name.split('/').all(|segment| !matches!(segment, "" | "." | ".."));
        if name.len() > LONGEST || !visible || !inside {
            return Err(Error::new(ErrorKind::InvalidName, "a secret's name"));
        }
        Ok(Self(name.into()))
    }

    /// Returns the name's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SecretName {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::new(name)
    }
}

impl fmt::Display for SecretName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_variables_files_and_backend_paths_are_accepted() {
        for name in
            ["API_KEY", "api-key.txt", "team/claude/key", ".hidden", "a", "..a", "a..", "aws:secret:1"]
        {
            assert_eq!(SecretName::new(name).unwrap().as_str(), name);
        }
        assert!(SecretName::new("x".repeat(255)).is_ok());
    }

    #[test]
    fn names_that_would_leave_a_folder_or_hide_something_are_refused() {
        let long = "x".repeat(256);
        let bad = [
            "",
            ".",
            "..",
            "../key",
            "a/../b",
            "a/..",
            "/etc/passwd",
            "a//b",
            "a/",
            "./a",
            "a\\b",
            "a b",
            "a\0b",
            "a\nb",
            "a\u{7f}",
            "clé",
            "a\u{2215}b",
            &long,
        ];
        for name in bad {
            let error = SecretName::new(name).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidName, "{name:?}");
        }
    }

    #[test]
    fn a_secret_given_as_a_name_is_not_repeated() {
        let error = SecretName::new("canary value with spaces").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("canary"));
    }
}
