//! `claudectl secrets`.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::claudectl::{CANARY, Run, claudectl, run, run_with_input};

/// A key as a real one looks, put together here so that none stands in this file.
fn key() -> String {
    format!("sk-ant-{}-{CANARY}-Q7ZK2M9XW4RB8TJ3Q7ZK2M9XW4RB8TJ3", "api03")
}

fn git(folder: &Path, arguments: &[&str]) {
    let mut git = Command::new("git");
    git.arg("-C").arg(folder).args(["-c", "user.name=x", "-c", "user.email=x@example"]).args(arguments);
    git.env_clear().env("HOME", folder);
    let output = git.output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

fn scan(folder: &Path, more: &[&str]) -> Run {
    run(claudectl([&["secrets", "scan"], more].concat()).arg(folder))
}

/// That it finds what is there is tested below.
#[test]
fn no_key_lies_in_the_sources_of_this_workspace() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    assert_eq!(scan(&workspace.join("crates"), &[]).ok(), "");
    assert_eq!(scan(&workspace.join("docs"), &[]).ok(), "");
}

#[test]
fn a_key_in_a_tree_is_found_by_its_place_and_never_shown() {
    let folder = TempDir::new().unwrap();
    let path = folder.path();
    fs::create_dir(path.join("src")).unwrap();
    fs::write(path.join("clean.txt"), "sk-ant-api03-…, AKIA and ghp_ are how keys begin").unwrap();
    scan(&path.join("src"), &[]).failed(1, "nothing to look at");
    let clean = scan(path, &[]);
    assert_eq!(clean.ok(), "");

    fs::write(path.join("src/app.rs"), format!("first\nlet key = \"{}\";\n", key())).unwrap();
    let found = scan(path, &[]);
    found.failed(3, "revoke");
    assert_eq!(found.stdout, format!("{}/src/app.rs:2: Claude API key\n", path.display()));
    assert!(!format!("{found:?}").contains(CANARY));

    let found = scan(path, &["--json"]);
    let places: Value = serde_json::from_str(&found.stdout).unwrap();
    let place = format!("{}/src/app.rs", path.display());
    assert_eq!(places, json!([{ "place": place, "line": 2, "kind": "Claude API key" }]));

    let named = TempDir::new().unwrap();
    fs::write(named.path().join(format!("{}.txt", key())), "nothing").unwrap();
    let found = scan(named.path(), &[]);
    found.failed(3, "revoke");
    assert_eq!(found.stdout, format!("{}/[key].txt:0: Claude API key\n", named.path().display()));
}

#[test]
fn a_key_in_the_place_of_a_name_or_a_path_is_not_repeated_and_makes_no_profile() {
    let home = TempDir::new().unwrap();
    let key = key();
    for arguments in [
        &["profile", "set", &key, "api_key=env:A"][..],
        &["profile", "use", &key],
        &["env", "run", &key, "--", "true"],
        &["secrets", "get", &format!("file:{key}")],
        &["secrets", "get", &format!("command:{key}")],
    ] {
        let told = run(claudectl(arguments).env("HOME", home.path()));
        assert_ne!(told.status, Some(0), "{arguments:?}");
        assert!(!told.stderr.contains(&key) && !told.stdout.contains(&key), "{told:?}");
    }
    assert!(!home.path().join(".config/anthropic/configs").exists());
}

#[test]
fn a_repository_in_another_is_looked_into_with_its_history() {
    let folder = TempDir::new().unwrap();
    let inner = folder.path().join("inner");
    fs::create_dir(&inner).unwrap();
    git(folder.path(), &["init", "-q"]);
    git(&inner, &["init", "-q"]);
    fs::write(inner.join("key"), key()).unwrap();
    git(&inner, &["add", "key"]);
    git(&inner, &["commit", "-q", "-m", "x"]);
    let told = scan(folder.path(), &[]);
    told.failed(3, "1 place looks like a key");
    assert!(told.stdout.contains("inner/key:1"), "{told:?}");
    fs::remove_file(inner.join("key")).unwrap();
    fs::write(folder.path().join("file"), "nothing").unwrap();
    git(&inner, &["commit", "-q", "-a", "-m", "y"]);
    scan(folder.path(), &[]).ok();
    scan(folder.path(), &["--history"]).failed(3, "1 place looks like a key");
}

#[test]
fn a_scan_that_does_not_see_all_is_no_success() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("clean.txt"), "nothing").unwrap();
    // Its first page is nobody's, so that reading fails, for root too.
    let partly = scan(folder.path(), &["/proc/self/mem"]);
    assert_eq!((partly.status, partly.stdout.as_str()), (Some(1), ""));
    assert!(partly.stderr.contains("/proc/self/mem was not looked at"), "{partly:?}");
    assert!(partly.stderr.contains("not everything was looked at; make it readable"), "{partly:?}");
}

#[test]
fn a_key_that_is_typed_where_none_belongs_is_not_repeated() {
    for arguments in
        [&["profile", "set", "prod"][..], &["secrets", "put", "file:x"], &["secrets", "get", "env:X"]]
    {
        let refused = run(&mut claudectl([arguments, &[key().as_str()]].concat()));
        refused.failed(2, "[not shown]");
        assert!(!format!("{refused:?}").contains(CANARY));
    }
    // Behind a scheme too, and of whatever shape.
    let home = TempDir::new().unwrap();
    for (value, advice) in [
        (format!("api_key=env:{}", key()), "there is a key"),
        ("api_key=env:sk-CANARY-of-no-shape".to_owned(), "never the secret itself"),
        ("env.NAME=env:sk-CANARY-of-no-shape".to_owned(), "never the secret itself"),
    ] {
        let mut set = claudectl(["profile", "set", "prod", &value]);
        let refused = run(set.env("HOME", home.path()));
        refused.failed(1, advice);
        assert!(!format!("{refused:?}").contains(CANARY));
    }
    assert!(fs::read_dir(home.path().join(".config/anthropic")).unwrap().next().is_none());
}

/// A secret that looks like nothing is known by its place only.
#[test]
fn what_is_typed_in_the_wrong_place_is_not_repeated_whatever_it_is() {
    let cases: [(&[&str], i32, &str); 14] = [
        (&["secrets", "scan", "CANARY-hunter2"], 1, "cannot read [not shown]"),
        (&["secrets", "get", "file:CANARY-hunter2"], 1, "the file of the file reference does not exist"),
        (&["secrets", "get", "env:CANARY_hunter2"], 1, "the environment variable of the reference"),
        (&["secrets", "get", "command:CANARY-hunter2"], 1, "the program of the command reference"),
        (&["messages", "create", "hi", "--api-key-file", "CANARY-hunter2"], 1, "write the key into one"),
        (&["secrets", "put", "file:x", "CANARY hunter2"], 2, "unexpected argument [not shown]"),
        (&["secrets", "get", "env:X", "CANARY"], 2, "unexpected argument [not shown]"),
        (&["CANARY-hunter2"], 2, "unrecognized subcommand [not shown]"),
        (&["profile", "CANARY"], 2, "unrecognized subcommand [not shown]"),
        (&["profile", "set", "p", "CANARY-hunter2"], 2, "write it as KEY=VALUE"),
        (&["profile", "set", "p", "CANARY=x"], 2, "no member of this name"),
        (&["messages", "create", "hi", "--max-tokens", "CANARY"], 2, "for '--max-tokens <MAX_TOKENS>'"),
        (&["messages", "create", "hi", "--CANARY-x"], 2, "unexpected argument"),
        (&["auth", "login", "--callback-port", "CANARY-hunter2"], 2, "for '--callback-port <PORT>'"),
    ];
    for (arguments, status, advice) in cases {
        let refused = run(&mut claudectl(arguments));
        refused.failed(status, advice);
        assert!(!format!("{refused:?}").contains(CANARY), "{arguments:?}");
    }
    run(&mut claudectl(["profile", "list", "--jsno"])).failed(2, "unexpected argument '--jsno'");
}

/// What a hook or a pipeline goes by is the status, whoever reads what is printed.
#[test]
fn what_was_found_is_a_failure_where_nobody_reads_it_too() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("key"), key()).unwrap();
    for json in [&[][..], &["--json"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut scan = claudectl([&["secrets", "scan"], json].concat());
        run(scan.arg(folder.path()).stdout(writer)).failed(3, "1 place looks like a key");
    }
}

/// What is named is meant; what has no end, or is not a file, is told.
#[test]
fn a_link_that_is_named_is_followed_and_a_pipe_is_no_success() {
    let folder = TempDir::new().unwrap();
    let place = |name: &str| folder.path().join(name);
    fs::write(place("key"), key()).unwrap();
    std::os::unix::fs::symlink(place("key"), place("link")).unwrap();
    std::os::unix::fs::symlink("nowhere", place("dangling")).unwrap();
    let found = scan(&place("link"), &[]);
    found.failed(3, "1 place looks like a key");
    assert_eq!(found.stdout, format!("{}:1: Claude API key\n", place("link").display()));
    scan(&place("dangling"), &[]).failed(1, "cannot read");
    assert!(Command::new("mkfifo").arg(place("pipe")).status().unwrap().success());
    for path in [place("pipe"), "/dev/zero".into()] {
        let told = scan(&path, &[]);
        assert_eq!((told.status, told.stdout.as_str()), (Some(1), ""), "{told:?}");
        assert!(told.stderr.contains("neither file nor folder, was not looked at"), "{told:?}");
    }
}

#[test]
fn what_git_keeps_beside_the_files_is_found_too() {
    let folder = TempDir::new().unwrap();
    let path = folder.path();
    let has = |line: &str| {
        let found = scan(path, &["--history"]);
        assert!(!format!("{found:?}").contains(CANARY));
        found.stdout.lines().filter(|found| found.contains(line)).count()
    };
    git(path, &["init", "-q"]);
    // A name that no commit has any more.
    fs::write(path.join(format!("{}.txt", key())), "nothing").unwrap();
    git(path, &["add", "--all"]);
    git(path, &["commit", "-qm", "one"]);
    fs::write(path.join("clean"), "nothing else").unwrap();
    git(path, &["add", "--all"]);
    git(path, &["commit", "-qm", "two"]);
    fs::remove_file(path.join(format!("{}.txt", key()))).unwrap();
    git(path, &["commit", "-qam", "three"]);
    assert_eq!(scan(path, &[]).ok(), "");
    assert_eq!((has("tree "), has(" [key].txt:0: Claude API key")), (1, 1), "in two trees, and told once");

    git(path, &["remote", "add", "origin", &format!("https://x:{}@git.example/x", key())]);
    assert_eq!((has(".git/config:"), has(".git/logs/HEAD:")), (1, 0));
    git(path, &["update-ref", "-m", &key(), "HEAD", "HEAD~1"]);
    assert_eq!(has(".git/logs/HEAD:"), 1);
}

/// `git replace` shows something else in the place of what is there.
#[test]
fn what_is_staged_is_looked_at_and_not_what_replaces_it() {
    let folder = TempDir::new().unwrap();
    let path = folder.path();
    git(path, &["init", "-q"]);
    fs::write(path.join("app.conf"), key()).unwrap();
    git(path, &["add", "app.conf"]);
    fs::write(path.join("app.conf"), "nothing").unwrap();
    fs::write(path.join("other"), "clean").unwrap();
    git(path, &["add", "other"]);
    git(path, &["replace", &staged(path, "app.conf"), &staged(path, "other")]);
    let found = scan(path, &[]);
    found.failed(3, "1 place looks like a key");
    assert!(found.stdout.contains("app.conf (staged):1"), "{found:?}");
}

/// The id of what is staged of a file.
fn staged(folder: &Path, name: &str) -> String {
    let mut git = Command::new("git");
    let output = git.arg("-C").arg(folder).args(["rev-parse", &format!(":{name}")]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_damaged_store_of_git_is_told_with_what_to_do() {
    let folder = TempDir::new().unwrap();
    let path = folder.path();
    git(path, &["init", "-q"]);
    // Given piece by piece, as what is large is, and nothing that shrinks: so the end is missed after the beginning was given.
    let mut state = 1_u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state.to_be_bytes()[0]
    })
    .take(1 << 18)
    .collect();
    fs::write(path.join("noise"), noise).unwrap();
    git(path, &["add", "noise"]);
    git(path, &["config", "core.bigFileThreshold", "1k"]);
    let id = staged(path, "noise");
    let object = path.join(".git/objects").join(&id[..2]).join(&id[2..]);
    let bytes = fs::read(&object).unwrap();
    fs::remove_file(&object).unwrap();
    fs::write(&object, &bytes[..bytes.len() / 2]).unwrap();
    let told = scan(path, &["--history"]);
    told.failed(1, "run `git fsck`");
    assert!(told.stderr.contains(&format!("git cannot read blob {id} to its end")), "{told:?}");
}

#[test]
fn what_git_ignores_is_left_out_and_what_it_remembers_is_found() {
    let folder = TempDir::new().unwrap();
    let path = folder.path();
    git(path, &["init", "-q"]);
    fs::write(path.join(".gitignore"), ".env\n").unwrap();
    fs::write(path.join(".env"), key()).unwrap();
    fs::write(path.join("app.conf"), format!("key = {}\n", key())).unwrap();
    git(path, &["add", "app.conf", ".gitignore"]);
    git(path, &["commit", "-qm", "all of it"]);
    git(path, &["rm", "-q", "app.conf"]);
    git(path, &["commit", "-qm", "without"]);
    assert_eq!(scan(path, &[]).ok(), "", "the tree is clean");

    let found = scan(path, &["--history"]);
    found.failed(3, "revoke");
    assert!(
        found.stdout.starts_with("blob ") && found.stdout.ends_with(" app.conf:1: Claude API key\n"),
        "{found:?}"
    );
    assert_eq!(found.stdout.lines().count(), 1);
    assert!(!format!("{found:?}").contains(CANARY));

    // A branch that is gone, and the message of a commit, are in the store all the same.
    git(path, &["checkout", "-qb", "side"]);
    git(path, &["commit", "-qm", &key(), "--allow-empty"]);
    git(path, &["checkout", "-q", "-"]);
    git(path, &["branch", "-qD", "side"]);
    let found = scan(path, &["--history"]);
    assert!(
        found.stdout.lines().any(|line| line.starts_with("commit ") && line.ends_with(": Claude API key"))
    );
    assert!(!format!("{found:?}").contains(CANARY));

    let no_repository = TempDir::new().unwrap();
    scan(no_repository.path(), &["--history"]).failed(1, "name a folder of a git repository");
}

/// What is about to be committed counts, though the file in the tree is another by now; and names of branches and tags.
#[test]
fn what_is_staged_is_found_and_so_is_a_key_in_the_name_of_a_branch() {
    let folder = TempDir::new().unwrap();
    let path = folder.path();
    git(path, &["init", "-q"]);
    fs::write(path.join("app.conf"), format!("a\nkey = {}\n", key())).unwrap();
    fs::write(path.join("gone.conf"), format!("key = {}\n", key())).unwrap();
    git(path, &["add", "app.conf", "gone.conf"]);
    let place = |name: &str| path.join(name).display().to_string();
    let found = scan(path, &[]);
    let both = format!("{}:2: Claude API key\n{}:1: Claude API key\n", place("app.conf"), place("gone.conf"));
    assert_eq!(found.stdout, both, "what is the same in both is told once");

    fs::write(path.join("app.conf"), "nothing\n").unwrap();
    fs::remove_file(path.join("gone.conf")).unwrap();
    let found = scan(path, &[]);
    found.failed(3, "revoke");
    let mut lines: Vec<&str> = found.stdout.lines().collect();
    lines.sort_unstable();
    let staged = |name, line| format!("{} (staged):{line}: Claude API key", place(name));
    assert_eq!(lines, [staged("app.conf", 2), staged("gone.conf", 1)]);

    git(path, &["add", "--all"]);
    git(path, &["commit", "-qm", "clean", "--allow-empty"]);
    git(path, &["branch", &key()]);
    assert_eq!(scan(path, &[]).ok(), "");
    let found = scan(path, &["--history"]);
    assert!(found.stdout.lines().any(|line| line == "refs/heads/[key]:0: Claude API key"), "{found:?}");
    assert!(!format!("{found:?}").contains(CANARY));
}

#[test]
fn a_key_in_utf_16_is_found_on_its_line() {
    let folder = TempDir::new().unwrap();
    let text = format!("\u{feff}first\r\n[string]$key = \"{}\"\r\n", key());
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    fs::write(folder.path().join("app.ps1"), bytes).unwrap();
    let found = scan(folder.path(), &[]);
    found.failed(3, "revoke");
    assert_eq!(found.stdout, format!("{}/app.ps1:2: Claude API key\n", folder.path().display()));
}

/// A report goes into logs.
#[test]
fn a_reference_with_a_key_in_it_is_not_repeated_in_a_report() {
    let folder = TempDir::new().unwrap();
    let reference = format!("file:{}", folder.path().join(key()).display());
    for (write, secret) in [("put", &b"CANARY-1"[..]), ("rotate", b"CANARY-2")] {
        let report = run_with_input(&mut claudectl(["secrets", write, &reference, "--json"]), secret);
        assert!(report.ok().contains("[key]"), "{report:?}");
    }
}

#[test]
fn a_secret_is_got_by_its_reference_and_a_value_in_its_place_is_not_repeated() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("key");
    fs::write(&path, "s3cret\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let get = |reference: &str| run(claudectl(["secrets", "get", reference]).env("KEY", "from here"));
    let got = get(&format!("file:{}", path.display()));
    assert_eq!(got.stdout, "s3cret\n");
    assert_eq!(got.stderr.matches("a newline or a byte order mark").count(), 1, "{got:?}");
    assert_eq!(get("env:KEY").ok(), "from here\n");
    assert_eq!(get("command:echo 'two words'").ok(), "two words\n");

    let mounted = folder.path().join("mounted");
    std::os::unix::fs::symlink(&path, &mounted).unwrap();
    assert_eq!(get(&format!("mount:{}", mounted.display())).stdout, "s3cret\n");
    get(&format!("file:{}", mounted.display())).failed(1, "links are not followed");
    assert!(Command::new("mkfifo").arg(folder.path().join("pipe")).status().unwrap().success());
    let pipe = get(&format!("mount:{}", folder.path().join("pipe").display()));
    pipe.failed(1, "is not a regular file: name the file itself");
    assert!(!pipe.stderr.contains("link"), "{pipe:?}");

    get(&key()).failed(1, "never the secret itself");
    get("env:OTHER").failed(1, "the environment variable OTHER does not exist");
    get("vault:secret/data/claude#key").failed(1, "VAULT_ADDR is not set");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    get(&format!("file:{}", path.display())).failed(1, "chmod 600");
}
