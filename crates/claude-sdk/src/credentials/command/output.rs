//! What a helper printed, read.

use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};

use crate::{
    credentials::{Credential, Grant, Scheme},
    error::HelperProblem,
    instant,
};

/// No life is longer: ten years.
const LONGEST: f64 = 10.0 * 365.0 * 86_400.0;

pub(super) fn read(printed: &[u8], prints: Scheme, asked_at: SystemTime) -> Result<Grant, HelperProblem> {
    let text = printed.strip_prefix(b"\xef\xbb\xbf").unwrap_or(printed).trim_ascii();
    match text.first() {
        None => Err(HelperProblem::Empty),
        Some(b'{') => object(text, asked_at),
        Some(_) if text.contains(&b'\n') => Err(HelperProblem::ManyLines),
        Some(_) => {
            let text = std::str::from_utf8(text).map_err(|_| HelperProblem::NotAToken)?;
            Ok(Grant { credential: credential(text, prints)?, expires_at: None })
        }
    }
}

fn object(text: &[u8], asked_at: SystemTime) -> Result<Grant, HelperProblem> {
    let members: Map<String, Value> =
        serde_json::from_slice(text).map_err(|_| HelperProblem::Json("it is not one whole object"))?;
    let names = [("access_token", Scheme::Token), ("token", Scheme::Token), ("api_key", Scheme::ApiKey)];
    let mut found = names.into_iter().filter_map(|(name, scheme)| Some((members.get(name)?, scheme)));
    let credential = match (found.next(), found.next()) {
        (Some((Value::String(text), scheme)), None) => credential(text, scheme)?,
        (Some(_), None) => return Err(HelperProblem::Json("the token is not a string")),
        (Some(_), Some(_)) => {
            return Err(HelperProblem::Json("it has two of `access_token`, `token` and `api_key`"));
        }
        (None, _) => return Err(HelperProblem::Json("it has no `access_token`, `token` or `api_key`")),
    };
    let at = members.get("expires_at").filter(|value| !value.is_null()).map(time).transpose()?;
    let after = members.get("expires_in").filter(|value| !value.is_null()).map(lifetime).transpose()?;
    let after = after.and_then(|lifetime| asked_at.checked_add(lifetime));
    // Where both are told, the earlier one is the safe one.
    let expires_at = at.into_iter().chain(after).min();
    Ok(Grant { credential, expires_at })
}

fn credential(text: &str, scheme: Scheme) -> Result<Credential, HelperProblem> {
    Credential::new(text.into(), scheme, 0).map_err(|_| HelperProblem::NotAToken)
}

fn time(value: &Value) -> Result<SystemTime, HelperProblem> {
    let seconds = |seconds: f64| {
        let since = Duration::try_from_secs_f64(seconds).ok().filter(|_| seconds <= 1e11)?;
        SystemTime::UNIX_EPOCH.checked_add(since)
    };
    let time = match value {
        Value::Number(number) => number.as_f64().and_then(seconds),
        Value::String(text) => instant::read(text),
        _ => None,
    };
    time.ok_or(HelperProblem::Json(
        "its `expires_at` is neither Unix seconds nor a time as 2027-01-15T08:00:00Z",
    ))
}

fn lifetime(value: &Value) -> Result<Duration, HelperProblem> {
    let seconds = value.as_f64().filter(|seconds| (0.0..=LONGEST).contains(seconds));
    let lifetime = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    lifetime.ok_or(HelperProblem::Json("its `expires_in` is not a number of seconds"))
}
