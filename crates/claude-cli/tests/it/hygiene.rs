//! Where secrets must not be: in the arguments and the environment of processes, in core dumps, and in what is told.

use std::{
    fs,
    io::Read as _,
    os::unix::{fs::PermissionsExt as _, process::ExitStatusExt as _},
    path::Path,
    process::{Command, Stdio},
};

use mock_server::MockServer;
use rustix::process::Signal;
use tempfile::TempDir;

use crate::{
    claudectl::{CANARY, Running, claudectl, run, run_with_input},
    home::Home,
    person,
};

/// Puts a program in the place of `name` that writes down what it and its parent were started with.
fn spy(folder: &Path, name: &str, then: &str) {
    let path = folder.join(name);
    let seen = folder.join("seen").display().to_string();
    let script = format!(
        "#!/bin/sh\n/bin/cat /proc/$$/cmdline /proc/$$/environ /proc/$PPID/cmdline >> {seen}\n\
         echo \" {name} was here\" >> {seen}\n{then}\n"
    );
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}

fn seen(folder: &Path) -> String {
    String::from_utf8_lossy(&fs::read(folder.join("seen")).unwrap_or_default()).into_owned()
}

/// With a secret in every variable that holds one.
fn with_secrets<'c>(command: &'c mut Command, folder: &Path) -> &'c mut Command {
    for variable in [
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "ANTHROPIC_IDENTITY_TOKEN",
        "CLAUDE_CLIENT_SECRET",
        "VAULT_TOKEN",
        "AWS_SECRET_ACCESS_KEY",
    ] {
        command.env(variable, format!("{CANARY}-{variable}"));
    }
    command.env("PATH", format!("{}:/usr/bin:/bin", folder.display())).env("LANG", "C")
}

#[tokio::test(flavor = "multi_thread")]
async fn no_program_that_is_started_has_a_secret_in_its_arguments_or_environment() {
    let folder = TempDir::new().unwrap();
    let path = folder.path();
    spy(path, "git", "exit 1");
    spy(path, "helper", &format!("echo {CANARY}-printed"));
    spy(path, "browser", "");
    run(with_secrets(claudectl(["secrets", "scan", "/proc/self/comm"]).arg(path), path));
    let got = run(with_secrets(&mut claudectl(["secrets", "get", "command:helper show"]), path));
    assert_eq!(got.ok(), format!("{CANARY}-printed\n"));

    let server = MockServer::start().await.unwrap();
    let home = Home::new(&server);
    let mut login = home.login(&server, &[]);
    let mut running = Running::start(with_secrets(&mut login, path).env("BROWSER", path.join("browser")));
    person::consent(&running.link()).await;
    running.end();

    let seen = seen(path);
    for name in ["git", "helper", "browser"] {
        assert!(seen.contains(&format!(" {name} was here")), "{name} was not started: this shows nothing");
    }
    assert!(seen.contains("LANG=C") && seen.contains("claudectl"), "{seen}");
    let leak = seen.split(['\0', '\n']).find(|text| text.contains(CANARY));
    assert_eq!(leak, None);
}

/// The program of `env run` gets what its profile names, in its environment and nowhere else, and nothing of another profile.
#[tokio::test(flavor = "multi_thread")]
async fn the_program_of_an_environment_has_its_secrets_and_no_others() {
    let server = MockServer::start().await.unwrap();
    let home = Home::new(&server);
    let folder = TempDir::new().unwrap();
    spy(folder.path(), "program", "");
    let set =
        |arguments: &[&str]| run(&mut home.claudectl(&[&["profile", "set"], arguments].concat())).ok().len();
    set(&["dev", "api_key=env:DEV_KEY"]);
    set(&["prod", "api_key=env:PROD_KEY", "env.DATABASE_URL=env:DB_TOKEN"]);
    let mut command = home.claudectl(&["env", "run", "prod", "--", "program", "argument"]);
    let secrets = ["DEV_KEY", "PROD_KEY", "DB_TOKEN"].map(|name| (name, format!("{CANARY}-{name}")));
    run(with_secrets(command.envs(secrets), folder.path())).ok();

    let seen = seen(folder.path());
    assert!(seen.contains("argument") && seen.contains(" program was here"), "{seen}");
    let mut found: Vec<&str> = seen.split(['\0', '\n']).filter(|text| text.contains(CANARY)).collect();
    found.sort_unstable();
    assert_eq!(found, ["ANTHROPIC_API_KEY=CANARY-PROD_KEY", "DATABASE_URL=CANARY-DB_TOKEN"]);
}

#[test]
fn a_spy_sees_what_there_is_to_see() {
    let folder = TempDir::new().unwrap();
    spy(folder.path(), "git", "");
    let mut told = Command::new(folder.path().join("git"));
    assert!(
        told.arg(format!("{CANARY}-argument"))
            .env("KEY", format!("{CANARY}-variable"))
            .status()
            .unwrap()
            .success()
    );
    let seen = seen(folder.path());
    assert!(seen.contains("CANARY-argument") && seen.contains("KEY=CANARY-variable"), "{seen}");
}

/// Ends `command` the way a crash does, with cores allowed as far as the system goes; says whether one was written.
fn dumps(command: &str) -> bool {
    let folder = TempDir::new().unwrap();
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", &format!("ulimit -c unlimited; exec {command}")]).current_dir(folder.path());
    shell.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = Running::start(&mut shell);
    // Its first word says that it is up.
    running.stdout().read_exact(&mut [0]).unwrap();
    running.signal(Signal::ABORT);
    let status = running.child().wait().unwrap();
    assert_eq!(status.signal(), Some(6), "{status:?}");
    let files = fs::read_dir(folder.path()).unwrap().count();
    status.core_dumped() || files > 0
}

#[test]
fn a_crash_leaves_no_memory_behind() {
    let program = env!("CARGO_BIN_EXE_claudectl");
    let control = dumps("/bin/sh -c 'echo ready; exec sleep 60'");
    assert!(control, "this system writes no cores: this shows nothing");
    assert!(!dumps(&format!("{program} mock")));
}

#[test]
fn a_secret_is_written_from_standard_input_and_never_told() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("key");
    let reference = format!("file:{}", path.display());
    let write = |verb: &str, input: &str| {
        run_with_input(&mut claudectl(["secrets", verb, &reference]), input.as_bytes())
    };
    write("rotate", "CANARY-one").failed(1, "there is no secret to replace");
    assert_eq!(write("put", "CANARY-one").ok(), "Stored.\n");
    assert_eq!(fs::read_to_string(&path).unwrap(), "CANARY-one");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    write("rotate", "CANARY-one").failed(1, "the secret that is there already");
    let mut rotate = claudectl(["secrets", "rotate", &reference, "--json"]);
    let rotated = run_with_input(&mut rotate, b"CANARY-two\n");
    assert_eq!(rotated.status, Some(0), "{rotated:?}");
    assert!(rotated.stderr.contains("newline") && !rotated.stdout.contains(CANARY), "{rotated:?}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "CANARY-two");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");

    for (input, advice) in
        [("", "is empty"), ("CANARY\nCANARY", "newline inside"), ("CANARY\t", "control character")]
    {
        write("put", input).failed(1, advice);
    }
    write("put", &"x".repeat(70_000)).failed(1, "too large");
    let mode = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    mode(0o666);
    write("put", "CANARY-three").failed(1, "chmod 600");
    assert_eq!(fs::read_to_string(&path).unwrap(), "CANARY-two", "what was refused changed nothing");
    // One that all can only read is replaced, unless it is a file of another kind.
    mode(0o644);
    let replaced = write("rotate", "CANARY-three");
    assert_eq!((replaced.status, replaced.stdout.as_str()), (Some(0), "Replaced.\n"));
    assert!(replaced.stderr.contains("others could read what was there"), "{replaced:?}");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    fs::write(&path, "some\ntext\n").unwrap();
    mode(0o644);
    write("put", "CANARY-four").failed(1, "chmod 600");
    assert_eq!(fs::read_to_string(&path).unwrap(), "some\ntext\n");
    // What could not be read afterwards is not written.
    fs::remove_file(&path).unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    write("put", "CANARY-five").failed(1, "chmod go-w");
    assert!(!path.exists());
    for (reference, advice) in [
        ("env:KEY", "cannot be written here"),
        ("sk-ant-CANARY", "never the secret itself"),
        ("vault:a#b", "VAULT_ADDR is not set"),
    ] {
        run_with_input(&mut claudectl(["secrets", "put", reference]), b"CANARY-x").failed(1, advice);
    }
}
