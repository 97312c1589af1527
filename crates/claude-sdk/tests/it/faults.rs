//! The fault matrix (the rows F1 to F74 of docs/testing.md) over TCP. Each fault goes through a [`Trial`], which holds the
//! client to what has to be true of all of them.

mod answer;
#[cfg(feature = "decompress")]
mod bomb;
mod connection;
mod cut;
mod deadline;
mod http2;
mod leave;
mod redirect;
mod status;
mod stream;
mod tls;
mod token;

use std::{error::Error as _, fs, time::Duration};

use claude_sdk::{
    Client, ClientBuilder, Error, MessageStream, Reply, StreamError,
    transport::{self, ErrorKind},
    types::Message,
};
use mock_server::{Fault, MockServer};
use tokio::runtime::Handle;

use crate::{
    redaction::Tape,
    rig::{Waits, client, held, hello, told, until},
};

/// The first attempt and the retries there are by default.
const MOST_ATTEMPTS: u32 = 3;
/// The longest that a call sleeps before an attempt, unless its deadline says otherwise; and what jitter may add.
const LONGEST_WAIT: Duration = Duration::from_secs(60 + 6);
/// How many events the server sends for `hello()`, its ping included.
const EVENTS: usize = 10;
/// How many of them come before there is content: until then a stream that fails is sent again.
const CONTENT: usize = 2;
/// By how much a fault may make this process grow, in KiB.
const GROWTH: usize = 32 * 1024;

/// A server, a client of it, and everything that is said meanwhile.
///
/// A result that never comes is a failure too: the test command stops such a test.
pub struct Trial {
    pub server: MockServer,
    pub client: Client,
    pub waits: Waits,
    pub tape: Tape,
    _log: Option<tracing::subscriber::DefaultGuard>,
    before: Footprint,
}

/// What this process has of the system's.
#[derive(Clone, Copy, Debug)]
struct Footprint {
    kib: usize,
    files: usize,
    tasks: usize,
}

impl Trial {
    pub async fn new() -> Self {
        let tape = Tape::default();
        let log = tape.log();
        Self::start(tape, Some(log), held()).await
    }

    /// One over TLS, which the client trusts, and so over HTTP/2.
    pub async fn over_http2() -> Self {
        let tape = Tape::default();
        let log = tape.log();
        Self::start(tape, Some(log), held().tls()).await
    }

    /// One over TLS with a server that offers no HTTP/2.
    pub async fn over_http1_within_tls() -> Self {
        Self::start(Tape::default(), None, held().tls().http1_only()).await
    }

    /// One whose log nobody reads, for thousands of calls.
    pub async fn unheard() -> Self {
        Self::start(Tape::default(), None, held()).await
    }

    /// The same, whose log nobody reads: each frame would be several lines.
    pub async fn over_http2_unheard() -> Self {
        Self::start(Tape::default(), None, held().tls()).await
    }

    /// One of a client with settings of its own. Of its waits nothing is known where one of them is a clock.
    pub async fn of(
        server: mock_server::Builder,
        set: impl FnOnce(ClientBuilder, &MockServer) -> ClientBuilder,
    ) -> Self {
        let tape = Tape::default();
        let log = tape.log();
        Self::start_with(tape, Some(log), server, set).await
    }

    async fn start(
        tape: Tape,
        log: Option<tracing::subscriber::DefaultGuard>,
        server: mock_server::Builder,
    ) -> Self {
        Self::start_with(tape, log, server, |builder, _| builder).await
    }

    async fn start_with(
        tape: Tape,
        log: Option<tracing::subscriber::DefaultGuard>,
        server: mock_server::Builder,
        set: impl FnOnce(ClientBuilder, &MockServer) -> ClientBuilder,
    ) -> Self {
        let before = Footprint::now();
        let server = server.start().await.unwrap();
        let (builder, waits) = client(&server);
        // Each call is judged alone: nothing is left over from the ones that failed before it.
        let builder = builder.circuit_breaker(None).retry_budget(None);
        let client = set(builder, &server).build().unwrap();
        Self { server, client, waits, tape, _log: log, before }
    }

    /// Asks for a message while `fault` happens; gives it, or how it failed.
    pub async fn create(&self, what: &str, fault: Fault) -> Result<Reply<Message>, Error> {
        self.server.clear_journal();
        self.server.inject(fault);
        let slept = self.waits.slept().len();
        let result = self.client.messages().create(&hello()).await;
        self.server.clear_faults();
        self.judge(what, slept, &result);
        result
    }

    /// Like [`create`](Self::create), of a stream that is read to its end.
    pub async fn stream(&self, what: &str, fault: Fault) -> Result<Reply<Message>, Error> {
        self.server.clear_journal();
        self.server.inject(fault);
        let slept = self.waits.slept().len();
        let result = match self.client.messages().stream(&hello()).await {
            Ok(stream) => whole(stream).await,
            Err(error) => Err(error),
        };
        self.server.clear_faults();
        self.judge(what, slept, &result);
        result
    }

    /// What holds for every outcome: few requests, an error that knows how many and names the call, no wait longer than a caller
    /// without a deadline has to bear, and no secret. Before it were so many waits.
    fn judge(&self, what: &str, waits: usize, result: &Result<Reply<Message>, Error>) {
        let slept = self.waits.slept().split_off(waits);
        assert!(slept.iter().all(|wait| *wait <= LONGEST_WAIT), "{what}: {slept:?}");
        let requests = u32::try_from(self.server.journal_len()).unwrap();
        assert!(requests <= MOST_ATTEMPTS, "{what}: {requests} requests");
        match result {
            Ok(reply) => {
                assert_eq!(reply.text(), "You said: hello there", "{what}");
                assert!(reply.retries_taken() < MOST_ATTEMPTS, "{what}");
                self.tape.value(reply);
            }
            Err(error) => {
                let text = told(error);
                let attempts = error.attempts();
                assert!(
                    (requests..=MOST_ATTEMPTS).contains(&attempts),
                    "{what}: {requests} requests, {text}"
                );
                if let Error::Api(_) | Error::Answer(_) | Error::Stream(_) = error {
                    assert_eq!(attempts, requests, "{what}: {text}");
                }
                if matches!(error, Error::Api(_) | Error::Stream(_)) {
                    assert!(error.request_id().unwrap().starts_with("req_"), "{what}: {text}");
                }
                self.tape.error(error);
            }
        }
    }

    /// How often a message was made, or would have been.
    pub fn executions(&self) -> usize {
        self.server.journal().iter().filter(|entry| entry.note.is_none()).count()
    }

    /// Ends the trial: nothing is left of it, and nothing secret was said.
    pub async fn end(self) {
        self.tape.assert_clean(&[]);
        let Self { server, client, before, .. } = self;
        drop(client);
        server.shutdown().await;
        before.assert_restored().await;
    }
}

impl Footprint {
    fn now() -> Self {
        let pages = fs::read_to_string("/proc/self/statm").unwrap();
        let pages: usize = pages.split(' ').nth(1).unwrap().parse().unwrap();
        Self {
            kib: pages * 4,
            files: fs::read_dir("/proc/self/fd").unwrap().count(),
            tasks: Handle::current().metrics().num_alive_tasks(),
        }
    }

    /// Waits until no file and no task is left that was not there, and looks at the memory.
    async fn assert_restored(self) {
        until(|| {
            let now = Self::now();
            now.files <= self.files && now.tasks <= self.tasks
        })
        .await;
        let grown = Self::now().kib.saturating_sub(self.kib);
        assert!(grown <= GROWTH, "{grown} KiB more than before");
    }
}

/// Reads event by event: an end without an error has to be the end of the message.
async fn whole(mut stream: MessageStream) -> Result<Reply<Message>, Error> {
    while let Some(event) = stream.next().await {
        event?;
    }
    Ok(stream.final_message().await.expect("a stream ended without an error, and without its message"))
}

/// The transport's own error, where a call failed for it; also beneath an answer that broke off.
fn transport_error(error: &Error) -> Option<&transport::Error> {
    if let Error::Transport(error) = error {
        return Some(error);
    }
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        cause = error.source();
    }
    None
}

#[track_caller]
fn assert_kind(what: &str, error: &Error, kinds: &[ErrorKind]) {
    let kind = transport_error(error).map(transport::Error::kind);
    assert!(kind.is_some_and(|kind| kinds.contains(&kind)), "{what}: {kind:?} {}", told(error));
}

#[track_caller]
fn stream_error(what: &str, error: Error) -> Box<StreamError> {
    match error {
        Error::Stream(error) => error,
        other => panic!("{what}: {other:?}"),
    }
}
