//! C36 and G19: which addresses a secret may go to, over addresses that try to look like others.

use std::collections::HashSet;

use auth_core::{Client, DeviceRequest, Metadata, Server};
use url::{Host, Url};

/// The lines of the corpus: whether an address may be used, and the address.
fn corpus() -> Vec<(bool, String)> {
    let lines = include_str!("../cleartext.txt").lines().filter(|line| !line.starts_with('#'));
    let read = |line: &str| {
        let (verdict, address) = line.split_once(" <").unwrap();
        let address = address.strip_suffix('>').unwrap();
        let address = address.replace("\\t", "\t").replace("\\n", "\n").replace("\\u{200b}", "\u{200b}");
        assert!(matches!(verdict, "yes" | "no"), "{line}");
        (verdict == "yes", address.replace("\\\\", "\\"))
    };
    lines.map(read).collect()
}

#[test]
fn the_corpus_has_two_hundred_addresses_each_once() {
    let corpus = corpus();
    let different: HashSet<&String> = corpus.iter().map(|(_, address)| address).collect();
    assert!(different.len() >= 200 && different.len() == corpus.len(), "{}", different.len());
}

#[test]
fn every_endpoint_is_https_or_this_machine_whatever_its_address_looks_like() {
    let server = Server::new("https://auth.example/token".parse().unwrap()).unwrap();
    let client = Client::public("app");
    let mut wrong = Vec::new();
    for (good, address) in corpus() {
        let url = Url::parse(&address);
        let taken = |take: &dyn Fn(Url) -> bool| url.clone().is_ok_and(take);
        let all = [
            taken(&|url| Server::new(url).is_ok()),
            taken(&|url| server.clone().with_authorization_endpoint(url).is_ok()),
            taken(&|url| server.clone().with_revocation_endpoint(url).is_ok()),
            taken(&|url| DeviceRequest::new(&server, &client, url).is_ok()),
        ];
        if all != [good; 4] {
            wrong.push(format!("{address:?}: {all:?}"));
        }
        // An issuer has no query (RFC 8414 section 2).
        if !good && Metadata::locations(&address).is_ok() {
            wrong.push(format!("{address:?} as an issuer"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What is taken without TLS is a loopback address for whoever connects, too.
#[test]
fn an_address_without_tls_is_a_loopback_address_or_localhost_in_the_request_itself() {
    for (_, address) in corpus().into_iter().filter(|(good, _)| *good) {
        let server = Server::new(address.parse().unwrap()).unwrap();
        let (request, _) = auth_core::exchange::refresh(&server, &Client::public("app"), &"r".into());
        if request.uri().scheme_str() == Some("https") {
            continue;
        }
        let host = request.uri().host().unwrap();
        let local = host == "localhost"
            || match Host::parse(host).unwrap() {
                Host::Ipv4(address) => address.is_loopback() && address.to_string() == host,
                Host::Ipv6(address) => address.is_loopback(),
                Host::Domain(_) => false,
            };
        assert!(local, "{address:?} is asked at {host}");
    }
}
