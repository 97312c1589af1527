//! What a login is going to change, decided before anybody is asked to do anything.

use anyhow::{Context, bail};
use claude_sdk::{
    ProfileError, StoreError,
    auth_core::{Client, Metadata, Server, Snapshot},
    login::{Login, discover},
    profile::{Kind, Member, Profile, ProfileName, Profiles},
    secrets::providers::Env,
    token_store::{FileTokenStore, TokenStore},
    transport::SystemClock,
};
use url::Url;

use super::session::{Chosen, Session, Why, backend};
use crate::{args::LoginArgs, references::resolver};

/// What is asked for where neither arguments nor the profile say.
const SCOPE: &str = "user:profile user:inference";

/// A login that can begin.
#[derive(Debug)]
pub(super) struct Plan {
    profiles: Profiles,
    pub(super) name: ProfileName,
    /// The profile as it is; `None` where there is none.
    former: Option<Profile>,
    /// The profile as it is going to be.
    wanted: Profile,
    pub(super) server: Server,
    client: Client,
    device: Option<Url>,
    store: FileTokenStore,
    activates: bool,
    has_session: bool,
    workspace: Option<String>,
    organization: Option<String>,
    scope: String,
}

impl Plan {
    /// Reads all that is there, so that what cannot be used is told before the person goes to a browser.
    pub(super) async fn new(args: &LoginArgs, env: &Env) -> anyhow::Result<Self> {
        let Chosen { profiles, name, why } = Chosen::new(args.profile.clone(), env)?;
        let former = match profiles.load(&name) {
            Ok(profile) => Some(profile),
            Err(ProfileError::Missing { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let mut wanted = former.clone().unwrap_or_else(Profile::user_oauth);
        if wanted.kind() != Kind::UserOAuth {
            bail!("profile {name} is not one of a person, who could log in; name another one with --profile");
        }
        write_down(args, &mut wanted)?;
        let server = match &args.issuer {
            Some(issuer) => {
                let metadata = ask(issuer).await?;
                describe(issuer, &metadata, &mut wanted)?;
                metadata.into_server()
            }
            None => wanted.filled(env)?.server()?,
        };
        let filled = wanted.filled(env)?;
        let client = filled.client(env, &resolver(env)).await?;
        let client =
            client.context("there is no client id; give yours with --client-id, or in CLAUDE_CLIENT_ID")?;
        // What the tokens are minted for and by is written down: another environment must not send them elsewhere.
        for member in [Member::BaseUrl, Member::ClientId] {
            wanted.set(member, filled.get(member))?;
        }
        let chosen = Chosen { profiles: profiles.clone(), name: name.clone(), why };
        if let Ok(session) = Session::of(chosen, env).await {
            session.finish_logout().await?;
        }
        let store = profiles.tokens(&name, &wanted)?;
        let has_session = match store.load().await {
            // They stay where they are until there are new ones.
            Err(StoreError::OtherDeployment { .. }) => true,
            stored => stored?.is_some(),
        };
        let activates = profiles.active()?.is_none() || why == Why::Named;
        let text = |member| filled.get(member).map(str::to_owned);
        let scope = match text(Member::Scope) {
            Some(scope) => scope,
            None if filled.get(Member::Issuer).is_none() => SCOPE.to_owned(),
            None => String::new(),
        };
        Ok(Self {
            device: filled.url(Member::DeviceAuthorizationEndpoint)?,
            workspace: text(Member::WorkspaceId),
            organization: text(Member::OrganizationId),
            scope,
            profiles,
            name,
            former,
            wanted,
            server,
            client,
            store,
            activates,
            has_session,
        })
    }

    pub(super) fn login(&self) -> Login {
        let scopes = claude_sdk::auth_core::ScopeSet::parse(&self.scope);
        let mut login = Login::new(self.server.clone(), self.client.clone()).scopes(scopes);
        if let Some(id) = &self.workspace {
            login = login.workspace(id);
        }
        if let Some(id) = &self.organization {
            login = login.organization(id);
        }
        login
    }

    /// The page of Claude's console that shows what to paste; other servers have none that is known.
    pub(super) fn page_to_paste_from(&self) -> Option<Url> {
        let endpoint = self.server.authorization_endpoint()?;
        if self.wanted.get(Member::Issuer).is_some() {
            return None;
        }
        endpoint.join("code/callback").ok()
    }

    /// Where a login on another device begins.
    pub(super) fn device(&self) -> anyhow::Result<Url> {
        self.device.clone().context(
            "this server is not known to log in on another device; leave --device out, or say where it does so with \
             `claudectl profile set NAME device_authorization_endpoint=URL`",
        )
    }

    /// Writes down what changes, and keeps the session; nobody renews the one before meanwhile.
    pub(super) async fn keep(&self, session: Snapshot) -> anyhow::Result<()> {
        let lock = self.store.lock().await?;
        if self.former.as_ref() != Some(&self.wanted) {
            if self.has_session && self.moves() {
                // It must never be sent to the server that the profile is about to name.
                self.store.remove().await?;
            }
            self.profiles.change(&self.name, |now| self.put_onto(now))?;
        }
        self.store.save(session).await?;
        drop(lock);
        if self.activates {
            self.profiles.activate(&self.name)?;
        }
        Ok(())
    }

    /// The members as this login saw them, for they are what its tokens are minted with; whatever else somebody has changed while
    /// the person was at it stays.
    fn put_onto(&self, now: Option<Profile>) -> Result<Profile, ProfileError> {
        let Some(mut profile) = now.filter(|now| now.kind() == Kind::UserOAuth) else {
            return Ok(self.wanted.clone());
        };
        for member in Member::ALL {
            let wanted = self.wanted.get(member);
            if wanted != profile.get(member) {
                profile.set(member, wanted)?;
            }
        }
        Ok(profile)
    }

    /// Whether the tokens go elsewhere from now on, or belong to another client.
    fn moves(&self) -> bool {
        let target = |profile: &Profile| {
            let token_endpoint = profile.server().ok()?.token_endpoint().clone();
            Some((profile.base_url().ok()?, token_endpoint, profile.get(Member::ClientId).map(str::to_owned)))
        };
        let former = self.former.as_ref().and_then(target);
        former.is_none() || former != target(&self.wanted)
    }
}

/// Puts the arguments into the profile.
fn write_down(args: &LoginArgs, profile: &mut Profile) -> Result<(), ProfileError> {
    let scope = args.scope.join(" ");
    let given = [
        (Member::ClientId, args.client_id.as_deref()),
        (Member::ClientSecret, args.client_secret.as_deref()),
        (Member::Scope, Some(scope.as_str()).filter(|scope| !scope.is_empty())),
        (Member::WorkspaceId, args.workspace_id.as_deref()),
        (Member::OrganizationId, args.organization_id.as_deref()),
        (Member::BaseUrl, args.base_url.as_deref()),
        (Member::ConsoleUrl, args.console_url.as_deref()),
    ];
    given
        .into_iter()
        .filter(|(_, value)| value.is_some())
        .try_for_each(|(member, value)| profile.set(member, value))
}

/// Asks the issuer what it says about itself.
async fn ask(issuer: &str) -> anyhow::Result<Metadata> {
    let url = issuer
        .parse()
        .with_context(|| format!("--issuer {issuer:?} is no URL; give one such as https://auth.example"))?;
    let backend = backend(&url)?;
    let asked = discover(issuer, &backend, &SystemClock).await;
    asked.with_context(|| format!("{issuer} could not be asked about its endpoints"))
}

/// Puts what the issuer says into the profile.
fn describe(issuer: &str, metadata: &Metadata, profile: &mut Profile) -> Result<(), ProfileError> {
    let server = metadata.server();
    let said = [
        (Member::Issuer, Some(issuer)),
        (Member::TokenEndpoint, Some(server.token_endpoint().as_str())),
        (Member::AuthorizationEndpoint, server.authorization_endpoint().map(Url::as_str)),
        (Member::RevocationEndpoint, server.revocation_endpoint().map(Url::as_str)),
        (Member::DeviceAuthorizationEndpoint, metadata.device_authorization_endpoint().map(Url::as_str)),
    ];
    said.into_iter().try_for_each(|(member, value)| profile.set(member, value))
}
