use std::path::PathBuf;

/// What is wrong with how a client was set up.
///
/// Example: [`Error`](crate::Error).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Neither an argument nor the environment names a credential.
    #[error(
        "no credential: set ANTHROPIC_API_KEY (or ANTHROPIC_AUTH_TOKEN), log in with `claudectl auth login`, or give the \
         builder one{}",
        looked_at(looked)
    )]
    MissingCredential {
        /// What was looked at, in order, and what was found there.
        looked: Vec<String>,
    },
    /// A profile was asked for and cannot be used.
    #[cfg(feature = "profile")]
    #[error(transparent)]
    Profile(#[from] super::ProfileError),
    /// A profile was asked for, and this build cannot read any.
    #[error("ANTHROPIC_PROFILE is set, and this build knows no profiles; turn on the feature `profile`")]
    NoProfiles,
    /// A key or token has characters no header can carry.
    #[error(
        "{name} is empty, or has a line break, a blank or another character that a key cannot have; copy it again, \
         without quotes (its value is not shown here)"
    )]
    MalformedSecret {
        /// Where the secret came from: a variable's or an argument's name.
        name: String,
    },
    /// A secret source is there but could not be used.
    #[error("{0}")]
    Secret(#[source] secrets::Error),
    /// The base URL is not a URL.
    #[error("the base URL is not a URL; give one such as https://api.anthropic.com")]
    BaseUrl {
        /// What is wrong with it.
        source: url::ParseError,
    },
    /// The base URL is neither `https` nor `http`.
    #[error("the base URL begins with {scheme:?}; use https:// (plain http:// is for loopback only)")]
    BaseUrlScheme {
        /// What it begins with.
        scheme: String,
    },
    /// The base URL carries a user name or password.
    #[error("the base URL carries a user name or password; remove it and give the credential separately")]
    BaseUrlUserInfo,
    /// The base URL carries a query or fragment.
    #[error("the base URL carries a query or a fragment; give scheme, host and path prefix only")]
    BaseUrlQuery,
    /// A credential would travel in clear.
    #[error(
        "a credential would travel unencrypted to {host:?}; use https:// (plain http:// is for loopback only)"
    )]
    Cleartext {
        /// The host of the refused URL.
        host: String,
    },
    /// The API version is not one this crate speaks.
    #[error("unknown API version; use 2026-10-21 or 2023-06-01")]
    ApiVersion,
    /// A header value, such as a beta name, has characters no header can carry.
    #[error("the value given for `{name}` cannot travel in a header; use visible ASCII characters")]
    Header {
        /// The header's name.
        name: String,
    },
    /// An option would set what the client must know itself.
    #[error(
        "`{name}` is set by the client itself and is no option; credentials and versions are set on the client's builder"
    )]
    Reserved {
        /// The header's or the member's name.
        name: String,
    },
    /// A path of a raw call is not a plain one below the base URL.
    #[error("{path:?} is no path of the API; give one such as \"/v1/models\", without dots or a query")]
    Route {
        /// The refused path.
        path: String,
    },
    /// A path segment, such as a model's name, is empty or might lead out of the route.
    #[error("{value:?} cannot be part of a route; give the bare identifier")]
    Identifier {
        /// The refused identifier.
        value: String,
    },
    /// Files are larger than the service takes; nothing of them was read.
    #[error("the content has {size} bytes, and the service takes {limit}; send it in parts")]
    FileTooLarge {
        /// How large they are together, in bytes.
        size: u64,
        /// What the service takes, in bytes.
        limit: u64,
    },
    /// What was read to be sent has come to more than the service takes; it was not sent to its end.
    #[error(
        "the content is larger than {limit} bytes, which is more than the service takes; send it in parts"
    )]
    ContentTooLarge {
        /// What the service takes, in bytes.
        limit: u64,
    },
    /// What was to be sent is a folder, a pipe or a device.
    #[error("{} is no regular file; give the path of one, or a reader", path.display())]
    NoFile {
        /// Where it is.
        path: PathBuf,
    },
    /// What was given as the media type of a file is none.
    #[error("{value:?} is no media type; give one such as text/plain")]
    MediaType {
        /// What was given, cut short.
        value: String,
    },
    /// A file that was to be sent cannot be read.
    #[error("{} cannot be read; check the path, and that you may read it", path.display())]
    File {
        /// Where it should be.
        path: PathBuf,
        /// What is wrong.
        source: std::io::Error,
    },
    /// A whole message was asked for that may take longer than a silent connection lives.
    #[error(
        "an answer of up to {max_tokens} tokens may take more than ten minutes, and few networks keep a silent \
         connection so long; use `messages().stream(…)`, or set `timeout` or `deadline` on the client to wait anyway"
    )]
    TooLongToWait {
        /// What the request allows.
        max_tokens: u32,
    },
    /// This build has no HTTP backend and the builder was given none.
    #[error("no HTTP backend: turn on the feature `reqwest`, or give the builder one with `backend`")]
    MissingBackend,
    /// The default backend could not be set up.
    #[error("the HTTP backend could not be set up")]
    Backend(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The thread of a blocking client could not be started.
    #[cfg(feature = "blocking")]
    #[error("the thread of the blocking client could not be started")]
    Thread(#[source] std::io::Error),
    /// A request could not be turned into JSON.
    #[error("the request could not be written as JSON")]
    Serialize(#[source] serde_json::Error),
    /// A type has no schema that the service takes.
    #[cfg(feature = "schema")]
    #[error(transparent)]
    Schema(#[from] crate::schema::SchemaError),
    /// The operating system gave no randomness.
    #[error("the operating system gave no randomness; without it no safe login is possible")]
    Entropy,
}

fn looked_at(looked: &[String]) -> String {
    if looked.is_empty() { String::new() } else { format!(" (looked at: {})", looked.join("; ")) }
}
