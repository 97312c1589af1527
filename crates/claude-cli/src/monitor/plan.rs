//! Which probes run, how often, and what is to be said of what was asked.

use std::time::Duration;

use super::outcome::{PROBES, name};
use crate::{
    args::{Every, MonitorArgs, Probe},
    console::Ending,
};

/// Which probes run, and how often.
pub(super) fn plan(asked: &[Every], has: impl Fn(Probe) -> bool) -> anyhow::Result<Vec<(Probe, Duration)>> {
    let of = |probe| asked.iter().filter(move |every| every.probe == probe);
    if let Some((_, name)) = PROBES.iter().find(|(probe, _)| of(*probe).count() > 1) {
        return Err(Ending::usage(format!("--every is given twice for {name}; leave one of them out")).into());
    }
    let interval = |probe| match of(probe).next() {
        Some(every) => every.interval,
        None if probe == Probe::Models => Some(Duration::from_secs(60)),
        None => Some(Duration::from_secs(300)),
    };
    let there = PROBES.into_iter().map(|(probe, _)| probe).filter(|probe| has(*probe));
    Ok(there.filter_map(|probe| Some((probe, interval(probe)?))).collect())
}

/// What was asked and has no effect.
pub(super) fn remarks(args: &MonitorArgs, has: impl Fn(Probe) -> bool) -> impl Iterator<Item = String> {
    [in_vain(&args.every, has), never_slow(args)].into_iter().flatten()
}

/// What is to be said of a probe that somebody asks for and that has nothing to probe.
fn in_vain(asked: &[Every], has: impl Fn(Probe) -> bool) -> Option<String> {
    let every = asked.iter().find(|every| every.interval.is_some() && !has(every.probe))?;
    let name = name(every.probe);
    Some(format!(
        "--every {name} has no effect: what is never renewed needs no such probe; it takes a profile (`claudectl auth login`)"
    ))
}

/// What is to be said of an alert for what takes longer than a run may.
fn never_slow(args: &MonitorArgs) -> Option<String> {
    let (slow, timeout) = (args.slow?, args.timeout);
    // A time is taken for up to a tenth more than it is.
    (slow >= timeout.mul_f64(1.1)).then(|| {
        format!(
            "--slow {slow:?} can never tell: a run is ended after {timeout:?} and has failed then; give less, or a longer --timeout"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_has_one_interval_and_one_without_anything_to_probe_is_left_out() {
        let asked = ["models=5s", "message=off"].map(|text| text.parse().unwrap());
        let seconds = Duration::from_secs;
        assert_eq!(
            plan(&asked, |probe| probe != Probe::Token).unwrap(),
            [(Probe::Models, seconds(5)), (Probe::Stream, seconds(300))]
        );
        assert_eq!(plan(&[], |_| true).unwrap().len(), 4);
        let twice = ["models=5s", "models=off"].map(|text| text.parse().unwrap());
        assert!(plan(&twice, |_| true).unwrap_err().to_string().contains("twice for models"));
    }

    #[test]
    fn who_asks_for_a_probe_that_there_is_not_is_told_and_who_turns_it_off_is_not() {
        let told = |text: &str| in_vain(&[text.parse().unwrap()], |probe| probe != Probe::Token);
        assert!(told("token=30s").unwrap().starts_with("--every token has no effect"));
        assert_eq!((told("token=off"), told("models=30s")), (None, None));
    }
}
