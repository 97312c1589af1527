//! What is allowed, and to whom, as settings and as text.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use super::class;

/// What one scope is allowed; what is not set is as in the wider scope.
///
/// Requests and tokens are counted for each **model class** apart, which is the line of a model: `opus`, `sonnet`, `haiku`.
/// Calls that name no model count apart, too. A rule for the organisation is for each of its classes, one for a class
/// replaces it there, and one for workspaces counts besides: a request has to pass both.
///
/// As a text: `requests=20,burst=5,input=10000,output=4000`, with `workspace:` or a class such as `sonnet:` before it. The
/// organisation and a workspace may have `spend=0.50` (dollars in 30 days, at 3 dollars for a million input tokens and 15 for
/// output), the organisation `acceleration=10` (the requests by which ten seconds may exceed twice the ten before).
///
/// ```
/// use mock_server::Limits;
///
/// let told: Limits = "sonnet:requests=20,output=4000".parse()?;
/// assert_eq!(told, Limits::model_class("sonnet").requests_per_minute(20).output_tokens_per_minute(4000));
/// # Ok::<(), mock_server::UnknownLimits>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    pub(crate) scope: Scope,
    pub(crate) requests: Option<u32>,
    pub(crate) burst: Option<u32>,
    pub(crate) input: Option<u32>,
    pub(crate) output: Option<u32>,
    /// In millionths of a dollar.
    pub(crate) spend: Option<u64>,
    pub(crate) acceleration: Option<u32>,
}

/// Whom a rule is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    Organization,
    Workspace,
    Class(String),
}

/// A text that says no limits. It is not told, because it may be a secret in the wrong place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownLimits;

impl fmt::Display for UnknownLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "no limits are written like this; write `requests=20,burst=5,input=10000,output=4000`, after `workspace:` or a class such \
             as `sonnet:` where it is for these; `spend=0.50` (dollars) for all or for `workspace:`; `acceleration=10` for all; \
             each at least 1",
        )
    }
}

impl std::error::Error for UnknownLimits {}

impl Limits {
    /// The limits of each organisation.
    #[must_use]
    pub fn organization() -> Self {
        Self::of(Scope::Organization)
    }

    /// The limits of each workspace, which count besides those of its organisation.
    #[must_use]
    pub fn workspace() -> Self {
        Self::of(Scope::Workspace)
    }

    /// The limits of an organisation for one class of models, such as `sonnet`.
    #[must_use]
    pub fn model_class(class: impl Into<String>) -> Self {
        Self::of(Scope::Class(class.into()))
    }

    /// Sets how many requests a minute are let in.
    #[must_use]
    pub fn requests_per_minute(mut self, requests: u32) -> Self {
        self.requests = Some(requests);
        self
    }

    /// Sets how many requests may come at once after a quiet time; without it a minute's worth.
    #[must_use]
    pub fn request_burst(mut self, requests: u32) -> Self {
        self.burst = Some(requests);
        self
    }

    /// Sets how many input tokens a minute are let in.
    #[must_use]
    pub fn input_tokens_per_minute(mut self, tokens: u32) -> Self {
        self.input = Some(tokens);
        self
    }

    /// Sets how many output tokens a minute are let in.
    #[must_use]
    pub fn output_tokens_per_minute(mut self, tokens: u32) -> Self {
        self.output = Some(tokens);
        self
    }

    /// Sets what may be spent in 30 days, in cents; not for a class.
    #[must_use]
    pub fn spend_cents(mut self, cents: u32) -> Self {
        self.spend = Some(u64::from(cents) * 10_000);
        self
    }

    /// Sets by how many requests ten seconds may exceed twice the ten before; only for the organisation.
    #[must_use]
    pub fn acceleration(mut self, requests: u32) -> Self {
        self.acceleration = Some(requests);
        self
    }

    fn of(scope: Scope) -> Self {
        let (requests, burst, input, output, spend, acceleration) = (None, None, None, None, None, None);
        Self { scope, requests, burst, input, output, spend, acceleration }
    }

    /// Whether nothing is zero, and nothing is limited where it is not counted.
    pub(crate) fn fits(&self) -> bool {
        let counts = [self.requests, self.burst, self.input, self.output, self.acceleration];
        let class = matches!(self.scope, Scope::Class(_));
        let named = match &self.scope {
            Scope::Class(name) => !name.is_empty(),
            _ => true,
        };
        named
            && !counts.contains(&Some(0))
            && !(class && self.spend.is_some())
            && (self.scope == Scope::Organization || self.acceleration.is_none())
    }

    /// What is wrong where this is for a class that none of the models is of.
    pub(crate) fn misses(&self, models: &[String]) -> Option<String> {
        let classes: BTreeSet<&str> = models.iter().map(|model| class(model)).collect();
        match &self.scope {
            Scope::Class(name) if !classes.contains(name.as_str()) => {
                let known = classes.iter().map(|class| format!("`{class}`")).collect::<Vec<_>>().join(", ");
                Some(format!("limits are for a class that no model is of; the classes are {known}"))
            }
            _ => None,
        }
    }

    /// Takes what `other` sets.
    pub(crate) fn overlay(&mut self, other: &Self) {
        self.requests = other.requests.or(self.requests);
        self.burst = other.burst.or(self.burst);
        self.input = other.input.or(self.input);
        self.output = other.output.or(self.output);
        self.spend = other.spend.or(self.spend);
        self.acceleration = other.acceleration.or(self.acceleration);
    }
}

impl FromStr for Limits {
    type Err = UnknownLimits;

    fn from_str(text: &str) -> Result<Self, UnknownLimits> {
        let (scope, rest) = match text.split_once(':') {
            None | Some(("organization", _)) => {
                (Scope::Organization, text.trim_start_matches("organization:"))
            }
            Some(("workspace", rest)) => (Scope::Workspace, rest),
            Some((class, rest)) => (Scope::Class(class.to_owned()), rest),
        };
        let mut limits = Self::of(scope);
        for part in rest.split(',') {
            limits.set(part).ok_or(UnknownLimits)?;
        }
        if limits.fits() { Ok(limits) } else { Err(UnknownLimits) }
    }
}

impl Limits {
    /// Reads `requests=20`.
    fn set(&mut self, part: &str) -> Option<()> {
        let (name, value) = part.split_once('=')?;
        let place = match name.trim() {
            "requests" => &mut self.requests,
            "burst" => &mut self.burst,
            "input" => &mut self.input,
            "output" => &mut self.output,
            "acceleration" => &mut self.acceleration,
            "spend" => {
                self.spend = Some(millionths(value.trim())?);
                return Some(());
            }
            _ => return None,
        };
        *place = Some(value.trim().parse().ok()?);
        Some(())
    }
}

/// Reads dollars with up to six digits after the point.
fn millionths(dollars: &str) -> Option<u64> {
    let (whole, part) = dollars.split_once('.').unwrap_or((dollars, ""));
    let digits = |text: &str| text.len() <= 6 && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(part) {
        return None;
    }
    let part: u64 = format!("{part:0<6}").parse().ok()?;
    whole.parse::<u64>().ok()?.checked_mul(1_000_000)?.checked_add(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_says_what_the_settings_say() {
        let cases = [
            ("requests=20, burst=5", Limits::organization().requests_per_minute(20).request_burst(5)),
            ("organization:input=7", Limits::organization().input_tokens_per_minute(7)),
            ("workspace:output=9,spend=0.5", Limits::workspace().output_tokens_per_minute(9).spend_cents(50)),
            ("opus:requests=1", Limits::model_class("opus").requests_per_minute(1)),
            ("acceleration=10,spend=12", Limits::organization().acceleration(10).spend_cents(1200)),
        ];
        for (text, limits) in cases {
            assert_eq!(text.parse(), Ok(limits), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused_and_says_how_to_write_it() {
        for text in [
            "",
            "requests",
            "requests=0",
            "requests=-1",
            "requests=many",
            "speed=9",
            ":requests=1",
            "opus:spend=1",
            "workspace:acceleration=1",
            "spend=1.2345678",
            "spend=.",
        ] {
            let error = text.parse::<Limits>().unwrap_err().to_string();
            assert!(error.contains("write `requests=20"), "{text}: {error}");
        }
        let error = "sk-ant-api03-x:requests=0".parse::<Limits>().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("sk-ant"), "{error}");
    }

    #[test]
    fn a_class_that_no_model_is_of_is_told_with_those_there_are() {
        let models = ["claude-sonnet-5-5", "claude-opus-5", "claude-opus-4-8"].map(str::to_owned);
        assert_eq!(Limits::model_class("opus").misses(&models), None);
        assert_eq!(Limits::workspace().misses(&models), None);
        let told = Limits::model_class("sonet").misses(&models).unwrap();
        assert!(told.ends_with("the classes are `opus`, `sonnet`"), "{told}");
    }
}
