//! The client for programs that are not async: same names, same answers, same errors, and a thread that waits.
//!
//! ```
//! use claude_sdk::{blocking, types::{MessageRequest, Model}};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let runtime = tokio::runtime::Runtime::new()?;
//! # let server = runtime.block_on(mock_server::MockServer::start())?;
//! # let (key, base_url) = (server.api_key().to_owned(), server.base_url());
//! let client = claude_sdk::Client::builder().api_key(key).base_url(base_url).build()?;
//! let client = blocking::Client::new(client)?; // or blocking::Client::from_env()?
//!
//! let request = MessageRequest::new(Model::CLAUDE_HAIKU_4_5, 200).user("Hello!");
//! println!("{}", client.messages().create(&request)?.text());
//!
//! let mut stream = client.messages().stream(&request)?;
//! for text in stream.text_stream() {
//!     print!("{}", text?);
//! }
//! let message = stream.final_message()?; // an error if the stream was cut
//! # assert!(message.text().contains("Hello"));
//! # Ok(())
//! # }
//! ```
//!
//! All work is done on one thread of the client's own, by the async client; nothing is done twice here. Whatever has no
//! blocking form is reached by [`Client::run`] and [`Client::iter`].
//!
//! It may be called inside an async runtime and does not panic there; but it holds up the thread it is called on, and with
//! it the runtime's other tasks. Use the async client there, or `spawn_blocking`.

use std::{fmt, future::Future, sync::Arc};

use futures_core::Stream;

use crate::{
    client::RequestOptions,
    error::{ConfigError, Error},
    limits::RateLimits,
    reply::Reply,
    types::{Message, MessageRequest, TokenCount},
};

mod iter;
mod job;
mod list;
mod raw;
mod resources;
mod runner;
mod stream;
mod visitor;
mod worker;

pub use iter::Iter;
pub use job::BatchJob;
pub use list::List;
pub use raw::{Raw, RawRequest};
pub use resources::{Batches, Files, Models, Organization, Skills, UserProfiles};
pub use runner::ToolRunner;
pub use stream::{MessageStream, TextStream};

use worker::Worker;

/// A client whose calls wait for their answers.
///
/// Clones share one thread, which ends when the last of them and of their streams is gone.
///
/// Example: [`blocking`](crate::blocking).
#[derive(Clone)]
pub struct Client {
    client: crate::Client,
    worker: Arc<Worker>,
}

impl Client {
    /// A blocking client that does what `client` does, in the same limits and with the same credential.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Thread`] where no thread can be started.
    pub fn new(client: crate::Client) -> Result<Self, Error> {
        let worker = Arc::new(Worker::start(client.clone()).map_err(ConfigError::Thread)?);
        Ok(Self { client, worker })
    }

    /// A client as the environment and the profiles say: see [`Client::from_env`](crate::Client::from_env).
    ///
    /// # Errors
    ///
    /// As there, and [`ConfigError::Thread`].
    #[cfg(feature = "reqwest")]
    pub fn from_env() -> Result<Self, Error> {
        Self::new(crate::Client::from_env()?)
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

    /// Batches of messages.
    #[must_use]
    pub fn batches(&self) -> Batches<'_> {
        Batches(self)
    }

    /// Uploaded files.
    #[must_use]
    pub fn files(&self) -> Files<'_> {
        Files(self)
    }

    /// Skills, and their versions.
    #[must_use]
    pub fn skills(&self) -> Skills<'_> {
        Skills(self)
    }

    /// What your application tells the service about the people it acts for.
    #[must_use]
    pub fn user_profiles(&self) -> UserProfiles<'_> {
        UserProfiles(self)
    }

    /// What the organization may know about itself.
    #[must_use]
    pub fn organization(&self) -> Organization<'_> {
        Organization(self)
    }

    /// Any route of the API, for what has no type here yet.
    #[must_use]
    pub fn raw(&self) -> Raw<'_> {
        Raw(self)
    }

    /// A client whose calls carry `options`: see [`Client::with_options`](crate::Client::with_options).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn with_options(&self, options: RequestOptions) -> Result<Self, ConfigError> {
        Ok(Self { client: self.client.with_options(options)?, worker: Arc::clone(&self.worker) })
    }

    /// The rate limits the newest answer reported; empty before the first one.
    #[must_use]
    pub fn limits(&self) -> RateLimits {
        self.client.limits()
    }

    /// Waits until a renewal of the credential that is under way is stored: see [`Client::flush`](crate::Client::flush).
    #[must_use]
    pub fn flush(&self) -> bool {
        self.run(|client| async move { Ok::<_, Error>(client.flush().await) }).unwrap_or(false)
    }

    /// Waits for anything that the async client can do.
    ///
    /// ```no_run
    /// # use claude_sdk::{blocking::Client, Error, types::{Message, MessageRequest}};
    /// # fn run(client: Client, request: MessageRequest) -> Result<(), Error> {
    /// // Several calls at once.
    /// let both: (Message, Message) = client.run(|client| async move {
    ///     let (one, other) = tokio::try_join!(client.messages().create(&request), client.messages().create(&request))?;
    ///     Ok::<_, Error>((one.into_inner(), other.into_inner()))
    /// })?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// What `work` fails with, and [`Error::Transport`] where it panics.
    pub fn run<T, E, F>(&self, work: impl FnOnce(crate::Client) -> F) -> Result<T, E>
    where
        F: Future<Output = Result<T, E>> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.worker.wait(work(self.client.clone()))?
    }
}

impl Client {
    /// Waits for the items of any stream that the async client gives.
    ///
    /// ```no_run
    /// # use claude_sdk::{blocking::Client, Error};
    /// # fn run(client: Client) -> Result<(), Error> {
    /// for agent in client.iter(|client| client.raw().get("/v1/agents").list(claude_sdk::Paging::Cursor).items()) {
    ///     println!("{}", agent?["id"]);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn iter<S, T, E>(&self, make: impl FnOnce(&crate::Client) -> S) -> Iter<S>
    where
        S: Stream<Item = Result<T, E>> + Unpin + Send + 'static,
    {
        Iter::new(make(&self.client), Arc::clone(&self.worker))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Client").field(&self.client).finish()
    }
}

/// Messages (`POST /v1/messages`): see [`crate::Messages`].
///
/// Example: [`blocking`](crate::blocking).
#[derive(Debug, Clone, Copy)]
pub struct Messages<'a>(&'a Client);

impl Messages<'_> {
    /// Sends `request` and waits for the whole message: see [`crate::Messages::create`].
    ///
    /// # Errors
    ///
    /// Any [`Error`] of a call.
    pub fn create(self, request: &MessageRequest) -> Result<Reply<Message>, Error> {
        let request = request.clone();
        self.0.run(|client| async move { client.messages().create(&request).await })
    }

    /// Sends `request` and reads the reply as a `T`: see [`crate::Messages::create_as`].
    ///
    /// # Errors
    ///
    /// As there.
    #[cfg(feature = "schema")]
    pub fn create_as<T>(self, request: &MessageRequest) -> Result<Reply<crate::Parsed<T>>, Error>
    where
        T: serde::de::DeserializeOwned + schemars::JsonSchema + Send + Sync + 'static,
    {
        let request = request.clone();
        self.0.run(|client| async move { client.messages().create_as(&request).await })
    }

    /// Sends `request` and gives the message as it is written: see [`crate::Messages::stream`].
    ///
    /// # Errors
    ///
    /// Any [`Error`] of a call, where the stream could not be opened. Later failures come out of the stream.
    pub fn stream(self, request: &MessageRequest) -> Result<MessageStream, Error> {
        let request = request.clone();
        let stream = self.0.run(|client| async move { client.messages().stream(&request).await })?;
        Ok(MessageStream::new(stream, Arc::clone(&self.0.worker)))
    }

    /// Counts the input tokens `request` would use: see [`crate::Messages::count_tokens`].
    ///
    /// # Errors
    ///
    /// Any [`Error`] of a call.
    pub fn count_tokens(self, request: &MessageRequest) -> Result<Reply<TokenCount>, Error> {
        let request = request.clone();
        self.0.run(|client| async move { client.messages().count_tokens(&request).await })
    }
}
