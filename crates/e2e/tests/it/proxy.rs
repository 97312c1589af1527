//! The reqwest backend behind a real proxy (tinyproxy), chosen by the environment as every user's is.

use std::fs;
use std::process::Command;
use std::time::Duration;

use e2e::{Process, free_port};
use mock_server::MockServer;
use serde_json::{Value, json};
use tempfile::TempDir;

struct Proxy {
    port: u16,
    _process: Process,
    _folder: TempDir,
}

impl Proxy {
    /// Starts a proxy that writes its name into `Via`, with more lines for its configuration.
    fn start(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tinyproxy.conf");
        let port = free_port().unwrap();
        let settings =
            format!("Port {port}\nListen 127.0.0.1\nAllow 127.0.0.1\nViaProxyName \"e2e-proxy\"\n{more}");
        fs::write(&path, settings).unwrap();

        let mut command = Command::new("tinyproxy");
        command.arg("-d").arg("-c").arg(&path);
        let mut process = Process::start(command).unwrap();
        process.wait_for("Accepting connections", Duration::from_secs(10)).unwrap();
        Self { port, _process: process, _folder: folder }
    }
}

#[tokio::test]
async fn a_request_goes_through_the_proxy_of_the_environment() {
    let (server, proxy) = (MockServer::start().await.unwrap(), Proxy::start(""));
    let report = fetch(&server, &[("HTTP_PROXY", &format!("http://127.0.0.1:{}", proxy.port))]).await;
    assert_eq!(report, json!({"status": 200}));
    assert!(via(&server).unwrap().contains("e2e-proxy"));
}

#[tokio::test]
async fn no_proxy_goes_around_it() {
    let (server, proxy) = (MockServer::start().await.unwrap(), Proxy::start(""));
    let url = format!("http://127.0.0.1:{}", proxy.port);
    let report = fetch(&server, &[("HTTP_PROXY", &url), ("NO_PROXY", "localhost,127.0.0.1")]).await;
    assert_eq!(report, json!({"status": 200}));
    assert_eq!(via(&server), None);
}

#[tokio::test]
async fn the_proxys_password_is_sent_to_the_proxy_only() {
    let (server, proxy) = (MockServer::start().await.unwrap(), Proxy::start("BasicAuth ada sesame\n"));
    let with = |password: &str| format!("http://ada:{password}@127.0.0.1:{}", proxy.port);
    let refused = fetch(&server, &[("HTTP_PROXY", &with("wrong"))]).await;
    assert_eq!(server.journal_len(), 0, "{refused}");

    let report = fetch(&server, &[("HTTP_PROXY", &with("sesame"))]).await;
    assert_eq!(report, json!({"status": 200}));
    let journal = server.journal();
    assert_eq!(journal.last().unwrap().header("proxy-authorization"), None);
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_an_error_without_its_password_and_nothing_goes_around_it() {
    let server = MockServer::start().await.unwrap();
    let url = format!("http://ada:sesame@127.0.0.1:{}", free_port().unwrap());
    let report = fetch(&server, &[("HTTP_PROXY", &url)]).await;
    assert_eq!(report["reach"], "NotSent", "{report}");
    assert!(!report["texts"].as_str().unwrap().contains("sesame"), "{report}");
    assert_eq!(server.journal_len(), 0);
}

async fn fetch(server: &MockServer, environment: &[(&str, &str)]) -> Value {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_fetch"));
    command.env_clear().envs(environment.iter().copied()).arg(server.base_url().as_str());
    e2e::report(command).await.unwrap()
}

/// The `Via` header of the only request that came.
fn via(server: &MockServer) -> Option<String> {
    let journal = server.journal();
    assert_eq!(journal.len(), 1, "{journal:?}");
    journal[0].header("via").map(str::to_owned)
}
