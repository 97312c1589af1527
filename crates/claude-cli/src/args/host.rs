//! Names and addresses of machines, as they are typed.

use std::{
    fmt,
    net::{Ipv6Addr, SocketAddr},
    str::FromStr,
};

use url::Host;

/// The port of time servers (RFC 5905).
const SNTP: u16 = 123;

/// A time server.
#[derive(Clone, Debug, PartialEq)]
pub struct TimeServer {
    typed: String,
    /// Without brackets, and a name as DNS knows it.
    pub host: String,
    /// Where it is asked.
    pub port: u16,
}

impl FromStr for TimeServer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let usage = || {
            "write a name or an address, with a port where it is not 123, such as time.cloudflare.com, 192.0.2.1:1123 or \
             [2001:db8::1]:1123"
                .to_owned()
        };
        let (name, port) = parts(text).ok_or_else(usage)?;
        let host = host(name).ok_or_else(usage)?.to_string();
        let host = host.trim_matches(['[', ']']).to_owned();
        Ok(Self { typed: text.to_owned(), host, port })
    }
}

impl fmt::Display for TimeServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.typed)
    }
}

/// Who is meant, and at which port.
fn parts(text: &str) -> Option<(&str, u16)> {
    if host(text).is_some() {
        return Some((text, SNTP));
    }
    let (name, port) = text.rsplit_once(':')?;
    // The last colon of an IPv6 address is a part of it, unless that is in brackets.
    let is_apart = !name.contains(':') || name.ends_with(']');
    let port = port.parse().ok().filter(|port| *port != 0)?;
    is_apart.then_some((name, port))
}

/// A name that a machine can have, or an address; IPv6 with brackets or without.
pub(super) fn host(text: &str) -> Option<Host> {
    let text = text.parse::<Ipv6Addr>().map_or_else(|_| text.to_owned(), |address| format!("[{address}]"));
    let is_of_a_label = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
    let is_name = |name: &str| {
        name.strip_suffix('.')
            .unwrap_or(name)
            .split('.')
            .all(|label| !label.is_empty() && label.chars().all(is_of_a_label))
    };
    match Host::parse(&text).ok()? {
        Host::Domain(name) => (is_name(&name) && !text.contains('%')).then_some(Host::Domain(name)),
        address => Some(address),
    }
}

/// An address with its port.
pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| "write an IP address and a port, such as 127.0.0.1:9464 or [::1]:9464".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_server_is_a_name_or_an_address_and_may_have_a_port() {
        for (text, host, port) in [
            ("time.cloudflare.com", "time.cloudflare.com", 123),
            ("time.example:1123", "time.example", 1123),
            ("192.0.2.1", "192.0.2.1", 123),
            ("192.0.2.1:1123", "192.0.2.1", 1123),
            ("2001:db8::1", "2001:db8::1", 123),
            ("[2001:db8::1]", "2001:db8::1", 123),
            ("[::1]:1123", "::1", 1123),
        ] {
            let server: TimeServer = text.parse().unwrap();
            assert_eq!((&*server.host, server.port, &*server.to_string()), (host, port, text));
        }
        for wrong in [
            "", "*", "x:y:z", ":123", "x:", "x:0", "x:99999", "[::1]:", "[::1", "::1]:5", "a b", "a..b",
            "ntp://x", "x/y",
        ] {
            let told = wrong.parse::<TimeServer>().unwrap_err();
            assert!(told.starts_with("write a name or an address"), "{wrong}");
        }
    }
}
