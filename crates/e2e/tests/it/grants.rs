//! Every grant of the OAuth core, driven with a plain HTTP client and nothing else of this workspace.
//!
//! The core's front page shows the same lines. The grants of a person and of a program are against oidc-provider, the
//! dialect of the Claude endpoints is against the mock server, which knows no other grant than a login's. The workload
//! federation of the Claude API has no server to run here: its wire is tested in the core.

use std::time::Duration;

use auth_core::{
    AuthorizationRequest, Client, DeviceOutput, DevicePoll, DeviceRequest, ExchangeError, Metadata,
    OAuthErrorCode, ScopeSet, Server, TokenKind, TokenSet, Wire, exchange,
};
use bytes::Bytes;
use mock_server::MockServer;
use secrecy::{ExposeSecret as _, SecretString};
use transport::{HttpBackend as _, backends::Reqwest};
use url::Url;

use crate::browser::Browser;
use crate::oauth_server::{NOW, Provider, assert_invalid_grant};

/// A program of its own, as the server knows it.
fn program(id: &str) -> (String, SecretString) {
    (format!("{id}: 1/+"), format!("s3cret %&=:/+ \"{id}\"").into())
}

fn basic() -> Client {
    let (id, secret) = program("basic");
    Client::secret_basic(id, secret)
}

/// What the server says about itself.
async fn metadata(provider: &Provider) -> Metadata {
    for location in Metadata::locations(&provider.issuer).unwrap() {
        let request = http::Request::builder().uri(location.as_str()).body(Bytes::new()).unwrap();
        if let Ok(metadata) = Metadata::parse(&provider.send(request).await, &provider.issuer) {
            return metadata;
        }
    }
    panic!("there is no metadata at {}", provider.issuer)
}

async fn revoke(provider: &Provider, server: &Server, token: &SecretString, kind: TokenKind) {
    let (request, asked) = exchange::revoke(server, &provider.client, token, kind).unwrap();
    exchange::revocation(&asked, &provider.send(request).await, NOW).unwrap();
}

#[tokio::test]
async fn the_servers_own_description_is_the_server() {
    let provider = Provider::start();
    let described = metadata(&provider).await.into_server();
    let known = &provider.server;
    assert_eq!(described.issuer(), known.issuer());
    assert_eq!(described.token_endpoint(), known.token_endpoint());
    assert_eq!(described.authorization_endpoint(), known.authorization_endpoint());
    assert!(described.revocation_endpoint().is_some());
}

#[tokio::test]
async fn a_program_gets_tokens_of_its_own_however_odd_its_secret() {
    let provider = Provider::start();
    let (id, secret) = program("post");
    for client in [basic(), Client::secret_post(id, secret)] {
        let asked = exchange::client_credentials(&provider.server, &client, &ScopeSet::parse("read"));
        let tokens = provider.exchange(asked).await.unwrap();
        assert_eq!(tokens.expires_at, Some(NOW + Duration::from_secs(600)));
        assert_eq!(tokens.scopes, Some(ScopeSet::parse("read")));
        assert!(tokens.refresh_token.is_none());
    }
    let wrong = Client::secret_basic(program("basic").0, "guess".into());
    let asked = exchange::client_credentials(&provider.server, &wrong, &ScopeSet::default());
    let error = provider.exchange(asked).await.unwrap_err();
    assert_eq!(error.code(), Some(&OAuthErrorCode::InvalidClient), "{error}");
}

#[tokio::test]
async fn a_signed_assertion_gives_a_token_and_a_broken_one_none() {
    let provider = Provider::start();
    let ask = |assertion: &str| {
        let (client, scopes) = (basic(), ScopeSet::parse("read"));
        exchange::jwt_bearer(&provider.server, Some(&client), &assertion.into(), &scopes, NOW).unwrap()
    };
    let tokens = provider.exchange(ask(&provider.assertion)).await.unwrap();
    assert_eq!(tokens.expires_at, Some(NOW + Duration::from_secs(600)));
    assert_eq!(tokens.scopes, Some(ScopeSet::parse("read")));

    let (signed, _) = provider.assertion.rsplit_once('.').unwrap();
    assert_invalid_grant(provider.exchange(ask(&format!("{signed}.AAAA"))).await);
}

#[tokio::test]
async fn a_device_login_waits_for_its_user_in_another_browser() {
    let provider = Provider::start();
    let metadata = metadata(&provider).await;
    let endpoint = metadata.device_authorization_endpoint().unwrap().clone();
    let asking = DeviceRequest::new(metadata.server(), &provider.client, endpoint).unwrap();
    let asking = asking.scopes(ScopeSet::parse("openid"));
    let authorization = asking.response(&provider.send(asking.request()).await, NOW).unwrap();
    assert_eq!(authorization.expires_in(), Duration::from_secs(60));
    let page = authorization.verification_uri_complete().unwrap().clone();
    assert!(page.query().unwrap().contains(authorization.user_code()), "{page}");

    let mut elapsed = Duration::ZERO;
    let mut poll = DevicePoll::new(authorization, elapsed);
    let mut sent = 0;
    let tokens = loop {
        match poll.poll(elapsed) {
            DeviceOutput::Wait { until } => elapsed = until,
            DeviceOutput::Transmit { request } => {
                sent += 1;
                let answer = provider.send(request).await;
                assert_eq!(answer.status() == 400, sent < 3, "{answer:?}");
                poll.handle(Ok(answer), elapsed, NOW);
                if sent == 2 {
                    let last = Browser::new().agree(page.clone()).await;
                    assert!(last.contains("Sign-in Success"), "{last}");
                }
            }
            DeviceOutput::Done(tokens) => break tokens,
            DeviceOutput::Failed(error) => panic!("{error:?}"),
        }
    };
    assert_eq!(tokens.expires_at, Some(NOW + Duration::from_secs(600)));
    assert_eq!(elapsed, Duration::from_secs(15), "three polls at the default pace");
}

#[tokio::test]
async fn a_revoked_refresh_token_gives_nothing_any_more() {
    let provider = Provider::start();
    let server = metadata(&provider).await.into_server();
    let tokens = provider.exchange(exchange::code(provider.grant().await)).await.unwrap();
    let tokens = provider.refresh(&tokens).await.unwrap();
    let token = tokens.refresh_token.as_ref().unwrap();
    for _ in 0..2 {
        // The second time the server does not know it any more, and that is as good.
        revoke(&provider, &server, token, TokenKind::RefreshToken).await;
    }
    assert_invalid_grant(provider.refresh(&tokens).await);
    revoke(&provider, &server, &tokens.access_token, TokenKind::AccessToken).await;
}

#[tokio::test]
async fn a_login_in_claudes_dialect_lives_from_the_page_to_the_revocation() {
    let mock = MockServer::start().await.unwrap();
    let server = Server::new(mock.token_url()).unwrap();
    let server = server.with_authorization_endpoint(mock.authorize_url()).unwrap();
    let server = server.with_revocation_endpoint(mock.revoke_url()).unwrap();
    let server = server.with_issuer(mock.issuer()).with_issuer_required().with_wire(Wire::claude());
    let client = Client::public(mock.client_id());
    let backend = Reqwest::builder().build().unwrap();
    let send = async |request: http::Request<Bytes>| {
        let (parts, body) = backend.send(request).await.unwrap().into_parts();
        http::Response::from_parts(parts, body.collect(exchange::MAX_ANSWER).await.unwrap())
    };

    let redirect_uri: Url = "http://localhost:4567/callback".parse().unwrap();
    let request = AuthorizationRequest::new(&server, &client, redirect_uri.clone()).unwrap();
    let (url, pending) = request.scopes(ScopeSet::parse("user:inference")).begin([5; 64]);
    let callback = Browser::new().log_in(url, &redirect_uri).await;
    let (request, asked) = exchange::code(pending.complete(&callback).unwrap());
    let first = exchange::response(&asked, &send(request).await, NOW).unwrap();

    let refresh = async |tokens: &TokenSet| -> Result<TokenSet, ExchangeError> {
        let token = tokens.refresh_token.as_ref().unwrap();
        let (request, asked) = exchange::refresh(&server, &client, token);
        exchange::response(&asked, &send(request).await, NOW)
    };
    let second = refresh(&first).await.unwrap();
    let token = second.refresh_token.as_ref().unwrap();
    assert_ne!(token.expose_secret(), first.refresh_token.as_ref().unwrap().expose_secret());

    let (request, asked) = exchange::revoke(&server, &client, token, TokenKind::RefreshToken).unwrap();
    exchange::revocation(&asked, &send(request).await, NOW).unwrap();
    assert_invalid_grant(refresh(&second).await);
}
