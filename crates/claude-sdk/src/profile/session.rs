use std::{
    fmt,
    sync::{
        Arc, Mutex as SyncMutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use arc_swap::ArcSwapOption;
use async_trait::async_trait;
use secrecy::ExposeSecret as _;
use secrets::{Resolver, SecretName, providers::Env};
use tokio::sync::Mutex;
use transport::{Clock, HttpBackend};
use url::{Origin, Url};

use super::{Kind, Member, Profile, ProfileName, Profiles};
use crate::{
    config::BaseUrl,
    credentials::{Cached, Credential, CredentialProvider, Federation, FromSecret, OAuth, spread},
    error::{AuthError, ProfileError},
    metrics::{Metrics, Renewals},
    task,
    token_store::{FileTokenStore, TokenStore as _},
};

/// The tokens of a profile, as credentials.
///
/// The session is opened when the first credential is asked for. Whenever there is none at hand, because it has to be
/// renewed for instance, the profile is looked at anew: when it was changed, or another one was made the active one, the
/// next credential is of the new one; when it was removed, there is none. A profile that cannot be read any more is told in
/// a warning, and its session goes on.
///
/// All credentials are bound to the deployment of the profile's base URL. A profile that names no `client_id` has nothing to
/// renew its token with: somebody else replaces the file, which is read each time.
///
/// Made by [`Resolution::provider`](crate::credentials::Resolution::provider), or by the builder of a client.
///
/// Example: [`profile`](crate::profile).
pub struct ProfileCredentials {
    source: Arc<Place>,
    /// What was opened last.
    opened: ArcSwapOption<Opened>,
    /// Held by whoever looks at the profile.
    looking: Mutex<()>,
    looks: AtomicU64,
    /// For the sessions that are opened.
    renewals: Renewals,
    backend: Arc<dyn HttpBackend>,
    clock: Arc<dyn Clock>,
}

/// Where the profile is, and for whom it is read.
#[derive(Debug)]
struct Place {
    profiles: Profiles,
    /// `None` is the active one, whichever that is.
    name: Option<ProfileName>,
    env: Env,
    resolver: Resolver,
    base: BaseUrl,
}

struct Opened {
    name: ProfileName,
    profile: Profile,
    session: Box<dyn CredentialProvider>,
}

impl ProfileCredentials {
    pub(crate) fn new(
        profiles: Profiles,
        name: Option<ProfileName>,
        (env, resolver): (Env, Resolver),
        base: BaseUrl,
        backend: Arc<dyn HttpBackend>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            source: Arc::new(Place { profiles, name, env, resolver, base }),
            opened: ArcSwapOption::empty(),
            looking: Mutex::new(()),
            looks: AtomicU64::new(0),
            renewals: Renewals::default(),
            backend,
            clock,
        }
    }

    /// What is open, after a look at the profile that began after this was called. One look serves all who wait.
    async fn look(&self) -> Result<Arc<Opened>, AuthError> {
        let before = self.looks.load(Ordering::Acquire);
        let _looking = self.looking.lock().await;
        if self.looks.load(Ordering::Acquire) > before
            && let Some(opened) = self.opened.load_full()
        {
            return Ok(opened);
        }
        self.looks.fetch_add(1, Ordering::AcqRel);

        let source = Arc::clone(&self.source);
        let found = task::blocking(move || source.read()).await;
        let found = found.unwrap_or_else(|| Err(ProfileError::NoFolder));
        let opened = self.opened.load_full();
        let (name, profile) = match (found, opened) {
            (Ok((name, profile)), Some(opened)) if opened.name == name && opened.profile == profile => {
                return Ok(opened);
            }
            (Ok(found), _) => found,
            (Err(error @ ProfileError::Missing { .. }), _) => {
                self.opened.store(None);
                return Err(error.into());
            }
            (Err(error), Some(opened)) => {
                tracing::warn!(%error, "the profile cannot be read any more; its session goes on");
                return Ok(opened);
            }
            (Err(error), None) => return Err(error.into()),
        };
        let session = self.open(&name, &profile).await?;
        if let Some(metrics) = self.renewals.asked_by() {
            session.report_to(metrics);
        }
        let opened = Arc::new(Opened { name, profile, session });
        self.opened.store(Some(Arc::clone(&opened)));
        Ok(opened)
    }

    async fn open(
        &self,
        name: &ProfileName,
        profile: &Profile,
    ) -> Result<Box<dyn CredentialProvider>, AuthError> {
        let deployment = check_deployment(profile, &self.source.base)?;
        match profile.kind() {
            Kind::UserOAuth => {}
            Kind::OidcFederation => return Ok(Box::new(self.workload(profile)?)),
            Kind::ApiKey => return Ok(Box::new(self.key(profile, deployment)?)),
            Kind::Other(_) => return Err(unknown().into()),
        }
        let dress = dress(deployment, profile.get(Member::WorkspaceId))?;
        let store = self.source.profiles.tokens(name, profile)?;
        let Some(client) = profile.client(&self.source.env, &self.source.resolver).await? else {
            return Ok(Box::new(Replaced { store, dress, newest: SyncMutex::new(None) }));
        };
        let (backend, clock) = (Arc::clone(&self.backend), Arc::clone(&self.clock));
        let store = store.clock(Arc::clone(&clock));
        let session =
            OAuth::open_with(profile.server()?, client, store, backend, clock, spread::drawn()).await?;
        Ok(Box::new(session.dressed(dress)))
    }
}

impl ProfileCredentials {
    /// The API key, asked for once, and again when its time is over or the service refuses it.
    fn key(&self, profile: &Profile, deployment: Url) -> Result<Cached, AuthError> {
        let missing =
            || ProfileError::member(Member::ApiKey, "is missing; set it to a reference such as env:NAME");
        let reference = profile.reference(Member::ApiKey)?.ok_or_else(missing)?;
        let name = SecretName::new("api_key").map_err(ProfileError::from)?;
        let source = FromSecret::new(self.source.resolver.provider(reference), name).bound_to(deployment);
        Ok(Cached::new_with(source, Arc::clone(&self.clock), spread::drawn()))
    }

    /// A workload's tokens; what names its workspace is part of the exchange.
    fn workload(&self, profile: &Profile) -> Result<Cached, AuthError> {
        let needed =
            |member| profile.get(member).ok_or_else(|| ProfileError::member(member, "is missing; set it"));
        let (rule, organization) = (needed(Member::FederationRuleId)?, needed(Member::OrganizationId)?);
        let token = needed(Member::IdentityTokenFile)?;
        let mut federation = auth_core::Federation::new(rule, organization);
        if let Some(id) = profile.get(Member::ServiceAccountId) {
            federation = federation.with_service_account_id(id);
        }
        if let Some(id) = profile.get(Member::WorkspaceId) {
            federation = federation.with_workspace_id(id);
        }
        let name = SecretName::new("identity_token").map_err(ProfileError::from)?;
        let backend = Arc::clone(&self.backend);
        let source = Federation::from_file(profile.server()?, federation, token, name, backend);
        Ok(Cached::new_with(source, Arc::clone(&self.clock), spread::drawn()))
    }
}

impl Place {
    fn read(&self) -> Result<(ProfileName, Profile), ProfileError> {
        let name = match &self.name {
            Some(name) => name.clone(),
            None => self.profiles.active()?.unwrap_or_default(),
        };
        let mut profile = self.profiles.load(&name)?;
        if profile.get(Member::BaseUrl).is_none() {
            profile.set(Member::BaseUrl, Some(self.base.as_url().as_str()))?;
        }
        let profile = profile.filled(&self.env)?;
        Ok((name, profile))
    }
}

#[async_trait]
impl CredentialProvider for ProfileCredentials {
    async fn credential(&self) -> Result<Credential, AuthError> {
        if let Some(ready) = self.ready() {
            return Ok(ready);
        }
        self.look().await?.session.credential().await
    }

    fn ready(&self) -> Option<Credential> {
        self.opened.load().as_ref()?.session.ready()
    }

    fn reject(&self, refused: &Credential) {
        let Some(opened) = self.opened.load_full() else { return };
        // A late refusal may be of a session that was open before, whose generations are others.
        if opened.session.ready().is_none_or(|ready| ready.is_same(refused)) {
            opened.session.reject(refused);
        }
    }

    async fn flush(&self) -> bool {
        match self.opened.load_full() {
            Some(opened) => opened.session.flush().await,
            None => true,
        }
    }

    fn report_to(&self, metrics: &Arc<dyn Metrics>) {
        self.renewals.report_to(metrics);
        if let Some(opened) = self.opened.load_full() {
            opened.session.report_to(metrics);
        }
    }
}

impl fmt::Debug for ProfileCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProfileCredentials")
            .field("folder", &self.source.profiles.path())
            .field("name", &self.source.name)
            .finish_non_exhaustive()
    }
}

/// The deployment that a profile's tokens are for, which has to be the one that a client of `base` speaks to.
pub(crate) fn check_deployment(profile: &Profile, base: &BaseUrl) -> Result<Url, AuthError> {
    let deployment = match profile.get(Member::BaseUrl) {
        Some(_) => profile.base_url()?,
        None => base.as_url().clone(),
    };
    let (owner, target) = (deployment.origin(), base.as_url().origin());
    if owner != target {
        return Err(foreign(&owner, &target));
    }
    Ok(deployment)
}

fn foreign(owner: &Origin, target: &Origin) -> AuthError {
    AuthError::ForeignOrigin { owner: owner.ascii_serialization(), target: target.ascii_serialization() }
}

fn unknown() -> ProfileError {
    ProfileError::Member {
        member: "authentication.type",
        what: "is one that this version cannot use; update this program, or name another profile".into(),
    }
}

type Dress = Box<dyn Fn(Credential) -> Credential + Send + Sync>;

/// What every credential of a profile has in common.
fn dress(deployment: Url, workspace: Option<&str>) -> Result<Dress, ProfileError> {
    let Some(workspace) = workspace else {
        return Ok(Box::new(move |credential| credential.bound_to(&deployment)));
    };
    let workspace = http::HeaderValue::from_str(workspace);
    let workspace = workspace
        .map_err(|_| ProfileError::member(Member::WorkspaceId, "cannot travel in a header; copy it again"))?;
    Ok(Box::new(move |credential| credential.bound_to(&deployment).in_workspace(workspace.clone())))
}

/// A token that somebody else replaces, read each time.
struct Replaced {
    store: FileTokenStore,
    dress: Dress,
    newest: SyncMutex<Option<Credential>>,
}

#[async_trait]
impl CredentialProvider for Replaced {
    async fn credential(&self) -> Result<Credential, AuthError> {
        let session = self.store.load().await?.ok_or_else(|| AuthError::LoginRequired {
            reason: format!("there is no {:?}; whoever provides it has to write it", self.store.path()),
            maybe_consumed: false,
        })?;
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        let generation = match &*newest {
            Some(known) if known.expose() == session.access_token.expose_secret() => return Ok(known.clone()),
            Some(known) => known.generation() + 1,
            None => 1,
        };
        let credential = (self.dress)(Credential::token(session.access_token, generation)?);
        *newest = Some(credential.clone());
        Ok(credential)
    }
}

impl fmt::Debug for Replaced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replaced").field("store", &self.store).finish_non_exhaustive()
    }
}
