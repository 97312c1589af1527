//! Clocks that are off: this machine's, and the API's.

use std::{
    net::{IpAddr, Ipv6Addr, UdpSocket},
    time::{Duration, UNIX_EPOCH},
};

use super::*;

/// The refusal of a call without a credential, dated so much later than it is.
fn with_date(off: Duration) -> String {
    let date = httpdate::fmt_http_date(SystemClock.now() + off);
    let body = r#"{"type":"error","error":{"type":"authentication_error","message":"no key"}}"#;
    let length = body.len();
    format!(
        "HTTP/1.1 401 Unauthorized\r\ncontent-type: application/json\r\ndate: {date}\r\nconnection: close\r\n\
         content-length: {length}\r\n\r\n{body}"
    )
}

/// Answers questions for the time by SNTP (RFC 5905 section 7.3), so much later than it is.
fn time_server(off: Duration) -> String {
    time_server_at(Ipv4Addr::LOCALHOST.into(), off)
}

fn time_server_at(ip: IpAddr, off: Duration) -> String {
    let socket = UdpSocket::bind((ip, 0)).unwrap();
    let address = socket.local_addr().unwrap().to_string();
    thread::spawn(move || {
        let mut packet = [0; 48];
        loop {
            let (_, from) = socket.recv_from(&mut packet).unwrap();
            let since_1900 = SystemClock.now().duration_since(UNIX_EPOCH).unwrap()
                + off
                + Duration::from_secs(2_208_988_800);
            let fraction = (u64::from(since_1900.subsec_nanos()) << 32) / 1_000_000_000;
            let now = (since_1900.as_secs() << 32 | fraction).to_be_bytes();
            let asked: [u8; 8] = packet[40..].try_into().unwrap();
            packet = [0; 48];
            // Version 4, a server, of the second stratum.
            (packet[0], packet[1]) = (0b00_100_100, 2);
            packet[16..24].copy_from_slice(&now);
            packet[24..32].copy_from_slice(&asked);
            packet[32..40].copy_from_slice(&now);
            packet[40..].copy_from_slice(&now);
            socket.send_to(&packet, from).unwrap();
        }
    });
    address
}

fn one(found: &[(String, String, Value)], check: &str) -> (String, String) {
    let (_, verdict, one) =
        found.iter().find(|(name, ..)| name == check).unwrap_or_else(|| panic!("{check}: {found:#?}"));
    (verdict.clone(), one["evidence"].as_str().unwrap().to_owned())
}

#[test]
fn a_clock_that_is_off_is_told_with_what_it_breaks() {
    for (off, verdict_of_it) in [(120, "warning"), (900, "problem"), (400 * 86_400, "problem")] {
        let (url, _) = server(with_date(Duration::from_secs(off)));
        let told = run(&mut doctor_at(&url));
        let found = findings(&told);
        let (_, verdict, clock) = found.iter().find(|(check, ..)| check == "clock").unwrap();
        assert_eq!(verdict, verdict_of_it, "{clock}");
        assert!(clock["evidence"].as_str().unwrap().contains("behind the API's"), "{clock}");
    }
}

#[test]
fn a_date_that_tells_nothing_is_said_to_be_missing_or_unreadable() {
    let dated = with_date(Duration::ZERO);
    let date = dated.lines().find(|line| line.starts_with("date:")).unwrap().to_owned();
    // The one that is right is among them, and which it is cannot be known.
    let two = format!("{date}\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT");
    for (instead, told) in [
        ("x-date: none", "has no `Date`"),
        ("date: yesterday", "cannot be read"),
        ("age: 5", "from a cache"),
        (two.as_str(), "more than one `Date`"),
    ] {
        let (url, _) = server(dated.replace(&date, instead));
        let (verdict, evidence) = one(&findings(&run(&mut doctor_at(&url))), "clock");
        assert_eq!(verdict, "skipped");
        assert!(evidence.contains(told), "{evidence}");
    }
}

#[test]
fn a_time_server_tells_how_far_off_the_clock_is() {
    for (off, expected) in [(0, "ok"), (120, "warning"), (900, "problem")] {
        let (url, _) = server(with_date(Duration::from_secs(off)));
        let asked = time_server(Duration::from_secs(off));
        let told = run(doctor_at(&url).args(["--sntp", &asked]));
        let found = findings(&told);
        let (verdict, evidence) = one(&found, "time server");
        assert_eq!(verdict, expected, "{evidence}");
        assert!(off == 0 || evidence.contains(&format!("behind {asked}")), "{evidence}");
        assert_eq!(one(&found, "clock").0, expected, "both say so");
    }
}

#[test]
fn a_time_server_is_asked_by_ipv6_too_and_by_its_name() {
    let six = time_server_at(Ipv6Addr::LOCALHOST.into(), Duration::from_secs(120));
    let four = time_server(Duration::from_secs(120));
    // Where the name leads to IPv6 too, nobody answers there.
    let named = format!("localhost:{}", four.rsplit_once(':').unwrap().1);
    for asked in [six, named] {
        let (url, _) = server(with_date(Duration::ZERO));
        let told = run(doctor_at(&url).args(["--sntp", &asked]));
        let (verdict, evidence) = one(&findings(&told), "time server");
        assert_eq!(verdict, "warning", "{evidence}");
        assert!(evidence.contains(&format!("behind {asked}")), "{evidence}");
    }
}

#[test]
fn a_time_server_that_cannot_be_one_is_wrong_usage() {
    for wrong in ["x:y:z", "*", "x:99999", ""] {
        let told = run(doctor_at("http://127.0.0.1:1").args(["--sntp", wrong]));
        told.failed(2, "for '--sntp <SERVER>'");
        assert!(told.stderr.contains("write a name or an address, with a port"), "{told:?}");
    }
}

#[test]
fn where_the_time_server_finds_the_clock_right_it_is_the_answer_s_date_that_is_wrong() {
    let (url, _) = server(with_date(Duration::from_secs(900)));
    let told = run(doctor_at(&url).args(["--sntp", &time_server(Duration::ZERO)]));
    let found = findings(&told);
    assert_eq!(one(&found, "time server").0, "ok");
    let (verdict, evidence) = one(&found, "clock");
    assert_eq!(verdict, "warning");
    assert!(evidence.contains("the answer's date is wrong"), "{evidence}");
}

#[test]
fn a_time_server_that_does_not_answer_is_no_problem() {
    // Nobody listens there: the system says so at once.
    let closed = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().to_string();
    let (url, _) = server(with_date(Duration::ZERO));
    let told = run(doctor_at(&url).args(["--sntp", &closed]));
    let (verdict, evidence) = one(&findings(&told), "time server");
    assert_eq!(verdict, "warning");
    assert!(evidence.starts_with(&format!("{closed} tells no time")), "{evidence}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_seems_wrong_hides_no_key_that_is() {
    let server = MockServer::start().await.unwrap();
    server.inject("header date Thu, 01 Jan 2026 00:00:00 GMT".parse::<Fault>().unwrap().always());
    let look = |more: &[&str]| {
        let mut command = against(&server, ["doctor", "--json"]);
        run(command.args(more).env("ANTHROPIC_API_KEY", "sk-ant-api03-CANARY-key"))
    };
    let time_server = time_server(Duration::ZERO);
    let told = look(&["--sntp", &time_server]);
    only_problem(&told, "api");
    assert_eq!(one(&findings(&told), "clock").0, "warning");

    let told = look(&[]);
    told.failed(1, "there are 2 problems");
    let found = findings(&told);
    assert_eq!((verdict(&found, "clock"), verdict(&found, "api")), (Some("problem"), Some("problem")));
}
