//! What bad input gets: one line that says what to do, a failing status, no panic, no secret.

use std::{
    ffi::{OsStr, OsString},
    io,
    net::Ipv4Addr,
    os::unix::ffi::{OsStrExt, OsStringExt},
    process::Stdio,
};

use http::{HeaderValue, StatusCode, header};
use mock_server::{MockServer, Reply};
use tokio::net::TcpSocket;

use crate::{
    claudectl::{CANARY, against, claudectl, run, run_with_input},
    slow_server::BEGINNING,
};

const KEY: &str = "sk-ant-api03-CANARY";

#[test]
fn a_credential_that_cannot_be_used_is_named_and_not_shown() {
    let unreadable = OsString::from_vec(b"sk-ant-api03-CANARY\xff".to_vec());
    let key = "ANTHROPIC_API_KEY";
    let cases: [(&str, &str, &OsStr, &str); 7] = [
        ("missing", "UNRELATED", OsStr::new(""), "set ANTHROPIC_API_KEY"),
        ("empty", key, OsStr::new(""), "set ANTHROPIC_API_KEY"),
        ("with a newline", key, OsStr::new("sk-ant-CANARY\nsk-ant-CANARY"), "store it on one line"),
        ("with a blank", key, OsStr::new("sk-ant-CANARY sk-ant-CANARY"), "copy it again"),
        ("with an escape", key, OsStr::new("sk-ant-CANARY\u{1b}[31m"), "store it again without"),
        ("not text", key, &unreadable, "store the secret as plain text"),
        ("a broken token", "ANTHROPIC_AUTH_TOKEN", OsStr::new("CANARY\nCANARY"), "store it on one line"),
    ];
    for (name, variable, value, advice) in cases {
        for command in ["create", "stream"] {
            println!("{name}, {command}");
            run(claudectl(["messages", command, "hello"]).env(variable, value)).failed(1, advice);
        }
    }
}

#[test]
fn a_key_file_that_cannot_be_used_is_named_and_not_shown() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = |name: &str, content: &str, mode: u32| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
        path
    };
    let good = file("good", KEY, 0o600);
    std::os::unix::fs::symlink(good, folder.path().join("link")).unwrap();
    let cases = [
        (file("open", KEY, 0o644), "run `chmod 600"),
        (file("empty", "", 0o600), "write the secret into it"),
        (file("two-lines", "CANARY\nCANARY", 0o600), "store it on one line"),
        (folder.path().join("link"), "links are not followed"),
        (folder.path().to_owned(), "name the file itself"),
        (folder.path().join("missing"), "write the key into one"),
    ];
    for (path, advice) in cases {
        let mut command = claudectl(["messages", "create", "hello", "--api-key-file"]);
        run(command.arg(path)).failed(1, advice);
    }
}

#[test]
fn a_machine_that_gives_too_little_is_told_of_in_one_line() {
    let script = r#"ulimit -n 4; exec "$0" messages create hello"#;
    let mut command = std::process::Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_claudectl")]).env_clear().env("ANTHROPIC_API_KEY", KEY);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    run(&mut command).failed(1, "check the limit on open files");

    let mut command = claudectl(["messages", "create", "hello", "--base-url", "http://127.0.0.1:1"]);
    run(command.env("TOKIO_WORKER_THREADS", "0").env("ANTHROPIC_API_KEY", KEY))
        .failed(1, "could not connect");
}

#[test]
fn a_base_url_that_cannot_be_used_is_refused_before_anything_is_sent() {
    let cases = [
        ("http://api.example.com", "use https://"),
        ("http://localhost.example.com", "use https://"),
        ("ftp://127.0.0.1", "use https://"),
        ("https://user:CANARY@api.example.com", "remove it and give the credential separately"),
        ("http://CANARY@127.0.0.1:1", "remove it and give the credential separately"),
        ("https://api.example.com/?key=CANARY", "give scheme, host and path prefix only"),
        ("api.example.com", "give one such as https://"),
        ("CANARY", "give one such as https://"),
        ("http://", "give one such as https://"),
    ];
    for (base_url, advice) in cases {
        println!("{base_url}");
        let typed = ["messages", "create", "--base-url", base_url, "hello"];
        run(claudectl(typed).env("ANTHROPIC_API_KEY", KEY)).failed(1, advice);
        let mut set = claudectl(["messages", "stream", "hello"]);
        run(set.env("ANTHROPIC_API_KEY", KEY).env("ANTHROPIC_BASE_URL", base_url)).failed(1, advice);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_that_cannot_be_sent_is_not_sent() {
    let server = MockServer::start().await.unwrap();
    let cases: [(&[&str], &[u8], &str); 6] = [
        (&["create", ""], b"", "the prompt is empty; give one"),
        (&["create", " \n\t"], b"", "the prompt is empty; give one"),
        (&["stream"], b"", "the prompt is empty; give one"),
        (&["stream", "-"], b"\n", "the prompt is empty; give one"),
        (&["create"], b"caf\xe9", "not UTF-8 text"),
        (&["stream", "--max-tokens", "0", "hello"], b"", "give at least 1"),
    ];
    for (arguments, input, advice) in cases {
        println!("{arguments:?} {input:?}");
        let arguments = ["messages"].iter().chain(arguments);
        run_with_input(&mut against(&server, arguments), input).failed(1, advice);
    }
    assert_eq!(server.journal_len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_service_refuses_says_what_to_change() {
    let server = MockServer::start().await.unwrap();
    let unknown = ["messages", "create", "--model", "claude-none", "hello"];
    run(&mut against(&server, unknown)).failed(1, "check --model");
    let wrong_key =
        run(against(&server, ["messages", "stream", "hello"]).env("ANTHROPIC_API_KEY", "sk-CANARY"));
    wrong_key.failed(1, "check the key or token");
    let mut wrong_token = claudectl(["messages", "stream", "hello"]);
    wrong_token.env("ANTHROPIC_AUTH_TOKEN", "CANARY").env("ANTHROPIC_BASE_URL", server.base_url().as_str());
    run(&mut wrong_token).failed(1, "401");
    let too_many = ["messages", "stream", "--max-tokens", "4294967295", "hello"];
    run(&mut against(&server, too_many)).failed(1, "max_tokens: must be at most 128000");
    let too_long = ["messages", "create", "--max-tokens", "4294967295", "hello"];
    run(&mut against(&server, too_long)).failed(1, "use `claudectl messages stream`");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_another_kind_says_where_to_look() {
    let server = MockServer::start().await.unwrap();
    let page = format!("<html>log in, {CANARY}</html>");
    let redirect = Reply::html("")
        .status(StatusCode::FOUND)
        .header(header::LOCATION, HeaderValue::from_static("https://login.example/?key=CANARY"));
    let echo = format!("the key {} is\nnot\u{1b}[31m good", server.api_key());
    let odd = serde_json::json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [],
        "stop_reason": null, "stop_sequence": null, "usage": {"input_tokens": "CANARY", "output_tokens": 1}});
    let cases = [
        (Reply::html(page.clone()), "check the base URL"),
        (Reply::html(page).status(StatusCode::FORBIDDEN), "check the base URL"),
        (redirect, "make it the base URL"),
        (Reply::json(serde_json::json!({"hello": "CANARY"})), "is the base URL one of the Claude API?"),
        (
            Reply::json(odd),
            "the answer had come, and counts where such calls are billed: `claudectl api` reads the next",
        ),
        (Reply::json(serde_json::json!(["CANARY"])).status(StatusCode::BAD_REQUEST), "check the base URL"),
        (Reply::error(StatusCode::BAD_REQUEST, "invalid_request_error", echo), "the key [redacted] is not"),
        (Reply::text("a few words too many").break_after(40), "connection"),
    ];
    for (reply, advice) in cases {
        println!("{reply:?}");
        server.set_script([reply]);
        run(&mut against(&server, ["messages", "create", "hello"])).failed(1, advice);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_ends_early_is_no_answer() {
    let server = MockServer::start().await.unwrap();
    let whole = BEGINNING.len();
    let again = "the answer broke off before its end; send the prompt again";
    let thrice = "the answer broke off before its end after 3 attempts; send the prompt again";
    let no_json = "event: ping\ndata: CANARY\n\n";
    let cases = [
        ("ends before the first event", Reply::sse([BEGINNING]).truncate_after(0), "", thrice),
        ("ends inside an event", Reply::sse([BEGINNING]).truncate_after(whole - 20), "", again),
        ("ends in order", Reply::sse([BEGINNING]), "first\n", again),
        ("the connection breaks", Reply::sse([BEGINNING]).break_after(whole), "first\n", again),
        ("holds what is not JSON", Reply::sse([BEGINNING, no_json]), "first\n", "not the JSON it should be"),
        ("is a web page", Reply::html("CANARY"), "", "check the base URL"),
    ];
    for (name, reply, said, advice) in cases {
        println!("{name}");
        server.set_script(vec![reply; 3]);
        let run = run(&mut against(&server, ["messages", "stream", "hello"]));
        run.failed(1, advice);
        assert_eq!(run.stdout, said);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_where_nobody_listens_says_to_check_that_the_server_is_up() {
    // Bound and not listening: nobody else can take the port, and it refuses.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let base_url = format!("http://{}", socket.local_addr().unwrap());
    let arguments = ["messages", "create", "--base-url", &base_url, "hello"];
    run(claudectl(arguments).env("ANTHROPIC_API_KEY", KEY)).failed(1, "check that it is up");
}

#[test]
fn wrong_usage_says_what_is_wrong_and_where_the_help_is() {
    let cases: [(&[&str], &str); 12] = [
        (&["mesages"], "unrecognized subcommand [not shown]; tip: a similar subcommand exists: 'messages'"),
        (&["messages", "delete"], "unrecognized subcommand [not shown]"),
        (&["completions"], "the following required arguments were not provided: <SHELL>"),
        (&["completions", "tcsh"], "[possible values: bash,"),
        (&["quickstart", "now"], "unexpected argument [not shown]"),
        (&["messages", "create", "--api-key=CANARY", "hello"], "unexpected argument '--api-key'"),
        (
            &["messages", "create", "--max-tokens", "many", "hello"],
            "invalid value [not shown] for '--max-tokens",
        ),
        (&["messages", "create", "--max-tokens=-1", "hello"], "invalid value [not shown] for '--max-tokens"),
        (&["messages", "create", "--max-tokens", "5000000000", "hello"], "is not in 0..=4294967295"),
        (&["messages", "create", "--api-version", "2020-01-01", "hello"], "use 2026-10-21 or 2023-06-01"),
        (&["mock", "--port", "65536"], "65536 is not in 0..=65535"),
        (&["two\nlines\u{1b}[31m"], "unrecognized subcommand"),
    ];
    for (arguments, advice) in cases {
        println!("{arguments:?}");
        let run = run(claudectl(arguments).env("ANTHROPIC_API_KEY", KEY));
        run.failed(2, advice);
        assert!(run.stderr.ends_with("; see `claudectl --help`\n"), "{run:?}");
        assert_eq!(run.stdout, "");
    }
}

#[test]
fn an_argument_that_is_not_text_is_wrong_usage() {
    let prompt = OsStr::from_bytes(b"caf\xe9");
    run(&mut claudectl([OsStr::new("messages"), OsStr::new("create"), prompt])).failed(2, "invalid UTF-8");
}

#[test]
fn without_a_command_the_help_is_shown_and_the_status_says_so() {
    for arguments in [&[][..], &["messages"]] {
        let run = run(&mut claudectl(arguments));
        assert_eq!((run.status, run.stdout.as_str()), (Some(2), ""));
        assert!(run.stderr.contains("Usage: claudectl"), "{run:?}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_cannot_be_written_down_is_an_error() {
    let server = MockServer::start().await.unwrap();
    for arguments in [
        &["messages", "create", "hello"][..],
        &["messages", "create", "--json", "hello"],
        &["messages", "stream", "hello"],
        &["completions", "bash"],
        &["quickstart"],
        &["quickstart", "--json"],
        &["mock"],
        &["--version"],
        &["messages", "create", "--help"],
    ] {
        println!("{arguments:?}");
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let told = run(against(&server, arguments).stdout(full));
        told.failed(1, "check where it goes");
        assert!(told.stderr.contains("No space left on device"), "{told:?}");
        // To write there fails too, and Rust's own standard output says nothing of it.
        let told = run(against(&server, arguments).stdout(std::fs::File::open("/dev/null").unwrap()));
        told.failed(1, "check where it goes");
        assert!(told.stderr.contains("it is open for reading only"), "{told:?}");
    }
}

#[test]
fn an_error_that_nobody_hears_is_still_an_error() {
    for (arguments, status) in [(&["messages", "create", "hello"][..], 1), (&["mesages"], 2)] {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let run = run(claudectl(arguments).stderr(writer).stdout(Stdio::null()));
        assert_eq!(run.status, Some(status), "{arguments:?}");
    }
}
