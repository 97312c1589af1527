//! The way to the API, link by link: a name, a connection, an answer, and the time in it.

use std::{error::Error as _, net::SocketAddr, time::Duration};

use bytes::Bytes;
use claude_sdk::{
    secrets::providers::Env,
    transport::{self, Body, Clock as _, ErrorKind, HttpBackend as _, SystemClock},
};
use http::{Request, Response, StatusCode, header};
use url::Url;

use super::{Finding, proxy, time, tls};
use crate::{auth::backend, console::one_line, wording::spoken};

/// How long each link may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(3);
/// Where a proxy is.
pub(super) type HostPort = (String, u16);

const ANSWER: &str = "answer";

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
        findings.extend(answer(base_url).await);
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

/// Asks the API without a credential, which it refuses in its own words.
async fn answer(base_url: &Url) -> Vec<Finding> {
    let mut url = base_url.clone();
    url.set_path(&format!("{}/v1/models", base_url.path().trim_end_matches('/')));
    let (sent_at, answer) = (SystemClock.now(), ask(&url).await);
    let took = SystemClock.now().duration_since(sent_at).unwrap_or_default().as_millis();
    let answer = match answer {
        Ok(answer) => answer,
        Err(finding) => return vec![finding],
    };
    let received_at = SystemClock.now();
    let mut findings = vec![judge(base_url, &answer, took)];
    if !findings.iter().any(Finding::is_problem) {
        findings.push(time::by_date(answer.headers(), sent_at, received_at));
    }
    findings
}

async fn ask(url: &Url) -> Result<Response<Body>, Finding> {
    let request = Request::get(url.as_str()).header(header::ACCEPT, "application/json").body(Bytes::new());
    let sent = async { Ok::<_, anyhow::Error>(backend(url)?.send(request?).await?) };
    match within(sent).await {
        Some(Ok(answer)) => Ok(answer),
        Some(Err(error)) => Err(failure(&error)),
        None => {
            let evidence = format!("a connection, and no answer within {} s", PATIENCE.as_secs());
            Err(Finding::problem(
                ANSWER,
                evidence,
                "something on the way holds it up: a proxy, a firewall, a VPN",
            ))
        }
    }
}

fn failure(error: &anyhow::Error) -> Finding {
    let told = one_line(error);
    let kind = error.downcast_ref().map(transport::Error::kind);
    let source = error.downcast_ref().and_then(transport::Error::source).map(ToString::to_string);
    let chain = format!("{told} {}", source.unwrap_or_default()).to_ascii_lowercase();
    let next = match kind {
        Some(ErrorKind::Tls) if chain.contains("expired") || chain.contains("not valid yet") => {
            "check this machine's date; if it is right, the certificate is not: tell whoever runs the server"
        }
        Some(ErrorKind::Tls) if chain.contains("issuer") => {
            "a proxy may be reading the connection: if it is your company's, add its root certificate to those this machine \
             trusts; if not, do not go on"
        }
        Some(ErrorKind::Tls) => "check the base URL: who answers there is somebody else, a portal or a proxy",
        Some(ErrorKind::Proxy) => "check HTTPS_PROXY and the proxy's user and password",
        _ => "check the base URL, and what is on the way: a proxy, a firewall, a VPN",
    };
    Finding::problem(if kind == Some(ErrorKind::Tls) { "tls" } else { ANSWER }, told, next)
}

/// Whether it is the API that answers.
fn judge(base_url: &Url, answer: &Response<Body>, took: u128) -> Finding {
    let status = answer.status();
    let header = |name| answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_json = header(header::CONTENT_TYPE).starts_with("application/json");
    let host = base_url.host_str().unwrap_or_default();
    if status == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
        let next = "put the user and the password into HTTPS_PROXY: http://user:password@host:port";
        return Finding::problem("proxy", "the proxy asks who you are", next);
    }
    if status.is_server_error() {
        let next = "wait, and look at https://status.anthropic.com; behind a gateway of your own, ask whoever runs that";
        let page = if is_json { "" } else { " and a page" };
        return Finding::problem(ANSWER, format!("{host} answers {}{page}", spoken(status)), next);
    }
    let told = spoken(status);
    if status.is_redirection() || !is_json {
        let to = Url::parse(header(header::LOCATION)).ok();
        let to = to.and_then(|url| url.host_str().map(|host| format!(" that leads to {host}")));
        let what = if status.is_redirection() { "a redirection" } else { "a page" };
        let evidence =
            format!("{told} and {what}{} from {host} in place of the API's answer", to.unwrap_or_default());
        let next = "open a browser: a network may want you to log in first; and check the base URL";
        return Finding::problem(ANSWER, evidence, next);
    }
    Finding::ok(ANSWER, format!("{host} answers a call without a credential with {told} in {took} ms"))
}

/// Whether anybody answers at an endpoint that is not asked for anything.
pub(super) async fn reach(check: &'static str, url: &Url) -> Finding {
    match ask(url).await {
        Ok(answer) if answer.status().is_server_error() => {
            let evidence =
                format!("{} answers {}", url.host_str().unwrap_or_default(), spoken(answer.status()));
            Finding::problem(check, evidence, "wait, and try again; the server has trouble of its own")
        }
        Ok(answer) => Finding::ok(
            check,
            format!("{} answers ({})", url.host_str().unwrap_or_default(), spoken(answer.status())),
        ),
        Err(finding) => Finding { check, ..finding },
    }
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
