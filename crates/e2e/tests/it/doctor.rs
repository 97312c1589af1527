//! `claudectl doctor` in worlds that are broken in one place: clocks by libfaketime and chrony, certificates by an authority of
//! our own, names by dnsmasq in a network of a test's own. Beside each stands the same world as it should be.

mod healthy;

use std::fs;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use e2e::{Authority, Nginx, Process, Site, Tools, Validity};
use mock_server::MockServer;
use serde_json::Value;
use tempfile::TempDir;
use transport::{Clock as _, SystemClock};

use crate::monitor::{CLAUDECTL, apart};

const PATIENCE: Duration = Duration::from_secs(20);

/// What a run found, of each check.
#[derive(Debug)]
struct Found(Vec<Value>);

impl Found {
    fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        let found: Vec<Value> =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{output:?}"));
        let found = Self(found);
        let is_well = found.with("problem").is_empty();
        assert_eq!(output.status.code(), Some(i32::from(!is_well)), "{output:?}");
        found
    }

    fn get(&self, check: &str) -> (&str, &str) {
        let one = self.0.iter().find(|one| one["check"] == check).unwrap_or_else(|| panic!("{self:#?}"));
        (one["verdict"].as_str().unwrap(), one["evidence"].as_str().unwrap())
    }

    /// The checks that came to this.
    fn with(&self, verdict: &str) -> Vec<&str> {
        let like = self.0.iter().filter(|one| one["verdict"] == verdict);
        like.map(|one| one["check"].as_str().unwrap()).collect()
    }

    /// The only problem, with its evidence and what to do.
    #[track_caller]
    fn problem(&self, check: &str) -> (&str, &str) {
        assert_eq!(self.with("problem"), [check], "{self:#?}");
        let one = self.0.iter().find(|one| one["check"] == check).unwrap();
        (one["evidence"].as_str().unwrap(), one["next_step"].as_str().unwrap())
    }
}

fn doctor(base_url: &str, key: &str) -> Command {
    let mut command = Command::new(CLAUDECTL);
    command.args(["doctor", "--json"]).env_clear();
    command.env("ANTHROPIC_BASE_URL", base_url).env("ANTHROPIC_API_KEY", key);
    command
}

/// Has the program see a time that is so many seconds off; how long something takes it sees right.
fn off_by(command: &mut Command, seconds: i64) {
    let library = Tools::beside(env!("CARGO_TARGET_TMPDIR")).faketime().unwrap();
    command.env("LD_PRELOAD", library).env("FAKETIME", format!("{seconds:+}"));
    command.env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
}

/// chrony, which tells the time that it is on this machine and sets no clock.
fn time_server(folder: &Path) -> (Process, String) {
    let port = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let mut chrony = Process::start(chrony(folder, port)).unwrap();
    chrony.wait_for("Disabled control of system clock", PATIENCE).unwrap();
    (chrony, format!("127.0.0.1:{port}"))
}

fn chrony(folder: &Path, port: u16) -> Command {
    let settings = folder.join("chrony.conf");
    let pid = folder.join("pid");
    let lines = format!(
        "port {port}\nbindaddress 127.0.0.1\nallow 127.0.0.1\nlocal stratum 8\ncmdport 0\nbindcmdaddress /\npidfile {}\n",
        pid.display()
    );
    fs::write(&settings, lines).unwrap();
    let mut command = Tools::beside(env!("CARGO_TARGET_TMPDIR")).chrony().unwrap();
    // -x: no control of the clock; -U: it may run as anybody.
    command.args(["-d", "-x", "-U", "-u", "root", "-f"]).arg(&settings);
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_whose_clock_is_wrong_hears_it_from_the_api_and_from_a_real_time_server() {
    let server = MockServer::start().await.unwrap();
    let folder = TempDir::new().unwrap();
    let (_chrony, address) = time_server(folder.path());
    let look = |off| {
        let mut command = doctor(server.base_url().as_str(), server.api_key());
        command.args(["--sntp", &address]);
        off_by(&mut command, off);
        Found::of(&mut command)
    };
    let began = SystemClock.now();
    let healthy = look(0);
    let took = SystemClock.now().duration_since(began).unwrap_or_default();
    assert!(healthy.with("problem").is_empty() && healthy.with("warning").is_empty(), "{healthy:#?}");
    assert!(took < Duration::from_secs(3), "{took:?}");
    for (off, verdict, told) in
        [(-930, "problem", "behind"), (930, "problem", "ahead of"), (-150, "warning", "behind")]
    {
        let found = look(off);
        for check in ["clock", "time server"] {
            let (its, evidence) = found.get(check);
            assert_eq!(its, verdict, "{check} {off}: {found:#?}");
            assert!(
                evidence.contains(told) && evidence.contains(&format!("{} min", off.abs() / 60)),
                "{evidence}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_that_are_not_good_and_a_date_that_makes_them_so_are_told_apart() {
    let server = MockServer::start().await.unwrap();
    let tools = Tools::beside(env!("CARGO_TARGET_TMPDIR"));
    let authority = Authority::new().unwrap();
    let folder = TempDir::new().unwrap();
    let roots = folder.path().join("roots.pem");
    fs::write(&roots, authority.pem().unwrap()).unwrap();
    let current = authority.sign("current", "localhost", Validity::Current).unwrap();
    let past = authority.sign("past", "localhost", Validity::Past).unwrap();
    let elsewhere = authority.sign("elsewhere", "gateway.example", Validity::Current).unwrap();
    // All at once, so that no two are the same.
    let ports = [(); 3].map(|()| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap());
    let ports = ports.map(|listener| listener.local_addr().unwrap().port());
    let sites = [(ports[0], &current), (ports[1], &past), (ports[2], &elsewhere)];
    let sites = sites.map(|(port, certificate)| Site { port, certificate, settings: "" });
    let _nginx = Nginx::start(&tools, server.base_url().port().unwrap(), &sites).unwrap();
    let at = |site: usize| {
        let mut command = doctor(&format!("https://localhost:{}", sites[site].port), server.api_key());
        command.env("SSL_CERT_FILE", &roots);
        command
    };
    // As it should be, apart from who vouches for the server.
    let trusted = Found::of(&mut at(0));
    assert!(trusted.with("problem").is_empty(), "{trusted:#?}");
    assert_eq!(trusted.with("warning"), ["tls"], "{trusted:#?}");

    let nobody = Found::of(at(0).env_remove("SSL_CERT_FILE"));
    assert!(nobody.problem("tls").1.contains("proxy may be reading"), "{nobody:#?}");
    let expired = Found::of(&mut at(1));
    assert!(expired.problem("tls").1.contains("check this machine's date"), "{expired:#?}");
    let foreign = Found::of(&mut at(2));
    assert!(foreign.problem("tls").1.contains("somebody else"), "{foreign:#?}");
    // The certificate is good from 2020 on, and the machine is eight years back.
    let mut command = at(0);
    off_by(&mut command, -8 * 365 * 86_400);
    let early = Found::of(&mut command);
    assert!(early.problem("tls").1.contains("check this machine's date"), "{early:#?}");
}

/// Looks at an API in a network of its own.
fn look(setup: &str) -> (Found, Duration) {
    // No exec: what the shell has started ends with it.
    let script = format!(
        "{setup}\nexport ANTHROPIC_BASE_URL=https://api.test ANTHROPIC_API_KEY=none\n\"$1\" doctor --json"
    );
    let began = SystemClock.now();
    let found = Found::of(&mut apart(&["--net", "--mount"], &script));
    (found, SystemClock.now().duration_since(began).unwrap_or_default())
}

/// dnsmasq as this network's DNS server, with these settings more.
fn named(more: &str) -> String {
    format!(
        "ip link set lo up
         file=$(mktemp); printf 'nameserver 127.0.0.1\\n' > \"$file\"
         mount --bind \"$file\" /etc/resolv.conf; rm \"$file\"
         dnsmasq --no-resolv --no-hosts --conf-file=/dev/null --pid-file= --user= --group= --listen-address=127.0.0.1 \
         --bind-interfaces --keep-in-foreground {more} 2> /dev/null &
         dns=$!; trap 'kill $dns' EXIT
         until ss --udp --listening --numeric | grep -q '127.0.0.1:53 '; do sleep 0.05; done"
    )
}

#[test]
fn no_network_names_that_hang_and_names_that_are_refused_are_told_as_what_they_are() {
    let hangs = "ip link set lo up; ip addr add 10.0.0.1/32 dev lo; ip route add default dev lo
         nft add table ip t; nft 'add chain ip t in { type filter hook prerouting priority 0; }'
         nft add rule ip t in udp dport 53 drop
         file=$(mktemp); printf 'nameserver 10.9.9.9\\noptions timeout:30 attempts:1\\n' > \"$file\"
         mount --bind \"$file\" /etc/resolv.conf; rm \"$file\"";
    thread::scope(|scope| {
        let slow = scope.spawn(|| look(hangs));
        let (none, _) = look("");
        assert!(none.problem("dns").0.contains("api.test"), "{none:#?}");
        // Without a server that would know, dnsmasq refuses.
        let (refused, _) = look(&named(""));
        assert!(refused.problem("dns").0.contains("api.test"), "{refused:#?}");
        // As it should be: the name is known, and the first thing that is wrong is that nobody listens there.
        let (known, _) = look(&named("--address=/api.test/127.0.0.1"));
        assert!(known.problem("tcp").0.contains("refused"), "{known:#?}");
        assert_eq!(known.get("dns"), ("ok", "api.test is 127.0.0.1"), "{known:#?}");
        let (hung, took) = slow.join().unwrap();
        assert!(hung.problem("dns").0.contains("no answer about api.test within 3 s"), "{hung:#?}");
        assert!(took < Duration::from_secs(8), "{took:?}");
    });
}
