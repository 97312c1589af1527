//! Processes that all want the same thing at the same moment.

use std::time::Duration;

use anyhow::Result;

use super::{Grants, Report, World};

/// How it went for processes that acted together.
#[derive(Debug)]
pub struct Together {
    /// What the token endpoint saw.
    pub grants: Grants,
    /// Those whose call failed, in their words.
    pub failures: Vec<String>,
    /// How long each took to its credential, shortest first.
    pub waits: Vec<Duration>,
    /// How much of a processor each took to it, least first.
    pub work: Vec<Duration>,
}

/// Starts the processes, and when each has opened the session, lets them all ask for a credential and make a call.
///
/// # Errors
///
/// When a process cannot be started or says nothing of use.
pub async fn together(world: &World, processes: usize) -> Result<Together> {
    let mut members = Vec::new();
    for _ in 0..processes {
        members.push(world.member(&["wait"])?);
    }
    for member in &mut members {
        member.ready().await?;
    }
    world.server.clear_journal();
    for member in &mut members {
        member.go().await?;
    }
    outcome(world, members).await
}

/// Starts the processes, as fast as that goes; each opens the session, asks for a credential and makes a call.
///
/// # Errors
///
/// When a process cannot be started or says nothing of use.
pub async fn storm(world: &World, processes: usize) -> Result<Together> {
    world.server.clear_journal();
    let members = (0..processes).map(|_| world.member(&[])).collect::<Result<_>>()?;
    outcome(world, members).await
}

async fn outcome(world: &World, members: Vec<super::Member>) -> Result<Together> {
    let mut reports = Vec::new();
    for member in members {
        reports.push(member.end().await?);
    }
    let sorted = |of: fn(&Report) -> Duration| {
        let mut times: Vec<Duration> = reports.iter().map(of).collect();
        times.sort_unstable();
        times
    };
    let failures = reports.iter().filter(|report| !report.is_ok()).map(Report::error).collect();
    let (waits, work) = (sorted(Report::credential), sorted(Report::work));
    Ok(Together { grants: world.grants(), failures, waits, work })
}
