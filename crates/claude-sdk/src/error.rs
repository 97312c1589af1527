//! What can go wrong, told so that a reader knows the next step and a program knows whether to try again.

use std::{
    fmt, iter,
    time::{Duration, SystemTime},
};

use http::StatusCode;

use crate::reply;

mod answer;
mod auth;
mod class;
mod command;
mod config;
mod envelope;
mod login;
#[cfg(feature = "schema")]
mod output;
#[cfg(feature = "profile")]
mod profile;
mod stream;

pub use answer::{ApiError, UnexpectedAnswer};
pub use auth::{AuthError, StoreError};
pub use command::HelperProblem;
pub use config::ConfigError;
pub use envelope::Envelope;
pub use login::LoginError;
#[cfg(feature = "schema")]
pub use output::{OutputError, OutputProblem};
#[cfg(feature = "profile")]
pub use profile::ProfileError;
pub use stream::StreamError;

pub(crate) use answer::{JsonError, shown};
pub(crate) use class::{of_failure, of_status};

/// Any failure of a call through this crate.
///
/// Match on the variant for what to do, or ask [`is_retryable`](Self::is_retryable) and
/// [`retry_after`](Self::retry_after). The text never contains a secret; the chain of
/// [`source`](std::error::Error::source)s tells the lower levels.
///
/// ```
/// use claude_sdk::{Client, Error, types::{MessageRequest, Model}};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = mock_server::MockServer::builder().start().await?;
/// # let client = Client::builder().api_key(server.api_key()).base_url(server.base_url()).build()?;
/// let request = MessageRequest::new(Model::from("no-such-model"), 100).user("Hello!");
/// match client.messages().create(&request).await {
///     Ok(message) => println!("{}", message.text()),
///     Err(Error::Api(error)) => println!("{}: {} ({:?})", error.status(), error.message(), error.code()),
///     Err(error) if error.is_retryable() => println!("try again in {:?}", error.retry_after()),
///     Err(error) => println!("{error}"), // what is wrong, and what to do
/// }
/// # Ok(())
/// # }
/// ```
#[non_exhaustive]
pub enum Error {
    /// The client was set up wrong, or what it was given cannot be sent; nothing was sent, or no whole request.
    Config(ConfigError),
    /// No usable credential could be had, for the first attempt or for a later one.
    Auth(AuthError, Envelope),
    /// The service answered with an error.
    Api(Box<ApiError>),
    /// The rate limiter of this client did not let the call through, or not again.
    RateLimit(ratelimit::Error, Envelope),
    /// No answer came back.
    Transport(transport::Error),
    /// An answer came back that is not one of this API's, or not all of it.
    Answer(Box<UnexpectedAnswer>),
    /// A stream began and did not end as it should.
    Stream(Box<StreamError>),
    /// A whole message came that is not of the type asked for.
    #[cfg(feature = "schema")]
    Output(Box<OutputError>),
}

impl Error {
    /// Whether the same call may succeed later, unchanged.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Config(_) => false,
            Self::Answer(error) => error.is_retryable(),
            Self::Auth(error, _) => error.is_retryable(),
            Self::Api(error) => error.is_retryable(),
            Self::RateLimit(error, _) => error.is_retryable(),
            Self::Transport(error) => error.is_retryable(),
            Self::Stream(error) => error.is_retryable(),
            #[cfg(feature = "schema")]
            Self::Output(_) => false,
        }
    }

    /// How long to wait before the next try, where the service or the limiter said so.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Api(error) => error.retry_after(),
            Self::RateLimit(error, _) => error.retry_after(),
            Self::Transport(error) => error.retry_after(),
            Self::Auth(error, _) => error.retry_after(),
            Self::Answer(error) => error.wait(),
            Self::Config(_) | Self::Stream(_) => None,
            #[cfg(feature = "schema")]
            Self::Output(_) => None,
        }
    }

    /// When the next try is due, where the service said so, or the circuit breaker of this client does.
    ///
    /// [`retry_after`](Self::retry_after) counts from when the error was made; this does not age.
    #[must_use]
    pub fn retry_at(&self) -> Option<SystemTime> {
        match self {
            Self::Api(error) => error.retry_at(),
            Self::Transport(error) => {
                let open = std::error::Error::source(error)?.downcast_ref::<transport::layers::Open>()?;
                Some(open.until)
            }
            _ => None,
        }
    }

    /// Whether the service may have done, and billed, the work although its answer did not come, or not whole.
    ///
    /// Such a call is not sent again by itself. See what it has done before you do, where that matters.
    #[must_use]
    pub fn is_ambiguous(&self) -> bool {
        match self {
            Self::Transport(error) => error.reach() == transport::Reach::MaybeSent,
            Self::Answer(error) => error.status().is_success(),
            Self::Stream(_) => true,
            Self::Config(_) | Self::Auth(..) | Self::Api(_) | Self::RateLimit(..) => false,
            #[cfg(feature = "schema")]
            Self::Output(_) => false,
        }
    }

    /// The service's name for the last attempt that it answered, from the `request-id` header; quote it when asking for
    /// help.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Api(error) => error.request_id(),
            Self::Answer(error) => error.request_id(),
            Self::Stream(error) => error.request_id(),
            #[cfg(feature = "schema")]
            Self::Output(error) => error.request_id(),
            Self::Transport(error) => error.last_reply().and_then(reply::request_id),
            Self::Auth(_, envelope) | Self::RateLimit(_, envelope) => envelope.request_id(),
            Self::Config(_) => None,
        }
    }

    /// The scopes that the token lacks, where that is what went wrong; the next login should ask for
    /// [`wanted`](auth_core::MissingScope::wanted).
    #[must_use]
    pub fn missing_scope(&self) -> Option<&auth_core::MissingScope> {
        match self {
            Self::Api(error) => error.missing_scope(),
            Self::Auth(AuthError::MissingScope(missing), _) => Some(missing),
            _ => None,
        }
    }

    /// The HTTP status of the answer, where there was one.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Api(error) => Some(error.status()),
            Self::Answer(error) => Some(error.status()),
            _ => None,
        }
    }

    /// How many attempts were made, the first included; 0 where it did not come to one. Whether an attempt got as far as the
    /// server, [`is_ambiguous`](Self::is_ambiguous) and the variants tell.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        match self {
            Self::Api(error) => error.attempts(),
            Self::Answer(error) => error.attempts(),
            Self::Transport(error) => error.attempts(),
            Self::Stream(error) => error.attempts(),
            #[cfg(feature = "schema")]
            Self::Output(error) => error.attempts(),
            Self::Auth(_, envelope) | Self::RateLimit(_, envelope) => envelope.attempts,
            Self::Config(_) => 0,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => write!(f, "{error}"),
            Self::Auth(error, envelope) => write!(f, "{error}{envelope}"),
            Self::Api(error) => write!(f, "{error}"),
            Self::RateLimit(error, envelope) => write!(f, "{error}{envelope}"),
            Self::Transport(error) => {
                write!(f, "{error}")?;
                self.request_id().map_or(Ok(()), |id| write!(f, " (last answer: request {id})"))
            }
            Self::Answer(error) => write!(f, "{error}"),
            Self::Stream(error) => write!(f, "{error}"),
            #[cfg(feature = "schema")]
            Self::Output(error) => write!(f, "{error}"),
        }
    }
}

/// For people, as it is what a `main` that returns this error prints: the text with the next step, and its causes. What a
/// program wants to know, the methods and the variants tell.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)?;
        let mut causes = iter::successors(std::error::Error::source(self), |cause| cause.source());
        causes.try_for_each(|cause| write!(f, "\n  caused by: {cause}"))
    }
}

/// The text is that of what it holds, and so are the causes.
impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Config(error) => error.source(),
            Self::Auth(error, _) => error.source(),
            Self::Api(error) => error.source(),
            Self::RateLimit(error, _) => error.source(),
            Self::Transport(error) => error.source(),
            Self::Answer(error) => error.source(),
            Self::Stream(error) => error.source(),
            #[cfg(feature = "schema")]
            Self::Output(error) => error.source(),
        }
    }
}

impl From<ConfigError> for Error {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

/// As one of a call that was not begun.
impl From<AuthError> for Error {
    fn from(error: AuthError) -> Self {
        Self::Auth(error, Envelope::default())
    }
}

impl From<Box<ApiError>> for Error {
    fn from(error: Box<ApiError>) -> Self {
        Self::Api(error)
    }
}

impl From<Box<UnexpectedAnswer>> for Error {
    fn from(error: Box<UnexpectedAnswer>) -> Self {
        Self::Answer(error)
    }
}

impl From<Box<StreamError>> for Error {
    fn from(error: Box<StreamError>) -> Self {
        Self::Stream(error)
    }
}

/// A layer of this crate speaks [`transport::Error`] to its neighbours; here its own error comes out again.
impl From<transport::Error> for Error {
    fn from(error: transport::Error) -> Self {
        let envelope = Envelope {
            request_id: error.last_reply().and_then(reply::request_id).map(str::to_owned),
            attempts: error.attempts(),
        };
        match error.into_refusal::<AuthError>() {
            Ok(refusal) => Self::Auth(refusal, envelope),
            Err(error) => match error.into_refusal::<ratelimit::Error>() {
                Ok(refusal) => Self::RateLimit(refusal, envelope),
                Err(error) => Self::Transport(error),
            },
        }
    }
}
