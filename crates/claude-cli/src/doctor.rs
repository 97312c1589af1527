//! `claudectl doctor`: looks at everything between a call and its answer, and names what is wrong.
//!
//! Nothing is sent that costs money, and no credential goes anywhere but to the API it is for. What depends on something
//! broken is not looked at, so that the first problem is the cause.

use std::fmt::Write as _;

use anyhow::anyhow;
use claude_sdk::secrets::providers::Env;
use serde::Serialize;

use crate::{
    args::DoctorArgs,
    console::{Ending, concluded, plain, print, print_json, without_secrets},
    failure::parts,
};

mod answer;
mod authorities;
mod files;
mod login;
mod mail;
mod network;
mod proxy;
mod service;
mod setup;
mod spend;
mod time;
mod tls;

use mail::Address;

/// How one thing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Ok,
    /// It works, and may surprise.
    Warning,
    Problem,
    /// It was not looked at; the evidence says why.
    Skipped,
}

/// What was found out about one thing.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Finding {
    check: &'static str,
    verdict: Verdict,
    evidence: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_step: Option<String>,
}

impl Finding {
    fn new(check: &'static str, verdict: Verdict, evidence: impl AsRef<str>) -> Self {
        // Servers and files have a say in it.
        let evidence = without_secrets(&plain(evidence.as_ref()));
        Self { check, verdict, evidence, next_step: None }
    }

    fn ok(check: &'static str, evidence: impl AsRef<str>) -> Self {
        Self::new(check, Verdict::Ok, evidence)
    }

    fn skipped(check: &'static str, why: impl AsRef<str>, next_step: impl Into<String>) -> Self {
        Self { next_step: Some(plain(&next_step.into())), ..Self::new(check, Verdict::Skipped, why) }
    }

    /// What could not be looked at for the problem that another check has found.
    fn because_of(check: &'static str, other: &'static str) -> Self {
        let next = format!("mend that first, then run this again: `{other}` says how");
        Self::skipped(check, format!("because `{other}` is a problem"), next)
    }

    fn warning(check: &'static str, evidence: impl AsRef<str>, next_step: impl Into<String>) -> Self {
        Self { next_step: Some(plain(&next_step.into())), ..Self::new(check, Verdict::Warning, evidence) }
    }

    fn problem(check: &'static str, evidence: impl AsRef<str>, next_step: impl Into<String>) -> Self {
        Self { next_step: Some(plain(&next_step.into())), ..Self::new(check, Verdict::Problem, evidence) }
    }

    /// What an error says; the step to take is its own, where it names one.
    fn failed(check: &'static str, error: &anyhow::Error, otherwise: &str) -> Self {
        let (evidence, next) = parts(error, None);
        let next = next.map_or_else(|| otherwise.to_owned(), |next| without_secrets(&next));
        Self::problem(check, evidence, next)
    }

    fn is_problem(&self) -> bool {
        self.verdict == Verdict::Problem
    }

    /// Whether what comes behind it cannot work. A clock that is wrong is no such thing: calls with a key work all the same, and
    /// where its date is what breaks something, that says so itself.
    fn blocks(&self) -> bool {
        self.is_problem() && self.check != time::CLOCK
    }
}

pub(crate) async fn run(args: DoctorArgs) -> anyhow::Result<()> {
    let address =
        args.email.as_deref().map(Address::parse).transpose().map_err(|error| Ending::usage(&error))?;
    let mut findings = match &address {
        Some(address) => mail::look(address, args.dns_server).await?,
        None => look(&args, &Env::process()).await,
    };
    // To whom nothing can be sent, no administrator can help.
    let reader = address.filter(|_| !findings.iter().any(Finding::is_problem));
    let letter = reader.map(|address| mail::letter(&address)).unwrap_or_default();
    let printed = if args.json {
        if !letter.is_empty() {
            let evidence = letter.trim_start().to_owned();
            findings.push(Finding { check: "letter", verdict: Verdict::Ok, evidence, next_step: None });
        }
        print_json(&findings)
    } else {
        print(text(&findings) + &letter).map_err(Into::into)
    };
    // A person sees the arrows.
    let next = if args.json { "; standard output says what to do, as the `next_step` of each" } else { "" };
    let verdict = match findings.iter().filter(|finding| finding.is_problem()).count() {
        0 => Ok(()),
        1 => Err(anyhow!("there is a problem{next}")),
        count => Err(anyhow!("there are {count} problems{next}")),
    };
    concluded(printed, verdict)
}

/// Everything, what does not depend on another at the same time.
async fn look(args: &DoctorArgs, env: &Env) -> Vec<Finding> {
    // First, so that a credential is judged by what is mended.
    let files = files::look(env, args.fix);
    let (mut findings, setup) = setup::look(args, env, &files).await;
    let base_url = match &setup.base_url {
        Ok(base_url) => base_url,
        Err(finding) => {
            findings.extend(files);
            findings.push(finding.clone());
            findings.push(Finding::because_of(answer::ANSWER, finding.check));
            return findings;
        }
    };
    let time_server = async {
        match &args.sntp {
            Some(server) => Some(time::by_sntp(server).await),
            None => None,
        }
    };
    let (secrets, way, time_server, login) =
        tokio::join!(setup.secrets(env), network::look(base_url, env), time_server, setup.login_servers(env));
    let check_of = |finding: &Finding| finding.check;
    let broken = way.iter().find(|one| one.blocks()).map(check_of);
    let login = login::told(login, broken);
    let blocker = findings.iter().find(|one| one.is_problem()).map(check_of).or(broken);
    // Of these, a credential that is there may still be in want.
    let suspect = files.iter().chain(&secrets).chain(&login).find(|one| one.is_problem()).map(check_of);
    findings.extend(files);
    findings.extend(secrets);
    findings.extend(way);
    findings.extend(time_server);
    time::settle(&mut findings);
    findings.extend(login);
    findings.extend(service::look(args, blocker, suspect).await);
    findings
}

fn text(findings: &[Finding]) -> String {
    let width = findings.iter().map(|finding| finding.check.len()).max().unwrap_or_default();
    let mut text = String::new();
    for Finding { check, verdict, evidence, next_step } in findings {
        let word = match verdict {
            Verdict::Ok => "ok     ",
            Verdict::Warning => "warning",
            Verdict::Problem => "PROBLEM",
            Verdict::Skipped => "skipped",
        };
        // Writing into a string cannot fail.
        let _ = writeln!(text, "{word}  {check:width$}  {evidence}");
        if let Some(next_step) = next_step {
            let _ = writeln!(text, "{:9}{:width$}  → {next_step}", "", "");
        }
    }
    text
}
