//! The settings of a server, and its start.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use crate::error::Error;
use crate::fault::Fault;
use crate::journal::Lines;
use crate::limits::Limits;
use crate::people::Person;
use crate::reply::Reply;
use crate::server::MockServer;
use crate::state::DEFAULT_MODELS;
use crate::time::Clock;

/// The settings of a [`MockServer`]; each has a default, so `MockServer::builder().start()` is enough.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it is started"]
pub struct Builder {
    pub(crate) port: u16,
    pub(crate) path_prefix: String,
    pub(crate) issuer: Option<String>,
    pub(crate) client: String,
    pub(crate) api_key: Option<ApiKey>,
    pub(crate) people: Vec<Person>,
    pub(crate) models: Vec<String>,
    pub(crate) access_token_ttl: Duration,
    pub(crate) refresh_token_ttl: Duration,
    pub(crate) refresh_reuse_window: Duration,
    pub(crate) refresh_reuse_revokes: bool,
    pub(crate) device_code_ttl: Duration,
    pub(crate) device_interval: Duration,
    /// The first is complete.
    pub(crate) limits: Vec<Limits>,
    pub(crate) batch_time: Duration,
    pub(crate) examples: bool,
    pub(crate) script: Vec<Reply>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) tls: bool,
    #[cfg(feature = "tls")]
    pub(crate) http1_only: bool,
    pub(crate) lines: Lines,
    pub(crate) seed: Option<u64>,
    pub(crate) held_at: Option<SystemTime>,
}

/// A key that `Debug` does not print.
#[derive(Clone)]
pub(crate) struct ApiKey(pub(crate) String);

impl std::fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Builder {
    pub(crate) fn new() -> Self {
        Self {
            port: 0,
            path_prefix: String::new(),
            issuer: None,
            client: "mock-client".to_owned(),
            api_key: None,
            people: vec![Person::new("person@example.com", "Mock Organization")],
            models: DEFAULT_MODELS.iter().map(ToString::to_string).collect(),
            access_token_ttl: Duration::from_secs(8 * 3600),
            refresh_token_ttl: Duration::from_secs(30 * 86_400),
            refresh_reuse_window: Duration::ZERO,
            refresh_reuse_revokes: true,
            device_code_ttl: Duration::from_secs(600),
            device_interval: Duration::from_secs(5),
            limits: vec![
                Limits::organization()
                    .requests_per_minute(1000)
                    .input_tokens_per_minute(2_000_000)
                    .output_tokens_per_minute(400_000),
            ],
            batch_time: Duration::from_secs(5),
            examples: false,
            script: Vec::new(),
            faults: Vec::new(),
            tls: false,
            #[cfg(feature = "tls")]
            http1_only: false,
            lines: Lines::default(),
            seed: None,
            held_at: None,
        }
    }

    /// Sets the port on 127.0.0.1; 0, the default, takes any free one.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Serves everything below a path such as `/gateway`, as gateways do; the default is no prefix.
    pub fn path_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.path_prefix = prefix.into();
        self
    }

    /// Replaces the issuer that redirects (`iss`, RFC 9207) and metadata name; the default is the base URL.
    ///
    /// A value that is not the server's own lets a test play a mix-up attack.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// Sets the id of the one registered client, which is public (no secret); the default is `mock-client`.
    pub fn client(mut self, id: impl Into<String>) -> Self {
        self.client = id.into();
        self
    }

    /// Sets the one API key that is accepted; the default is made up, see [`MockServer::api_key`].
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api_key = Some(ApiKey(key.into()));
        self
    }

    /// Replaces the people who can log in; the default is one, who has nothing to choose. The API key belongs to the first
    /// workspace of the first.
    pub fn people(mut self, people: impl IntoIterator<Item = Person>) -> Self {
        self.people = people.into_iter().collect();
        self
    }

    /// Replaces the models there are; the default is the API's catalogue of November 2026.
    pub fn models<M: Into<String>>(mut self, ids: impl IntoIterator<Item = M>) -> Self {
        self.models = ids.into_iter().map(Into::into).collect();
        self
    }

    /// Sets how long access tokens live, at least a second; the default is 8 hours.
    pub fn access_token_ttl(mut self, ttl: Duration) -> Self {
        self.access_token_ttl = ttl;
        self
    }

    /// Sets how long refresh tokens live, at least a second; the default is 30 days.
    pub fn refresh_token_ttl(mut self, ttl: Duration) -> Self {
        self.refresh_token_ttl = ttl;
        self
    }

    /// Sets for how long a spent refresh token still gives its successor again; the default is zero.
    ///
    /// Outside the window a spent token is taken for stolen: it revokes its family (RFC 9700, 4.14.2).
    pub fn refresh_reuse_window(mut self, window: Duration) -> Self {
        self.refresh_reuse_window = window;
        self
    }

    /// Sets whether a spent refresh token that comes again, outside the window, revokes its family; the default is
    /// that it does. A server that only refuses the token leaves the others of its family in force.
    pub fn refresh_reuse_revokes(mut self, revokes: bool) -> Self {
        self.refresh_reuse_revokes = revokes;
        self
    }

    /// Sets how long the codes of a login on another device live, at least a second; the default is 10 minutes.
    pub fn device_code_ttl(mut self, ttl: Duration) -> Self {
        self.device_code_ttl = ttl;
        self
    }

    /// Sets how often such a login may poll, in whole seconds, at least one; the default is every 5 seconds.
    pub fn device_interval(mut self, interval: Duration) -> Self {
        self.device_interval = interval;
        self
    }

    /// Adds limits, or replaces those of the same scope as far as these say something else. A class is one of the models'.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits.push(limits);
        self
    }

    /// Sets the limit of API requests a minute for each class of models, at least 1; the default is 1000.
    pub fn requests_per_minute(self, requests: u32) -> Self {
        self.limits(Limits::organization().requests_per_minute(requests))
    }

    /// Sets how many API requests may come at once after a quiet time, at least 1; the default is a minute's worth. The
    /// service, too, lets in fewer at once than it tells as its limit.
    pub fn request_burst(self, requests: u32) -> Self {
        self.limits(Limits::organization().request_burst(requests))
    }

    /// Sets the limit of input tokens a minute, at least 1; the default is 2 000 000.
    pub fn input_tokens_per_minute(self, tokens: u32) -> Self {
        self.limits(Limits::organization().input_tokens_per_minute(tokens))
    }

    /// Sets the limit of output tokens a minute, at least 1; the default is 400 000.
    pub fn output_tokens_per_minute(self, tokens: u32) -> Self {
        self.limits(Limits::organization().output_tokens_per_minute(tokens))
    }

    /// Sets how long a batch takes, on the server's clock; the default is 5 seconds. One that takes more than a day expires.
    pub fn batch_time(mut self, time: Duration) -> Self {
        self.batch_time = time;
        self
    }

    /// Takes the calls of generated examples, which name what nobody has made: a file `file_id`, a page `page`, the text
    /// of a skill without its folder. The server makes what a call names before it serves the call; the default is to
    /// refuse it, as the service does.
    pub fn examples(mut self) -> Self {
        self.examples = true;
        self
    }

    /// Sets what the server answers to the first requests; the default is nothing, so it repeats what it hears.
    pub fn script(mut self, replies: impl IntoIterator<Item = Reply>) -> Self {
        self.script = replies.into_iter().collect();
        self
    }

    /// Sets what goes wrong from the start; more can be [injected](MockServer::inject).
    pub fn faults(mut self, faults: impl IntoIterator<Item = Fault>) -> Self {
        self.faults = faults.into_iter().collect();
        self
    }

    /// Serves TLS, with a certificate for this machine that is made at the start; its authority is
    /// [`MockServer::authority`].
    #[cfg(feature = "tls")]
    pub fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// Offers no HTTP/2 within TLS, as some proxies do not.
    #[cfg(feature = "tls")]
    pub fn http1_only(mut self) -> Self {
        self.http1_only = true;
        self
    }

    /// Writes each entry of the journal, as a line of JSON without a secret ([`Entry::to_json`](crate::Entry::to_json)), before its
    /// answer leaves.
    pub fn journal_lines(mut self, lines: impl Write + Send + 'static) -> Self {
        self.lines = Lines(Some(Arc::new(Mutex::new(lines))));
        self
    }

    /// Fixes the seed of everything the server makes up, so that a run can be repeated; the default differs each time.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Holds the server's clock at this time, so that it moves by [`MockServer::advance`] only; the default runs.
    pub fn clock_held_at(mut self, time: SystemTime) -> Self {
        self.held_at = Some(time);
        self
    }

    /// Binds the port and serves it on the current tokio runtime.
    ///
    /// The server lives as long as the returned value and the runtime do. On a runtime of one thread it answers only
    /// while the test awaits something: a blocking client needs the multi-thread runtime.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] if a setting cannot work, [`Error::ModelClass`] if limits are for a class that no model is of,
    /// [`Error::Listen`] if the port cannot be bound.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime with IO enabled, as everything that opens a tokio socket does.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves nothing behind.
    pub async fn start(self) -> Result<MockServer, Error> {
        self.check()?;
        let clock = match self.held_at {
            None => Clock::running(),
            Some(time) => Clock::held_at(time).ok_or(Error::Setting {
                name: "clock_held_at",
                hint: "give a time between the years 1970 and 3000",
            })?,
        };
        MockServer::serve(self, clock).await
    }

    fn check(&self) -> Result<(), Error> {
        let prefix = self.path_prefix.as_str();
        let prefix_fits = prefix.is_empty()
            || (prefix.starts_with('/')
                && !prefix.ends_with('/')
                && prefix.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte)));
        let visible = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        let second = Duration::from_secs(1);
        let at_least_a_second = "give at least one second";
        let checks = [
            (
                prefix_fits,
                "path_prefix",
                "begin with a slash, end without one, use letters, digits and -._~ between",
            ),
            (visible(&self.client), "client", "give visible ASCII characters without spaces"),
            (
                self.api_key.as_ref().is_none_or(|key| visible(&key.0)),
                "api_key",
                "give visible ASCII characters without spaces",
            ),
            (
                !self.people.is_empty() && self.people.iter().all(Person::fits),
                "people",
                "give at least one person, names that are not blank, and at least one workspace each",
            ),
            (!self.models.is_empty(), "models", "give at least one model"),
            (self.access_token_ttl >= second, "access_token_ttl", at_least_a_second),
            (self.refresh_token_ttl >= second, "refresh_token_ttl", at_least_a_second),
            (self.device_code_ttl >= second, "device_code_ttl", at_least_a_second),
            (self.device_interval >= second, "device_interval", at_least_a_second),
            (
                self.tls || !self.faults.iter().any(Fault::is_of_tls),
                "faults",
                "serve TLS (`--tls`), or leave out `certificate` and `old-tls`, which happen nowhere else",
            ),
            (
                self.limits.iter().all(Limits::fits),
                "limits",
                "give at least 1 of each, spend for no class, and acceleration for the organisation only",
            ),
        ];
        match checks.into_iter().find(|(fits, ..)| !fits) {
            None => match self.limits.iter().find_map(|limits| limits.misses(&self.models)) {
                Some(told) => Err(Error::ModelClass { told }),
                None => Ok(()),
            },
            Some((_, name, hint)) => Err(Error::Setting { name, hint }),
        }
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}
