//! Who filters a company's mail, by the names of its mail servers.

use super::{super::Finding, SENDER};

const FILTER: &str = "filter";

/// A product, what its mail servers' names end with, and where its administrator lets a sender in.
struct Gateway {
    product: &'static str,
    suffixes: &'static [&'static str],
    next: &'static str,
}

const GATEWAYS: [Gateway; 12] = [
    Gateway {
        product: "Microsoft 365",
        suffixes: &["mail.protection.outlook.com", "mx.microsoft"],
        next: "Defender portal: message trace and quarantine, then Tenant Allow/Block List",
    },
    Gateway {
        product: "Google Workspace",
        suffixes: &["google.com", "googlemail.com"],
        next: "Admin console: Email Log Search, then Gmail, Spam, approved senders",
    },
    Gateway {
        product: "Proofpoint",
        suffixes: &["pphosted.com", "ppe-hosted.com", "ppops.net"],
        next: "Smart Search and the quarantine, then the organization's safe senders; URL Defense rewrites links",
    },
    Gateway {
        product: "Mimecast",
        suffixes: &["mimecast.com", "mimecast.co.za"],
        next: "Message Center, then a Permitted Senders policy; URL Protect rewrites links",
    },
    Gateway {
        product: "Cisco Secure Email",
        suffixes: &["iphmx.com"],
        next: "Message Tracking, then the allowed sender group",
    },
    Gateway {
        product: "Barracuda",
        suffixes: &["barracudanetworks.com", "cudamail.com"],
        next: "Message Log, then Sender Policies",
    },
    Gateway {
        product: "Trend Micro",
        suffixes: &["trendmicro.com", "trendmicro.eu"],
        next: "Mail Tracking and the quarantine, then Approved Senders",
    },
    Gateway {
        product: "Broadcom (Symantec) Email Security.cloud",
        suffixes: &["messagelabs.com"],
        next: "Track and Trace, then Anti-Spam, approved senders",
    },
    Gateway {
        product: "Sophos Email",
        suffixes: &["sophos.com", "reflexion.net"],
        next: "Message History, then the allow list",
    },
    Gateway {
        product: "Fortinet FortiMail",
        suffixes: &["fortimail.com", "fortimailcloud.com"],
        next: "the history log, then the system safe list",
    },
    Gateway {
        product: "Hornetsecurity",
        suffixes: &["hornetsecurity.com", "antispameurope.com"],
        next: "Email Live Tracking, then the allow list",
    },
    Gateway {
        product: "Zoho Mail",
        suffixes: &["zoho.com", "zoho.eu", "zohomail.com"],
        next: "Admin console: quarantine, then the allowed list",
    },
];

impl Gateway {
    fn has(&self, server: &str) -> bool {
        self.suffixes.iter().any(|suffix| {
            server.strip_suffix(suffix).is_some_and(|before| before.is_empty() || before.ends_with('.'))
        })
    }
}

/// The product by the mail servers' names, and what may stand behind it by the domain's SPF.
pub(super) fn look(servers: &[String], texts: &[String]) -> Finding {
    let find = |name: &str| GATEWAYS.iter().find(|gateway| gateway.has(name));
    let front = servers.iter().find_map(|server| find(server));
    let Some(front) = front else {
        let next = format!("ask who runs the mail servers to search their log for {SENDER}");
        return Finding::warning(
            FILTER,
            "none of the known products; a server of the company's own, it seems",
            next,
        );
    };
    // Who may send for the domain often keeps its mailboxes too.
    let spf = texts.iter().find(|text| text.to_ascii_lowercase().starts_with("v=spf1"));
    let included = spf.iter().flat_map(|text| text.split_whitespace());
    let included =
        included.filter_map(|word| word.to_ascii_lowercase().strip_prefix("include:").map(str::to_owned));
    let behind = included.filter_map(|name| match name.as_str() {
        "spf.protection.outlook.com" => Some("Microsoft 365"),
        "_spf.google.com" => Some("Google Workspace"),
        _ => None,
    });
    let behind = behind.filter(|product| *product != front.product).collect::<Vec<_>>();
    let evidence = match behind.first() {
        None => format!("{} filters what comes in", front.product),
        Some(behind) => format!("{} filters what comes in, and {behind} after it, it seems", front.product),
    };
    Finding::warning(FILTER, evidence, format!("let {SENDER} in there: {}", front.next))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(servers: &[&str], spf: &str) -> Finding {
        let servers: Vec<_> = servers.iter().map(|server| (*server).to_owned()).collect();
        look(&servers, &["google-site-verification=x".to_owned(), spf.to_owned()])
    }

    #[test]
    fn a_product_is_known_by_the_end_of_a_servers_name_and_by_nothing_else() {
        for (server, product) in [
            ("corp-example.mail.protection.outlook.com", "Microsoft 365"),
            ("aspmx.l.google.com", "Google Workspace"),
            ("mx0a-00123401.pphosted.com", "Proofpoint"),
            ("eu-smtp-inbound-1.mimecast.com", "Mimecast"),
            ("mx1.corp.iphmx.com", "Cisco Secure Email"),
        ] {
            let finding = told(&[server], "");
            assert!(finding.evidence.starts_with(product), "{server}: {finding:?}");
        }
        for server in ["mx.corp.example", "notgoogle.com", "google.com.evil.example"] {
            assert!(told(&[server], "").evidence.starts_with("none of"), "{server}");
        }
    }

    #[test]
    fn what_stands_behind_a_filter_is_told_by_the_domains_spf() {
        let spf = "v=spf1 include:spf.protection.outlook.com -all";
        let finding = told(&["mx0a.pphosted.com"], spf);
        assert_eq!(
            finding.evidence,
            "Proofpoint filters what comes in, and Microsoft 365 after it, it seems"
        );
        let finding = told(&["x.mail.protection.outlook.com"], spf);
        assert_eq!(finding.evidence, "Microsoft 365 filters what comes in");
    }
}
