//! A real TCP server that speaks the OAuth and API sides of the Claude API, for tests.
//!
//! It is for our tests and for yours: it validates what it is sent, rotates tokens, counts limits and writes a
//! journal, so that a test can say what a client really did. It is not a model (it repeats what it hears, or
//! says what a script tells it), not a proxy, and not a place for real credentials. Its tokens are made by a
//! small seeded generator and are easy to guess; they look like real ones and carry the word `CANARY`. It listens
//! on 127.0.0.1 only.
//!
//! # Example
//!
//! ```
//! use std::time::Duration;
//! use mock_server::{MockServer, Reply};
//! use serde_json::json;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), mock_server::Error> {
//! let server = MockServer::builder()
//!     .access_token_ttl(Duration::from_secs(60))
//!     .script([Reply::text("It is sunny."), Reply::tool_use("get_weather", json!({"city": "Oslo"}))])
//!     .start()
//!     .await?;
//!
//! // Point a client at it: an API key works at once, tokens come from the OAuth endpoints.
//! println!("base URL {}, client {}", server.base_url(), server.client_id());
//! assert!(server.api_key().starts_with("sk-ant-api03-CANARY"));
//!
//! // Let a minute pass, without waiting for it: tokens expire, limits refill.
//! server.advance(Duration::from_secs(60));
//!
//! // See what was sent.
//! assert!(server.journal().is_empty());
//! server.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! # What it serves
//!
//! | path | what |
//! |---|---|
//! | `GET /oauth/authorize` | the consent page: authorization code with PKCE (S256), loopback redirects |
//! | `POST /oauth/authorize/decision` | the page's form: redirects with `code`, `state` and `iss` |
//! | `GET /oauth/code/callback` | where a login without a listener ends: the page shows `code#state` |
//! | `POST`, `GET`, `DELETE /mock/faults` | injects a fault, shows those to come, or forgets them |
//! | `GET`, `DELETE /mock/journal` | the journal as lines of JSON, or a new one |
//! | `POST /mock/clock` | moves the server's clock forward |
//! | `POST /mock/identity-token` | signs a workload identity |
//! | `POST /oauth/login` | who logs in, where there is a choice, and the code that came by mail |
//! | `GET /mock/mail` | the mailbox with those codes |
//! | `POST /v1/oauth/device_authorization` | the codes of a login on another device (RFC 8628) |
//! | `GET /oauth/device`, `POST /oauth/device/decision` | the page where the person enters the code, and its form |
//! | `POST /v1/oauth/token`, `POST /oauth/token` | code, refresh, device, client credentials and JWT bearer grants, as a form or as JSON |
//! | `GET /.well-known/jwks.json` | the key that signs workload identities (RFC 7517) |
//! | `POST /v1/oauth/revoke` | revocation (RFC 7009) |
//! | `GET /.well-known/oauth-authorization-server` | metadata (RFC 8414) |
//! | `POST /v1/messages` | a message, as JSON or as a stream |
//! | `POST /v1/messages/count_tokens` | its input tokens |
//! | `GET /v1/models`, `GET /v1/models/{id}` | the models |
//! | `GET /` | a page that says what this is |
//!
//! Both API versions are spoken: `2026-10-21` takes keys and tokens as `Authorization: Bearer`, `2023-06-01` takes
//! keys as `x-api-key` too. An OAuth token needs `anthropic-beta: oauth-2025-04-20`, and the scope `user:inference`
//! for messages. Tokens of text are counted roughly: a word is a token, a long word is several.
//!
//! [`Builder::examples`] makes it take the ids of documentation, for suites of generated examples.
//!
//! # How to plug in your own
//!
//! Other answers are [`Reply`] values: scripted messages, errors, HTML, raw JSON, raw event streams in given pieces,
//! cut anywhere, on any path. What happens on the way is a [`Fault`]: connections that are closed, reset or silent at any
//! byte, wrong lengths, bytes that are no HTTP. Other models, keys, clients, lifetimes and limits are settings of the [`Builder`].
//!
//! # Features
//!
//! `script`: [`Script`], files in TOML. `tls`: [`Builder::tls`], with an authority of the server's own. `http2` (with `tls` too):
//! HTTP/2, which a client gets that offers it within TLS, or that begins with it. `leaks`: the module of that name, which searches what a test logs, prints and leaves in files for secrets.

mod admin;
mod answer;
mod api;
mod body;
mod builder;
mod catalogue;
mod error;
mod fault;
mod hold;
mod http2;
mod journal;
#[cfg(feature = "leaks")]
pub mod leaks;
mod limits;
mod mail;
mod mint;
mod oauth;
mod page;
mod people;
mod reply;
mod router;
#[cfg(feature = "script")]
mod script;
mod server;
mod shape;
mod state;
mod stream;
mod time;
#[cfg(feature = "tls")]
mod tls;
mod visitor;
mod wire;
mod workload;

pub use builder::Builder;
pub use error::Error;
pub use fault::{At, Fault, UnknownFault};
pub use hold::HeldAnswers;
pub use journal::{Credential, Entry};
pub use limits::{Limits, UnknownLimits};
pub use mail::Mail;
pub use people::Person;
pub use reply::Reply;
#[cfg(feature = "script")]
pub use script::{Script, ScriptError};
pub use server::MockServer;
