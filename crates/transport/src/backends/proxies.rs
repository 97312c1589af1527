//! Whether the environment sends anything at all through a proxy.

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;

/// Whether there is a proxy, and `NO_PROXY` leaves something to it.
///
/// A `*` there is taken by the matcher for all names and for no IP address, and by curl, Go and whoever writes it for all hosts. So a
/// name is asked for that no list has: only `*` keeps it from the proxy.
pub(super) fn are_used(proxies: &Matcher) -> bool {
    const ANY: [&str; 2] = ["http://a-name-that-no-list-has", "https://a-name-that-no-list-has"];
    ANY.into_iter().any(|uri| proxies.intercept(&Uri::from_static(uri)).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn are_used_but_for(list: &str) -> bool {
        are_used(&Matcher::builder().https("http://proxy.example:3128").no(list).build())
    }

    #[test]
    fn only_a_star_leaves_nothing_to_a_proxy() {
        assert!(["", "example", "127.0.0.1,0.0.0.0/0", "*.example"].into_iter().all(are_used_but_for));
        assert!(!["*", " * ", "localhost, *"].into_iter().any(are_used_but_for));
        assert!(!are_used(&Matcher::builder().build()));
    }
}
