use std::{fmt, sync::Arc, time::Duration};

use http::{HeaderMap, HeaderName, HeaderValue};
use ratelimit::{Key, Priority};
use serde_json::{Map, Value};
use transport::{HeadersTimeout, MaxRetries};
use url::form_urlencoded;

use crate::{error::ConfigError, types::Beta};

/// What some calls carry that others of the same client do not: see [`Client::with_options`](crate::Client::with_options).
///
/// ```
/// use std::time::Duration;
/// use claude_sdk::RequestOptions;
///
/// let options = RequestOptions::new()
///     .header("x-trace", "4711")
///     .query("beta", "true")
///     .extra("service_tier", "auto")
///     .deadline(Duration::from_secs(20))
///     .max_retries(0);
/// ```
#[derive(Clone, Default)]
#[must_use]
pub struct RequestOptions {
    headers: Vec<(String, String)>,
    workspace: Option<String>,
    query: Vec<(String, String)>,
    extra: Map<String, Value>,
    timeout: Option<Duration>,
    deadline: Option<Duration>,
    max_retries: Option<u32>,
    tenant: Option<String>,
    priority: Option<Priority>,
}

impl RequestOptions {
    /// No options yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends a header. One of `anthropic-beta` comes on top of the others; any other takes the place of the client's own.
    ///
    /// Headers that the client must know itself, such as `authorization`, are refused.
    #[inline]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Asks for a beta, on top of the client's. May be called again for more; each is sent once.
    pub fn beta(self, beta: impl Into<Beta>) -> Self {
        self.header("anthropic-beta", beta.into().as_str())
    }

    /// Acts in a workspace (`wrkspc_…`), in place of the one that the credential names.
    pub fn workspace_id(mut self, id: impl Into<String>) -> Self {
        self.workspace = Some(id.into());
        self
    }

    /// Acts for a user profile: the service counts the call as that user's.
    pub fn user_profile_id(self, id: impl Into<String>) -> Self {
        self.header("anthropic-user-profile-id", id)
    }

    /// Adds a parameter to the query; both parts are escaped.
    pub fn query(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.query.push((name.into(), value.into()));
        self
    }

    /// Adds a member to the JSON body, or takes the place of one; calls without a body do not have it.
    pub fn extra(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.extra.insert(name.into(), value.into());
        self
    }

    /// Waits at most this long for an answer to begin, in each attempt; see
    /// [`ClientBuilder::timeout`](crate::ClientBuilder::timeout).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Gives a call this long from beginning to end, with all its attempts and the waits between them.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Sends a call again at most this often; 0 turns retries off.
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.max_retries = Some(retries);
        self
    }

    /// Says on whose behalf a call is made: where calls wait for a rate limiter, tenants take turns. The limiter may log the
    /// name; it is not sent.
    pub fn tenant(mut self, tenant: impl Into<String>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// Says how urgent a call is: where calls wait for a rate limiter, urgent ones go first, and others get their part.
    pub fn priority(mut self, priority: Priority) -> Self {
        self.priority = Some(priority);
        self
    }
}

/// Names what is set; a header's value may be a secret.
impl fmt::Debug for RequestOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names =
            |pairs: &[(String, String)]| pairs.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        f.debug_struct("RequestOptions")
            .field("headers", &names(&self.headers))
            .field("workspace", &self.workspace)
            .field("query", &names(&self.query))
            .field("extra", &self.extra.keys().collect::<Vec<_>>())
            .field("timeout", &self.timeout)
            .field("deadline", &self.deadline)
            .field("max_retries", &self.max_retries)
            .field("tenant", &self.tenant)
            .field("priority", &self.priority)
            .finish()
    }
}

/// Options that were checked, as a request wants them.
#[derive(Clone, Default)]
pub(crate) struct Checked {
    headers: HeaderMap,
    /// The query without its question mark.
    pub(crate) query: String,
    pub(crate) extra: Map<String, Value>,
    timeout: Option<Duration>,
    pub(crate) deadline: Option<Duration>,
    max_retries: Option<u32>,
    tenant: Option<Arc<str>>,
    priority: Option<Priority>,
}

impl Checked {
    /// These and `more`, whose word counts where both have one.
    #[inline]
    pub(crate) fn with(&self, more: RequestOptions) -> Result<Self, ConfigError> {
        let mut checked = self.clone();
        for (name, value) in &more.headers {
            checked.header(name, value)?;
        }
        if let Some(id) = &more.workspace {
            let name = HeaderName::from_static("anthropic-workspace-id");
            let value = id.parse().map_err(|_| ConfigError::Header { name: name.as_str().to_owned() })?;
            checked.headers.insert(name, value);
        }
        let mut query = form_urlencoded::Serializer::new(checked.query);
        checked.query = query.extend_pairs(&more.query).finish();
        if let Some(name) = more.extra.keys().find(|name| *name == "stream") {
            return Err(ConfigError::Reserved { name: name.clone() });
        }
        checked.extra.extend(more.extra);
        checked.timeout = more.timeout.or(checked.timeout);
        checked.deadline = more.deadline.or(checked.deadline);
        checked.max_retries = more.max_retries.or(checked.max_retries);
        checked.tenant = more.tenant.map(Arc::from).or(checked.tenant);
        checked.priority = more.priority.or(checked.priority);
        Ok(checked)
    }

    #[inline]
    fn header(&mut self, name: &str, value: &str) -> Result<(), ConfigError> {
        let lower = name.to_ascii_lowercase();
        if RESERVED.contains(&lower.as_str()) {
            return Err(ConfigError::Reserved { name: lower });
        }
        let unusable = || ConfigError::Header { name: name.chars().take(80).collect() };
        let name: HeaderName = lower.parse().map_err(|_| unusable())?;
        let mut value: HeaderValue = value.parse().map_err(|_| unusable())?;
        // Whatever it is, it is nobody else's business.
        value.set_sensitive(true);
        if name == "anthropic-beta" {
            self.headers.append(name, value);
        } else {
            self.headers.insert(name, value);
        }
        Ok(())
    }

    /// What a call is counted under, with who it is for and how urgent it is.
    pub(crate) fn on_behalf(&self, mut key: Key) -> Key {
        if let Some(tenant) = &self.tenant {
            key = key.with_tenant(Arc::clone(tenant));
        }
        match self.priority {
            Some(priority) => key.with_priority(priority),
            None => key,
        }
    }

    /// None but a deadline.
    pub(crate) fn with_deadline(deadline: Option<Duration>) -> Self {
        Self { deadline, ..Self::default() }
    }

    /// Whether they say how long a call may take.
    pub(crate) fn limits_time(&self) -> bool {
        self.timeout.is_some() || self.deadline.is_some()
    }

    /// Puts them on a request; the deadline is the caller's, who knows the time.
    #[inline]
    pub(crate) fn apply(&self, request: &mut transport::Request) {
        if !self.headers.is_empty() {
            *request.headers_mut() = self.headers.clone();
        }
        if let Some(timeout) = self.timeout {
            request.extensions_mut().insert(HeadersTimeout(timeout));
        }
        if let Some(retries) = self.max_retries {
            request.extensions_mut().insert(MaxRetries(retries));
        }
    }
}

/// Headers by which a client says who it is, which version it speaks and where the body ends.
const RESERVED: [&str; 18] = [
    "accept-encoding",
    "anthropic-version",
    "anthropic-workspace-id",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-api-key",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(options: RequestOptions) -> String {
        Checked::default().with(options).err().unwrap().to_string()
    }

    #[test]
    fn a_header_the_client_must_know_itself_is_refused_by_its_name() {
        for name in RESERVED {
            let text = refusal(RequestOptions::new().header(name.to_ascii_uppercase(), "canary"));
            assert!(text.contains(name) && !text.contains("canary"), "{text}");
        }
        let text = refusal(RequestOptions::new().extra("stream", true));
        assert!(text.contains("stream"), "{text}");
    }

    #[test]
    fn what_no_header_can_carry_is_refused_without_its_value() {
        for (name, value) in
            [("x y", "canary"), ("", "canary"), ("x-y", "canary\r\nx-z: 1"), ("x-\u{e9}", "canary")]
        {
            let text = refusal(RequestOptions::new().header(name, value));
            assert!(text.contains("header") && !text.contains("canary"), "{text}");
        }
    }

    #[test]
    fn the_later_word_counts_and_queries_and_betas_add_up() {
        let first = RequestOptions::new().header("x-a", "1").header("anthropic-beta", "b1").query("q", "a b");
        let second = RequestOptions::new()
            .header("X-A", "2")
            .header("anthropic-beta", "b2")
            .query("r", "&")
            .max_retries(3);
        let checked = Checked::default().with(first).unwrap().with(second).unwrap();
        assert_eq!(checked.query, "q=a+b&r=%26");
        assert_eq!(checked.headers["x-a"], "2");
        let betas: Vec<_> = checked.headers.get_all("anthropic-beta").iter().collect();
        assert_eq!(betas, ["b1", "b2"]);
        assert_eq!(checked.max_retries, Some(3));
    }

    #[test]
    fn values_of_headers_and_queries_are_not_shown() {
        let options = RequestOptions::new().header("x-a", "canary").query("q", "canary").extra("m", "canary");
        let text = format!("{options:?}");
        assert!(text.contains("x-a") && !text.contains("canary"), "{text}");
    }
}
