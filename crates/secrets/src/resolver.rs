//! From references to secrets.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use futures_util::future::join_all;

#[cfg(feature = "env")]
use crate::Lookup;
#[cfg(feature = "command")]
use crate::{ChildEnvironment, SystemTimer, Timer};
use crate::{Error, ErrorKind, Reference, Secret, SecretName, SecretProvider};

/// Resolves [`Reference`]s: it has a provider for each scheme it knows.
///
/// ```
/// # #[cfg(feature = "env")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), secrets::Error> {
/// use secrets::{Resolver, SecretName, providers::Memory};
///
/// let drawer = Memory::new().with(SecretName::new("spare-key")?, "under the mat".to_owned());
/// let resolver = Resolver::process().with("drawer", drawer);
///
/// let reference = resolver.reference("drawer:spare-key")?;
/// assert_eq!(resolver.resolve(&reference).await?.expose(), "under the mat");
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "env"))]
/// # fn main() {}
/// ```
#[derive(Clone, Debug, Default)]
pub struct Resolver {
    /// By their schemes, of which there are few.
    sources: Vec<(Box<str>, Source)>,
    trimmed: Option<Trimmed>,
    #[cfg(feature = "scrubber")]
    scrubber: Option<crate::Scrubber>,
}

/// Who is told of what was taken off.
#[derive(Clone)]
struct Trimmed(Arc<dyn Fn(&Reference) + Send + Sync>);

impl fmt::Debug for Trimmed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Trimmed")
    }
}

/// The secret that one reference leads to: see [`Resolver::provider`].
#[derive(Clone, Debug)]
pub struct Referred {
    resolver: Resolver,
    reference: Reference,
}

/// It has to be there: nobody else can be meant.
#[async_trait]
impl SecretProvider for Referred {
    async fn get(&self, _: SecretName) -> Result<Option<Secret>, Error> {
        self.resolver.resolve(&self.reference).await.map(Some)
    }
}

/// Who knows the places of a scheme.
#[derive(Clone, Debug)]
enum Source {
    /// A provider, for which the place is a name.
    Named(Arc<dyn SecretProvider>),
    #[cfg(feature = "file")]
    Files,
    #[cfg(feature = "file")]
    Mounts,
    #[cfg(feature = "command")]
    Commands(Commands),
}

impl Resolver {
    /// A resolver that knows no scheme yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A resolver of every scheme that is built in and needs no settings, with the real environment of this process.
    #[cfg(feature = "env")]
    #[must_use]
    pub fn process() -> Self {
        Self::of(&crate::providers::Env::process())
    }

    /// As [`process`](Self::process), in the environment `env`.
    #[cfg(feature = "env")]
    #[must_use]
    pub fn of(env: &crate::providers::Env) -> Self {
        let this = Self::new().with("env", env.clone());
        #[cfg(feature = "file")]
        let this = this.with_files();
        #[cfg(feature = "keyring")]
        let this = this.with("keyring", crate::providers::Keyring::new());
        #[cfg(feature = "command")]
        let this = this.with_commands(ChildEnvironment::of(env.lookup()), SystemTimer);
        this
    }

    /// Resolves the references of `scheme` through `provider`, in the place of an earlier one.
    ///
    /// What stands behind the colon is the name it is asked for.
    #[must_use]
    pub fn with(mut self, scheme: impl Into<Box<str>>, provider: impl SecretProvider) -> Self {
        self.put(scheme.into(), Source::Named(Arc::new(provider)));
        self
    }

    /// Resolves `env:` through `lookup`.
    #[cfg(feature = "env")]
    #[must_use]
    pub fn with_environment(self, lookup: Lookup) -> Self {
        self.with("env", crate::providers::Env::new(lookup))
    }

    /// Resolves `file:` and `mount:`, by the rules of [`providers::File`](crate::providers::File) and of its
    /// [`mounted`](crate::providers::File::mounted).
    #[cfg(feature = "file")]
    #[must_use]
    pub fn with_files(mut self) -> Self {
        self.put("file".into(), Source::Files);
        self.put("mount".into(), Source::Mounts);
        self
    }

    /// Resolves `command:`, by the rules of [`providers::Command`](crate::providers::Command), in `environment`.
    #[cfg(feature = "command")]
    #[must_use]
    pub fn with_commands(mut self, environment: ChildEnvironment, timer: impl Timer) -> Self {
        let commands = Commands { environment, timer: Arc::new(timer) };
        self.put("command".into(), Source::Commands(commands));
        self
    }

    /// Tells `scrubber` of every secret that is found, so that it is taken out of what is shown.
    #[cfg(feature = "scrubber")]
    #[must_use]
    pub fn watched_by(self, scrubber: &crate::Scrubber) -> Self {
        Self { scrubber: Some(scrubber.clone()), ..self }
    }

    /// Calls `tell` for each secret that had a line end or a byte order mark around it, which was taken off, so that a program
    /// can warn of it.
    #[must_use]
    pub fn on_trimmed(self, tell: impl Fn(&Reference) + Send + Sync + 'static) -> Self {
        Self { trimmed: Some(Trimmed(Arc::new(tell))), ..self }
    }

    fn source(&self, scheme: &str) -> Option<&Source> {
        self.sources.iter().find(|(known, _)| **known == *scheme).map(|(_, source)| source)
    }

    fn put(&mut self, scheme: Box<str>, source: Source) {
        self.sources.retain(|(known, _)| *known != scheme);
        self.sources.push((scheme, source));
    }

    /// Reads a reference of any scheme this resolver knows.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidReference`], which does not repeat a text of an unknown scheme.
    pub fn reference(&self, text: &str) -> Result<Reference, Error> {
        Reference::read(text, |scheme| self.source(scheme).is_some())
    }

    /// Fetches the secret, which has to be there.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Missing`] where there is none, [`ErrorKind::MissingFeature`] and [`ErrorKind::UnknownScheme`] where
    /// nobody can be asked, and what the provider says.
    pub async fn resolve(&self, reference: &Reference) -> Result<Secret, Error> {
        let found = match self.source(reference.scheme()) {
            Some(Source::Named(provider)) => (**provider).get(SecretName::new(reference.place())?).await?,
            #[cfg(feature = "file")]
            Some(Source::Files) => crate::providers::File::at(reference.place()).get(anything()?).await?,
            #[cfg(feature = "file")]
            Some(Source::Mounts) => {
                crate::providers::File::at(reference.place()).mounted().get(anything()?).await?
            }
            #[cfg(feature = "command")]
            Some(Source::Commands(commands)) => commands.command(reference)?.get(anything()?).await?,
            None => return Err(unknown(reference.scheme())),
        };
        #[cfg(feature = "scrubber")]
        if let (Some(scrubber), Some(secret)) = (&self.scrubber, &found) {
            scrubber.watch(secret);
        }
        if let (Some(Trimmed(tell)), Some(true)) = (&self.trimmed, found.as_ref().map(Secret::was_trimmed)) {
            tell(reference);
        }
        found.ok_or_else(|| Error::new(ErrorKind::Missing, reference.shown()))
    }

    /// What `given` leads to where it is a reference, and `given` itself where it is not: for what somebody has put where a secret
    /// is taken. What begins as a reference of a scheme that is known everywhere is one.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidReference`], which does not repeat it, and as [`resolve`](Self::resolve).
    pub async fn given(&self, given: Secret) -> Result<Secret, Error> {
        match Reference::meant(given.expose())? {
            Some(reference) => self.resolve(&reference).await,
            None => Ok(given),
        }
    }

    /// The secret that `reference` leads to, as a provider, which gives it by any name: for whatever takes a provider.
    #[must_use]
    pub fn provider(&self, reference: Reference) -> Referred {
        Referred { resolver: self.clone(), reference }
    }

    /// Fetches many at the same time; the answers are in the order of the references.
    pub async fn resolve_all(
        &self,
        references: impl IntoIterator<Item = &Reference>,
    ) -> Vec<Result<Secret, Error>> {
        join_all(references.into_iter().map(|reference| self.resolve(reference))).await
    }
}

/// How commands are run.
#[cfg(feature = "command")]
#[derive(Clone, Debug)]
struct Commands {
    environment: ChildEnvironment,
    timer: Arc<dyn Timer>,
}

#[cfg(feature = "command")]
impl Commands {
    fn command(&self, reference: &Reference) -> Result<crate::providers::Command, Error> {
        let command = crate::providers::Command::parse(reference.place(), self.environment.clone())?;
        Ok(command.timer(Arc::clone(&self.timer)))
    }
}

/// The name for providers that know one secret.
#[cfg(any(feature = "command", feature = "file"))]
fn anything() -> Result<SecretName, Error> {
    SecretName::new("secret")
}

fn unknown(scheme: &str) -> Error {
    let feature = if scheme == "mount" { "file" } else { scheme };
    let left_out = [
        ("command", cfg!(not(feature = "command"))),
        ("env", cfg!(not(feature = "env"))),
        ("file", cfg!(not(feature = "file"))),
        ("keyring", cfg!(not(feature = "keyring"))),
        ("vault", cfg!(not(feature = "vault"))),
    ];
    if left_out.contains(&(feature, true)) {
        Error::new(ErrorKind::MissingFeature, feature)
    } else {
        Error::new(ErrorKind::UnknownScheme, scheme)
    }
}
