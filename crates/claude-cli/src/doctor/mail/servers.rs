//! Whether a sender finds the mail servers that a domain names: each has to be a name with an address.

use std::net::IpAddr;

use tokio::task::JoinSet;

use super::{super::Finding, RECEIVES, records::Records};

/// Senders give up after a few too.
const FIRST: usize = 8;

/// What is to be said of them; there is at least one.
pub(super) async fn look(records: &Records, domain: &str, servers: &[String]) -> Finding {
    let mut looks = JoinSet::new();
    for (index, server) in servers.iter().take(FIRST).cloned().enumerate() {
        let records = records.clone();
        looks.spawn(async move { (index, fault(&records, &server).await, server) });
    }
    let mut looks = looks.join_all().await;
    looks.sort_by_key(|(index, ..)| *index);
    let count = looks.len();
    let faults: Vec<_> =
        looks.into_iter().filter_map(|(_, fault, server)| Some(format!("{server} {}", fault?))).collect();
    let told = faults.join(", ");
    if faults.is_empty() {
        Finding::ok(RECEIVES, format!("{domain} by {}", servers.join(", ")))
    } else if faults.len() == count {
        let evidence = format!("nobody finds the mail servers of {domain}: {told}");
        Finding::problem(RECEIVES, evidence, "use another address, or have the domain's MX mended")
    } else {
        let evidence = format!("{domain} by {}, of which {told}", servers.join(", "));
        Finding::warning(RECEIVES, evidence, "have the domain's MX mended: some senders try no other")
    }
}

/// Why no mail gets to a server of this name; nothing where the DNS does not say.
async fn fault(records: &Records, server: &str) -> Option<&'static str> {
    if server.parse::<IpAddr>().is_ok() {
        return Some("is an address where a name has to be");
    }
    let addresses = records.addresses(server).await.ok()?;
    let is_here = |address: &IpAddr| address.is_loopback() || address.is_unspecified();
    if addresses.is_empty() {
        Some("has no address")
    } else if addresses.iter().all(is_here) {
        Some("is whoever asks (a loopback address)")
    } else {
        None
    }
}
