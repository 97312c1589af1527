//! `claudectl auth logout`.

use anyhow::{anyhow, bail};
use claude_sdk::{
    profile::{Kind, ProfileName, Profiles},
    secrets::providers::Env,
    token_store::TokenStore,
    transport::{Clock, SystemClock},
};
use serde::Serialize;

use super::{
    leaving,
    session::{Chosen, Session},
    who::{Who, when},
};
use crate::{
    args::LogoutArgs,
    console::{one_line, print, print_json, tell},
};

#[derive(Debug, Serialize)]
struct Report {
    profile: String,
    logged_out: bool,
    /// Whether the server confirmed that it takes the tokens no more.
    revoked: bool,
    #[serde(skip)]
    told: String,
}

pub(super) async fn run(args: LogoutArgs) -> anyhow::Result<()> {
    let env = Env::process();
    if !args.all {
        let report = log_out(Chosen::new(args.profile, &env)?, &env).await?;
        return if args.json { print_json(&report) } else { Ok(print(report.told + "\n")?) };
    }
    let (mut reports, mut failed) = (Vec::new(), 0);
    let profiles = Profiles::of(&env)?;
    for name in profiles.list()? {
        if profiles.load(&name).is_ok_and(|profile| profile.kind() != Kind::UserOAuth) {
            continue; // nobody is logged in there
        }
        match log_out(Chosen::new(Some(name.clone()), &env)?, &env).await {
            Ok(report) => reports.push(report),
            Err(error) => {
                failed += 1;
                tell(format!("profile {name}: {}", one_line(&error)));
            }
        }
    }
    if args.json {
        print_json(&reports)?;
    } else {
        print(reports.iter().map(|report| format!("{}\n", report.told)).collect::<String>())?;
    }
    if failed > 0 {
        bail!("{failed} of the profiles could not be logged out of; see above");
    }
    Ok(())
}

async fn log_out(chosen: Chosen, env: &Env) -> anyhow::Result<Report> {
    let session = Session::of(chosen, env).await?;
    let earlier = session.finish_logout().await?;
    let name = &session.name;
    let report = |logged_out, revoked, told| Report { profile: name.to_string(), logged_out, revoked, told };
    let stored = match session.store.load().await {
        Ok(None) if earlier == Some(true) => return Ok(report(true, true, said_to_be_revoked(name))),
        Ok(None) => return Ok(report(false, false, format!("Nobody is logged in to profile {name}."))),
        Ok(Some(stored)) => stored,
        // Tokens that cannot be read cannot be revoked, and somebody else may have them.
        Err(error) => return Err(anyhow!(error).context("nothing was revoked or removed")),
    };
    let revoked = match &session.client {
        Some(client) => {
            match leaving::put_aside(&session.store).await {
                Ok(_) => {
                    leaving::give_back(&session.store, &session.server, client).await?.unwrap_or_default()
                }
                // A full disk keeps nobody from leaving.
                Err(_) => leaving::leave(&session.store, &session.server, client).await?,
            }
        }
        None => {
            remove(&session).await?;
            false
        }
    };
    if revoked {
        return Ok(report(true, true, said_to_be_revoked(name)));
    }
    let reason = match (&session.client, session.server.revocation_endpoint()) {
        (None, _) => "the profile has no client id to revoke its tokens as",
        (_, None) => "where its server revokes tokens is not known",
        _ => "the server did not confirm that it has revoked the tokens",
    };
    let until = Who::of(&stored).expires_at.map_or_else(String::new, |at| {
        format!(" They are removed here; the access token is good until {}.", when(at, SystemClock.now()))
    });
    Ok(report(true, false, format!("Logged out of profile {name}, but {reason}.{until}")))
}

fn said_to_be_revoked(name: &ProfileName) -> String {
    format!("Logged out of profile {name}; the server has revoked its tokens.")
}

/// Removes the tokens, as nobody is renewing them.
async fn remove(session: &Session) -> anyhow::Result<()> {
    let _lock = session.store.lock().await?;
    Ok(session.store.remove().await?)
}
