//! Reading an answer that may have been written by anyone.

use std::{
    fmt,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{Response, StatusCode, header::RETRY_AFTER};
use secrecy::SecretString;
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::{Map, Value, value::RawValue};

use super::{Asked, ExchangeError, MAX_ANSWER};
use crate::{OAuthErrorCode, ScopeSet, TokenSet};

/// No lifetime is shorter: it is told in seconds (RFC 6749 section 5.1).
const MIN_LIFETIME: Duration = Duration::from_secs(1);
/// How long a token is taken to live when the server does not say, or says nonsense.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(3600);
/// No lifetime is longer: ten years.
const MAX_LIFETIME: Duration = Duration::from_secs(10 * 365 * 86_400);
/// No wait is longer: a day.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(86_400);
/// Where the Claude API tells its name for a request.
const REQUEST_ID: &str = "request-id";
/// The longest token, in bytes.
const MAX_TOKEN: usize = 64 * 1024;

pub(super) fn read(
    asked: &Asked,
    response: &Response<Bytes>,
    now: SystemTime,
) -> Result<TokenSet, ExchangeError> {
    if asked.is_revocation() {
        return Err(invalid("it answers a revocation, which gives no token"));
    }
    let body = response.body();
    if response.status() != StatusCode::OK {
        return Err(refusal(asked, response, now));
    }
    if body.len() > MAX_ANSWER {
        return Err(ExchangeError::TooLarge);
    }
    let members = Members::read(body).ok_or(ExchangeError::NotJson)?;
    if members.repeated {
        return Err(invalid("a member is there twice"));
    }
    tokens(asked, members, now)
}

fn tokens(asked: &Asked, mut members: Members<'_>, now: SystemTime) -> Result<TokenSet, ExchangeError> {
    match members.take_text("token_type") {
        Ok(Some(token_type)) if token_type.eq_ignore_ascii_case("bearer") => {}
        Ok(None) if asked.kind.may_omit_type() => {}
        Ok(None) => return Err(invalid("token_type is missing")),
        _ => return Err(invalid("token_type is not bearer")),
    }
    let access_token = members
        .take_text("access_token")
        .map_err(|NotText| invalid("access_token is not a string"))?
        .ok_or_else(|| invalid("access_token is missing"))?;
    if !is_token(&access_token) {
        return Err(invalid("access_token is empty, too long, or has characters that no token has"));
    }
    let refresh_token =
        members.take_text("refresh_token").map_err(|NotText| invalid("refresh_token is not a string"))?;
    let empty_refresh_token = refresh_token.as_deref() == Some("");
    let refresh_token = refresh_token.filter(|token| !token.is_empty());
    if refresh_token.as_deref().is_some_and(|token| !is_token(token)) {
        return Err(invalid("refresh_token is too long or has characters that no token has"));
    }
    let refresh_token = refresh_token.map(SecretString::from).or_else(|| asked.refresh_token.clone());
    let told = members.take_text("scope").ok().flatten().map(|text| ScopeSet::parse(&text));
    let some = |scopes: &ScopeSet| !scopes.is_empty();
    let (told, wanted) = (told.filter(some), Some(&asked.scopes).filter(|scopes| some(scopes)));
    let scope_change = wanted.zip(told.as_ref()).and_then(|(wanted, told)| wanted.changed_to(told));
    let scopes = told.or_else(|| wanted.cloned());
    let lifetime = match lifetime(members.take("expires_in")) {
        None if asked.kind.needs_lifetime() => {
            return Err(invalid("expires_in is missing or not a number above zero"));
        }
        None => (refresh_token.is_some() || asked.kind.is_repeatable()).then_some(DEFAULT_LIFETIME),
        told => told,
    };
    let expires_at = lifetime.and_then(|lifetime| now.checked_add(lifetime));
    let mut extra = Map::new();
    for (name, value) in members.values {
        let value = value
            .get()
            .parse()
            .map_err(|_| invalid("a member is nested too deeply or holds an impossible number"))?;
        extra.insert(name, value);
    }
    Ok(TokenSet {
        access_token: access_token.into(),
        refresh_token,
        empty_refresh_token,
        expires_at,
        scopes,
        scope_change,
        extra,
    })
}

/// Reads a lifetime so that no value makes a loop: what is not a number of one or more is as good as absent.
///
/// It is not an error: the refresh token beside it may be the only one left.
fn lifetime(expires_in: Option<&RawValue>) -> Option<Duration> {
    let raw = expires_in?.get();
    let text: String = match raw.parse() {
        Ok(Value::String(text)) => text,
        _ => raw.to_owned(),
    };
    let lifetime = Duration::try_from_secs_f64(text.trim().parse().ok()?).ok()?;
    (lifetime >= MIN_LIFETIME).then(|| lifetime.min(MAX_LIFETIME))
}

/// Reads the answer of a server that did not do what it was asked.
pub(super) fn refusal(asked: &Asked, response: &Response<Bytes>, now: SystemTime) -> ExchangeError {
    let kind = asked.kind;
    let status = response.status();
    let retry_after = retry_after(response, now);
    let body = response.body().get(..MAX_ANSWER).unwrap_or(response.body());
    let scrubber = asked.scrubber();
    let shown = |text: &str| Some(scrubber.clean(text)).filter(|text| !text.is_empty());
    let in_header = response.headers().get(REQUEST_ID).and_then(|id| shown(id.to_str().ok()?));
    // Of a member that comes twice nobody knows which one counts.
    let members = Members::read(body).filter(|members| !members.repeated);
    let Some(mut members) = members else {
        return ExchangeError::Status {
            kind,
            status,
            error_type: None,
            description: None,
            excerpt: shown(&String::from_utf8_lossy(body)).filter(|_| !could_hold_tokens(status, body)),
            retry_after,
            request_id: in_header,
        };
    };
    let mut words = |name| members.take_text(name).ok().flatten().and_then(|text| shown(&text));
    let request_id = in_header.or_else(|| words("request_id"));
    let description = words("error_description");
    let error = members.take("error").map(RawValue::get).unwrap_or_default();
    let told = serde_json::from_str::<String>(error).ok();
    if let Some(code) = told.and_then(|code| OAuthErrorCode::read(&code, |text| scrubber.clean(text)).said())
    {
        return ExchangeError::Refused { kind, status, code, description, retry_after, request_id };
    }
    let error = api_error(error);
    ExchangeError::Status {
        kind,
        status,
        description: error.as_ref().and_then(|(_, message)| shown(message.as_deref()?)),
        error_type: error.and_then(|(kind, _)| shown(&kind)),
        excerpt: None,
        retry_after,
        request_id,
    }
}

/// Tells whether a body could hold tokens: it answers a success, begins as JSON, however it goes on, or names a token.
fn could_hold_tokens(status: StatusCode, body: &[u8]) -> bool {
    let body = String::from_utf8_lossy(body);
    let text = body.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    status.is_success() || text.starts_with(['{', '[']) || text.contains("_token")
}

/// Type and message of the member `error` as the Claude API writes it (API documentation: errors).
fn api_error(error: &str) -> Option<(String, Option<String>)> {
    let mut members = Members::read(error.as_bytes()).filter(|members| !members.repeated)?;
    let kind = members.take_text("type").ok()??;
    Some((kind, members.take_text("message").ok()?))
}

/// Reads `Retry-After`, in seconds or as a date (RFC 9110 section 10.2.3); a date in the past is no wait.
fn retry_after(response: &Response<Bytes>, now: SystemTime) -> Option<Duration> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().map_or(MAX_RETRY_AFTER, Duration::from_secs)
    } else {
        httpdate::parse_http_date(text).ok()?.duration_since(now).unwrap_or_default()
    };
    Some(wait.min(MAX_RETRY_AFTER))
}

fn invalid(problem: &'static str) -> ExchangeError {
    ExchangeError::Invalid { problem }
}

fn is_token(text: &str) -> bool {
    (1..=MAX_TOKEN).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A member is there and is neither a string nor null.
struct NotText;

/// The members of one JSON object, not read further: an odd number in one does not spoil the others.
pub(super) struct Members<'a> {
    /// In the order of their names.
    values: Vec<(String, &'a RawValue)>,
    pub(super) repeated: bool,
}

impl<'a> Members<'a> {
    pub(super) fn read(body: &'a [u8]) -> Option<Self> {
        serde_json::from_str(str::from_utf8(body).ok()?).ok()
    }

    fn of(mut values: Vec<(String, &'a RawValue)>) -> Self {
        values.sort_unstable_by(|(left, _), (right, _)| left.cmp(right));
        let repeated = values.windows(2).any(|pair| matches!(pair, [(left, _), (right, _)] if left == right));
        Self { values, repeated }
    }

    /// Takes a member out.
    pub(super) fn take(&mut self, name: &str) -> Option<&'a RawValue> {
        let place = self.values.binary_search_by(|(member, _)| member.as_str().cmp(name)).ok()?;
        Some(self.values.remove(place).1)
    }

    fn take_text(&mut self, name: &str) -> Result<Option<String>, NotText> {
        match self.take(name) {
            None => Ok(None),
            Some(raw) => serde_json::from_str(raw.get()).map_err(|_| NotText),
        }
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut values = Vec::new();
                while let Some(member) = map.next_entry::<String, &'de RawValue>()? {
                    values.push(member);
                }
                Ok(Members::of(values))
            }
        }

        deserializer.deserialize_map(Object)
    }
}
