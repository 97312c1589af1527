//! Secrets from files that nobody else can read.

use std::path::{Component, Path, PathBuf};

use async_trait::async_trait;

use crate::{Error, ErrorKind, Secret, SecretName, SecretProvider, private_file, text};

const LARGEST: usize = 64 * 1024; // bytes

/// Secrets from files, one secret each.
///
/// - A file that is missing is no secret: `None`. One that is there has to be right, or it is an error.
/// - It is opened without following a link at its last step and without waiting (so a pipe cannot hang the
///   caller), and what is checked is the open file, so it cannot be swapped in between.
/// - It has to be a regular file of at most 64 KiB, without any right for group and others (`chmod 600`), that
///   belongs to the user of this process or to root, in a folder where nobody else can put another in its place: so do the
///   folders above, and nobody else may write them ([`check_folder`](crate::check_folder)).
/// - A byte order mark and one newline (LF or CRLF) at the end are taken off, and [`Secret::was_trimmed`] tells.
///   Another newline, a control character, or something that is not UTF-8 is an error.
///
/// [`mounted`](File::mounted) is for files that a platform keeps. Where the system is not a Unix, the file's mode and owner are **not** checked: keep it in a folder that only
/// its user can read. The file is read on the calling thread: it is small, and a local disk answers at once.
#[derive(Clone, Debug)]
pub struct File {
    source: Source,
    mounted: bool,
}

impl File {
    /// Makes a provider over one file, whatever the name that is asked for.
    ///
    /// It answers every name with the same secret: ask it for one only, or narrow it with
    /// [`only`](File::only).
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { source: Source::One { path: path.into(), only: None }, mounted: false }
    }

    /// Makes a provider over a folder, where the file of a secret has the secret's name.
    ///
    /// The folder may be missing. A name with segments is looked up in the folders below it.
    #[must_use]
    pub fn in_dir(dir: impl Into<PathBuf>) -> Self {
        Self { source: Source::Folder(dir.into()), mounted: false }
    }

    /// Answers `name` only, as a provider over one file in a chain should; every other name is not here.
    #[must_use]
    pub fn only(self, name: SecretName) -> Self {
        Self {
            source: match self.source {
                Source::One { path, .. } => Source::One { path, only: Some(name) },
                Source::Folder(dir) => Source::One { path: dir.join(name.as_str()), only: Some(name) },
            },
            ..self
        }
    }

    /// Reads what a platform mounts and replaces, as Kubernetes does with secrets and the tokens of service accounts.
    ///
    /// Links are followed, for that is how such a file is replaced, and owner, readers and the folder are the platform's
    /// business; a right of group or others to *write* the file is still refused, and so is everything but a regular file.
    #[must_use]
    pub fn mounted(self) -> Self {
        Self { mounted: true, ..self }
    }

    fn read(&self, path: &Path) -> Result<Option<Secret>, Error> {
        let read = if self.mounted { private_file::read_mounted } else { private_file::read_private };
        let Some(mut raw) = read(path, LARGEST)? else { return Ok(None) };
        if !self.mounted {
            private_file::check_folder(path.parent().unwrap_or(Path::new("/")))?;
        }
        let refused = |kind| Error::new(kind, private_file::quoted(path));
        match text::parse(std::mem::take(&mut *raw)) {
            Ok(Some(secret)) => Ok(Some(secret)),
            Ok(None) => Err(refused(ErrorKind::Empty)),
            Err(kind) => Err(refused(kind)),
        }
    }
}

#[async_trait]
impl SecretProvider for File {
    async fn get(&self, name: SecretName) -> Result<Option<Secret>, Error> {
        match &self.source {
            Source::One { only: Some(only), .. } if *only != name => Ok(None),
            Source::One { path, .. } => self.read(path),
            Source::Folder(dir) => {
                let below = Path::new(name.as_str());
                // What is a plain name here may be a drive or a stream on another system.
                if !below.components().all(|part| matches!(part, Component::Normal(_))) {
                    return Err(Error::new(ErrorKind::InvalidName, format!("the file name {name}")));
                }
                self.read(&dir.join(below))
            }
        }
    }
}

#[derive(Clone, Debug)]
enum Source {
    One { path: PathBuf, only: Option<SecretName> },
    Folder(PathBuf),
}
