//! This machine's clock, beside the API's and beside a time server's.

use std::{
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    time::{Duration, SystemTime},
};

use claude_sdk::auth_core::{ClockSkew, Offset};
use http::{HeaderMap, header};
use rsntp::{AsyncSntpClient, Config, SynchronizationResult};
use tokio::task::JoinSet;

use super::{
    Finding, Verdict,
    network::{PATIENCE, within},
};
use crate::{args::TimeServer, auth::about, console::has_secrets};

/// What a clock may be off before anybody notices, and from where on tokens and certificates are refused.
const NOTICED: Duration = Duration::from_secs(30);
const REFUSED: Duration = Duration::from_secs(300);
/// How many addresses of a time server are asked.
const MOST: usize = 4;

pub(super) const CLOCK: &str = "clock";
const TIME_SERVER: &str = "time server";
const SET_IT: &str = "set it, and let it be kept right: timedatectl set-ntp true";

/// What the `Date` of an answer says that was asked for and came at these times.
pub(super) fn by_date(headers: &HeaderMap, sent: SystemTime, received: SystemTime) -> Finding {
    let mut skew = ClockSkew::default();
    skew.observe(headers, sent, received);
    let (by, where_to) = match skew.offset() {
        // One answer does not make it correct its clock by more than a day; here it is told.
        Offset::Zero if skew.uncertainty().is_none() => match far_off(headers, received) {
            Ok(found) => found,
            Err(why) => {
                let next = "to know, ask a time server: --sntp time.cloudflare.com";
                return Finding::skipped(CLOCK, why, next);
            }
        },
        Offset::Zero => return Finding::ok(CLOCK, "agrees with the API's"),
        Offset::Ahead(by) => (by, "behind"),
        Offset::Behind(by) => (by, "ahead of"),
    };
    judge(CLOCK, by, &format!("{} {where_to} the API's", about(by.as_secs())))
}

/// How far a clock is off, and in which direction, by a date that is too far away to be gone by; or why none can be had.
fn far_off(headers: &HeaderMap, received: SystemTime) -> Result<(Duration, &'static str), &'static str> {
    if headers.contains_key(header::AGE) {
        return Err("the answer comes from a cache: its `Date` is not of now");
    }
    let mut dates = headers.get_all(header::DATE).iter();
    let date = match (dates.next(), dates.next()) {
        (None, _) => return Err("the answer has no `Date`"),
        (Some(date), None) => date.to_str().ok().and_then(|date| httpdate::parse_http_date(date).ok()),
        (Some(_), Some(_)) => return Err("the answer has more than one `Date`"),
    };
    let date = date.ok_or("the answer's `Date` cannot be read")?;
    Ok(match date.duration_since(received) {
        Ok(by) => (by, "behind"),
        Err(earlier) => (earlier.duration(), "ahead of"),
    })
}

/// What a time server says by SNTP (RFC 5905 section 14).
pub(super) async fn by_sntp(server: &TimeServer) -> Finding {
    if has_secrets(&server.to_string()) {
        let next = "give a name or an address, such as time.cloudflare.com";
        return Finding::warning(TIME_SERVER, "--sntp has a key where a name belongs [not shown]", next);
    }
    let answer = match ask(server).await {
        Ok(answer) => answer,
        Err(error) => {
            let next =
                "ask another one, or go by `clock` alone: many networks let no SNTP (UDP port 123) out";
            return Finding::warning(TIME_SERVER, format!("{server} tells no time: {error}"), next);
        }
    };
    let offset = answer.clock_offset();
    let by = offset.abs_as_std_duration().unwrap_or(Duration::MAX);
    let where_to = if offset.signum() > 0 { "behind" } else { "ahead of" };
    let told = if by < NOTICED { format!("{} ms", by.as_millis()) } else { about(by.as_secs()) };
    judge(TIME_SERVER, by, &format!("{told} {where_to} {server}"))
}

/// Asks all addresses of a name at the same time, for one of two families may lead nowhere; whoever answers first is believed.
async fn ask(server: &TimeServer) -> Result<SynchronizationResult, String> {
    let addresses = match within(tokio::net::lookup_host((server.host.as_str(), server.port))).await {
        Some(Ok(addresses)) => addresses,
        Some(Err(error)) => return Err(format!("it has no address: {error}")),
        None => return Err(format!("no answer about its name within {} s", PATIENCE.as_secs())),
    };
    let mut asked = JoinSet::new();
    for address in addresses.take(MOST) {
        let from = match address {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let client = AsyncSntpClient::with_config(Config::default().bind_address(from).timeout(PATIENCE));
        asked.spawn(async move { client.synchronize(address).await });
    }
    let mut why = "it has no address".to_owned();
    while let Some(answer) = asked.join_next().await {
        match answer {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => why = error.to_string(),
            Err(error) => why = error.to_string(),
        }
    }
    Err(why)
}

/// Where the time server finds this machine right and the API's `Date` does not, the date is wrong, and not the machine.
pub(super) fn settle(findings: &mut [Finding]) {
    let is_right = findings.iter().any(|one| one.check == TIME_SERVER && one.verdict == Verdict::Ok);
    let wrong =
        |one: &&mut Finding| one.check == CLOCK && matches!(one.verdict, Verdict::Warning | Verdict::Problem);
    if let Some(clock) = findings.iter_mut().find(wrong).filter(|_| is_right) {
        let evidence = clock.evidence.split(':').next().unwrap_or_default();
        let evidence = format!("{evidence}, and the time server finds it right: the answer's date is wrong");
        let next = "ask whoever runs what is on the way: a proxy or a cache that changes or keeps answers";
        *clock = Finding::warning(CLOCK, evidence, next);
    }
}

fn judge(check: &'static str, by: Duration, evidence: &str) -> Finding {
    if by < NOTICED {
        Finding::ok(check, evidence)
    } else if by < REFUSED {
        let evidence = format!("{evidence}, which this program corrects and others may not");
        Finding::warning(check, evidence, SET_IT)
    } else {
        Finding::problem(check, format!("{evidence}: certificates and signed tokens are refused"), SET_IT)
    }
}
