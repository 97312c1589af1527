//! Limits in the manner of the API's: they are enforced, and every reply tells their state.

mod bucket;
mod buckets;
mod headers;
mod ramp;
mod rule;
mod spent;
#[cfg(test)]
mod tests;

pub use rule::{Limits, UnknownLimits};

use std::collections::HashMap;
use std::time::Duration;

use http::HeaderMap;

use self::buckets::Buckets;
use self::ramp::Ramp;
use self::rule::Scope;
use self::spent::Spent;
use crate::time::{Clock, Dates};

/// What a token costs, in millionths of a dollar.
const INPUT_PRICE: u64 = 3;
const OUTPUT_PRICE: u64 = 15;

/// Who asks, and for which class of models.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asker {
    pub(crate) organization: usize,
    pub(crate) workspace: usize,
    /// Empty where no model is asked.
    pub(crate) class: String,
}

/// Why a request may not pass.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) message: String,
    /// For how long; none where waiting does not help.
    pub(crate) wait: Option<Duration>,
    pub(crate) code: Option<&'static str>,
}

/// All that is counted.
#[derive(Debug)]
pub(crate) struct Meters {
    rules: Vec<Limits>,
    buckets: HashMap<Holder, Vec<(String, Buckets)>>,
    spent: HashMap<Holder, Spent>,
    /// By organisation.
    ramps: HashMap<usize, Ramp>,
    dates: Dates,
}

/// Whose count it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Holder {
    Organization(usize),
    Workspace(usize),
}

impl Asker {
    fn holders(&self) -> [Holder; 2] {
        [Holder::Organization(self.organization), Holder::Workspace(self.workspace)]
    }
}

/// The class of a model: the first word of its name after `claude-`.
pub(crate) fn class(model: &str) -> &str {
    model.strip_prefix("claude-").unwrap_or(model).split('-').next().unwrap_or_default()
}

impl Meters {
    /// Full buckets, by rules of which the first is complete and for the organisation; later ones win.
    pub(crate) fn new(rules: Vec<Limits>) -> Self {
        Self {
            rules,
            buckets: HashMap::new(),
            spent: HashMap::new(),
            ramps: HashMap::new(),
            dates: Dates::default(),
        }
    }

    /// Takes one request and its input tokens, or nothing at all.
    pub(crate) fn admit(&mut self, now: Duration, asker: &Asker, input_tokens: u64) -> Result<(), Refused> {
        self.check_spend(now, asker)?;
        let ramp = self.ramp(now, asker.organization)?;
        for holder in asker.holders() {
            if let Some(buckets) = self.buckets(holder, &asker.class) {
                buckets.check(now, input_tokens)?;
            }
        }
        for holder in asker.holders() {
            if let Some(buckets) = self.buckets(holder, &asker.class) {
                buckets.requests.take(1);
                buckets.input.take(input_tokens);
            }
        }
        self.ramps.insert(asker.organization, ramp);
        self.spend(now, asker, input_tokens.saturating_mul(INPUT_PRICE));
        Ok(())
    }

    /// Counts what was generated.
    pub(crate) fn spend_output(&mut self, now: Duration, asker: &Asker, tokens: u64) {
        for holder in asker.holders() {
            if let Some(buckets) = self.buckets(holder, &asker.class) {
                buckets.output.take(tokens);
            }
        }
        self.spend(now, asker, tokens.saturating_mul(OUTPUT_PRICE));
    }

    /// Writes the twelve headers that tell limits, what is left, and when each bucket is full again: those of the organisation,
    /// or of the workspace where less is left to it.
    pub(crate) fn write(&mut self, now: Duration, asker: &Asker, clock: &Clock, headers: &mut HeaderMap) {
        let told = asker.holders().into_iter().filter_map(|holder| {
            let buckets = self.buckets(holder, &asker.class)?;
            Some(buckets.levels(now))
        });
        let tightest = told.reduce(|[a, b, c], [x, y, z]| [a.tighter(x), b.tighter(y), c.tighter(z)]);
        if let Some(levels) = tightest {
            headers::write(levels, now, clock, &mut self.dates, headers);
        }
    }

    /// The rule for a holder and a class; none where nothing limits a workspace.
    fn rule(&self, holder: Holder, class: &str) -> Option<Limits> {
        let mut rule: Option<Limits> = None;
        for other in &self.rules {
            let is_for = match (&other.scope, holder) {
                (Scope::Organization, Holder::Organization(_)) | (Scope::Workspace, Holder::Workspace(_)) => {
                    true
                }
                (Scope::Class(name), Holder::Organization(_)) => name == class,
                _ => false,
            };
            if is_for {
                rule.get_or_insert_with(|| other.clone()).overlay(other);
            }
        }
        rule
    }

    fn buckets(&mut self, holder: Holder, class: &str) -> Option<&mut Buckets> {
        let known = self.buckets.get(&holder).is_some_and(|all| all.iter().any(|(name, _)| name == class));
        if !known {
            let rule = self.rule(holder, class)?;
            self.buckets.entry(holder).or_default().push((class.to_owned(), Buckets::new(&rule)));
        }
        let all = self.buckets.get_mut(&holder)?;
        all.iter_mut().find(|(name, _)| name == class).map(|(_, buckets)| buckets)
    }

    fn check_spend(&self, now: Duration, asker: &Asker) -> Result<(), Refused> {
        if !self.rules.iter().any(|rule| rule.spend.is_some()) {
            return Ok(());
        }
        for (holder, whose) in asker.holders().into_iter().zip(["organization", "workspace"]) {
            let Some(most) = self.rule(holder, "").and_then(|rule| rule.spend) else { continue };
            if self.spent.get(&holder).map_or(0, |spent| spent.by(now)) >= most {
                return Err(Refused {
                    message: format!(
                        "the spend limit of the {whose} is reached: raise it, or wait for the next month"
                    ),
                    wait: None,
                    code: Some("enforced_spend_limit_reached"),
                });
            }
        }
        Ok(())
    }

    fn spend(&mut self, now: Duration, asker: &Asker, millionths: u64) {
        if !self.rules.iter().any(|rule| rule.spend.is_some()) {
            return;
        }
        for holder in asker.holders() {
            self.spent.entry(holder).or_default().add(now, millionths);
        }
    }

    /// The requests with one more, if they do not grow too fast.
    fn ramp(&self, now: Duration, organization: usize) -> Result<Ramp, Refused> {
        let known = self.ramps.get(&organization).copied().unwrap_or_default();
        known.and_one(now, self.rules.iter().rev().find_map(|rule| rule.acceleration))
    }
}
