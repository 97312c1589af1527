use std::fmt;

/// What a call has been through, which every result and error tells: how many attempts were made, and the name of the last
/// one that was answered.
///
/// Example: [`Error`](crate::Error).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Envelope {
    pub(crate) request_id: Option<String>,
    pub(crate) attempts: u32,
}

impl Envelope {
    /// The service's name for the last attempt that it answered.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// How many attempts were made.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// How many times the request was sent again.
    #[must_use]
    pub fn retries_taken(&self) -> u32 {
        self.attempts.saturating_sub(1)
    }
}

impl fmt::Display for Envelope {
    /// The tail of an error's text: ` (request req_1, attempt 2)`, or nothing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.request_id, self.attempts) {
            (Some(id), n) if n > 1 => write!(f, " (request {id}, attempt {n})"),
            (Some(id), _) => write!(f, " (request {id})"),
            (None, n) if n > 1 => write!(f, " (attempt {n})"),
            (None, _) => Ok(()),
        }
    }
}
