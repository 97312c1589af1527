//! How many requests the server answers in a second of one processor, and how soon it listens: `cargo bench -p mock-server`.
//!
//! The server and whoever asks are processes of their own, on a processor each (Linux, `taskset`). What counts is the time that
//! the server's thread was on its processor, which the kernel tells: what else runs on the machine takes none of it away.
#![expect(clippy::print_stdout, reason = "a benchmark tells")]
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a benchmark that cannot run ends")]

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write, stdin};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use mock_server::MockServer;
use serde_json::json;

const CONNECTIONS: usize = 16;
const REQUESTS: usize = 10_000;

fn main() {
    let arguments: Vec<String> = env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("--serve") => serve(),
        Some("--ask") => ask(&arguments[2], &arguments[3], &arguments[4]),
        _ => measure(),
    }
}

fn measure() {
    let starts: Vec<Duration> = (0..10).map(|_| Served::start().after).collect();
    println!(
        "listens after {:?} of processor time at best, {:?} at worst of ten",
        starts.iter().min().unwrap(),
        starts.iter().max().unwrap()
    );
    for what in ["models", "message", "stream"] {
        let server = Served::start();
        // So that the journal is as full as it gets.
        server.asked("models");
        let before = server.nanoseconds();
        server.asked(what);
        let spent = Duration::from_nanos(server.nanoseconds() - before);
        let count = CONNECTIONS * REQUESTS;
        let rate = count as f64 / spent.as_secs_f64();
        println!(
            "{what}: {rate:.0} requests per processor second ({count} in {spent:?}), resident {}",
            server.resident()
        );
    }
}

/// A server in a process of its own, until it is dropped.
struct Served {
    child: Child,
    address: String,
    key: String,
    after: Duration,
}

impl Served {
    fn start() -> Self {
        let mut child =
            pinned("0", &["--serve"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let (address, key) = line.trim().split_once(' ').unwrap();
        let (address, key) = (address.to_owned(), key.to_owned());
        let mut served = Self { child, address, key, after: Duration::ZERO };
        served.after = Duration::from_nanos(served.nanoseconds());
        served
    }

    fn asked(&self, what: &str) {
        let status = pinned("1", &["--ask", &self.address, &self.key, what]).status().unwrap();
        assert!(status.success());
    }

    /// How long its thread has run.
    fn nanoseconds(&self) -> u64 {
        let text = fs::read_to_string(format!("/proc/{}/schedstat", self.child.id())).unwrap();
        text.split_whitespace().next().unwrap().parse().unwrap()
    }

    fn resident(&self) -> String {
        let text = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.unwrap().trim().to_owned()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It ends when nobody can write to it any more.
        drop(self.child.stdin.take());
        self.child.wait().unwrap();
    }
}

fn pinned(processor: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", processor]).arg(env::current_exe().unwrap()).args(arguments);
    command
}

/// The server, on one thread, with limits that nobody reaches.
fn serve() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let server = runtime.block_on(async {
        let most = 100_000_000;
        let server = MockServer::builder().requests_per_minute(most).input_tokens_per_minute(u32::MAX);
        server.output_tokens_per_minute(u32::MAX).start().await.unwrap()
    });
    let address = server.base_url().socket_addrs(|| None).unwrap()[0];
    println!("{address} {}", server.api_key());
    let ended = runtime.spawn_blocking(|| stdin().read_to_end(&mut Vec::new()).unwrap());
    runtime.block_on(async { ended.await.unwrap() });
}

fn ask(address: &str, key: &str, what: &str) {
    let stream = what == "stream";
    let messages = json!([{"role": "user", "content": "How is the weather in Oslo today?"}]);
    let message =
        json!({"model": "claude-sonnet-5-5", "max_tokens": 1024, "stream": stream, "messages": messages});
    let (head, body) = match what {
        "models" => ("GET /v1/models/claude-opus-5", String::new()),
        _ => ("POST /v1/messages", message.to_string()),
    };
    let request = format!(
        "{head} HTTP/1.1\r\nhost: {address}\r\nanthropic-version: 2026-10-21\r\nauthorization: Bearer {key}\r\n\
         content-type: application/json\r\naccept: application/json\r\nuser-agent: bench\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let asking = (0..CONNECTIONS).map(|_| {
        let mut connection = TcpStream::connect(address).unwrap();
        connection.set_nodelay(true).unwrap();
        let request = request.clone();
        thread::spawn(move || {
            let mut buffer = vec![0; 64 * 1024];
            for _ in 0..REQUESTS {
                connection.write_all(request.as_bytes()).unwrap();
                read(&mut connection, &mut buffer);
            }
        })
    });
    for one in asking.collect::<Vec<_>>() {
        one.join().unwrap();
    }
}

/// Reads one answer to its end: that of its length, or the last chunk.
fn read(connection: &mut TcpStream, buffer: &mut [u8]) {
    let mut filled = 0;
    loop {
        let count = connection.read(&mut buffer[filled..]).unwrap();
        assert!(count > 0, "the server closed the connection");
        filled += count;
        let seen = &buffer[..filled];
        assert!(seen.starts_with(b"HTTP/1.1 200 OK"), "{}", String::from_utf8_lossy(seen));
        let Some(head) = find(seen, b"\r\n\r\n") else { continue };
        let whole = match find(&seen[..head], b"content-length: ") {
            Some(at) => {
                let digits: String = seen[at + 16..]
                    .iter()
                    .map(|byte| char::from(*byte))
                    .take_while(char::is_ascii_digit)
                    .collect();
                filled == head + 4 + digits.parse::<usize>().unwrap()
            }
            None => seen.ends_with(b"0\r\n\r\n"),
        };
        if whole {
            return;
        }
    }
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}
