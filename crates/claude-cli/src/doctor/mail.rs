//! Why a verification mail does not arrive at a company's address, as far as the company's DNS can tell.

use std::net::SocketAddr;

use super::Finding;

mod address;
mod gateways;
mod records;
mod servers;

pub(super) use address::Address;
use records::{Records, Unanswered};

const RECEIVES: &str = "receives mail";
const ASK_ANOTHER: &str =
    "check this machine's network and try again, or ask another server with --dns-server 9.9.9.9:53";
/// Where the service's mails come from. What is before the `@` is random, so only the domain can be let in.
const SENDER: &str = "mail.anthropic.com";
/// What a company may have to let in besides, for invitations, receipts and notices.
const OTHER_SENDER: &str = "anthropic.com";

/// What the domain of `address` says about its mail.
pub(super) async fn look(address: &Address, server: Option<SocketAddr>) -> anyhow::Result<Vec<Finding>> {
    let records = Records::of(server)?;
    let (theirs, ours) = tokio::join!(receiving(&records, address.domain()), sending(&records));
    Ok(theirs.into_iter().chain(ours).collect())
}

/// Whether the domain can receive at all, and who filters what it receives.
async fn receiving(records: &Records, domain: &str) -> Vec<Finding> {
    // Side by side, for a DNS server that is silent is so to every question.
    let (servers, spf, addresses) =
        tokio::join!(records.mx(domain), records.txt(domain), records.addresses(domain));
    let servers = match servers {
        Ok(servers) => servers,
        Err(Unanswered::NoDomain) => {
            let next = "check the address: whatever is sent there comes back";
            return vec![Finding::problem(RECEIVES, format!("there is no domain {domain}"), next)];
        }
        Err(Unanswered::Failed(why)) => {
            let evidence = format!("the DNS does not answer about {domain}: {why}");
            return vec![Finding::problem(RECEIVES, evidence, ASK_ANOTHER)];
        }
    };
    if servers.iter().any(String::is_empty) {
        let evidence = format!("{domain} says that it takes no mail (a null MX, RFC 7505)");
        return vec![Finding::problem(RECEIVES, evidence, "use another address")];
    }
    let mut findings = Vec::new();
    if servers.is_empty() {
        if addresses.is_ok_and(|addresses| addresses.is_empty()) {
            let evidence = format!("{domain} has no mail server (no MX record) and no address");
            return vec![Finding::problem(
                RECEIVES,
                evidence,
                "use another address, or have the domain's MX set up",
            )];
        }
        let evidence = format!("{domain} has no MX record; senders try its own address, and some do not");
        findings.push(Finding::warning(RECEIVES, evidence, "have an MX record set up"));
    } else {
        findings.push(servers::look(records, domain, &servers).await);
    }
    findings.push(gateways::look(&servers, &spf.unwrap_or_default()));
    findings
}

/// What the service says of its own mails, by which a receiver tells them from forged ones.
async fn sending(records: &Records) -> Vec<Finding> {
    const SENDER_CHECK: &str = "the sender";
    let [its_own, inherited] = [SENDER, OTHER_SENDER].map(|domain| format!("_dmarc.{domain}"));
    let (spf, its_own, inherited) =
        tokio::join!(records.txt(SENDER), records.txt(&its_own), records.txt(&inherited));
    let policy = match its_own {
        Ok(texts) if texts.iter().any(|text| is_dmarc(text)) => Ok(texts),
        _ => inherited,
    };
    let spf = spf.map(|texts| texts.into_iter().find(|text| text.to_ascii_lowercase().starts_with("v=spf1")));
    let policy = policy.map(|texts| texts.into_iter().find(|text| is_dmarc(text)));
    let told = match (spf, policy) {
        (Ok(Some(spf)), Ok(Some(policy))) => format!("{SENDER} publishes {spf:?} and {policy:?}"),
        (Ok(Some(spf)), _) => format!("{SENDER} publishes {spf:?}, and no DMARC policy was found"),
        (Ok(None), _) => {
            let evidence =
                format!("no SPF record of {SENDER} was found, by which its mails are told from forged ones");
            let next =
                "the DNS server that was asked may know too little: ask another with --dns-server 9.9.9.9:53";
            return vec![Finding::warning(SENDER_CHECK, evidence, next)];
        }
        (Err(Unanswered::NoDomain), _) => {
            let evidence = format!("the DNS server that was asked does not know {SENDER} either");
            let next = "it does not know the internet: ask another with --dns-server 9.9.9.9:53";
            return vec![Finding::problem(SENDER_CHECK, evidence, next)];
        }
        (Err(Unanswered::Failed(why)), _) => return vec![Finding::skipped(SENDER_CHECK, why, ASK_ANOTHER)],
    };
    vec![Finding::ok(SENDER_CHECK, told)]
}

fn is_dmarc(text: &str) -> bool {
    text.to_ascii_lowercase().starts_with("v=dmarc1")
}

/// A text to send to whoever runs the company's mail.
pub(super) fn letter(address: &Address) -> String {
    format!(
        "
To the administrator of the mail, ready to send:

  Subject: Please let mail from {SENDER} through

  Sign-in mails of Claude (Anthropic) do not arrive at {address}. Could you please

  1. search the message trace and the quarantine for mail from {SENDER} to this address,
     and tell me what became of it;
  2. allow the sender domains {SENDER} and {OTHER_SENDER}, with the rule that the mail
     passes DKIM or SPF for them. Please allow the domain and no single address: what is before
     the @ differs from mail to mail;
  3. leave the links in these mails as they are (no rewriting, no opening ahead of the reader):
     a link works once and for a few minutes;
  4. keep greylisting from delaying them for longer than that.

If your side shows no trace of the mail, the service may have stopped sending to the address after an
earlier one came back: ask https://support.claude.com to lift that, or use another address.
"
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tokio::net::UdpSocket;

    use super::*;

    /// A DNS server that says of everything that it does not exist, once it was asked so many different questions.
    async fn patient(socket: UdpSocket, questions: usize) {
        let mut asked = BTreeMap::new();
        let mut packet = [0; 512];
        while asked.len() < questions {
            let (length, from) = socket.recv_from(&mut packet).await.unwrap();
            // The head, then the name and what is asked of it (RFC 1035 section 4.1); what follows is an option.
            let name = packet[12..length].iter().position(|byte| *byte == 0).unwrap();
            let end = 12 + name + 5;
            let mut answer = packet[..end].to_vec();
            answer[2..4].copy_from_slice(&[0x81, 0x83]);
            answer[10..12].copy_from_slice(&[0, 0]);
            asked.insert(packet[12..end].to_ascii_lowercase(), (answer, from));
        }
        for (answer, from) in asked.into_values() {
            socket.send_to(&answer, from).await.unwrap();
        }
    }

    #[tokio::test]
    async fn all_questions_are_asked_before_the_first_one_is_answered() {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let server = socket.local_addr().unwrap();
        // Mail servers, texts and both kinds of address of the domain; a text of the sender, and two policies.
        let server_of_all = tokio::spawn(patient(socket, 7));
        let ann = Address::parse("ann@corp.example").unwrap();
        let found = look(&ann, Some(server)).await.unwrap();
        let evidence: Vec<_> = found.iter().map(|one| one.evidence.as_str()).collect();
        let unknown = "the DNS server that was asked does not know mail.anthropic.com either";
        assert_eq!(evidence, ["there is no domain corp.example", unknown]);
        server_of_all.await.unwrap();
    }

    #[test]
    fn the_letter_names_the_domain_and_no_single_sender() {
        let letter = letter(&Address::parse("ann@corp.example").unwrap());
        assert!(letter.contains("ann@corp.example") && letter.contains(SENDER));
        assert!(!letter.contains("@mail.anthropic.com"));
        assert!(letter.lines().all(|line| line.len() <= 104));
    }
}
