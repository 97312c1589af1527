//! The state in the text format of Prometheus. Counters begin at zero with the program, as that expects.

use std::{fmt::Write as _, time::Duration};

use super::{
    Monitor,
    alarm::RULES,
    board::Total,
    outcome::{CLASSES, name},
    state::named,
    summary::{BANDS, Summary, end_of},
};

/// Every eighth band is a bucket: they double.
const BUCKET: usize = 8;

/// Of a probe that has not run yet.
static NONE: Total = Total { runs: Summary::NONE, took: Duration::ZERO };

/// A family of metrics, with its help and its type before it.
struct Family<'a> {
    text: &'a mut String,
    name: &'static str,
}

impl<'a> Family<'a> {
    fn begin(text: &'a mut String, name: &'static str, kind: &str, help: &str) -> Self {
        // Writing into a string cannot fail.
        let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
        Self { text, name }
    }

    /// None of the names and labels needs escaping: they are ours.
    fn put(&mut self, suffix: &str, labels: &str, value: impl std::fmt::Display) {
        let (name, open, close) =
            (self.name, if labels.is_empty() { "" } else { "{" }, if labels.is_empty() { "" } else { "}" });
        let _ = writeln!(self.text, "{name}{suffix}{open}{labels}{close} {value}");
    }
}

pub(super) fn text(monitor: &Monitor) -> String {
    let mut text = String::new();
    let board = monitor.board();

    let mut up = Family::begin(
        &mut text,
        "claudectl_probe_up",
        "gauge",
        "Whether the last run of the probe went well.",
    );
    for (probe, outcome) in &board.last {
        up.put("", &format!("probe=\"{}\"", name(*probe)), u8::from(outcome.failure.is_none()));
    }
    let mut last = Family::begin(
        &mut text,
        "claudectl_probe_last_run_timestamp_seconds",
        "gauge",
        "When the last run of the probe began.",
    );
    for (probe, outcome) in &board.last {
        last.put("", &format!("probe=\"{}\"", name(*probe)), outcome.at);
    }
    let mut intervals =
        Family::begin(&mut text, "claudectl_probe_interval_seconds", "gauge", "How often the probe runs.");
    for (probe, interval) in &monitor.plan {
        intervals.put("", &format!("probe=\"{}\"", name(*probe)), interval.as_secs());
    }
    let total = |probe| board.totals.get(probe).unwrap_or(&NONE);
    let mut runs = Family::begin(
        &mut text,
        "claudectl_probe_runs_total",
        "counter",
        "Runs of the probe by what came of them.",
    );
    // All there can be, from the beginning on: what comes into being with its first failure has no rate then.
    for (probe, _) in &monitor.plan {
        let (runs_of_it, probe) = (&total(probe).runs, name(*probe));
        runs.put("", &format!("probe=\"{probe}\",result=\"ok\""), runs_of_it.successes());
        for (class, result) in CLASSES {
            let count = runs_of_it.failures_by(class);
            runs.put("", &format!("probe=\"{probe}\",result=\"{result}\""), count);
        }
    }
    let mut times = Family::begin(
        &mut text,
        "claudectl_probe_duration_seconds",
        "histogram",
        "How long the runs took that went well.",
    );
    for (probe, _) in &monitor.plan {
        let (Total { runs, took }, probe) = (total(probe), name(*probe));
        for band in (0..BANDS).step_by(BUCKET) {
            let end = end_of(band).as_secs_f64();
            times.put("_bucket", &format!("probe=\"{probe}\",le=\"{end}\""), runs.within(band));
        }
        times.put("_bucket", &format!("probe=\"{probe}\",le=\"+Inf\""), runs.successes());
        times.put("_sum", &format!("probe=\"{probe}\""), took.as_secs_f64());
        times.put("_count", &format!("probe=\"{probe}\""), runs.successes());
    }
    if let Some((limits, _)) = &board.limits {
        let labelled = |name: &str| format!("kind=\"{}\"", name.replace(' ', "_"));
        let mut limit = Family::begin(
            &mut text,
            "claudectl_limit_per_minute",
            "gauge",
            "What the rate limit allows in a minute.",
        );
        for (name, its) in named(limits) {
            its.limit.into_iter().for_each(|count| limit.put("", &labelled(name), count));
        }
        let mut left = Family::begin(
            &mut text,
            "claudectl_limit_remaining",
            "gauge",
            "What was left of it at the last answer.",
        );
        for (name, its) in named(limits) {
            its.remaining.into_iter().for_each(|count| left.put("", &labelled(name), count));
        }
    }
    let firing = board.alarms.firing();
    let mut alerts = Family::begin(
        &mut text,
        "claudectl_alert_firing",
        "gauge",
        "Whether this alert of the monitor fires.",
    );
    for (probe, _) in &monitor.plan {
        for (rule, name_of_it) in RULES {
            let fires = firing.iter().any(|one| one.rule == rule && one.probe == *probe);
            alerts.put("", &format!("alert=\"{name_of_it}\",probe=\"{}\"", name(*probe)), u8::from(fires));
        }
    }
    drop(board);
    Family::begin(
        &mut text,
        "claudectl_alerts_untold",
        "gauge",
        "Alerts that a program or a webhook has not been told of yet.",
    )
    .put("", "", monitor.post.waiting());
    let keeping = monitor.keeper.state();
    Family::begin(
        &mut text,
        "claudectl_history_waiting_runs",
        "gauge",
        "Runs that are in memory, not yet in the history.",
    )
    .put("", "", keeping.waiting);
    Family::begin(&mut text, "claudectl_history_lost_runs_total", "counter", "Runs that no history has.")
        .put("", "", keeping.lost);
    text
}
