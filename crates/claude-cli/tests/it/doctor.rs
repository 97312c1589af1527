//! `claudectl doctor`: worlds that are broken in one place, and the place it names.

mod clock;
mod way;

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{Ipv4Addr, TcpListener},
    os::unix::fs::PermissionsExt,
    process::Command,
    thread,
    time::{Duration, SystemTime},
};

use claude_sdk::transport::{Clock as _, SystemClock};
use mock_server::{Fault, MockServer, Reply};
use serde_json::{Value, json};

use crate::{
    claudectl::{Run, against, claudectl, run},
    home::Home,
};

/// What was found: of each check its verdict, and the whole of it. Whatever is not well has a next step.
fn findings(run: &Run) -> Vec<(String, String, Value)> {
    let all: Vec<Value> = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"));
    for one in all.iter().filter(|one| one["verdict"] != "ok") {
        let next = one["next_step"].as_str().unwrap_or_default();
        assert!(next.len() > 10 && !next.contains("it says"), "{one}");
        assert!(one["evidence"].as_str().is_some_and(|evidence| evidence.len() > 10), "{one}");
    }
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    all.into_iter().map(|one| (text(&one["check"]), text(&one["verdict"]), one)).collect()
}

/// The only problem, which has to be of this check.
fn only_problem(run: &Run, check: &str) -> Value {
    run.failed(1, "there is a problem");
    let found = findings(run);
    let mut problems = found.iter().filter(|(_, verdict, _)| verdict == "problem");
    let (name, _, problem) = problems.next().unwrap();
    assert_eq!((name.as_str(), problems.next()), (check, None), "{found:#?}");
    problem.clone()
}

fn verdict<'a>(found: &'a [(String, String, Value)], check: &str) -> Option<&'a str> {
    found.iter().find(|(name, ..)| name == check).map(|(_, verdict, _)| verdict.as_str())
}

/// Answers every request with `answer`, and says in the thread's result what the first one was.
fn server(answer: String) -> (String, thread::JoinHandle<String>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = thread::spawn(move || {
        loop {
            let (mut socket, _) = listener.accept().unwrap();
            let lines = BufReader::new(socket.try_clone().unwrap()).lines().map_while(Result::ok);
            let head: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
            // The doctor also looks whether there is a connection at all.
            if head.is_empty() {
                continue;
            }
            socket.write_all(answer.as_bytes()).unwrap();
            return head.join("\n");
        }
    });
    (url, asked)
}

fn doctor_at(url: &str) -> Command {
    let mut command = claudectl(["doctor", "--json"]);
    command.env("ANTHROPIC_BASE_URL", url).env("ANTHROPIC_API_KEY", "sk-ant-api03-CANARY-key");
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_healthy_machine_everything_is_well_and_nothing_is_paid_for() {
    let server = MockServer::start().await.unwrap();
    let home = Home::logged_in(&server).await;
    let before = server.journal_len();
    let began = SystemClock.now();
    let told = run(&mut home.claudectl(&["doctor", "--json"]));
    let took = SystemClock.now().duration_since(began).unwrap_or_default();
    told.ok();
    assert!(took < Duration::from_secs(3), "{took:?}");
    let found = findings(&told);
    assert!(found.iter().all(|(_, verdict, _)| verdict == "ok"), "{found:#?}");
    for check in
        ["credential", "login", "files", "proxy", "dns", "tcp", "answer", "clock", "token endpoint", "api"]
    {
        assert_eq!(verdict(&found, check), Some("ok"), "{check}: {found:#?}");
    }
    let asked: Vec<_> = server.journal().into_iter().skip(before).collect();
    assert!(asked.iter().all(|entry| !entry.path.contains("messages")), "{asked:?}");

    let told = run(&mut home.claudectl(&["doctor", "--call"]));
    let lines: Vec<_> = told.ok().lines().collect();
    assert!(lines.iter().any(|line| line.starts_with("ok       message ")), "{told:?}");
    assert!(lines.iter().any(|line| line.starts_with("ok       limits ")), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_credential_that_is_the_problem_and_the_rest_is_looked_at() {
    let server = MockServer::start().await.unwrap();
    let home = Home::new(&server);
    let told = run(&mut home.claudectl(&["doctor", "--json"]));
    let problem = only_problem(&told, "credential");
    assert!(problem["next_step"].as_str().unwrap().contains("claudectl auth login"), "{problem}");
    let found = findings(&told);
    assert_eq!(
        (verdict(&found, "answer"), verdict(&found, "api")),
        (Some("ok"), Some("skipped")),
        "{found:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_that_leads_nowhere_is_the_problem_whoever_names_it() {
    let server = MockServer::start().await.unwrap();
    let doctor = |more: &[&str], key: Option<&str>| {
        let mut command = claudectl(["doctor", "--json"].iter().chain(more));
        command.env("ANTHROPIC_BASE_URL", server.base_url().as_str());
        run(command.envs(key.map(|key| ("ANTHROPIC_API_KEY", key))))
    };
    let by = |variables: &[(&str, &str)]| {
        let mut command = claudectl(["doctor", "--json"]);
        command.env("ANTHROPIC_BASE_URL", server.base_url().as_str());
        run(command.envs(variables.iter().copied()))
    };
    let federated = |name, value| {
        let rule = ("ANTHROPIC_FEDERATION_RULE_ID", server.federation_rule_id());
        by(&[rule, ("ANTHROPIC_ORGANIZATION_ID", server.organization_id()), (name, value)])
    };
    for (told, evidence) in [
        (doctor(&["--api-key-file", "/nowhere/key"], None), "--api-key-file leads"),
        (doctor(&["--api-key-from", "file:/nowhere/key"], None), "--api-key-from"),
        (doctor(&[], Some("file:/nowhere/key")), "ANTHROPIC_API_KEY cannot be used"),
        (doctor(&[], Some("env:NOWHERE")), "ANTHROPIC_API_KEY cannot be used"),
        (by(&[("ANTHROPIC_AUTH_TOKEN", "file:/nowhere/token")]), "ANTHROPIC_AUTH_TOKEN cannot be used"),
        (by(&[("ANTHROPIC_AUTH_TOKEN", "env:NOWHERE")]), "ANTHROPIC_AUTH_TOKEN cannot be used"),
        (
            federated("ANTHROPIC_IDENTITY_TOKEN", "file:/nowhere/id"),
            "the federation variables (with a token) cannot",
        ),
        (
            federated("ANTHROPIC_IDENTITY_TOKEN", "env:NOWHERE"),
            "the federation variables (with a token) cannot",
        ),
        (
            federated("ANTHROPIC_IDENTITY_TOKEN_FILE", "/nowhere/id"),
            "the file /nowhere/id of ANTHROPIC_IDENTITY",
        ),
    ] {
        let problem = only_problem(&told, "credential");
        assert!(problem["evidence"].as_str().unwrap().contains(evidence), "{problem}");
    }
    run(&mut claudectl(["doctor", "--sntp", ""])).failed(2, "--sntp");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spend_limit_is_named_whatever_the_status_and_no_wait_is_advised() {
    let server = MockServer::start().await.unwrap();
    server.inject(Fault::answer(Reply::coded("enforced_spend_limit_reached")).on("/v1/messages"));
    let told = run(&mut against(&server, ["doctor", "--json", "--call"]));
    let problem = only_problem(&told, "message");
    assert!(problem["next_step"].as_str().unwrap().contains("spend limit"), "{problem}");
}

#[test]
fn an_overloaded_service_has_a_name_that_people_know() {
    let body = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
    let length = body.len();
    let (url, _) = server(format!(
        "HTTP/1.1 529 \r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    ));
    let problem = only_problem(&run(&mut doctor_at(&url)), "answer");
    assert!(problem["evidence"].as_str().unwrap().ends_with("answers 529 Overloaded"), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_refused_is_the_problem_of_the_api_and_not_of_the_way_to_it() {
    let server = MockServer::start().await.unwrap();
    let mut command = against(&server, ["doctor", "--json"]);
    let told = run(command.env("ANTHROPIC_API_KEY", "sk-ant-api03-CANARY-wrong"));
    let problem = only_problem(&told, "api");
    assert!(problem["evidence"].as_str().unwrap().contains("401"), "{problem}");
}

#[test]
fn a_port_that_nobody_listens_on_is_the_problem_and_what_lies_behind_is_not_looked_at() {
    let url = {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let told = run(&mut doctor_at(&url));
    let problem = only_problem(&told, "tcp");
    assert!(problem["evidence"].as_str().unwrap().contains("refused"), "{problem}");
    let found = findings(&told);
    assert_eq!((verdict(&found, "answer"), verdict(&found, "api")), (None, Some("skipped")), "{found:#?}");
}

#[test]
fn a_base_url_that_is_none_is_the_only_problem_and_nobody_is_asked() {
    for (url, told) in [
        ("not an address", "no address of a server"),
        ("localhost:8080", "no address of a server"),
        ("file:///etc/passwd", "no address of a server"),
        ("https://", "no address of a server"),
        ("http://api.example", "without TLS"),
        ("https://bob:CANARY@api.example", "has a user or a password"),
        ("https://bob@api.example", "has a user or a password"),
        ("https://api.example/?key=CANARY", "has a query or a fragment"),
        ("https://api.example/#there", "has a query or a fragment"),
        (&format!("https://{}/", key_in_parts()), "has a key where a server's name belongs"),
    ] {
        let run = run(&mut doctor_at(url));
        let problem = only_problem(&run, "base url");
        assert!(problem["evidence"].as_str().unwrap().contains(told), "{url}: {problem}");
        let found = findings(&run);
        assert!(
            ["credential", "answer"].iter().all(|check| verdict(&found, check) == Some("skipped")),
            "{found:#?}"
        );
        assert!(["dns", "api"].iter().all(|check| verdict(&found, check).is_none()), "{found:#?}");
        assert!(!run.stdout.contains("bob") && !run.stdout.contains("key="), "{run:?}");
        assert!(!run.stdout.to_lowercase().contains("sk-ant"), "{run:?}");
        let next = problem["next_step"].as_str().unwrap();
        for (what, step) in [("a user", "take the user and"), ("a query", "take out what begins with")] {
            assert_eq!(told.contains(what), next.starts_with(step), "{url}: {problem}");
        }
        assert!(run.stderr.contains(r#""next_step":"standard output says what to do"#), "{run:?}");
    }
}

/// What looks like a key, put together here.
fn key_in_parts() -> String {
    format!("sk-ant-{}-{}", "api03", "Zx9-Kq2_".repeat(12))
}

#[test]
fn a_key_in_the_place_of_a_name_is_not_told_and_nobody_is_asked_for_it() {
    let key = key_in_parts();
    let told = run(doctor_at("http://127.0.0.1:1").args(["--sntp", &key]));
    assert!(told.stdout.contains("--sntp has a key where a name belongs [not shown]"), "{told:?}");
    let proxied = run(doctor_at("https://api.example").env("HTTPS_PROXY", &key));
    only_problem(&proxied, "proxy");
    for told in [told, proxied] {
        assert!(!format!("{told:?}").to_lowercase().contains("sk-ant"), "{told:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_address_that_is_no_text_is_the_base_url_s_problem() {
    use std::os::unix::ffi::OsStrExt as _;

    let address = std::ffi::OsStr::from_bytes(b"https://\xff.example");
    let told = run(doctor_at("").env("ANTHROPIC_BASE_URL", address));
    let problem = only_problem(&told, "base url");
    assert_eq!(problem["evidence"], "ANTHROPIC_BASE_URL is no text in UTF-8");
    assert_eq!(verdict(&findings(&told), "credential"), Some("skipped"), "{told:?}");
}

#[test]
fn a_name_that_does_not_exist_is_the_problem() {
    let told = run(&mut doctor_at("https://api.nowhere.invalid"));
    let problem = only_problem(&told, "dns");
    assert!(problem["evidence"].as_str().unwrap().contains("api.nowhere.invalid"), "{problem}");
}

#[test]
fn a_page_in_place_of_the_api_is_the_problem_and_gets_no_credential() {
    let page = "<html>Welcome to Hotel Wifi</html>";
    let answers = [
        format!("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\n\r\n{page}", page.len()),
        "HTTP/1.1 302 Found\r\nlocation: https://login.portal.example/?from=secret\r\ncontent-length: 0\r\n\r\n".into(),
    ];
    for answer in answers {
        let is_redirection = answer.contains("302");
        let (url, asked) = server(answer);
        let told = run(&mut doctor_at(&url));
        let problem = only_problem(&told, "answer");
        let evidence = problem["evidence"].as_str().unwrap();
        assert_eq!(evidence.contains("login.portal.example"), is_redirection, "{evidence}");
        assert!(problem["next_step"].as_str().unwrap().contains("browser"), "{problem}");
        let asked = asked.join().unwrap().to_ascii_lowercase();
        assert!(!asked.contains("canary") && !asked.contains("authorization"), "{asked}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_others_can_read_are_named_and_closed_when_asked() {
    let server = MockServer::start().await.unwrap();
    let home = Home::logged_in(&server).await;
    let path = home.config("credentials/default.json");
    home.open(&path, 0o644);
    let told = run(&mut home.claudectl(&["doctor", "--json"]));
    told.failed(1, "there is a problem");
    let found = findings(&told);
    let (_, its, files) = found.iter().find(|(check, ..)| check == "files").unwrap();
    assert_eq!(its, "problem");
    for unknown in ["login", "api"] {
        let (_, verdict, one) = found.iter().find(|(check, ..)| check == unknown).unwrap();
        assert_eq!((verdict.as_str(), &one["evidence"]), ("skipped", &json!("because `files` is a problem")));
    }
    assert!(files["next_step"].as_str().unwrap().contains("chmod 600"), "{files}");

    // Mended first: what a look finds now is not what the file was like before.
    let told = run(&mut home.claudectl(&["doctor", "--json", "--fix"]));
    told.ok();
    assert_eq!(verdict(&findings(&told), "login"), Some("ok"), "{told:?}");
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    run(&mut home.claudectl(&["doctor"])).ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_with_thousands_of_files_is_looked_at_in_part_and_its_credentials_first() {
    let server = MockServer::start().await.unwrap();
    let home = Home::logged_in(&server).await;
    let path = home.config("credentials/default.json");
    // The folder itself, that of the profiles, the one of the credentials and some of what is in them count too.
    for number in 0..2_000 {
        fs::File::create(home.config(&format!("{number}"))).unwrap();
    }
    let told = run(&mut home.claudectl(&["doctor", "--json"]));
    told.ok();
    let found = findings(&told);
    let files: Vec<_> = found.iter().filter(|(check, ..)| check == "files").collect();
    let [(_, well, part), (_, cut, rest)] = &files[..] else { panic!("{files:#?}") };
    assert_eq!((well.as_str(), cut.as_str()), ("ok", "skipped"), "{files:#?}");
    assert!(part["evidence"].as_str().unwrap().contains("in the part that was looked at"), "{part}");
    assert!(rest["evidence"].as_str().unwrap().contains("more than 2000 entries"), "{rest}");

    home.open(&path, 0o644);
    let told = run(&mut home.claudectl(&["doctor", "--json"]));
    only_problem(&told, "files");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_folder_that_is_a_link_it_is_where_it_leads_that_counts() {
    let server = MockServer::start().await.unwrap();
    let home = Home::logged_in(&server).await;
    let link = home.path().join(".config/anthropic");
    let real = link.with_file_name("real");
    fs::rename(&link, &real).unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    run(&mut home.claudectl(&["doctor"])).ok();

    home.open(&real, 0o777);
    let told = run(&mut home.claudectl(&["doctor", "--json"]));
    assert_eq!(verdict(&findings(&told), "files"), Some("problem"), "{told:?}");
    run(&mut home.claudectl(&["doctor", "--fix"])).ok();
    assert_eq!(real.metadata().unwrap().permissions().mode() & 0o777, 0o755);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_program_that_died_has_left_is_named_and_removed_when_asked() {
    let server = MockServer::start().await.unwrap();
    let home = Home::logged_in(&server).await;
    let left = home.write("credentials/.default.1-0.tmp", "half of a session");
    let used = home.write("credentials/.work.2-0.tmp", "being written");
    let lock = fs::File::open(&used).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let profile = home.write("configs/.profile-x1Y2z3.tmp", "half of a profile");
    for path in [&left, &used, &profile] {
        let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        fs::File::options().write(true).open(path).unwrap().set_modified(long_ago).unwrap();
    }
    let new = home.write("credentials/.default.3-0.tmp", "just begun");

    let told = run(&mut home.claudectl(&["doctor", "--json"]));
    told.ok();
    let warnings: Vec<_> =
        findings(&told).into_iter().filter(|(_, verdict, _)| verdict == "warning").collect();
    assert!(
        matches!(&warnings[..], [(check, _, one), (_, _, other)] if check == "files"
            && one["evidence"].as_str().unwrap().contains(".default.1-0.tmp")
            && other["evidence"].as_str().unwrap().contains(".profile-x1Y2z3.tmp")),
        "{warnings:#?}"
    );
    assert!(left.exists(), "nothing is removed unasked");

    run(&mut home.claudectl(&["doctor", "--fix"])).ok();
    assert!(!left.exists() && !profile.exists() && used.exists() && new.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_is_used_up_and_a_message_that_is_refused_are_told() {
    let server = MockServer::builder().requests_per_minute(1).start().await.unwrap();
    let found = findings(&run(&mut against(&server, ["doctor", "--json"])));
    let (_, verdict_of_it, limits) = found.iter().find(|(check, ..)| check == "limits").unwrap();
    assert_eq!(verdict_of_it, "warning", "{limits}");
    assert!(limits["next_step"].as_str().unwrap().contains("no requests are left"), "{limits}");

    let server = MockServer::start().await.unwrap();
    server.inject(Fault::status(http::StatusCode::PAYMENT_REQUIRED).on("/v1/messages"));
    let told = run(&mut against(&server, ["doctor", "--json", "--call"]));
    let problem = only_problem(&told, "message");
    assert!(problem["next_step"].as_str().unwrap().contains("credit"), "{problem}");
    assert_eq!(verdict(&findings(&told), "api"), Some("ok"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_is_gone_is_the_problem_of_the_login() {
    let server = MockServer::start().await.unwrap();
    let home = Home::logged_in(&server).await;
    fs::remove_file(home.config("credentials/default.json")).unwrap();
    let told = run(&mut home.claudectl(&["doctor", "--json"]));
    only_problem(&told, "login");
    let found = findings(&told);
    assert_eq!(
        (verdict(&found, "answer"), verdict(&found, "api")),
        (Some("ok"), Some("skipped")),
        "{found:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_past_is_told_with_what_renews_it_or_with_what_keeps_it_from_that() {
    let server = MockServer::start().await.unwrap();
    let home = Home::logged_in(&server).await;
    let expire = || {
        let mut token = home.json("credentials/default.json");
        token["expires_at"] = 1_000_000_000.into();
        home.write("credentials/default.json", token.to_string());
    };
    let login = |told: &Run| findings(told).into_iter().find(|(check, ..)| check == "login").unwrap().2;
    expire();
    let told = run(&mut home.claudectl(&["doctor", "--json"]));
    told.ok();
    let past = login(&told);
    assert_eq!(past["verdict"], "ok", "{past}");
    let evidence = past["evidence"].as_str().unwrap();
    assert!(evidence.contains("the access token is past, since 2001-09-09T01:46:40Z, "), "{past}");
    assert!(
        past["next_step"].as_str().unwrap().contains("claudectl auth refresh --profile default"),
        "{past}"
    );
    // `api` was a call.
    let renewed = login(&run(&mut home.claudectl(&["doctor", "--json"])));
    assert!(renewed["evidence"].as_str().unwrap().contains("access token until"), "{renewed}");
    assert!(renewed["next_step"].is_null(), "{renewed}");

    run(&mut home.claudectl(&["profile", "set", "default", "client_id="])).ok();
    expire();
    let problem = only_problem(&run(&mut home.claudectl(&["doctor", "--json"])), "login");
    assert!(
        problem["next_step"].as_str().unwrap().contains("claudectl profile set default client_id=ID"),
        "{problem}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spend_limit_that_is_near_or_reached_is_told_to_whoever_may_read_it() {
    let server = MockServer::start().await.unwrap();
    for (spent, expected) in [("120.5", "ok"), ("9500", "warning"), ("10000", "problem")] {
        let row = |amount: Value, spent: &str| json!({"amount": amount, "currency": "USD", "period": "monthly", "period_to_date_spend": spent});
        let page =
            json!({"data": [row(Value::Null, "999999"), row("10000".into(), spent)], "next_page": null});
        server.inject(Fault::answer(Reply::json(page)).on("/v1/organizations/spend_limits/effective"));
        let told = run(&mut against(&server, ["doctor", "--json"]));
        let found = findings(&told);
        let (_, verdict, spend) = found.iter().find(|(check, ..)| check == "spend").unwrap();
        assert_eq!(verdict, expected, "{spend}");
        assert!(spend["evidence"].as_str().unwrap().contains("of 100.00 USD (monthly)"), "{spend}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_api_says_no_to_has_a_next_step_of_its_own() {
    let server = MockServer::start().await.unwrap();
    let refusal =
        |status: u16, kind: &str| Reply::error(http::StatusCode::from_u16(status).unwrap(), kind, "no");
    for (reply, next) in [
        (refusal(400, "invalid_request_error"), "--api-version 2023-06-01"),
        (refusal(404, "not_found_error"), "the base URL"),
        (Reply::json(json!({"data": 1})), "the base URL"),
    ] {
        // Before it is asked with a key, it is asked without one.
        let first = refusal(401, "authentication_error");
        [first, reply].into_iter().for_each(|reply| server.inject(Fault::answer(reply).on("/v1/models")));
        let told = run(&mut against(&server, ["doctor", "--json"]));
        let problem = only_problem(&told, "api");
        let told = problem["next_step"].as_str().unwrap();
        assert!(told.contains(next) && !told.contains("--model"), "{problem}");
        server.clear_faults();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_is_reached_that_is_one_problem_and_not_four() {
    let server = MockServer::start().await.unwrap();
    let home = Home::logged_in(&server).await;
    drop(server);
    let told = run(&mut home.claudectl(&["doctor", "--json"]));
    only_problem(&told, "tcp");
    let found = findings(&told);
    for check in ["token endpoint", "authorize endpoint", "api"] {
        assert_eq!(verdict(&found, check), Some("skipped"), "{found:#?}");
    }
}
