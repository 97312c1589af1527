//! The proxy that a call would go through, as the environment says.

use claude_sdk::secrets::providers::Env;
use http::{Uri, uri::Authority};
use hyper_util::client::proxy::matcher::Matcher;
use url::Url;

use super::{Finding, network::HostPort};
use crate::console::has_secrets;

const PROXY: &str = "proxy";

/// What is to be said, and the host and the port of the proxy if there is one.
pub(super) fn look(base_url: &Url, env: &Env) -> (Vec<Finding>, Option<HostPort>) {
    let except = first(env, ["NO_PROXY", "no_proxy"]);
    // Nothing but loopback is asked in clear, and never by way of a proxy.
    let (Some((name, value)), true) = (named(env), base_url.scheme() == "https") else {
        return (vec![Finding::ok(PROXY, "none")], None);
    };
    let mut matcher = Matcher::builder().all(value.clone());
    if let Some((_, except)) = &except {
        matcher = matcher.no(except.clone());
    }
    let Ok(uri) = base_url.as_str().parse() else { return (Vec::new(), None) };
    // As for a call: the matcher alone takes `*` for names only, and not for addresses.
    let is_for_all = except.as_ref().is_some_and(|(_, list)| list.split(',').any(|host| host.trim() == "*"));
    let Some(intercept) = matcher.build().intercept(&uri).filter(|_| !is_for_all) else {
        let is_meant = except.is_some() && Matcher::builder().all(value).build().intercept(&uri).is_some();
        return match (is_meant, except) {
            (true, Some((except, _))) => {
                (vec![Finding::ok(PROXY, format!("none for this host, as {except} says"))], None)
            }
            _ => {
                let next = "write it like http://proxy.example:3128";
                (vec![Finding::problem(PROXY, format!("{name} is no address of a proxy"), next)], None)
            }
        };
    };
    let proxy = intercept.uri();
    let (host, port) = (proxy.host().unwrap_or_default(), proxy.port_u16());
    // Whoever is asked where that is would read it.
    if has_secrets(host) {
        let next = format!(
            "write {name} like http://proxy.example:3128, and replace the key if it was one: each call asks the DNS for it"
        );
        let evidence = format!("{name} has a key where the proxy's name belongs [not shown]");
        return (vec![Finding::problem(PROXY, evidence, next)], None);
    }
    // What is behind the last colon may be half of a password that somebody has not escaped: it is not shown.
    if port.is_none_or(|port| port == 0) && has_port(proxy) {
        let evidence =
            format!("the port that {name} gives for the proxy {host} is none: there are 1 to 65535");
        let next = format!(
            "write {name} like http://proxy.example:3128, or http://user:password@proxy.example:3128"
        );
        return (vec![Finding::problem(PROXY, evidence, next)], None);
    }
    let port = port.unwrap_or(if proxy.scheme_str() == Some("https") { 443 } else { 80 });
    let user =
        if intercept.basic_auth().is_some() || intercept.raw_auth().is_some() { ", with a user" } else { "" };
    let finding = Finding::ok(PROXY, format!("{host}:{port}, by {name}{user}"));
    (vec![finding], Some((host.to_owned(), port)))
}

/// Whether there is anything in the place of a port.
fn has_port(proxy: &Uri) -> bool {
    let authority = proxy.authority().map(Authority::as_str).unwrap_or_default();
    let place = authority.rsplit(['@', ']']).next().unwrap_or_default();
    place.split_once(':').is_some_and(|(_, port)| !port.is_empty())
}

/// The variable that names the proxy, and what it says.
pub(super) fn named(env: &Env) -> Option<(&'static str, String)> {
    [["HTTPS_PROXY", "https_proxy"], ["ALL_PROXY", "all_proxy"]]
        .into_iter()
        .find_map(|names| first(env, names).filter(|(_, value)| !value.is_empty()))
}

/// The first that is set, to nothing too: then the second one does not count.
fn first(env: &Env, names: [&'static str; 2]) -> Option<(&'static str, String)> {
    names.into_iter().find_map(|name| Some((name, env.lookup()(name)?.into_string().ok()?)))
}

#[cfg(test)]
mod tests {
    use std::{collections::HashMap, ffi::OsString, sync::Arc};

    use super::{super::Verdict, *};

    fn look_at(url: &str, variables: &[(&str, &str)]) -> (Finding, Option<(String, u16)>) {
        let variables: HashMap<_, _> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), OsString::from(value))).collect();
        let env = Env::new(Arc::new(move |name| variables.get(name).cloned()));
        let (mut findings, proxy) = look(&url.parse().unwrap(), &env);
        (findings.pop().unwrap(), proxy)
    }

    #[test]
    fn the_proxy_is_the_one_that_a_call_would_use_and_its_password_is_not_told() {
        let https = ("HTTPS_PROXY", "http://ann:secret-canary@proxy.corp:3128");
        let (told, proxy) = look_at("https://api.anthropic.com", &[https, ("ALL_PROXY", "http://other")]);
        assert_eq!(told.evidence, "proxy.corp:3128, by HTTPS_PROXY, with a user");
        assert_eq!(proxy, Some(("proxy.corp".to_owned(), 3128)));

        let (told, proxy) = look_at("https://api.anthropic.com", &[https, ("no_proxy", "anthropic.com")]);
        assert_eq!((told.evidence.as_str(), proxy), ("none for this host, as no_proxy says", None));
        assert_eq!(look_at("http://127.0.0.1:1", &[https]).1, None);
        assert_eq!(look_at("https://api.anthropic.com", &[("HTTPS_PROXY", "")]).1, None);
        assert_eq!(
            look_at("https://api.anthropic.com", &[("HTTPS_PROXY", ""), ("https_proxy", https.1)]).1,
            None
        );
    }

    #[test]
    fn a_star_is_every_host_and_addresses_too() {
        let proxy = ("HTTPS_PROXY", "http://proxy.corp:3128");
        for url in ["https://api.anthropic.com", "https://192.0.2.7", "https://[2001:db8::7]"] {
            for list in ["*", "localhost, *"] {
                let (told, proxy) = look_at(url, &[proxy, ("NO_PROXY", list)]);
                assert_eq!((told.evidence.as_str(), proxy), ("none for this host, as NO_PROXY says", None));
            }
            assert!(look_at(url, &[proxy, ("NO_PROXY", ""), ("no_proxy", "*")]).1.is_some(), "{url}");
        }
    }

    #[test]
    fn a_port_that_is_none_is_a_problem_and_the_password_is_not_told() {
        for at in ["127.0.0.1:99999", "127.0.0.1:0", "127.0.0.1:70000/", "[::1]:99999"] {
            for value in [format!("http://bob:CANARY@{at}"), format!("http://{at}")] {
                let (told, proxy) = look_at("https://api.anthropic.com", &[("HTTPS_PROXY", &value)]);
                assert_eq!((told.verdict, proxy), (Verdict::Problem, None), "{value}: {told:?}");
                let host = at.rsplit_once(':').unwrap().0;
                assert!(
                    told.evidence.contains(&format!("HTTPS_PROXY gives for the proxy {host} is none")),
                    "{told:?}"
                );
                assert!(!format!("{told:?}").contains("CANARY"), "{told:?}");
            }
        }
        for (value, port) in
            [("http://127.0.0.1", 80), ("http://[::1]", 80), ("http://bob:CANARY@[::1]:3128", 3128)]
        {
            let (_, proxy) = look_at("https://api.anthropic.com", &[("HTTPS_PROXY", value)]);
            assert_eq!(proxy.map(|(_, port)| port), Some(port), "{value}");
        }
    }

    #[test]
    fn a_key_in_the_place_of_a_proxy_is_a_problem_that_does_not_repeat_it_and_goes_nowhere() {
        let key = format!("sk-ant-{}-{}", "api03", "Zx9-Kq2_".repeat(12));
        for value in
            [key.clone(), key.to_uppercase(), format!("http://{key}:3128"), format!("http://ann:x@{key}")]
        {
            let (told, proxy) = look_at("https://api.anthropic.com", &[("ALL_PROXY", &value)]);
            assert_eq!((told.verdict, proxy), (Verdict::Problem, None), "{told:?}");
            assert!(told.evidence.starts_with("ALL_PROXY has a key where"), "{told:?}");
            assert!(!format!("{told:?}").to_lowercase().contains("sk-ant"), "{told:?}");
        }
        // A password may look like whatever it does: it is for the proxy.
        let with_a_user = format!("http://ann:{key}@proxy.corp:3128");
        let (told, proxy) = look_at("https://api.anthropic.com", &[("HTTPS_PROXY", &with_a_user)]);
        assert_eq!(told.evidence, "proxy.corp:3128, by HTTPS_PROXY, with a user");
        assert!(proxy.is_some());
    }

    #[test]
    fn what_is_no_address_is_a_problem_that_does_not_repeat_it() {
        let (told, _) = look_at("https://api.anthropic.com", &[("HTTPS_PROXY", "://secret-canary")]);
        assert_eq!(told.verdict, Verdict::Problem);
        assert_eq!(told.evidence, "HTTPS_PROXY is no address of a proxy");
    }
}
