//! Whether a whole message may be waited for.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::{error::ConfigError, types::MessageRequest};

/// Refuses a request whose answer may take longer than a silent connection lives, as the official SDKs do, with their
/// numbers: 128,000 tokens are expected to take an hour, and ten minutes are too long. What `extra` puts in place of the
/// request's own members counts.
///
/// # Errors
///
/// [`ConfigError::TooLongToWait`]; it says what to do instead.
#[inline]
pub(crate) fn check(request: &MessageRequest, extra: &Map<String, Value>) -> Result<(), ConfigError> {
    let (model, max_tokens) = (request.model.as_str(), request.max_tokens);
    if !extra.is_empty() {
        return replaced(model, max_tokens, extra);
    }
    of(model, max_tokens)
}

#[cold]
#[inline(never)]
fn replaced(model: &str, max_tokens: u32, extra: &Map<String, Value>) -> Result<(), ConfigError> {
    let model = extra.get("model").and_then(Value::as_str).unwrap_or(model);
    let other = extra.get("max_tokens").and_then(Value::as_u64);
    of(model, other.map_or(max_tokens, |other| other.try_into().unwrap_or(u32::MAX)))
}

#[inline]
fn of(model: &str, max_tokens: u32) -> Result<(), ConfigError> {
    if max_tokens <= SLOW_MOST {
        return Ok(());
    }
    let expected = Duration::from_secs(3600) * max_tokens / 128_000;
    if expected > LONGEST || SLOW_MODELS.contains(&plain(model)) {
        return Err(ConfigError::TooLongToWait { max_tokens });
    }
    Ok(())
}

/// The name without what cloud platforms put around it: `us.anthropic.` before, `@20250514` or `-v1:0` after.
fn plain(model: &str) -> &str {
    let model = model.rsplit_once("anthropic.").map_or(model, |(_, name)| name);
    let model = model.split_once(['@', ':']).map_or(model, |(name, _)| name);
    let model = model.strip_suffix("-v1").unwrap_or(model);
    let date = |name: &str| name.len() == 8 && name.bytes().all(|byte| byte.is_ascii_digit());
    match model.rsplit_once('-') {
        Some((name, end)) if date(end) => name,
        _ => model,
    }
}

const LONGEST: Duration = Duration::from_secs(600);
/// Models that write so slowly that less is too much already.
const SLOW_MODELS: [&str; 4] = ["claude-opus-4", "claude-opus-4-0", "claude-4-opus", "claude-opus-4-1"];
/// So many tokens any model writes in time.
const SLOW_MOST: u32 = 8_192;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn more_than_ten_minutes_are_too_long_to_wait_for() {
        let ask = |model: &str, max_tokens| {
            check(&MessageRequest::new(model, max_tokens).user("x"), &Map::new()).is_ok()
        };
        for model in ["claude-opus-5", "claude-opus-4-5", "claude-opus-4-1-mini"] {
            assert!(ask(model, 21_333), "{model}");
            assert!(!ask(model, 21_334), "{model}");
        }
        for model in [
            "claude-opus-4-0",
            "claude-opus-4-20250514",
            "claude-4-opus-20250514",
            "claude-opus-4-1",
            "claude-opus-4-1-20250805",
            "claude-opus-4-1@20250805",
            "us.anthropic.claude-opus-4-1-20250805-v1:0",
            "anthropic.claude-opus-4-20250514-v1:0",
        ] {
            assert!(ask(model, 8_192) && !ask(model, 8_193), "{model}");
        }
    }

    #[test]
    fn what_is_put_in_place_of_a_member_counts() {
        let ask = |extra: Value| {
            check(&MessageRequest::new("claude-opus-5", 9_000).user("x"), extra.as_object().unwrap())
        };
        assert!(ask(json!({"max_tokens": 21_333})).is_ok());
        assert!(ask(json!({"max_tokens": 21_334})).is_err());
        assert!(ask(json!({"max_tokens": u64::MAX})).is_err());
        assert!(ask(json!({"model": "claude-opus-4-1"})).is_err());
        assert!(ask(json!({"model": "claude-opus-4-1", "max_tokens": 8_000})).is_ok());
        assert!(ask(json!({"max_tokens": "many", "other": 1})).is_ok());
    }
}
