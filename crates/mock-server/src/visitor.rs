//! Who may come to `/mock/`: programs of this machine, and no page of somebody else in a browser of it.
//!
//! A name of somebody else can be made to lead to 127.0.0.1 (DNS rebinding): its pages are then of the same origin for the
//! browser, which asks nobody first, but says the name as `Host`.

use http::request::Parts;
use http::uri::Authority;
use http::{HeaderName, header};

/// The names of this machine.
const NAMES: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// Whether the request is for a name of this machine or the server's `own`, and of no page but the server's.
pub(crate) fn is_local(parts: &Parts, own: Option<&str>) -> bool {
    let text = |name: HeaderName| parts.headers.get(name).map(|value| value.to_str().unwrap_or_default());
    // HTTP/2 has it in the URI.
    let told = parts.uri.authority().map(Authority::as_str).or_else(|| text(header::HOST));
    let Some(host) = told.and_then(|told| told.parse::<Authority>().ok()) else { return false };
    let named = |name: &str| host.host().eq_ignore_ascii_case(name);
    let of_page = text(header::ORIGIN).is_some_and(|origin| {
        origin.split_once("://").is_none_or(|(_, page)| !page.eq_ignore_ascii_case(host.as_str()))
    });
    (NAMES.into_iter().any(named) || own.is_some_and(named)) && !of_page
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn comes(uri: &str, headers: &[(&str, &str)]) -> bool {
        let mut request = Request::delete(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        is_local(&request.body(()).unwrap().into_parts().0, Some("own.example"))
    }

    #[test]
    fn programs_of_this_machine_come_in_and_pages_of_others_do_not() {
        for host in ["127.0.0.1", "127.0.0.1:8080", "LOCALHOST:1", "[::1]:8080", "[::1]", "own.example:80"] {
            assert!(comes("/mock/faults", &[("host", host)]), "{host}");
        }
        let foreign =
            ["evil.example", "127.0.0.1.evil.example", "localhost.", "", "a b", "127.0.0.1@evil.example"];
        for host in foreign {
            assert!(!comes("/mock/faults", &[("host", host)]), "{host}");
        }
        assert!(!comes("/mock/faults", &[]));
        // HTTP/2.
        assert!(comes("http://localhost:8080/mock/faults", &[]));
        assert!(!comes("http://evil.example/mock/faults", &[("host", "localhost")]));
    }

    #[test]
    fn a_page_is_the_servers_own() {
        let host = ("host", "localhost:8080");
        assert!(comes("/mock/faults", &[host, ("origin", "http://localhost:8080")]));
        for origin in ["https://evil.example", "null", "", "http://localhost:3000", "http://localhost"] {
            assert!(!comes("/mock/faults", &[host, ("origin", origin)]), "{origin}");
        }
    }
}
