use std::{fmt, path::Path};

use auth_core::{Client, ScopeSet, Server, Wire};
use secrets::{Reference, Resolver, SecretName, providers::Env};
use serde_json::{Map, Value, json};
use url::Url;

use super::member::{Member, Place};
use crate::{
    config::{BaseUrl, DEFAULT_BASE_URL},
    credentials::told,
    error::ProfileError,
    unique,
};

/// Where people consent, unless a profile says otherwise.
const CONSOLE: &str = "https://platform.claude.com";

/// One `configs/<name>.json`, or one of those in `profiles.json`: no secret, and every member kept, also those that are not known here.
///
/// Example: [`profile`](crate::profile).
#[derive(Clone, PartialEq)]
pub struct Profile(Map<String, Value>);

/// How a profile comes by its tokens (`authentication.type`).
///
/// Example: [`profile`](crate::profile).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind<'a> {
    /// A person logged in.
    UserOAuth,
    /// A workload shows its identity.
    OidcFederation,
    /// There is an API key, and the profile says where. The official SDKs do not know this one.
    ApiKey,
    /// Something that this version does not know: it is kept and cannot be used.
    Other(&'a str),
}

impl Profile {
    /// A profile for a person's login.
    #[must_use]
    #[inline]
    pub fn user_oauth() -> Self {
        Self::of_kind("user_oauth")
    }

    /// A profile for a workload.
    #[must_use]
    #[inline]
    pub fn oidc_federation() -> Self {
        Self::of_kind("oidc_federation")
    }

    /// A profile for an API key, which it refers to.
    #[must_use]
    #[inline]
    pub fn api_key() -> Self {
        Self::of_kind("api_key")
    }

    #[inline]
    fn of_kind(kind: &str) -> Self {
        let members = [("version", json!("1.0")), ("authentication", json!({ "type": kind }))];
        Self(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// How it comes by its tokens.
    #[must_use]
    pub fn kind(&self) -> Kind<'_> {
        let kind = self.authentication().and_then(|members| members.get("type")).and_then(Value::as_str);
        match kind.unwrap_or_default() {
            "user_oauth" => Kind::UserOAuth,
            "oidc_federation" => Kind::OidcFederation,
            "api_key" => Kind::ApiKey,
            other => Kind::Other(other),
        }
    }

    /// A member; one that is empty or `null` is not there. Neither is a secret that stands where a reference to it should:
    /// [`reference`](Self::reference) tells.
    #[must_use]
    pub fn get(&self, member: Member) -> Option<&str> {
        self.text(member).filter(|text| !member.is_reference() || reference(text).is_ok())
    }

    fn text(&self, member: Member) -> Option<&str> {
        let (place, name) = member.position();
        self.object(place)?.get(name)?.as_str().filter(|text| !text.is_empty())
    }

    /// Where a secret of this profile is.
    ///
    /// # Errors
    ///
    /// [`ProfileError::Member`] where the member is no reference, or one to a file by a relative path, which is not repeated: it
    /// may be the secret.
    pub fn reference(&self, member: Member) -> Result<Option<Reference>, ProfileError> {
        let read = |text: &str| reference(text).map_err(|what| ProfileError::member(member, what));
        self.text(member).map(read).transpose()
    }

    /// Sets a member, or removes it.
    ///
    /// # Errors
    ///
    /// [`ProfileError::Member`] where the value could not be used; the profile is then as before.
    pub fn set(&mut self, member: Member, value: Option<&str>) -> Result<(), ProfileError> {
        let value = value.filter(|text| !text.is_empty());
        if let Some(text) = value {
            if text.contains(char::is_control) {
                return Err(ProfileError::member(member, "has a line break or another control character"));
            }
            if member.is_reference() {
                reference(text).map_err(|what| ProfileError::member(member, what))?;
            } else if member.is_base() {
                checked(member, text)?;
            } else if member.is_endpoint() {
                let url = Url::parse(text).map_err(|_| no_url(member))?;
                Server::new(url).map_err(|error| unusable(member, &error))?;
            }
        }
        let (place, name) = member.position();
        let Some(value) = value else {
            if let Some(members) = self.object_mut(place) {
                members.remove(name);
            }
            if place == Place::IdentityToken
                && let Some(members) = self.object_mut(Place::Authentication)
            {
                members.remove("identity_token");
            }
            return Ok(());
        };
        if place == Place::IdentityToken
            && let Some(members) = self.object_mut(Place::Authentication)
        {
            members.entry("identity_token").or_insert_with(|| json!({ "source": "file" }));
        }
        if let Some(members) = self.object_mut(place) {
            members.insert(name.into(), value.into());
        }
        Ok(())
    }

    /// The whole document.
    #[must_use]
    pub fn members(&self) -> &Map<String, Value> {
        &self.0
    }

    pub(super) fn members_mut(&mut self) -> &mut Map<String, Value> {
        &mut self.0
    }

    /// The profile with what it leaves open, and the environment says, filled in: what it says itself counts more.
    ///
    /// | member | variable |
    /// |---|---|
    /// | `base_url`, `organization_id`, `workspace_id` | `ANTHROPIC_…` |
    /// | `scope`, `federation_rule_id`, `service_account_id` | `ANTHROPIC_…` |
    /// | `identity_token_file` | `ANTHROPIC_IDENTITY_TOKEN_FILE` |
    /// | `client_id` | `CLAUDE_CLIENT_ID` |
    ///
    /// # Errors
    ///
    /// [`ProfileError`] where a variable that would be taken cannot be used.
    pub fn filled(&self, env: &Env) -> Result<Self, ProfileError> {
        let of_all = [
            (Member::BaseUrl, "ANTHROPIC_BASE_URL"),
            (Member::OrganizationId, "ANTHROPIC_ORGANIZATION_ID"),
            (Member::WorkspaceId, "ANTHROPIC_WORKSPACE_ID"),
            (Member::Scope, "ANTHROPIC_SCOPE"),
        ];
        let of_people = [(Member::ClientId, "CLAUDE_CLIENT_ID")];
        let of_workloads = [
            (Member::FederationRuleId, "ANTHROPIC_FEDERATION_RULE_ID"),
            (Member::ServiceAccountId, "ANTHROPIC_SERVICE_ACCOUNT_ID"),
            (Member::IdentityTokenFile, "ANTHROPIC_IDENTITY_TOKEN_FILE"),
        ];
        let of_its_kind: &[_] = match self.kind() {
            Kind::UserOAuth => &of_people,
            Kind::OidcFederation => &of_workloads,
            Kind::ApiKey | Kind::Other(_) => &[],
        };
        let mut filled = self.clone();
        for (member, variable) in of_all.iter().chain(of_its_kind) {
            if self.get(*member).is_none()
                && let Some(value) = read(env, variable)?
            {
                filled.set(*member, Some(&value))?;
            }
        }
        Ok(filled)
    }

    /// Where the API is that this profile's tokens are for.
    ///
    /// # Errors
    ///
    /// [`ProfileError::Member`] where `base_url` is no URL that credentials may be sent to.
    pub fn base_url(&self) -> Result<Url, ProfileError> {
        Ok(self.base()?.as_url().clone())
    }

    pub(crate) fn base(&self) -> Result<BaseUrl, ProfileError> {
        let text = self.get(Member::BaseUrl).unwrap_or(DEFAULT_BASE_URL);
        BaseUrl::parse(text).map_err(|error| ProfileError::url(Member::BaseUrl, &error))
    }

    /// The authorization server: Claude's, at [`base_url`](Self::base_url) and the console; with an `issuer`, the one that
    /// the profile's endpoints describe, spoken to as the RFCs say.
    ///
    /// # Errors
    ///
    /// [`ProfileError::Member`] where an endpoint is missing or no place for a secret.
    pub fn server(&self) -> Result<Server, ProfileError> {
        let issuer = self.get(Member::Issuer);
        let refused = |member| move |error: auth_core::ConfigError| unusable(member, &error);
        let token = match self.url(Member::TokenEndpoint)? {
            Some(url) => url,
            None if issuer.is_some() => {
                return Err(ProfileError::member(Member::TokenEndpoint, "is missing; an issuer needs one"));
            }
            None => joined(&self.base()?, "v1/oauth/token", Member::BaseUrl)?,
        };
        let authorization = match self.url(Member::AuthorizationEndpoint)? {
            None if issuer.is_none() => {
                let console = checked(Member::ConsoleUrl, self.get(Member::ConsoleUrl).unwrap_or(CONSOLE))?;
                Some(joined(&console, "oauth/authorize", Member::ConsoleUrl)?)
            }
            url => url,
        };
        let mut server = Server::new(token).map_err(refused(Member::TokenEndpoint))?;
        if let Some(url) = authorization {
            server =
                server.with_authorization_endpoint(url).map_err(refused(Member::AuthorizationEndpoint))?;
        }
        if let Some(url) = self.url(Member::RevocationEndpoint)? {
            server = server.with_revocation_endpoint(url).map_err(refused(Member::RevocationEndpoint))?;
        }
        Ok(match issuer {
            Some(issuer) => server.with_issuer(issuer).with_wire(Wire::rfc()),
            None => server.with_wire(Wire::claude()),
        })
    }

    /// Who this profile is to the authorization server; `None` where there is no client id, and so nothing to renew with.
    ///
    /// The secret of a confidential client is what [`Member::ClientSecret`] refers to, fetched by `resolver`; where that is not
    /// set, it comes from `CLAUDE_CLIENT_SECRET`, which may be a reference too. That one is not sent when `CLAUDE_CLIENT_ID` names another client than the
    /// profile does: it is that one's.
    ///
    /// # Errors
    ///
    /// [`ProfileError::Unsafe`] where the secret cannot be had, or one of the two variables is set to what cannot be used.
    pub async fn client(&self, env: &Env, resolver: &Resolver) -> Result<Option<Client>, ProfileError> {
        let named = read(env, "CLAUDE_CLIENT_ID")?;
        let Some(id) = self.get(Member::ClientId).or(named.as_deref()) else { return Ok(None) };
        let secret = match self.reference(Member::ClientSecret)? {
            Some(reference) => Some(resolver.resolve(&reference).await?),
            None if named.as_deref().is_none_or(|named| named == id) => {
                match env.read(&SecretName::new("CLAUDE_CLIENT_SECRET")?)? {
                    Some(given) => Some(resolver.given(given).await?),
                    None => None,
                }
            }
            None => None,
        };
        let secret = secret.map(|secret| told(secret, Member::ClientSecret));
        Ok(Some(match (secret, self.get(Member::Issuer)) {
            (Some(secret), Some(_)) => Client::secret_basic(id, secret.into_inner()),
            (Some(secret), None) => Client::secret_post(id, secret.into_inner()),
            (None, _) => Client::public(id),
        }))
    }

    /// The scopes to ask for in a login; none where the profile does not say.
    #[must_use]
    pub fn scopes(&self) -> ScopeSet {
        ScopeSet::parse(self.get(Member::Scope).unwrap_or_default())
    }

    /// A URL among the members, as credentials may be sent to.
    ///
    /// # Errors
    ///
    /// [`ProfileError::Member`] where it is none.
    pub fn url(&self, member: Member) -> Result<Option<Url>, ProfileError> {
        let Some(text) = self.get(member) else { return Ok(None) };
        Url::parse(text).map(Some).map_err(|_| no_url(member))
    }

    pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<Self, ProfileError> {
        let corrupt = |what: String| ProfileError::Corrupt { path: path.to_owned(), what };
        Self::checked(members(path, bytes)?, corrupt)
    }

    /// The profile that these members are, if they can be one.
    pub(super) fn checked(
        members: Map<String, Value>,
        corrupt: impl Fn(String) -> ProfileError,
    ) -> Result<Self, ProfileError> {
        let profile = Self(members);
        if profile.authentication().is_none() {
            return Err(corrupt("it has no object `authentication`".into()));
        }
        if profile.kind() == Kind::Other("") {
            return Err(corrupt("its `authentication` has no `type`".into()));
        }
        let known = !matches!(profile.kind(), Kind::Other(_));
        for member in Member::ALL {
            let (place, name) = member.position();
            if place != Place::Top && !known {
                continue; // what a kind to come makes of it is its own
            }
            match profile.object(place).and_then(|members| members.get(name)) {
                None | Some(Value::Null | Value::String(_)) => {}
                Some(_) => return Err(corrupt(format!("its `{member}` is not text"))),
            }
        }
        if profile.kind() == Kind::OidcFederation {
            profile.check_identity_token().map_err(corrupt)?;
        }
        Ok(profile)
    }

    /// A source of identity tokens that is not known here must not be taken for one that is missing.
    fn check_identity_token(&self) -> Result<(), String> {
        match self.authentication().and_then(|members| members.get("identity_token")) {
            None | Some(Value::Null) => return Ok(()),
            Some(Value::Object(token)) if token.get("source").and_then(Value::as_str) == Some("file") => {}
            Some(_) => return Err("its `identity_token` is not one whose source is a file".into()),
        }
        match self.get(Member::IdentityTokenFile) {
            Some(_) => Ok(()),
            None => Err("its `identity_token` has no `path`".into()),
        }
    }

    #[inline]
    pub(super) fn render(&self) -> Vec<u8> {
        format!("{:#}\n", Value::Object(self.0.clone())).into_bytes()
    }

    fn authentication(&self) -> Option<&Map<String, Value>> {
        self.object(Place::Authentication)
    }

    pub(super) fn object(&self, place: Place) -> Option<&Map<String, Value>> {
        match place {
            Place::Top => Some(&self.0),
            Place::Authentication => self.0.get("authentication")?.as_object(),
            Place::IdentityToken => self.authentication()?.get("identity_token")?.as_object(),
        }
    }

    fn object_mut(&mut self, place: Place) -> Option<&mut Map<String, Value>> {
        match place {
            Place::Top => Some(&mut self.0),
            Place::Authentication => self.0.get_mut("authentication")?.as_object_mut(),
            Place::IdentityToken => {
                self.object_mut(Place::Authentication)?.get_mut("identity_token")?.as_object_mut()
            }
        }
    }
}

/// Members of others may be anything, so none is shown.
impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profile").field("kind", &self.kind()).finish_non_exhaustive()
    }
}

/// The members of a document of this version.
pub(super) fn members(path: &Path, bytes: &[u8]) -> Result<Map<String, Value>, ProfileError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let members =
        unique::object(bytes).map_err(|what| ProfileError::Corrupt { path: path.to_owned(), what })?;
    match members.get("version") {
        None | Some(Value::Null) => {}
        Some(Value::String(version)) if version == "1" || version.starts_with("1.") => {}
        Some(Value::Number(version)) if version.as_f64().is_some_and(|n| (1.0..2.0).contains(&n)) => {}
        Some(_) => return Err(ProfileError::Version { path: path.to_owned() }),
    }
    Ok(members)
}

fn checked(member: Member, text: &str) -> Result<BaseUrl, ProfileError> {
    BaseUrl::parse(text).map_err(|error| ProfileError::url(member, &error))
}

/// A reference as it may stand in a profile: it leads to the same place for each program.
pub(super) fn reference(text: &str) -> Result<Reference, &'static str> {
    let reference: Reference = text.parse().map_err(|_| NO_REFERENCE)?;
    if matches!(reference.scheme(), "file" | "mount") && !Path::new(reference.place()).is_absolute() {
        return Err(RELATIVE);
    }
    Ok(reference)
}

const NO_REFERENCE: &str = "is no reference; write env:NAME, file:PATH, mount:PATH, vault:PATH#FIELD, keyring:SERVICE/USER or command:PROGRAM ARGUMENT…, never the secret itself";

const RELATIVE: &str =
    "leads to a file by a relative path, which means another place for each program; make it absolute";

fn no_url(member: Member) -> ProfileError {
    ProfileError::member(member, "is no URL; write it in full")
}

fn unusable(member: Member, error: &auth_core::ConfigError) -> ProfileError {
    ProfileError::member(member, format!("cannot be used: {error}"))
}

fn joined(base: &BaseUrl, route: &str, member: Member) -> Result<Url, ProfileError> {
    base.join(route).map_err(|error| ProfileError::url(member, &error))
}

fn read(env: &Env, variable: &str) -> Result<Option<String>, ProfileError> {
    Ok(env.read(&SecretName::new(variable)?)?.map(|value| value.expose().to_owned()))
}
