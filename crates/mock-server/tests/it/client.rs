//! A small client of the tests' own: one connection for each request, no interpretation.

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use mock_server::{Builder, MockServer};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpStream;
use url::Url;

pub const VERIFIER: &str = "a-verifier-of-the-tests-that-is-long-enough-0123456789";
pub const REDIRECT: &str = "http://127.0.0.1:4242/callback";
pub const MODEL: &str = "claude-sonnet-5-5";

/// A server whose clock moves only when told, and whose secrets are the same in every run.
pub fn held() -> Builder {
    MockServer::builder().clock_held_at(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)).seed(7)
}

#[derive(Debug)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {:?}", self.body))
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("{name} is missing")).to_str().unwrap()
    }

    /// Asserts on status and error type of an API error, and gives its message.
    pub fn error(&self, status: u16, kind: &str) -> String {
        let body = self.json();
        assert_eq!((self.status.as_u16(), body["error"]["type"].as_str()), (status, Some(kind)), "{body}");
        assert_eq!(body["type"], "error");
        assert_eq!(body["request_id"], self.header("request-id"));
        body["error"]["message"].as_str().unwrap().to_owned()
    }

    /// Asserts on an OAuth error.
    pub fn oauth_error(&self, error: &str) {
        assert_eq!((self.status.as_u16(), &self.json()["error"]), (400, &json!(error)), "{:?}", self.body);
        assert_eq!(self.header("cache-control"), "no-store");
    }
}

/// A request to be sent; headers and body are as given.
#[derive(Debug)]
pub struct Send {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Bytes,
}

pub fn get(url: Url) -> Send {
    Send { method: Method::GET, url, headers: HeaderMap::new(), body: Bytes::new() }
}

pub fn post(url: Url, body: impl Into<Bytes>) -> Send {
    Send { method: Method::POST, body: body.into(), ..get(url) }
}

pub fn delete(url: Url) -> Send {
    Send { method: Method::DELETE, ..get(url) }
}

impl Send {
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.append(name, value.parse().unwrap());
        self
    }

    /// Adds what a client of the current API version with a key sends.
    pub fn key(self, key: &str) -> Self {
        self.header("anthropic-version", "2026-10-21").header("authorization", &format!("Bearer {key}"))
    }

    /// Adds what a client with an access token sends.
    pub fn token(self, token: &str) -> Self {
        self.key(token).header("anthropic-beta", "something-else,oauth-2025-04-20")
    }

    pub async fn send(self) -> Reply {
        let (reply, whole) = self.send_anyhow().await;
        assert!(whole, "the body was cut");
        reply
    }

    /// Sends, and says whether the body came to its end.
    pub async fn send_anyhow(self) -> (Reply, bool) {
        let authority = &self.url[url::Position::BeforeHost..url::Position::AfterPort];
        let stream = TcpStream::connect(authority).await.unwrap();
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        let connection = tokio::spawn(connection);
        let mut request = http::Request::new(Full::new(self.body));
        *request.method_mut() = self.method;
        *request.uri_mut() = self.url[url::Position::BeforePath..url::Position::AfterQuery].parse().unwrap();
        *request.headers_mut() = self.headers;
        request.headers_mut().entry("host").or_insert_with(|| authority.parse().unwrap());
        let (head, mut body) = sender.send_request(request).await.unwrap().into_parts();
        let mut collected = Vec::new();
        let mut whole = true;
        while let Some(frame) = body.frame().await {
            match frame {
                Ok(frame) => collected.extend_from_slice(&frame.into_data().unwrap_or_default()),
                Err(_) => {
                    whole = false;
                    break;
                }
            }
        }
        drop((sender, body));
        let _ = connection.await;
        (Reply { status: head.status, headers: head.headers, body: collected.into() }, whole)
    }
}

pub fn url(server: &MockServer, path: &str) -> Url {
    let base = server.base_url();
    format!("{}{path}", base.as_str().trim_end_matches('/')).parse().unwrap()
}

/// `POST /v1/messages` with one user message and these fields besides.
pub fn message(server: &MockServer, fields: &Value) -> Send {
    let mut body =
        json!({"model": MODEL, "max_tokens": 100, "messages": [{"role": "user", "content": "hello there"}]});
    for (name, value) in fields.as_object().unwrap() {
        body[name] = value.clone();
    }
    post(url(server, "/v1/messages"), body.to_string())
}

/// The query of a good authorization request, with changes: an empty value removes a parameter.
pub fn authorization(server: &MockServer, changes: &[(&str, &str)]) -> Url {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let mut params = vec![
        ("response_type", "code"),
        ("client_id", server.client_id()),
        ("redirect_uri", REDIRECT),
        ("state", "the-state"),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
    ];
    for (name, value) in changes {
        params.retain(|(known, _)| known != name);
        if !value.is_empty() {
            params.push((name, value));
        }
    }
    let mut url = server.authorize_url();
    url.query_pairs_mut().extend_pairs(params);
    url
}

/// Opens the consent page and presses a button; gives the address that the browser is sent to.
pub async fn decide(authorization: Url, decision: &str) -> Url {
    let page = get(authorization.clone()).send().await;
    assert_eq!(page.status, 200, "{}", page.text());
    let form = form(&[
        ("request_id", &hidden(page.text(), "request_id")),
        ("csrf_token", &hidden(page.text(), "csrf_token")),
        ("decision", decision),
    ]);
    let target = authorization.join(&between(page.text(), "action=\"", "\"")).unwrap();
    let reply = post(target, form).send().await;
    assert_eq!(reply.status, 302, "{}", reply.text());
    reply.header("location").parse().unwrap()
}

pub fn hidden(page: &str, name: &str) -> String {
    between(page, &format!("name=\"{name}\" value=\""), "\"")
}

pub fn between(text: &str, before: &str, after: &str) -> String {
    text.split_once(before).unwrap().1.split_once(after).unwrap().0.to_owned()
}

pub fn form(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

pub fn query(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

/// Goes through consent and gives the code.
pub async fn code(server: &MockServer, changes: &[(&str, &str)]) -> String {
    query(&decide(authorization(server, changes), "allow").await, "code").unwrap()
}

/// Sends a token request as a form.
pub async fn token_request(server: &MockServer, pairs: &[(&str, &str)]) -> Reply {
    post(server.token_url(), form(pairs))
        .header("content-type", "application/x-www-form-urlencoded")
        .send()
        .await
}

pub async fn exchange(server: &MockServer, code: &str) -> Reply {
    exchange_with(server, code, REDIRECT, VERIFIER).await
}

pub async fn exchange_with(server: &MockServer, code: &str, redirect_uri: &str, verifier: &str) -> Reply {
    token_request(
        server,
        &[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("code_verifier", verifier),
            ("redirect_uri", redirect_uri),
            ("client_id", server.client_id()),
        ],
    )
    .await
}

pub async fn refresh(server: &MockServer, token: &str) -> Reply {
    token_request(
        server,
        &[("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", server.client_id())],
    )
    .await
}

/// Access and refresh token.
pub fn pair(reply: &Reply) -> (String, String) {
    let body = reply.json();
    assert_eq!(reply.status, 200, "{body}");
    (body["access_token"].as_str().unwrap().to_owned(), body["refresh_token"].as_str().unwrap().to_owned())
}

pub async fn login(server: &MockServer) -> (String, String) {
    pair(&exchange(server, &code(server, &[]).await).await)
}

/// The status of a call with this token.
pub async fn status(server: &MockServer, token: &str) -> u16 {
    get(url(server, "/v1/models")).token(token).send().await.status.as_u16()
}
