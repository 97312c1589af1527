//! When somebody has to know. An alarm begins once and ends once, and between its beginning and its end lies a distance, so that
//! what is at the edge does not begin and end all the time.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use serde::{Serialize, Serializer, ser::SerializeStruct as _};

use super::{
    history::{HOUR, MINUTE},
    outcome::{Outcome, instant, name},
    summary::Summary,
    windows::Windows,
};
use crate::args::Probe;

/// By what an alarm begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rule {
    /// Several runs failed, one after the other.
    Down,
    /// Runs that go well take too long.
    Slow,
    /// So many runs fail that the errors allowed for a month are used up in two days, or in five. Two measures, and one alarm: an
    /// outage is the matter of both.
    Burn,
}

pub(super) const RULES: [(Rule, &str); 3] =
    [(Rule::Down, "down"), (Rule::Slow, "slow"), (Rule::Burn, "burn")];

/// Failures in a row that begin an alarm, and successes in a row that end one.
const BEGINS: u32 = 3;
const ENDS: u32 = 2;

impl Rule {
    pub(super) fn name(self) -> &'static str {
        RULES.iter().find(|(rule, _)| *rule == self).map_or("", |(_, name)| name)
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        RULES.iter().find(|(_, its)| *its == name).map(|(rule, _)| *rule)
    }
}

/// An alarm that has begun and not ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Firing {
    pub(super) rule: Rule,
    pub(super) probe: Probe,
    pub(super) since: i64,
}

/// That an alarm began, or ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct News {
    pub(super) rule: Rule,
    pub(super) probe: Probe,
    pub(super) begins: bool,
    pub(super) at: i64,
    /// Why, in a line.
    pub(super) told: String,
}

impl Serialize for News {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_struct("News", 5)?;
        members.serialize_field("alert", self.rule.name())?;
        members.serialize_field("probe", name(self.probe))?;
        members.serialize_field("status", if self.begins { "firing" } else { "resolved" })?;
        members.serialize_field("at", &instant(self.at))?;
        // What chats show of a webhook.
        members.serialize_field("text", &self.told)?;
        members.end()
    }
}

/// What is too much.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tolerance {
    /// The part of the runs that may fail.
    pub(super) errors: f64,
    /// How long 95 of 100 runs may take, if that is of interest.
    pub(super) slow: Option<Duration>,
}

/// All alarms.
#[derive(Debug)]
pub(super) struct Alarms {
    tolerance: Tolerance,
    firing: BTreeMap<(Rule, Probe), i64>,
    /// Of each probe, how many runs have failed in a row, or gone well.
    streaks: BTreeMap<Probe, (u32, u32)>,
}

/// What a rule says of a probe.
#[derive(Debug)]
enum Verdict {
    Begins(String),
    Ends(String),
    /// Neither: what is, stays.
    Stays,
}

impl Alarms {
    /// `firing` is what fired when the monitor ended the last time, and is not told again.
    pub(super) fn new(tolerance: Tolerance, firing: &[Firing]) -> Self {
        let firing = firing.iter().map(|one| ((one.rule, one.probe), one.since)).collect();
        Self { tolerance, firing, streaks: BTreeMap::new() }
    }

    /// Ends what fires of probes that do not run any more: no run would.
    pub(super) fn end_all_but(&mut self, has: impl Fn(Probe) -> bool, at: i64) -> Vec<News> {
        let ended = self.firing.extract_if(.., |(_, probe), _| !has(*probe));
        let news = ended.map(|((rule, probe), _)| {
            let told = format!("{}: it is turned off", name(probe));
            News { rule, probe, begins: false, at, told }
        });
        news.collect()
    }

    /// What begins and what ends by this run, which `windows` have heard of.
    pub(super) fn hear(&mut self, outcome: &Outcome, now: i64, windows: &Windows) -> Vec<News> {
        let (probe, at) = (outcome.probe, outcome.at);
        let streak = self.streaks.entry(probe).or_default();
        *streak = match outcome.failure {
            Some(_) => (streak.0.saturating_add(1), 0),
            None => (0, streak.1.saturating_add(1)),
        };
        let streak = *streak;
        let mut news = Vec::new();
        for (rule, _) in RULES {
            let over = |seconds| windows.over(probe, now, seconds);
            let (begins, told) = match self.judge(rule, outcome, streak, over) {
                Verdict::Begins(told) if !self.firing.contains_key(&(rule, probe)) => (true, told),
                Verdict::Ends(told) if self.firing.contains_key(&(rule, probe)) => (false, told),
                _ => continue,
            };
            match begins {
                true => self.firing.insert((rule, probe), at),
                false => self.firing.remove(&(rule, probe)),
            };
            news.push(News { rule, probe, begins, at, told: format!("{}: {told}", name(probe)) });
        }
        news
    }

    pub(super) fn firing(&self) -> Vec<Firing> {
        self.firing
            .iter()
            .map(|((rule, probe), since)| Firing { rule: *rule, probe: *probe, since: *since })
            .collect()
    }

    fn judge(
        &self,
        rule: Rule,
        outcome: &Outcome,
        streak: (u32, u32),
        over: impl Fn(i64) -> Summary,
    ) -> Verdict {
        match (rule, self.tolerance.slow) {
            (Rule::Down, _) => down(outcome, streak),
            (Rule::Slow, Some(slow)) => too_slow(&over(HOUR / 2), slow),
            (Rule::Slow, None) => Verdict::Ends("nobody minds any more how long it takes".to_owned()),
            (Rule::Burn, _) => {
                let most = |factor: f64| (factor * self.tolerance.errors).min(1.0);
                let (hour, half) = (over(HOUR), over(30 * MINUTE));
                let fast = burn(most(14.4), ("hour", &hour), &over(5 * MINUTE), &over(10 * MINUTE), streak);
                let slow = burn(most(6.0), ("six hours", &over(6 * HOUR)), &half, &hour, streak);
                match (fast, slow) {
                    (begins @ Verdict::Begins(_), _) | (_, begins @ Verdict::Begins(_)) => begins,
                    (Verdict::Ends(_), ends @ Verdict::Ends(_)) => ends,
                    _ => Verdict::Stays,
                }
            }
        }
    }
}

fn down(outcome: &Outcome, (failed, went_well): (u32, u32)) -> Verdict {
    match &outcome.failure {
        Some(failure) if failed >= BEGINS => {
            Verdict::Begins(format!("{failed} runs in a row failed, the last one with {}", failure.told))
        }
        None if went_well >= ENDS => Verdict::Ends(format!("{went_well} runs in a row went well")),
        _ => Verdict::Stays,
    }
}

fn too_slow(half_hour: &Summary, slow: Duration) -> Verdict {
    match half_hour.percentile(950) {
        Some(took) if half_hour.successes() >= u64::from(BEGINS) && took > slow => {
            Verdict::Begins(format!("one run in twenty takes {took:.1?} or more, which is over {slow:.1?}"))
        }
        Some(took) if took < slow.mul_f64(0.8) => {
            Verdict::Ends(format!("19 runs in twenty take {took:.1?} at most"))
        }
        _ => Verdict::Stays,
    }
}

/// Burning too fast in a long window, and still doing so in a short one; over when that has been well for twice as long.
fn burn(
    most: f64,
    (named, long): (&str, &Summary),
    short: &Summary,
    twice: &Summary,
    (_, went_well): (u32, u32),
) -> Verdict {
    let (Some(rate), Some(now)) = (long.error_rate(), short.error_rate()) else { return Verdict::Stays };
    if rate >= most && now >= most && long.failures() >= u64::from(ENDS) {
        let mut told = format!(
            "{} of {} runs failed in the last {named}, and {:.1} % may",
            long.failures(),
            long.runs(),
            most * 100.0
        );
        for (class, count) in long.by_class() {
            // Writing into a string cannot fail.
            let _ = write!(told, ", {} {count}", class.name());
        }
        return Verdict::Begins(told);
    }
    match twice.error_rate() {
        Some(rate) if rate < most / 2.0 && went_well >= BEGINS => {
            Verdict::Ends(format!("{} of the last {} runs went well", twice.successes(), twice.runs()))
        }
        _ => Verdict::Stays,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::outcome::{Class, Failure};

    const TOLERANCE: Tolerance = Tolerance { errors: 0.01, slow: Some(Duration::from_secs(2)) };

    /// A monitor with one probe that runs every minute.
    struct World {
        windows: Windows,
        alarms: Alarms,
        now: i64,
    }

    impl World {
        fn new() -> Self {
            Self { windows: Windows::default(), alarms: Alarms::new(TOLERANCE, &[]), now: 0 }
        }

        /// What begins (`+`) and ends (`-`) by one more run.
        fn run(&mut self, fails: bool, took: u64) -> Vec<String> {
            self.now += 60;
            let failure = fails.then(|| Failure::new(Class::Server, "the service answered 500"));
            let outcome =
                Outcome { probe: Probe::Models, at: self.now, took: Duration::from_millis(took), failure };
            self.windows.hear(&outcome, self.now);
            let news = self.alarms.hear(&outcome, self.now, &self.windows);
            news.iter()
                .map(|one| format!("{}{}", if one.begins { "+" } else { "-" }, one.rule.name()))
                .collect()
        }

        fn runs(&mut self, count: u32, fails: impl Fn(u32) -> bool) -> Vec<String> {
            (0..count).flat_map(|index| self.run(fails(index), 100)).collect()
        }
    }

    #[test]
    fn an_outage_begins_each_alarm_once_and_ends_it_once() {
        let mut world = World::new();
        assert!(world.runs(300, |_| false).is_empty());
        let mut outage = world.runs(60, |_| true);
        outage.sort();
        assert_eq!(outage, ["+burn", "+down"]);
        let mut after = world.runs(300, |_| false);
        after.sort();
        assert_eq!(after, ["-burn", "-down"]);
    }

    #[test]
    fn what_fails_now_and_then_begins_one_alarm_that_stays() {
        // Every fourth run fails: never three in a row, and far more than one in a hundred.
        let mut world = World::new();
        world.runs(300, |_| false);
        assert_eq!(world.runs(600, |index| index % 4 == 0), ["+burn"]);
        // Every twelfth is under the one measure and over the other.
        let mut milder = World::new();
        milder.runs(300, |_| false);
        assert_eq!(milder.runs(600, |index| index % 12 == 0), ["+burn"]);
        assert_eq!(milder.runs(600, |_| false), ["-burn"]);
    }

    #[test]
    fn one_failure_is_no_alarm() {
        let mut world = World::new();
        world.runs(300, |_| false);
        assert!(world.runs(300, |index| index == 10).is_empty());
        let mut young = World::new();
        assert!(young.runs(1, |_| true).is_empty(), "not even where it was the first run of all");
    }

    #[test]
    fn what_gets_slow_is_told_and_between_the_edges_nothing_is() {
        let mut world = World::new();
        let mut runs = |count: u32, took| (0..count).flat_map(|_| world.run(false, took)).collect::<Vec<_>>();
        assert!(runs(60, 300).is_empty());
        assert_eq!(runs(60, 3_000), ["+slow"]);
        // Under the edge at which it began, and over the one at which it ends.
        assert!(runs(60, 1_700).is_empty());
        assert_eq!(runs(60, 300), ["-slow"]);
    }

    #[test]
    fn what_fires_of_a_probe_that_is_turned_off_ends() {
        let mut world = World::new();
        world.runs(3, |_| true);
        assert!(world.alarms.end_all_but(|probe| probe == Probe::Models, 7).is_empty());
        let news = world.alarms.end_all_but(|probe| probe == Probe::Stream, 7);
        assert!(!news.is_empty() && news.iter().all(|one| !one.begins && one.at == 7), "{news:?}");
        assert_eq!(world.alarms.firing(), []);
    }

    #[test]
    fn after_a_restart_what_fires_is_not_told_again_and_ends() {
        let mut before = World::new();
        before.runs(3, |_| true);
        let mut after = World { alarms: Alarms::new(TOLERANCE, &before.alarms.firing()), ..before };
        let news = after.runs(5, |_| true);
        assert!(!news.contains(&"+down".to_owned()), "{news:?}");
        assert!(after.runs(2, |_| false).contains(&"-down".to_owned()));
    }
}
