use std::{fmt, str::FromStr};

use crate::error::ProfileError;

/// The longest name, in bytes: `<name>.json` has to be a file name everywhere.
const LONGEST: usize = 100;

/// A profile's name, which is a file name too: letters, digits, `.`, `_` and `-`, at most 100, no dot first.
///
/// That is what TypeScript, Go and Python all take, and so a name that is refused by none of them.
///
/// Example: [`profile`](crate::profile).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProfileName(String);

impl ProfileName {
    /// Reads a name.
    ///
    /// # Errors
    ///
    /// [`ProfileError::Name`] where it could name another place than a file in the profiles' folder.
    pub fn new(name: impl Into<String>) -> Result<Self, ProfileError> {
        Self::from(name, "this")
    }

    /// As [`new`](Self::new), for a name that was found in `place`, which the error tells.
    pub(crate) fn from(name: impl Into<String>, place: impl Into<String>) -> Result<Self, ProfileError> {
        let name = name.into();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        let is_name = !name.is_empty() && name.len() <= LONGEST && !name.starts_with('.');
        if is_name && name.bytes().all(plain) {
            return Ok(Self(name));
        }
        Err(ProfileError::Name { place: place.into() })
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `default`, the profile that is used when nobody names one.
impl Default for ProfileName {
    fn default() -> Self {
        Self("default".into())
    }
}

impl fmt::Display for ProfileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ProfileName {
    type Err = ProfileError;

    fn from_str(name: &str) -> Result<Self, ProfileError> {
        Self::new(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_that_every_sdk_takes_and_no_way_out_of_the_folder() {
        let longest = "x".repeat(LONGEST);
        for name in ["default", "work", "A.b_c-9", "-", "a..b", "a.", longest.as_str()] {
            assert_eq!(ProfileName::new(name).unwrap().as_str(), name);
        }
        let longer = "x".repeat(LONGEST + 1);
        for name in [
            "",
            ".",
            "..",
            ".hidden",
            "../../x",
            "a/b",
            "a\\b",
            "a b",
            " a",
            "a\n",
            "a\0",
            "a:b",
            "ünï",
            "a\u{2215}b",
            "a\u{ff0f}b",
            longer.as_str(),
        ] {
            let error = ProfileName::new(name).unwrap_err();
            assert!(matches!(error, ProfileError::Name { .. }), "{name:?}");
            assert!(!error.to_string().contains('\n'), "{error}");
        }
    }
}
