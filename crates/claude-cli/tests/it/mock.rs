//! `claudectl mock` and `claudectl completions`.

use std::{
    io::{BufRead, BufReader},
    net::{Ipv4Addr, TcpListener, TcpStream},
};

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
