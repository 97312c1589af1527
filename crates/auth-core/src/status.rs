use std::fmt;

use http::StatusCode;

/// A status for people to read; one that HTTP has no name for, such as 529, is its number alone.
pub(crate) struct Shown(pub(crate) StatusCode);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.as_u16())?;
        self.0.canonical_reason().map_or(Ok(()), |reason| write!(f, " {reason}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_without_a_name_is_a_number() {
        let shown = [503, 529].map(|code| Shown(StatusCode::from_u16(code).unwrap()).to_string());
        assert_eq!(shown, ["503 Service Unavailable", "529"]);
    }
}
