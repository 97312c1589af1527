//! The kinds of failure, and the words for each.

use std::fmt;

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request cannot be sent as it is: its URI, its headers or the backend's settings are wrong.
    InvalidRequest,
    /// The host name could not be resolved.
    Dns,
    /// No connection could be made.
    Connect,
    /// This process, or its machine, has no file descriptor left for a connection.
    Exhausted,
    /// The connection could not be secured: a certificate, a protocol version, a name.
    Tls,
    /// The proxy on the way could not be reached or refused to connect.
    Proxy,
    /// Something took longer than allowed.
    Timeout(TimeoutKind),
    /// The peer does not speak HTTP, or broke its rules.
    Protocol,
    /// The body was larger than the caller allows.
    BodyTooLarge {
        /// The most that was allowed, in bytes.
        limit: usize,
    },
    /// The body is in a content coding that cannot be read here, or not what its head says.
    Decode,
    /// The body ended before it was complete.
    Truncated,
    /// The connection was closed before a response came.
    Closed,
    /// The server failed so often that nothing was sent to it for now; the source, a [`layers::Open`](crate::layers::Open),
    /// says when that ends.
    Open,
    /// A layer of this program said no before anything was sent; the source is its reason.
    Refused,
    /// A part of this program that was called on the way panicked: a middleware, a provider, a policy.
    Panicked,
    /// Anything else; the source tells.
    Other,
}

/// Which wait was too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TimeoutKind {
    /// Making the connection.
    Connect,
    /// From sending the request to the head of the response.
    Headers,
    /// Between two pieces of the body.
    Idle,
    /// From one piece of the answer to the next, where something arrives that is no part of it, such as a stream's
    /// signs of life.
    Progress,
    /// All of it, or the caller's [`Deadline`](crate::Deadline).
    Total,
}

/// How far the request got, which decides whether it may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reach {
    /// The server saw nothing of it: sending it again cannot do the work twice.
    NotSent,
    /// The server may have seen it and may have acted on it.
    MaybeSent,
    /// The server answered, at least with the head of a response.
    Answered,
}

impl ErrorKind {
    /// Says what happened with `target`, of a request that got so far, and what can be done.
    pub(super) fn tell(self, reach: Reach, target: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidRequest => {
                write!(f, "the request for {target} cannot be sent; correct its URL, headers or settings")
            }
            Self::Dns => {
                write!(f, "the name of {target} could not be resolved; check it and the network")
            }
            Self::Connect => {
                write!(
                    f,
                    "could not connect to {target}; check that it is up and can be reached from here, and \
                 the proxy where the environment names one"
                )
            }
            Self::Exhausted => {
                write!(
                    f,
                    "this process has no file descriptor left to connect to {target}; limit how many calls are under \
                     way at once, or raise its limit (`ulimit -n`)"
                )
            }
            Self::Tls => write!(
                f,
                "could not secure the connection to {target}; check its certificate, this machine's CA certificates \
                 and that the port speaks TLS, and HTTP/1.1 where the feature `http2` is off"
            ),
            Self::Proxy => {
                write!(
                    f,
                    "could not get through the proxy to {target}; check the proxy's address, login and rules"
                )
            }
            Self::Timeout(TimeoutKind::Connect) => {
                write!(f, "connecting to {target} took too long; check the network or allow more time")
            }
            Self::Timeout(TimeoutKind::Headers) => {
                write!(f, "{target} took too long to answer; try again later or allow more time")
            }
            Self::Timeout(TimeoutKind::Idle) => {
                write!(
                    f,
                    "{target} stopped sending in the middle of its answer; try again or allow longer pauses"
                )
            }
            Self::Timeout(TimeoutKind::Progress) => {
                write!(
                    f,
                    "{target} sent signs of life and nothing of its answer; try again or allow longer pauses"
                )
            }
            Self::Timeout(TimeoutKind::Total) => {
                write!(
                    f,
                    "the exchange with {target} did not end in time; try again later or allow more time"
                )
            }
            Self::Protocol => {
                write!(f, "{target} sent something that could not be understood; check that the URL is right")
            }
            Self::BodyTooLarge { limit } => {
                write!(
                    f,
                    "{target} sent more than the {limit} bytes that are read of such an answer; ask for less, or check that the URL is right"
                )
            }
            Self::Decode => write!(
                f,
                "{target} sent a body that could not be decoded; check what lies between, and that the feature \
                 `decompress` is on if compression is wanted"
            ),
            Self::Truncated => {
                write!(f, "the answer of {target} broke off before it was complete; try again")
            }
            Self::Closed if reach == Reach::NotSent => {
                write!(f, "{target} closed the connection and had not begun with the request; send it again")
            }
            Self::Closed => {
                write!(
                    f,
                    "{target} closed the connection without an answer; it may have done the work, so \
                     look before sending it again"
                )
            }
            Self::Open => {
                write!(f, "nothing was sent to {target}, which has kept failing; try again after the pause")
            }
            Self::Refused => write!(f, "nothing was sent to {target}; see the cause"),
            Self::Panicked => {
                write!(
                    f,
                    "a middleware, provider or policy of this program panicked during the exchange with {target}; see \
                     standard error for where, and mend it"
                )
            }
            Self::Other => write!(f, "the exchange with {target} failed; see the cause"),
        }
    }
}
