//! The state as JSON, for the page and for whoever else asks.

use std::collections::BTreeMap;

use claude_sdk::{Limit, RateLimits};
use serde_json::{Value, json};

use super::{
    Monitor,
    board::Board,
    history::{HOUR, MINUTE},
    outcome::{Outcome, instant, milliseconds, name},
    summary::Summary,
};
use crate::args::Probe;

/// Everything but the chart.
pub(super) fn state(monitor: &Monitor, now: i64) -> Value {
    let mut board = monitor.board();
    let steady = board.steady.now(now);
    let probes: Vec<_> = monitor.plan.iter().map(|(its, _)| probe(&board, *its, steady)).collect();
    let firing = board.alarms.firing();
    let alerts: Vec<_> = firing
        .iter()
        .map(|one| json!({"alert": one.rule.name(), "probe": name(one.probe), "since": one.since}))
        .collect();
    let limits = board.limits.as_ref().map(|(limits, at)| json!({"at": at, "rows": rows(limits)}));
    let failures: Vec<_> = board.failures.iter().map(run).collect();
    json!({
        "now": now, "probes": probes, "alerts": alerts, "limits": limits, "failures": failures,
        "notes": notes(monitor),
    })
}

fn probe(board: &Board, probe: Probe, now: i64) -> Value {
    let window = |seconds| window(&board.windows.over(probe, now, seconds));
    let windows = json!({"5m": window(5 * MINUTE), "1h": window(HOUR), "6h": window(6 * HOUR)});
    json!({"name": name(probe), "last": board.last.get(&probe).map(run), "windows": windows})
}

fn window(summary: &Summary) -> Value {
    let time = |per_mille| summary.percentile(per_mille).map(milliseconds);
    let classes: BTreeMap<_, _> = summary.by_class().map(|(class, count)| (class.name(), count)).collect();
    json!({
        "runs": summary.runs(), "errors": summary.error_rate(), "classes": classes,
        "p50": time(500), "p95": time(950), "p99": time(990),
    })
}

fn run(outcome: &Outcome) -> Value {
    json!({
        "probe": name(outcome.probe), "at": outcome.at, "time": instant(outcome.at),
        "took_ms": milliseconds(outcome.took), "failure": outcome.failure,
    })
}

/// The limits of which both numbers are known.
fn rows(limits: &RateLimits) -> Vec<Value> {
    let row = |(name, Limit { limit, remaining, .. }): (&str, Limit)| {
        Some(json!({"name": name, "limit": limit?, "remaining": remaining?}))
    };
    named(limits).into_iter().filter_map(row).collect()
}

pub(super) fn named(limits: &RateLimits) -> [(&'static str, Limit); 4] {
    [
        ("requests", limits.requests),
        ("input tokens", limits.input_tokens),
        ("output tokens", limits.output_tokens),
        ("tokens", limits.tokens),
    ]
}

/// What whoever looks should know of the monitor itself.
fn notes(monitor: &Monitor) -> Vec<String> {
    let keeping = monitor.keeper.state();
    let waiting = keeping.trouble.map(|trouble| {
        format!("the history cannot be written ({trouble}); {} runs wait in memory", keeping.waiting)
    });
    let lost = (keeping.lost > 0).then(|| format!("{} runs are in no history any more", keeping.lost));
    let untold = match monitor.post.waiting() {
        0 => None,
        1 => Some("nobody has been told of an alert yet; it is tried again and again".to_owned()),
        count => Some(format!("nobody has been told of {count} alerts yet; it is tried again and again")),
    };
    waiting.into_iter().chain(lost).chain(untold).chain(monitor.post.broken()).collect()
}
