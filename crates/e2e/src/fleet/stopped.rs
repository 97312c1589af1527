//! A process that is stopped while it holds the lock.

use anyhow::{Context as _, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};

use super::{Grants, Member, World};

/// Stops a process between its question to the server and the answer. Meanwhile the token is not spent again: others go
/// on with an access token that is good for a while, and say why they cannot with one that is not. Then it goes on.
///
/// # Errors
///
/// When any of that is not so.
pub async fn stopped_holder(world: &World) -> Result<()> {
    world.set_expiry(1)?;
    world.server.clear_journal();
    let held = world.server.hold_answers("/v1/oauth/token");
    let holder = world.member(&[])?;
    world.rotation().await;
    send(&holder, Signal::STOP)?;
    drop(held);

    let other = world.member(&["impatient"])?.end().await?;
    ensure!(other.kind() == "locked", "an expired token: {other:?}");
    world.set_expiry(world.seconds() + 60)?;
    let other = world.member(&["impatient"])?.end().await?;
    ensure!(other.is_ok(), "a token with a minute left: {}", other.error());
    let once = Grants { rotated: 1, ..Grants::default() };
    ensure!(world.grants() == once, "while the holder was stopped: {:?}", world.grants());

    send(&holder, Signal::CONT)?;
    let report = holder.end().await?;
    ensure!(report.is_ok(), "the one that was stopped: {}", report.error());
    let other = world.member(&[])?.end().await?;
    ensure!(
        other.is_ok() && world.grants() == once,
        "after it went on: {} {:?}",
        other.error(),
        world.grants()
    );
    Ok(())
}

fn send(member: &Member, signal: Signal) -> Result<()> {
    let id = member.id().and_then(|id| Pid::from_raw(id.try_into().ok()?)).context("it has ended")?;
    Ok(kill_process(id, signal)?)
}
