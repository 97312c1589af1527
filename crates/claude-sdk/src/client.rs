//! The client: one value that is cheap to clone, made once and shared.

use std::{
    borrow::Cow,
    fmt,
    future::poll_fn,
    panic::AssertUnwindSafe,
    pin::pin,
    sync::{Arc, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{Method, Uri};
use serde::Serialize;
use serde_json::{Map, Value};
use transport::{Clock, Deadline, ErrorKind, HttpBackend, Patience, Reach};

use crate::{
    config::BaseUrl,
    credentials::{Credential, CredentialProvider},
    error::{ConfigError, Error},
    estimates::Estimate,
    layers::Charge,
    limits::{ModelClasses, RateLimits},
    metrics::{Call, Meter, operation},
    pipeline::Pipeline,
    resources::{Batches, Files, Messages, Models, Organization, Raw, Skills, UserProfiles},
    types::value_of,
};

mod builder;
mod options;
mod origin;

pub use builder::ClientBuilder;
pub use options::RequestOptions;

use options::Checked;

/// A client of the Claude API.
///
/// Clones share connections, credentials, limiter and retries. Methods take `&self`, so one client serves any
/// number of tasks.
///
/// ```no_run
/// use claude_sdk::{Client, types::{MessageRequest, Model}};
///
/// # async fn run() -> Result<(), claude_sdk::Error> {
/// let client = Client::from_env()?;
/// let request = MessageRequest::new(Model::CLAUDE_HAIKU_4_5, 200).user("Hello!");
/// let message = client.messages().create(&request).await?;
/// println!("{}", message.text());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client(Arc<Inner>);

#[derive(Clone)]
struct Inner {
    pipeline: Pipeline,
    credentials: Arc<dyn CredentialProvider>,
    clock: Arc<dyn Clock>,
    base: BaseUrl,
    /// Where most calls go, with the query of the options.
    messages: Uri,
    options: Checked,
    /// What the limiter counts a message under.
    classes: Arc<ModelClasses>,
    traces_bodies: bool,
    /// How long a stream may go without an event that is more than a sign of life.
    progress: Duration,
    /// Whether the timeout was chosen by whoever made the client.
    has_timeout: bool,
}

impl Client {
    /// Sets up a client step by step.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// A client as the environment and the profiles say: `ANTHROPIC_BASE_URL`, and the first credential that
    /// [`Resolution::of`](crate::credentials::Resolution::of) finds: a key, a token, a workload's identity, or a login.
    ///
    /// An empty variable counts as unset, as in the official SDKs.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] where none of these is set up, or the first that is cannot be used.
    #[cfg(feature = "reqwest")]
    pub fn from_env() -> Result<Self, Error> {
        Self::builder().environment(&secrets::providers::Env::process())?.build()
    }

    /// Create, stream and count messages.
    #[must_use]
    pub fn messages(&self) -> Messages<'_> {
        Messages(self)
    }

    /// Messages in batches.
    #[must_use]
    pub fn batches(&self) -> Batches<'_> {
        Batches(self)
    }

    /// Files that messages refer to.
    #[must_use]
    pub fn files(&self) -> Files<'_> {
        Files(self)
    }

    /// Skills, and their versions.
    #[must_use]
    pub fn skills(&self) -> Skills<'_> {
        Skills(self)
    }

    /// What the service is told about the people an application acts for.
    #[must_use]
    pub fn user_profiles(&self) -> UserProfiles<'_> {
        UserProfiles(self)
    }

    /// A client whose calls carry `options`, on top of those this one already has; everything else it shares with this
    /// one.
    ///
    /// ```
    /// use claude_sdk::{Client, RequestOptions, types::{MessageRequest, Model}};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = mock_server::MockServer::start().await?;
    /// # let client = Client::builder().api_key(server.api_key()).base_url(server.base_url()).build()?;
    /// let request = MessageRequest::new(Model::CLAUDE_HAIKU_4_5, 200).user("Hello!");
    /// let once = client.with_options(RequestOptions::new().header("x-job", "nightly").max_retries(0))?;
    /// once.messages().create(&request).await?;
    /// # assert_eq!(server.journal().pop().unwrap().header("x-job"), Some("nightly"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ConfigError`] where a header or a member is one that the client must know itself, or no header can carry it.
    #[inline]
    pub fn with_options(&self, options: RequestOptions) -> Result<Self, ConfigError> {
        let options = self.0.options.with(options)?;
        let messages = self.0.base.uri(&routed(MESSAGES, &options.query))?;
        Ok(Self(Arc::new(Inner { messages, options, ..(*self.0).clone() })))
    }

    /// Any route of the API, for what has no type here yet.
    #[must_use]
    pub fn raw(&self) -> Raw<'_> {
        Raw(self)
    }

    /// The models this credential may use.
    #[must_use]
    pub fn models(&self) -> Models<'_> {
        Models(self)
    }

    /// What the organization may know about itself.
    #[must_use]
    pub fn organization(&self) -> Organization<'_> {
        Organization(self)
    }

    /// The rate limits the newest answer reported; empty before the first one.
    #[must_use]
    pub fn limits(&self) -> RateLimits {
        self.0.pipeline.reported.lock().unwrap_or_else(PoisonError::into_inner).read()
    }

    /// Waits until a renewal of the credential that is under way is stored, for a bounded time; `false` where it is not
    /// by then. Call it before a program ends while calls are under way: what a refresh token was spent for would be lost.
    pub async fn flush(&self) -> bool {
        (*self.0.credentials).flush().await
    }

    /// Says what messages are charged, where a limiter wants to know.
    pub(crate) fn estimate(&self) -> Option<&Arc<dyn Estimate>> {
        self.0.pipeline.estimate.as_ref()
    }

    /// A call begins, where calls are measured.
    pub(crate) fn meter(&self, operation: &'static str, model: Option<&str>) -> Option<Meter> {
        Some(self.0.pipeline.meters.as_ref()?.begin(operation, model))
    }

    pub(crate) fn classes(&self) -> &ModelClasses {
        &self.0.classes
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }

    /// What a stream has for the next event that is more than a sign of life.
    pub(crate) fn patience(&self) -> Patience {
        Patience::new(Arc::clone(&self.0.clock), self.0.progress)
    }

    /// The host of the base URL.
    pub(crate) fn host(&self) -> Option<&str> {
        self.0.messages.host()
    }

    /// The port of the base URL, its default included.
    pub(crate) fn port(&self) -> Option<u16> {
        self.0.base.as_url().port_or_known_default()
    }

    /// Whether what is said in a call may be in its span.
    pub(crate) fn traces_bodies(&self) -> bool {
        self.0.traces_bodies
    }

    /// The credential that a call would be sent with, where that is known at once.
    pub(crate) fn credential_at_hand(&self) -> Option<Credential> {
        self.0.credentials.ready()
    }

    /// The members that the options add to a body.
    pub(crate) fn extra(&self) -> &Map<String, Value> {
        &self.0.options.extra
    }

    /// `body` as JSON, with the members that the options add.
    #[inline]
    pub(crate) fn encode(&self, body: &(impl Serialize + ?Sized)) -> Result<Bytes, serde_json::Error> {
        if self.extra().is_empty() {
            // Enough for a question, and small enough to be had at once.
            let mut json = Vec::with_capacity(1000);
            return serde_json::to_writer(&mut json, body).map(|()| Bytes::from(json));
        }
        let mut body = value_of(body)?;
        if let Value::Object(members) = &mut body {
            members.extend(self.extra().clone());
        }
        serde_json::to_vec(&body).map(Bytes::from)
    }

    /// A request to `route`.
    #[inline]
    pub(crate) fn request(
        &self,
        method: Method,
        route: &str,
        body: Bytes,
        charge: impl FnOnce(&Arc<dyn Estimate>) -> Charge,
    ) -> Result<transport::Request, Error> {
        let mut request = http::Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = match route == MESSAGES {
            true => self.0.messages.clone(),
            false => self.0.base.uri(&routed(route, &self.0.options.query))?,
        };
        self.0.options.apply(&mut request);
        // One that no clock can name never comes.
        if let Some(at) = self.0.options.deadline.and_then(|within| self.0.clock.now().checked_add(within)) {
            request.extensions_mut().insert(Deadline(at));
        }
        if let Some(estimate) = &self.0.pipeline.estimate {
            let mut charge = charge(estimate);
            charge.key = self.0.options.on_behalf(charge.key);
            request.extensions_mut().insert(charge);
        }
        Ok(request)
    }

    /// Whether an answer may take as long as it likes, because somebody has said how long that is.
    pub(crate) fn has_timeout(&self) -> bool {
        self.0.has_timeout || self.0.options.limits_time()
    }

    /// Makes a call whose answer is read by `read`, and measures it.
    pub(crate) async fn call<T, F: Future<Output = Result<T, Error>>>(
        &self,
        request: transport::Request,
        read: impl FnOnce(transport::Response) -> F,
    ) -> Result<T, Error> {
        let mut meter = self.meter(operation(self.0.base.as_url().path(), request.uri().path()), None);
        let outcome = match self.send(request, meter.as_mut()).await {
            Ok(response) => read(response).await,
            Err(error) => Err(error),
        };
        match (&mut meter, &outcome) {
            (Some(meter), Ok(_)) => meter.succeeds(),
            (Some(meter), Err(error)) => meter.fails(error),
            (None, _) => {}
        }
        outcome
    }

    pub(crate) async fn send(
        &self,
        request: transport::Request,
        meter: Option<&mut Meter>,
    ) -> Result<transport::Response, Error> {
        // Everything of the user's that is called on the way is called when this is polled: the outermost layer does
        // nothing before.
        let mut sending = pin!(AssertUnwindSafe(self.0.pipeline.backend.send(request)).catch_unwind());
        // A call that is not measured may be made in the midst of one that is, and has no part in it.
        let mut none = None;
        let call = meter.map_or(&mut none, Meter::call);
        let answer = poll_fn(|cx| Call::within(call, || sending.as_mut().poll(cx))).await;
        let panicked = |_| transport::Error::bare(ErrorKind::Panicked, Reach::MaybeSent);
        Ok(answer.unwrap_or_else(|panic| Err(panicked(panic)))?)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("base_url", &self.0.base.as_url().as_str()).finish_non_exhaustive()
    }
}

/// A route with one more query.
fn routed<'a>(route: &'a str, query: &str) -> Cow<'a, str> {
    match (query, route.contains('?')) {
        ("", _) => route.into(),
        (query, true) => format!("{route}&{query}").into(),
        (query, false) => format!("{route}?{query}").into(),
    }
}

/// The route most calls go to.
pub(crate) const MESSAGES: &str = "v1/messages";
