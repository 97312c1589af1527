//! `network SCENARIO`: a client and a server in a network of their own, in which something goes wrong.
//!
//! Run it by `unshare --net --mount`: it changes the rules of the network it is in. It prints what came of it as JSON.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "its output is what the test reads")]

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, bail};
use async_trait::async_trait;
use claude_sdk::transport::{self, Clock, SystemClock, backends::Reqwest};
use claude_sdk::types::{MessageRequest, Model};
use claude_sdk::{Client, Error};
use e2e::Process;
use mock_server::{MockServer, leaks};
use serde_json::{Value, json};

/// The limit for making a connection, and for silence.
const LIMIT: Duration = Duration::from_millis(400);

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<()> {
    leaks::listen();
    let scenario = std::env::args().nth(1).context("usage: network SCENARIO")?;
    if !shell("ip -o link")?.lines().all(|line| line.contains("LOOPBACK") || line.contains("NOARP")) {
        bail!("this is no network of its own; run it by `unshare --net`");
    }
    shell(
        "ip link set lo up; nft add table ip t; nft 'add chain ip t out { type filter hook output priority 0; }'",
    )?;
    println!("{}", play(&scenario).await?);
    Ok(())
}

async fn play(scenario: &str) -> Result<Value> {
    let server = MockServer::start().await?;
    let port = server.base_url().port().context("a server has a port")?;
    let rule = |verdict: &str| shell(&format!("nft add rule ip t out tcp dport {port} {verdict}"));
    let healing = Healing(Arc::new(SystemClock), scenario.starts_with("healing"));
    let builder = |url: &str| {
        let backend = Reqwest::builder().no_proxy().connect_timeout(LIMIT).build()?;
        let client = Client::builder().base_url(url).api_key(server.api_key()).clock(healing.clone());
        let client =
            client.backend(backend).idle_timeout(LIMIT).timeout(Duration::from_secs(20)).max_retries(1);
        anyhow::Ok(client.build()?)
    };
    let url = server.base_url();
    let client = builder(url.as_str())?;
    let began = SystemClock.now();
    let outcome = match scenario {
        "black hole" | "healing black hole" => {
            rule("drop")?;
            client.messages().create(&hello()).await.map(|_| ())
        }
        "rejected" | "healing rejection" => {
            rule("reject with tcp reset")?;
            client.messages().create(&hello()).await.map(|_| ())
        }
        "half open" => half_open(&client, &server, port).await?,
        "narrow" => {
            shell("ip link set lo mtu 1500; tc qdisc add dev lo root tbf rate 2mbit burst 16k latency 2s")?;
            let long = MessageRequest::new(Model::CLAUDE_HAIKU_4_5, 60_000).user("word ".repeat(2_000));
            client.messages().stream(&long).await?.final_message().await.map(|_| ())
        }
        "no resolver" | "hanging resolver" => {
            if scenario == "hanging resolver" {
                // Its questions leave, and get lost without a word on their way.
                shell(
                    "ip addr add 10.0.0.1/32 dev lo; ip route add default dev lo
                     nft 'add chain ip t in { type filter hook prerouting priority 0; }'
                     nft add rule ip t in udp dport 53 drop
                     printf 'nameserver 10.9.9.9\noptions timeout:2 attempts:1\n' > /tmp/resolv.conf
                     mount --bind /tmp/resolv.conf /etc/resolv.conf",
                )?;
            }
            builder("https://api.nowhere.example")?.messages().create(&hello()).await.map(|_| ())
        }
        "refusing resolver" => {
            let _resolver = resolver()?;
            builder("https://api.nowhere.example")?.messages().create(&hello()).await.map(|_| ())
        }
        "healing resolver" => {
            let _resolver = resolver()?;
            shell("nft add rule ip t out udp dport 53 drop")?;
            builder(&format!("http://localhost:{port}"))?.messages().create(&hello()).await.map(|_| ())
        }
        _ => bail!("there is no scenario {scenario}"),
    };
    let took = SystemClock.now().duration_since(began).unwrap_or_default();
    let (ms, requests) = (took.as_millis(), server.journal_len());
    let Err(error) = outcome else { return Ok(json!({"ms": ms, "requests": requests})) };
    let cause = cause(&error);
    let kind = cause.map(|cause| format!("{:?}", cause.kind()));
    let reach = cause.map(|cause| format!("{:?}", cause.reach()));
    let attempts = error.attempts();
    let text = format!("{:#}", anyhow::Error::from(error));
    Ok(
        json!({"ms": ms, "requests": requests, "kind": kind, "reach": reach, "attempts": attempts, "text": text}),
    )
}

/// A DNS server that knows where `localhost` is, which no file tells here, and refuses to say anything else.
fn resolver() -> Result<Process> {
    shell(
        "printf 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n' > /tmp/resolv-here.conf
         mount --bind /tmp/resolv-here.conf /etc/resolv.conf; mount --bind /dev/null /etc/hosts",
    )?;
    let mut command = Command::new("dnsmasq");
    command.args([
        "--no-daemon",
        "--conf-file=/dev/null",
        "--no-hosts",
        "--no-resolv",
        "--user=root",
        "--pid-file=",
    ]);
    command.args(["--listen-address=127.0.0.1", "--bind-interfaces", "--address=/localhost/127.0.0.1"]);
    let mut process = Process::start(command)?;
    process.wait_for("started", Duration::from_secs(10))?;
    Ok(process)
}

/// A stream whose connection is lost without a word, and a call after it.
async fn half_open(client: &Client, server: &MockServer, port: u16) -> Result<Result<(), Error>> {
    server.inject(mock_server::Fault::stall(mock_server::At::Event(5)));
    let mut stream = client.messages().stream(&hello()).await?;
    stream.next().await.context("a stream has a first event")??;
    // Neither side hears of the other from here on.
    shell(&format!(
        "nft add rule ip t out tcp dport {port} drop; nft add rule ip t out tcp sport {port} drop"
    ))?;
    let lost = stream.final_message().await.map(|_| ());
    shell("nft flush chain ip t out")?;
    client.messages().create(&hello()).await?;
    Ok(lost)
}

fn hello() -> MessageRequest {
    MessageRequest::new(Model::CLAUDE_HAIKU_4_5, 200).user("hello there")
}

/// What the transport says, beneath whatever is above it.
fn cause(error: &Error) -> Option<&transport::Error> {
    if let Error::Transport(error) = error {
        return Some(error);
    }
    let mut next = std::error::Error::source(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        next = error.source();
    }
    None
}

fn shell(script: &str) -> Result<String> {
    let output = Command::new("sh").args(["-ec", script]).output().context("cannot run sh")?;
    if !output.status.success() {
        bail!("{script}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A clock on which the network heals during a wait for the next attempt.
#[derive(Clone, Debug)]
struct Healing(Arc<SystemClock>, bool);

#[async_trait]
impl Clock for Healing {
    fn now(&self) -> SystemTime {
        self.0.now()
    }

    async fn sleep(&self, duration: Duration) {
        // The longer ones are limits.
        if self.1
            && duration < Duration::from_secs(2)
            && duration != LIMIT
            && let Err(error) = shell("nft flush chain ip t out")
        {
            eprintln!("{error:#}");
        }
        self.0.sleep(duration).await;
    }
}
