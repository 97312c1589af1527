//! `claudectl doctor --email`: companies' mail as a real DNS server tells it.

use std::{
    io::{BufRead, BufReader},
    net::{Ipv4Addr, UdpSocket},
    process::{Child, ChildStderr, Command, Stdio},
};

use serde_json::Value;

use crate::claudectl::{Run, claudectl, run};

/// dnsmasq, with the records of a few companies.
struct Dns {
    server: Child,
    /// Open as long as the server writes to it.
    _said: BufReader<ChildStderr>,
    port: u16,
}

const RECORDS: [&str; 16] = [
    "--mx-host=filtered.example,mx0a.pphosted.com,10",
    "--txt-record=filtered.example,v=spf1 include:spf.protection.outlook.com -all",
    "--mx-host=own.example,mx.own.example,10",
    "--host-record=mx.own.example,192.0.2.2",
    "--mx-host=gone.example,mx.gone.example,10",
    "--mx-host=here.example,localhost,10",
    "--mx-host=literal.example,127.0.0.1,10",
    "--mx-host=half.example,mx.gone.example,10",
    "--mx-host=half.example,mx.own.example,20",
    "--local=/localhost/",
    // A null MX: preference 0, and no name.
    "--dns-rr=null.example,15,000000",
    "--host-record=plain.example,192.0.2.1",
    "--txt-record=nothing.example,x",
    "--local=/mail.anthropic.com/",
    "--txt-record=mail.anthropic.com,v=spf1 include:amazonses.com ~all",
    "--txt-record=_dmarc.mail.anthropic.com,v=DMARC1; p=reject",
];

impl Dns {
    fn start() -> Self {
        Self::with(&RECORDS)
    }

    fn with(records: &[&str]) -> Self {
        // A port that is free now may be another's in a moment.
        (0..20).find_map(|_| Self::start_once(records)).expect("dnsmasq finds no port to itself")
    }

    fn start_once(records: &[&str]) -> Option<Self> {
        let port = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let mut command = Command::new("dnsmasq");
        command.args(["--keep-in-foreground", "--log-facility=-", "--no-resolv", "--no-hosts"]);
        command.args(["--conf-file=/dev/null", "--pid-file=", "--user=", "--group=", "--local=/example/"]);
        command.args(["--listen-address=127.0.0.1", "--bind-interfaces"]).arg(format!("--port={port}"));
        command.args(records).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut server = command.spawn().expect("dnsmasq is missing; `cargo xtask test` installs it");
        let mut said = BufReader::new(server.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("started, version") {
            line.clear();
            if said.read_line(&mut line).unwrap() == 0 {
                server.wait().unwrap();
                return None;
            }
        }
        Some(Self { server, _said: said, port })
    }

    fn about(&self, address: &str) -> Run {
        let server = format!("127.0.0.1:{}", self.port);
        run(&mut claudectl(["doctor", "--json", "--email", address, "--dns-server", &server]))
    }
}

impl Drop for Dns {
    fn drop(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }
}

fn finding(run: &Run, check: &str) -> Value {
    let all: Vec<Value> = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"));
    all.into_iter().find(|one| one["check"] == check).unwrap_or_else(|| panic!("no {check}: {run:?}"))
}

#[test]
fn who_filters_a_companys_mail_is_named_with_where_the_administrator_has_to_look() {
    let dns = Dns::start();
    let told = dns.about("ann@filtered.example");
    told.ok();
    assert_eq!(finding(&told, "receives mail")["verdict"], "ok");
    let filter = finding(&told, "filter");
    assert_eq!(
        filter["evidence"], "Proofpoint filters what comes in, and Microsoft 365 after it, it seems",
        "{filter}"
    );
    assert!(filter["next_step"].as_str().unwrap().contains("mail.anthropic.com"), "{filter}");
    let sender = finding(&told, "the sender");
    assert!(sender["evidence"].as_str().unwrap().contains("p=reject"), "{sender}");

    let filter = finding(&dns.about("ann@own.example"), "filter");
    assert!(filter["evidence"].as_str().unwrap().starts_with("none of the known"), "{filter}");
}

#[test]
fn a_domain_that_cannot_receive_is_told_as_such() {
    let dns = Dns::start();
    for (address, verdict, told) in [
        ("ann@null.example", "problem", "takes no mail"),
        ("ann@missing.example", "problem", "there is no domain"),
        ("ann@nothing.example", "problem", "no mail server"),
        ("ann@gone.example", "problem", "mx.gone.example has no address"),
        ("ann@here.example", "problem", "localhost is whoever asks"),
        ("ann@literal.example", "problem", "127.0.0.1 is an address where a name"),
        ("ann@half.example", "warning", "mx.own.example, of which mx.gone.example has no address"),
        ("ann@plain.example", "warning", "no MX record"),
        // Nothing is known of it there: the server refuses.
        ("ann@elsewhere.test", "problem", "the DNS does not answer"),
    ] {
        let run = dns.about(address);
        let finding = finding(&run, "receives mail");
        assert_eq!(finding["verdict"], verdict, "{address}: {finding}");
        assert!(finding["evidence"].as_str().unwrap().contains(told), "{address}: {finding}");
    }
}

#[test]
fn a_sender_without_an_spf_record_is_a_warning_and_a_server_that_refuses_is_told_in_words() {
    let dns = Dns::with(&["--mx-host=corp.example,mx.corp.example", "--txt-record=mail.anthropic.com,none"]);
    let run = dns.about("ann@corp.example");
    let sender = finding(&run, "the sender");
    assert_eq!(sender["verdict"], "warning", "{sender}");
    assert!(sender["next_step"].as_str().unwrap().contains("--dns-server"), "{sender}");

    let refused = finding(&dns.about("ann@elsewhere.test"), "receives mail");
    let evidence = "the DNS does not answer about elsewhere.test: the DNS server refuses to say (REFUSED)";
    assert_eq!(refused["evidence"], evidence);
    assert!(refused["next_step"].as_str().unwrap().contains("check this machine's network"), "{refused}");
}

#[test]
fn a_person_gets_a_letter_to_send() {
    let dns = Dns::start();
    let server = format!("127.0.0.1:{}", dns.port);
    let told = run(&mut claudectl(["doctor", "--email", "ann@filtered.example", "--dns-server", &server]));
    let text = told.ok();
    assert!(text.contains("Subject: Please let mail from mail.anthropic.com through"), "{text}");
    assert!(text.contains("ann@filtered.example"), "{text}");

    let letter = finding(&dns.about("ann@filtered.example"), "letter");
    assert!(text.ends_with(letter["evidence"].as_str().unwrap()), "a program gets the same: {letter}");
}

#[test]
fn what_is_no_address_is_refused() {
    for (address, told) in [
        ("ann", "\"ann\" has no @; give one like"),
        ("a\u{1b}[31mnn@corp.example", "\"a\\u{1b}[31mnn@corp.example\" has something before its @"),
        ("ann@corp\u{202e}.example", "no domain after its @"),
        (&format!("{}@corp.example", "a".repeat(5_000)), "longer than an address can be"),
    ] {
        let run = run(&mut claudectl(["doctor", "--email", address]));
        run.failed(2, told);
        assert!(run.stderr.len() < 300 && !run.stderr.contains('\u{202e}'), "{run:?}");
    }
}
