//! The secret itself.

use std::{fmt, time::Duration};

use secrecy::{ExposeSecret, SecretString};

/// A piece of text that must not be seen.
///
/// It has no `Display`, no comparison and no serialisation, `Debug` prints a fixed mark, and the memory is wiped
/// when it is dropped. Copies are made by [`duplicate`](Secret::duplicate) only; share it in an `Arc` instead
/// where that will do.
pub struct Secret {
    text: SecretString,
    trimmed: bool,
    good_for: Option<Duration>,
    version: Option<u64>,
}

impl Secret {
    /// Gives the secret away: the one way to read it, so that every use is easy to find.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.text.expose_secret()
    }

    /// Reads a secret out of what `place` holds, by the rules of all sources: a byte order mark at the start and one newline at
    /// the end are taken off, and nothing else may be there that is no character of a secret.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotText`](crate::ErrorKind::NotText), [`ErrorKind::Newline`](crate::ErrorKind::Newline),
    /// [`ErrorKind::ControlCharacter`](crate::ErrorKind::ControlCharacter) and
    /// [`ErrorKind::Empty`](crate::ErrorKind::Empty), about `place`.
    #[cfg(any(feature = "command", feature = "env", feature = "file"))]
    pub fn parse(raw: Vec<u8>, place: &str) -> Result<Self, crate::Error> {
        let parsed = crate::text::parse(raw).and_then(|found| found.ok_or(crate::ErrorKind::Empty));
        parsed.map_err(|kind| crate::Error::new(kind, place))
    }

    /// Unwraps it for a place that keeps secrets in `secrecy`'s type.
    #[must_use]
    pub fn into_inner(self) -> SecretString {
        self.text
    }

    /// Makes a second copy in memory, on purpose.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self {
            text: self.text.clone(),
            good_for: self.good_for,
            trimmed: self.trimmed,
            version: self.version,
        }
    }

    /// Says for how long, from when it was asked for, the backend lets it be used; `None` where it said nothing.
    ///
    /// [`providers::Cached`](crate::providers) asks for the next one before that.
    #[must_use]
    pub const fn good_for(&self) -> Option<Duration> {
        self.good_for
    }

    /// Says for how long it may be used: for providers whose secrets are lent.
    #[must_use]
    pub fn with_good_for(self, good_for: Duration) -> Self {
        Self { good_for: Some(good_for), ..self }
    }

    /// Says which version of the secret this is, for [`SecretStore::put_if`](crate::SecretStore::put_if); `None` where the
    /// backend does not count.
    #[must_use]
    pub const fn version(&self) -> Option<u64> {
        self.version
    }

    /// Says which version it is: for stores that count from 1.
    #[must_use]
    pub fn with_version(self, version: u64) -> Self {
        Self { version: Some(version), ..self }
    }

    /// Says whether the provider took something invisible off it: a newline at the end, or a byte order mark.
    ///
    /// Harmless, but worth a warning to whoever wrote it down.
    #[must_use]
    pub const fn was_trimmed(&self) -> bool {
        self.trimmed
    }

    #[cfg(any(
        feature = "command",
        feature = "env",
        feature = "file",
        feature = "keyring",
        feature = "vault"
    ))]
    pub(crate) fn with_trimmed(self, trimmed: bool) -> Self {
        Self { trimmed, ..self }
    }
}

impl From<SecretString> for Secret {
    fn from(text: SecretString) -> Self {
        Self { text, trimmed: false, good_for: None, version: None }
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
