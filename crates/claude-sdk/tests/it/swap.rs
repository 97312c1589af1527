//! Every seam, filled by something this crate has never heard of.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use claude_sdk::{
    AuthError, Client, Error, StoreError,
    auth_core::Snapshot,
    credentials::{Credential, CredentialProvider, FromSecret},
    mcp::{self, McpCaller},
    memory::{MemoryCommand, MemoryStore, MemoryTool},
    ratelimit::{self, Cost, Key, Observation, Permit, RateLimiter},
    secrets::{self, Secret, SecretName, SecretProvider},
    token_store::{Sending, StoreLock, TokenStore},
    tools::ToolError,
    transport::{
        self, Body, Clock, HttpBackend, Request, Response,
        layers::{Outcome, RetryPolicy, Verdict},
    },
};
use http::StatusCode;
use mock_server::Reply;
use serde_json::{Value, json};

use crate::rig::{Place, backend, client, held, hello, t0};

/// Answers every message with the request's own method and path.
#[derive(Debug)]
struct Parrot;

#[async_trait]
impl HttpBackend for Parrot {
    async fn send(&self, request: Request) -> Result<Response, transport::Error> {
        let body = json!({
            "id": "msg_parrot", "type": "message", "role": "assistant", "model": "claude-opus-5",
            "content": [{"type": "text", "text": format!("{} {}", request.method(), request.uri())}],
            "stop_reason": "end_turn", "stop_sequence": null, "usage": {"input_tokens": 1, "output_tokens": 1}
        });
        let response = http::Response::builder().header("content-type", "application/json");
        Ok(response.body(Body::from(body.to_string())).unwrap())
    }
}

#[tokio::test]
async fn a_backend() {
    let client = Client::builder().api_key("sk-ant-key").backend(Parrot).build().unwrap();
    let message = client.messages().create(&hello()).await.unwrap();
    assert_eq!(message.text(), "POST https://api.anthropic.com/v1/messages");
}

/// Lets `places` calls through and remembers what it hears.
#[derive(Debug, Clone)]
struct Doorkeeper(Arc<Mutex<Door>>);

#[derive(Debug, Default)]
struct Door {
    places: u32,
    asked: Vec<(Key, Cost, Duration)>,
    settled: Vec<Option<Cost>>,
    observed: Vec<Observation>,
}

#[async_trait]
impl RateLimiter for Doorkeeper {
    async fn acquire(&self, key: Key, cost: Cost, max_wait: Duration) -> Result<Permit, ratelimit::Error> {
        let mut door = self.0.lock().unwrap();
        door.asked.push((key, cost, max_wait));
        if door.places == 0 {
            return Err(ratelimit::Error::WouldWait { wait: Duration::from_secs(90), max_wait });
        }
        door.places -= 1;
        let keeper = self.clone();
        Ok(Permit::new(move |actual| keeper.0.lock().unwrap().settled.push(actual)))
    }

    fn observe(&self, _: &Key, seen: &Observation) {
        self.0.lock().unwrap().observed.push(*seen);
    }
}

#[tokio::test]
async fn a_rate_limiter_that_is_asked_for_every_attempt_and_told_what_it_cost() {
    let server = held().start().await.unwrap();
    let keeper = Doorkeeper(Arc::new(Mutex::new(Door { places: 3, ..Door::default() })));
    let (builder, _) = client(&server);
    let limited = builder.rate_limiter(keeper.clone()).rate_limiter_max_wait(Duration::from_secs(7));
    let client = limited.build().unwrap();
    server.set_script([Reply::error(StatusCode::from_u16(529).unwrap(), "overloaded_error", "later")]);

    let whole = client.messages().create(&hello()).await.unwrap();
    let streamed = client.messages().stream(&hello()).await.unwrap().final_message().await.unwrap();
    let error = client.messages().create(&hello()).await.unwrap_err();

    assert!(matches!(error, Error::RateLimit(..)), "{error:?}");
    assert_eq!((error.retry_after(), error.attempts()), (Some(Duration::from_secs(90)), 0));
    assert_eq!(server.journal_len(), 3, "what the limiter refuses is not sent");
    let door = keeper.0.lock().unwrap();
    assert_eq!(door.asked.len(), 4, "the retry has asked too");
    for (key, cost, max_wait) in &door.asked {
        assert_eq!((key.as_str(), cost.requests, cost.output_tokens), ("claude-haiku-4", 1, 200));
        assert!(cost.input_tokens > 0 && *max_wait == Duration::from_secs(7));
    }
    let actual = |usage: &claude_sdk::types::Usage| {
        Some(Cost::requests(1).with_input_tokens(usage.input_tokens).with_output_tokens(usage.output_tokens))
    };
    assert_eq!(
        door.settled,
        [Some(Cost::requests(1)), actual(&whole.usage), actual(&streamed.usage)],
        "the failed attempt has cost a request"
    );
    let remaining: Vec<_> =
        door.observed.iter().map(|seen| seen.requests.and_then(|window| window.remaining)).collect();
    assert_eq!(remaining, [Some(999), Some(998), Some(997)]);
}

/// A vault that hands out another key each time, then none, then breaks.
#[derive(Debug)]
struct Vault(Mutex<VecDeque<String>>);

#[async_trait]
impl SecretProvider for Vault {
    async fn get(&self, name: SecretName) -> Result<Option<Secret>, secrets::Error> {
        assert_eq!(name.as_str(), "team/claude");
        match self.0.lock().unwrap().pop_front().as_deref() {
            Some("") => Ok(None),
            Some(key) => Ok(Some(Secret::from(key.to_owned()))),
            None => Err(secrets::Error::new(secrets::ErrorKind::Unavailable, "the vault")),
        }
    }
}

#[tokio::test]
async fn a_secret_backend_whose_rotated_key_is_picked_up() {
    let server = held().start().await.unwrap();
    let keys = ["first-key", server.api_key(), ""].map(str::to_owned);
    let provider = FromSecret::new(Vault(Mutex::new(keys.into())), SecretName::new("team/claude").unwrap());
    let client = client(&server).0.credentials(provider).build().unwrap();

    assert_eq!(client.models().list().await.unwrap_err().status(), Some(StatusCode::UNAUTHORIZED));
    client.models().list().await.unwrap();
    let missing = client.models().list().await.unwrap_err();
    assert!(
        matches!(&missing, Error::Auth(AuthError::MissingSecret { name }, ..) if name == "team/claude"),
        "{missing:?}"
    );
    let broken = client.models().list().await.unwrap_err();
    assert!(matches!(broken, Error::Auth(AuthError::Secret { .. }, ..)), "{broken:?}");
    assert!(broken.to_string().contains("the vault cannot be asked right now"), "{broken}");
    assert_eq!(server.journal_len(), 2);
}

/// Tokens of a list; a refusal moves on to the next.
#[derive(Debug)]
struct Deck {
    tokens: Vec<String>,
    top: Mutex<usize>,
}

#[async_trait]
impl CredentialProvider for Deck {
    async fn credential(&self) -> Result<Credential, AuthError> {
        let top = *self.top.lock().unwrap();
        Credential::token(self.tokens[top].clone().into(), top as u64)
    }

    fn reject(&self, refused: &Credential) {
        let mut top = self.top.lock().unwrap();
        if refused.generation() == *top as u64 && *top + 1 < self.tokens.len() {
            *top += 1;
        }
    }
}

#[tokio::test]
async fn a_credential_source_that_hears_of_refusals() {
    let place = Place::new(held()).await;
    let good = place.login("user:inference").await;
    let tokens = vec!["revoked-token".to_owned(), crate::rig::access(&good).to_owned()];
    let deck = Arc::new(Deck { tokens, top: Mutex::new(0) });
    let (builder, _) = client(&place.mock);
    let client = builder.credentials(Arc::clone(&deck)).build().unwrap();

    client.messages().create(&hello()).await.unwrap();

    assert_eq!(*deck.top.lock().unwrap(), 1);
    let statuses: Vec<u16> = place
        .mock
        .journal()
        .iter()
        .filter(|entry| entry.path == "/v1/messages")
        .map(|entry| entry.status.as_u16())
        .collect();
    assert_eq!(statuses, [401, 200]);
}

/// A store that remembers in which order it was used.
#[derive(Debug)]
struct Ledger {
    snapshot: Mutex<Snapshot>,
    used: Arc<Mutex<Vec<&'static str>>>,
}

struct Unlock(Arc<Mutex<Vec<&'static str>>>);

impl Drop for Unlock {
    fn drop(&mut self) {
        self.0.lock().unwrap().push("unlock");
    }
}

#[async_trait]
impl TokenStore for Ledger {
    async fn load(&self) -> Result<Option<Snapshot>, StoreError> {
        self.used.lock().unwrap().push("load");
        Ok(Some(self.snapshot.lock().unwrap().clone()))
    }

    async fn save(&self, snapshot: Snapshot) -> Result<(), StoreError> {
        self.used.lock().unwrap().push("save");
        *self.snapshot.lock().unwrap() = snapshot;
        Ok(())
    }

    async fn remove(&self) -> Result<(), StoreError> {
        self.used.lock().unwrap().push("remove");
        Ok(())
    }

    async fn lock(&self) -> Result<StoreLock, StoreError> {
        self.used.lock().unwrap().push("lock");
        Ok(StoreLock::new(Unlock(Arc::clone(&self.used))))
    }

    async fn prepare(&self, _: Snapshot, _: SystemTime) -> Result<Sending, StoreError> {
        self.used.lock().unwrap().push("prepare");
        Ok(Sending::First)
    }
}

#[tokio::test]
async fn a_token_store_that_is_locked_read_again_written_and_unlocked() {
    let place = Place::new(held()).await;
    let used = Arc::default();
    let ledger =
        Ledger { snapshot: Mutex::new(place.login("user:inference").await), used: Arc::clone(&used) };
    let oauth = place.open(ledger).await;
    place.advance(Duration::from_secs(9 * 3600));

    oauth.credential().await.unwrap();
    crate::rig::until(|| used.lock().unwrap().last() == Some(&"unlock")).await;

    assert_eq!(*used.lock().unwrap(), ["load", "lock", "load", "prepare", "save", "unlock"]);
}

/// Tries a teapot once more, after nine seconds, and nothing else ever.
#[derive(Debug)]
struct TeaTime;

impl RetryPolicy for TeaTime {
    fn verdict(&self, attempt: u32, _: &Request, outcome: Outcome<'_>) -> Verdict {
        match outcome {
            Outcome::Response { head, .. } if head.status == StatusCode::IM_A_TEAPOT && attempt == 1 => {
                Verdict::Retry { at_least: Duration::from_secs(9), jitter: Duration::ZERO, cost: 1 }
            }
            _ => Verdict::Return,
        }
    }
}

#[tokio::test]
async fn a_retry_policy() {
    let server = held().start().await.unwrap();
    let (builder, waits) = client(&server);
    let client = builder.retry_policy(TeaTime).build().unwrap();
    let error = |status: u16| Reply::error(StatusCode::from_u16(status).unwrap(), "api_error", "no");

    server.set_script([error(418)]);
    assert_eq!(client.messages().create(&hello()).await.unwrap().retries_taken(), 1);
    assert_eq!(waits.slept(), [Duration::from_secs(9)]);
    server.set_script([error(529)]);
    assert_eq!(client.messages().create(&hello()).await.unwrap_err().attempts(), 1);
}

/// A clock that stopped an hour after the tests' beginning, and whose sleeps are over at once.
#[derive(Debug)]
struct Stopped;

#[async_trait]
impl Clock for Stopped {
    fn now(&self) -> SystemTime {
        t0() + Duration::from_secs(3600)
    }

    async fn sleep(&self, duration: Duration) {
        if duration > Duration::from_secs(30) {
            std::future::pending::<()>().await;
        }
    }
}

#[tokio::test]
async fn a_clock_that_says_how_long_a_limit_still_is() {
    let server = held().requests_per_minute(60).start().await.unwrap();
    server.advance(Duration::from_secs(3600));
    let client = Client::builder().base_url(server.base_url()).api_key(server.api_key());
    let client = client.backend(backend()).clock(Stopped).build().unwrap();
    client.messages().create(&hello()).await.unwrap();
    assert_eq!(client.limits().requests.reset_after, Some(Duration::from_secs(1)));
}

/// A memory in a map, which knows two commands.
#[derive(Debug, Default)]
struct Notes(Mutex<std::collections::BTreeMap<String, String>>);

#[async_trait]
impl MemoryStore for Notes {
    async fn run(&self, command: MemoryCommand) -> Result<String, ToolError> {
        let mut notes = self.0.lock().unwrap();
        match command {
            MemoryCommand::Create { path, file_text } => {
                notes.insert(path.to_string(), file_text);
                Ok(format!("{path} is noted"))
            }
            MemoryCommand::View { path, .. } => {
                notes.get(&path.to_string()).cloned().ok_or_else(|| ToolError::new("there is no such note"))
            }
            _ => Err(ToolError::new("only `create` and `view` work here")),
        }
    }
}

/// A session with a server of tools.
#[derive(Debug)]
struct Library;

#[async_trait]
impl McpCaller for Library {
    async fn call_tool(&self, name: &str, arguments: Value) -> Result<Value, ToolError> {
        let title = arguments["title"].as_str().ok_or_else(|| ToolError::new("which book?"))?;
        Ok(json!({"content": [{"type": "text", "text": format!("{name}: {title} is lent out")}]}))
    }
}

#[tokio::test]
async fn a_memory_and_a_caller_of_mcp_servers() {
    let calls = [
        json!({"type": "tool_use", "id": "t1", "name": "memory",
            "input": {"command": "create", "path": "/memories/tea.md", "file_text": "Ada drinks tea."}}),
        json!({"type": "tool_use", "id": "t2", "name": "memory",
            "input": {"command": "view", "path": "/memories/../etc/passwd"}}),
        json!({"type": "tool_use", "id": "t3", "name": "memory", "input": {"command": "delete", "path": "/memories/tea.md"}}),
        json!({"type": "tool_use", "id": "t4", "name": "find", "input": {"title": "Emma"}}),
        json!({"type": "tool_use", "id": "t5", "name": "find", "input": {}}),
    ];
    let server = held().script([Reply::message(calls), Reply::text("done")]).start().await.unwrap();
    let client = client(&server).0.build().unwrap();
    let session: Arc<dyn McpCaller> = Arc::new(Library);
    let listed = json!({"tools": [{"name": "find", "inputSchema": {"type": "object"}}]});
    let memory = MemoryTool::new(Notes::default());
    let runner = client.messages().tool_runner(hello()).tool(memory);
    let mut runner = runner.tools(mcp::handlers(&listed, &session).unwrap());
    runner.finish().await.unwrap();
    let told = serde_json::to_value(&runner.conversation()[2]).unwrap()["content"].take();
    assert_eq!(told[0]["content"], "/memories/tea.md is noted");
    assert_eq!(told[3]["content"], json!([{"type": "text", "text": "find: Emma is lent out"}]));
    for (place, part) in [(1, "dot"), (2, "only `create` and `view`"), (4, "which book?")] {
        assert_eq!(told[place]["is_error"], true, "{told}");
        assert!(told[place]["content"].as_str().unwrap().contains(part), "{told}");
    }
}
