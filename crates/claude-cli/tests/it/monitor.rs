//! `claudectl monitor`: what it finds, what it keeps, and what it lives through.

use std::{
    fs,
    io::{BufRead, BufReader, Read as _, Write as _},
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{ChildStdout, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::Duration,
};

use claude_sdk::transport::{Clock as _, SystemClock};
use mock_server::{At, Fault, MockServer};
use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    claudectl::{Running, against, claudectl, run},
    home::Home,
};

/// What a look at everything found: of each probe its class of failure.
fn classes(stdout: &str) -> Vec<(String, Option<String>)> {
    let all: Vec<Value> = serde_json::from_str(stdout).unwrap_or_else(|_| panic!("{stdout:?}"));
    let text = |value: &Value| value.as_str().map(str::to_owned);
    all.iter().map(|one| (text(&one["probe"]).unwrap(), text(&one["failure"]["class"]))).collect()
}

fn once_at(url: &str) -> Command {
    let mut command = claudectl(["monitor", "--once", "--json", "--timeout", "3s"]);
    command.env("ANTHROPIC_BASE_URL", url).env("ANTHROPIC_API_KEY", "sk-ant-api03-CANARY-key");
    command
}

/// Asserts that each probe fails with one of these.
fn all_fail(command: &mut Command, expected: &[&str]) {
    let told = run(command);
    told.failed(1, "3 probes failed");
    for (probe, class) in classes(&told.stdout) {
        let class = class.unwrap_or_default();
        assert!(expected.contains(&class.as_str()), "{probe}: {class}, {told:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn once_runs_each_probe_and_names_what_fails() {
    let server = MockServer::start().await.unwrap();
    let home = Home::logged_in(&server).await;
    let told = run(&mut home.claudectl(&["monitor", "--once", "--json"]));
    let well = ["token", "models", "message", "stream"].map(|name| (name.to_owned(), None));
    assert_eq!(classes(told.ok()), well);

    server.inject(Fault::status(http_status(529)).on("/v1/messages").always());
    server.inject(Fault::status(http_status(500)).on(server.token_url().path()).always());
    let told = run(&mut home.claudectl(&["monitor", "--once"]));
    told.failed(1, "3 probes failed");
    assert!(told.stdout.contains("overloaded: ") && told.stdout.contains("request req_"), "{told:?}");
    assert!(told.stdout.contains("token   FAILED") && told.stdout.contains("server: 127.0.0.1"), "{told:?}");
    assert_eq!(told.stdout.lines().filter(|line| line.contains("  ok  ")).count(), 1, "{told:?}");
    assert!(!home.path().join(".local").exists(), "one look writes no history");
}

fn http_status(code: u16) -> http::StatusCode {
    http::StatusCode::from_u16(code).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_of_a_stream_a_key_or_a_limit_has_its_class() {
    let server = MockServer::start().await.unwrap();
    let look = || {
        let mut command =
            against(&server, ["monitor", "--once", "--json", "--timeout", "1s", "--every", "message=off"]);
        classes(&run(&mut command).stdout)
    };
    let classed = |models: Option<&str>, stream: Option<&str>| {
        [("models", models), ("stream", stream)]
            .map(|(name, class)| (name.to_owned(), class.map(str::to_owned)))
    };
    for (fault, class) in [
        (Fault::stall(At::Event(2)), "timeout"),
        (Fault::close(At::Event(2)), "stream"),
        (Fault::status(http_status(429)), "limit"),
        (Fault::status(http_status(503)), "server"),
        (Fault::status(http_status(401)), "credential"),
        (Fault::garbage(), "protocol"),
        (Fault::reset(At::Request), "network"),
    ] {
        server.inject(fault.on("/v1/messages").always());
        assert_eq!(look(), classed(None, Some(class)));
        server.clear_faults();
    }
    assert_eq!(look(), classed(None, None));
}

#[test]
fn a_port_that_nobody_listens_on_and_a_name_that_is_not_there_are_told_apart() {
    let url = {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    all_fail(&mut once_at(&url), &["connect"]);
    all_fail(&mut once_at("https://api.nowhere.invalid"), &["dns"]);
}

/// Answers every request with `answer`.
fn liar(answer: &'static str) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            let lines = BufReader::new(socket.try_clone().unwrap()).lines().map_while(Result::ok);
            let head = lines.take_while(|line| !line.is_empty()).count();
            // Whoever has gone away again has no need of it.
            let _ = if head > 0 { socket.write_all(answer.as_bytes()) } else { Ok(()) };
        }
    });
    url
}

#[test]
fn a_proxy_that_lies_is_told_as_what_it_is() {
    const PAGE: &str =
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\ncontent-length: 5\r\n\r\nHello";
    const REFUSAL: &str = "HTTP/1.1 407 Who are you\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    const GATEWAY: &str = "HTTP/1.1 502 Bad Gateway\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    // In place of the API.
    all_fail(&mut once_at(&liar(PAGE)), &["answer"]);
    all_fail(&mut once_at(&liar(GATEWAY)), &["server"]);
    // As a proxy: it says that it has connected and then talks itself, or it does not connect.
    let through = |proxy: &str, expected: &[&str]| {
        all_fail(once_at("https://api.nowhere.invalid").env("HTTPS_PROXY", proxy), expected);
    };
    through(&liar(PAGE), &["tls", "connect"]);
    through(&liar(REFUSAL), &["proxy"]);
    through(&liar(GATEWAY), &["proxy"]);
}

/// A monitor that goes on, with its output as JSON.
#[derive(Debug)]
pub struct Monitor {
    running: Running,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Monitor {
    pub fn start(server: &MockServer, history: &Path, more: &[&str]) -> Self {
        let mut command = against(server, ["monitor", "--json", "--timeout", "2s"]);
        for (probe, every) in [("models", "models=1s"), ("message", "message=1s"), ("stream", "stream=off")] {
            if !more.iter().any(|argument| argument.starts_with(&format!("{probe}="))) {
                command.args(["--every", every]);
            }
        }
        command.arg("--history").arg(history).args(more);
        Self::of(&mut command)
    }

    fn of(command: &mut Command) -> Self {
        let mut running = Running::start(command);
        let lines = BufReader::new(running.stdout()).lines();
        Self { running, lines }
    }

    /// The next run of a probe that is like this.
    pub fn next(&mut self, like: impl Fn(&Value) -> bool) -> Value {
        loop {
            let line = self.lines.next().expect("the monitor ended").unwrap();
            let outcome = serde_json::from_str(&line).unwrap();
            if like(&outcome) {
                return outcome;
            }
        }
    }

    /// Where its page is, if it has one.
    pub fn address(&mut self) -> String {
        let line = self.running.line_with("The page is at http://");
        // What a program is told is JSON, whatever it is.
        serde_json::from_str::<Value>(&line).unwrap_or_else(|_| panic!("{line}"));
        let url = line.split(' ').find_map(|word| word.strip_prefix("http://")).unwrap();
        url.trim_end_matches('/').to_owned()
    }

    /// Ends it, and gives what it told on standard error.
    pub fn end(mut self) -> String {
        self.running.interrupt();
        let end = self.running.end();
        assert_eq!(end.status, Some(0), "{end:?}");
        end.stderr
    }
}

/// Takes the alerts that are sent to it, the first one only when it comes again.
fn webhook() -> (String, Receiver<Value>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}/hook/CANARY", listener.local_addr().unwrap());
    let (sender, received) = channel();
    thread::spawn(move || {
        for (index, socket) in listener.incoming().enumerate() {
            let mut socket = socket.unwrap();
            let (mut request, mut part) = (String::new(), [0; 4096]);
            // The alert is small, and JSON ends the request.
            while !request.ends_with('}') {
                let count = socket.read(&mut part).unwrap();
                request += std::str::from_utf8(&part[..count]).unwrap();
            }
            if index == 0 {
                socket
                    .write_all(b"HTTP/1.1 503 Later\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                    .unwrap();
                continue;
            }
            socket.write_all(b"HTTP/1.1 204 Thanks\r\nconnection: close\r\n\r\n").unwrap();
            let body = request.split_once("\r\n\r\n").unwrap().1;
            sender.send(serde_json::from_str(body).unwrap()).unwrap();
        }
    });
    (url, received)
}

#[tokio::test(flavor = "multi_thread")]
async fn it_goes_on_through_an_outage_tells_once_and_what_it_saw_is_there_the_next_time() {
    let server = MockServer::start().await.unwrap();
    let folder = TempDir::new().unwrap();
    let history = folder.path().join("history.sqlite");
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (program, hook) = (path("tell"), path("hook"));
    fs::write(&program, "#!/bin/sh\ncat >> \"$0.told\"; env >> \"$0.env\"\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
    let (url, alerts) = webhook();
    fs::write(&hook, url).unwrap();
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o600)).unwrap();
    let hook = format!("file:{hook}");

    let mut monitor =
        Monitor::start(&server, &history, &["--alert-command", &program, "--alert-webhook", &hook]);
    monitor.next(|run| run["probe"] == "models" && run["failure"].is_null());
    server.inject(Fault::reset(At::Request).always());
    let next = |alert: &str, status: &str| loop {
        let told = alerts.recv_timeout(Duration::from_secs(60)).unwrap();
        assert!(["models", "message"].contains(&told["probe"].as_str().unwrap()), "{told}");
        if told["alert"] == alert && told["probe"] == "models" {
            assert_eq!(told["status"], status, "{told}");
            break;
        }
    };
    next("down", "firing");
    server.clear_faults();
    next("down", "resolved");
    let told = monitor.end();
    let count = |text: &str| told.lines().filter(|line| line.contains(text)).count();
    assert_eq!((count("ALERT down: models"), count("resolved down: models")), (1, 1), "{told}");
    assert_eq!(count("the webhook could not be told of an alert: it answers 503"), 1, "{told}");
    let written = fs::read_to_string(folder.path().join("tell.told")).unwrap();
    assert_eq!(
        written.matches(r#""alert":"down","probe":"models","status":"firing""#).count(),
        1,
        "{written}"
    );
    let environment = fs::read_to_string(folder.path().join("tell.env")).unwrap();
    assert!(environment.contains("PATH=") || environment.contains("PWD="), "{environment}");
    assert!(!environment.contains("ANTHROPIC"), "{environment}");

    assert_eq!(fs::metadata(&history).unwrap().permissions().mode() & 0o777, 0o600);
    let bytes = fs::read(&history).unwrap();
    assert!(bytes.starts_with(b"SQLite format 3"));
    let rows = String::from_utf8_lossy(&bytes);
    assert!(rows.contains("network") && !rows.contains("CANARY"), "the failures are there, and no secret is");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_that_could_not_be_told_is_told_after_a_restart() {
    let server = MockServer::start().await.unwrap();
    let folder = TempDir::new().unwrap();
    let history = folder.path().join("history.sqlite");
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let program = path("tell");
    let write = |text: &str| {
        fs::write(&program, text).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
    };
    write("#!/bin/sh\nexit 1\n");
    server.inject(Fault::reset(At::Request).always());
    let arguments = ["--every", "message=off", "--alert-command", &program];
    let mut monitor = Monitor::start(&server, &history, &arguments);
    monitor
        .running
        .line_with("tell could not be told of an alert: it ended with exit status: 1; it is tried");
    // The alert comes with the third run, and is on its way to the history before the fourth.
    for _ in 0..4 {
        monitor.next(|run| run["probe"] == "models");
    }
    monitor.end();

    write("#!/bin/sh\ncat >> \"$0.told\"\n");
    let mut monitor = Monitor::start(&server, &history, &arguments);
    let told = loop {
        monitor.next(|_| true);
        let told = fs::read_to_string(path("tell.told")).unwrap_or_default();
        if told.contains(r#""alert":"down","probe":"models","status":"firing""#) {
            break told;
        }
    };
    monitor.end();
    assert_eq!(told.matches(r#""alert":"down""#).count(), 1, "{told}");

    // Of a probe that is off, nothing fires any more.
    let arguments = ["--every", "models=off", "--alert-command", &program];
    let mut monitor = Monitor::start(&server, &history, &arguments);
    monitor.running.line_with("resolved down: models: it is turned off");
    monitor.next(|run| run["probe"] == "message");
    monitor.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_monitor_on_the_same_history_is_refused_and_tells_nothing() {
    let server = MockServer::start().await.unwrap();
    let folder = TempDir::new().unwrap();
    let history = folder.path().join("history.sqlite");
    server.inject(Fault::reset(At::Request).always());
    let mut first = Monitor::start(&server, &history, &["--every", "message=off"]);
    first.running.line_with("ALERT down: models");
    first.next(|_| true);
    let mut second = against(&server, ["monitor", "--every", "models=off", "--history"]);
    let told = run(second.arg(&history));
    told.failed(1, "give this one a history of its own with --history, or stop the other one: kill ");
    assert_eq!(told.stderr.lines().count(), 1, "no alert of the first one is resolved: {told:?}");
    first.end();

    let mut next = Monitor::start(&server, &history, &["--every", "message=off"]);
    next.next(|_| true);
    next.end();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_been_printed_is_in_the_history_also_where_it_is_killed_then() {
    let server = MockServer::start().await.unwrap();
    let folder = TempDir::new().unwrap();
    let history = folder.path().join("history.sqlite");
    for printed in 1..=3 {
        let mut monitor = Monitor::start(&server, &history, &["--every", "message=off"]);
        monitor.next(|_| true);
        monitor.running.signal(Signal::KILL);
        monitor.running.end();
        let file = rusqlite::Connection::open(&history).unwrap();
        let runs: i64 = file.query_row("SELECT count(*) FROM runs", [], |row| row.get(0)).unwrap();
        assert!(runs >= printed, "{runs} of {printed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_is_a_file_whatever_it_is_called_and_one_of_two_names_is_refused() {
    let server = MockServer::start().await.unwrap();
    let folder = TempDir::new().unwrap();
    for name in [":memory:", "file:x?mode=memory", "file:x"] {
        let mut command = against(&server, ["monitor", "--json", "--every", "models=1s", "--every"]);
        command.args(["message=off", "--every", "stream=off", "--history", name]).current_dir(&folder);
        let mut monitor = Monitor::of(&mut command);
        monitor.next(|_| true);
        monitor.end();
        let file = rusqlite::Connection::open(folder.path().join(name)).unwrap();
        let runs: i64 = file.query_row("SELECT count(*) FROM runs", [], |row| row.get(0)).unwrap();
        assert!(runs > 0, "{name}");
    }
    fs::hard_link(folder.path().join("file:x"), folder.path().join("other")).unwrap();
    let mut second = against(&server, ["monitor", "--history"]);
    run(second.arg(folder.path().join("other"))).failed(1, "remove the other name");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_its_output_goes_nowhere_it_says_so_once_and_goes_on() {
    let server = MockServer::start().await.unwrap();
    let folder = TempDir::new().unwrap();
    let history = folder.path().join("history.sqlite");
    let mut command = against(&server, ["monitor", "--every", "models=1s", "--every", "message=off"]);
    command.args(["--every", "stream=off", "--history"]).arg(&history);
    command.stdout(fs::File::options().write(true).open("/dev/full").unwrap());
    let mut running = Running::start(&mut command);
    let models = || server.journal().iter().filter(|entry| entry.path.ends_with("/models")).count();
    while models() < 3 {
        SystemClock.sleep(Duration::from_millis(20)).await;
    }
    running.interrupt();
    let end = running.end();
    assert_eq!((end.status, end.stderr.lines().count()), (Some(0), 1), "{end:?}");
    assert!(end.stderr.contains("the output could not be written"), "{end:?}");
    let bytes = fs::read(&history).unwrap();
    assert!(String::from_utf8_lossy(&bytes).contains("models"), "the runs are kept all the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_has_gone_is_told_of_once_and_the_monitor_goes_on() {
    let server = MockServer::start().await.unwrap();
    let folder = TempDir::new().unwrap();
    let mut command = against(&server, ["monitor", "--every", "models=1s", "--every", "message=off"]);
    command.args(["--every", "stream=off", "--history"]).arg(folder.path().join("history"));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut running = Running::start(command.stdout(writer));
    let models = || server.journal().iter().filter(|entry| entry.path.ends_with("/models")).count();
    while models() < 3 {
        SystemClock.sleep(Duration::from_millis(20)).await;
    }
    running.interrupt();
    let end = running.end();
    assert_eq!((end.status, end.stderr.lines().count()), (Some(0), 1), "{end:?}");
    assert!(end.stderr.starts_with("claudectl: nobody reads the runs any more"), "{end:?}");
}

/// As `nohup` starts it, and a shell that has no terminal does with `&`.
#[tokio::test(flavor = "multi_thread")]
async fn what_it_was_started_to_ignore_does_not_end_it_and_what_else_asks_it_to_end_does() {
    let server = MockServer::start().await.unwrap();
    let folder = TempDir::new().unwrap();
    let mut command = Command::new("/bin/sh");
    command.args([
        "-c",
        "trap '' HUP INT; exec \"$0\" \"$@\"",
        env!("CARGO_BIN_EXE_claudectl"),
        "monitor",
        "--json",
    ]);
    command.args(["--every", "models=1s", "--every", "message=off", "--every", "stream=off", "--history"]);
    command.arg(folder.path().join("history")).env_clear();
    command.env("ANTHROPIC_BASE_URL", server.base_url().as_str()).env("ANTHROPIC_API_KEY", server.api_key());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut monitor = Monitor::of(&mut command);
    monitor.next(|_| true);
    monitor.running.signal(Signal::HUP);
    monitor.running.signal(Signal::INT);
    // The run that may have been on its way, and one that began after it.
    monitor.next(|_| true);
    monitor.next(|_| true);
    monitor.running.signal(Signal::TERM);
    let end = monitor.running.end();
    assert_eq!((end.status, end.stderr.as_str()), (Some(0), ""), "{end:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_or_an_alert_that_can_tell_nothing_is_said_to_have_no_effect() {
    let server = MockServer::start().await.unwrap();
    let asked = |every: &str| run(&mut against(&server, ["monitor", "--once", "--every", every]));
    let told = asked("token=30s");
    assert_eq!((told.status, told.stdout.lines().count()), (Some(0), 3), "{told:?}");
    assert!(told.stderr.starts_with("claudectl: --every token has no effect"), "{told:?}");
    asked("token=off").ok();
    let slow = |timeout| {
        let mut command = against(&server, ["monitor", "--once", "--slow", "5s", "--timeout", timeout]);
        run(&mut command).stderr
    };
    assert!(slow("4s").starts_with("claudectl: --slow 5s can never tell: a run is ended after 4s"));
    assert_eq!(slow("5s"), "");
    let home = Home::logged_in(&server).await;
    run(&mut home.claudectl(&["monitor", "--once", "--every", "token=30s"])).ok();
}

#[test]
fn a_history_that_is_none_is_refused_and_left_as_it_is() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("diary");
    fs::write(&path, "dear diary, ".repeat(100)).unwrap();
    let mut command = claudectl(["monitor", "--history"]);
    run(command.arg(&path).env("ANTHROPIC_API_KEY", "sk-ant-api03-CANARY-key")).failed(1, "move ");
    let mut left = String::new();
    fs::File::open(&path).unwrap().read_to_string(&mut left).unwrap();
    assert_eq!(left, "dear diary, ".repeat(100));
}

#[test]
fn wrong_settings_are_told_at_once() {
    let asked = |arguments: &[&str]| {
        run(claudectl(["monitor"].iter().chain(arguments))
            .env("ANTHROPIC_API_KEY", "sk-ant-api03-CANARY-key"))
    };
    for (arguments, told) in [
        (
            ["--every", "models=often"],
            "invalid value 'models=often' for '--every <PROBE=TIME>': write a time from a second",
        ),
        (
            ["--every", "modles=30s"],
            "invalid value 'modles=30s' for '--every <PROBE=TIME>': the probes are token",
        ),
        (["--slow", "0s"], "invalid value '0s' for '--slow <TIME>': write a time from a millisecond"),
        (["--timeout", "500ms"], "invalid value '500ms' for '--timeout <TIME>': write a time from a second"),
        (
            ["--objective", "0"],
            "invalid value '0' for '--objective <PERCENT>': write a number from 1 to less than 100",
        ),
        (["--objective", "100"], "of 100 % no run may ever fail; write less, such as 99.9"),
        (
            ["--serve", "localhost:9464"],
            "'localhost:9464' for '--serve <ADDRESS:PORT>': write an IP address and a port",
        ),
        (["--serve", "127.0.0.1:94640"], "invalid value '127.0.0.1:94640' for '--serve"),
        // What might be somebody's secret.
        (["--every", "CANARY-hunter2"], "invalid value [not shown] for '--every"),
        (["--serve", "hunter2CANARY"], "invalid value [not shown] for '--serve"),
    ] {
        asked(&arguments).failed(2, told);
    }
    asked(&["--every", "models=off", "--every", "message=off", "--every", "stream=off"])
        .failed(2, "leave one");
    let typed = asked(&["--alert-webhook", "https://hooks.example/CANARY"]);
    typed.failed(1, "file:PATH");
    asked(&["--once", "--history", "x"]).failed(2, "cannot be used with");
    let folder = TempDir::new().unwrap();
    let missing = folder.path().join("missing");
    asked(&["--history", missing.join("history").to_str().unwrap()])
        .failed(1, "make it, or name another place");
    assert!(!missing.exists());
    asked(&["--once", "--host", "monitor.example"]).failed(2, "cannot be used with");
    asked(&["--every", "models=1s", "--every", "models=off"]).failed(2, "twice for models");
    asked(&["--alert-command", ""]).failed(2, "--alert-command <PROGRAM>");
    for host in ["*", "*.example"] {
        asked(&["--serve", "127.0.0.1:0", "--host", host])
            .failed(2, "write a name or an address without a port");
    }
    for program in ["/nowhere/tell", "claudectl-nowhere", "/etc"] {
        asked(&["--alert-command", program]).failed(1, "there is no program");
    }
}
