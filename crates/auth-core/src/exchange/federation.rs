//! Workload identity federation, as the Claude API has it.

use std::time::SystemTime;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request};
use secrecy::{ExposeSecret as _, SecretString};

use super::{Asked, AssertionError, ExchangeKind, assertion, request};
use crate::{Format, ScopeSet, Server};

/// What the Claude API wants to know beside the assertion: which rule is to judge it, and for whom.
///
/// The ids are no secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Federation {
    rule_id: String,
    organization_id: String,
    service_account_id: Option<String>,
    workspace_id: Option<String>,
}

impl Federation {
    /// Creates a federation under one rule (`fdrl_…`) of one organization.
    #[must_use]
    pub fn new(rule_id: impl Into<String>, organization_id: impl Into<String>) -> Self {
        Self {
            rule_id: rule_id.into(),
            organization_id: organization_id.into(),
            service_account_id: None,
            workspace_id: None,
        }
    }

    /// Names the service account (`svac_…`) that the token is to act as.
    #[must_use]
    pub fn with_service_account_id(mut self, id: impl Into<String>) -> Self {
        self.service_account_id = Some(id.into());
        self
    }

    /// Names the workspace (`wrkspc_…`, or `default`) that the token is for.
    #[must_use]
    pub fn with_workspace_id(mut self, id: impl Into<String>) -> Self {
        self.workspace_id = Some(id.into());
        self
    }

    /// Returns the workspace that the token is for, if one is named.
    #[must_use]
    pub fn workspace_id(&self) -> Option<&str> {
        self.workspace_id.as_deref()
    }

    fn members(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let optional =
            [("service_account_id", &self.service_account_id), ("workspace_id", &self.workspace_id)];
        [("federation_rule_id", self.rule_id.as_str()), ("organization_id", self.organization_id.as_str())]
            .into_iter()
            .chain(optional.into_iter().filter_map(|(name, id)| Some((name, id.as_deref()?))))
    }
}

/// Builds the request that trades the identity of a workload for a token of the Claude API.
///
/// It is the grant of RFC 7523 section 2.1 in a dialect: one JSON object, two beta headers, and no client, since the
/// rule says who may ask. The answer is read by [`response`](super::response) and has to tell how long the token
/// lives. There is no refresh token: read the assertion anew and ask again.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::SystemTime;
/// use auth_core::{Federation, Server, exchange};
///
/// let server = Server::new("https://auth.example/token".parse()?)?;
/// let federation = Federation::new("fdrl_1", "org_1").with_workspace_id("default");
/// let assertion = "eyJhbGciOiJFUzI1NiJ9.eyJleHAiOjEwMDB9.c2ln".into();
/// let (request, _asked) = exchange::federation(&server, &federation, &assertion, SystemTime::UNIX_EPOCH)?;
/// assert_eq!(request.headers()["anthropic-beta"], "oauth-2025-04-20,oidc-federation-2026-04-01");
/// # Ok(()) }
/// ```
///
/// # Errors
///
/// [`AssertionError`] as for [`jwt_bearer`](super::jwt_bearer).
pub fn federation(
    server: &Server,
    federation: &Federation,
    assertion: &SecretString,
    now: SystemTime,
) -> Result<(Request<Bytes>, Asked), AssertionError> {
    assertion::check(assertion, now)?;
    let mut members = vec![("grant_type", assertion::GRANT_TYPE), ("assertion", assertion.expose_secret())];
    members.extend(federation.members());
    let request = request::build(server.token_uri(), None, &format(), members);
    Ok((request, Asked::new(ExchangeKind::Federation, ScopeSet::default(), vec![assertion.clone()])))
}

fn format() -> Format {
    Format::json().with_header(
        HeaderName::from_static("anthropic-beta"),
        HeaderValue::from_static("oauth-2025-04-20,oidc-federation-2026-04-01"),
    )
}
