//! Sessions in a real Redis: shared by programs that know nothing of each other, with leases that run out.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    os::unix::process::CommandExt as _,
    process::Command,
    time::{Duration, SystemTime},
};

use auth_core::{Client, Policy, Server, Snapshot, Wire};
use claude_sdk::{
    AuthError, StoreError,
    credentials::{CredentialProvider as _, OAuth},
    secrets::{
        self, ErrorKind, SecretName, SecretProvider as _, SecretStore as _, providers::Redis, test_util,
    },
    token_store::{self, FileTokenStore, SecretTokenStore, Sending, TokenStore as _},
    transport::{self, HttpBackend, Request, Response, SimClock, backends::Reqwest},
};
use e2e::{Process, fleet::World, free_port};
use futures_util::future::join_all;
use mock_server::MockServer;
use secrecy::ExposeSecret as _;
use tempfile::TempDir;

/// When every session begins, for clocks that are held.
const T0: Duration = Duration::from_secs(1_800_000_000);

fn t0() -> SystemTime {
    SystemTime::UNIX_EPOCH + T0
}

fn name() -> SecretName {
    SecretName::new("team/session").unwrap()
}

/// A Redis of the test's own.
struct Place {
    port: u16,
    folder: TempDir,
    more: Vec<&'static str>,
    process: Option<Process>,
}

impl Place {
    fn start(more: &[&'static str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut place = Self { port: free_port().unwrap(), folder, more: more.to_vec(), process: None };
        place.resume();
        place
    }

    fn resume(&mut self) {
        // Debian's package without the service has the server under this name; it goes by the one it is called by.
        let mut command = Command::new("redis-check-rdb");
        command.arg0("redis-server").arg("--port").arg(self.port.to_string());
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "yes", "--appendfsync", "always"]);
        command.arg("--dir").arg(self.folder.path()).args(&self.more);
        let mut process = Process::start(command).unwrap();
        process.wait_for("Ready to accept connections", Duration::from_secs(10)).unwrap();
        self.process = Some(process);
    }

    fn stop(&mut self) {
        self.process = None;
    }

    /// A connection of its own, as another process has one.
    fn redis(&self) -> Redis {
        Redis::new(&format!("redis://127.0.0.1:{}", self.port), "claude").unwrap()
    }

    fn sessions(&self) -> SecretTokenStore {
        SecretTokenStore::new(self.redis(), name())
    }

    /// Says something to the server, past everybody.
    fn tell(&self, line: &str) -> String {
        let mut socket = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        socket.write_all(format!("{line}\r\nQUIT\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer
    }

    /// The lease runs out, as if its time had gone by.
    fn let_the_lease_run_out(&self) {
        assert!(self.tell("DEL {claude:team/session}:lease").starts_with(":1"));
    }
}

fn snapshot(word: &str, life: Duration) -> Snapshot {
    Snapshot {
        access_token: format!("access-{word}").into(),
        refresh_token: Some(format!("refresh-{word}").into()),
        expires_at: Some(t0() + life),
        scopes: None,
        generation: 1,
        extra: serde_json::Map::new(),
    }
}

async fn stored(store: &SecretTokenStore) -> String {
    store.load().await.unwrap().unwrap().access_token.expose_secret().to_owned()
}

#[tokio::test]
async fn redis_keeps_the_contracts_of_secrets_and_of_sessions() {
    let place = Place::start(&[]);
    test_util::store_contract(place.redis(), name()).await;
    let key = SecretName::new("key").unwrap();
    place.redis().put(key.clone(), "canary".to_owned().into()).await.unwrap();
    test_util::contract(place.redis(), key, "canary", name()).await;
    token_store::contract(place.sessions(), place.sessions()).await;
    place.tell("SCRIPT FLUSH");
    token_store::contract(place.sessions(), place.sessions()).await;
}

#[tokio::test]
async fn two_programs_share_a_session_and_spend_its_refresh_token_once() {
    let place = Place::start(&[]);
    let world = expired(&place).await;
    let open = || open(&world, place.sessions(), SimClock::new(t0()));
    let programs = [open().await, open().await];
    let callers = programs.iter().flat_map(|oauth| (0..100).map(move |_| oauth.credential()));
    let tokens: Vec<_> = join_all(callers).await.into_iter().map(Result::unwrap).collect();
    assert!(tokens.iter().all(|token| token.expose() == tokens[0].expose()));
    assert_eq!(tokens[0].expose(), stored(&place.sessions()).await);
    assert_eq!(refreshes(&world), 1);
}

#[tokio::test]
async fn a_holder_that_was_stopped_until_its_lease_ran_out_overwrites_nothing_and_spends_nothing() {
    let place = Place::start(&[]);
    // Its clock stands, so nothing extends its lease.
    let stopped = place.sessions().clock(SimClock::new(t0()));
    stopped.save(snapshot("old", Duration::ZERO)).await.unwrap();
    let lock = stopped.lock().await.unwrap();
    assert_eq!(stopped.prepare(snapshot("old", Duration::ZERO), t0()).await.unwrap(), Sending::First);
    place.let_the_lease_run_out();

    let other = place.sessions();
    let others_lock = other.lock().await.unwrap();
    let again = other.prepare(snapshot("old", Duration::ZERO), t0()).await.unwrap();
    assert_eq!(again, Sending::Again, "it may have been spent");
    other.save(snapshot("new", Duration::from_secs(60))).await.unwrap();
    drop(others_lock);

    let superseded = |error: &StoreError| matches!(error, StoreError::Superseded { .. });
    assert!(superseded(&stopped.save(snapshot("late", Duration::ZERO)).await.unwrap_err()));
    assert!(superseded(&stopped.prepare(snapshot("old", Duration::ZERO), t0()).await.unwrap_err()));
    assert!(superseded(&stopped.remove().await.unwrap_err()));
    assert_eq!(stored(&stopped).await, "access-new", "what is there is taken over");
    drop(lock);
    stopped.lock().await.map(drop).unwrap();
}

#[tokio::test]
async fn an_answer_that_comes_after_a_new_login_gives_way_to_it() {
    let place = Place::start(&[]);
    let world = expired(&place).await;

    /// While the exchange is under way, somebody logs in anew.
    #[derive(Debug)]
    struct Slow(Reqwest, SecretTokenStore);

    #[async_trait::async_trait]
    impl HttpBackend for Slow {
        async fn send(&self, request: Request) -> Result<Response, transport::Error> {
            let response = self.0.send(request).await;
            self.1.save(snapshot("login", Duration::from_secs(99 * 3600))).await.unwrap();
            response
        }
    }

    let backend = Slow(Reqwest::builder().no_proxy().build().unwrap(), place.sessions());
    let clock = SimClock::new(t0());
    let oauth = OAuth::open_with(
        server(&world),
        Client::public(world.server.client_id()),
        place.sessions(),
        backend,
        clock,
        Policy::default(),
    );
    let oauth = oauth.await.unwrap();
    oauth.credential().await.unwrap();
    while oauth.credential().await.unwrap().expose() != "access-login" {
        tokio::task::yield_now().await;
    }
    assert_eq!(stored(&place.sessions()).await, "access-login");
    assert_eq!(refreshes(&world), 1);
}

#[tokio::test]
async fn while_redis_is_down_nothing_is_spent_and_when_it_is_back_the_session_goes_on() {
    let mut place = Place::start(&[]);
    let world = expired(&place).await;
    let clock = SimClock::new(t0());
    let oauth = open(&world, place.sessions(), clock.clone()).await;
    place.stop();
    let error = oauth.credential().await.unwrap_err();
    assert!(
        matches!(&error, AuthError::Store(StoreError::Backend(reason)) if reason.kind() == ErrorKind::Unavailable),
        "{error:?}"
    );
    assert!(error.is_retryable());
    assert_eq!(refreshes(&world), 0);

    place.resume();
    let mut outcome = Err(error);
    while outcome.is_err() {
        clock.advance(Duration::from_secs(60));
        outcome = oauth.credential().await;
    }
    assert_eq!(refreshes(&world), 1);
}

#[tokio::test]
async fn what_redis_refuses_is_told_by_kind_and_without_a_password() {
    let place = Place::start(&["--requirepass", "canary"]);
    let refused = |error: secrets::Error| {
        assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
        error.kind()
    };
    let at = |url: &str| Redis::new(&url.replace("PORT", &place.port.to_string()), "claude").unwrap();
    assert_eq!(refused(at("redis://127.0.0.1:PORT").get(name()).await.unwrap_err()), ErrorKind::Unreadable);
    let wrong = at("redis://:canary-wrong@127.0.0.1:PORT").get(name()).await.unwrap_err();
    assert_eq!(refused(wrong), ErrorKind::Unreadable);
    let right = at("redis://:canary@127.0.0.1:PORT");
    assert!(right.get(name()).await.unwrap().is_none());
    assert!(!format!("{right:?}").contains("canary"));

    let place = Place::start(&[]);
    place.tell("SET {claude:team/session} text");
    assert_eq!(refused(place.redis().get(name()).await.unwrap_err()), ErrorKind::Unreadable);
    let error = place.redis().put(name(), "canary".to_owned().into()).await.unwrap_err();
    assert_eq!(refused(error), ErrorKind::Unreadable);
}

/// A server, and a session of it in Redis whose access token is over.
async fn expired(place: &Place) -> World {
    let world = World::start(MockServer::builder(), "none").await.unwrap();
    let file = FileTokenStore::at(world.file());
    let session = file.load().await.unwrap().unwrap();
    place.sessions().save(Snapshot { expires_at: Some(t0()), ..session }).await.unwrap();
    world
}

/// A program that holds the session, with its own connection to Redis.
async fn open(world: &World, store: SecretTokenStore, clock: SimClock) -> OAuth {
    let backend = Reqwest::builder().no_proxy().build().unwrap();
    let client = Client::public(world.server.client_id());
    OAuth::open_with(server(world), client, store, backend, clock, Policy::default()).await.unwrap()
}

fn server(world: &World) -> Server {
    Server::new(world.server.token_url()).unwrap().with_wire(Wire::claude())
}

/// How many times a refresh token was traded for tokens.
fn refreshes(world: &World) -> usize {
    let is_one = |entry: &&mock_server::Entry| {
        entry.path.ends_with("/oauth/token")
            && entry.status == 200
            && entry.note.is_some_and(|note| note.contains("rotated"))
    };
    world.server.journal().iter().filter(is_one).count()
}
