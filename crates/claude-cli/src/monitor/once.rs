//! Each probe once, and no more.

use std::{sync::Arc, time::Duration};

use anyhow::anyhow;
use tokio::task::JoinSet;

use super::{outcome::Outcome, prober::Prober};
use crate::{
    args::Probe,
    console::{concluded, print, print_json},
    interrupt::unless_interrupted,
};

/// Each probe once, side by side.
pub(super) async fn once(prober: &Arc<Prober>, plan: &[(Probe, Duration)], json: bool) -> anyhow::Result<()> {
    let mut running = JoinSet::new();
    for (probe, _) in plan.iter().copied() {
        let prober = Arc::clone(prober);
        running.spawn(async move { prober.run(probe).await });
    }
    let mut outcomes = unless_interrupted(prober.flush(), running.join_all()).await?;
    outcomes.sort_by_key(|outcome| outcome.probe);
    let printed = match json {
        true => print_json(&outcomes),
        false => print(outcomes.iter().map(Outcome::line).collect::<String>()).map_err(Into::into),
    };
    let verdict = match outcomes.iter().filter(|outcome| outcome.failure.is_some()).count() {
        0 => Ok(()),
        1 => Err(anyhow!("a probe failed")),
        count => Err(anyhow!("{count} probes failed")),
    };
    concluded(printed, verdict)
}
