//! `claudectl mock` and `claudectl completions`.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::{Ipv4Addr, TcpListener, TcpStream},
};

use serde_json::Value;

use crate::claudectl::{Running, claudectl, run};

#[test]
fn the_mock_server_says_how_to_use_it_serves_and_ends_when_interrupted() {
    let mut mock = Running::start(&mut claudectl(["mock", "--port", "0"]));
    let mut lines = BufReader::new(mock.stdout()).lines().map(Result::unwrap);
    let mut export = |name: &str| {
        let prefix = format!("  export {name}=");
        lines.find_map(|line| line.strip_prefix(&prefix).map(str::to_owned)).unwrap()
    };
    let (base_url, key) = (export("ANTHROPIC_BASE_URL"), export("ANTHROPIC_API_KEY"));
    assert!(base_url.starts_with("http://127.0.0.1:") && !base_url.ends_with(":0/"), "{base_url}");

    let mut hello = claudectl(["messages", "stream", "hello"]);
    let answer = run(hello.env("ANTHROPIC_BASE_URL", &base_url).env("ANTHROPIC_API_KEY", &key));
    assert_eq!(answer.ok(), "You said: hello\n");

    mock.interrupt();
    mock.end().ok();
    let address = base_url.trim_start_matches("http://").trim_end_matches('/');
    assert!(TcpStream::connect(address).is_err(), "something still listens on {address}");
}

#[test]
fn a_port_in_use_says_to_take_another() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let run = run(&mut claudectl(["mock", "--port", &port]));
    run.failed(1, "choose another port, or 0 for any free one");
    assert!(run.stderr.contains(&port) && run.stdout.is_empty(), "{run:?}");
}

#[test]
fn completions_name_the_commands() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let run = run(&mut claudectl(["completions", shell]));
        for word in ["quickstart", "messages", "mock", "completions", "create", "stream", "max-tokens"] {
            assert!(run.ok().contains(word), "{shell}: {word} is missing");
        }
    }
}

/// What a mock says of itself in the first line of its journal, and the lines to come.
fn listening(mock: &mut Running) -> (Value, impl Iterator<Item = Value> + use<>) {
    let mut lines = BufReader::new(mock.stdout()).lines();
    let mut next = move || serde_json::from_str::<Value>(&lines.next()?.unwrap()).ok();
    (next().unwrap(), std::iter::from_fn(next))
}

#[test]
fn a_mock_plays_a_script_over_tls_within_its_limits_and_writes_its_journal() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("mock.toml");
    fs::write(&script, "limits = ['requests=100']\n[[reply]]\nmatch = 'weather'\ntext = 'It is sunny.'\n")
        .unwrap();
    let script = script.to_str().unwrap();
    let arguments = ["mock", "--tls", "--script", script, "--limits", "spend=0.0001", "--journal", "-"];
    let mut mock = Running::start(&mut claudectl(arguments));
    let (told, journal) = listening(&mut mock);
    let text = |name: &str| told[name].as_str().unwrap().to_owned();
    assert!(text("base_url").starts_with("https://127.0.0.1:"), "{told}");
    let say = |words: &str| {
        let mut say = claudectl(["messages", "create", words]);
        say.env("ANTHROPIC_BASE_URL", text("base_url")).env("ANTHROPIC_API_KEY", text("api_key"));
        run(say.env("SSL_CERT_FILE", text("authority")))
    };
    assert_eq!(say("how is the weather?").ok(), "It is sunny.\n");
    assert_eq!(say("hello").ok(), "You said: hello\n");
    assert_eq!(say("hello").status, Some(1));

    mock.interrupt();
    mock.end();
    let seen: Vec<Value> = journal.collect();
    let status: Vec<&Value> = seen.iter().map(|entry| &entry["status"]).collect();
    assert_eq!(status, [200, 200, 429], "{seen:?}");
    assert!(!format!("{seen:?}").contains("CANARY"), "{seen:?}");
    assert!(!std::path::Path::new(&text("authority")).exists(), "the certificate stayed behind");
}

#[test]
fn a_journal_is_appended_to_a_file_of_its_owner() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.jsonl");
    for round in 1..=2 {
        let mut mock = Running::start(&mut claudectl(["mock", "--journal", path.to_str().unwrap()]));
        let line = BufReader::new(mock.stdout()).lines().next().unwrap().unwrap();
        let base = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap();
        let mut models = claudectl(["models", "list"]);
        run(models.env("ANTHROPIC_BASE_URL", base).env("ANTHROPIC_API_KEY", "sk-ant-api03-wrong"));
        mock.interrupt();
        mock.end();
        let text = fs::read_to_string(&path).unwrap();
        let entries: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(entries.len(), round, "{text}");
        assert_eq!((&entries[0]["status"], &entries[0]["credential"]), (&401.into(), &"refused".into()));
    }
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
}

#[cfg(target_os = "linux")]
#[test]
fn a_journal_that_cannot_be_written_is_told_once_and_at_the_end() {
    let mut mock = Running::start(&mut claudectl(["mock", "--journal", "/dev/full"]));
    let line = BufReader::new(mock.stdout()).lines().next().unwrap().unwrap();
    let base = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap();
    for _ in 0..2 {
        let mut models = claudectl(["models", "list"]);
        let refused =
            run(models.env("ANTHROPIC_BASE_URL", base).env("ANTHROPIC_API_KEY", "sk-ant-api03-wrong"));
        assert!(refused.stderr.contains("401"), "it serves all the same: {refused:?}");
    }
    mock.interrupt();
    let ended = mock.end();
    let told: Vec<&str> = ended.stderr.lines().collect();
    assert!(ended.status == Some(1) && told.len() == 2, "{ended:?}");
    assert!(told[0].contains("make room for it") && told[1].contains("/dev/full is not whole"), "{ended:?}");
}

#[test]
fn a_script_that_cannot_be_played_is_told_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("mock.toml");
    fs::write(&script, "[[reply]]\ntext = 'a'\n\n[[fault]]\ndo = 'explode'\n").unwrap();
    let run_it = |arguments: &[&str]| run(&mut claudectl(["mock"].iter().chain(arguments)));
    run_it(&["--script", script.to_str().unwrap()]).failed(1, "line 5: no such fault");
    run_it(&["--script", "/nowhere/mock.toml"]).failed(1, "cannot read the script /nowhere/mock.toml");
    run_it(&["--journal", "/nowhere/journal"]).failed(1, "cannot write the journal /nowhere/journal");
    for typed in ["speed=9", "requests", "sk-ant-api03-x:requests=0"] {
        let run = run_it(&["--limits", typed]);
        run.failed(2, "write `requests=20,burst=5,input=10000,output=4000`");
        assert!(!run.stderr.contains("not shown") && !run.stderr.contains("api03"), "{run:?}");
    }
    fs::write(&script, "[[fault]]\ndo = 'old-tls'\n").unwrap();
    run_it(&["--script", script.to_str().unwrap()]).failed(1, "serve TLS (`--tls`)");
    run_it(&["--limits", "sonet:requests=1"]).failed(1, "`opus`, `sonnet`");
}
