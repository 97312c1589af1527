//! Targets in the form that reqwest asks for.

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

use ::reqwest::Url;
use http::{
    Uri,
    uri::{Authority, PathAndQuery},
};

use crate::{Error, ErrorKind, Reach};

/// Parses targets, and remembers the last: nearly all calls of a client go to one, and parsing it would cost as much as all
/// our layers do.
#[derive(Default)]
pub(super) struct Targets(Mutex<Option<(Uri, Url)>>);

impl Targets {
    pub(super) fn url(&self, uri: &Uri) -> Result<Url, Error> {
        if let Some((_, url)) = self.last().as_ref().filter(|(last, _)| is_same(last, uri)) {
            return Ok(url.clone());
        }
        let url = Url::parse(&uri.to_string())
            .map_err(|error| Error::new(ErrorKind::InvalidRequest, Reach::NotSent, error).with_target(uri))?;
        *self.last() = Some((uri.clone(), url.clone()));
        Ok(url)
    }

    fn last(&self) -> MutexGuard<'_, Option<(Uri, Url)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether both are written the same: the standard's own way compares hosts letter by letter, without regard to case.
fn is_same(one: &Uri, other: &Uri) -> bool {
    one.scheme() == other.scheme()
        && one.authority().map(Authority::as_str) == other.authority().map(Authority::as_str)
        && one.path_and_query().map(PathAndQuery::as_str) == other.path_and_query().map(PathAndQuery::as_str)
}

/// Says nothing of the target, whose query may hold anything.
impl fmt::Debug for Targets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Targets")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_target_is_parsed_as_if_it_were_the_first() {
        let targets = Targets::default();
        let cases = [
            ("https://a.example/v1?x=1", "https://a.example/v1?x=1"),
            ("https://a.example/v1?x=1", "https://a.example/v1?x=1"),
            ("https://A.example/v1?x=1", "https://a.example/v1?x=1"),
            ("https://a.example/V1?x=1", "https://a.example/V1?x=1"),
            ("https://a.example/v1?x=2", "https://a.example/v1?x=2"),
            ("https://a.example:444/v1?x=2", "https://a.example:444/v1?x=2"),
            ("http://a.example:444/v1?x=2", "http://a.example:444/v1?x=2"),
            ("https://b.example", "https://b.example/"),
        ];
        for (uri, url) in cases {
            assert_eq!(targets.url(&uri.parse().unwrap()).unwrap().as_str(), url);
        }
    }

    #[test]
    fn what_is_no_url_is_refused_and_not_remembered() {
        let targets = Targets::default();
        for _ in 0..2 {
            let error = targets.url(&"/v1/messages".parse().unwrap()).unwrap_err();
            assert_eq!((error.kind(), error.reach()), (ErrorKind::InvalidRequest, Reach::NotSent));
        }
    }
}
