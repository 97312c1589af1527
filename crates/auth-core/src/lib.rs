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
//! # Every grant, with your HTTP client
//!
//! An exchange is the same three steps whatever it trades: build a request, send it, read the answer. `send` below is
//! the one function you bring. It takes an `http::Request<Bytes>` and gives back the `http::Response<Bytes>`, whatever
//! its status; it follows no redirect, and it may stop reading after [`exchange::MAX_ANSWER`] bytes. `now` is the time.
//! Beside this crate a program needs `http`, `bytes` and `secrecy`, whose types are in these signatures, and for a login
//! a source of random bytes such as `getrandom`.
//!
//! ## A person with a browser: authorization code with PKCE
//!
//! ```
//! # fn send(_: http::Request<bytes::Bytes>) -> http::Response<bytes::Bytes> {
//! #     let answer = r#"{"access_token":"at","token_type":"Bearer","refresh_token":"rt","expires_in":28800}"#;
//! #     http::Response::new(answer.into())
//! # }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let now = std::time::SystemTime::UNIX_EPOCH;
//! use auth_core::{AuthorizationRequest, Client, ScopeSet, Server, Wire, exchange};
//!
//! let server = Server::new("https://auth.example/token".parse()?)?
//!     .with_authorization_endpoint("https://auth.example/authorize".parse()?)?
//!     .with_issuer("https://auth.example")
//!     .with_wire(Wire::claude()); // or leave it out: the default is what the RFCs say
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
//! let tokens = exchange::response(&asked, &send(request), now)?;
//! assert!(tokens.refresh_token.is_some());
//! # Ok(()) }
//! ```
//!
//! ## The next token: refresh
//!
//! ```
//! # fn send(_: http::Request<bytes::Bytes>) -> http::Response<bytes::Bytes> {
//! #     let answer = r#"{"access_token":"at2","token_type":"Bearer","refresh_token":"rt2","expires_in":28800}"#;
//! #     http::Response::new(answer.into())
//! # }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let now = std::time::SystemTime::UNIX_EPOCH;
//! use auth_core::{Client, Server, exchange};
//! use secrecy::ExposeSecret as _;
//!
//! let (server, client) = (Server::new("https://auth.example/token".parse()?)?, Client::public("my-app"));
//! let (request, asked) = exchange::refresh(&server, &client, &"rt".into());
//! let tokens = exchange::response(&asked, &send(request), now)?;
//! // The old refresh token may be dead from here on: store the new one before anything else.
//! assert_eq!(tokens.refresh_token.unwrap().expose_secret(), "rt2");
//! # Ok(()) }
//! ```
//!
//! That is the exchange; when to do it, and what to do when it fails, is [`TokenMachine`]'s to know.
//!
//! ## A program with a secret: client credentials
//!
//! ```
//! # fn send(_: http::Request<bytes::Bytes>) -> http::Response<bytes::Bytes> {
//! #     http::Response::new(r#"{"access_token":"at","token_type":"Bearer","expires_in":3600}"#.into())
//! # }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let now = std::time::SystemTime::UNIX_EPOCH;
//! use auth_core::{Client, ScopeSet, Server, exchange};
//!
//! let server = Server::new("https://auth.example/token".parse()?)?;
//! let client = Client::secret_basic("my-service", "s3cret".into());
//! let (request, asked) = exchange::client_credentials(&server, &client, &ScopeSet::parse("read"));
//! let tokens = exchange::response(&asked, &send(request), now)?;
//! assert!(tokens.refresh_token.is_none(), "the same request gives the next token");
//! # Ok(()) }
//! ```
//!
//! ## A program with a signed statement: JWT bearer
//!
//! ```
//! # fn send(_: http::Request<bytes::Bytes>) -> http::Response<bytes::Bytes> {
//! #     http::Response::new(r#"{"access_token":"at","token_type":"Bearer","expires_in":3600}"#.into())
//! # }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let now = std::time::SystemTime::UNIX_EPOCH;
//! use auth_core::{ScopeSet, Server, exchange};
//!
//! let server = Server::new("https://auth.example/token".parse()?)?;
//! // From whoever vouches for this program; read it anew for every exchange. One that has expired is not sent.
//! let assertion = "eyJhbGciOiJFUzI1NiJ9.eyJleHAiOjEwMDB9.c2ln".into();
//! let (request, asked) = exchange::jwt_bearer(&server, None, &assertion, &ScopeSet::parse("read"), now)?;
//! let tokens = exchange::response(&asked, &send(request), now)?;
//! # assert!(tokens.expires_at.is_some());
//! # Ok(()) }
//! ```
//!
//! ## A workload at the Claude API: federation
//!
//! ```
//! # fn send(_: http::Request<bytes::Bytes>) -> http::Response<bytes::Bytes> {
//! #     http::Response::new(r#"{"access_token":"at","expires_in":3600}"#.into())
//! # }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let now = std::time::SystemTime::UNIX_EPOCH;
//! use auth_core::{Federation, Server, exchange};
//!
//! let server = Server::new("https://auth.example/v1/oauth/token".parse()?)?;
//! let federation = Federation::new("fdrl_1", "org_1").with_workspace_id("default");
//! let assertion = "eyJhbGciOiJFUzI1NiJ9.eyJleHAiOjEwMDB9.c2ln".into();
//! let (request, asked) = exchange::federation(&server, &federation, &assertion, now)?;
//! let tokens = exchange::response(&asked, &send(request), now)?;
//! # assert!(tokens.expires_at.is_some());
//! # Ok(()) }
//! ```
//!
//! ## A person with a browser elsewhere: device authorization
//!
//! ```
//! # fn send(request: http::Request<bytes::Bytes>) -> http::Response<bytes::Bytes> {
//! #     http::Response::new(match request.uri().path() {
//! #         "/device" => r#"{"device_code":"d","user_code":"WDJB-MJHT","expires_in":1800,
//! #             "verification_uri":"https://auth.example/enter"}"#.into(),
//! #         _ => r#"{"access_token":"at","token_type":"Bearer","expires_in":3600}"#.into(),
//! #     })
//! # }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let now = std::time::SystemTime::UNIX_EPOCH;
//! # let mut elapsed = std::time::Duration::ZERO;
//! use auth_core::{Client, DeviceOutput, DevicePoll, DeviceRequest, Server};
//!
//! let (server, client) = (Server::new("https://auth.example/token".parse()?)?, Client::public("my-app"));
//! let asking = DeviceRequest::new(&server, &client, "https://auth.example/device".parse()?)?;
//! let authorization = asking.response(&send(asking.request()), now)?;
//! println!("open {} and enter {}", authorization.verification_uri(), authorization.user_code());
//!
//! // `elapsed` is read from a clock that never steps, such as `Instant`.
//! let mut poll = DevicePoll::new(authorization, elapsed);
//! let tokens = loop {
//!     match poll.poll(elapsed) {
//!         DeviceOutput::Wait { until } => elapsed = until, // sleep
//!         DeviceOutput::Transmit { request } => poll.handle(Ok(send(request)), elapsed, now),
//!         DeviceOutput::Done(tokens) => break tokens,
//!         DeviceOutput::Failed(error) => return Err(error.into()),
//!     }
//! };
//! # assert!(tokens.expires_at.is_some());
//! # Ok(()) }
//! ```
//!
//! ## The end: revocation
//!
//! ```
//! # fn send(_: http::Request<bytes::Bytes>) -> http::Response<bytes::Bytes> { http::Response::default() }
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let now = std::time::SystemTime::UNIX_EPOCH;
//! use auth_core::{Client, Server, TokenKind, exchange};
//!
//! let server = Server::new("https://auth.example/token".parse()?)?
//!     .with_revocation_endpoint("https://auth.example/revoke".parse()?)?;
//! let client = Client::public("my-app");
//! // `None` is a server that has no place for it: the login is forgotten here, and lives on there until it expires.
//! if let Some((request, asked)) = exchange::revoke(&server, &client, &"rt".into(), TokenKind::RefreshToken) {
//!     exchange::revocation(&asked, &send(request), now)?;
//! }
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
mod status;
mod token;
mod wiped;

pub use self::{
    challenge::{Challenge, MissingScope},
    client::Client,
    code::OAuthErrorCode,
    device::{DeviceAuthorization, DeviceError, DeviceOutput, DevicePoll, DeviceRequest},
    exchange::{Asked, AssertionError, ExchangeError, ExchangeKind, Federation, TokenKind},
    flow::{AuthorizationRequest, CallbackError, CallbackErrorKind, CodeGrant, PendingAuthorization},
    machine::{
        Access, Event, ExchangeId, Failure, Input, Lease, Output, Policy, Reason, SendFailure, TokenMachine,
        Windows,
    },
    metadata::{Metadata, MetadataError},
    scope::{ScopeChange, ScopeSet},
    server::{ConfigError, Format, Server, Wire},
    skew::{ClockSkew, Offset, SkewChange},
    token::{Snapshot, TokenSet},
};
