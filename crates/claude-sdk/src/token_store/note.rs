//! The note of a renewal: which refresh token is about to be spent, and by whom.

use std::time::{Duration, SystemTime};

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

/// A note says nothing about the token but which one it is: the hash of 256 random bits gives none of them away.
#[derive(Debug)]
pub(super) struct Note {
    refresh_token_sha256: String,
    /// Who spends it. The number alone may since have gone to another process.
    pub(super) pid: u32,
    process_started: Option<u64>,
    /// When the answer is no longer waited for, in Unix seconds.
    deadline: u64,
}

impl Note {
    pub(super) fn of(token: &SecretString, deadline: SystemTime) -> Self {
        let deadline = deadline.duration_since(SystemTime::UNIX_EPOCH).as_ref().map_or(0, Duration::as_secs);
        Self {
            refresh_token_sha256: hash(token),
            pid: std::process::id(),
            process_started: process_started(),
            deadline,
        }
    }

    /// Reads a note; what is no note is none.
    #[cfg(any(feature = "profile", test))]
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        Self::of_json(&str::from_utf8(bytes).ok()?.parse().ok()?)
    }

    /// As [`parse`](Self::parse), of JSON that was read.
    pub(super) fn of_json(note: &Value) -> Option<Self> {
        Some(Self {
            refresh_token_sha256: note.get("refresh_token_sha256")?.as_str()?.to_owned(),
            pid: note.get("pid")?.as_u64()?.try_into().ok()?,
            process_started: note.get("process_started").and_then(Value::as_u64),
            deadline: note.get("deadline")?.as_u64()?,
        })
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "refresh_token_sha256": self.refresh_token_sha256,
            "pid": self.pid,
            "process_started": self.process_started,
            "deadline": self.deadline,
        })
    }

    #[cfg(any(feature = "profile", test))]
    pub(super) fn render(&self) -> Vec<u8> {
        format!("{}\n", self.json()).into_bytes()
    }

    pub(super) fn names(&self, token: &SecretString) -> bool {
        self.refresh_token_sha256 == hash(token)
    }
}

fn hash(token: &SecretString) -> String {
    hmac_sha256::Hash::hash(token.expose_secret().as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// When this process started, in ticks since the system did: field 22 of proc(5), after a name that may hold anything.
fn process_started() -> Option<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_names_its_token_and_does_not_hold_it() {
        let token = SecretString::from("canary-refresh-token");
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_030);
        let bytes = Note::of(&token, at).render();
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert!(!text.contains("canary"), "{text}");
        assert!(text.contains("1800000030"), "{text}");

        let note = Note::parse(&bytes).unwrap();
        assert!(note.names(&token) && !note.names(&"another".into()));
        assert_eq!(note.pid, std::process::id());
        #[cfg(target_os = "linux")]
        assert!(note.process_started.is_some_and(|ticks| ticks > 0));
    }

    #[test]
    fn what_is_no_note_is_none() {
        for text in ["", "{}", "[1]", "{\"refresh_token_sha256\": 7}", "\0"] {
            assert!(Note::parse(text.as_bytes()).is_none(), "{text}");
        }
    }
}
