//! What the environment sends through a proxy.

#[cfg(feature = "reqwest")]
use std::net::IpAddr;

use http::Uri;
#[cfg(feature = "reqwest")]
use http::uri::Scheme;
use hyper_util::client::proxy::matcher::Matcher;

/// Whether there is a proxy, and `NO_PROXY` leaves something to it.
///
/// A `*` there is taken by the matcher for all names and for no IP address, and by curl, Go and whoever writes it for all hosts. So a
/// name is asked for that no list has: only `*` keeps it from the proxy.
pub(super) fn are_used(proxies: &Matcher) -> bool {
    const ANY: [&str; 2] = ["http://a-name-that-no-list-has", "https://a-name-that-no-list-has"];
    ANY.into_iter().any(|uri| proxies.intercept(&Uri::from_static(uri)).is_some())
}

/// Why a request for a plain `http` target may not go through the proxy that the environment names: it would lie open to the
/// proxy, and on the way there. One on this machine may see it.
#[cfg(feature = "reqwest")]
pub(super) fn would_see(proxies: &Matcher, target: &Uri) -> Option<&'static str> {
    if target.scheme() != Some(&Scheme::HTTP) {
        return None;
    }
    let proxy = proxies.intercept(target)?;
    let is_here = proxy.uri().host().is_some_and(|host| {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
    });
    (!is_here).then_some(
        "the environment names a proxy on another machine for a plain http target, which would read the request; use \
         https, or add the target to NO_PROXY",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(feature = "reqwest")]
    #[test]
    fn only_a_proxy_on_this_machine_may_see_a_plain_request() {
        let may = |proxy: &str, target: &'static str| {
            let proxies = Matcher::builder().all(proxy).no("direct.example").build();
            would_see(&proxies, &Uri::from_static(target)).is_none()
        };
        let plain = "http://127.0.0.1:8080/";
        for proxy in [
            "http://127.0.0.1:3128",
            "http://[::1]:3128",
            "http://u:p@localhost:3128",
            "socks5://127.9.9.9:1080",
        ] {
            assert!(may(proxy, plain), "{proxy}");
        }
        for proxy in
            ["http://192.0.2.2:3128", "http://localhost.evil.example:1", "socks5://proxy.example:1080"]
        {
            assert!(!may(proxy, plain), "{proxy}");
            assert!(may(proxy, "https://api.example/") && may(proxy, "http://direct.example/"), "{proxy}");
        }
    }

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
