//! Secrets in a real keyring (gnome-keyring), on a message bus of the test's own.

use std::{
    fs::{self, File},
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use e2e::Process;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

const COLLECTION: &str = "/org/freedesktop/secrets/collection/login";

/// A session: a home, a bus, and a keyring that is unlocked.
struct Session {
    folder: TempDir,
    keyring: Option<Process>,
    _bus: Process,
}

impl Session {
    /// A session without a keyring.
    fn without_keyring() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = format!("unix:path={}", folder.path().join("bus").display());
        let settings = format!(
            r#"<busconfig><type>session</type><listen>{address}</listen><auth>EXTERNAL</auth>
            <policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/>
            <allow own="*"/></policy></busconfig>"#
        );
        fs::write(folder.path().join("bus.conf"), settings).unwrap();
        // A file, for the daemon reads its standard input to the end.
        fs::write(folder.path().join("password"), "password-canary").unwrap();
        let mut bus = Command::new("dbus-daemon");
        bus.env_clear().args(["--nofork", "--print-address", "--config-file"]);
        let mut bus = Process::start({
            bus.arg(folder.path().join("bus.conf"));
            bus
        })
        .unwrap();
        bus.wait_for("unix:path=", Duration::from_secs(30)).unwrap();
        Self { folder, keyring: None, _bus: bus }
    }

    fn start() -> Self {
        let mut this = Self::without_keyring();
        this.start_keyring();
        this
    }

    fn start_keyring(&mut self) {
        let script =
            "exec gnome-keyring-daemon --foreground --components=secrets --unlock < \"$HOME/password\"";
        let mut keyring = self.command("sh");
        keyring.args(["-c", script]);
        self.keyring = Some(Process::start(keyring).unwrap());
        // The bus knows nobody by that name at first, and says so at once.
        let is_up = || {
            let asked = ["/org/freedesktop/secrets", "org.freedesktop.Secret.Service.ReadAlias"];
            let answer = self.bus_call(&[asked[0], asked[1], "string:default"]);
            String::from_utf8_lossy(&answer.stdout).contains(COLLECTION)
        };
        assert!((0..2000).any(|_| is_up()), "the keyring does not come up");
    }

    /// A program in this session, which knows nothing of any other.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let home = self.folder.path();
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", home).env("XDG_RUNTIME_DIR", home);
        command.env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", home.join("bus").display()));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn bus_call(&self, words: &[&str]) -> Output {
        let mut send = self.command("dbus-send");
        send.args(["--session", "--print-reply", "--dest=org.freedesktop.secrets"]).args(words);
        send.output().unwrap()
    }

    fn lock(&self) {
        let objects = format!("array:objpath:{COLLECTION}");
        let answer = self.bus_call(&[
            "/org/freedesktop/secrets",
            "org.freedesktop.Secret.Service.Lock",
            objects.as_str(),
        ]);
        assert!(answer.status.success(), "{answer:?}");
    }

    /// `claudectl`, and what else the program of the tests does.
    fn does(&self, words: &[&str]) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_keyring"));
        command.args(words);
        command
    }

    fn run(&self, words: &[&str]) -> String {
        told(&self.does(words).output().unwrap())
    }

    fn with_input(&self, mut command: Command, input: &str) -> String {
        let path: PathBuf = self.folder.path().join("input");
        fs::write(&path, input).unwrap();
        told(&command.stdin(File::open(path).unwrap()).output().unwrap())
    }

    fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.keyring.as_ref().unwrap().id()).unwrap();
        kill_process(Pid::from_raw(id).unwrap(), signal).unwrap();
    }

    /// Asks for the secret in every way; each has to end with `why` and show no secret.
    fn refuses(&self, why: &str) {
        for words in [&["secrets", "get", "keyring:claude/prod"][..], &["chain"]] {
            let told = self.run(words);
            assert!(told.contains("the keyring entry claude/prod") && told.contains(why), "{why}: {told}");
            assert!(!told.contains("canary") && !told.contains("weaker"), "{told}");
        }
    }
}

fn told(output: &Output) -> String {
    let text = |raw: &[u8]| String::from_utf8_lossy(raw).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

#[test]
fn a_real_keyring_keeps_the_contracts() {
    assert_eq!(Session::start().run(&["contract"]), "kept\n");
}

#[test]
fn claudectl_reads_writes_replaces_and_checks_what_other_programs_see_too() {
    let session = Session::start();
    let write = |verb: &str, secret: &str| {
        session.with_input(session.does(&["secrets", verb, "keyring:claude/prod"]), secret)
    };
    let get = || session.run(&["secrets", "get", "keyring:claude/prod"]);
    let tool = |words: &[&str]| {
        let mut tool = session.command("secret-tool");
        tool.args(words);
        tool
    };
    assert!(get().contains("does not exist"));
    assert!(write("rotate", "canary-1").contains("there is no secret to replace"));
    assert_eq!(write("put", "canary-1"), "Stored.\n");
    assert_eq!(get(), "canary-1\n");
    assert!(write("rotate", "canary-1").contains("there already"));
    assert_eq!(write("rotate", "canary-2"), "Replaced.\n");
    assert_eq!(get(), "canary-2\n");
    let lookup = tool(&["lookup", "service", "claude", "username", "prod"]).output().unwrap();
    assert_eq!(told(&lookup), "canary-2");

    let stored = tool(&["store", "--label=Claude", "service", "claude", "username", "test"]);
    assert_eq!(session.with_input(stored, "canary-3"), "");
    assert_eq!(session.run(&["secrets", "get", "keyring:claude/test"]), "canary-3\n");

    for (profile, reference) in [("prod", "keyring:claude/prod"), ("dev", "keyring:claude/dev")] {
        let key = format!("api_key={reference}");
        let set = session.does(&["profile", "set", profile, &key]).output().unwrap();
        assert!(set.status.success(), "{set:?}");
    }
    let check = |profile: &str| session.does(&["env", "check", profile]).output().unwrap();
    assert!(check("prod").status.success(), "{:?}", check("prod"));
    let dev = check("dev");
    assert!(!dev.status.success() && told(&dev).contains("keyring:claude/dev"), "{dev:?}");
    assert!(!told(&dev).contains("canary"));
}

#[test]
fn whatever_is_wrong_with_a_keyring_is_an_error_and_a_chain_goes_no_further() {
    let mut session = Session::without_keyring();
    let mut lonely = session.does(&["chain"]);
    lonely.env_remove("DBUS_SESSION_BUS_ADDRESS").env_remove("XDG_RUNTIME_DIR");
    let told_lonely = told(&lonely.output().unwrap());
    assert!(told_lonely.contains("cannot be asked right now"), "no bus: {told_lonely}");
    session.refuses("cannot be asked right now"); // nobody is there who has the name of the service

    session.start_keyring();
    assert_eq!(session.run(&["chain"]), "a weaker secret\n", "a name that is not there is not an error");
    let store = |more: &[&str]| {
        let mut tool = session.command("secret-tool");
        tool.args(["store", "--label=Claude", "service", "claude", "username", "prod"]).args(more);
        assert_eq!(session.with_input(tool, "canary-1"), "");
    };
    store(&[]);
    assert_eq!(session.run(&["chain"]), "canary-1\n");
    session.lock();
    session.refuses("is locked away");

    session.keyring = None;
    session.start_keyring(); // it forgets nothing, and is unlocked again
    assert_eq!(session.run(&["chain"]), "canary-1\n");
    session.signal(Signal::STOP);
    session.refuses("cannot be asked right now");

    // Killed while somebody waits for it.
    let waiting: Child = session.does(&["chain"]).spawn().unwrap();
    session.signal(Signal::KILL);
    let told_late = told(&waiting.wait_with_output().unwrap());
    assert!(told_late.contains("cannot be asked right now"), "{told_late}");

    session.keyring = None;
    session.start_keyring();
    let mut twice = session.command("secret-tool");
    twice.args(["store", "--label=Claude", "service", "claude", "username", "prod", "more", "1"]);
    assert_eq!(session.with_input(twice, "canary-2"), "");
    session.refuses("is there more than once");
    let home = fs::metadata(session.folder.path().join(".local/share/keyrings/login.keyring")).unwrap();
    assert_eq!(home.permissions().mode() & 0o077, 0);
}
