use std::{fmt, str::FromStr};

use crate::error::ProfileError;

/// A member of a profile that this crate knows. All are text.
///
/// The last five are not the official SDKs', which keep them as they are: they name a server that is not Claude's, and
/// mean nothing without [`Issuer`](Self::Issuer).
///
/// Example: [`profile`](crate::profile).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Member {
    /// Where the API is; with it, where tokens are renewed, and where they may be sent.
    BaseUrl,
    /// The organisation (federation).
    OrganizationId,
    /// The workspace: a header with a person's tokens, part of the exchange with a workload's.
    WorkspaceId,
    /// The client that logged in; without it nothing renews the access token.
    ClientId,
    /// The secret of a confidential client: a reference to it, never itself.
    ClientSecret,
    /// The API key of a profile that has one: a reference to it, never itself.
    ApiKey,
    /// The scopes to ask for, separated by blanks.
    Scope,
    /// Where a person consents.
    ConsoleUrl,
    /// Where the tokens are kept, when not in `credentials/<name>.json`: an absolute path, or one that begins with `~/`.
    CredentialsPath,
    /// The rule of a federation (`fdrl_…`).
    FederationRuleId,
    /// The service account that a federation's token acts as (`svac_…`).
    ServiceAccountId,
    /// The file of a workload's identity token.
    IdentityTokenFile,
    /// The issuer of a server that is not Claude's, which is spoken to as the RFCs say.
    Issuer,
    /// That server's token endpoint.
    TokenEndpoint,
    /// Where a person consents there.
    AuthorizationEndpoint,
    /// Where its tokens are revoked.
    RevocationEndpoint,
    /// Where a login on another device begins there.
    DeviceAuthorizationEndpoint,
}

/// Where a member stands in the document.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Top,
    Authentication,
    /// `authentication.identity_token`, an object whose `source` is `file`.
    IdentityToken,
}

impl Member {
    /// All of them.
    pub const ALL: [Self; 17] = [
        Self::BaseUrl,
        Self::OrganizationId,
        Self::WorkspaceId,
        Self::ClientId,
        Self::ClientSecret,
        Self::ApiKey,
        Self::Scope,
        Self::ConsoleUrl,
        Self::CredentialsPath,
        Self::FederationRuleId,
        Self::ServiceAccountId,
        Self::IdentityTokenFile,
        Self::Issuer,
        Self::TokenEndpoint,
        Self::AuthorizationEndpoint,
        Self::RevocationEndpoint,
        Self::DeviceAuthorizationEndpoint,
    ];

    /// Its name, which is that of the member of the document; only the identity token's file is `path` there.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BaseUrl => "base_url",
            Self::OrganizationId => "organization_id",
            Self::WorkspaceId => "workspace_id",
            Self::ClientId => "client_id",
            Self::ClientSecret => "client_secret",
            Self::ApiKey => "api_key",
            Self::Scope => "scope",
            Self::ConsoleUrl => "console_url",
            Self::CredentialsPath => "credentials_path",
            Self::FederationRuleId => "federation_rule_id",
            Self::ServiceAccountId => "service_account_id",
            Self::IdentityTokenFile => "identity_token_file",
            Self::Issuer => "issuer",
            Self::TokenEndpoint => "token_endpoint",
            Self::AuthorizationEndpoint => "authorization_endpoint",
            Self::RevocationEndpoint => "revocation_endpoint",
            Self::DeviceAuthorizationEndpoint => "device_authorization_endpoint",
        }
    }

    /// Where it stands, and its name there.
    pub(super) fn position(self) -> (Place, &'static str) {
        match self {
            Self::BaseUrl | Self::OrganizationId | Self::WorkspaceId => (Place::Top, self.as_str()),
            Self::IdentityTokenFile => (Place::IdentityToken, "path"),
            _ => (Place::Authentication, self.as_str()),
        }
    }

    /// Whether it stands for a secret, to which it is a reference.
    #[must_use]
    pub fn is_reference(self) -> bool {
        matches!(self, Self::ClientSecret | Self::ApiKey)
    }

    /// Whether it is a URL that routes are put below.
    pub(super) fn is_base(self) -> bool {
        matches!(self, Self::BaseUrl | Self::ConsoleUrl)
    }

    /// Whether it is the URL of an endpoint.
    pub(super) fn is_endpoint(self) -> bool {
        matches!(
            self,
            Self::TokenEndpoint
                | Self::AuthorizationEndpoint
                | Self::RevocationEndpoint
                | Self::DeviceAuthorizationEndpoint
        )
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Member {
    type Err = ProfileError;

    #[inline]
    fn from_str(name: &str) -> Result<Self, ProfileError> {
        let known = Self::ALL.into_iter().find(|member| member.as_str() == name);
        known.ok_or(ProfileError::UnknownMember)
    }
}
