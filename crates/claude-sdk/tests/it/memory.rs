//! G46: what calls, renewals and stores leave of a secret in the memory of the process once all of them are dropped: nothing.
//!
//! The backend is one that wipes what it was sent and what it answers, for what is not ours would hide what is.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use claude_sdk::{
    Client,
    auth_core::{self, Policy, Server, Snapshot, Wire},
    credentials::OAuth,
    token_store::{FileTokenStore, MemoryTokenStore, TokenStore},
    transport::{Error, HttpBackend, Request, Response, SimClock},
};
use mock_server::leaks::Masked;
use secrecy::{SecretString, zeroize::Zeroizing};

use crate::rig::{hello, t0};

const ACCESS: u8 = 1;
const REFRESH: u8 = 2;
const NEXT_ACCESS: u8 = 3;
const NEXT_REFRESH: u8 = 4;
const CLIENT: u8 = 5;

fn secret(seed: u8) -> SecretString {
    text(&[Part::Secret(seed)]).as_str().into()
}

#[derive(Clone, Copy)]
enum Part {
    Text(&'static str),
    Secret(u8),
}

/// A text with secrets in it, in a place that does not grow and is wiped.
fn text(parts: &[Part]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(1024));
    for part in parts {
        match part {
            Part::Text(part) => text.push_str(part),
            Part::Secret(seed) => text.extend(Masked::new(*seed).bytes().map(char::from)),
        }
    }
    text
}

struct Wiped(Zeroizing<String>);

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// Answers from memory, and counts what secrets there are while a request is under way.
#[derive(Debug, Default, Clone)]
struct Mirror(Arc<Mutex<Vec<String>>>);

#[async_trait]
impl HttpBackend for Mirror {
    async fn send(&self, request: Request) -> Result<Response, Error> {
        let renews = request.uri().path().ends_with("/oauth/token");
        self.0.lock().unwrap().push(request.uri().path().to_owned());
        let answer = if renews {
            text(&[
                Part::Text("{\"token_type\":\"bearer\",\"expires_in\":3600,\"access_token\":\""),
                Part::Secret(NEXT_ACCESS),
                Part::Text("\",\"refresh_token\":\""),
                Part::Secret(NEXT_REFRESH),
                Part::Text("\"}"),
            ])
        } else {
            text(&[Part::Text(
                r#"{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":1,"output_tokens":1}}"#,
            )])
        };
        drop(request);
        let body = Bytes::from_owner(Wiped(answer));
        let response = http::Response::builder().header("content-type", "application/json");
        Ok(response.body(body.into()).unwrap())
    }
}

/// How many copies there are of each of these.
fn copies(seeds: &[u8]) -> Vec<usize> {
    seeds.iter().map(|seed| Masked::new(*seed).copies().unwrap()).collect()
}

#[tokio::test]
async fn a_key_is_nowhere_once_its_client_is_dropped() {
    assert_eq!(copies(&[ACCESS]), [0], "this test has a copy of its own");
    let builder = Client::builder().api_key(secret(ACCESS)).base_url("https://api.example");
    let client = builder.backend(Mirror::default()).build().unwrap();
    assert!(copies(&[ACCESS])[0] > 0, "a key that is in use is found");
    client.messages().create(&hello()).await.unwrap();
    drop(client);
    assert_eq!(copies(&[ACCESS]), [0]);
}

async fn renewed(store: impl TokenStore) {
    let all = [ACCESS, REFRESH, NEXT_ACCESS, NEXT_REFRESH, CLIENT];
    let mirror = Mirror::default();
    let clock = SimClock::new(t0());
    let server =
        Server::new("https://api.example/v1/oauth/token".parse().unwrap()).unwrap().with_wire(Wire::claude());
    let app = auth_core::Client::secret_basic("app", secret(CLIENT));
    let oauth =
        OAuth::open_with(server, app, store, mirror.clone(), clock.clone(), Policy::default()).await.unwrap();
    let client =
        Client::builder().base_url("https://api.example").backend(mirror.clone()).clock(clock.clone());
    let client = client.credentials(oauth.clone()).build().unwrap();
    client.messages().create(&hello()).await.unwrap();
    clock.advance(Duration::from_secs(3590));
    client.messages().create(&hello()).await.unwrap();
    assert!(copies(&[NEXT_REFRESH])[0] > 0, "a token that is in use is found");
    let paths = mirror.0.lock().unwrap().clone();
    assert_eq!(paths, ["/v1/messages", "/v1/oauth/token", "/v1/messages"]);
    drop((client, oauth, mirror));
    // What renews is a task of its own, which ends when nobody is left.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(copies(&all), [0; 5]);
}

fn snapshot() -> Snapshot {
    Snapshot {
        access_token: secret(ACCESS),
        refresh_token: Some(secret(REFRESH)),
        expires_at: Some(t0() + Duration::from_secs(3600)),
        scopes: None,
        generation: 1,
        extra: serde_json::Map::new(),
    }
}

#[tokio::test]
async fn the_tokens_of_a_session_in_memory_are_nowhere_once_it_is_dropped() {
    renewed(MemoryTokenStore::new(snapshot())).await;
}

#[tokio::test]
async fn the_tokens_of_a_session_in_a_file_are_nowhere_once_it_is_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let store = FileTokenStore::new(folder.path(), "work").unwrap();
    store.save(snapshot()).await.unwrap();
    assert_eq!(copies(&[ACCESS, REFRESH]), [0; 2], "once it is written");
    renewed(store).await;
}
