//! A client for the Claude API: typed messages and streams, a login that keeps its session, retries and limits.
//!
//! It is an independent project, not Anthropic's. It is not an agent framework, and it is not the place for OAuth,
//! HTTP, rate limiting or secret stores: those are the crates it composes and re-exports ([`auth_core`],
//! [`transport`], [`ratelimit`], [`secrets`]), and each can be used alone.
//!
//! # Example
//!
//! ```
//! use claude_sdk::{Client, types::{MessageRequest, Model}};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let server = mock_server::MockServer::start().await?;
//! # let (key, base_url) = (server.api_key().to_owned(), server.base_url());
//! let client = Client::builder().api_key(key).base_url(base_url).build()?; // or Client::from_env()?
//!
//! let request = MessageRequest::new(Model::CLAUDE_HAIKU_4_5, 200).system("Be brief.").user("Hello!");
//! let message = client.messages().create(&request).await?;
//! println!("{} ({} output tokens)", message.text(), message.usage.output_tokens);
//!
//! let mut stream = client.messages().stream(&request).await?;
//! while let Some(text) = stream.text_stream().next().await {
//!     print!("{}", text?);
//! }
//! let message = stream.final_message().await?; // an error if the stream was cut
//! # assert!(message.text().contains("Hello"));
//! # Ok(())
//! # }
//! ```
//!
//! # Errors
//!
//! Every failure is an [`Error`]: match on it, or ask [`Error::is_retryable`], [`Error::retry_after`] and
//! [`Error::request_id`]. The text never contains a secret.
//!
//! # One call unlike the others
//!
//! [`Client::with_options`] gives a client whose calls carry more headers, a query, members of the body, or limits of
//! their own ([`RequestOptions`]). [`Client::raw`] calls routes that have no type here yet. Every [`Reply`] has the
//! answer's status and headers. A call is cancelled by dropping its future or its stream.
//!
//! # Tracing
//!
//! Each call is a span of the crate `tracing`, with a span for each attempt in it, named as OpenTelemetry's conventions
//! for generative AI and for HTTP say. Header values are in none of them, and what people say is only where
//! [`ClientBuilder::trace_bodies`] asks for it. Where they go is up to your subscriber.
//!
//! # Metrics
//!
//! [`ClientBuilder::metrics`] says what calls take, use and run into, to OpenTelemetry for instance
//! ([`metrics`]). Without it nothing is measured.
//!
//! # Plugging in your own
//!
//! | part | trait | builder |
//! |---|---|---|
//! | HTTP | [`transport::HttpBackend`] | [`ClientBuilder::backend`] |
//! | what happens to each attempt | [`transport::layers::Middleware`], or a closure | [`ClientBuilder::middleware`] |
//! | rate limits | [`ratelimit::RateLimiter`] | [`ClientBuilder::rate_limiter`] |
//! | secrets | [`secrets::SecretProvider`] | [`credentials::FromSecret`] with [`ClientBuilder::credentials`] |
//! | tools | [`tools::ToolHandler`] | [`Messages::tool_runner`] |
//! | what a call is taken to cost | [`estimates::Estimate`] | [`ClientBuilder::estimate`] |
//! | credentials | [`credentials::CredentialProvider`] | [`ClientBuilder::credentials`] |
//! | token sources | [`credentials::TokenSource`] | [`credentials::Cached`] with [`ClientBuilder::credentials`] |
//! | sessions | [`token_store::TokenStore`], or a [`secrets::SecretStore`] | [`credentials::OAuth`] |
//! | retries | [`transport::layers::RetryPolicy`] | [`ClientBuilder::retry_policy`] |
//! | metrics | [`metrics::Metrics`] | [`ClientBuilder::metrics`] |
//! | time | [`transport::Clock`] | [`ClientBuilder::clock`] |
//!
//! # Features
//!
//! - `reqwest` (default): the built-in HTTP backend. Without it, give the builder one.
//! - `profile` (default): [`profile`], the files the official SDKs use, and [`token_store::FileTokenStore`].
//! - `blocking`: `blocking::Client`, for programs that are not async.
//! - `governor`: `ratelimit::limiters::Governor`, which counts requests alone. [`ratelimit::limiters::Local`], which counts
//!   tokens and permits too, needs no feature.
//! - `decompress`: answers in gzip, br and zstd.
//! - `hyper`: `transport::backends::Hyper`, an HTTP backend without reqwest.
//! - `http2`: HTTP/2 where the server offers it, so that calls share a connection. Without it each call under way has one
//!   of its own.
//! - `login`: `login`, logins in a browser or on another device.
//! - `memory`: `memory`, the memory tool and memories in files.
//! - `command`: `credentials::Command`, a helper program that prints the token.
//! - `keyring`: `secrets::providers::Keyring`, for secrets in the keyring of the desktop.
//! - `refresher`: `credentials::Refresher`, renewals in a process of their own.
//! - `macros`: the attribute `tools::tool`, which makes a function a tool; it brings `schema` with it.
//! - `metrics`: `metrics::sinks::Recorder`, measurements for the crate `metrics`.
//! - `otel`: `metrics::sinks::OpenTelemetry`, measurements for OpenTelemetry.
//! - `redis`: `secrets::providers::Redis`, for sessions that programs on many machines share.
//! - `redis-limits`: `ratelimit::limiters::Redis`, for limits that programs on many machines share.
//! - `vault`: `secrets::providers::Vault`, for secrets in HashiCorp's Vault or OpenBao.
//! - `replay`: `transport::backends::Recorder` and `Player`, for tests without a network.
//! - `tower`: `transport::backends::Tower`, a backend from a tower service.
//! - `scrubber`: `secrets::Scrubber`, which takes secrets out of logs and errors.
//! - `scrubber-layer`: `secrets::Scrubber::layer`, which takes them out of what a layer of a `tracing` subscriber sees.
//! - `schema`: `Messages::create_as`, replies as values of your own types; it brings the crate `schemars`.
//! - `test-util`: mockall mocks and fakes of all seams.

mod apart;
pub mod attachment;
mod betas;
#[cfg(feature = "blocking")]
pub mod blocking;
mod client;
mod config;
pub mod credentials;
mod entropy;
mod error;
pub mod estimates;
mod guard;
mod instant;
pub mod layers;
mod limits;
#[cfg(feature = "login")]
pub mod login;
pub mod mcp;
#[cfg(feature = "memory")]
pub mod memory;
pub mod metrics;
mod pipeline;
#[cfg(feature = "profile")]
pub mod profile;
mod reply;
mod resources;
mod retry;
#[cfg(feature = "schema")]
pub mod schema;
mod spans;
pub mod stream;
#[cfg(feature = "schema")]
mod structured;
mod task;
pub mod token_store;
pub mod tools;
#[macro_use]
pub mod types;
mod unique;
pub mod webhooks;

pub use auth_core;
pub use http;
pub use ratelimit;
#[cfg(feature = "schema")]
pub use schemars;
pub use secrets;
pub use transport;

pub use client::{Client, ClientBuilder, RequestOptions};
pub use config::ApiVersion;
#[cfg(feature = "profile")]
pub use error::ProfileError;
pub use error::{
    ApiError, AuthError, ConfigError, Envelope, Error, HelperProblem, LoginError, StoreError, StreamError,
    UnexpectedAnswer,
};
#[cfg(feature = "schema")]
pub use error::{OutputError, OutputProblem};
pub use limits::{Limit, ModelClasses, OrganizationLimits, RateLimits};
pub use reply::Reply;
pub use resources::{
    BatchJob, BatchResults, Batches, Download, FileUpload, Files, Items, JobError, JobProgress, JobResults,
    List, MessageStream, Messages, Models, Organization, Pages, Paging, Raw, RawRequest, SkillFiles, Skills,
    TeeStream, TextStream, UserProfiles,
};
#[cfg(feature = "schema")]
pub use structured::Parsed;

/// The README's example is compiled with the documentation's.
#[cfg(all(doctest, feature = "reqwest"))]
#[doc = include_str!("../../../README.md")]
struct Readme;

/// So are those of the lab.
#[cfg(all(doctest, feature = "reqwest"))]
#[doc = include_str!("../../../docs/lab/README.md")]
struct Lab;
