use std::{fmt, sync::Arc};

use auth_core::Server;
use secrets::{Reference, Resolver, SecretName, providers::Env};
use transport::{Clock, HttpBackend};
use url::Url;

use super::{Cached, Credential, CredentialProvider, Federation, FromSecret, spread};
use crate::{
    config::{BaseUrl, DEFAULT_BASE_URL, GivenUrl},
    error::{ConfigError, Error},
};
#[cfg(feature = "profile")]
use crate::{
    error::ProfileError,
    profile::{Profile, ProfileCredentials, ProfileName, Profiles},
};

mod source;

pub use source::Source;

/// Who we are, as the environment and the profiles say: which source won, and why.
///
/// The first of these that is there, as in the official SDKs:
///
/// 1. `ANTHROPIC_API_KEY`, or where it is (`file:PATH`, `vault:PATH#FIELD`, …),
/// 2. `ANTHROPIC_AUTH_TOKEN`, or where it is,
/// 3. the profile that `ANTHROPIC_PROFILE` names,
/// 4. the federation variables: `ANTHROPIC_FEDERATION_RULE_ID`, `ANTHROPIC_ORGANIZATION_ID`, and
///    `ANTHROPIC_IDENTITY_TOKEN_FILE` or `ANTHROPIC_IDENTITY_TOKEN`,
/// 5. the active profile: the one in `active_config`, or else `default`.
///
/// What is there and cannot be used is an error and not passed over, except a profile that nobody named. No session is
/// opened yet: nothing is sent, and no token is read.
///
/// ```
/// use std::sync::Arc;
/// use claude_sdk::{credentials::{Resolution, Source}, secrets::providers::Env};
///
/// # fn main() -> Result<(), claude_sdk::ConfigError> {
/// let env = Env::new(Arc::new(|name| (name == "ANTHROPIC_API_KEY").then(|| "sk-1".into())));
/// let found = Resolution::of(&env)?;
/// assert!(matches!(found.source(), Some(Source::ApiKey)));
/// println!("signed in with {}", found.source().unwrap());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Resolution {
    found: Option<Found>,
    looked: Vec<String>,
    shadowed: Vec<Source>,
    base_url: Option<GivenUrl>,
    env: Env,
    resolver: Resolver,
}

/// What a source gave.
#[derive(Debug, Clone)]
enum Found {
    Fixed(Source, Credential),
    /// A variable that says where the secret is.
    Referred(Source, Reference),
    #[cfg(feature = "profile")]
    Profile(Source, Profiles, Profile),
    Federation(Source),
}

impl Found {
    fn source(&self) -> &Source {
        match self {
            Self::Fixed(source, _) | Self::Referred(source, _) | Self::Federation(source) => source,
            #[cfg(feature = "profile")]
            Self::Profile(source, ..) => source,
        }
    }
}

impl Resolution {
    /// Looks at the sources in their order.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] where a source is there and cannot be used.
    pub fn of(env: &Env) -> Result<Self, ConfigError> {
        type Look = fn(&mut Resolution) -> Result<Option<Found>, ConfigError>;
        const ORDER: [Look; 5] = [
            |all| all.fixed(Source::ApiKey, Credential::api_key),
            |all| all.fixed(Source::AuthToken, |token| Credential::token(token, 0)),
            Resolution::named_profile,
            Resolution::federation,
            Resolution::active_profile,
        ];
        let mut all = Self::nothing(env)?;
        let mut order = ORDER.into_iter();
        for look in order.by_ref() {
            all.found = look(&mut all)?;
            if all.found.is_some() {
                break;
            }
        }
        let Some(winner) = all.source().cloned() else { return Ok(all) };
        let looked = all.looked.len();
        for look in order {
            // Only told of, so what is wrong with it does not matter.
            if let Ok(Some(other)) = look(&mut all)
                && !other.source().is_same_profile(&winner)
            {
                all.shadowed.push(other.source().clone());
            }
        }
        all.looked.truncate(looked);
        if winner.is_fixed() && !all.shadowed.is_empty() {
            let shadowed: Vec<_> = all.shadowed.iter().map(ToString::to_string).collect();
            tracing::warn!(used = %winner, not_used = shadowed.join(", "), "more than one credential is set up");
        }
        Ok(all)
    }

    /// The profile `name`, whatever else the environment says.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Profile`] where it is not there or cannot be used.
    #[cfg(feature = "profile")]
    pub fn profile(name: ProfileName, env: &Env) -> Result<Self, ConfigError> {
        let mut all = Self::nothing(env)?;
        let profiles = Profiles::of(env)?;
        let profile = profiles.load(&name)?;
        all.found = Some(Found::Profile(Source::Profile(name), profiles, profile));
        Ok(all)
    }

    fn nothing(env: &Env) -> Result<Self, ConfigError> {
        let base_url = read(env, "ANTHROPIC_BASE_URL")?.map(|url| GivenUrl(url.expose().to_owned()));
        Ok(Self {
            found: None,
            looked: Vec::new(),
            shadowed: Vec::new(),
            base_url,
            env: env.clone(),
            resolver: Resolver::of(env),
        })
    }

    /// Fetches what a profile or a variable refers to through `resolver`; without it, through one of `env`, `file` and, with the
    /// feature `command`, `command`.
    #[must_use]
    pub fn with_resolver(self, resolver: Resolver) -> Self {
        Self { resolver, ..self }
    }

    /// The source that won; `None` where there was none.
    #[must_use]
    pub fn source(&self) -> Option<&Source> {
        self.found.as_ref().map(Found::source)
    }

    /// What was looked at before, in order, and why it was not it.
    #[must_use]
    pub fn looked(&self) -> &[String] {
        &self.looked
    }

    /// The sources that are there as well, and are not used.
    #[must_use]
    pub fn shadowed(&self) -> &[Source] {
        &self.shadowed
    }

    /// The profile that won, if one did, with what it leaves open filled in from the environment.
    ///
    /// # Errors
    ///
    /// [`ProfileError`] where a variable that fills in a member cannot be used.
    #[cfg(feature = "profile")]
    pub fn filled_profile(&self) -> Result<Option<Profile>, ProfileError> {
        match &self.found {
            Some(Found::Profile(_, _, profile)) => profile.filled(&self.env).map(Some),
            _ => Ok(None),
        }
    }

    /// Where the API is: what `ANTHROPIC_BASE_URL` says, or else the profile, or else `https://api.anthropic.com`.
    #[must_use]
    pub fn base_url(&self) -> &str {
        let profiles = match &self.found {
            #[cfg(feature = "profile")]
            Some(Found::Profile(_, _, profile)) => profile.get(crate::profile::Member::BaseUrl),
            _ => None,
        };
        self.base_url.as_ref().map(|url| &*url.0).or(profiles).unwrap_or(DEFAULT_BASE_URL)
    }

    /// Credentials from the source that won, for a client whose base URL is `base_url`. A session is renewed through
    /// `backend`; it is opened when the first credential is asked for.
    ///
    /// # Errors
    ///
    /// [`ConfigError::MissingCredential`] where there is no source;
    /// [`AuthError::ForeignOrigin`](crate::AuthError::ForeignOrigin) where the profile belongs to another deployment.
    pub fn provider(
        &self,
        base_url: &Url,
        backend: Arc<dyn HttpBackend>,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<dyn CredentialProvider>, Error> {
        let base = BaseUrl::parse(base_url.as_str())?;
        match &self.found {
            None => Err(ConfigError::MissingCredential { looked: self.looked.clone() }.into()),
            Some(Found::Fixed(_, credential)) => Ok(Arc::new(credential.clone())),
            Some(Found::Referred(source, reference)) => {
                let token = *source == Source::AuthToken;
                let cached = FromSecret::referred(&self.resolver, reference.clone(), token, clock);
                Ok(Arc::new(cached.map_err(ConfigError::Secret)?))
            }
            #[cfg(feature = "profile")]
            Some(Found::Profile(source, profiles, profile)) => {
                crate::profile::check_deployment(profile, &base)?;
                let name = source.chosen_profile().cloned();
                let (profiles, environment) = (profiles.clone(), (self.env.clone(), self.resolver.clone()));
                Ok(Arc::new(ProfileCredentials::new(profiles, name, environment, base, backend, clock)))
            }
            Some(Found::Federation(_)) => federation((&self.env, &self.resolver), &base, backend, clock),
        }
    }

    fn fixed(
        &mut self,
        source: Source,
        credential: impl FnOnce(secrecy::SecretString) -> Result<Credential, crate::AuthError>,
    ) -> Result<Option<Found>, ConfigError> {
        let name = source.to_string();
        let Some(secret) = read(&self.env, &name)? else {
            self.looked.push(format!("{name} is not set"));
            return Ok(None);
        };
        if secret.was_trimmed() {
            tracing::warn!(%name, "the variable has a line end that is no part of its secret; it was taken off");
        }
        if let Some(reference) = Reference::meant(secret.expose()).map_err(ConfigError::Secret)? {
            return Ok(Some(Found::Referred(source, reference)));
        }
        match credential(secret.into_inner()) {
            Ok(credential) => Ok(Some(Found::Fixed(source, credential))),
            Err(_) => Err(ConfigError::MalformedSecret { name }),
        }
    }

    #[cfg(not(feature = "profile"))]
    fn named_profile(&mut self) -> Result<Option<Found>, ConfigError> {
        match read(&self.env, "ANTHROPIC_PROFILE")? {
            Some(_) => Err(ConfigError::NoProfiles),
            None => Ok(None),
        }
    }

    #[cfg(feature = "profile")]
    fn named_profile(&mut self) -> Result<Option<Found>, ConfigError> {
        let Some(name) = read(&self.env, "ANTHROPIC_PROFILE")? else {
            self.looked.push("ANTHROPIC_PROFILE is not set".into());
            return Ok(None);
        };
        let name = ProfileName::from(name.expose(), "what ANTHROPIC_PROFILE holds")?;
        let profiles = Profiles::of(&self.env)?;
        let profile = profiles.load(&name)?;
        Ok(Some(Found::Profile(Source::NamedProfile(name), profiles, profile)))
    }

    fn federation(&mut self) -> Result<Option<Found>, ConfigError> {
        let set = |name| Ok::<_, ConfigError>(read(&self.env, name)?.is_some());
        let mut missing = Vec::new();
        for name in ["ANTHROPIC_FEDERATION_RULE_ID", "ANTHROPIC_ORGANIZATION_ID"] {
            if !set(name)? {
                missing.push(name);
            }
        }
        let file = set("ANTHROPIC_IDENTITY_TOKEN_FILE")?;
        if !file && !set("ANTHROPIC_IDENTITY_TOKEN")? {
            missing.push("ANTHROPIC_IDENTITY_TOKEN_FILE");
        }
        if missing.is_empty() {
            return Ok(Some(Found::Federation(Source::Federation { file })));
        }
        self.looked.push(format!("federation lacks {}", missing.join(", ")));
        Ok(None)
    }

    #[cfg(not(feature = "profile"))]
    #[expect(clippy::unnecessary_wraps, reason = "as with the feature")]
    fn active_profile(&mut self) -> Result<Option<Found>, ConfigError> {
        self.looked.push("this build knows no profiles".into());
        Ok(None)
    }

    #[cfg(feature = "profile")]
    fn active_profile(&mut self) -> Result<Option<Found>, ConfigError> {
        let mut asked_for = read(&self.env, "ANTHROPIC_CONFIG_DIR")?.is_some();
        let mut find = || {
            let profiles = Profiles::of(&self.env)?;
            let active = profiles.active().inspect_err(|_| asked_for = true)?;
            asked_for |= active.is_some();
            let source = match active {
                Some(name) => Source::ActiveProfile(name),
                None => Source::DefaultProfile(ProfileName::default()),
            };
            let profile = profiles.load(source.profile().unwrap_or(&ProfileName::default()))?;
            Ok::<_, ProfileError>(Found::Profile(source, profiles, profile))
        };
        match find() {
            Ok(found) => Ok(Some(found)),
            Err(error) if asked_for => Err(error.into()),
            Err(error) => {
                self.looked.push(error.to_string());
                Ok(None)
            }
        }
    }
}

/// The winner and why, on one line.
impl fmt::Display for Resolution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.source() {
            Some(source) => write!(f, "{source}")?,
            None => f.write_str("no credential")?,
        }
        for (index, source) in self.shadowed.iter().enumerate() {
            write!(f, "{}{source}", if index == 0 { ", before " } else { " and " })?;
        }
        Ok(())
    }
}

fn federation(
    (env, resolver): (&Env, &Resolver),
    base: &BaseUrl,
    backend: Arc<dyn HttpBackend>,
    clock: Arc<dyn Clock>,
) -> Result<Arc<dyn CredentialProvider>, Error> {
    let unusable =
        |_| ConfigError::Cleartext { host: base.as_url().host_str().unwrap_or_default().to_owned() };
    let server = Server::new(base.join("v1/oauth/token")?).map_err(unusable)?;
    let Some(source) = Federation::from_env_with(env, resolver, server, backend)? else {
        let looked = vec!["the federation variables are not set any more".into()];
        return Err(ConfigError::MissingCredential { looked }.into());
    };
    Ok(Arc::new(Cached::new_with(source, clock, spread::drawn())))
}

fn read(env: &Env, name: &str) -> Result<Option<secrets::Secret>, ConfigError> {
    let name = SecretName::new(name).map_err(ConfigError::Secret)?;
    env.read(&name).map_err(ConfigError::Secret)
}
