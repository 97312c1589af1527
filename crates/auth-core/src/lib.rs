//! An OAuth 2 client as values and state machines: requests come out, responses go in, time and entropy are arguments.
//!
//! What it is not: there is no socket, file, environment, clock, randomness, thread, log or `async` here, and there
//! will not be. Any HTTP client, any store and any runtime can drive it, and every test holds the clock. It is a client
//! only; and it does not read ID tokens.
//!
//! There are three layers, each usable alone:
//!
//! 1. [`exchange`]: pure functions from a grant to a request, and from an answer to a [`TokenSet`]: codes, refresh
//!    tokens, client credentials, assertions ([`Federation`] among them); and revocation.
//! 2. The interactive flow: [`AuthorizationRequest`] → [`PendingAuthorization`] → [`CodeGrant`], authorization code with
//!    PKCE S256. Each step consumes the one before; a code cannot be used twice.
//!    A machine without a browser has [`DeviceRequest`] → [`DeviceAuthorization`] → [`DevicePoll`] instead.
//! 3. [`TokenMachine`]: the life of a token after that, with refresh, rotation, failures and several processes.
//!
//! # A login, from the first click to the first token
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::time::SystemTime;
//! use auth_core::{AuthorizationRequest, Client, ScopeSet, Server, Wire, exchange};
//!
//! let server = Server::new("https://auth.example/token".parse()?)?
//!     .with_authorization_endpoint("https://auth.example/authorize".parse()?)?
//!     .with_issuer("https://auth.example")
//!     .with_wire(Wire::claude());
//! let client = Client::public("my-app");
//!
//! // 64 fresh bytes from the operating system; the core has no randomness of its own.
//! let entropy = [7; 64];
//! let (url, pending) = AuthorizationRequest::new(&server, &client, "http://localhost:8976/callback".parse()?)?
//!     .scopes(ScopeSet::parse("user:inference"))
//!     .begin(entropy);
//! println!("open {url}");
//!
//! // The browser comes back. What is not the answer gives the login back, and it waits on.
//! let pending = pending.complete("/callback?code=forged&state=wrong").unwrap_err().into_pending().unwrap();
//! # let state = url.query_pairs().find(|(name, _)| name == "state").unwrap().1;
//! let grant = pending.complete(&format!("/callback?code=c0de&state={state}"))?;
//!
//! let (request, asked) = exchange::code(grant);
//! assert_eq!(request.uri(), "https://auth.example/token");
//! # let answer = http::Response::new(bytes::Bytes::from(
//! #     r#"{"access_token":"at","token_type":"Bearer","refresh_token":"rt","expires_in":28800}"#,
//! # ));
//! // Send `request`, without following redirects, and read the answer.
//! let tokens = exchange::response(&asked, &answer, SystemTime::UNIX_EPOCH)?;
//! assert!(tokens.refresh_token.is_some());
//! # Ok(()) }
//! ```
//!
//! # What servers say
//!
//! [`Metadata`] makes a [`Server`] out of an issuer's own description, for those who want discovery; nothing here looks
//! for it unasked. [`Challenge`] reads `WWW-Authenticate`, and [`MissingScope`] tells what a token lacks and what to ask
//! for next. [`ClockSkew`] learns from `Date` how far this machine's clock is off, and corrects it.
//!
//! # Your own server, your own driver
//!
//! A server with its own dialect is a value: a [`Server`] with a [`Wire`] made of two [`Format`]s. A driver for
//! [`TokenMachine`] is one `match` over [`Output`]; its page has a complete one.
//!
//! # Features
//!
//! None.

mod challenge;
mod client;
mod code;
mod device;
pub mod exchange;
mod flow;
mod machine;
mod metadata;
mod redact;
mod scope;
mod server;
mod skew;
mod token;

pub use self::{
    challenge::{Challenge, MissingScope},
    client::Client,
    code::OAuthErrorCode,
    device::{DeviceAuthorization, DeviceError, DeviceOutput, DevicePoll, DeviceRequest},
    exchange::{Asked, AssertionError, ExchangeError, ExchangeKind, Federation, TokenKind},
    flow::{AuthorizationRequest, CallbackError, CallbackErrorKind, CodeGrant, PendingAuthorization},
    machine::{
        Access, Event, ExchangeId, Failure, Input, Lease, Output, Policy, Reason, SendFailure, TokenMachine,
    },
    metadata::{Metadata, MetadataError},
    scope::{ScopeChange, ScopeSet},
    server::{ConfigError, Format, Server, Wire},
    skew::{ClockSkew, Offset, SkewChange},
    token::{Snapshot, TokenSet},
};
