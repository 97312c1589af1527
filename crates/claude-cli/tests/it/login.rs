//! `claudectl auth login`: every way to log in, and every way it can fail.

use std::{
    fs,
    io::Write,
    net::{Ipv4Addr, TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    process::Stdio,
};

use http::StatusCode;
use mock_server::{MockServer, Reply};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::{
    claudectl::{CANARY, Running, run},
    home::Home,
    person::{self, between},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_login_makes_a_profile_that_is_active_and_used_by_all_commands() {
    let server = MockServer::start().await.unwrap();
    let home = Home::new(&server);
    let login = home.log_in(&server, &[]).await;
    assert_eq!(
        login.ok_after_talk(),
        "Logged in as person@example.com at Mock Organization, profile default.\n"
    );
    assert!(!login.stderr.contains(CANARY), "{login:?}");

    assert_eq!(fs::read_to_string(home.config("active_config")).unwrap().trim(), "default");
    let profile = home.json("configs/default.json");
    assert_eq!(profile["base_url"], server.base_url().as_str());
    assert_eq!(profile["authentication"]["client_id"], server.client_id());
    assert_eq!(profile["authentication"]["revocation_endpoint"], server.revoke_url().as_str());
    let tokens = home.config("credentials/default.json");
    assert_eq!(fs::metadata(&tokens).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(home.json("credentials/default.json")["account_email"], "person@example.com");

    let answer = run(&mut home.claudectl(&["messages", "create", "hello"]));
    assert_eq!(answer.ok(), "You said: hello\n");
    let named = run(home
        .claudectl(&["messages", "create", "--profile", "default", "hi"])
        .env("ANTHROPIC_API_KEY", "no"));
    assert_eq!(named.ok(), "You said: hi\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_set_while_a_person_logs_in_is_not_lost() {
    let server = MockServer::start().await.unwrap();
    let home = Home::new(&server);
    run(&mut home.claudectl(&["profile", "set", "default", "client_id=other"])).ok();
    let mut running = Running::start(&mut home.login(&server, &[]));
    let link = running.link();
    run(&mut home.claudectl(&["profile", "set", "default", "env.DATABASE_URL=env:DB", "client_id=third"]))
        .ok();
    person::consent(&link).await;
    running.end().ok_after_talk();
    let profile = home.json("configs/default.json");
    assert_eq!(profile["environment"]["DATABASE_URL"], "env:DB");
    assert_eq!(profile["authentication"]["client_id"], server.client_id(), "the tokens are this client's");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_for_is_what_the_arguments_say() {
    let server = MockServer::start().await.unwrap();
    let home = Home::new(&server);
    let more = [
        "--scope",
        "user:profile",
        "--scope",
        "user:inference",
        "--workspace-id",
        "wrkspc_1",
        "--organization-id",
        "o-1",
    ];
    let mut running = Running::start(&mut home.login(&server, &more));
    let link = running.link();
    let asked = |name: &str| {
        url::Url::parse(&link)
            .unwrap()
            .query_pairs()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.into_owned())
    };
    assert_eq!(asked("scope").as_deref(), Some("user:inference user:profile"));
    assert_eq!(asked("workspace_id").as_deref(), Some("wrkspc_1"));
    assert_eq!(asked("orgUUID").as_deref(), Some("o-1"));
    person::consent(&link).await;
    running.end().ok_after_talk();
    let profile = home.json("configs/default.json");
    assert_eq!(profile["authentication"]["scope"], "user:profile user:inference");
    assert_eq!((&profile["workspace_id"], &profile["organization_id"]), (&json!("wrkspc_1"), &json!("o-1")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_browser_gets_the_link_and_no_secret() {
    let server = MockServer::start().await.unwrap();
    let home = Home::new(&server);
    let mut login = home.login(&server, &[]);
    login
        .env("BROWSER", home.browser())
        .env("ANTHROPIC_API_KEY", "CANARY")
        .env("CLAUDE_CLIENT_SECRET", "CANARY")
        .env("CLAUDE_CLIENT_ID", "another")
        .env("PATH", "/usr/bin:/bin");
    let mut running = Running::start(&mut login);
    let link = running.link();
    assert_eq!(home.browsed().await, format!("1 {link} \n"));
    person::consent(&link).await;
    let login = running.end();
    login.ok_after_talk();
    assert!(login.last_words().contains("ANTHROPIC_API_KEY is set"), "{login:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_code_can_be_pasted_where_no_browser_is() {
    let server = MockServer::start().await.unwrap();
    let home = Home::new(&server);
    let console = server.issuer();
    let arguments = [
        "auth",
        "login",
        "--client-id",
        server.client_id(),
        "--console-url",
        console,
        "--no-browser",
        "--json",
    ];
    let mut running = Running::start(home.claudectl(&arguments).stdin(Stdio::piped()));
    let link = running.link();
    let page = person::consent(&link).await;
    let code = page.text.split(['<', '>']).find(|text| text.contains('#') && !text.contains(' ')).unwrap();
    let mut input = running.child().stdin.take().unwrap();
    writeln!(input, "not-the-code#not-the-state\n\n{code}").unwrap();
    let login = running.end();
    let report: Value = serde_json::from_str(login.ok_after_talk()).unwrap();
    assert_eq!(
        (&report["profile"], &report["account_email"]),
        (&json!("default"), &json!("person@example.com"))
    );
    assert!(login.stderr.contains("paste the whole of it"), "{login:?}");
    assert!(!format!("{login:?}").contains(CANARY), "{login:?}");
    run(&mut home.claudectl(&["messages", "create", "hello"])).ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_cannot_reach_the_listener_leaves_an_address_to_paste() {
    let server = MockServer::start().await.unwrap();
    let home = Home::new(&server);
    let mut running = Running::start(home.login(&server, &["--no-browser"]).stdin(Stdio::piped()));
    let address = person::choose(&running.link(), "allow").await;
    let answer = url::Url::parse(&address).unwrap();
    let query = |name: &str| answer.query_pairs().find(|(known, _)| known == name).unwrap().1.into_owned();
    // This server names itself in its answers, for which a code and a state have no room.
    let short = format!("{}#{}", query("code"), query("state"));
    running.child().stdin.take().unwrap().write_all(format!("{short}\n{address}\n").as_bytes()).unwrap();
    let login = running.end();
    login.ok_after_talk();
    assert!(login.stderr.contains("paste the whole address of the last page"), "{login:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_of_ones_own_is_told_with_the_way_to_forward_it() {
    let server = MockServer::start().await.unwrap();
    let home = Home::new(&server);
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let number = port.local_addr().unwrap().port().to_string();
    let forwarded = ["--no-browser", "--callback-port", &number];
    let taken = run(&mut home.login(&server, &forwarded));
    taken.failed(1, "is taken by another program");
    drop(port);
    let mut running = Running::start(&mut home.login(&server, &forwarded));
    assert!(running.line_with("ssh -N -L").contains(&format!("-L {number}:127.0.0.1:{number}")));
    let link = running.link();
    assert!(link.contains(&format!("localhost%3A{number}%2Fcallback")), "{link}");
    person::consent(&link).await;
    running.end().ok_after_talk();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_on_another_device_shows_the_code_beside_the_address() {
    let server =
        MockServer::builder().device_interval(std::time::Duration::from_secs(1)).start().await.unwrap();
    let home = Home::new(&server);
    let mut running = Running::start(&mut home.login(&server, &["--device"]));
    let address = running.line_with("http://").trim().to_owned();
    running.line_with("enter this code");
    running.line_with("");
    let code = running.line_with("-").trim().to_owned();
    assert!(!address.contains(&code), "the person enters it, and so has seen it: {address}");
    let entered = format!("{address}?user_code={code}");
    let page = person::open(&entered).await;
    let page = person::submit(&entered, &page, &[("decision", "allow")]).await;
    assert_eq!(page.status, 200, "{page:?}");
    assert_eq!(
        running.end().ok_after_talk(),
        "Logged in as person@example.com at Mock Organization, profile default.\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_a_way_for_other_devices_is_told_of() {
    let server = MockServer::start().await.unwrap();
    let arguments = ["auth", "login", "--client-id", "app", "--device"];
    run(&mut Home::new(&server).claudectl(&arguments)).failed(1, "leave --device out");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_login_begins_without_a_client_id_or_with_what_cannot_be_used() {
    let server = MockServer::start().await.unwrap();
    let home = Home::new(&server);
    let issuer = server.issuer().to_owned() + "/";
    let cases: [(&[&str], i32, &str); 10] = [
        (&[], 1, "give yours with --client-id, or in CLAUDE_CLIENT_ID"),
        (&["--profile", "../../x"], 2, "no profile's name"),
        (&["--profile", ""], 2, "no profile's name"),
        (&["--client-id", "app", "--base-url", "http://api.example"], 1, "use https://"),
        (&["--client-id", "app", "--console-url", "nowhere"], 1, "console_url"),
        (&["--client-id", "app", "--issuer", &issuer], 1, "write the issuer exactly as the server does"),
        (&["--client-id", "app", "--issuer", "http://evil.example"], 1, "could not be asked"),
        (&["--client-id", "app", "--timeout", "0"], 2, "--timeout"),
        (&["--client-id", "app", "--callback-port", "0"], 2, "--callback-port"),
        (&["--client-id", "app", "--device", "--callback-port", "1"], 2, "cannot be used with"),
    ];
    for (arguments, status, advice) in cases {
        println!("{arguments:?}");
        run(&mut home.claudectl(&[&["auth", "login"], arguments].concat())).failed(status, advice);
    }
    assert_eq!(home.files(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_profile_ends_a_login_before_anybody_is_sent_to_a_browser() {
    let server = MockServer::start().await.unwrap();
    let cases: [(&str, &[u8], &str); 5] = [
        ("configs/default.json", b"CANARY", "mend it"),
        (
            "configs/default.json",
            br#"{"version":"2.0","authentication":{"type":"user_oauth"}}"#,
            "update this one",
        ),
        (
            "configs/default.json",
            br#"{"authentication":{"type":"oidc_federation"}}"#,
            "name another one with --profile",
        ),
        ("credentials/default.json", b"CANARY", "move it away and log in again"),
        ("active_config", b"../../x", "no profile's name"),
    ];
    for (path, content, advice) in cases {
        println!("{path} {advice}");
        let home = Home::new(&server);
        home.write(path, content);
        let before = home.files();
        run(&mut home.login(&server, &[])).failed(1, advice);
        assert_eq!(home.files(), before);
    }
    let home = Home::new(&server);
    home.pipe("credentials/default.json");
    run(&mut home.login(&server, &[])).failed(1, "regular file");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_is_refused_or_comes_to_nothing_leaves_the_old_one_as_it_was() {
    let server = MockServer::start().await.unwrap();
    let home = Home::logged_in(&server).await;
    let before = home.files();

    let mut denied = Running::start(&mut home.login(&server, &["--scope", "user:profile"]));
    person::open(&person::choose(&denied.link(), "deny").await).await;
    let denied = denied.end();
    assert_eq!((denied.status, denied.stdout.as_str()), (Some(1), ""));
    assert!(denied.last_words().contains("refused"), "{denied:?}");

    let mut failed = Running::start(&mut home.login(&server, &[]));
    let answer = person::choose(&failed.link(), "allow").await;
    let broken = Reply::json(json!({"error": "server_error"})).status(StatusCode::INTERNAL_SERVER_ERROR);
    server.push_reply(broken.on("/v1/oauth/token"));
    person::open(&answer).await;
    let failed = failed.end();
    assert_eq!(failed.status, Some(1), "{failed:?}");

    let late = run(&mut home.login(&server, &["--timeout", "1"]));
    assert_eq!(late.status, Some(1), "{late:?}");
    assert!(late.last_words().contains("nobody answered within 1 s; start the login again"), "{late:?}");

    assert_eq!(home.files(), before);
    run(&mut home.claudectl(&["messages", "create", "hello"])).ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_is_opened_but_the_one_of_the_login() {
    let server = MockServer::start().await.unwrap();
    let home = Home::new(&server);
    let mut running =
        Running::start(home.login(&server, &[]).env("BROWSER", home.browser()).env("PATH", "/usr/bin:/bin"));
    let link = running.link();
    let seen = home.browsed().await;
    let asked = url::Url::parse(&link).unwrap();
    let query = |name: &str| asked.query_pairs().find(|(known, _)| known == name).unwrap().1.into_owned();
    let mut denial = url::Url::parse(&query("redirect_uri")).unwrap();
    denial.query_pairs_mut().extend_pairs([
        ("error", "access_denied"),
        ("error_uri", "https://evil.example/CANARY"),
        ("state", &query("state")),
        ("iss", server.issuer()),
    ]);
    person::open(denial.as_str()).await;
    let run = running.end();
    assert_eq!(run.status, Some(1), "{run:?}");
    assert!(!run.last_words().contains("CANARY"), "{run:?}");
    assert_eq!(home.browsed().await, seen);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_login_closes_its_port_and_changes_nothing() {
    let server = MockServer::start().await.unwrap();
    let home = Home::logged_in(&server).await;
    let before = home.files();
    for (signal, status) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        // Nothing is pasted, and the input does not end either: nobody waits for whoever reads it.
        let mut running =
            Running::start(home.login(&server, &["--scope", "user:profile"]).stdin(Stdio::piped()));
        let link = running.link();
        let port = between(&link, "localhost%3A", "%2Fcallback").unwrap().parse().unwrap();
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        running.signal(signal);
        let input = running.child().stdin.take();
        let run = running.end();
        drop(input);
        assert_eq!((run.status, run.stdout.as_str()), (Some(status), ""), "{run:?}");
        assert_eq!(run.last_words(), "claudectl: interrupted; nobody was logged in, and nothing has changed");
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap_err();
        assert_eq!(home.files(), before);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_login_writes_what_changed_and_keeps_what_is_not_known() {
    let server = MockServer::start().await.unwrap();
    let home = Home::logged_in(&server).await;
    let mut profile = home.json("configs/default.json");
    profile["x-ours"] = json!({"kept": true});
    home.write("configs/default.json", profile.to_string());
    let written = fs::read(home.config("configs/default.json")).unwrap();
    home.log_in(&server, &[]).await.ok_after_talk();
    assert_eq!(
        fs::read(home.config("configs/default.json")).unwrap(),
        written,
        "nothing changed, so nothing is written"
    );

    home.log_in(&server, &["--scope", "user:inference"]).await.ok_after_talk();
    let profile = home.json("configs/default.json");
    assert_eq!(
        (&profile["authentication"]["scope"], &profile["x-ours"]["kept"]),
        (&json!("user:inference"), &json!(true))
    );

    // Another one is the active one when it is named, and only then.
    home.log_in(&server, &["--profile", "work"]).await.ok_after_talk();
    assert_eq!(fs::read_to_string(home.config("active_config")).unwrap().trim(), "work");
    let mut third = Running::start(home.login(&server, &[]).env("ANTHROPIC_PROFILE", "third"));
    person::consent(&third.link()).await;
    third.end().ok_after_talk();
    assert!(home.config("credentials/third.json").exists());
    assert_eq!(fs::read_to_string(home.config("active_config")).unwrap().trim(), "work");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_mends_a_profile_that_lacks_what_the_server_says() {
    let server = MockServer::start().await.unwrap();
    let home = Home::logged_in(&server).await;
    let mut profile = home.json("configs/default.json");
    profile["authentication"]["token_endpoint"] = Value::Null;
    home.write("configs/default.json", profile.to_string());
    run(&mut home.claudectl(&["auth", "refresh"])).failed(1, "token_endpoint is missing");
    home.log_in(&server, &[]).await.ok_after_talk();
    run(&mut home.claudectl(&["auth", "refresh"])).ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_another_server_are_gone_before_the_profile_names_this_one() {
    let (old, new) = (MockServer::start().await.unwrap(), MockServer::start().await.unwrap());
    let home = Home::logged_in(&old).await;
    let base_url = new.base_url();
    home.log_in(&new, &["--base-url", base_url.as_str()]).await.ok_after_talk();
    assert_eq!(home.json("configs/default.json")["base_url"], base_url.as_str());
    let mut message = home.claudectl(&["messages", "create", "hello"]);
    run(message.env("ANTHROPIC_BASE_URL", base_url.as_str())).ok();
    let seen = old.journal_len();
    // Whoever points at the old server again does not get these tokens sent there.
    run(&mut home.claudectl(&["messages", "create", "hello"])).failed(1, "was not sent to");
    assert_eq!(old.journal_len(), seen);
}
