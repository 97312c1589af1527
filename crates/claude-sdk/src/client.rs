//! The client: one value that is cheap to clone, made once and shared.

use std::{
    fmt,
    sync::{Arc, PoisonError},
    time::SystemTime,
};

use bytes::Bytes;
use http::{HeaderValue, Method, header};
use transport::{Clock, HttpBackend};

use crate::{
    config::BaseUrl,
    credentials::CredentialProvider,
    error::Error,
    layers::Charge,
    limits::RateLimits,
    pipeline::Pipeline,
    resources::{Messages, Models},
};

mod builder;

pub use builder::ClientBuilder;

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

struct Inner {
    pipeline: Pipeline,
    credentials: Arc<dyn CredentialProvider>,
    clock: Arc<dyn Clock>,
    base: BaseUrl,
    betas: Vec<HeaderValue>,
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
    /// [`Error::Config`] where neither variable is set, or one cannot be used.
    #[cfg(feature = "reqwest")]
    pub fn from_env() -> Result<Self, Error> {
        Self::builder().environment(&secrets::providers::Env::process())?.build()
    }

    /// Create, stream and count messages.
    #[must_use]
    pub fn messages(&self) -> Messages<'_> {
        Messages(self)
    }

    /// The models this credential may use.
    #[must_use]
    pub fn models(&self) -> Models<'_> {
        Models(self)
    }

    /// The rate limits the newest answer reported; empty before the first one.
    #[must_use]
    pub fn limits(&self) -> RateLimits {
        *self.0.pipeline.reported.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a renewal of the credential that is under way is stored, for a bounded time; `false` where it is not
    /// by then. Call it before a program ends while calls are under way: what a refresh token was spent for would be lost.
    pub async fn flush(&self) -> bool {
        self.0.credentials.flush().await
    }

    pub(crate) fn now(&self) -> SystemTime {
        self.0.clock.now()
    }

    /// A request to `route`, with what every request carries.
    pub(crate) fn request(
        &self,
        method: Method,
        route: &str,
        body: Option<Bytes>,
        charge: Charge,
    ) -> Result<transport::Request, Error> {
        let uri = self.0.base.uri(route)?;
        let mut request = http::Request::new(Bytes::new());
        let headers = request.headers_mut();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
        for beta in &self.0.betas {
            headers.append("anthropic-beta", beta.clone());
        }
        if let Some(body) = body {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            *request.body_mut() = body;
        }
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        request.extensions_mut().insert(charge);
        Ok(request)
    }

    pub(crate) async fn send(&self, request: transport::Request) -> Result<transport::Response, Error> {
        Ok(self.0.pipeline.backend.send(request).await?)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("base_url", &self.0.base.as_url().as_str()).finish_non_exhaustive()
    }
}

const USER_AGENT: &str = concat!("claude-sdk-rust/", env!("CARGO_PKG_VERSION"));
