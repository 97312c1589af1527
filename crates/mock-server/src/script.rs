//! Scripts: files in TOML that say what a server answers and what goes wrong.

mod reply;

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use self::reply::ReplyTable;
use crate::builder::Builder;
use crate::fault::Fault;
use crate::limits::{Limits, UnknownLimits};
use crate::people::Person;
use crate::shape::hidden;
use crate::state::DEFAULT_MODELS;

/// What a script file says; [`Builder::play`] takes it.
///
/// docs/mock.md describes the format.
///
/// ```
/// use mock_server::{MockServer, Script};
///
/// let script = Script::read(
///     r#"
///     [[reply]]
///     match = "weather"
///     tool = { name = "get_weather", input = { city = "Oslo" } }
///
///     [[fault]]
///     do = "status 529"
///     times = 2
///     "#,
/// )?;
/// let builder = MockServer::builder().play(script);
/// # drop(builder);
/// let error = Script::read("\n[[reply]]\ntxt = 'hi'").unwrap_err();
/// assert!(error.to_string().starts_with("line 3: "), "{error}");
/// # Ok::<(), mock_server::ScriptError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Script(File);

/// A script that cannot be played.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScriptError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub message: String,
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

impl std::error::Error for ScriptError {}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct File {
    seed: Option<u64>,
    models: Option<Spanned<Vec<String>>>,
    access_token_seconds: Option<Spanned<u64>>,
    refresh_token_seconds: Option<Spanned<u64>>,
    refresh_reuse_seconds: Option<u64>,
    batch_seconds: Option<u64>,
    limits: Vec<Spanned<String>>,
    person: Vec<PersonTable>,
    reply: Vec<Spanned<ReplyTable>>,
    fault: Vec<FaultTable>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct PersonTable {
    email: String,
    organization: String,
    workspaces: Option<Vec<String>>,
    #[serde(default)]
    verified_by_mail: bool,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct FaultTable {
    r#do: Spanned<String>,
    on: Option<Spanned<String>>,
    times: Option<Spanned<u32>>,
    #[serde(default)]
    always: bool,
    probability: Option<Spanned<f64>>,
    credential: Option<String>,
}

impl fmt::Debug for FaultTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultTable").field("do", &self.r#do).finish_non_exhaustive()
    }
}

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    ///
    /// [`ScriptError`], with the line, if it is no TOML, says something unknown, or something that cannot be, such as limits for a
    /// class that none of its `models` (without them, of the API's) is of.
    pub fn read(text: &str) -> Result<Self, ScriptError> {
        let file: File = toml::from_str(text).map_err(|error| {
            let message = error.message().replace('\n', " ");
            at(text, error.span().unwrap_or_default(), &message)
        })?;
        let script = Self(file);
        // Whatever it says is tried now, while the lines are known.
        script.pieces().map_err(|(span, message)| at(text, span, &message))?;
        Ok(script)
    }

    /// The models there will be.
    fn models(&self) -> Result<Vec<String>, Wrong> {
        match &self.0.models {
            None => Ok(DEFAULT_MODELS.map(str::to_owned).to_vec()),
            Some(models) if models.get_ref().is_empty() => {
                Err((models.span(), "give at least one model, or leave `models` out".to_owned()))
            }
            Some(models) => Ok(models.get_ref().clone()),
        }
    }

    fn pieces(&self) -> Result<Pieces, Wrong> {
        let models = self.models()?;
        for life in [&self.0.access_token_seconds, &self.0.refresh_token_seconds].into_iter().flatten() {
            least(life, &1)?;
        }
        let read = |text: &Spanned<String>| {
            let wrong = |told: String| (text.span(), told);
            let limits: Limits =
                text.get_ref().parse().map_err(|error: UnknownLimits| wrong(error.to_string()))?;
            limits.misses(&models).map_or(Ok(limits), |told| Err(wrong(told)))
        };
        let limits = self.0.limits.iter().map(read).collect::<Result<_, _>>()?;
        let told = |reply: &Spanned<ReplyTable>| {
            reply.get_ref().read().map_err(|(span, message)| (span.unwrap_or(reply.span()), message))
        };
        let replies = self.0.reply.iter().map(told).collect::<Result<_, _>>()?;
        let faults = self.0.fault.iter().map(FaultTable::read).collect::<Result<_, _>>()?;
        Ok(Pieces { limits, replies, faults })
    }
}

/// Where something is wrong, and what.
type Wrong = (Range<usize>, String);

/// What the tables of a script come to.
struct Pieces {
    limits: Vec<Limits>,
    replies: Vec<crate::Reply>,
    faults: Vec<Fault>,
}

impl Builder {
    /// Plays a script: its settings, replies and faults take the place of those set before.
    pub fn play(mut self, script: Script) -> Self {
        if let Ok(Pieces { limits, replies, faults }) = script.pieces() {
            self.limits.extend(limits);
            self = self.script(replies).faults(faults);
        }
        let file = script.0;
        self.seed = file.seed.or(self.seed);
        self.models = file.models.map_or(self.models, Spanned::into_inner);
        for (place, told) in [
            (&mut self.access_token_ttl, file.access_token_seconds.map(Spanned::into_inner)),
            (&mut self.refresh_token_ttl, file.refresh_token_seconds.map(Spanned::into_inner)),
            (&mut self.refresh_reuse_window, file.refresh_reuse_seconds),
            (&mut self.batch_time, file.batch_seconds),
        ] {
            *place = told.map_or(*place, Duration::from_secs);
        }
        if !file.person.is_empty() {
            self.people = file.person.into_iter().map(PersonTable::read).collect();
        }
        self
    }
}

impl PersonTable {
    fn read(self) -> Person {
        let mut person = Person::new(self.email, self.organization);
        if let Some(workspaces) = self.workspaces {
            person = person.workspaces(workspaces);
        }
        if self.verified_by_mail { person.verified_by_mail() } else { person }
    }
}

impl FaultTable {
    fn read(&self) -> Result<Fault, Wrong> {
        let mut fault = fault(&self.r#do)?;
        if let Some(path) = &self.on {
            fault = fault.on(place(path)?);
        }
        if let Some(times) = &self.times {
            fault = fault.times(often(times, self.always)?);
        }
        if self.always {
            fault = fault.always();
        }
        if let Some(probability) = &self.probability {
            if !(0.0..=1.0).contains(probability.get_ref()) {
                return Err((probability.span(), "a probability is a number from 0 to 1".to_owned()));
            }
            fault = fault.probability(*probability.get_ref());
        }
        if let Some(secret) = &self.credential {
            fault = fault.credential(secret);
        }
        Ok(fault)
    }
}

/// A path.
fn place(on: &Spanned<String>) -> Result<&str, Wrong> {
    match on.get_ref() {
        path if path.starts_with('/') => Ok(path),
        _ => Err((on.span(), "`on` is a path, which begins with a slash".to_owned())),
    }
}

/// How often, where it is not always.
fn often(times: &Spanned<u32>, always: bool) -> Result<u32, Wrong> {
    if always {
        return Err((times.span(), "give `times` or `always`, not both".to_owned()));
    }
    least(times, &1)
}

fn least<N: Copy + PartialOrd + fmt::Display>(told: &Spanned<N>, least: &N) -> Result<N, Wrong> {
    if told.get_ref() < least {
        return Err((told.span(), format!("give at least {least}, or leave it out")));
    }
    Ok(*told.get_ref())
}

fn fault(text: &Spanned<String>) -> Result<Fault, Wrong> {
    text.get_ref().parse().map_err(|error: crate::UnknownFault| (text.span(), error.to_string()))
}

fn at(text: &str, span: Range<usize>, message: &str) -> ScriptError {
    let message = hidden(message).into_owned();
    let before = text.get(..span.start).unwrap_or(text);
    ScriptError { line: before.bytes().filter(|byte| *byte == b'\n').count() + 1, message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mistake_is_told_with_its_line() {
        let cases = [
            ("speed = 1", 1, "unknown field `speed`"),
            ("\n[[reply]", 2, ""),
            ("[[reply]]\ntext = 'a'\n\n[[fault]]\ndo = 'explode'", 5, "no such fault"),
            ("limits = [\n'requests=1',\n'opus:spend=1']", 3, "no limits are written"),
            ("\nlimits = ['sonet:requests=1']", 2, "`opus`, `sonnet`"),
            ("models = ['m']\nlimits = ['sonnet:requests=1']", 2, "the classes are `m`"),
            ("access-token-seconds = 0", 1, "at least 1"),
            ("refresh-token-seconds = 0", 1, "at least 1"),
            ("[[fault]]\ndo = 'garbage'\non = 'v1'", 3, "begins with a slash"),
            ("[[fault]]\ndo = 'garbage'\ntimes = 0", 3, "at least 1"),
            ("[[fault]]\ndo = 'garbage'\nalways = true\ntimes = 3", 4, "not both"),
            ("[[reply]]\ntext = 'a'\non = 'v1'", 3, "begins with a slash"),
            ("[[reply]]\ntext = 'a'\ntimes = 0", 3, "at least 1"),
            ("[[reply]]\ntext = 'a'\nalways = true\ntimes = 3", 4, "not both"),
            ("[[reply]]\ntext = 'a'\nchunk-bytes = 0", 3, "at least 1"),
            ("[[reply]]\ntext = 'a'\nfault = 'close accept'", 3, "no answer"),
            ("[[reply]]\nerror = { status = 200 }", 2, "from 400"),
            ("models = []", 1, "at least one model"),
            ("[[fault]]\ndo = 'garbage'\nprobability = 2.0", 3, "from 0 to 1"),
            ("[[reply]]\ntext = 7", 2, "invalid type"),
            ("seed = 1\n[[reply]]\nheaders = { a = 'b' }", 2, "says nothing"),
            ("[[reply]]\ntext = 'a'\nhtml = 'b'", 1, "only one of"),
            ("[[reply]]\ntext = 'a'\nfault = 'no'", 3, "no such fault"),
            ("[[reply]]\nerror = { code = 'no_such' }", 2, "no such code"),
            ("[[reply]]\ntext = 'a'\nstatus = 99", 3, "a status"),
            ("[[reply]]\ntext = 'a'\nheaders = { 'a b' = 'c' }", 1, "a header"),
            ("[[person]]\nemail = 'a'", 1, "organization"),
        ];
        for (text, line, message) in cases {
            let error = Script::read(text).unwrap_err();
            assert!(error.line == line && error.message.contains(message), "{text}: {error}");
            assert!(!error.message.contains('\n'), "{error}");
        }
    }

    #[test]
    fn a_key_in_the_wrong_place_is_not_told() {
        for text in
            ["seed = 'sk-ant-api03-x'", "sk-ant-api03-x = 1", "limits = ['sk-ant-api03-x:requests=1']"]
        {
            let error = Script::read(text).unwrap_err();
            assert!(!error.message.contains("api03"), "{error}");
        }
    }

    #[test]
    fn an_empty_script_changes_nothing() {
        let before = format!("{:?}", Builder::new());
        assert_eq!(format!("{:?}", Builder::new().play(Script::read("").unwrap())), before);
    }

    #[test]
    fn a_credential_in_a_script_is_not_printed() {
        let script = Script::read("[[fault]]\ndo = 'garbage'\ncredential = 'the-secret'").unwrap();
        assert!(!format!("{script:?} {:?}", Builder::new().play(script.clone())).contains("the-secret"));
    }
}
