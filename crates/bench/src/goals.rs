//! What has to hold, from `goals.json`.

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::figure::{self, Figure};

/// A limit on one figure, or on the ratio of two.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
pub struct Goal {
    /// The benchmark it belongs to.
    pub benchmark: String,
    /// The case, in the words of the figure.
    pub case: String,
    /// Whose figure.
    pub contender: String,
    /// Whose figure it is divided by; without one, the figure itself is meant.
    #[serde(default)]
    pub of: Option<String>,
    /// The most it may be.
    #[serde(default)]
    pub at_most: Option<f64>,
    /// The least it may be.
    #[serde(default)]
    pub at_least: Option<f64>,
}

/// How a goal came out.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// The goal.
    pub goal: Goal,
    /// What was measured; none where the figures are missing.
    pub found: Option<Figure>,
}

/// All goals.
///
/// # Errors
///
/// The file does not parse.
pub fn all() -> Result<Vec<Goal>> {
    serde_json::from_str(include_str!("../goals.json")).context("crates/bench/goals.json does not parse")
}

/// Compares what was measured in a benchmark with its goals.
#[must_use]
pub fn judge(goals: &[Goal], benchmark: &str, figures: &[Figure]) -> Vec<Verdict> {
    let goals = goals.iter().filter(|goal| goal.benchmark == benchmark);
    goals.map(|goal| Verdict { goal: goal.clone(), found: goal.found(figures) }).collect()
}

impl Goal {
    fn found(&self, figures: &[Figure]) -> Option<Figure> {
        let ours = figure::find(figures, &self.case, &self.contender)?;
        match &self.of {
            None => Some(ours.clone()),
            Some(other) => Some(ours.ratio(figure::find(figures, &self.case, other)?)),
        }
    }

    /// What is compared, in words.
    #[must_use]
    pub fn what(&self) -> String {
        let Self { case, contender, of, .. } = self;
        match of {
            None => format!("{case}: {contender}"),
            Some(other) => format!("{case}: {contender} ÷ {other}"),
        }
    }

    /// The limit, in words.
    #[must_use]
    pub fn limit(&self) -> String {
        let most = self.at_most.map(|most| format!("≤ {most}"));
        let least = self.at_least.map(|least| format!("≥ {least}"));
        most.into_iter().chain(least).collect::<Vec<_>>().join(", ")
    }
}

impl Verdict {
    /// Whether the median keeps to the limit; what was not measured does not.
    #[must_use]
    pub fn kept(&self) -> bool {
        let Some(median) = self.found.as_ref().map(Figure::median) else { return false };
        let Goal { at_most, at_least, .. } = self.goal;
        !median.is_nan()
            && at_most.is_none_or(|most| median <= most)
            && at_least.is_none_or(|least| median >= least)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::benchmarks;

    fn goal(text: &str) -> Goal {
        serde_json::from_str(text).unwrap()
    }

    fn figures(ours: f64, floor: f64) -> Vec<Figure> {
        [("ours", ours), ("floor", floor)]
            .map(|(contender, value)| Figure {
                case: "c".to_owned(),
                contender: contender.to_owned(),
                unit: "ns",
                samples: vec![value],
            })
            .to_vec()
    }

    #[test]
    fn every_goal_has_a_limit_and_a_benchmark() {
        let goals = all().unwrap();
        assert!(goals.len() > 5);
        for goal in goals {
            assert!(goal.at_most.is_some() || goal.at_least.is_some(), "{goal:?}");
            assert!(benchmarks::ALL.iter().any(|benchmark| benchmark.name == goal.benchmark), "{goal:?}");
        }
    }

    #[test]
    fn a_ratio_above_its_limit_is_a_miss_and_one_at_it_is_not() {
        let goals = [goal(r#"{"benchmark":"b","case":"c","contender":"ours","of":"floor","at_most":1.2}"#)];
        assert!(judge(&goals, "b", &figures(120.0, 100.0))[0].kept());
        assert!(!judge(&goals, "b", &figures(121.0, 100.0))[0].kept());
        assert!(judge(&goals, "another", &figures(121.0, 100.0)).is_empty());
    }

    #[test]
    fn a_figure_below_its_least_is_a_miss() {
        let goals = [goal(r#"{"benchmark":"b","case":"c","contender":"ours","at_least":0.35}"#)];
        assert!(judge(&goals, "b", &figures(0.35, 1.0))[0].kept());
        assert!(!judge(&goals, "b", &figures(0.34, 1.0))[0].kept());
    }

    #[test]
    fn what_was_not_measured_is_a_miss() {
        let goals = [goal(r#"{"benchmark":"b","case":"c","contender":"ours","of":"gone","at_most":1}"#)];
        let verdict = judge(&goals, "b", &figures(1.0, 1.0)).remove(0);
        assert!(verdict.found.is_none() && !verdict.kept());
    }
}
