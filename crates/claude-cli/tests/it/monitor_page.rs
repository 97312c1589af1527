//! The monitor's page and metrics, as any program on this machine can ask for them.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    path::Path,
    time::Duration,
};

use claude_sdk::transport::{Clock as _, SystemClock};
use mock_server::{At, Fault, MockServer, leaks};
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    claudectl::{claudectl, run},
    monitor::Monitor,
};

/// The answer to a request, head and body.
fn ask(address: &str, request: &str) -> (String, String) {
    let mut socket = TcpStream::connect(address).unwrap();
    write!(socket, "{request}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert_eq!(leaks::find(&answer), None, "a secret is shown");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_ascii_lowercase(), body.to_owned())
}

fn get(address: &str, path: &str) -> String {
    let (head, body) = ask(address, &format!("GET {path} HTTP/1.1\r\nhost: {address}"));
    assert!(head.starts_with("http/1.1 200"), "{path}: {head}");
    body
}

fn served(server: &MockServer, history: &Path) -> (Monitor, String) {
    let mut monitor = Monitor::start(server, history, &["--serve", "127.0.0.1:0"]);
    let address = monitor.address();
    (monitor, address)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_and_the_metrics_tell_what_the_probes_found_and_nobody_elses_page_can_ask() {
    let server = MockServer::start().await.unwrap();
    let folder = TempDir::new().unwrap();
    let (mut monitor, address) = served(&server, &folder.path().join("history.sqlite"));
    monitor.next(|run| run["probe"] == "message" && run["failure"].is_null());
    server.inject(Fault::status(http::StatusCode::SERVICE_UNAVAILABLE).on("/v1/messages").always());
    let failed = monitor.next(|run| run["probe"] == "message" && !run["failure"].is_null());
    // The line of the next run comes when the one before it has been taken in everywhere.
    monitor.next(|run| run["probe"] == "message");

    let state: Value = serde_json::from_str(&get(&address, "/state")).unwrap();
    let message = state["probes"].as_array().unwrap().iter().find(|one| one["name"] == "message").unwrap();
    assert_eq!(message["last"]["failure"]["class"], "server", "{state:#}");
    assert!(message["windows"]["5m"]["classes"]["server"].as_u64() >= Some(1), "{message:#}");
    let failures = state["failures"].as_array().unwrap();
    let id = &failed["failure"]["request_id"];
    assert!(
        id.is_string() && failures.iter().any(|one| one["failure"]["request_id"] == *id),
        "{failures:#?}"
    );
    assert!(state["limits"]["rows"][0]["remaining"].is_u64(), "{state:#}");
    for range in ["hour", "day", "month", "all"] {
        let state: Value = serde_json::from_str(&get(&address, &format!("/state?range={range}"))).unwrap();
        let points = state["chart"]["series"]["models"].as_array();
        assert!(points.is_some_and(|points| points[0][4].as_u64() > Some(0)), "{range}: {state:#}");
    }

    let metrics = get(&address, "/metrics");
    for line in [
        "claudectl_probe_up{probe=\"message\"} 0",
        "claudectl_probe_up{probe=\"models\"} 1",
        "claudectl_probe_runs_total{probe=\"message\",result=\"server\"}",
        "claudectl_probe_duration_seconds_bucket{probe=\"models\",le=\"+Inf\"}",
        "claudectl_limit_remaining{kind=\"requests\"}",
        "claudectl_alert_firing{alert=\"down\",probe=\"models\"} 0",
        "claudectl_history_waiting_runs 0",
        "claudectl_alerts_untold 0",
        "claudectl_probe_interval_seconds{probe=\"models\"} 1",
        // What has not failed yet is there too, so that its first failure has a rate.
        "claudectl_probe_runs_total{probe=\"models\",result=\"dns\"} 0",
    ] {
        assert!(metrics.contains(line), "{line} is missing: {metrics}");
    }

    let page = get(&address, "/");
    let first_load = page.len() + get(&address, "/page.css").len() + get(&address, "/page.js").len();
    assert!(first_load + get(&address, "/state").len() <= 100 * 1024, "{first_load}");
    let (head, _) = ask(&address, &format!("GET / HTTP/1.1\r\nhost: {address}"));
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "frame-ancestors 'none'",
        "nosniff",
        "same-origin",
        "no-store",
    ] {
        assert!(head.contains(part), "{part} is missing: {head}");
    }
    assert!(!head.contains("unsafe"), "{head}");

    let status = |request: &str| ask(&address, request).0.split(' ').nth(1).unwrap().to_owned();
    for host in ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "127.0.0.1:80:80"] {
        assert_eq!(status(&format!("GET /state HTTP/1.1\r\nhost: {host}")), "421", "{host}");
    }
    assert_eq!(status("GET /state HTTP/1.0"), "421");
    assert_eq!(status("GET /state HTTP/1.1\r\nhost: LOCALHOST:1"), "200");
    assert_eq!(status(&format!("POST /state HTTP/1.1\r\nhost: {address}\r\ncontent-length: 0")), "405");
    assert_eq!(status(&format!("GET /etc/passwd HTTP/1.1\r\nhost: {address}")), "404");
    assert_eq!(status(&format!("GET /state?range=ever HTTP/1.1\r\nhost: {address}")), "400");
    monitor.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_head_of_a_page_can_be_asked_for_alone() {
    let server = MockServer::start().await.unwrap();
    let folder = TempDir::new().unwrap();
    let (monitor, address) = served(&server, &folder.path().join("history.sqlite"));
    let asked =
        |method: &str, path: &str| ask(&address, &format!("{method} {path} HTTP/1.1\r\nhost: {address}"));
    // Without what is otherwise from one moment to the next.
    let lasting = |head: &str| {
        let lines = head.lines().filter(|line| !line.starts_with("date:"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    for path in ["/", "/page.css", "/page.js", "/nowhere", "/state?range=ever"] {
        let ((whole, content), (head, nothing)) = (asked("GET", path), asked("HEAD", path));
        assert_eq!((lasting(&head), nothing.as_str()), (lasting(&whole), ""), "{path}");
        assert!(head.contains(&format!("content-length: {}\r\n", content.len())), "{path}: {head}");
    }
    for path in ["/state", "/state?range=month", "/metrics"] {
        let (head, nothing) = asked("HEAD", path);
        assert!(head.starts_with("http/1.1 200 ok\r\n") && nothing.is_empty(), "{path}: {head}");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        assert!(length.parse::<usize>().unwrap() > 100, "{path}: {head}");
    }
    let (refusal, _) = asked("DELETE", "/state");
    assert!(refusal.contains("allow: get, head\r\n"), "{refusal}");
    monitor.end();
}

/// 64 connections can be open at once.
#[tokio::test(flavor = "multi_thread")]
async fn who_connects_and_asks_nothing_keeps_nobody_out_and_whoever_came_first_has_to_go() {
    let server = MockServer::start().await.unwrap();
    let folder = TempDir::new().unwrap();
    let (monitor, address) = served(&server, &folder.path().join("history.sqlite"));
    let mut silent: Vec<_> = (0..64)
        .map(|_| {
            let mut socket = TcpStream::connect(&address).unwrap();
            write!(socket, "GET / HT").unwrap();
            socket
        })
        .collect();
    let began = SystemClock.now();
    get(&address, "/state");
    let mut left = String::new();
    // A reset is an end too.
    let _ = silent.remove(0).read_to_string(&mut left);
    let took = SystemClock.now().duration_since(began).unwrap_or_default();
    assert_eq!(left, "", "the one that came first was hung up on");
    assert!(took < Duration::from_secs(8), "long before its time was over: {took:?}");
    for mut socket in silent {
        socket.write_all(format!("TP/1.1\r\nhost: {address}\r\n\r\n").as_bytes()).unwrap();
        socket.read_to_string(&mut left).unwrap();
        assert!(left.starts_with("HTTP/1.1 200"), "the others were not: {left}");
        left.clear();
    }
    monitor.end();
}

/// The notes of `/state`, once there is one with `text` in it.
async fn noted(address: &str, text: &str) -> Vec<String> {
    loop {
        let state: Value = serde_json::from_str(&get(address, "/state?range=all")).unwrap();
        let notes: Vec<_> =
            state["notes"].as_array().unwrap().iter().map(|note| note.as_str().unwrap().to_owned()).collect();
        if notes.iter().any(|note| note.contains(text)) {
            return notes;
        }
        SystemClock.sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_is_told_of_a_history_that_is_not_written_and_of_alerts_that_reach_nobody() {
    let server = MockServer::start().await.unwrap();
    let folder = TempDir::new().unwrap();
    let history = folder.path().join("history.sqlite");
    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let hook = folder.path().join("hook");
    fs::write(&hook, format!("http://{closed}/hooks/CANARY")).unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o600)).unwrap();
    let hook = format!("file:{}", hook.display());
    server.inject(Fault::reset(At::Request).always());
    let more = ["--serve", "127.0.0.1:0", "--every", "message=off", "--alert-webhook", &hook];
    let mut monitor = Monitor::start(&server, &history, &more);
    let address = monitor.address();
    let notes = noted(&address, "the webhook could not be told of an alert: ").await;
    assert!(notes.iter().any(|note| note.contains("Connection refused")), "{notes:?}");
    assert!(notes.iter().any(|note| note.starts_with("nobody has been told of")), "{notes:?}");
    assert!(get(&address, "/metrics").contains("claudectl_alerts_untold "));

    // From now on there is a folder in the place of the file.
    fs::remove_file(&history).unwrap();
    fs::create_dir(&history).unwrap();
    let notes = noted(&address, "the history cannot be written (").await;
    assert!(notes.iter().any(|note| note.ends_with("wait in memory")), "{notes:?}");
    assert!(notes.iter().any(|note| note == "the history cannot be read now"), "{notes:?}");
    monitor.end();
}

#[test]
fn a_port_in_use_and_an_address_for_everybody_are_refused_with_what_to_do() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let folder = TempDir::new().unwrap();
    let serve = |address: &str| {
        let mut command = claudectl(["monitor", "--serve", address, "--history"]);
        run(command.arg(folder.path().join("history")).env("ANTHROPIC_API_KEY", "sk-ant-api03-CANARY-key"))
    };
    serve(&taken.local_addr().unwrap().to_string()).failed(1, "give --serve another port");
    serve("0.0.0.0:0").failed(1, "no password");
    let mut command = claudectl(["monitor", "--serve", "0.0.0.0:0", "--host", "monitor.example:9464"]);
    run(&mut command).failed(2, "without a port");
    assert!(!folder.path().join("history").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_that_it_tells_is_one_that_is_answered() {
    let server = MockServer::start().await.unwrap();
    let folder = TempDir::new().unwrap();
    for serve in [&["--serve", "127.0.0.2:0"][..], &["--serve", "0.0.0.0:0", "--host", "Monitor.Example"]] {
        let mut monitor = Monitor::start(&server, &folder.path().join("history.sqlite"), serve);
        let address = monitor.address();
        let port = address.rsplit_once(':').unwrap().1;
        assert_eq!(address.starts_with("monitor.example:"), serve.len() > 2, "{address}");
        let ip = if serve.len() > 2 { "127.0.0.1" } else { "127.0.0.2" };
        let (head, _) = ask(&format!("{ip}:{port}"), &format!("GET /state HTTP/1.1\r\nhost: {address}"));
        assert!(head.starts_with("http/1.1 200"), "{head}");
        monitor.end();
    }
}
