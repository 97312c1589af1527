//! Why a secret that may be there cannot be used.

use std::{fmt, sync::Arc};

/// Why a secret cannot be used: what is wrong, where, and what to do about it.
///
/// It never contains the secret. Where there is one, the source says what the system reported.
#[derive(Clone, Debug)]
pub struct Error {
    kind: ErrorKind,
    place: String,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// Makes an error of `kind` about `place`: the variable, file or path in a backend, as the reader knows it.
    ///
    /// `place` is shown, so it must not hold the secret.
    pub fn new(kind: ErrorKind, place: impl Into<String>) -> Self {
        Self { kind, place: place.into(), source: None }
    }

    /// Adds what caused it, which must not hold the secret either.
    #[must_use]
    pub fn with_source(self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { source: Some(source.into().into()), ..self }
    }

    /// Returns what is wrong.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Returns where it is wrong: the variable, the file, or the path in a backend.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Says whether the same call may succeed later without anybody changing anything.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(self.kind, ErrorKind::Unavailable)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = &self.place;
        match self.kind {
            ErrorKind::InvalidName => write!(
                f,
                "{place} is not usable here: take 1 to 255 visible ASCII characters, with no backslash and no empty, `.` or `..` segment"
            ),
            ErrorKind::NotText => write!(f, "{place} is not UTF-8 text: store the secret as plain text"),
            ErrorKind::Newline => {
                write!(f, "{place} has a newline inside the secret: store it on one line, and only it")
            }
            ErrorKind::ControlCharacter => {
                write!(f, "{place} has a control character inside the secret: store it again without")
            }
            ErrorKind::Empty => write!(f, "{place} is empty: write the secret into it or remove it"),
            ErrorKind::TooLarge => write!(f, "{place} is too large: store the secret in it, and only it"),
            ErrorKind::NotARegularFile => {
                write!(f, "{place} is not a regular file: name the file itself")
            }
            ErrorKind::OpenToOthers => {
                write!(f, "{place} can be read or changed by other users: run `chmod 600 {place}`")
            }
            ErrorKind::ForeignOwner => {
                write!(
                    f,
                    "{place} belongs to another user: run `chown -h \"$(id -u)\" {place}` or use what is your own"
                )
            }
            ErrorKind::Linked => {
                write!(f, "{place} has a second name (a hard link): copy it to a new file and use that")
            }
            ErrorKind::OpenFolder => write!(
                f,
                "{place} is a folder in which other users can replace files: run `chmod go-w {place}`"
            ),
            ErrorKind::Unreadable => {
                write!(f, "{place} cannot be read: check the path and your rights to it")
            }
            ErrorKind::Superseded => {
                write!(f, "{place} was changed by somebody who came later: read it again")
            }
            ErrorKind::InvalidAddress => {
                write!(
                    f,
                    "{place} is not usable: give a whole one with no login in it, such as https://vault.example:8200 or \
                     redis://127.0.0.1:6379"
                )
            }
            ErrorKind::Cleartext => write!(
                f,
                "{place} leads to another machine, and secrets would travel unencrypted: allow it by name on a network of \
                 your own"
            ),
            ErrorKind::InvalidReference => write!(
                f,
                "{place} is not understood: write env:NAME, file:PATH, mount:PATH, vault:PATH#FIELD, keyring:SERVICE/USER or \
                 command:PROGRAM ARGUMENT…, never the secret itself"
            ),
            ErrorKind::MissingFeature => {
                write!(
                    f,
                    "the scheme {place} is not built in: turn on the feature `{place}` of the crate `secrets`"
                )
            }
            ErrorKind::UnknownScheme => {
                write!(f, "the scheme {place} has no provider here: give the resolver one with `with`")
            }
            ErrorKind::Missing => {
                write!(f, "{place} does not exist: store the secret there, or change the reference to it")
            }
            ErrorKind::Denied => {
                write!(f, "{place} was refused: check what this login may read or write there")
            }
            ErrorKind::Locked => {
                write!(
                    f,
                    "{place} is locked away: unlock the keyring, or run this where somebody can be asked to"
                )
            }
            ErrorKind::Ambiguous => write!(f, "{place} is there more than once: remove all but one"),
            ErrorKind::Failed => write!(f, "{place} failed: run it by hand and see what it says"),
            ErrorKind::Unsupported => {
                write!(f, "{place} is in a store without this: use another store, or plain reads and writes")
            }
            ErrorKind::Unavailable => write!(f, "{place} cannot be asked right now: check it or try again"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// What is wrong with a secret, or with the place it is kept in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The name breaks the rules of [`SecretName`](crate::SecretName), or of this provider.
    InvalidName,
    /// The value is not UTF-8.
    NotText,
    /// The value has a newline in it, apart from one at the very end.
    Newline,
    /// The value has a control character in it.
    ControlCharacter,
    /// The place is there, but there is nothing in it.
    Empty,
    /// The file is too large to be a secret.
    TooLarge,
    /// The path names a link, a folder, a pipe, a socket or a device.
    NotARegularFile,
    /// The group or everyone else has some right to the file.
    OpenToOthers,
    /// The file belongs neither to the user of this process nor to root.
    ForeignOwner,
    /// The file has another name, by which others may reach it.
    Linked,
    /// The group or everyone else can replace the files of the folder.
    OpenFolder,
    /// The system refused to open or to read it.
    Unreadable,
    /// Somebody who came later has changed the secret: this holder's turn is over.
    Superseded,
    /// The address of the backend is none.
    InvalidAddress,
    /// Secrets would travel unencrypted to another machine.
    Cleartext,
    /// The text is no reference to a secret.
    InvalidReference,
    /// The scheme of a reference was left out when this program was built.
    MissingFeature,
    /// The scheme of a reference has no provider.
    UnknownScheme,
    /// What a reference leads to is not there.
    Missing,
    /// The backend does not let this login do that.
    Denied,
    /// The keyring is locked, and nobody has unlocked it.
    Locked,
    /// Several secrets have the name.
    Ambiguous,
    /// The program that should have printed the secret ended with an error.
    Failed,
    /// The store does not have this.
    Unsupported,
    /// The backend did not answer; it may later.
    Unavailable,
}
