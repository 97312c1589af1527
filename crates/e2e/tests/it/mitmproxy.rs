//! The client behind a real intercepting proxy (mitmproxy), whose authority it trusts or not: bodies that are cut or shortened on
//! their way (F11, F19, F57), over TLS with HTTP/1.1 and HTTP/2.

use std::fs;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use claude_sdk::transport::{self, Clock, ErrorKind, Reach, SystemClock, backends::Reqwest};
use claude_sdk::types::{MessageRequest, Model};
use claude_sdk::{Client, Error, RequestOptions};
use e2e::{Authority, Nginx, Process, Site, Validity, free_port};
use mock_server::MockServer;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{script, tools};

const WORDS: &str = "You said: hello there";

/// A running mitmproxy.
struct Interceptor {
    port: u16,
    folder: TempDir,
    _process: Process,
}

impl Interceptor {
    fn start(mode: &str, more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = tools().mitmproxy().unwrap();
        command.args(["--mode", mode, "--listen-host", "127.0.0.1", "--listen-port", "0", "--scripts"]);
        command.arg(script("cut.py")).arg("--set").arg(format!("confdir={}", folder.path().display()));
        // It would write down each request otherwise.
        command.args(["--set", "flow_detail=0"]).args(more);
        command.env("HOME", folder.path()).env("PYTHONUNBUFFERED", "1");
        let mut process = Process::start(command).unwrap();
        let line = process.wait_for("listening at", Duration::from_secs(60)).unwrap();
        let port = line.trim_end_matches('.').rsplit_once(':').unwrap().1.parse().unwrap();
        Self { port, folder, _process: process }
    }

    /// One in the place of the server.
    fn before(server: &MockServer, more: &[&str]) -> Self {
        Self::start(&format!("reverse:{}", server.base_url()), more)
    }

    /// The certificate of its authority.
    fn authority(&self) -> String {
        fs::read_to_string(self.folder.path().join("mitmproxy-ca-cert.pem")).unwrap()
    }

    fn client(&self, server: &MockServer) -> Client {
        let backend = Reqwest::builder().no_proxy().root_certificates(self.authority()).build().unwrap();
        let client = Client::builder().base_url(format!("https://localhost:{}", self.port)).backend(backend);
        // Each call is judged alone: nothing is left over from the ones that failed before it.
        let client = client.circuit_breaker(None).retry_budget(None).clock(Hurried);
        client.api_key(server.api_key()).build().unwrap()
    }
}

/// A clock on which the waits before another attempt are over at once, and the limits never.
#[derive(Debug)]
struct Hurried;

#[async_trait]
impl Clock for Hurried {
    fn now(&self) -> SystemTime {
        SystemClock.now()
    }

    async fn sleep(&self, duration: Duration) {
        if duration >= Duration::from_secs(30) {
            std::future::pending::<()>().await;
        }
    }
}

fn hello() -> MessageRequest {
    MessageRequest::new(Model::CLAUDE_HAIKU_4_5, 200).user("hello there")
}

/// The same client, whose answers this happens to.
fn cut(client: &Client, how: &str) -> Client {
    client.with_options(RequestOptions::new().header("x-cut", how)).unwrap()
}

async fn streamed(client: &Client) -> Result<String, Error> {
    Ok(client.messages().stream(&hello()).await?.final_message().await?.text())
}

/// What the transport says, beneath whatever is above it.
fn kind(error: &Error) -> Option<ErrorKind> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<transport::Error>() {
            return Some(found.kind());
        }
        cause = error.source();
    }
    None
}

/// The proxy with HTTP/2 as it is, and with HTTP/1.1 alone.
const VERSIONS: [&[&str]; 2] = [&[], &["--set", "http2=false"]];

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_cut_or_shortened_on_its_way_is_no_message() {
    for version in VERSIONS {
        let server = MockServer::start().await.unwrap();
        let proxy = Interceptor::before(&server, version);
        let client = proxy.client(&server);
        assert_eq!(client.messages().create(&hello()).await.unwrap().text(), WORDS);
        for bytes in [0, 1, 40, 200] {
            let error = cut(&client, &format!("kill {bytes}")).messages().create(&hello()).await.unwrap_err();
            assert!(matches!(error, Error::Answer(_)), "{version:?} {bytes}: {error:?}");
            assert_eq!(kind(&error), Some(ErrorKind::Truncated), "{version:?} {bytes}: {error:?}");
            assert!(error.request_id().is_some() && error.attempts() == 1, "{error:?}");
            // HTTP says that this is all of it; the JSON does not.
            let error = cut(&client, &format!("end {bytes}")).messages().create(&hello()).await.unwrap_err();
            assert!(
                matches!(error, Error::Answer(_)) && kind(&error).is_none(),
                "{version:?} {bytes}: {error:?}"
            );
        }
        let error = cut(&client, "rewrite").messages().create(&hello()).await.unwrap_err();
        assert!(error.to_string().contains("web page"), "{error}");
        assert_eq!(server.journal_len(), 10, "nothing was sent twice");
        assert_eq!(client.messages().create(&hello()).await.unwrap().text(), WORDS);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_cut_or_shortened_on_its_way_is_told_from_a_whole_one() {
    for version in VERSIONS {
        let server = MockServer::start().await.unwrap();
        let proxy = Interceptor::before(&server, version);
        let client = proxy.client(&server);
        assert_eq!(streamed(&client).await.unwrap(), WORDS);
        for how in ["kill", "end"] {
            let (mut again, mut broken) = (0, 0);
            for bytes in (0..).step_by(97) {
                server.clear_journal();
                match streamed(&cut(&client, &format!("{how} {bytes}"))).await {
                    Ok(text) => {
                        // It was whole.
                        assert_eq!((text.as_str(), server.journal_len()), (WORDS, 1), "{how} {bytes}");
                        break;
                    }
                    // Before there is content a stream is asked for again, and cut again.
                    Err(error) if error.attempts() == 3 => {
                        assert!(broken == 0 && server.journal_len() == 3, "{how} {bytes}: {error:?}");
                        again += 1;
                    }
                    Err(Error::Stream(error)) => {
                        assert!(
                            error.is_truncated() && server.journal_len() == 1,
                            "{how} {bytes}: {error:?}"
                        );
                        let Some(partial) = error.partial() else {
                            panic!("{version:?} {how} {bytes}: {error:?}")
                        };
                        let text = partial.text();
                        assert!(WORDS.starts_with(&text), "{how} {bytes}: {text}");
                        broken += 1;
                    }
                    Err(error) => panic!("{how} {bytes}: {error:?}"),
                }
            }
            assert!(again > 2 && broken > 5, "{version:?} {how}: {again} asked for again, {broken} broken");
        }
    }
}

/// As a company's proxy that reads along: who trusts its authority by the machine's settings goes through it, who does not sends
/// nothing.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_does_not_trust_an_interceptor_sends_it_nothing() {
    let (server, authority) = (MockServer::start().await.unwrap(), Authority::new().unwrap());
    let certificate = authority.sign("good", "localhost", Validity::Current).unwrap();
    let port = free_port().unwrap();
    let site = Site { port, certificate: &certificate, settings: "" };
    let _nginx = Nginx::start(&tools(), server.base_url().port().unwrap(), &[site]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let [real, its] = ["real.pem", "its.pem"].map(|name| folder.path().join(name));
    fs::write(&real, authority.pem().unwrap()).unwrap();
    let trusts = format!("ssl_verify_upstream_trusted_ca={}", real.display());
    let proxy = Interceptor::start("regular", &["--set", &trusts]);
    fs::write(&its, proxy.authority()).unwrap();

    let fetch = async |trusted: &std::path::Path| -> Value {
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_fetch"));
        command.env_clear().env("HTTPS_PROXY", format!("http://127.0.0.1:{}", proxy.port));
        command.env("SSL_CERT_FILE", trusted).arg(format!("https://localhost:{port}/"));
        e2e::report(command).await.unwrap()
    };
    let refused = fetch(&real).await;
    assert_eq!(
        (&refused["kind"], &refused["reach"]),
        (&json!("Tls"), &json!(format!("{:?}", Reach::NotSent)))
    );
    assert_eq!(server.journal_len(), 0, "{refused}");
    assert_eq!(fetch(&its).await, json!({"status": 200}));
    assert_eq!(server.journal_len(), 1);
}
