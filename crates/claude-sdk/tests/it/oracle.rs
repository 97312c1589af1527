//! The leak oracle: whatever any test of this suite makes this crate and those below it log, at TRACE, is searched for the
//! secrets of the mock server. A find ends the process, whose test fails by that.

use std::{
    io::{self, Write},
    sync::{
        LazyLock, Once,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use tracing_subscriber::fmt::format::FmtSpan;

use crate::redaction::{WORD, forms};

/// Whether finds are planted: they are counted then, and do not end the process.
static PLANTING: AtomicBool = AtomicBool::new(false);
static FOUND: AtomicUsize = AtomicUsize::new(0);
/// How many lines were searched.
static SEARCHED: AtomicUsize = AtomicUsize::new(0);

static NEEDLES: LazyLock<Vec<String>> = LazyLock::new(|| forms(WORD));

/// Searches all that is logged from now on, by whatever thread has no subscriber of its own.
pub fn listen() {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| {
        let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE);
        let subscriber =
            subscriber.with_span_events(FmtSpan::FULL).with_ansi(false).with_writer(|| Ear).finish();
        tracing::subscriber::set_global_default(subscriber).unwrap();
    });
}

/// Is written each event as a whole.
struct Ear;

impl Write for Ear {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        SEARCHED.fetch_add(1, Ordering::Relaxed);
        let text = String::from_utf8_lossy(event);
        if NEEDLES.iter().any(|needle| text.contains(needle.as_str())) {
            FOUND.fetch_add(1, Ordering::SeqCst);
            if !PLANTING.load(Ordering::SeqCst) {
                drop(writeln!(io::stderr(), "a secret was logged: {text}"));
                std::process::abort();
            }
        }
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn what_is_planted_is_found_in_every_form_and_in_every_place() {
    listen();
    PLANTING.store(true, Ordering::SeqCst);
    let encoded = ["", "1", "12"].map(|before| BASE64_STANDARD.encode(format!("{before}-{WORD}-secret")));
    for form in NEEDLES.iter().cloned().chain(encoded) {
        let places: [fn(&str); 4] = [
            |text| tracing::trace!(header = text, "sent"),
            |text| tracing::trace!("sent {text}"),
            |text| tracing::info_span!("call", key = text).in_scope(|| ()),
            |text| std::thread::scope(|scope| drop(scope.spawn(|| tracing::error!(error = ?text)))),
        ];
        for (place, log) in places.iter().enumerate() {
            let before = FOUND.load(Ordering::SeqCst);
            log(&format!("Bearer x{form}y"));
            assert!(FOUND.load(Ordering::SeqCst) > before, "{form} in place {place}");
        }
    }
    let (found, searched) = (FOUND.load(Ordering::SeqCst), SEARCHED.load(Ordering::SeqCst));
    tracing::trace!("nothing");
    assert_eq!((FOUND.load(Ordering::SeqCst), SEARCHED.load(Ordering::SeqCst)), (found, searched + 1));
}
