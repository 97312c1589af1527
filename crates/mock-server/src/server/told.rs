//! What a client is told of a server: where it is, and who may ask it.

use std::time::Duration;

use serde_json::{Map, Value};
use url::Url;

use super::MockServer;

impl MockServer {
    /// Returns the URL to give to a client as its base URL, with the path prefix if there is one.
    #[must_use]
    pub fn base_url(&self) -> Url {
        self.state.base_url.clone()
    }

    /// Returns the certificate of the authority that signed the server's, in PEM: what a client has to trust. None without
    /// [TLS](crate::Builder::tls).
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn authority(&self) -> Option<String> {
        self.tls.as_ref().map(|tls| tls.authority())
    }

    /// Returns the authorization endpoint.
    #[must_use]
    pub fn authorize_url(&self) -> Url {
        self.state.url("/oauth/authorize")
    }

    /// Returns the token endpoint.
    #[must_use]
    pub fn token_url(&self) -> Url {
        self.state.url("/v1/oauth/token")
    }

    /// Returns the device authorization endpoint.
    #[must_use]
    pub fn device_authorization_url(&self) -> Url {
        self.state.url("/v1/oauth/device_authorization")
    }

    /// Returns a redirect URI for logins without a listener: its page shows `code#state`, to be pasted.
    #[must_use]
    pub fn callback_url(&self) -> Url {
        self.state.url("/oauth/code/callback")
    }

    /// Returns the revocation endpoint.
    #[must_use]
    pub fn revoke_url(&self) -> Url {
        self.state.url("/v1/oauth/revoke")
    }

    /// Returns the issuer that redirects name in `iss`.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.state.issuer
    }

    /// Returns the id of the registered client.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.state.client
    }

    /// Returns the client's secret, which only the client credentials grant asks for.
    #[must_use]
    pub fn client_secret(&self) -> &str {
        &self.state.client_secret
    }

    /// Returns the id of the organisation that the API key belongs to.
    #[must_use]
    pub fn organization_id(&self) -> &str {
        self.state.seats.get(0).map_or("", |seat| &seat.organization)
    }

    /// Returns the workspaces, by id and name.
    #[must_use]
    pub fn workspaces(&self) -> Vec<(String, String)> {
        let mut all: Vec<(String, String)> = Vec::new();
        for (_, seat) in self.state.seats.iter() {
            if !all.iter().any(|(id, _)| *id == seat.workspace) {
                all.push((seat.workspace.clone(), seat.workspace_name.clone()));
            }
        }
        all
    }

    /// Returns the id of the federation rule that trades workload identities for tokens, `fdrl_…`.
    #[must_use]
    pub fn federation_rule_id(&self) -> &str {
        &self.state.workload.rule
    }

    /// Returns the id of the service account that the federation rule is for, `svac_…`.
    #[must_use]
    pub fn service_account_id(&self) -> &str {
        &self.state.workload.service_account
    }

    /// Signs a workload identity: a JWT that the token endpoint accepts as an assertion for as long as `life`.
    ///
    /// `claims` are added to it, or replace what would be there: `json!({"aud": "somebody else"})` makes a bad one. What is
    /// no JSON object adds nothing.
    #[must_use]
    pub fn identity_token(&self, subject: &str, life: Duration, claims: Value) -> String {
        let claims = if let Value::Object(claims) = claims { claims } else { Map::new() };
        let now = self.state.clock.wall(self.state.clock.now());
        self.state.workload.sign(now, life, subject, claims)
    }

    /// Returns the API key that is accepted: `sk-ant-api03-CANARY…` unless another was set.
    #[must_use]
    pub fn api_key(&self) -> &str {
        &self.state.api_key
    }
}
