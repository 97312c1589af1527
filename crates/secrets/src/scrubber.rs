//! Secrets that are alive, taken out of what is about to be shown.

use std::{
    borrow::Cow,
    fmt,
    io::Write,
    sync::{Arc, PoisonError, RwLock},
};

use crate::Secret;

#[cfg(feature = "scrubber-layer")]
mod layer;
mod needle;
mod spelling;
mod writer;

#[cfg(feature = "scrubber-layer")]
pub use layer::Scrubbed;
use needle::{Needle, Reach};
pub use writer::Scrubbing;

/// What stands in the place of a secret.
const MARK: &str = "[redacted]";

/// The shortest secret that is watched for, in bytes: shorter ones are parts of common words.
const SHORTEST: usize = 8;

/// How many secrets are watched for; the oldest is forgotten for a newer one.
const MOST: usize = 256;

/// A register of the secrets that are alive, which takes them out of texts: errors, and the lines of a log.
///
/// It is the last net, below types that cannot be printed: other crates, servers that repeat what they were sent, and
/// programs that one starts know nothing of those types. A secret is found as it is, whatever the case of its letters; with
/// any of its characters escaped as JSON, Rust, percent encoding or HTML do, twice by the same too; in hexadecimal, in base64 and
/// base64url at any offset, and as the numbers of its bytes. Half a long secret is taken for a secret.
///
/// Clones share one register. It holds the newest 256 secrets, of which each is wiped from memory when it is forgotten.
/// Secrets of less than eight bytes are not watched for, and of one longer than 4 KiB its beginning is.
///
/// ```
/// use secrets::{Scrubber, Secret};
///
/// let scrubber = Scrubber::new();
/// scrubber.watch(&Secret::from("pa55word/for=all".to_owned()));
/// assert_eq!(scrubber.scrub("GET /?key=pa55word%2Ffor%3Dall"), "GET /?key=[redacted]");
/// ```
///
/// # In a log
///
/// With the feature `scrubber-layer`, `Scrubber::layer` wraps any layer of a `tracing_subscriber`, which then sees events and
/// spans without secrets. [`writer`](Self::writer) is for whatever writes, `tracing_subscriber`'s `fmt` among it:
///
/// ```
/// # let scrubber = secrets::Scrubber::new();
/// let lines = scrubber.clone();
/// let subscriber = tracing_subscriber::fmt().with_writer(move || lines.writer(std::io::stderr()));
/// # tracing::subscriber::with_default(subscriber.finish(), || tracing::info!("all is well"));
/// ```
#[derive(Clone, Default)]
pub struct Scrubber(Arc<RwLock<Register>>);

/// The needles of each secret, the oldest first, and which of them begin with a byte.
#[derive(Default)]
struct Register {
    secrets: Vec<Vec<Needle>>,
    begins: Vec<Vec<(usize, usize)>>,
}

impl Scrubber {
    /// A register of nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Watches for `secret` from now on; `false` where it is too short for that.
    #[expect(clippy::must_use_candidate, reason = "what is too short for it is no reason to stop")]
    pub fn watch(&self, secret: &Secret) -> bool {
        self.watch_text(secret.expose())
    }

    fn watch_text(&self, secret: &str) -> bool {
        if secret.len() < SHORTEST {
            return false;
        }
        let needles = needle::all(secret);
        let mut register = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let known = register.secrets.iter().position(|known| known.first() == needles.first());
        if let Some(known) = known {
            let newest = register.secrets.remove(known);
            register.secrets.push(newest);
        } else {
            register.secrets.push(needles);
        }
        if register.secrets.len() > MOST {
            register.secrets.remove(0);
        }
        register.sort();
        true
    }

    /// The text without the secrets.
    #[must_use]
    pub fn scrub<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.scrub_bytes(text.as_bytes()) {
            Cow::Borrowed(_) => Cow::Borrowed(text),
            // Whole characters were taken out of it.
            Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
        }
    }

    /// The bytes without the secrets.
    #[must_use]
    pub fn scrub_bytes<'a>(&self, text: &'a [u8]) -> Cow<'a, [u8]> {
        let mut scrubbed = Vec::new();
        let mut copied = 0;
        let register = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut at = 0;
        while at < text.len() {
            match register.at(text, at).end {
                Some(end) => {
                    scrubbed.extend_from_slice(text.get(copied..at).unwrap_or_default());
                    scrubbed.extend_from_slice(MARK.as_bytes());
                    (at, copied) = (end, end);
                }
                None => at += 1,
            }
        }
        if copied == 0 && scrubbed.is_empty() {
            return Cow::Borrowed(text);
        }
        scrubbed.extend_from_slice(text.get(copied..).unwrap_or_default());
        Cow::Owned(scrubbed)
    }

    /// The error and its causes as one text without the secrets.
    #[must_use]
    pub fn describe(&self, error: &(dyn std::error::Error + 'static)) -> String {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            text = format!("{text}: {error}");
            cause = error.source();
        }
        self.scrub(&text).into_owned()
    }

    /// A writer that passes on to `inner` what it is given, without the secrets, however the writes split them.
    #[must_use]
    pub fn writer<W: Write>(&self, inner: W) -> Scrubbing<W> {
        Scrubbing::new(self.clone(), inner)
    }

    /// From where on `text` may be the beginning of a secret that goes on behind it, after the last whole one.
    fn unfinished(&self, text: &[u8]) -> usize {
        let register = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut at = 0;
        while at < text.len() {
            match register.at(text, at) {
                Reach { open: true, .. } => return at,
                Reach { end: Some(end), .. } => at = end,
                Reach { end: None, .. } => at += 1,
            }
        }
        text.len()
    }
}

impl Register {
    fn sort(&mut self) {
        self.begins = vec![Vec::new(); 256];
        for (secret, needles) in self.secrets.iter().enumerate() {
            for (needle, one) in needles.iter().enumerate() {
                for byte in one.begins() {
                    if let Some(begins) = self.begins.get_mut(usize::from(byte)) {
                        begins.push((secret, needle));
                    }
                }
            }
        }
    }

    /// The longest secret that begins at a place.
    fn at(&self, text: &[u8], at: usize) -> Reach {
        let byte = text.get(at).copied().unwrap_or_default();
        let candidates = self.begins.get(usize::from(byte)).map(Vec::as_slice).unwrap_or_default();
        let mut reach = Reach { end: None, open: false };
        for &(secret, needle) in candidates {
            let Some(needle) = self.secrets.get(secret).and_then(|needles| needles.get(needle)) else {
                continue;
            };
            let one = needle.reach(text, at);
            reach = Reach { end: reach.end.max(one.end), open: reach.open || one.open };
        }
        reach
    }
}

impl fmt::Debug for Scrubber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let register = self.0.read().unwrap_or_else(PoisonError::into_inner);
        write!(f, "Scrubber({} secrets)", register.secrets.len())
    }
}
