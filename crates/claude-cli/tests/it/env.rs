//! `claudectl env`.

use std::{fs, os::unix::fs::PermissionsExt as _, path::PathBuf};

use mock_server::MockServer;
use serde_json::{Value, json};

use crate::{
    claudectl::{CANARY, Run, Running, run},
    home::Home,
};

const DEV: &str = "CANARY-dev-key-1";
const PROD: &str = "CANARY-prod-key-2";

/// A file in the home that holds a secret.
fn secret(home: &Home, name: &str, text: &str) -> PathBuf {
    let path = home.path().join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

fn env(home: &Home, arguments: &[&str]) -> Run {
    let mut command = home.claudectl(&[&["env"], arguments].concat());
    command
        .env("DEV_KEY", DEV)
        .env("ANTHROPIC_API_KEY", "CANARY-not-for-children")
        .env("PATH", "/usr/bin:/bin");
    run(&mut command)
}

fn set(home: &Home, profile: &str, assignments: &[&str]) {
    run(&mut home.claudectl(&[&["profile", "set", profile], assignments].concat())).ok();
}

/// Two environments, each with a secret of its own.
async fn two() -> Home {
    let server = MockServer::start().await.unwrap();
    let home = Home::new(&server);
    let path = secret(&home, "prod-key", PROD);
    set(&home, "dev", &["api_key=env:DEV_KEY", "base_url=https://dev.example"]);
    set(&home, "prod", &[&format!("api_key=file:{}", path.display()), "base_url=https://prod.example"]);
    home
}

#[tokio::test(flavor = "multi_thread")]
async fn a_difference_is_told_without_the_secrets() {
    let home = two().await;
    let diff = env(&home, &["diff", "dev", "prod"]);
    let text = diff.ok();
    assert!(!text.contains(CANARY), "{text}");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(&lines[..3], ["base_url", "  dev   https://dev.example", "  prod  https://prod.example"]);
    assert!(lines[3] == "api_key" && lines[4].starts_with("  dev   env:DEV_KEY  "), "{text}");
    let print = |line: &str| line.rsplit("  ").next().unwrap().to_owned();
    assert!(print(lines[4]).len() == 16 && print(lines[4]) != print(lines[5]), "{text}");
    // The fingerprints of another run are others: nobody can try guesses on them.
    assert_ne!(print(env(&home, &["diff", "dev", "prod"]).ok().lines().nth(4).unwrap()), print(lines[4]));

    secret(&home, "prod-key", DEV);
    let diff: Value = serde_json::from_str(env(&home, &["diff", "dev", "prod", "--json"]).ok()).unwrap();
    assert_eq!(diff[1]["member"], "api_key");
    assert_eq!(
        diff[1]["one"]["fingerprint"], diff[1]["other"]["fingerprint"],
        "the same secret in two places"
    );

    fs::remove_file(home.path().join("prod-key")).unwrap();
    let diff = env(&home, &["diff", "dev", "prod"]);
    assert!(diff.stdout.lines().nth(5).unwrap().contains("does not exist"), "{diff:?}");
    diff.failed(1, "not everything could be compared: api_key of prod cannot be had");
    let twice = env(&home, &["diff", "prod", "prod", "--json"]);
    twice.failed(1, "api_key of prod cannot be had");
    assert_eq!(twice.stderr.matches("api_key").count(), 1, "{twice:?}");
    let same = env(&home, &["diff", "dev", "dev"]);
    assert_eq!((same.status, same.stdout.as_str()), (Some(0), ""));
    assert!(same.stderr.contains("they do not differ"), "{same:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_finds_what_cannot_be_had_is_open_or_shared() {
    let home = two().await;
    let checked = env(&home, &["check"]);
    assert_eq!(checked.ok(), "dev: can be used (1 secret)\nprod: can be used (1 secret)\n");

    secret(&home, "prod-key", DEV);
    let shared = env(&home, &["check"]);
    shared.failed(1, "there are 2 problems");
    assert!(shared.stdout.contains("dev: its api_key is the same secret as in prod"), "{shared:?}");

    home.open(&home.path().join("prod-key"), 0o644);
    let open = env(&home, &["check", "--json"]);
    open.failed(1, "there is a problem");
    let reports: Value = serde_json::from_str(&open.stdout).unwrap();
    assert_eq!(reports[0]["problems"].as_array().unwrap().len(), 0);
    assert!(reports[1]["problems"][0].as_str().unwrap().contains("chmod 600"), "{reports}");

    set(&home, "empty", &["api_key=env:NOWHERE"]);
    home.write("configs/broken.json", "CANARY");
    let broken = env(&home, &["check", "empty", "broken"]);
    broken.failed(1, "there are 2 problems");
    assert!(
        broken.stdout.contains("NOWHERE does not exist") && broken.stdout.contains("broken: "),
        "{broken:?}"
    );
    env(&home, &["check", "nobody"]).failed(1, "there is a problem");
}

#[tokio::test(flavor = "multi_thread")]
async fn slips_of_the_pen_in_a_file_of_profiles_are_told() {
    let server = MockServer::start().await.unwrap();
    let home = Home::new(&server);
    let write = |profiles: &str| home.write("profiles.json", format!("{{\"profiles\": {{{profiles}}}}}"));
    let dev = r#""dev": {"authentication": {"type": "api_key", "api_key": "env:DEV_KEY", "api_kye": "x"}, "base_ulr": 1}"#;
    write(dev);
    let checked = env(&home, &["check"]);
    let told = "dev: can be used (1 secret)\n\
                dev: warning: the member `base_ulr` is not known and has no effect; `base_url` may be meant\n\
                dev: warning: the member `authentication.api_kye` is not known and has no effect; `authentication.api_key` may be meant\n";
    assert_eq!(checked.ok(), told);
    let listed = run(&mut home.claudectl(&["profile", "list"]));
    assert_eq!(listed.status, Some(0));
    assert!(listed.stderr.contains("profile dev: the member `base_ulr`"), "{listed:?}");

    write(&format!("{dev}, {dev}"));
    env(&home, &["check"]).failed(1, "its member `dev` is there twice");
    write(r#""de v": {"authentication": {"type": "api_key"}}"#);
    run(&mut home.claudectl(&["profile", "list"])).failed(1, "a name of 4 characters in it is no profile's");

    // A secret in the place of a reference is one problem, and one that would be overwritten is one too.
    write(
        r#""dev": {"authentication": {"type": "api_key", "api_key": "CANARY"}},
           "prod": {"authentication": {"type": "api_key", "api_key": "env:DEV_KEY"},
                    "environment": {"ANTHROPIC_API_KEY": "env:OTHER"}}"#,
    );
    let checked = env(&home, &["check"]);
    checked.failed(1, "there are 2 problems");
    assert!(checked.stdout.contains("ANTHROPIC_API_KEY is set by the profile itself"), "{checked:?}");
    env(&home, &["run", "prod", "--", "true"]).failed(1, "is set by the profile itself");
    let mut set = home.claudectl(&["profile", "set", "prod", "env.CLAUDE_CLIENT_SECRET=env:X"]);
    run(&mut set).failed(1, "is set by the profile itself");
}

/// Each a process of its own, and each change is there in the end.
#[tokio::test(flavor = "multi_thread")]
async fn programs_that_change_profiles_at_the_same_time_lose_nothing() {
    let server = MockServer::start().await.unwrap();
    let home = Home::new(&server);
    home.write("profiles.json", r#"{"profiles": {"a": {"authentication": {"type": "api_key"}}, "b": {"authentication": {"type": "api_key"}}}}"#);
    let programs: Vec<Running> = (0..12)
        .map(|turn| {
            let profile = if turn % 2 == 0 { "a" } else { "b" };
            Running::start(&mut home.claudectl(&["profile", "set", profile, &format!("env.V{turn}=env:X")]))
        })
        .collect();
    for program in programs {
        program.end().ok();
    }
    let kept = home.json("profiles.json");
    for profile in ["a", "b"] {
        assert_eq!(kept["profiles"][profile]["environment"].as_object().unwrap().len(), 6, "{kept}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_finds_tokens_that_others_can_read() {
    let server = MockServer::start().await.unwrap();
    let home = Home::logged_in(&server).await;
    assert_eq!(env(&home, &["check"]).ok(), "default: can be used (1 secret)\n");
    home.open(&home.config("credentials/default.json"), 0o640);
    env(&home, &["check"]).failed(1, "there is a problem");
    run(&mut Home::new(&server).claudectl(&["env", "check"])).failed(1, "there is no profile to check");
}

/// One login for two environments is one secret for both, whether its file was copied or is named by both.
#[tokio::test(flavor = "multi_thread")]
async fn a_check_finds_logins_that_are_shared_or_were_never_made() {
    let server = MockServer::start().await.unwrap();
    let home = Home::logged_in(&server).await;
    let of_default = fs::read(home.config("configs/default.json")).unwrap();
    home.write("configs/prod.json", &of_default);
    let missing = env(&home, &["check"]);
    missing.failed(1, "there is a problem");
    let told =
        "prod: its login cannot be had: nobody is logged in; run `claudectl auth login --profile prod`";
    assert!(missing.stdout.contains(told), "{missing:?}");
    assert!(!missing.stdout.contains("not compared"), "there is nothing to compare: {missing:?}");
    let diff = env(&home, &["diff", "default", "prod"]);
    assert!(diff.ok().contains("nobody is logged in"), "{diff:?}");

    let tokens = home.config("credentials/default.json");
    home.write("credentials/prod.json", fs::read(&tokens).unwrap());
    let shared = "default: its login is the same secret as in prod; give each its own\n\
                  prod: its login is the same secret as in default; give each its own\n";
    let copied = env(&home, &["check"]);
    copied.failed(1, "there are 2 problems");
    assert_eq!(copied.stdout, shared);
    let diff: Value = serde_json::from_str(env(&home, &["diff", "default", "prod", "--json"]).ok()).unwrap();
    assert_eq!(diff[0]["member"], "login");
    assert_eq!(diff[0]["one"]["fingerprint"], diff[0]["other"]["fingerprint"]);

    // Named by both, it is shared before anybody has logged in, too.
    let named = |tokens: &std::path::Path| {
        set(&home, "prod", &[&format!("credentials_path={}", tokens.display())]);
        env(&home, &["check"])
    };
    assert_eq!(named(&tokens).stdout, shared);
    fs::remove_file(&tokens).unwrap();
    let nobody = named(&tokens);
    nobody.failed(1, "there are 4 problems");
    assert!(nobody.stdout.contains("prod: its login is the same secret as in default"), "{nobody:?}");
}

/// What somebody has written into the file by hand may be anything.
#[tokio::test(flavor = "multi_thread")]
async fn a_secret_in_the_place_of_anything_else_in_a_profile_is_not_shown() {
    let server = MockServer::start().await.unwrap();
    let home = Home::new(&server);
    let key = format!("sk-ant-{}-{CANARY}-Q7ZK2M9XW4RB8TJ3Q7ZK2M9XW4RB8TJ3", "api03");
    let dev = json!({
        "authentication": {
            "type": "api_key", "api_key": "file:CANARY-hunter2", "CANARY-hunter2": 1,
            "credentials_path": "CANARY-hunter2", "client_id": key, "console_url": "CANARY-hunter2",
        },
        "base_url": "https://user:CANARY-hunter2@dev.example/v?key=CANARY-hunter2", key.clone(): 2,
    });
    let prod = json!({ "authentication": { "type": "api_key", "api_key": "env:DEV_KEY" } });
    let other = json!({ "authentication": { "type": key } });
    home.write(
        "profiles.json",
        json!({ "profiles": { "dev": dev, "prod": prod, "other": other } }).to_string(),
    );
    for arguments in [
        &["profile", "show", "dev"][..],
        &["profile", "show", "dev", "--json"],
        &["profile", "list"],
        &["profile", "list", "--json"],
        &["env", "diff", "dev", "prod"],
        &["env", "diff", "prod", "dev", "--json"],
        &["env", "diff", "prod", "other"],
        &["env", "check"],
        &["env", "check", "--json"],
        &["env", "run", "dev", "--", "true"],
        &["env", "run", "other", "--", "true"],
        &["doctor", "--json"],
    ] {
        let told = run(home.claudectl(arguments).env("DEV_KEY", "x").env("ANTHROPIC_PROFILE", "dev"));
        assert!(!format!("{told:?}").contains(CANARY), "{arguments:?}: {told:?}");
        assert!(!told.stdout.is_empty() || !told.stderr.is_empty(), "{arguments:?}");
    }
    let shown = run(home.claudectl(&["profile", "show", "prod"]).env("DEV_KEY", "x"));
    assert!(shown.ok().contains("api_key=env:DEV_KEY"), "{shown:?}");
    set(&home, "fine", &["api_key=env:DEV_KEY", "base_url=https://fine.example/v"]);
    let shown = run(&mut home.claudectl(&["profile", "show", "fine"]));
    assert!(shown.ok().contains("base_url=https://fine.example/v"), "{shown:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_off_a_secret_is_told_by_every_command() {
    let server = MockServer::start().await.unwrap();
    let home = Home::new(&server);
    let path = secret(&home, "key", &format!("{}\n", server.api_key()));
    let reference = format!("file:{}", path.display());
    set(&home, "prod", &[&format!("api_key={reference}"), &format!("base_url={}", server.base_url())]);
    let key = path.to_str().unwrap();
    for (arguments, place) in [
        (&["env", "check"][..], reference.as_str()),
        (&["env", "diff", "prod", "prod"], &reference),
        (&["env", "run", "prod", "--", "true"], &reference),
        (&["messages", "create", "hello", "--profile", "prod"], &reference),
        (&["messages", "create", "hello", "--api-key-from", &reference], &reference),
        (&["messages", "create", "hello", "--api-key-file", key], "the file of --api-key-file"),
    ] {
        let told = run(&mut home.claudectl(arguments));
        assert_eq!(told.status, Some(0), "{told:?}");
        let line = format!("{place}: a newline or a byte order mark around the secret was taken off");
        assert_eq!(told.stderr.matches(&line).count(), 1, "{arguments:?}: {told:?}");
    }
    let mut create = home.claudectl(&["messages", "create", "hello"]);
    let told = run(create.env("ANTHROPIC_API_KEY", format!("{}\n", server.api_key())));
    assert!(
        told.ok_after_talk().len() > 1 && told.stderr.contains("the variable ANTHROPIC_API_KEY"),
        "{told:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_gets_the_secrets_of_its_profile_and_no_others() {
    let home = two().await;
    let show = "echo \"$ANTHROPIC_API_KEY $ANTHROPIC_BASE_URL\"; ulimit -c; exit 7";
    let ran = env(&home, &["run", "prod", "--", "sh", "-c", show]);
    assert_eq!((ran.status, ran.stderr.as_str()), (Some(7), ""), "the status is the program's");
    assert_eq!(ran.stdout, format!("{PROD} https://prod.example/\n0\n"));

    secret(&home, "client", "CANARY-client");
    let reference = format!("client_secret=file:{}", home.path().join("client").display());
    set(&home, "person", &["client_id=app", &reference]);
    let show = "echo \"$ANTHROPIC_PROFILE $CLAUDE_CLIENT_ID $CLAUDE_CLIENT_SECRET [$ANTHROPIC_API_KEY]\"";
    let ran = env(&home, &["run", "person", "--", "sh", "-c", show]);
    assert_eq!(ran.ok(), "person app CANARY-client []\n");

    set(&home, "person", &["client_id="]);
    env(&home, &["run", "person", "--", "true"]).failed(1, "has a client_secret and no client_id");
    set(&home, "person", &["client_secret="]);
    let mut lost = home.claudectl(&["env", "run", "person", "--", "true"]);
    let lost = run(lost.env("PATH", "/usr/bin:/bin").env("CLAUDE_CLIENT_SECRET", "CANARY-of-the-caller"));
    assert_eq!(lost.status, Some(0));
    assert!(lost.stderr.contains("CLAUDE_CLIENT_SECRET does not go along"), "{lost:?}");

    env(&home, &["run", "prod", "--", "/nowhere/program"]).failed(127, "/nowhere/program could not be run");
    env(&home, &["run", "prod", "--", "/etc"]).failed(126, "/etc could not be run");
    env(&home, &["run", "prod"]).failed(2, "PROGRAM");
    env(&home, &["run", "prod", "env"]).failed(2, "write `--` before the program");
    env(&home, &["run", "nobody", "--", "true"]).failed(1, "there is no profile \"nobody\"");
    fs::remove_file(home.path().join("prod-key")).unwrap();
    env(&home, &["run", "prod", "--", "true"]).failed(1, "does not exist");
}

/// A key of prod goes where prod says, as prod says, whatever the caller's environment is set to.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_the_callers_decides_where_a_profiles_key_goes() {
    let home = two().await;
    set(&home, "prod", &["base_url=", "env.ANTHROPIC_LOG=env:LOG"]);
    let mut command = home.claudectl(&["env", "run", "prod", "--", "env"]);
    for variable in [
        "ANTHROPIC_CUSTOM_HEADERS",
        "ANTHROPIC_IDENTITY_TOKEN_FILE",
        "ANTHROPIC_ORGANIZATION_ID",
        "ANTHROPIC_WORKSPACE_ID",
        "CLAUDE_CLIENT_ID",
        "CLAUDE_CODE_USE_BEDROCK",
    ] {
        command.env(variable, "of the caller");
    }
    command.env("PATH", "/usr/bin:/bin").env("LOG", "debug").env("HOMEWORK", "stays");
    command.env("ANTHROPIC_CONFIG_DIR", home.config(""));
    let ran = run(&mut command);
    let mut seen: Vec<&str> = ran
        .ok()
        .lines()
        .filter(|line| ["ANTHROPIC", "CLAUDE", "HOMEWORK"].iter().any(|begin| line.starts_with(begin)))
        .collect();
    seen.sort_unstable();
    let folder = format!("ANTHROPIC_CONFIG_DIR={}", home.config("").display());
    let key = format!("ANTHROPIC_API_KEY={PROD}");
    assert_eq!(seen, [&key, &folder, "ANTHROPIC_LOG=debug", "HOMEWORK=stays"]);

    // What the caller has set to nonsense is no problem of a profile's, and what it has set right no help.
    let check = |value: &str| {
        let mut check = home.claudectl(&["env", "check"]);
        check.env("DEV_KEY", DEV).env("LOG", "debug").env("ANTHROPIC_BASE_URL", value);
        run(check.env("ANTHROPIC_FEDERATION_RULE_ID", "fdrl_x"))
    };
    check("nonsense").ok();
    home.write("configs/ci.json", r#"{"authentication": {"type": "oidc_federation"}}"#);
    let missing = check("nonsense");
    missing.failed(1, "there is a problem");
    assert!(missing.stdout.contains("ci: it has no federation_rule_id"), "{missing:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_that_two_workloads_show_is_shared() {
    let server = MockServer::start().await.unwrap();
    let home = Home::new(&server);
    let token = secret(&home, "token", "CANARY-identity");
    let link = home.path().join("link");
    std::os::unix::fs::symlink(&token, &link).unwrap();
    let workload = |path: &std::path::Path, rule: &str| {
        let identity = json!({ "source": "file", "path": path });
        json!({ "organization_id": "org", "authentication":
            { "type": "oidc_federation", "federation_rule_id": rule, "identity_token": identity } })
    };
    home.write("configs/test.json", workload(&token, "fdrl_test").to_string());
    home.write("configs/prod.json", workload(&link, "fdrl_prod").to_string());
    let shared = env(&home, &["check"]);
    shared.failed(1, "there are 2 problems");
    assert!(
        shared.stdout.contains("prod: its identity_token_file is the same secret as in test"),
        "{shared:?}"
    );
    let diff: Value = serde_json::from_str(env(&home, &["diff", "test", "prod", "--json"]).ok()).unwrap();
    assert_eq!(
        (&diff[0]["member"], &diff[1]["member"]),
        (&json!("federation_rule_id"), &json!("identity_token_file"))
    );
    assert_eq!(diff[1]["one"]["fingerprint"], diff[1]["other"]["fingerprint"], "{diff}");
    // The file is one before there is a token in it, too.
    fs::remove_file(&token).unwrap();
    home.write("configs/prod.json", workload(&token, "fdrl_prod").to_string());
    let nothing = env(&home, &["check"]);
    nothing.failed(1, "there are 4 problems");
    assert!(
        nothing.stdout.contains("prod: its identity_token_file is the same secret as in test"),
        "{nothing:?}"
    );

    // Nobody reads it, and it fails all the same.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    for look in [&["check"][..], &["diff", "test", "prod"]] {
        let mut command = home.claudectl(&[&["env"], look].concat());
        assert_eq!(run(command.stdout(writer.try_clone().unwrap())).status, Some(1), "{look:?}");
    }
}

/// One file for dev, test and prod, which holds no secret.
#[tokio::test(flavor = "multi_thread")]
async fn three_environments_in_one_file_are_compared_checked_and_run() {
    let server = MockServer::start().await.unwrap();
    let home = Home::new(&server);
    let [key, database] = [secret(&home, "prod-key", PROD), secret(&home, "prod-db", "CANARY-prod-database")];
    let file = |path: &PathBuf| format!("file:{}", path.display());
    let of_key = |reference: &str| json!({ "type": "api_key", "api_key": reference });
    let all = json!({ "version": "1.0", "profiles": {
        "dev": { "authentication": of_key("env:DEV_KEY") },
        "test": { "authentication": of_key("env:DEV_KEY"), "environment": { "DATABASE_URL": "env:NOWHERE" } },
        "prod": { "authentication": of_key(&file(&key)), "environment": { "DATABASE_URL": file(&database) } },
    }});
    home.write("profiles.json", all.to_string());

    let checked = env(&home, &["check"]);
    checked.failed(1, "there are 3 problems");
    for problem in [
        "dev: its api_key is the same secret as in test",
        "test: its api_key is the same secret as in dev",
        "test: its env.DATABASE_URL cannot be had",
        "prod: can be used (2 secrets)",
    ] {
        assert!(checked.stdout.contains(problem), "{problem}: {checked:?}");
    }
    env(&home, &["check", "prod"]).ok();

    let diff = env(&home, &["diff", "dev", "prod"]);
    let lines: Vec<&str> = diff.ok().lines().collect();
    assert_eq!((lines[3], lines[4]), ("env.DATABASE_URL", "  dev   -"), "{diff:?}");
    assert!(lines[5].starts_with(&format!("  prod  {}  ", file(&database))), "{diff:?}");
    assert!(!diff.stdout.contains(CANARY));

    let show = "echo \"$ANTHROPIC_API_KEY $DATABASE_URL [$DEV_KEY]\"";
    let ran = env(&home, &["run", "prod", "--", "sh", "-c", show]);
    assert_eq!(ran.ok(), format!("{PROD} CANARY-prod-database []\n"), "and no key of dev");
    assert_eq!(env(&home, &["run", "dev", "--", "sh", "-c", show]).ok(), format!("{DEV}  []\n"));
    env(&home, &["run", "test", "--", "true"]).failed(1, "DATABASE_URL cannot be had");

    // The database of another environment, taken by accident.
    set(&home, "dev", &[&format!("env.DB={}", file(&database))]);
    let shared = env(&home, &["check", "prod"]);
    let told = "prod: its env.DATABASE_URL is the same secret as in dev; give each its own\n\
                prod: warning: it was not compared with all of test, which has a secret that cannot be had\n";
    assert_eq!(shared.stdout, told, "whoever asks about one hears of it too, and of what is not known");
    let shown = run(&mut home.claudectl(&["profile", "show", "dev"]));
    assert!(shown.ok().contains(&format!("env.DB={}", file(&database))), "{shown:?}");
    set(&home, "dev", &["env.DB="]);
    env(&home, &["check", "prod"]).ok();
    assert!(!home.config("configs").exists(), "all of it stays in one file");
    run(&mut home.claudectl(&["profile", "set", "dev", "env.DB=sk-CANARY"]))
        .failed(1, "never the secret itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_takes_its_key_from_a_reference() {
    let server = MockServer::start().await.unwrap();
    let home = Home::new(&server);
    secret(&home, "key", server.api_key());
    let reference = format!("file:{}", home.path().join("key").display());
    let create = |more: &[&str]| run(&mut home.claudectl(&[&["messages", "create", "hello"], more].concat()));
    create(&["--api-key-from", &reference]).ok();
    create(&["--api-key-from", "sk-ant-CANARY"]).failed(1, "never the secret itself");
    create(&["--api-key-from", "env:NOWHERE"]).failed(1, "NOWHERE");
    set(&home, "prod", &[&format!("api_key={reference}")]);
    create(&["--profile", "prod"]).ok();
    let mut refused = home.claudectl(&["profile", "set", "prod", "api_key=sk-ant-CANARY"]);
    run(&mut refused).failed(1, "never the secret itself");
}
