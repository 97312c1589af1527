//! The OAuth core against a certified OAuth server (oidc-provider) that knows nothing of us.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use auth_core::exchange::{self, Asked};
use auth_core::{
    Access, AuthorizationRequest, CallbackErrorKind, Client, CodeGrant, ExchangeError, Input, OAuthErrorCode,
    Output, Policy, ScopeSet, Server, TokenMachine, TokenSet,
};
use bytes::Bytes;
use e2e::Process;
use mock_server::leaks;
use secrecy::ExposeSecret as _;
use transport::HttpBackend as _;
use transport::backends::Reqwest;
use url::Url;

use crate::browser::Browser;
use crate::{script, tools};

/// When it is for the client; the server has a clock of its own, and lifetimes are all that crosses the wire.
pub(crate) const NOW: SystemTime = SystemTime::UNIX_EPOCH;

/// The running server, and how it is reached.
pub(crate) struct Provider {
    pub(crate) issuer: String,
    /// What its JWT bearer grant accepts.
    pub(crate) assertion: String,
    pub(crate) server: Server,
    pub(crate) client: Client,
    backend: Reqwest,
    _process: Process,
}

impl Provider {
    pub(crate) fn start() -> Self {
        let command = tools().node(script("oauth_server.mjs")).unwrap();
        let mut process = Process::start(command).unwrap();
        let line = process.wait_for("ready ", Duration::from_secs(30)).unwrap();
        let mut words = line.split(' ').skip(1).map(ToOwned::to_owned);
        let (issuer, assertion) = (words.next().unwrap(), words.next().unwrap());
        let endpoint = |name: &str| format!("{issuer}/{name}").parse::<Url>().unwrap();
        let server = Server::new(endpoint("token")).unwrap();
        let server = server.with_authorization_endpoint(endpoint("auth")).unwrap();
        let server = server.with_issuer(&issuer).with_issuer_required();
        let backend = Reqwest::builder().build().unwrap();
        Self { issuer, assertion, server, client: Client::public("e2e"), backend, _process: process }
    }

    /// A user's whole way from the link to the code.
    pub(crate) async fn grant(&self) -> CodeGrant {
        let redirect_uri: Url = "http://127.0.0.1:4567/callback".parse().unwrap();
        let request = AuthorizationRequest::new(&self.server, &self.client, redirect_uri.clone())
            .unwrap()
            .scopes(ScopeSet::parse("openid offline_access"))
            .param("prompt", "consent");
        let (url, pending) = request.begin(std::array::from_fn(|index| u8::try_from(index * 3).unwrap()));
        let callback = Browser::new().log_in(url, &redirect_uri).await;
        pending.complete(&callback).unwrap()
    }

    pub(crate) async fn send(&self, request: http::Request<Bytes>) -> http::Response<Bytes> {
        let (parts, body) = self.backend.send(request).await.unwrap().into_parts();
        let body = body.collect(exchange::MAX_ANSWER).await.unwrap();
        http::Response::from_parts(parts, body)
    }

    pub(crate) async fn exchange(
        &self,
        (request, asked): (http::Request<Bytes>, Asked),
    ) -> Result<TokenSet, ExchangeError> {
        let tokens = exchange::response(&asked, &self.send(request).await, NOW)?;
        leaks::watch(tokens.access_token.expose_secret());
        tokens.refresh_token.iter().for_each(|token| leaks::watch(token.expose_secret()));
        Ok(tokens)
    }

    /// A driver in its smallest form, with a store that always works; returns how many requests it sent.
    async fn drive(&self, machine: &mut TokenMachine, now: SystemTime) -> usize {
        let mut sent = 0;
        loop {
            match machine.poll(now) {
                Output::Transmit { exchange, request } => {
                    let result = Ok(self.send(request).await);
                    machine.handle(Input::Response { exchange, sent_at: now, result }, now);
                    sent += 1;
                }
                Output::Store { generation, .. } => {
                    machine.handle(Input::Stored { generation, ok: true }, now);
                }
                Output::Remove => machine.handle(Input::Removed { ok: true }, now),
                Output::Event(_) => {}
                Output::Idle { .. } => return sent,
            }
        }
    }

    pub(crate) async fn refresh(&self, tokens: &TokenSet) -> Result<TokenSet, ExchangeError> {
        let token = tokens.refresh_token.as_ref().expect("a refresh token");
        self.exchange(exchange::refresh(&self.server, &self.client, token)).await
    }
}

fn refresh_token(tokens: &TokenSet) -> &str {
    tokens.refresh_token.as_ref().expect("a refresh token").expose_secret()
}

#[track_caller]
pub(crate) fn assert_invalid_grant(outcome: Result<TokenSet, ExchangeError>) {
    let error = outcome.expect_err("the server must refuse");
    assert_eq!(error.code(), Some(&OAuthErrorCode::InvalidGrant), "{error}");
}

#[tokio::test]
async fn a_login_gives_tokens_for_what_was_asked() {
    let provider = Provider::start();
    let tokens = provider.exchange(exchange::code(provider.grant().await)).await.unwrap();
    assert_eq!(tokens.expires_at, Some(NOW + Duration::from_secs(600)));
    assert!(tokens.scopes.as_ref().unwrap().contains("offline_access"));
    assert!(!tokens.access_token.expose_secret().is_empty() && !refresh_token(&tokens).is_empty());
}

#[tokio::test]
async fn a_refresh_rotates_both_tokens() {
    let provider = Provider::start();
    let first = provider.exchange(exchange::code(provider.grant().await)).await.unwrap();
    let second = provider.refresh(&first).await.unwrap();
    assert_ne!(refresh_token(&first), refresh_token(&second));
    assert_ne!(first.access_token.expose_secret(), second.access_token.expose_secret());
    provider.refresh(&second).await.unwrap();
}

#[tokio::test]
async fn a_replayed_code_is_refused_and_what_it_gave_is_revoked() {
    let provider = Provider::start();
    // A grant is used up by its type, so the replay is a copy of the request that an attacker has seen.
    let (request, asked) = exchange::code(provider.grant().await);
    let tokens = provider.exchange((request.clone(), asked.clone())).await.unwrap();
    assert_invalid_grant(provider.exchange((request, asked)).await);
    assert_invalid_grant(provider.refresh(&tokens).await);
}

#[tokio::test]
async fn a_spent_refresh_token_takes_its_family_with_it() {
    let provider = Provider::start();
    let first = provider.exchange(exchange::code(provider.grant().await)).await.unwrap();
    let second = provider.refresh(&first).await.unwrap();
    assert_invalid_grant(provider.refresh(&first).await);
    assert_invalid_grant(provider.refresh(&second).await);
}

#[tokio::test]
async fn a_token_machine_keeps_a_session_across_expiries() {
    let provider = Provider::start();
    let tokens = provider.exchange(exchange::code(provider.grant().await)).await.unwrap();
    let mut machine = TokenMachine::new(provider.server.clone(), provider.client.clone(), Policy::default());
    machine.handle(Input::LoggedIn(tokens), NOW);
    assert_eq!(provider.drive(&mut machine, NOW).await, 0);

    let mut seen = BTreeSet::new();
    for round in 0..3 {
        // Each round begins after the tokens of the one before have expired.
        let now = NOW + Duration::from_secs(601) * round;
        let asked = machine.access(now);
        assert_eq!(matches!(asked, Access::Pending), round > 0, "{asked:?}");
        assert_eq!(provider.drive(&mut machine, now).await, usize::from(round > 0));
        let Access::Ready(lease) = machine.access(now) else { panic!("no lease in round {round}") };
        assert!(seen.insert(lease.access_token().expose_secret().to_owned()), "a token came back");
    }
}

#[tokio::test]
async fn an_answer_from_another_issuer_is_not_accepted() {
    let mut provider = Provider::start();
    let honest = provider.issuer.clone();
    provider.server = provider.server.with_issuer("https://elsewhere.example");
    let redirect_uri: Url = "http://127.0.0.1:4567/callback".parse().unwrap();
    let request = AuthorizationRequest::new(&provider.server, &provider.client, redirect_uri.clone());
    let (url, pending) = request.unwrap().scopes(ScopeSet::parse("openid")).begin([9; 64]);
    let callback = Browser::new().log_in(url, &redirect_uri).await;

    let answered = Url::parse(&callback).unwrap();
    assert!(answered.query_pairs().any(|(name, value)| name == "iss" && value == honest), "{callback}");
    let error = pending.complete(&callback).unwrap_err();
    assert_eq!(error.kind(), &CallbackErrorKind::IssuerMismatch);
    assert!(error.into_pending().is_none(), "the login is over");
}
