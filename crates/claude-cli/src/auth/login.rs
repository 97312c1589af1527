//! `claudectl auth login`.

use std::time::Duration;

use claude_sdk::{
    LoginError,
    auth_core::Snapshot,
    login::{PendingDevice, PendingLogin, SystemBrowser},
    secrets::{SecretName, process_lookup, providers::Env},
    transport::{Clock, HttpBackend, SystemClock},
};
use serde::Serialize;
use url::Url;

use super::{paste::Lines, plan::Plan, session::backend, who::Who};
use crate::{
    args::LoginArgs,
    console::{print, print_json, say, tell},
    interrupt::interrupted,
};

/// How long the person is waited for, if they do not say.
const PATIENCE: Duration = Duration::from_secs(300);

#[derive(Debug, Serialize)]
struct Report<'a> {
    profile: &'a str,
    #[serde(flatten)]
    who: &'a Who,
}

pub(super) async fn run(args: LoginArgs) -> anyhow::Result<()> {
    let env = Env::process();
    let plan = Plan::new(&args, &env).await?;
    let backend = backend(plan.server.token_endpoint())?;
    // In this order, so that an interrupt right after the link is heard.
    let session = tokio::select! {
        biased;
        request = interrupted() => {
            return Err(request?.ending("nobody was logged in, and nothing has changed").into());
        }
        session = ask(&args, &plan, &backend) => session?,
    };
    let who = Who::of(&session);
    plan.keep(session).await?;
    if args.json {
        return print_json(&Report { profile: plan.name.as_str(), who: &who });
    }
    print(format!("Logged in{}, profile {}.\n", who.as_whom(), plan.name))?;
    for variable in ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"] {
        if env.read(&SecretName::new(variable)?).is_ok_and(|value| value.is_some()) {
            tell(format!(
                "{variable} is set, and is used in place of this login; unset it, or name the profile"
            ));
        }
    }
    Ok(())
}

/// Has the person log in, by whichever way the arguments say.
async fn ask(args: &LoginArgs, plan: &Plan, backend: &dyn HttpBackend) -> anyhow::Result<Snapshot> {
    let patience = args.timeout.map(Duration::from_secs);
    if args.device {
        let pending = plan.login().begin_device(plan.device()?, backend).await?;
        return on_another_device(args, pending, backend, patience).await;
    }
    let (pending, way) = match (args.no_browser, args.callback_port, plan.page_to_paste_from()) {
        (true, None, Some(page)) => (plan.login().begin_headless(page, Lines::of_stdin())?, Way::Paste),
        (_, port, _) => {
            let login = plan.login().port(port.unwrap_or(0)).paste(Lines::of_stdin());
            let way = port.filter(|_| args.no_browser).map_or(Way::Here, Way::Forwarded);
            (login.begin().await?, way)
        }
    };
    let opened = !args.no_browser && open(&pending);
    say(directions(pending.url(), way, opened));
    Ok(pending.finish(backend, patience.unwrap_or(PATIENCE)).await?)
}

/// Where the browser is.
#[derive(Debug, Clone, Copy)]
enum Way {
    /// On this machine.
    Here,
    /// On another one, whose port leads here.
    Forwarded(u16),
    /// Anywhere; a person carries the code.
    Paste,
}

/// Opens the link in a browser, if there is one.
fn open(pending: &PendingLogin) -> bool {
    match pending.open_in(&SystemBrowser::new(&process_lookup())) {
        Ok(()) => true,
        Err(error) => {
            tell(error);
            false
        }
    }
}

/// What the person has to do. The link is printable ASCII, as every `Url` is.
fn directions(link: &Url, way: Way, opened: bool) -> String {
    const ADDRESS: &str = "If its last page cannot be shown, paste that page's whole address here:";
    match way {
        _ if opened => format!("Your browser should show this page; open it yourself if not:\n\n  {link}\n"),
        Way::Here => format!("Open this link in a browser:\n\n  {link}\n\n{ADDRESS}"),
        Way::Forwarded(port) => format!(
            "If the browser is on another machine, run this there first:\n\n  \
             ssh -N -L {port}:127.0.0.1:{port} USER@THIS-MACHINE\n\nThen open this link:\n\n  {link}\n\n{ADDRESS}"
        ),
        Way::Paste => {
            format!(
                "Open this link in a browser, on any machine:\n\n  {link}\n\nPaste here what its last page shows:"
            )
        }
    }
}

async fn on_another_device(
    args: &LoginArgs,
    pending: PendingDevice,
    backend: &dyn HttpBackend,
    patience: Option<Duration>,
) -> anyhow::Result<Snapshot> {
    let code = pending.user_code();
    let page = pending.verification_uri();
    say(format!(
        "Open this page in a browser, on any device:\n\n  {page}\n\nand enter this code there:\n\n  {code}\n"
    ));
    if !args.no_browser {
        // There may well be no browser here: that is what this way is for.
        drop(pending.open_in(&SystemBrowser::new(&process_lookup())));
    }
    let finish = pending.finish(backend);
    match patience {
        None => Ok(finish.await?),
        Some(patience) => tokio::select! {
            session = finish => Ok(session?),
            () = SystemClock.sleep(patience) => Err(LoginError::TimedOut { patience }.into()),
        },
    }
}
