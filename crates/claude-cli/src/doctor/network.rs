//! The way to the API, link by link: a proxy, a name, a connection, and what answers there.

use std::{net::SocketAddr, time::Duration};

use claude_sdk::{
    secrets::providers::Env,
    transport::{Clock as _, SystemClock},
};
use url::Url;

use super::{Finding, answer, proxy, tls};

/// How long each link may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);
/// Where a proxy is.
pub(super) type HostPort = (String, u16);

/// Everything up to the first broken link.
pub(super) async fn look(base_url: &Url, env: &Env) -> Vec<Finding> {
    let (mut findings, proxy) = proxy::look(base_url, env);
    if findings.iter().any(Finding::is_problem) {
        return findings;
    }
    let api =
        (base_url.host_str().unwrap_or_default().to_owned(), base_url.port_or_known_default().unwrap_or(443));
    let (host, port) = proxy.clone().unwrap_or(api);
    // Who is not reached may be the proxy, and not the API.
    let of_a_proxy = proxy.as_ref().and(proxy::named(env)).map(|(name, _)| {
        format!("this is the proxy that {name} names: mend it there, or unset {name} if you need no proxy")
    });
    let judged = |finding: Finding| match &of_a_proxy {
        Some(next) if finding.is_problem() => Finding { next_step: Some(next.clone()), ..finding },
        _ => finding,
    };
    match addresses(&host, port).await {
        Ok((finding, addresses)) => {
            findings.push(finding);
            findings.push(judged(connect(&host, &addresses).await));
        }
        Err(finding) => findings.push(judged(finding)),
    }
    if !findings.iter().any(Finding::is_problem) {
        findings.extend(answer::look(base_url, env).await);
    }
    if !findings.iter().any(Finding::blocks) {
        findings.extend(tls::look(base_url, proxy.as_ref(), tls::browsers()).await);
    }
    findings
}

async fn addresses(host: &str, port: u16) -> Result<(Finding, Vec<SocketAddr>), Finding> {
    const DNS: &str = "dns";
    let next = "check the name, this machine's connection, and its DNS servers";
    // An IPv6 address has brackets in a URL and none here.
    let name = host.trim_matches(['[', ']']);
    let found = within(tokio::net::lookup_host((name, port))).await;
    let found: Vec<_> = match found {
        None => {
            let evidence = format!("no answer about {host} within {} s", PATIENCE.as_secs());
            return Err(Finding::problem(DNS, evidence, "check this machine's DNS servers"));
        }
        Some(Err(error)) => {
            return Err(Finding::problem(DNS, format!("{host} has no address: {error}"), next));
        }
        Some(Ok(found)) => found.collect(),
    };
    if found.is_empty() {
        return Err(Finding::problem(DNS, format!("{host} has no address"), next));
    }
    let told: Vec<_> = found.iter().take(4).map(|address| address.ip().to_string()).collect();
    Ok((Finding::ok(DNS, format!("{host} is {}", told.join(", "))), found))
}

async fn connect(host: &str, addresses: &[SocketAddr]) -> Finding {
    const TCP: &str = "tcp";
    let mut last = String::new();
    for address in addresses.iter().take(4) {
        match within(tokio::net::TcpStream::connect(address)).await {
            Some(Ok(_)) => return Finding::ok(TCP, format!("{address} takes connections")),
            Some(Err(error)) => last = format!("{address} for {host}: {error}"),
            None => last = format!("{address} for {host} is silent"),
        }
    }
    let next = "check the host and the port; a firewall may only let a proxy out (HTTPS_PROXY)";
    Finding::problem(TCP, last, next)
}

pub(super) async fn within<T>(work: impl Future<Output = T>) -> Option<T> {
    in_time(PATIENCE, work).await
}

pub(super) async fn in_time<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        done = work => Some(done),
        () = SystemClock.sleep(limit) => None,
    }
}
