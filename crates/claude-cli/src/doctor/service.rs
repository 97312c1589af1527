//! What the API says to the credential: whether it is good, for what, and how much is left.

use std::time::Duration;

use anyhow::Error;
use claude_sdk::{
    AuthError, Client, Limit, RateLimits, RequestOptions,
    transport::{Clock as _, SystemClock},
    types::MessageRequest,
};
use http::StatusCode;

use super::{Finding, network::in_time, spend};
use crate::{args::DoctorArgs, connection, failure::parts, wording::of_a_model};

const API: &str = "api";
const SPENT: &str = "look at the organization's credit and its spend limit";
const NOT_THE_API: &str = "check the base URL; a gateway on the way may only know --api-version 2023-06-01";
/// How long all that is asked of the API may take; an answer may come, and have no end.
const PATIENCE: Duration = Duration::from_secs(10);
const PATIENCE_WITH_A_MESSAGE: Duration = Duration::from_secs(60);

/// Reads the list of models, which costs nothing, and sends a message of one token if that is allowed.
///
/// A problem of the check `blocker` would only come up once more; one of `suspect` is why the API could not be asked, if it could
/// not be for want of a credential.
pub(super) async fn look(
    args: &DoctorArgs,
    blocker: Option<&'static str>,
    suspect: Option<&'static str>,
) -> Vec<Finding> {
    if let Some(blocker) = blocker {
        return vec![Finding::because_of(API, blocker)];
    }
    let limit = if args.call { PATIENCE_WITH_A_MESSAGE } else { PATIENCE };
    whole(limit, ask(args, suspect)).await
}

/// What there is to tell, if it comes within this limit.
async fn whole(limit: Duration, work: impl Future<Output = Vec<Finding>>) -> Vec<Finding> {
    in_time(limit, work).await.unwrap_or_else(|| {
        let evidence = format!("no whole answer within {} s", limit.as_secs());
        let next = "something on the way holds it up: a proxy, a firewall, a VPN";
        vec![Finding::problem(API, evidence, next)]
    })
}

async fn ask(args: &DoctorArgs, suspect: Option<&'static str>) -> Vec<Finding> {
    let once = RequestOptions::new().max_retries(0);
    let client = async { Ok::<_, Error>(connection::client(&args.connection).await?.with_options(once)?) };
    let client = match client.await {
        Ok(client) => client,
        Err(error) => {
            let next = "`claudectl auth status` says which credential is in use";
            return vec![suspect.map_or_else(
                || Finding::failed(API, &error, next),
                |suspect| Finding::because_of(API, suspect),
            )];
        }
    };
    let started = SystemClock.now();
    let mut findings = match client.models().list().await {
        Ok(models) => {
            let took = SystemClock.now().duration_since(started).unwrap_or_default().as_millis();
            let request = models.request_id().map(|id| format!(", request {id}")).unwrap_or_default();
            vec![Finding::ok(
                API,
                format!(
                    "version {} taken, {} models, {took} ms{request}",
                    args.connection.api_version.as_str(),
                    models.data.len()
                ),
            )]
        }
        Err(error) => {
            let suspect = suspect.filter(|_| is_without_credential(&error));
            return vec![
                suspect.map_or_else(|| refused(API, error), |suspect| Finding::because_of(API, suspect)),
            ];
        }
    };
    if args.call {
        findings.push(message(&client, &args.model).await);
    }
    findings.extend(limits(&client.limits()));
    findings.extend(spend::look(&client).await);
    findings
}

async fn message(client: &Client, model: &str) -> Finding {
    const MESSAGE: &str = "message";
    let request = MessageRequest::new(model, 1).user("hi");
    match client.messages().create(&request).await {
        Ok(message) => Finding::ok(MESSAGE, format!("{} answers", message.model)),
        Err(error) => refused(MESSAGE, error),
    }
}

/// Whether nothing was asked, for a credential that could not be had now: one that only a login replaces is over, whatever else is
/// wrong.
fn is_without_credential(error: &claude_sdk::Error) -> bool {
    matches!(error, claude_sdk::Error::Auth(why, _) if !matches!(why, AuthError::LoginRequired { .. }))
}

fn refused(check: &'static str, error: claude_sdk::Error) -> Finding {
    let code = if let claude_sdk::Error::Api(error) = &error { error.code() } else { None };
    let is_spent = code.is_some_and(|code| code.ends_with("spend_limit_reached"));
    let next = match (error.missing_scope().is_some(), error.status()) {
        (true, _) => Some("log in again, with the scope: `claudectl auth login`"),
        (_, Some(StatusCode::UNAUTHORIZED)) => {
            Some("the credential is not good here: make a new key, or log in again")
        }
        (_, Some(StatusCode::PAYMENT_REQUIRED)) => Some(SPENT),
        _ if is_spent => Some(SPENT),
        (_, Some(StatusCode::FORBIDDEN)) => Some("ask whoever runs the organization for the permission"),
        // No model was asked for.
        (_, Some(StatusCode::NOT_FOUND)) if check == API => Some(NOT_THE_API),
        (_, Some(StatusCode::TOO_MANY_REQUESTS)) => Some("wait; `claudectl limits` tells what is left"),
        (_, Some(status)) if status.is_server_error() => {
            Some("wait, and look at https://status.anthropic.com")
        }
        _ if matches!(error, claude_sdk::Error::Answer(_)) => Some(NOT_THE_API),
        _ => None,
    };
    let otherwise = match &error {
        claude_sdk::Error::Auth(..) => {
            "log in again, or make a new key: `claudectl auth status` says what is in use"
        }
        claude_sdk::Error::Transport(_) => "run this again: the way to the API was good a moment ago",
        _ => NOT_THE_API,
    };
    let error = of_a_model(error);
    match next {
        Some(next) => Finding::problem(check, parts(&error, None).0, next),
        None => Finding::failed(check, &error, otherwise),
    }
}

/// What is known of the limits, which not every answer tells.
fn limits(limits: &RateLimits) -> Option<Finding> {
    const LIMITS: &str = "limits";
    let named = [
        ("requests", limits.requests),
        ("input tokens", limits.input_tokens),
        ("output tokens", limits.output_tokens),
        ("tokens", limits.tokens),
    ];
    let told = |(name, Limit { limit, remaining, .. }): (&str, Limit)| {
        Some(format!("{} of {} {name}", remaining?, limit?))
    };
    let told: Vec<_> = named.into_iter().filter_map(told).collect();
    let spent: Vec<_> =
        named.iter().filter(|(_, limit)| limit.remaining == Some(0)).map(|(name, _)| *name).collect();
    if told.is_empty() {
        return None;
    }
    let evidence = format!("{} left this minute", told.join(", "));
    Some(if spent.is_empty() {
        Finding::ok(LIMITS, evidence)
    } else {
        Finding::warning(LIMITS, evidence, format!("no {} are left: wait, or ask for more", spent.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::{super::Verdict, *};
    use crate::args::{Args, Command};

    const HEAD: &str =
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";

    /// A piece of an answer now and then, and never its end.
    async fn endless(listener: TcpListener) {
        let (mut socket, _) = listener.accept().await.unwrap();
        let _ = socket.read(&mut [0; 4096]).await.unwrap();
        socket.write_all(HEAD.as_bytes()).await.unwrap();
        while socket.write_all(b"1\r\n \r\n").await.is_ok() {
            SystemClock.sleep(Duration::from_millis(5)).await;
        }
    }

    #[tokio::test]
    async fn an_answer_that_has_no_end_is_a_problem_when_its_time_is_over() {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("key");
        std::fs::write(&key, "sk-ant-api03-CANARY").unwrap();
        #[cfg(unix)]
        std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let key = key.to_str().unwrap();
        let args = Args::parse_from(["claudectl", "doctor", "--base-url", &url, "--api-key-file", key]);
        let Command::Doctor(args) = args.command else { panic!("{args:?}") };
        let server = tokio::spawn(endless(listener));
        let found = whole(Duration::from_millis(300), ask(&args, None)).await;
        let [found] = &found[..] else { panic!("{found:?}") };
        assert_eq!((found.check, found.verdict), (API, Verdict::Problem), "{found:?}");
        assert!(found.evidence.contains("no whole answer within"), "{found:?}");
        server.abort();
    }
}
