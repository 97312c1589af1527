//! What the end of an attempt says about the server.

use crate::{
    ErrorKind, TimeoutKind,
    layers::{Class, Outcome, Strain},
};

/// What an outcome says about the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::layers) enum Health {
    Up,
    Down,
    /// Nothing: it was this side that failed, or gave up.
    Unknown,
}

impl Health {
    pub(in crate::layers) fn of(class: Class, outcome: Outcome<'_>) -> Self {
        let error = match outcome {
            Outcome::Response { head, .. } => {
                let is_down = class == Class::AfterDelay(Strain::Failing) && head.status.is_server_error();
                return if is_down { Self::Down } else { Self::Up };
            }
            Outcome::Error(error) | Outcome::Opening { error } => error,
        };
        match (class, error.kind()) {
            (_, ErrorKind::Timeout(TimeoutKind::Total)) => Self::Unknown,
            (Class::AfterDelay(Strain::Failing) | Class::Ambiguous, _) => Self::Down,
            _ => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_server_failed_at_counts() {
        let response = |status: u16| {
            let (head, ()) = http::Response::builder().status(status).body(()).unwrap().into_parts();
            let outcome =
                Outcome::Response { head: &head, body: b"", now: std::time::SystemTime::UNIX_EPOCH };
            Health::of(Class::of(&crate::Request::default(), outcome), outcome)
        };
        for (status, health) in
            [(200, Health::Up), (400, Health::Up), (401, Health::Up), (408, Health::Up), (429, Health::Up)]
        {
            assert_eq!(response(status), health, "{status}");
        }
        for status in [500, 503, 504, 529] {
            assert_eq!(response(status), Health::Down, "{status}");
        }
        let error = |kind, reach| {
            let error = crate::Error::bare(kind, reach);
            let outcome = Outcome::Error(&error);
            Health::of(Class::of(&crate::Request::default(), outcome), outcome)
        };
        use crate::Reach::{MaybeSent, NotSent};
        for (kind, reach, health) in [
            (ErrorKind::Connect, NotSent, Health::Down),
            (ErrorKind::Exhausted, NotSent, Health::Unknown),
            (ErrorKind::Dns, NotSent, Health::Down),
            (ErrorKind::Timeout(TimeoutKind::Headers), MaybeSent, Health::Down),
            (ErrorKind::Closed, MaybeSent, Health::Down),
            (ErrorKind::Closed, NotSent, Health::Unknown),
            (ErrorKind::Timeout(TimeoutKind::Total), MaybeSent, Health::Unknown),
            (ErrorKind::Tls, NotSent, Health::Unknown),
            (ErrorKind::Refused, NotSent, Health::Unknown),
        ] {
            assert_eq!(error(kind, reach), health, "{kind:?} {reach:?}");
        }
    }
}
