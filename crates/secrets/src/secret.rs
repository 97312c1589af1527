//! The secret itself.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// A piece of text that must not be seen.
///
/// It has no `Display`, no comparison and no serialisation, `Debug` prints a fixed mark, and the memory is wiped
/// when it is dropped. Copies are made by [`duplicate`](Secret::duplicate) only; share it in an `Arc` instead
/// where that will do.
pub struct Secret {
    text: SecretString,
    trimmed: bool,
}

impl Secret {
    /// Gives the secret away: the one way to read it, so that every use is easy to find.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.text.expose_secret()
    }

    /// Unwraps it for a place that keeps secrets in `secrecy`'s type.
    #[must_use]
    pub fn into_inner(self) -> SecretString {
        self.text
    }

    /// Makes a second copy in memory, on purpose.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self { text: self.text.clone(), trimmed: self.trimmed }
    }

    /// Says whether the provider took something invisible off it: a newline at the end, or a byte order mark.
    ///
    /// Harmless, but worth a warning to whoever wrote it down.
    #[must_use]
    pub const fn was_trimmed(&self) -> bool {
        self.trimmed
    }

    #[cfg(any(feature = "env", feature = "file"))]
    pub(crate) fn with_trimmed(self, trimmed: bool) -> Self {
        Self { text: self.text, trimmed }
    }
}

impl From<SecretString> for Secret {
    fn from(text: SecretString) -> Self {
        Self { text, trimmed: false }
    }
}

/// Takes the text over as it is; nothing is trimmed.
impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self::from(SecretString::from(text))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
