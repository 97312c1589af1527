//! What answers where the API should: whether it is the API, and the time in its answer.

use std::error::Error as _;

use bytes::Bytes;
use claude_sdk::{
    secrets::providers::Env,
    transport::{self, Body, Clock as _, ErrorKind, HttpBackend as _, SystemClock},
};
use http::{Request, Response, StatusCode, header};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use url::Url;

use super::{
    Finding, authorities,
    network::{PATIENCE, within},
    time,
    tls::TLS,
};
use crate::{auth::backend, failure::parts, wording::spoken};

pub(super) const ANSWER: &str = "answer";

/// Asks the API without a credential, which it refuses in its own words.
pub(super) async fn look(base_url: &Url, env: &Env) -> Vec<Finding> {
    let mut url = base_url.clone();
    url.set_path(&format!("{}/v1/models", base_url.path().trim_end_matches('/')));
    let (sent_at, answer) = (SystemClock.now(), ask(&url, "the base URL", env).await);
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

/// `named` is where the address comes from.
async fn ask(url: &Url, named: &str, env: &Env) -> Result<Response<Body>, Finding> {
    let request = Request::get(url.as_str()).header(header::ACCEPT, "application/json").body(Bytes::new());
    let sent = async { Ok::<_, anyhow::Error>(backend(url)?.send(request?).await?) };
    match within(sent).await {
        Some(Ok(answer)) => Ok(answer),
        Some(Err(error)) => Err(failure(url, named, &error, env).await),
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

async fn failure(url: &Url, named: &str, error: &anyhow::Error, env: &Env) -> Finding {
    let (told, _) = parts(error, None);
    let kind = error.downcast_ref().map(transport::Error::kind);
    let source = error.downcast_ref().and_then(transport::Error::source).map(ToString::to_string);
    let chain = format!("{told} {}", source.unwrap_or_default()).to_ascii_lowercase();
    if kind == Some(ErrorKind::Tls)
        && (chain.contains("issuer") || chain.contains("no ca certificates"))
        && let Some(fault) = authorities::fault(env)
    {
        return Finding::problem(TLS, format!("{told}: {}", fault.told), fault.next);
    }
    let is_handshake = matches!(kind, Some(ErrorKind::Tls | ErrorKind::Connect)) && url.scheme() == "https";
    if is_handshake
        && !chain.contains("certificate")
        && let Some(finding) = in_clear(url, named, chain.contains("invalidcontenttype")).await
    {
        return finding;
    }
    let next = match kind {
        Some(ErrorKind::Tls) if chain.contains("expired") || chain.contains("not valid yet") => {
            "check this machine's date; if it is right, the certificate is not: tell whoever runs the server".to_owned()
        }
        Some(ErrorKind::Tls) if chain.contains("issuer") => {
            "a proxy may be reading the connection: if it is your company's, add its root certificate to those this machine \
             trusts; if not, do not go on"
                .to_owned()
        }
        Some(ErrorKind::Tls) => format!("check {named}: who answers there is somebody else, a portal or a proxy"),
        Some(ErrorKind::Proxy) => "check HTTPS_PROXY and the proxy's user and password".to_owned(),
        Some(ErrorKind::Protocol | ErrorKind::Closed) if url.scheme() == "http" => {
            garbled(&first_bytes(url).await, named)
        }
        _ => format!("check {named}, and what is on the way: a proxy, a firewall, a VPN"),
    };
    Finding::problem(if kind == Some(ErrorKind::Tls) { TLS } else { ANSWER }, told, next)
}

/// The step to take where what was said to a request in clear is no answer, by how it begins.
fn garbled(beginning: &[u8], named: &str) -> String {
    // An alert, or a handshake, of TLS (RFC 8446 section 5.1).
    match beginning {
        [0x15 | 0x16, 3, ..] => format!("a server with TLS listens there: write https:// in {named}"),
        [b'H', b'T', b'T', b'P', b'/', ..] => {
            format!(
                "check the port of {named}: it speaks HTTP of its own kind; and what is on the way, such as a proxy"
            )
        }
        [] => format!(
            "check the port of {named}: what listens there hangs up, as some servers with TLS do on http://"
        ),
        _ => format!("check the port of {named}: what listens there is no server of HTTP"),
    }
}

/// What there is to say of a port that speaks no TLS; nothing where it does, for all that is known. `is_certain` is whether it
/// answered the handshake with something else.
async fn in_clear(url: &Url, named: &str, is_certain: bool) -> Option<Finding> {
    let (host, port) = (url.host_str()?, url.port_or_known_default()?);
    let answer = first_bytes(url).await;
    // What speaks TLS may say just so, to whoever does not.
    let is_http = answer.starts_with(b"HTTP/") && (is_certain || !answer.ends_with(b" 400"));
    let what = match (is_http, is_certain) {
        (true, _) => "plain HTTP, and no TLS",
        (false, true) => "no TLS",
        (false, false) => return None,
    };
    let next =
        format!("give {named} the port that speaks TLS; or, for this very machine, write http:// there");
    Some(Finding::problem(TLS, format!("{host}:{port} speaks {what}, and the address says https"), next))
}

/// The first bytes of what is said to a request in clear, which has nothing in it; none where nothing is said.
async fn first_bytes(url: &Url) -> Vec<u8> {
    let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else { return Vec::new() };
    within(asked_in_clear(host, port)).await.and_then(Result::ok).unwrap_or_default()
}

async fn asked_in_clear(host: &str, port: u16) -> std::io::Result<Vec<u8>> {
    let mut socket = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
    socket
        .write_all(format!("GET / HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").as_bytes())
        .await?;
    let mut head = Vec::new();
    // Enough for a status; what is less is told too.
    let read = socket.take(12).read_to_end(&mut head).await;
    if head.is_empty() { read.map(|_| head) } else { Ok(head) }
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

/// Whether anybody answers at an endpoint that is not asked for anything; where nobody does, what is wrong is an error.
pub(super) async fn reach(check: &'static str, url: &Url, env: &Env) -> Result<Finding, Finding> {
    let host = url.host_str().unwrap_or_default();
    let answer =
        ask(url, "the profile's server", env).await.map_err(|finding| Finding { check, ..finding })?;
    let evidence = format!("{host} answers {}", spoken(answer.status()));
    Ok(if answer.status().is_server_error() {
        Finding::problem(check, evidence, "wait, and try again; the server has trouble of its own")
    } else {
        Finding::ok(check, evidence)
    })
}
