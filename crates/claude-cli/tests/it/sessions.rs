//! `claudectl auth status`, `token`, `refresh` and `logout`.

use std::{fs, process::Stdio, time::Duration};

use claude_sdk::{
    AuthError, Client,
    auth_core::{self, Server},
    credentials::{self, CredentialProvider},
    token_store::FileTokenStore,
    transport::backends::Reqwest,
    types::MessageRequest,
};
use http::StatusCode;
use mock_server::{MockServer, Reply};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::{
    claudectl::{Running, run},
    home::Home,
    person::between,
};

/// How often the server rotated a refresh token.
fn grants(server: &MockServer) -> usize {
    server.journal().iter().filter(|entry| entry.note == Some("refresh token rotated")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn status_says_who_is_logged_in_and_what_a_call_would_use() {
    let server = MockServer::start().await.unwrap();
    let home = Home::logged_in(&server).await;
    let asked = server.journal_len();
    let text = run(&mut home.claudectl(&["auth", "status"]));
    let text = text.ok();
    for told in [
        "Logged in as person@example.com at Mock Organization\n",
        "the profile default (active_config names it)",
        "user:developer user:inference user:profile",
        "renewed by itself",
        server.base_url().as_str(),
    ] {
        assert!(text.contains(told), "{told:?} is not in {text}");
    }
    let status: Value =
        serde_json::from_str(run(&mut home.claudectl(&["auth", "status", "--json"])).ok()).unwrap();
    assert_eq!((&status["usable"], &status["profile"]), (&json!(true), &json!("default")));
    assert_eq!((&status["renewable"], &status["expired"]), (&json!(true), &json!(false)));
    assert_eq!(status["expires_at"], home.json("credentials/default.json")["expires_at"]);
    assert_eq!(status["account_email"], "person@example.com");

    let shadowed = run(home.claudectl(&["auth", "status"]).env("ANTHROPIC_API_KEY", "sk-CANARY"));
    assert!(shadowed.ok().starts_with("A call uses ANTHROPIC_API_KEY\n"), "{shadowed:?}");
    assert!(shadowed.stdout.contains("not used      the profile default"), "{shadowed:?}");
    assert!(!shadowed.stdout.contains("CANARY"));
    assert_eq!(server.journal_len(), asked, "nobody is asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn status_does_not_repeat_what_stands_in_the_place_of_a_base_url() {
    let server = MockServer::start().await.unwrap();
    let home = Home::new(&server);
    for url in [
        "https://u:CANARY@gateway.example/",
        "u:CANARY@gateway.example",
        "https://gateway.example/?key=CANARY",
        "https://gateway.example/#CANARY",
        "key:CANARY",
        "sk-ant-CANARY",
    ] {
        for arguments in [&["auth", "status"][..], &["auth", "status", "--json"]] {
            let mut command = home.claudectl(arguments);
            let told = run(command.env("ANTHROPIC_BASE_URL", url).env("ANTHROPIC_API_KEY", "sk-CANARY"));
            assert!(!format!("{told:?}").contains("CANARY"), "{told:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn status_fails_where_nobody_is_logged_in() {
    let server = MockServer::start().await.unwrap();
    let home = Home::new(&server);
    run(&mut home.claudectl(&["auth", "status"])).failed(1, "nobody is logged in");
    let json = run(&mut home.claudectl(&["auth", "status", "--json"]));
    json.failed(1, "claudectl auth login");
    let status: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((&status["usable"], &status["source"]), (&json!(false), &Value::Null));
    run(&mut home.claudectl(&["auth", "status", "--profile", "work"]))
        .failed(1, "there is no profile \"work\"");
    run(home.claudectl(&["auth", "status"]).env("ANTHROPIC_PROFILE", "../x")).failed(1, "ANTHROPIC_PROFILE");

    let home = Home::logged_in(&server).await;
    let mut tokens = home.json("credentials/default.json");
    tokens["expires_at"] = json!(1_000_000_000);
    home.write("credentials/default.json", tokens.to_string());
    let late = run(&mut home.claudectl(&["auth", "status"]));
    assert!(late.ok().contains("renewed by the next call"), "{late:?}");
    tokens["refresh_token"] = Value::Null;
    home.write("credentials/default.json", tokens.to_string());
    let over = run(&mut home.claudectl(&["auth", "status"]));
    over.failed(1, "the session has expired; log in with `claudectl auth login --profile default`");
    fs::remove_file(home.config("credentials/default.json")).unwrap();
    run(&mut home.claudectl(&["auth", "status"])).failed(1, "nobody is logged in to profile default");
}

#[tokio::test(flavor = "multi_thread")]
async fn token_prints_a_good_token_and_nothing_else() {
    let server = MockServer::start().await.unwrap();
    let home = Home::logged_in(&server).await;
    let kept = |home: &Home| home.json("credentials/default.json");
    let first = run(&mut home.claudectl(&["auth", "token"]));
    assert_eq!(first.ok(), format!("{}\n", kept(&home)["access_token"].as_str().unwrap()));
    // The key is what the caller has already.
    let beside_a_key = run(home.claudectl(&["auth", "token"]).env("ANTHROPIC_API_KEY", "another"));
    assert_eq!(beside_a_key.ok(), first.ok());

    let mut tokens = kept(&home);
    tokens["expires_at"] = json!(1_000_000_000);
    home.write("credentials/default.json", tokens.to_string());
    let second = run(&mut home.claudectl(&["auth", "token", "--json"]));
    let told: Value = serde_json::from_str(second.ok()).unwrap();
    assert_ne!(told["access_token"], tokens["access_token"]);
    assert_eq!(told["access_token"], kept(&home)["access_token"]);
    assert_eq!(told["expires_at"], kept(&home)["expires_at"]);
    assert_eq!(grants(&server), 1);

    // It is good for whoever sends it.
    let mut message = home.claudectl(&["messages", "create", "hello"]);
    message.env("HOME", "/nowhere").env("ANTHROPIC_AUTH_TOKEN", told["access_token"].as_str().unwrap());
    assert_eq!(run(&mut message).ok(), "You said: hello\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_nothing_renews_is_not_printed_when_it_is_over() {
    let server = MockServer::start().await.unwrap();
    let home = Home::logged_in(&server).await;
    run(&mut home.claudectl(&["profile", "set", "default", "client_id="])).ok();
    run(&mut home.claudectl(&["auth", "token"])).ok();
    run(&mut home.claudectl(&["auth", "refresh"])).failed(1, "profile set default client_id=ID");
    let mut tokens = home.json("credentials/default.json");
    tokens["expires_at"] = json!(1_000_000_000);
    home.write("credentials/default.json", tokens.to_string());
    let over = run(&mut home.claudectl(&["auth", "token"]));
    over.failed(1, "log in again");
    assert_eq!(over.stdout, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn refresh_renews_now_and_says_so() {
    let server = MockServer::start().await.unwrap();
    let home = Home::logged_in(&server).await;
    let before = home.json("credentials/default.json");
    let told = run(&mut home.claudectl(&["auth", "refresh"]));
    assert!(
        told.ok().starts_with("The access token of profile default is renewed; it expires 20"),
        "{told:?}"
    );
    let after = home.json("credentials/default.json");
    assert_ne!(before["access_token"], after["access_token"]);
    assert_ne!(before["refresh_token"], after["refresh_token"]);
    assert_eq!(before["account_email"], after["account_email"]);
    let told = run(&mut home.claudectl(&["auth", "refresh", "--json"]));
    assert_eq!(serde_json::from_str::<Value>(told.ok()).unwrap()["profile"], "default");
    assert_eq!(grants(&server), 2);
    let mut late = home.json("credentials/default.json");
    late["expires_at"] = json!(1_000_000_000);
    home.write("credentials/default.json", late.to_string());
    run(&mut home.claudectl(&["auth", "refresh"])).ok();
    assert_eq!(grants(&server), 3, "a token that is over is renewed once");
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_refreshes_at_once_spend_one_refresh_token() {
    let server = MockServer::start().await.unwrap();
    let home = Home::logged_in(&server).await;
    // The first of them does not get its answer before all have read the session.
    let held = server.hold_answers("/v1/oauth/token");
    let mut all: Vec<Running> =
        (0..20).map(|_| Running::start(&mut home.claudectl(&["auth", "refresh"]))).collect();
    for running in &mut all {
        until_it_minds_signals(running).await;
    }
    drop(held);
    for running in all {
        running.end().ok();
    }
    assert_eq!(grants(&server), 1);
    assert_eq!(server.journal().iter().filter(|entry| entry.path == "/v1/oauth/token").count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_does_not_cut_a_renewal_short() {
    let commands: [&[&str]; 4] = [
        &["auth", "refresh"],
        &["auth", "token"],
        &["messages", "create", "hello"],
        &["messages", "stream", "hello"],
    ];
    for command in commands {
        let server = MockServer::start().await.unwrap();
        let home = Home::logged_in(&server).await;
        let mut before = home.json("credentials/default.json");
        before["expires_at"] = json!(1_000_000_000);
        home.write("credentials/default.json", before.to_string());
        let held = server.hold_answers("/v1/oauth/token");
        let mut running = Running::start(&mut home.claudectl(command));
        while grants(&server) == 0 {
            tokio::task::yield_now().await;
        }
        until_it_minds_signals(&mut running).await;
        running.signal(Signal::TERM);
        drop(held);
        let run = running.end();
        assert!(matches!(run.status, Some(0 | 143)), "{command:?}: {run:?}");
        assert_ne!(
            home.json("credentials/default.json")["refresh_token"],
            before["refresh_token"],
            "{command:?}"
        );
        run_again(&home);
    }
}

/// What the interrupted renewal stored is good.
fn run_again(home: &Home) {
    assert_eq!(run(&mut home.claudectl(&["messages", "create", "hello"])).ok(), "You said: hello\n");
}

/// Waits until the program catches the signal of a closed terminal: it has read the session by then.
async fn until_it_minds_signals(running: &mut Running) {
    let status = format!("/proc/{}/status", running.child().id());
    let minds = || {
        let status = fs::read_to_string(&status).unwrap();
        let caught = between(&status, "SigCgt:\t", "\n").unwrap();
        u64::from_str_radix(caught, 16).unwrap() & 1 == 1
    };
    while !minds() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_program_can_have_its_renewals_done_by_the_command() {
    let server = MockServer::start().await.unwrap();
    let home = Home::logged_in(&server).await;
    let mut tokens = home.json("credentials/default.json");
    tokens["expires_at"] = json!(1_000_000_000);
    home.write("credentials/default.json", tokens.to_string());
    let command = credentials::Refresher::new("env").args(["-i", &format!("HOME={}", home.path().display())]);
    let command = command.args([env!("CARGO_BIN_EXE_claudectl"), "auth", "refresh", "--profile", "default"]);
    let open = async || {
        let store = FileTokenStore::new(home.config(""), "default").unwrap();
        let backend = Reqwest::builder().no_proxy().build().unwrap();
        let service = Server::new(server.token_url()).unwrap();
        let oauth =
            credentials::OAuth::open(service, auth_core::Client::public("never sent"), store, backend).await;
        oauth.unwrap().renewed_by(command.clone())
    };
    let credential = open().await.credential().await.unwrap();
    assert_eq!(credential.expose(), home.json("credentials/default.json")["access_token"].as_str().unwrap());
    assert_eq!(grants(&server), 1);

    tokens["refresh_token"] = json!("unknown to the server");
    home.write("credentials/default.json", tokens.to_string());
    let error = open().await.credential().await.unwrap_err();
    assert!(matches!(error, AuthError::LoginRequired { .. }), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_programs_with_a_good_token_ask_for_no_other() {
    let server = MockServer::start().await.unwrap();
    let home = Home::logged_in(&server).await;
    let asked = server.journal_len();
    let all: Vec<Running> =
        (0..64).map(|_| Running::start(&mut home.claudectl(&["auth", "token"]))).collect();
    let token = home.json("credentials/default.json")["access_token"].as_str().unwrap().to_owned();
    for running in all {
        assert_eq!(running.end().ok(), format!("{token}\n"));
    }
    assert_eq!(server.journal_len(), asked);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_used_gets_one_line_from_every_command() {
    let server = MockServer::start().await.unwrap();
    let profile = br#"{"version":"1.0","authentication":{"type":"user_oauth","client_id":"app"}}"#;
    let commands = [
        &["messages", "create", "hello"][..],
        &["messages", "stream", "--profile", "default", "hello"],
        &["auth", "status"],
        &["auth", "token"],
        &["auth", "refresh"],
    ];
    let cases: [(&str, &[u8], u32, &str); 6] = [
        ("configs/default.json", b"{\"CANARY", 0o600, "mend it, or move it away"),
        ("configs/default.json", br#"{"version":"9.1","authentication":{}}"#, 0o600, "update this one"),
        ("configs/default.json", profile, 0o666, "chmod 600"),
        ("credentials/default.json", b"{\"access_token\":\"CANARY\"", 0o600, "move it away and log in again"),
        ("credentials/default.json", br#"{"version":"2.0","access_token":"CANARY"}"#, 0o600, "update"),
        ("credentials/default.json", br#"{"access_token":"CANARY"}"#, 0o644, "chmod 600"),
    ];
    for (path, content, mode, advice) in cases {
        let home = Home::new(&server);
        home.write("active_config", "default");
        home.write("configs/default.json", profile);
        let path = home.write(path, content);
        home.open(&path, mode);
        for command in commands {
            println!("{path:?} {mode:o} {command:?}");
            run(&mut home.claudectl(command)).failed(1, advice);
        }
    }
    for name in ["configs/default.json", "credentials/default.json"] {
        let home = Home::new(&server);
        home.write("active_config", "default");
        home.write("configs/default.json", profile);
        home.pipe(name);
        for command in commands {
            println!("a pipe, {name} {command:?}");
            run(&mut home.claudectl(command)).failed(1, "regular file");
        }
    }
    assert_eq!(server.journal_len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_that_is_refused_says_to_log_in_again() {
    let server = MockServer::start().await.unwrap();
    let home = Home::logged_in(&server).await;
    let mut tokens = home.json("credentials/default.json");
    tokens["refresh_token"] = json!("sk-ant-ort01-CANARY");
    home.write("credentials/default.json", tokens.to_string());
    // By the status a program knows that trying again is of no use.
    run(&mut home.claudectl(&["auth", "refresh"])).failed(4, "claudectl auth login");
    assert_eq!(home.json("credentials/default.json"), tokens);
    run(&mut Home::new(&server).claudectl(&["auth", "refresh"])).failed(1, "there is no profile");
}

#[tokio::test(flavor = "multi_thread")]
async fn logout_revokes_the_tokens_and_removes_them() {
    let server = MockServer::start().await.unwrap();
    let home = Home::logged_in(&server).await;
    let tokens = home.json("credentials/default.json");
    let logout = run(&mut home.claudectl(&["auth", "logout"]));
    assert_eq!(logout.ok(), "Logged out of profile default; the server has revoked its tokens.\n");
    assert!(!home.config("credentials/default.json").exists());
    let revoked = server.journal().iter().filter(|entry| entry.path == "/v1/oauth/revoke").count();
    assert!(revoked > 0);
    let mut message = home.claudectl(&["messages", "create", "hello"]);
    message.env("ANTHROPIC_AUTH_TOKEN", tokens["access_token"].as_str().unwrap());
    run(&mut message).failed(1, "401");

    assert_eq!(
        run(&mut home.claudectl(&["auth", "logout"])).ok(),
        "Nobody is logged in to profile default.\n"
    );
    run(&mut home.claudectl(&["messages", "create", "hello"])).failed(4, "claudectl auth login");
    run(&mut home.claudectl(&["auth", "token"])).failed(4, "claudectl auth login");
}

#[tokio::test(flavor = "multi_thread")]
async fn logout_removes_what_is_here_whatever_the_server_says() {
    let server = MockServer::start().await.unwrap();
    let refused = || Reply::json(json!({"error": "unsupported_token_type"})).on("/v1/oauth/revoke");
    let home = Home::logged_in(&server).await;
    server.set_script([(); 4].map(|()| refused().status(StatusCode::BAD_REQUEST)));
    let report = run(&mut home.claudectl(&["auth", "logout", "--json"]));
    let report: Value = serde_json::from_str(report.ok()).unwrap();
    assert_eq!(report, json!({"profile": "default", "logged_out": true, "revoked": false}));
    assert!(!home.config("credentials/default.json").exists());
    server.set_script([]);

    let home = Home::logged_in(&server).await;
    let url = server.revoke_url();
    server.shutdown().await;
    let logout = run(&mut home.claudectl(&["auth", "logout"]));
    assert!(logout.ok().contains("the server did not confirm"), "{url}: {logout:?}");
    assert!(!home.config("credentials/default.json").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_leaves_what_it_cannot_read_and_so_cannot_revoke() {
    let server = MockServer::start().await.unwrap();
    let home = Home::logged_in(&server).await;
    let tokens = home.json("credentials/default.json");
    let newer = json!({"version": "2.0", "kept": true});
    for (content, advice) in [("CANARY".to_owned(), "move it away"), (newer.to_string(), "update this one")] {
        home.write("credentials/default.json", &content);
        run(&mut home.claudectl(&["auth", "logout"])).failed(1, advice);
        assert_eq!(fs::read_to_string(home.config("credentials/default.json")).unwrap(), content);
    }
    let path = home.write("credentials/default.json", tokens.to_string());
    home.open(&path, 0o640);
    run(&mut home.claudectl(&["auth", "logout"])).failed(1, "chmod 600");
    assert_eq!(home.json("credentials/default.json"), tokens);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_says_what_would_not_be_sent_and_how_far_the_clock_is_off() {
    let server = MockServer::start().await.unwrap();
    let home = Home::logged_in(&server).await;
    let seen = server.journal_len();
    let mut status = home.claudectl(&["auth", "status"]);
    run(status.env("ANTHROPIC_BASE_URL", "https://elsewhere.example")).failed(1, "no call would be sent");
    let mut status = home.claudectl(&["auth", "status"]);
    status.env("ANTHROPIC_API_KEY", "k").env("ANTHROPIC_BASE_URL", "http://elsewhere.example");
    run(&mut status).failed(1, "https://");
    assert_eq!(server.journal_len(), seen, "a status asks nobody");

    for (set, expected) in [(0, 0), (7200, 7200)] {
        server.advance(Duration::from_secs(set));
        let status = run(&mut home.claudectl(&["auth", "status", "--clock", "--json"]));
        let status: Value = serde_json::from_str(status.ok()).unwrap();
        let offset = status["clock_offset_seconds"].as_i64().unwrap();
        assert!((expected - 2..=expected + 2).contains(&offset), "{status}");
        let asked = server.journal().pop().unwrap();
        assert_eq!((asked.header("authorization"), asked.header("x-api-key")), (None, None));
    }
    assert!(
        run(&mut home.claudectl(&["auth", "status", "--clock"])).ok().contains("behind the API's; set it")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_logout_that_a_crash_cut_short_is_finished_by_whoever_comes_next() {
    let server = MockServer::start().await.unwrap();
    let revocations = || {
        server
            .journal()
            .iter()
            .filter(|entry| entry.path == "/v1/oauth/revoke" && entry.status == 200)
            .count()
    };
    for next in [&["auth", "logout"][..], &["auth", "refresh"], &["auth", "login", "--timeout", "1"]] {
        let home = Home::logged_in(&server).await;
        server.clear_journal();
        let held = server.hold_answers("/v1/oauth/revoke");
        let logout = Running::start(&mut home.claudectl(&["auth", "logout"]));
        while revocations() == 0 {
            tokio::task::yield_now().await;
        }
        drop(logout); // which kills it
        drop(held);
        run(&mut home.claudectl(&["auth", "status"])).failed(1, "nobody is logged in to profile default");
        run(&mut home.claudectl(&["auth", "token"])).failed(4, "claudectl auth login");
        let aside = home.config("credentials/.leaving-default.json");
        assert!(aside.exists());

        server.clear_journal();
        let next = run(&mut home.claudectl(next));
        assert!(revocations() > 0, "{next:?}");
        assert!(!aside.exists() && !aside.with_extension("lock").exists(), "{next:?}");
        assert!(!home.config("credentials/default.json").exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_program_can_take_its_tokens_from_the_command() {
    let server = MockServer::start().await.unwrap();
    let home = Home::logged_in(&server).await;
    let mut tokens = home.json("credentials/default.json");
    tokens["expires_at"] = json!(1_000_000_000);
    home.write("credentials/default.json", tokens.to_string());
    for arguments in [&["auth", "token"][..], &["auth", "token", "--json"]] {
        let helper =
            credentials::Command::new("env").args(["-i", &format!("HOME={}", home.path().display())]);
        let helper = helper.args([env!("CARGO_BIN_EXE_claudectl")]).args(arguments);
        let client = Client::builder()
            .credentials(credentials::Cached::new(helper))
            .base_url(server.base_url())
            .build()
            .unwrap();
        let request = MessageRequest::new("claude-sonnet-5-5", 100).user("hello");
        assert_eq!(client.messages().create(&request).await.unwrap().text(), "You said: hello");
    }
    assert_eq!(grants(&server), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn logout_of_all_profiles_goes_on_past_the_broken_ones() {
    let server = MockServer::start().await.unwrap();
    let home = Home::logged_in(&server).await;
    home.log_in(&server, &["--profile", "work"]).await.ok_after_talk();
    home.write("configs/broken.json", "CANARY");
    home.write("configs/ci.json", r#"{"authentication":{"type":"oidc_federation"}}"#);
    let logout = run(&mut home.claudectl(&["auth", "logout", "--all"]));
    assert_eq!((logout.status, logout.stdout.lines().count()), (Some(1), 2), "{logout:?}");
    assert!(logout.stderr.contains("profile broken:") && !logout.stderr.contains("CANARY"), "{logout:?}");
    assert!(
        !home.config("credentials/work.json").exists() && !home.config("credentials/default.json").exists()
    );
    fs::remove_file(home.config("configs/broken.json")).unwrap();
    let again = run(&mut home.claudectl(&["auth", "logout", "--all", "--json"]));
    assert_eq!(serde_json::from_str::<Value>(again.ok()).unwrap().as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_who_never_read_ends_the_commands_in_silence() {
    let server = MockServer::builder().access_token_ttl(Duration::from_secs(3600)).start().await.unwrap();
    let home = Home::logged_in(&server).await;
    for arguments in [&["auth", "status"][..], &["auth", "token"], &["profile", "list"], &["profile", "show"]]
    {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let run = run(home.claudectl(arguments).stdout(writer).stdin(Stdio::null()));
        assert_eq!((run.status, run.stderr.as_str()), (Some(0), ""), "{arguments:?}");
    }
}
