//! The leak oracle: what a test logs, prints or leaves in files is searched for secrets, in every form they may take.
//!
//! The secrets of a [`MockServer`](crate::MockServer) all have [`WORD`] in them; others are found once they are
//! [watched](watch). A find in a log ends the process, and with it the test, because a panic within a log line may be
//! caught by the code under test.
//!
//! ```
//! use mock_server::leaks;
//!
//! leaks::listen(); // from here on, whatever is logged at TRACE is searched
//! assert_eq!(leaks::find("all is well"), None);
//! assert!(leaks::find("sent Authorization: Bearer sk-ant-oat01-CANARY…").is_some());
//! assert!(leaks::find("body 43414e415259").is_some(), "in hexadecimal");
//! ```

#[cfg(target_os = "linux")]
mod memory;

use std::{
    fmt, fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process,
    sync::{
        LazyLock, Once, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD},
};
use serde_json::Value;
use tracing_subscriber::fmt::format::FmtSpan;

#[cfg(target_os = "linux")]
pub use memory::Masked;

/// What every secret of the mock server has in it.
pub const WORD: &str = "CANARY";

/// How much of the beginning of a secret that is watched gives it away.
const PREFIX: usize = 12;

/// What is looked for, as [`dense`] leaves it.
static NEEDLES: LazyLock<RwLock<Vec<String>>> = LazyLock::new(|| RwLock::new(needles(WORD)));
/// Whether finds are planted: they are counted then, and do not end the process.
static PLANTING: AtomicBool = AtomicBool::new(false);
static FOUND: AtomicUsize = AtomicUsize::new(0);
static SEARCHED: AtomicUsize = AtomicUsize::new(0);

/// The ways in which a secret may show up: as it is, in lower case, reversed, escaped as JSON, Rust, URLs and forms do it, in
/// hexadecimal, in base64 and base64url at any of the three places where it may begin, as numbers, in UTF-16.
#[must_use]
pub fn forms(secret: &str) -> Vec<String> {
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let percent = |byte: u8| match byte {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    let wide: String = secret.chars().flat_map(|letter| [letter, '\0']).collect();
    let mut forms = vec![
        secret.to_owned(),
        secret.to_ascii_lowercase(),
        secret.chars().rev().collect(),
        hex.to_uppercase(),
        hex,
        secret.bytes().map(percent).collect(),
        url::form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
        Value::from(secret).to_string().trim_matches('"').to_owned(),
        format!("{secret:?}").trim_matches('"').to_owned(),
        format!("{:?}", secret.as_bytes()).trim_matches(['[', ']']).to_owned(),
        Value::from(&*wide).to_string().trim_matches('"').to_owned(),
        format!("{wide:?}").trim_matches('"').to_owned(),
        wide,
    ];
    // Inside a longer text the encoding begins at any of three places, and its edges belong to the neighbours.
    for (before, skipped) in [("", 0), ("x", 2), ("xx", 3)] {
        for engine in [BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD] {
            let encoded = engine.encode(format!("{before}{secret}"));
            let inside = encoded.get(skipped..encoded.len() - 1);
            forms.extend(inside.map(str::to_owned));
        }
    }
    forms
}

/// Has a secret of somebody else's found too, and whatever begins with its first twelve characters.
pub fn watch(secret: &str) {
    let beginning: String = secret.chars().take(PREFIX).collect();
    // Less than that is in many an innocent text.
    if beginning.len() >= PREFIX {
        NEEDLES.write().unwrap_or_else(PoisonError::into_inner).extend(needles(&beginning));
    }
}

/// The first line that holds a secret, or the whole text where one is spread over lines.
#[must_use]
pub fn find(text: impl AsRef<[u8]>) -> Option<String> {
    search(&String::from_utf8_lossy(text.as_ref()), &NEEDLES.read().unwrap_or_else(PoisonError::into_inner))
}

/// As [`find`], for one of these secrets and none besides.
#[must_use]
pub fn find_one_of(secrets: &[&str], text: &str) -> Option<String> {
    search(text, &secrets.iter().flat_map(|secret| needles(secret)).collect::<Vec<_>>())
}

fn search(text: &str, needles: &[String]) -> Option<String> {
    let found = |text: &str| {
        let dense = dense(text);
        needles.iter().any(|needle| dense.contains(needle.as_str()))
    };
    found(text).then(|| text.lines().find(|line| found(line)).unwrap_or(text).to_owned())
}

/// The files below a folder that hold a secret and could be read by others than their owner, or cannot be looked at.
#[must_use]
pub fn open_files(folder: &Path) -> Vec<PathBuf> {
    let (mut folders, mut open) = (vec![folder.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let (path, Ok(metadata)) = (entry.path(), entry.metadata()) else { continue };
            if metadata.is_dir() {
                folders.push(path);
            } else if metadata.is_file()
                && is_open(&metadata)
                && fs::read(&path).map_or(true, |content| find(content).is_some())
            {
                open.push(path);
            }
        }
    }
    open
}

#[cfg(unix)]
fn is_open(metadata: &fs::Metadata) -> bool {
    std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o077 != 0
}

#[cfg(not(unix))]
fn is_open(_: &fs::Metadata) -> bool {
    true
}

/// Searches all that is logged from now on, at TRACE, by whatever thread has no subscriber of its own.
///
/// Where a program has a subscriber already, nothing is searched.
pub fn listen() {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| {
        let subscriber =
            tracing_subscriber::fmt().with_max_level(tracing_subscriber::filter::LevelFilter::TRACE);
        let subscriber = subscriber.with_span_events(FmtSpan::FULL).with_ansi(false);
        drop(subscriber.with_writer(|| Ear).try_init());
    });
}

/// Searches what another program has printed for secrets of the mock server, as if it were logged here. Those that are only
/// watched may be its own, which it may print.
pub fn heard(text: impl AsRef<[u8]>) {
    told(find_one_of(&[WORD], &String::from_utf8_lossy(text.as_ref())));
}

fn told(found: Option<String>) {
    SEARCHED.fetch_add(1, Ordering::SeqCst);
    if let Some(found) = found {
        end(format_args!("a secret was logged: {found}"));
    }
}

/// Ends the test where one of the [open files](open_files) of its folder holds a secret.
pub fn left_in(folder: &Path) {
    SEARCHED.fetch_add(1, Ordering::SeqCst);
    if let Some(path) = open_files(folder).first() {
        end(format_args!("others can read a secret in {}", path.display()));
    }
}

fn end(why: fmt::Arguments<'_>) {
    FOUND.fetch_add(1, Ordering::SeqCst);
    if !PLANTING.load(Ordering::SeqCst) {
        drop(writeln!(io::stderr(), "{why}"));
        process::abort();
    }
}

/// How many texts were searched so far: that a test has heard anything at all.
#[must_use]
pub fn searched() -> usize {
    SEARCHED.load(Ordering::SeqCst)
}

/// What is logged in `work` may hold secrets, for it is planted; in how many texts one was found.
pub fn planted(work: impl FnOnce()) -> usize {
    let before = FOUND.load(Ordering::SeqCst);
    PLANTING.store(true, Ordering::SeqCst);
    work();
    PLANTING.store(false, Ordering::SeqCst);
    FOUND.load(Ordering::SeqCst) - before
}

fn needles(secret: &str) -> Vec<String> {
    forms(secret).iter().map(|form| dense(form)).collect()
}

/// Without blanks, line ends, the zeros of UTF-16 and backslashes, so that what is spread over lines or escaped more than
/// once is found.
fn dense(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_whitespace() && !matches!(letter, '\0' | '\\')).collect()
}

/// Is written each event as a whole.
struct Ear;

impl Write for Ear {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        told(find(event));
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_planted_is_found_in_every_form() {
        assert_eq!(find("nothing, and canaries in can airy"), None);
        let wide: Vec<u8> = WORD.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(find([b"a", &*wide, b"b"].concat()).is_some(), "UTF-16");
        assert!(find(format!("{:#?}", WORD.as_bytes())).is_some(), "one number to a line");
        assert!(find("first\nCAN\nARY").is_some() && find("C A N\r\n  ARY").is_some(), "spread");
        for form in forms(WORD) {
            assert_eq!(find(format!("a\nb x{form}y\nc")), Some(format!("b x{form}y")));
            assert!(find(format!("{:?}", format!("{form:?}"))).is_some(), "{form}, escaped twice");
        }
        for before in ["", "1", "12"] {
            let encoded = BASE64_STANDARD_NO_PAD.encode(format!("{before}-{WORD}-secret"));
            assert!(find(&encoded).is_some(), "{encoded}");
        }
    }

    #[test]
    fn a_watched_secret_is_found_by_its_first_twelve_characters() {
        let text = "it says 7Yk+/=%&\\\"3q, and then no more";
        assert_eq!(find(text), None);
        watch("7Yk+/=%&\\\"3q-and-a-lot-that-is-cut");
        assert_eq!(find(text).as_deref(), Some(text));
        for form in forms("7Yk+/=%&\\\"3q") {
            assert!(find(&form).is_some(), "{form}");
        }
        watch("short");
        assert_eq!(find("short"), None, "it would be found everywhere");
    }

    #[test]
    fn a_line_of_another_program_counts_as_a_log() {
        let before = searched();
        assert_eq!(planted(|| heard("all is well")), 0);
        assert_eq!(planted(|| heard("key sk-ant-CANARY")), 1);
        assert!(searched() >= before + 2);
    }

    /// reqwest and rustls log through the crate `log`.
    #[test]
    fn both_kinds_of_logs_are_heard() {
        listen();
        assert!(planted(|| log::trace!("sent {WORD}")) > 0);
        assert!(planted(|| tracing::trace!("sent {WORD}")) > 0);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_with_a_secret_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        let below = folder.path().join("below");
        fs::create_dir(&below).unwrap();
        let write = |name: &str, text: &str, mode| {
            let path = below.join(name);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            path
        };
        write("private", WORD, 0o600);
        write("harmless", "x", 0o644);
        assert!(open_files(folder.path()).is_empty());
        assert_eq!(planted(|| left_in(folder.path())), 0);
        let open = write("open", WORD, 0o640);
        assert_eq!(open_files(folder.path()), [open]);
        assert_eq!(planted(|| left_in(folder.path())), 1);
    }
}
