//! A person's login: whether there is one that is good, and whether the servers answer that it needs.

use claude_sdk::{
    auth_core::ScopeSet,
    profile::{Member, Profile, ProfileName, Profiles},
    secrets::providers::Env,
    token_store::TokenStore as _,
    transport::{Clock as _, SystemClock},
};
use url::Url;

use super::{Finding, answer, files::FILES};
use crate::auth::{Who, is_over, when};

const LOGIN: &str = "login";
const TOKEN: &str = "token endpoint";
const AUTHORIZE: &str = "authorize endpoint";

/// What came of asking a server; where nobody answers, it is an error.
#[derive(Debug)]
pub(super) struct Asked {
    host: String,
    found: Result<Finding, Finding>,
}

/// A person's login: whether it is good, and for what.
pub(super) async fn session(name: &ProfileName, profile: &Profile, env: &Env, files: &[Finding]) -> Finding {
    let again = format!("log in with `claudectl auth login --profile {name}`");
    let stored = async { Ok::<_, anyhow::Error>(Profiles::of(env)?.tokens(name, profile)?.load().await?) };
    let stored = match stored.await {
        Ok(Some(stored)) => stored,
        Ok(None) => return Finding::problem(LOGIN, "nobody is logged in", again),
        Err(_) if files.iter().any(Finding::is_problem) => return Finding::because_of(LOGIN, FILES),
        Err(error) => return Finding::failed(LOGIN, &error, &again),
    };
    let (who, now) = (Who::of(&stored), SystemClock.now());
    let over = who.expires_at.filter(|at| is_over(*at, now));
    if over.is_some() && stored.refresh_token.is_none() {
        return Finding::problem(LOGIN, "the access token has expired, and nothing renews it", again);
    }
    if over.is_some() && profile.get(Member::ClientId).is_none() {
        let next = format!("set it with `claudectl profile set {name} client_id=ID`");
        let evidence = "the access token has expired, and the profile has no client id to renew it as";
        return Finding::problem(LOGIN, evidence, next);
    }
    let granted = who.scope.as_deref().map(ScopeSet::parse);
    let missing = granted.map(|granted| profile.scopes().difference(&granted)).unwrap_or_default();
    if !missing.is_empty() {
        let evidence = format!("the profile asks for {missing}, which was not granted");
        return Finding::warning(LOGIN, evidence, again);
    }
    let whom = who.as_whom();
    if let Some(at) = over {
        let evidence = format!("logged in{whom}; the access token is past, since {}", when(at, now));
        let next = format!(
            "nothing has to be done: the next call renews it (`api` is one); `claudectl auth refresh --profile {name}` does so too"
        );
        return Finding { next_step: Some(next), ..Finding::ok(LOGIN, evidence) };
    }
    let until =
        who.expires_at.map_or_else(String::new, |at| format!(", access token until {}", when(at, now)));
    Finding::ok(LOGIN, format!("logged in{whom}{until}"))
}

/// Whether the servers answer that log people in and renew their tokens.
pub(super) async fn servers(profile: &Profile, env: &Env) -> Vec<Asked> {
    let server = match profile.server() {
        Ok(server) => server,
        Err(error) => {
            let found = Ok(Finding::failed(TOKEN, &error.into(), "mend it with `claudectl profile set`"));
            return vec![Asked { host: String::new(), found }];
        }
    };
    let authorize = async { Some(ask(AUTHORIZE, server.authorization_endpoint()?, env).await) };
    let (token, authorize) = tokio::join!(ask(TOKEN, server.token_endpoint(), env), authorize);
    [token].into_iter().chain(authorize).collect()
}

async fn ask(check: &'static str, url: &Url, env: &Env) -> Asked {
    Asked { host: url.host_str().unwrap_or_default().to_owned(), found: answer::reach(check, url, env).await }
}

/// What there is to tell of them. Where nobody answers, what is `broken` on the way to the API is the cause, or else what keeps
/// another endpoint of the same host from being reached.
pub(super) fn told(asked: Vec<Asked>, broken: Option<&'static str>) -> Vec<Finding> {
    let mut unreached: Option<(String, &'static str)> = None;
    let told = |Asked { host, found }| {
        let finding = match found {
            Ok(finding) => return finding,
            Err(finding) => finding,
        };
        let same = unreached.as_ref().filter(|(its, _)| *its == host).map(|(_, check)| *check);
        if let Some(cause) = broken.or(same) {
            return Finding::because_of(finding.check, cause);
        }
        unreached = Some((host, finding.check));
        finding
    };
    asked.into_iter().map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::{super::Verdict, *};

    fn asked(check: &'static str, host: &str, is_reached: bool) -> Asked {
        let found = match is_reached {
            true => Ok(Finding::ok(check, "it answers")),
            false => Err(Finding::problem(check, "nobody answers", "wait")),
        };
        Asked { host: host.to_owned(), found }
    }

    #[test]
    fn one_cause_is_one_problem() {
        let verdicts = |hosts: [&str; 2], broken| {
            let [token, authorize] = hosts;
            let all = vec![asked(TOKEN, token, false), asked(AUTHORIZE, authorize, false)];
            told(all, broken).into_iter().map(|one| (one.verdict, one.evidence)).collect::<Vec<_>>()
        };
        let problem = || (Verdict::Problem, "nobody answers".to_owned());
        let because = |check: &str| (Verdict::Skipped, format!("because `{check}` is a problem"));
        assert_eq!(verdicts(["a.example", "a.example"], None), [problem(), because(TOKEN)]);
        assert_eq!(verdicts(["a.example", "b.example"], None), [problem(), problem()]);
        assert_eq!(verdicts(["a.example", "b.example"], Some("dns")), [because("dns"), because("dns")]);
        let well = told(vec![asked(TOKEN, "a.example", true)], Some("dns"));
        assert_eq!(well[0].verdict, Verdict::Ok);
    }
}
