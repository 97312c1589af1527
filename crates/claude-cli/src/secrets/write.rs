//! `claudectl secrets put` and `rotate`.

use std::{
    fs,
    io::{self, IsTerminal as _, Read as _, Write as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use claude_sdk::secrets::{
    self, Error, ErrorKind, Reference, Secret, SecretName, SecretProvider as _, SecretStore as _,
    providers::{Env, File, Keyring},
};
use secrecy::zeroize::Zeroizing;
use serde::Serialize;

use crate::{
    args::WriteArgs,
    console::{print, print_masked, scrubber, tell},
    references::give_back,
    vault::NamedVault,
};

/// The longest secret, in bytes.
const LARGEST: u64 = 64 * 1024;

/// What was done; never the secret.
#[derive(Debug, Serialize)]
struct Report {
    reference: String,
    /// `null` where the store does not count.
    version: Option<u64>,
}

/// Stores what standard input holds.
pub(super) async fn put(args: WriteArgs) -> anyhow::Result<()> {
    let place = Place::of(&args.reference)?;
    let secret = given()?;
    let stored = place.put(secret).await;
    place.leave().await;
    tell_of(&args, ("Stored", "as"), stored?)
}

/// Replaces a secret that is there by what standard input holds.
pub(super) async fn rotate(args: WriteArgs) -> anyhow::Result<()> {
    let place = Place::of(&args.reference)?;
    let replaced = place.replace().await;
    place.leave().await;
    tell_of(&args, ("Replaced", "by"), replaced?)
}

/// What can be written.
enum Place {
    File(PathBuf),
    Keyring(Keyring, SecretName),
    Vault(NamedVault, SecretName),
}

impl Place {
    fn of(reference: &str) -> anyhow::Result<Self> {
        let reference: Reference = reference.parse()?;
        Ok(match reference.scheme() {
            "file" => Self::File(reference.place().into()),
            "keyring" => Self::Keyring(Keyring::new(), SecretName::new(reference.place())?),
            "vault" => Self::Vault(NamedVault::new(&Env::process()), SecretName::new(reference.place())?),
            scheme => bail!("what {scheme}: leads to cannot be written here; take file:, keyring: or vault:"),
        })
    }

    /// Stores a secret; its version, where the store counts.
    async fn put(&self, secret: Secret) -> anyhow::Result<Option<u64>> {
        match self {
            Self::File(path) => {
                // What is there is replaced only where it would be read, too.
                if let Err(error) = kept(path).await
                    && error.kind() != ErrorKind::Empty
                {
                    return Err(error.into());
                }
                let was_open = is_open(File::at(path).get(anything()?).await.as_ref());
                write(path, &secret)?;
                if was_open {
                    tell(
                        "others could read what was there; the file is yours alone now, and a secret that was in it has to be revoked",
                    );
                }
                Ok(None)
            }
            Self::Keyring(keyring, name) => {
                keyring.put(name.clone(), secret).await?;
                Ok(None)
            }
            Self::Vault(vault, name) => Ok(vault.put_counted(name.clone(), secret).await?),
        }
    }

    /// Puts a new secret in the place of the one that is there; its version, where the store counts.
    async fn replace(&self) -> anyhow::Result<Option<u64>> {
        let former = match self {
            Self::File(path) => kept(path).await?,
            Self::Keyring(keyring, name) => keyring.get(name.clone()).await?,
            Self::Vault(vault, name) => vault.get(name.clone()).await?,
        };
        let Some(former) = former else {
            bail!("there is no secret to replace; store the first one with `claudectl secrets put`");
        };
        scrubber().watch(&former);
        let secret = given()?;
        if secret.expose() == former.expose() {
            bail!("this is the secret that is there already; make a new one where it comes from");
        }
        match (self, former.version()) {
            (Self::Vault(vault, name), Some(version)) => {
                Ok(Some(vault.put_if(name.clone(), secret, version).await?))
            }
            _ => self.put(secret).await,
        }
    }

    /// Leaves no session behind.
    async fn leave(&self) {
        if let Self::Vault(vault, _) = self {
            give_back(vault).await;
        }
    }
}

/// The secret that a new one is going to replace, where it is one that would be read but for its mode: that others can read it is
/// a reason to replace it.
async fn kept(path: &Path) -> Result<Option<Secret>, Error> {
    secrets::check_folder(folder_of(path))?;
    let found = File::at(path).get(anything()?).await;
    if !is_open(found.as_ref()) {
        return found;
    }
    match File::at(path).mounted().get(anything()?).await {
        // A file of some other kind stays as it is, whoever may read it.
        Err(other) if other.kind() != ErrorKind::Empty => found,
        replaceable => replaceable,
    }
}

fn is_open(found: Result<&Option<Secret>, &Error>) -> bool {
    found.is_err_and(|error| error.kind() == ErrorKind::OpenToOthers)
}

/// The name for a provider that knows one secret.
fn anything() -> Result<SecretName, Error> {
    SecretName::new("secret")
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The secret on standard input, by the rules for secrets in files.
fn given() -> anyhow::Result<Secret> {
    if io::stdin().is_terminal() {
        bail!(
            "a secret is not typed here, where it would be seen; have a file or another program give it: `… < FILE`"
        );
    }
    // The whole room at once: a buffer that grows would leave pieces of the secret behind.
    let mut text = Zeroizing::new(Vec::with_capacity(usize::try_from(LARGEST)? + 2));
    let read = io::stdin().lock().take(LARGEST + 1).read_to_end(&mut text);
    if read.context("standard input cannot be read")? as u64 > LARGEST {
        bail!("standard input is too large for a secret; give it the secret, and only it");
    }
    let secret = Secret::parse(std::mem::take(&mut *text), "standard input")?;
    scrubber().watch(&secret);
    if secret.was_trimmed() {
        tell("a newline or a byte order mark around the secret was taken off");
    }
    Ok(secret)
}

/// Writes the file anew and puts it in the former one's place: it is the old one or the new one, and never anybody else's.
fn write(path: &Path, secret: &Secret) -> anyhow::Result<()> {
    let folder = folder_of(path);
    let failed = || {
        format!("{} cannot be written; check that its folder exists and is yours", secrets::shown_path(path))
    };
    // Made with mode 0600.
    let file = tempfile::NamedTempFile::new_in(folder);
    // Its error has the path in it, too.
    let mut file = file.map_err(|error| io::Error::from(error.kind())).with_context(failed)?;
    file.write_all(secret.expose().as_bytes()).with_context(failed)?;
    file.as_file().sync_all().with_context(failed)?;
    file.persist(path).with_context(failed)?;
    fs::File::open(folder).and_then(|folder| folder.sync_all()).with_context(failed)
}

fn tell_of(args: &WriteArgs, (done, by): (&str, &str), version: Option<u64>) -> anyhow::Result<()> {
    if args.json {
        return print_masked(&Report { reference: args.reference.clone(), version });
    }
    Ok(print(match version {
        Some(version) => format!("{done} {by} version {version}.\n"),
        None => format!("{done}.\n"),
    })?)
}
