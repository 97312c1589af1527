//! Limits in the manner of the API's: they are enforced, and every reply tells their state.

mod bucket;
mod rule;

pub use rule::{Limits, UnknownLimits};

use std::collections::HashMap;
use std::time::Duration;

use http::{HeaderMap, HeaderName};

use self::bucket::Bucket;
use self::rule::Scope;
use crate::time::{Clock, Dates, rfc3339, rounded_up};

/// How long what was spent counts.
const MONTH: Duration = Duration::from_secs(30 * 86_400);
/// How long the spans are in which an acceleration is seen.
const SPAN: Duration = Duration::from_secs(10);
/// What a token costs, in millionths of a dollar.
const INPUT_PRICE: u64 = 3;
const OUTPUT_PRICE: u64 = 15;

/// Limit, remaining and reset of: requests, the tighter kind of token, input tokens, output tokens.
const HEADERS: [[HeaderName; 3]; 4] = [
    [
        HeaderName::from_static("anthropic-ratelimit-requests-limit"),
        HeaderName::from_static("anthropic-ratelimit-requests-remaining"),
        HeaderName::from_static("anthropic-ratelimit-requests-reset"),
    ],
    [
        HeaderName::from_static("anthropic-ratelimit-tokens-limit"),
        HeaderName::from_static("anthropic-ratelimit-tokens-remaining"),
        HeaderName::from_static("anthropic-ratelimit-tokens-reset"),
    ],
    [
        HeaderName::from_static("anthropic-ratelimit-input-tokens-limit"),
        HeaderName::from_static("anthropic-ratelimit-input-tokens-remaining"),
        HeaderName::from_static("anthropic-ratelimit-input-tokens-reset"),
    ],
    [
        HeaderName::from_static("anthropic-ratelimit-output-tokens-limit"),
        HeaderName::from_static("anthropic-ratelimit-output-tokens-remaining"),
        HeaderName::from_static("anthropic-ratelimit-output-tokens-reset"),
    ],
];

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
    /// The requests of this span and of the one before, by organisation.
    spans: HashMap<usize, (u128, u32, u32)>,
    dates: Dates,
}

/// Whose count it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Holder {
    Organization(usize),
    Workspace(usize),
}

/// What one holder may do with one class of models.
#[derive(Debug)]
struct Buckets {
    requests: Bucket,
    input: Bucket,
    output: Bucket,
}

#[derive(Debug, Default)]
struct Spent {
    month: u128,
    millionths: u64,
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
            spans: HashMap::new(),
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
        self.spans.insert(asker.organization, ramp);
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
        let [organization, workspace] = asker.holders();
        let mut told: Option<[(u32, u64, Duration, i128); 3]> = None;
        for holder in [organization, workspace] {
            let Some(buckets) = self.buckets(holder, &asker.class) else { continue };
            let state = buckets.state(now);
            told = Some(match told {
                None => state,
                Some([a, b, c]) => {
                    let [x, y, z] = state;
                    let less = |mine: (u32, u64, Duration, i128), other| {
                        if tighter(&other, &mine) { other } else { mine }
                    };
                    [less(a, x), less(b, y), less(c, z)]
                }
            });
        }
        let Some([requests, input, output]) = told else { return };
        let tightest = if input.3 <= output.3 { input } else { output };
        headers.reserve(24);
        for ([limit, remaining, reset], (per_minute, left, until_full, _)) in
            HEADERS.iter().zip([requests, tightest, input, output])
        {
            headers.insert(limit, per_minute.into());
            headers.insert(remaining, left.into());
            let full_at = clock.wall(now.saturating_add(until_full));
            if let Some(full_at) = self.dates.header(rounded_up(full_at), || rfc3339(full_at)) {
                headers.insert(reset, full_at);
            }
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
        let month = now.as_nanos() / MONTH.as_nanos();
        for (holder, whose) in asker.holders().into_iter().zip(["organization", "workspace"]) {
            let Some(most) = self.rule(holder, "").and_then(|rule| rule.spend) else { continue };
            let spent = self.spent.get(&holder).filter(|spent| spent.month == month);
            if spent.map_or(0, |spent| spent.millionths) >= most {
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
        let month = now.as_nanos() / MONTH.as_nanos();
        for holder in asker.holders() {
            let spent = self.spent.entry(holder).or_default();
            if spent.month != month {
                *spent = Spent { month, millionths: 0 };
            }
            spent.millionths = spent.millionths.saturating_add(millionths);
        }
    }

    /// The spans after one more request, if they do not grow too fast.
    fn ramp(&self, now: Duration, organization: usize) -> Result<(u128, u32, u32), Refused> {
        let span = now.as_nanos() / SPAN.as_nanos();
        let (known, count, before) = self.spans.get(&organization).copied().unwrap_or_default();
        let (count, before) = match span.saturating_sub(known) {
            0 => (count, before),
            1 => (0, count),
            _ => (0, 0),
        };
        let most = self.rules.iter().rev().find_map(|rule| rule.acceleration);
        if most.is_some_and(|most| count >= before.saturating_mul(2).saturating_add(most)) {
            let into = u64::try_from(now.as_nanos() % SPAN.as_nanos()).unwrap_or_default();
            return Err(Refused {
                message: "the rate grows too fast: grow it step by step".to_owned(),
                wait: Some(SPAN.saturating_sub(Duration::from_nanos(into))),
                code: Some("ramp_limit_exceeded"),
            });
        }
        Ok((span, count.saturating_add(1), before))
    }
}

impl Buckets {
    fn new(rule: &Limits) -> Self {
        let even = |count: Option<u32>| {
            let count = count.unwrap_or(u32::MAX);
            Bucket::new(count, count)
        };
        let requests = rule.requests.unwrap_or(u32::MAX);
        Self {
            requests: Bucket::new(requests, rule.burst.unwrap_or(requests)),
            input: even(rule.input),
            output: even(rule.output),
        }
    }

    fn check(&mut self, now: Duration, input_tokens: u64) -> Result<(), Refused> {
        // Output is counted when it is known, so the bucket may be in debt: it has to be out of it first.
        let needs = [
            ("requests", &mut self.requests, 1),
            ("input tokens", &mut self.input, input_tokens),
            ("output tokens", &mut self.output, 1),
        ];
        for (name, bucket, needed) in needs {
            let wait = bucket.wait_for(now, needed);
            if !wait.is_zero() {
                let per_minute = bucket.per_minute;
                let message = format!(
                    "the limit of {per_minute} {name} a minute is reached: wait as long as retry-after says"
                );
                return Err(Refused { message, wait: Some(wait), code: None });
            }
        }
        Ok(())
    }

    /// Limit, remaining, time until full and share that is full, of requests, input and output.
    fn state(&mut self, now: Duration) -> [(u32, u64, Duration, i128); 3] {
        [&mut self.requests, &mut self.input, &mut self.output].map(|bucket| {
            bucket.refill(now);
            (bucket.per_minute, bucket.remaining(), bucket.until_full(), bucket.full_share())
        })
    }
}

/// Whether less is left.
fn tighter(one: &(u32, u64, Duration, i128), other: &(u32, u64, Duration, i128)) -> bool {
    (one.1, one.0) < (other.1, other.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::ZERO;

    fn meters(texts: &[&str]) -> Meters {
        Meters::new(texts.iter().map(|text| text.parse().unwrap()).collect())
    }

    fn asker(class: &str) -> Asker {
        Asker { organization: 0, workspace: 0, class: class.to_owned() }
    }

    #[test]
    fn a_request_passes_again_exactly_when_the_wait_is_over() {
        let mut meters = meters(&["requests=7"]);
        for _ in 0..7 {
            meters.admit(NOW, &asker(""), 0).unwrap();
        }
        let wait = meters.admit(NOW, &asker(""), 0).unwrap_err().wait.unwrap();
        assert!(meters.admit(wait - Duration::from_nanos(1), &asker(""), 0).is_err());
        meters.admit(wait, &asker(""), 0).unwrap();
    }

    #[test]
    fn a_refused_request_costs_nothing() {
        let mut meters = meters(&["requests=1,input=5"]);
        assert!(meters.admit(NOW, &asker(""), 6).unwrap_err().message.contains("input tokens"));
        meters.admit(NOW, &asker(""), 5).unwrap();
    }

    #[test]
    fn output_in_debt_holds_the_next_request_back() {
        let mut meters = meters(&["output=60"]);
        meters.admit(NOW, &asker(""), 1).unwrap();
        meters.spend_output(NOW, &asker(""), 90);
        assert_eq!(meters.admit(NOW, &asker(""), 1).unwrap_err().wait, Some(Duration::from_secs(31)));
    }

    #[test]
    fn a_burst_is_what_comes_at_once_and_the_rate_is_the_same() {
        let mut meters = meters(&["requests=600,burst=2"]);
        meters.admit(NOW, &asker(""), 0).unwrap();
        meters.admit(NOW, &asker(""), 0).unwrap();
        assert_eq!(meters.admit(NOW, &asker(""), 0).unwrap_err().wait, Some(Duration::from_millis(100)));
        meters.admit(Duration::from_millis(100), &asker(""), 0).unwrap();
    }

    #[test]
    fn each_class_of_models_counts_apart_and_may_have_its_own_limit() {
        let mut meters = meters(&["requests=2", "opus:requests=1"]);
        assert_eq!((class("claude-opus-4-8"), class("m")), ("opus", "m"));
        meters.admit(NOW, &asker("opus"), 0).unwrap();
        assert!(meters.admit(NOW, &asker("opus"), 0).is_err());
        for _ in 0..2 {
            meters.admit(NOW, &asker("haiku"), 0).unwrap();
        }
        assert!(meters.admit(NOW, &asker("haiku"), 0).is_err());
    }

    #[test]
    fn a_workspace_has_its_limits_besides_those_of_its_organisation() {
        let mut meters = meters(&["requests=3", "workspace:requests=2"]);
        let at = |workspace| Asker { workspace, ..asker("") };
        for (workspace, passes) in [(0, true), (0, true), (0, false), (1, true), (1, false)] {
            assert_eq!(meters.admit(NOW, &at(workspace), 0).is_ok(), passes, "workspace {workspace}");
        }
        let other = Asker { organization: 9, ..at(9) };
        meters.admit(NOW, &other, 0).unwrap();
    }

    #[test]
    fn what_was_spent_counts_for_a_month_and_no_wait_is_told() {
        let mut meters = meters(&["spend=0.000018"]);
        meters.admit(NOW, &asker(""), 1).unwrap();
        meters.spend_output(NOW, &asker(""), 1);
        let refused = meters.admit(NOW, &asker("opus"), 1).unwrap_err();
        assert_eq!((refused.wait, refused.code), (None, Some("enforced_spend_limit_reached")));
        meters.admit(MONTH, &asker(""), 1).unwrap();
    }

    #[test]
    fn a_rate_may_double_but_not_leap() {
        let mut meters = meters(&["acceleration=2"]);
        let mut pass = |at: u64, count: usize| {
            let at = Duration::from_secs(at);
            (0..count).filter(|_| meters.admit(at, &asker(""), 0).is_ok()).count()
        };
        assert_eq!((pass(0, 9), pass(10, 9), pass(25, 99)), (2, 6, 14));
        let refused = meters.admit(Duration::from_secs(25), &asker(""), 0).unwrap_err();
        assert_eq!((refused.wait, refused.code), (Some(Duration::from_secs(5)), Some("ramp_limit_exceeded")));
    }
}
