//! A login as a process of its own, while strangers do to its port what they can (F53, G17).

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use e2e::Process;
use mock_server::MockServer;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use url::Url;

use crate::browser::Browser;

const PATIENCE: Duration = Duration::from_secs(100);
const LOG_IN: &str = env!("CARGO_BIN_EXE_log_in");

/// A login that waits.
struct Waiting {
    process: Process,
    url: Url,
    redirect_uri: Url,
}

impl Waiting {
    fn new(mut command: Command, mock: &MockServer) -> Self {
        command.arg(mock.base_url().as_str()).arg(mock.client_id());
        let mut process = Process::start(command).unwrap();
        let line = process.wait_for("open ", PATIENCE).unwrap();
        let url: Url = line.strip_prefix("open ").unwrap().parse().unwrap();
        let redirect_uri =
            url.query_pairs().find(|(name, _)| name == "redirect_uri").unwrap().1.parse().unwrap();
        Self { process, url, redirect_uri }
    }

    fn port(&self) -> u16 {
        self.redirect_uri.port().unwrap()
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port())).unwrap()
    }

    /// What the process has in memory, in KiB.
    fn resident(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// The person comes at last.
    async fn log_in(mut self) {
        let callback = Browser::new().log_in(self.url.clone(), &self.redirect_uri).await;
        let callback = Url::parse(&callback).unwrap();
        let mut browser = self.connect();
        let target = &callback[url::Position::BeforePath..];
        write!(browser, "GET {target} HTTP/1.1\r\nhost: localhost:{}\r\n\r\n", self.port()).unwrap();
        // The page comes after the exchange, which needs this thread for the server.
        let page = tokio::task::spawn_blocking(move || {
            let mut page = String::new();
            browser.read_to_string(&mut page).map(|_| page)
        });
        let page = page.await.unwrap().unwrap();
        assert!(page.starts_with("HTTP/1.1 200 ") && page.contains("You are logged in"), "{page}");
        self.process.wait_for("done", PATIENCE).unwrap();
    }
}

#[tokio::test]
async fn ten_thousand_forged_callbacks_and_a_thousand_silent_ones_cost_a_login_no_memory() {
    // A thousand sockets of our own are more than a process usually may have.
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
    let mock = MockServer::start().await.unwrap();
    let waiting = Waiting::new(Command::new(LOG_IN), &mock);
    let before = waiting.resident();

    let mut silent = Vec::new();
    for _ in 0..1_000 {
        let mut socket = waiting.connect();
        // One that was closed for those after it may be noticed here.
        let _ = socket.write_all(b"GET /callback HTTP/1.1\r\nhost: loc");
        silent.push(socket);
    }
    for number in 0..10_000 {
        let query = match number % 4 {
            0 => format!("code=forged-{number}&state=forged"),
            1 => "error=access_denied".to_owned(),
            2 => "code=forged".to_owned(),
            _ => "state=&code=forged".to_owned(),
        };
        let mut forged = waiting.connect();
        write!(forged, "GET /callback?{query} HTTP/1.1\r\nhost: localhost:{}\r\n\r\n", waiting.port())
            .unwrap();
        let mut answer = String::new();
        forged.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    }
    let growth = waiting.resident().saturating_sub(before);
    assert!(growth <= 20 * 1024, "{growth} KiB more than before");
    waiting.log_in().await;
}

#[tokio::test]
async fn a_login_without_file_descriptors_pauses_and_goes_on_when_there_are_some() {
    let mock = MockServer::start().await.unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 20; exec \"$0\" \"$@\"", LOG_IN]);
    let mut waiting = Waiting::new(command, &mock);
    let silent: Vec<TcpStream> = (0..20).map(|_| waiting.connect()).collect();
    waiting.process.wait_for("paused", PATIENCE).unwrap();
    drop(silent);
    waiting.log_in().await;
}
