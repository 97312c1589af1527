//! `claudectl monitor` in the world: a real browser on its page, a real Prometheus at its metrics, a disk that is full, and
//! networks that are none.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use e2e::{Chromium, Process, Tools};
use mock_server::{Fault, MockServer};
use serde_json::{Value, json};
use tempfile::TempDir;
use transport::backends::Reqwest;
use transport::{Clock as _, HttpBackend as _, SystemClock};

const PATIENCE: Duration = Duration::from_secs(60);
/// Besides its own commands, this one has all of `claudectl`.
pub(crate) const CLAUDECTL: &str = env!("CARGO_BIN_EXE_keyring");
const EVERY_SECOND: [&str; 6] = ["--every", "models=1s", "--every", "message=1s", "--every", "stream=1s"];

/// A monitor that is running, and where its page is.
fn start(command: Command) -> (Process, String) {
    let mut monitor = Process::start(command).unwrap();
    let line = monitor.wait_for("The page is at", PATIENCE).unwrap();
    let url = line.split(' ').find(|word| word.starts_with("http://")).unwrap().to_owned();
    (monitor, url)
}

fn monitor_of(server: &MockServer, history: &Path) -> Command {
    let mut command = Command::new(CLAUDECTL);
    command.args(["monitor", "--serve", "127.0.0.1:0", "--timeout", "2s"]).args(EVERY_SECOND);
    command.arg("--history").arg(history).env_clear();
    command.env("ANTHROPIC_BASE_URL", server.base_url().as_str()).env("ANTHROPIC_API_KEY", server.api_key());
    command
}

async fn get(url: &str) -> Result<String> {
    let request = http::Request::get(url).body(bytes::Bytes::new())?;
    let answer = Reqwest::builder().no_proxy().build()?.send(request).await?;
    Ok(String::from_utf8(answer.into_body().collect(16 << 20).await?.to_vec())?)
}

/// The answer of an address that does not answer at once, when it is like this.
async fn eventually(url: &str, like: impl Fn(&str) -> bool) -> String {
    let began = SystemClock.now();
    loop {
        let answer = get(url).await;
        match answer {
            Ok(answer) if like(&answer) => return answer,
            answer if SystemClock.now().duration_since(began).unwrap_or_default() > PATIENCE => {
                panic!("{url} never says what is expected: {answer:?}")
            }
            _ => SystemClock.sleep(Duration::from_millis(100)).await,
        }
    }
}

/// What the page shows, which it draws anew every two seconds, maybe between the look for an element and the look at it.
async fn shown(browser: &Chromium, selector: &str) -> String {
    loop {
        match browser.read(selector).await {
            Ok(text) => return text,
            Err(error) if error.to_string().contains("stale element") => {}
            Err(error) => panic!("{selector}: {error:#}"),
        }
    }
}

/// Waits until it shows this text among others.
async fn shows(browser: &Chromium, selector: &str, text: &str) {
    let began = SystemClock.now();
    loop {
        let all = shown(browser, selector).await;
        if all.contains(text) {
            return;
        }
        let waited = SystemClock.now().duration_since(began).unwrap_or_default();
        assert!(waited < PATIENCE, "{selector} does not come to show {text:?}: {all}");
        SystemClock.sleep(Duration::from_millis(100)).await;
    }
}

async fn press_key(browser: &Chromium, key: &str, code: u32) {
    let text = if key == "Enter" { "\r" } else { "" };
    for kind in ["keyDown", "keyUp"] {
        let text = if kind == "keyDown" { text } else { "" };
        let event =
            json!({"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text});
        browser.devtools("Input.dispatchKeyEvent", event).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_lives_in_a_real_browser_while_the_service_fails_and_comes_back() {
    let server = MockServer::start().await.unwrap();
    let folder = TempDir::new().unwrap();
    let (_monitor, url) = start(monitor_of(&server, &folder.path().join("history")));
    let browser = Chromium::start().await.unwrap();
    browser.open(&url).await.unwrap();

    for probe in ["models", "message", "stream"] {
        assert_eq!(shown(&browser, &format!("#state-{probe}.well")).await, "well");
    }
    assert!(shown(&browser, "#overall.well").await.contains("all is well"));
    // Nothing is loaded anew from here on: the page follows by itself.
    browser.ask("window.stays = true").await.unwrap();
    server.inject(Fault::status(http::StatusCode::SERVICE_UNAVAILABLE).on("/v1/messages").always());
    assert_eq!(shown(&browser, "#state-message.bad").await, "server");
    assert!(shown(&browser, "#overall.bad").await.contains("message"));
    assert!(shown(&browser, "#failures code").await.starts_with("req_"));
    shows(&browser, "#notes:not([hidden])", "alert down: ").await;
    assert_eq!(shown(&browser, "#state-models.well").await, "well", "the other probe goes on");
    looks_good(&browser).await;
    server.clear_faults();
    assert_eq!(shown(&browser, "#state-message.well").await, "well");
    assert_eq!(browser.ask("return window.stays").await.unwrap(), true);

    // By the keyboard alone: to the second range, and along a chart.
    let focused = "return document.activeElement.dataset.range || document.activeElement.tagName";
    press_key(&browser, "Tab", 9).await;
    press_key(&browser, "Tab", 9).await;
    assert_eq!(browser.ask(focused).await.unwrap(), "day");
    press_key(&browser, "Enter", 13).await;
    shown(&browser, "button[data-range=day][aria-pressed=true]").await;
    for _ in 0..3 {
        press_key(&browser, "Tab", 9).await;
    }
    assert_eq!(browser.ask(focused).await.unwrap(), "svg");
    press_key(&browser, "ArrowLeft", 37).await;
    let told = browser.ask("return document.activeElement.nextSibling.textContent").await.unwrap();
    assert!(told.as_str().unwrap().contains("median"), "{told}");

    assert_eq!(browser.console().await.unwrap(), Vec::<Value>::new());
    // The policy holds: what somebody manages to put into the page does not run.
    let foreign = "const script = document.createElement('script'); script.textContent = 'window.foreign = true'; \
                   document.body.append(script); return window.foreign === undefined";
    assert_eq!(browser.ask(foreign).await.unwrap(), true);
}

/// Wide and narrow, light and dark: it fits, can be read, and the two schemes differ.
async fn looks_good(browser: &Chromium) {
    let mut papers = Vec::new();
    for (scheme, width) in [("light", 1280), ("dark", 1280), ("light", 360), ("dark", 360)] {
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        browser.devtools("Emulation.setEmulatedMedia", features).await.unwrap();
        let screen = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500});
        browser.devtools("Emulation.setDeviceMetricsOverride", screen).await.unwrap();
        let measured = browser
            .ask(
                "const box = document.querySelector('article svg').getBoundingClientRect(); \
                 const button = document.querySelector('button').getBoundingClientRect(); \
                 return [innerWidth, document.documentElement.scrollWidth, box.width, button.height, \
                         getComputedStyle(document.body).backgroundColor]",
            )
            .await
            .unwrap();
        let number = |index: usize| measured[index].as_f64().unwrap();
        assert!((number(0) - f64::from(width)).abs() < 0.5, "the page is as wide as the screen: {measured}");
        assert!(number(1) <= number(0), "nothing is to be scrolled sideways: {measured}");
        assert!(number(2) > 200.0 && number(3) >= 44.0, "a chart to see, and a button to hit: {measured}");
        papers.push(measured[4].clone());
        // For whoever wants to look.
        let picture = BASE64_STANDARD.decode(browser.picture().await.unwrap()).unwrap();
        fs::write(format!("{}/monitor-{scheme}-{width}.png", env!("CARGO_TARGET_TMPDIR")), picture).unwrap();
    }
    assert!(papers[0] != papers[1] && papers[0] == papers[2] && papers[1] == papers[3], "{papers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_prometheus_scrapes_it_and_takes_the_rules_and_the_dashboard() {
    let tools = Tools::beside(env!("CARGO_TARGET_TMPDIR"));
    let server = MockServer::start().await.unwrap();
    let folder = TempDir::new().unwrap();
    let (_monitor, url) = start(monitor_of(&server, &folder.path().join("history")));
    let metrics =
        eventually(&format!("{url}metrics"), |text| text.contains("probe=\"stream\",result=\"ok\"")).await;

    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/monitoring");
    let rules = docs.join("rules.yml");
    let metrics_file = folder.path().join("metrics");
    fs::write(&metrics_file, metrics).unwrap();
    let mut check = tools.prometheus("promtool").unwrap();
    let checked =
        check.args(["check", "metrics"]).stdin(fs::File::open(metrics_file).unwrap()).output().unwrap();
    assert!(
        checked.status.success() && checked.stderr.is_empty() && checked.stdout.is_empty(),
        "{checked:?}"
    );
    let checked =
        tools.prometheus("promtool").unwrap().args(["check", "rules"]).arg(&rules).output().unwrap();
    assert!(checked.status.success(), "{checked:?}");
    let mut test = tools.prometheus("promtool").unwrap();
    let tested = test.args(["test", "rules", "rules.test.yml"]).current_dir(&docs).output().unwrap();
    assert!(tested.status.success(), "{}", String::from_utf8_lossy(&tested.stderr));

    let target = url.trim_start_matches("http://").trim_end_matches('/');
    let config = json!({
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [rules],
        "scrape_configs": [{"job_name": "claudectl", "static_configs": [{"targets": [target]}]}],
    });
    // JSON is YAML too.
    fs::write(folder.path().join("prometheus.yml"), config.to_string()).unwrap();
    let port = e2e::free_port().unwrap();
    let mut prometheus = tools.prometheus("prometheus").unwrap();
    prometheus.arg(format!("--config.file={}", folder.path().join("prometheus.yml").display()));
    prometheus.arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()));
    prometheus.arg(format!("--web.listen-address=127.0.0.1:{port}"));
    let _prometheus = Process::start(prometheus).unwrap();
    let ask = |expression: &str| {
        let query =
            url::form_urlencoded::Serializer::new(String::new()).append_pair("query", expression).finish();
        format!("http://127.0.0.1:{port}/api/v1/query?{query}")
    };
    let up = |answer: &str| answer.contains(r#""probe":"message""#) && answer.contains(r#","1"]"#);
    eventually(&ask("claudectl_probe_up"), up).await;
    let rules_api = format!("http://127.0.0.1:{port}/api/v1/rules");
    let is_evaluated =
        |answer: &str| answer.contains("ClaudeApiDown") && !answer.contains(r#""health":"unknown""#);
    let rules = eventually(&rules_api, is_evaluated).await;
    assert!(!rules.contains(r#""health":"err""#));

    let dashboard: Value = serde_json::from_slice(&fs::read(docs.join("grafana.json")).unwrap()).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let known = get(&format!("http://127.0.0.1:{port}/api/v1/label/__name__/values")).await.unwrap();
    let known: Value = serde_json::from_str(&known).unwrap();
    let known: Vec<_> = known["data"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let targets: Vec<_> = panels.iter().flat_map(|panel| panel["targets"].as_array().unwrap()).collect();
    assert!(targets.len() >= 7);
    for target in targets {
        let expression = target["expr"].as_str().unwrap();
        let answer: Value = serde_json::from_str(&get(&ask(expression)).await.unwrap()).unwrap();
        assert_eq!(answer["status"], "success", "{expression}: {answer}");
        all_exist(expression, &known);
    }
}

/// Asserts that there is a series of each name in a question.
fn all_exist(expression: &str, known: &[&str]) {
    let words =
        expression.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_' && letter != ':');
    let names: Vec<_> = words.filter(|word| word.starts_with("claudectl")).collect();
    assert!(!names.is_empty(), "{expression}");
    for name in names {
        assert!(known.contains(&name), "{name} of {expression} does not exist; there are {known:?}");
    }
}

/// What runs in namespaces of its own, by a shell that may change them.
pub(crate) fn apart(namespaces: &[&str], script: &str) -> Command {
    let mut command = Command::new("unshare");
    if !rustix::process::getuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.args(namespaces).args(["sh", "-ec", script, "sh", CLAUDECTL]);
    command.env("ANTHROPIC_BASE_URL", "https://api.anthropic.com").env("ANTHROPIC_API_KEY", "none");
    command
}

/// The classes of failure of a look in such a network, and how long it took.
fn look(setup: &str) -> (Vec<String>, Duration) {
    let script = format!("{setup}\nexec \"$1\" monitor --once --json --timeout 1s");
    let began = SystemClock.now();
    let output = apart(&["--net", "--mount"], &script).output().unwrap();
    let took = SystemClock.now().duration_since(began).unwrap_or_default();
    let outcomes: Vec<Value> = serde_json::from_slice(&output.stdout)
        .with_context(|| format!("{output:?}; it needs root, or user namespaces"))
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    (outcomes.iter().map(|one| one["failure"]["class"].as_str().unwrap().to_owned()).collect(), took)
}

#[test]
fn without_any_network_and_with_names_that_hang_every_probe_ends_in_time() {
    let (classes, _) = look("");
    assert_eq!(classes, ["dns", "dns", "dns"]);
    let (classes, took) = look(
        "ip link set lo up; ip addr add 10.0.0.1/32 dev lo; ip route add default dev lo
         nft add table ip t; nft 'add chain ip t in { type filter hook prerouting priority 0; }'
         nft add rule ip t in udp dport 53 drop
         file=$(mktemp); printf 'nameserver 10.9.9.9\\noptions timeout:30 attempts:1\\n' > \"$file\"
         mount --bind \"$file\" /etc/resolv.conf; rm \"$file\"",
    );
    assert_eq!(classes, ["timeout", "timeout", "timeout"]);
    assert!(took < Duration::from_secs(10), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_nothing_and_what_ran_meanwhile_is_written_when_there_is_room() {
    let server = MockServer::start().await.unwrap();
    let folder = TempDir::new().unwrap();
    let disk = folder.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let script = format!(
        "cd {}; mount -t tmpfs -o size=256k tmpfs disk
         (until [ -e fill ]; do sleep 0.1; done
          until [ -e free ]; do cat /dev/zero >> disk/fill || sleep 0.1; done; rm disk/fill) 2> /dev/null &
         exec \"$1\" monitor --json --serve 127.0.0.1:0 --history disk/history --every models=1s --every message=off \
         --every stream=off",
        folder.path().display()
    );
    let mut command = apart(&["--mount"], &script);
    command.env("ANTHROPIC_BASE_URL", server.base_url().as_str()).env("ANTHROPIC_API_KEY", server.api_key());
    let (mut monitor, url) = start(command);
    let runs = |answer: &str| {
        let state: Value = serde_json::from_str(answer).unwrap();
        let points = state["chart"]["series"]["models"].as_array().cloned().unwrap_or_default();
        points.iter().map(|point| point[4].as_u64().unwrap()).sum::<u64>()
    };
    let (recent, kept) = (format!("{url}state?range=hour"), format!("{url}state?range=all"));
    eventually(&kept, |answer| runs(answer) >= 1).await;
    fs::write(folder.path().join("fill"), "").unwrap();
    monitor.wait_for("the history cannot be written now", PATIENCE).unwrap();
    assert!(eventually(&recent, |answer| answer.contains("wait in memory")).await.contains("history"));
    let before = runs(&get(&kept).await.unwrap());
    let meanwhile = runs(&get(&recent).await.unwrap());
    eventually(&recent, |answer| runs(answer) >= meanwhile + 2).await;
    assert_eq!(runs(&get(&kept).await.unwrap()), before, "nothing is written, and nothing is lost");
    fs::write(folder.path().join("free"), "").unwrap();
    monitor.wait_for("the history is written again", PATIENCE).unwrap();
    let all = runs(&get(&recent).await.unwrap());
    eventually(&kept, |answer| runs(answer) >= all).await;
}

#[test]
fn a_history_that_is_mounted_by_itself_is_refused_and_one_in_a_folder_that_is_mounted_is_not() {
    let folder = TempDir::new().unwrap();
    let script = format!(
        "cd {}; touch history mounted; mount --bind history mounted; mkdir a b; mount --bind a b
         for history in mounted b/history; do timeout 3 \"$1\" monitor --history $history 2>&1 || true; done",
        folder.path().display()
    );
    let output = apart(&["--mount"], &script).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(
        told.starts_with("claudectl: the history mounted is mounted by itself"),
        "{told} {:?}",
        output.stderr
    );
    assert!(told.lines().next().unwrap().contains("mount the folder that it is in"), "{told}");
    assert!(folder.path().join("a/history").metadata().unwrap().len() > 0, "{told}");
}
