//! Who a session belongs to.

use std::{fmt::Write as _, time::SystemTime};

use claude_sdk::auth_core::Snapshot;
use jiff::Timestamp;
use serde::Serialize;

use crate::console::plain;

/// What the server said about a session when it was begun; it may have said nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Who {
    pub(crate) account_email: Option<String>,
    pub(crate) organization_name: Option<String>,
    pub(crate) organization_uuid: Option<String>,
    pub(crate) workspace_name: Option<String>,
    pub(crate) workspace_id: Option<String>,
    pub(crate) scope: Option<String>,
    /// In Unix seconds.
    pub(crate) expires_at: Option<u64>,
}

impl Who {
    pub(crate) fn of(session: &Snapshot) -> Self {
        let said = |object: &str, member: &str| session.extra.get(object)?.get(member)?.as_str().map(plain);
        let since = session.expires_at.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
        Self {
            account_email: said("account", "email_address"),
            organization_name: said("organization", "name"),
            organization_uuid: said("organization", "uuid"),
            workspace_name: said("workspace", "name"),
            workspace_id: said("workspace", "id"),
            scope: session.scopes.as_ref().map(|scopes| plain(&scopes.to_string())),
            expires_at: since.map(|since| since.as_secs()),
        }
    }

    /// For a sentence that begins with "Logged in".
    pub(crate) fn as_whom(&self) -> String {
        let mut text = String::new();
        if let Some(email) = &self.account_email {
            let _ = write!(text, " as {email}");
        }
        if let Some(name) = self.organization_name.as_ref().or(self.organization_uuid.as_ref()) {
            let _ = write!(text, " at {name}");
        }
        text
    }
}

/// A name with its identifier behind it, or whichever of the two there is.
pub(crate) fn named(name: Option<&String>, id: Option<&String>) -> Option<String> {
    match (name, id) {
        (Some(name), Some(id)) => Some(format!("{name} ({id})")),
        (one, other) => one.or(other).cloned(),
    }
}

/// A time for a person: absolute, and from `now`.
pub(crate) fn when(seconds: u64, now: SystemTime) -> String {
    let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let shown = i64::try_from(seconds).ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    let shown = shown.map_or_else(|| format!("second {seconds}"), |time| time.to_string());
    match seconds.checked_sub(now) {
        Some(left) => format!("{shown}, in {}", about(left)),
        None => format!("{shown}, {} ago", about(now - seconds)),
    }
}

/// Whether a time has come.
pub(crate) fn is_over(seconds: u64, now: SystemTime) -> bool {
    now.duration_since(SystemTime::UNIX_EPOCH).is_ok_and(|now| now.as_secs() >= seconds)
}

/// A duration in its two largest units.
pub(crate) fn about(seconds: u64) -> String {
    let parts = [
        (seconds / 86_400, "d"),
        (seconds / 3600 % 24, "h"),
        (seconds / 60 % 60, "min"),
        (seconds % 60, "s"),
    ];
    let from_the_first = parts.iter().skip_while(|(count, _)| *count == 0);
    let shown =
        from_the_first.take(2).filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count} {unit}"));
    let shown = shown.collect::<Vec<_>>().join(" ");
    if shown.is_empty() { "0 s".to_owned() } else { shown }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_duration_is_told_in_its_two_largest_units() {
        for (seconds, told) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3599, "59 min 59 s"),
            (28_799, "7 h 59 min"),
            (86_400, "1 d"),
            (90_000, "1 d 1 h"),
            (86_460, "1 d"),
        ] {
            assert_eq!(about(seconds), told);
        }
    }

    #[test]
    fn a_time_is_told_absolutely_and_from_now() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_900_000_000);
        assert_eq!(when(1_900_003_600, now), "2030-03-17T18:46:40Z, in 1 h");
        assert_eq!(when(1_899_999_999, now), "2030-03-17T17:46:39Z, 1 s ago");
        assert!(when(u64::MAX, now).starts_with("second 18446744073709551615, in 2135039823"));
    }
}
