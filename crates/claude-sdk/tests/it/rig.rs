//! What the tests share: servers and clients on held clocks, and a browser as far as a login needs one.

use std::{
    error::Error as StdError,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use bytes::Bytes;
use claude_sdk::{
    Client, ClientBuilder,
    auth_core::{self, ScopeSet, Server, Snapshot, Wire},
    credentials::{CredentialProvider, OAuth},
    login::{Browser, BrowserError, Login, PendingLogin},
    token_store::TokenStore,
    transport::{self, Clock, HttpBackend, Request, Response, SimClock, backends::Reqwest},
    types::{MessageRequest, Model},
};
use futures_util::future::poll_immediate;
use mock_server::{Entry, MockServer, leaks};
use secrecy::ExposeSecret;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Semaphore,
};
use url::{Url, form_urlencoded};

/// When every test begins.
pub const T0: Duration = Duration::from_secs(1_800_000_000);
/// How long an access token lives in the tests of a session.
pub const HOUR: Duration = Duration::from_secs(3600);
pub const SCOPES: &str = "user:profile user:inference";
/// How long a login waits for its person, on a clock that is held.
pub const PATIENCE: Duration = Duration::from_secs(300);

pub fn t0() -> SystemTime {
    SystemTime::UNIX_EPOCH + T0
}

/// A server whose clock moves only when told.
pub fn held() -> mock_server::Builder {
    leaks::listen();
    MockServer::builder().clock_held_at(t0())
}

/// The real backend, whatever proxies this machine has.
pub fn backend() -> Reqwest {
    leaks::listen();
    Reqwest::builder().no_proxy().build().unwrap()
}

/// The same, which trusts `server`.
pub fn backend_for(server: &MockServer) -> Reqwest {
    match server.authority() {
        None => backend(),
        Some(authority) => Reqwest::builder().no_proxy().root_certificates(authority).build().unwrap(),
    }
}

/// A client with a key of `server`, and the waits it has slept.
pub fn client(server: &MockServer) -> (ClientBuilder, Waits) {
    let waits = Waits::default();
    let client = Client::builder().base_url(server.base_url()).backend(backend_for(server));
    let client = client.clock(waits.clone());
    (client.api_key(server.api_key()), waits)
}

pub fn hello() -> MessageRequest {
    MessageRequest::new(Model::CLAUDE_HAIKU_4_5, 200).user("hello there")
}

/// What a person would read: the error and its causes.
pub fn told(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// A clock on which short waits are over at once and long ones, the limits, never end.
#[derive(Clone, Debug, Default)]
pub struct Waits(Arc<Mutex<Vec<Duration>>>);

impl Waits {
    const LIMIT: Duration = Duration::from_secs(30);

    pub fn slept(&self) -> Vec<Duration> {
        self.0.lock().unwrap().clone()
    }
}

#[async_trait]
impl Clock for Waits {
    fn now(&self) -> SystemTime {
        t0() + self.slept().iter().sum::<Duration>()
    }

    async fn sleep(&self, duration: Duration) {
        if duration >= Self::LIMIT {
            std::future::pending::<()>().await;
        }
        self.0.lock().unwrap().push(duration);
        tokio::task::yield_now().await;
    }
}

/// A browser that opens nothing and writes down what it was asked to.
#[derive(Clone, Debug, Default)]
pub struct Recorder(Arc<Mutex<Vec<String>>>);

impl Recorder {
    pub fn opened(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Browser for Recorder {
    fn open(&self, page: &str) -> Result<(), BrowserError> {
        self.0.lock().unwrap().push(page.to_owned());
        Ok(())
    }
}

/// An authorization server and what a client of it needs, with both clocks in one hand.
#[derive(Debug)]
pub struct Place {
    pub mock: MockServer,
    pub clock: SimClock,
}

impl Place {
    pub async fn new(mock: mock_server::Builder) -> Self {
        Self { mock: mock.start().await.unwrap(), clock: SimClock::new(t0()) }
    }

    pub fn server(&self) -> Server {
        let server = Server::new(self.mock.token_url()).unwrap();
        let server = server.with_authorization_endpoint(self.mock.authorize_url()).unwrap();
        server.with_issuer(self.mock.issuer()).with_issuer_required().with_wire(Wire::claude())
    }

    pub fn app(&self) -> auth_core::Client {
        auth_core::Client::public(self.mock.client_id())
    }

    pub async fn begin(&self, scopes: &str) -> PendingLogin {
        let login = Login::new(self.server(), self.app()).scopes(ScopeSet::parse(scopes));
        login.clock(self.clock.clone()).begin().await.unwrap()
    }

    /// A whole login, through page, redirect and listener.
    pub async fn login(&self, scopes: &str) -> Snapshot {
        let login = self.begin(scopes).await;
        let url = decide(login.url(), "allow").await;
        let backend = backend();
        let (session, page) = tokio::join!(login.finish(&backend, PATIENCE), get(&url));
        assert_eq!(page.0, 200, "{}", page.1);
        session.unwrap()
    }

    pub async fn open(&self, store: impl TokenStore) -> OAuth {
        self.open_through(store, backend()).await
    }

    pub async fn open_through(&self, store: impl TokenStore, backend: impl HttpBackend) -> OAuth {
        let clock = self.clock.clone();
        OAuth::open_with(
            self.server(),
            self.app(),
            store,
            backend,
            clock,
            claude_sdk::auth_core::Policy::default(),
        )
        .await
        .unwrap()
    }

    pub fn client(&self, oauth: &OAuth) -> Client {
        self.client_through(oauth, backend())
    }

    pub fn client_through(&self, oauth: &OAuth, backend: impl HttpBackend) -> Client {
        let client = Client::builder().base_url(self.mock.base_url()).backend(backend);
        client.clock(self.clock.clone()).credentials(oauth.clone()).build().unwrap()
    }

    pub fn advance(&self, by: Duration) {
        self.mock.advance(by);
        self.clock.advance(by);
    }

    /// Does `work`, in which the token endpoint refuses a refresh token, and lets the client's time go by after that: it
    /// looks into its store a second time before it gives up.
    pub async fn refused<T>(&self, work: impl Future<Output = T>) -> T {
        let before = self.exchanges(400);
        let mut work = std::pin::pin!(work);
        loop {
            if let Some(done) = poll_immediate(&mut work).await {
                return done;
            }
            if self.exchanges(400) > before {
                // Small steps: what has a limit, such as reading that answer, is over long before.
                self.clock.advance(Duration::from_millis(10));
            }
            tokio::task::yield_now().await;
        }
    }

    /// How many exchanges the token endpoint has answered with this status.
    pub fn exchanges(&self, status: u16) -> usize {
        let is_one = |entry: &&Entry| entry.path.ends_with("/oauth/token") && entry.status == status;
        self.mock.journal().iter().filter(is_one).count()
    }
}

pub async fn token(oauth: &OAuth) -> String {
    oauth.credential().await.unwrap().expose().to_owned()
}

pub fn access(snapshot: &Snapshot) -> &str {
    snapshot.access_token.expose_secret()
}

/// Lets everybody else go on until `done`.
pub async fn until(mut done: impl FnMut() -> bool) {
    while !done() {
        tokio::task::yield_now().await;
    }
}

/// Opens the consent page at `url` and presses a button; gives where the browser is sent.
pub async fn decide(url: &Url, decision: &str) -> Url {
    let (status, page) = get(url).await;
    assert_eq!(status, 200, "{page}");
    let mut form = form_urlencoded::Serializer::new(String::new());
    for name in ["request_id", "csrf_token"] {
        form.append_pair(name, between(&page, &format!("name=\"{name}\" value=\""), "\""));
    }
    let form = form.append_pair("decision", decision).finish();
    let target = url.join(between(&page, "action=\"", "\"")).unwrap();
    let request = http::Request::post(target.as_str()).body(Bytes::from(form)).unwrap();
    let response = backend().send(request).await.unwrap();
    assert_eq!(response.status(), 302);
    response.headers()["location"].to_str().unwrap().parse().unwrap()
}

pub async fn get(url: &Url) -> (u16, String) {
    read(http::Request::get(url.as_str()).body(Bytes::new()).unwrap()).await
}

/// Sends a form.
pub async fn post(url: &Url, form: String) -> (u16, String) {
    read(http::Request::post(url.as_str()).body(Bytes::from(form)).unwrap()).await
}

async fn read(request: http::Request<Bytes>) -> (u16, String) {
    let response = backend().send(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect(1 << 20).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

/// Writes `text` to a port of this machine and reads until the other side closes.
pub async fn raw(host: &str, port: u16, text: &str) -> std::io::Result<String> {
    let mut socket = TcpStream::connect((host, port)).await?;
    socket.write_all(text.as_bytes()).await?;
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await?;
    Ok(answer)
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    text.split_once(before).unwrap().1.split_once(after).unwrap().0
}

/// Holds every exchange until the test lets it go.
#[derive(Debug, Clone)]
pub struct Gate {
    pub arrived: Arc<Semaphore>,
    pub open: Arc<Semaphore>,
}

impl Gate {
    pub fn new() -> Self {
        Self { arrived: Arc::new(Semaphore::new(0)), open: Arc::new(Semaphore::new(0)) }
    }
}

#[async_trait]
impl HttpBackend for Gate {
    async fn send(&self, request: Request) -> Result<Response, transport::Error> {
        self.arrived.add_permits(1);
        self.open.acquire().await.unwrap().forget();
        backend().send(request).await
    }
}

/// Gives a token back as somebody else.
pub async fn revoke(place: &Place, token: &str) {
    let mut form = form_urlencoded::Serializer::new(String::new());
    let form = form.append_pair("token", token).append_pair("client_id", place.mock.client_id()).finish();
    let request = http::Request::post(place.mock.revoke_url().as_str());
    let request =
        request.header("content-type", "application/x-www-form-urlencoded").body(form.into()).unwrap();
    assert_eq!(backend().send(request).await.unwrap().status(), 200);
}
