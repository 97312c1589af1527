//! A whole world of the doctor's, in a network of its own, in which nothing is wrong.

use std::path::Path;

use claude_sdk::profile::{Member, ProfileName, Profiles};
use e2e::fleet::{PROFILE, World};
use tokio::net::{TcpStream, UnixListener};

use super::*;

/// Every check there is, apart from those that are told only where something is wrong, and those that no server here answers.
const CHECKS: [&str; 15] = [
    "answer",
    "api",
    "authorize endpoint",
    "clock",
    "credential",
    "dns",
    "files",
    "limits",
    "login",
    "message",
    "proxy",
    "tcp",
    "time server",
    "tls",
    "token endpoint",
];

/// Carries connections from a path, which is the same in every network, to a port of this one.
fn bridge(path: &Path, port: u16) {
    let listener = UnixListener::bind(path).unwrap();
    tokio::spawn(async move {
        while let Ok((mut there, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut here = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
                tokio::io::copy_bidirectional(&mut there, &mut here).await
            });
        }
    });
}

/// Names, a time server and TLS; then three looks, with how long each took in nanoseconds.
fn script() -> String {
    let names = named("--address=/test/127.0.0.1");
    format!(
        r#"{names}
        "$NGINX" -c "$FOLDER/nginx.conf" -e stderr -p "$FOLDER" > /dev/null 2>&1 & web=$!
        "$CHRONY" -d -x -U -u root -f "$FOLDER/time/chrony.conf" > /dev/null 2>&1 & time=$!
        trap 'kill $dns $web $time' EXIT
        until ss --tcp --listening --numeric | grep -q '127.0.0.1:443 '; do kill -0 $web; sleep 0.05; done
        until ss --udp --listening --numeric | grep -q '127.0.0.1:123 '; do kill -0 $time; sleep 0.05; done
        for look in 1 2 3; do
          began=$(date +%s%N)
          "$1" doctor --json --call --sntp time.test > "$FOLDER/found" || {{ cat "$FOLDER/found"; exit 1; }}
          echo $(($(date +%s%N) - began)) >> "$FOLDER/took"
        done
        cat "$FOLDER/found""#
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_is_wrong_every_check_is_silent_and_all_of_them_take_three_seconds_at_most() {
    let tools = Tools::beside(env!("CARGO_TARGET_TMPDIR"));
    let world = World::start(MockServer::builder(), "none").await.unwrap();
    let profiles = Profiles::at(world.folder());
    let name = ProfileName::new(PROFILE).unwrap();
    let mut profile = profiles.load(&name).unwrap();
    profile.set(Member::BaseUrl, Some("https://api.test")).unwrap();
    profile.set(Member::ConsoleUrl, Some("https://console.test")).unwrap();
    profiles.save(&name, &profile).unwrap();

    let folder = TempDir::new().unwrap();
    let authority = Authority::new().unwrap();
    let roots = folder.path().join("roots.pem");
    fs::write(&roots, authority.pem().unwrap()).unwrap();
    let certificate = authority.sign("api", "api.test,DNS:console.test", Validity::Current).unwrap();
    let socket = folder.path().join("api");
    bridge(&socket, world.server.base_url().port().unwrap());
    let site = Site { port: 443, certificate: &certificate, settings: "" };
    Nginx::settings(folder.path(), &format!("unix:{}:", socket.display()), &[site]).unwrap();
    // Apart: both keep a file with their number, and chrony does not begin beside another's.
    let time = folder.path().join("time");
    fs::create_dir(&time).unwrap();
    let chrony = chrony(&time, 123);

    let mut command = apart(&["--net", "--mount"], &script());
    command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").envs(world.environment());
    command.env("NGINX", tools.nginx().unwrap().get_program()).env("CHRONY", chrony.get_program());
    command.env("FOLDER", folder.path()).env("SSL_CERT_FILE", &roots);
    let found = Found::of(&mut command);
    let mut checks = found.with("ok");
    // An authority of our own is none that browsers trust, and that is what the check says.
    assert_eq!(found.with("warning"), ["tls"], "{found:#?}");
    checks.extend(found.with("warning"));
    checks.sort_unstable();
    assert_eq!(checks, CHECKS, "{found:#?}");
    assert!(found.with("skipped").is_empty(), "{found:#?}");

    let took = fs::read_to_string(folder.path().join("took")).unwrap();
    let took: Vec<u64> = took.lines().map(|line| line.parse().unwrap()).collect();
    // The machine may be busy with something else for one of them.
    let fastest = Duration::from_nanos(*took.iter().min().unwrap());
    assert!(took.len() == 3 && fastest <= Duration::from_secs(3), "{took:?}");
}
