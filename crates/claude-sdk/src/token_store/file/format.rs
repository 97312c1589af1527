//! The official SDKs' `credentials/<profile>.json`: `version`, `type`, `access_token`, `refresh_token`, `expires_at`
//! in Unix seconds, `scope`, and members that are theirs.

use std::time::{Duration, SystemTime};

use auth_core::{ScopeSet, Snapshot};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};

/// The largest credentials file that is read, in bytes.
pub(super) const SIZE_LIMIT: usize = 1024 * 1024;

pub(super) fn parse(bytes: &[u8]) -> Result<Snapshot, &'static str> {
    let members = object(bytes)?;
    if members.get("type").is_some_and(|kind| kind != "oauth_token") {
        return Err("its type is not oauth_token");
    }
    let access_token = text(&members, "access_token")?.ok_or("it has no access_token")?;
    let expires_at = match members.get("expires_at") {
        None | Some(Value::Null) => None,
        Some(value) => {
            let seconds = value.as_f64().filter(|seconds| (0.0..=1e11).contains(seconds));
            let seconds = seconds.ok_or("its expires_at is not a time in Unix seconds")?;
            SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs_f64(seconds))
        }
    };
    Ok(Snapshot {
        access_token: SecretString::from(access_token),
        refresh_token: text(&members, "refresh_token")?.map(SecretString::from),
        expires_at,
        scopes: text(&members, "scope")?.map(|scope| ScopeSet::parse(&scope)),
        generation: 0,
        extra: Map::new(),
    })
}

pub(super) fn render(former: Option<&[u8]>, snapshot: &Snapshot) -> Result<Vec<u8>, &'static str> {
    let mut members = former.map(object).transpose()?.unwrap_or_default();
    members.entry("version").or_insert_with(|| "1.0".into());
    members.insert("type".into(), "oauth_token".into());
    members.insert("access_token".into(), snapshot.access_token.expose_secret().into());
    set(
        &mut members,
        "refresh_token",
        snapshot.refresh_token.as_ref().map(|token| token.expose_secret().into()),
    );
    let expires_at = snapshot.expires_at.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
    set(&mut members, "expires_at", expires_at.map(|since| since.as_secs().into()));
    if let Some(scopes) = &snapshot.scopes {
        members.insert("scope".into(), scopes.to_string().into());
    }
    let mut bytes = serde_json::to_vec_pretty(&members).map_err(|_| "it cannot be written as JSON")?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn object(bytes: &[u8]) -> Result<Map<String, Value>, &'static str> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    serde_json::from_slice(bytes).map_err(|_| "it is not a JSON object")
}

fn text(members: &Map<String, Value>, name: &str) -> Result<Option<String>, &'static str> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err("a member that should be text is not"),
    }
}

fn set(members: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    match value {
        Some(value) => members.insert(name.into(), value),
        None => members.remove(name),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_of_others_survive_a_rewrite() {
        let former =
            br#"{"version":"1.0","type":"oauth_token","access_token":"a","account_email":"e@x","new":[1]}"#;
        let snapshot = Snapshot {
            access_token: "b".into(),
            refresh_token: Some("r".into()),
            expires_at: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_900_000_000)),
            scopes: None,
            generation: 3,
            extra: Map::new(),
        };
        let bytes = render(Some(former), &snapshot).unwrap();
        let value: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(
            value,
            serde_json::json!({
                "version": "1.0", "type": "oauth_token", "access_token": "b", "refresh_token": "r",
                "expires_at": 1_900_000_000, "account_email": "e@x", "new": [1]
            })
        );
        let back = parse(&bytes).unwrap();
        assert_eq!(back.access_token.expose_secret(), "b");
        assert_eq!(back.expires_at, snapshot.expires_at);
    }

    #[test]
    fn what_is_no_session_is_named_without_its_content() {
        let cases: [(&[u8], &str); 6] = [
            (b"", "JSON"),
            (b"[]", "JSON"),
            (br#"{"type":"other","access_token":"canary"}"#, "type"),
            (br#"{"refresh_token":"canary"}"#, "access_token"),
            (br#"{"access_token":7}"#, "text"),
            (br#"{"access_token":"canary","expires_at":"soon"}"#, "expires_at"),
        ];
        for (bytes, what) in cases {
            let error = parse(bytes).unwrap_err();
            assert!(error.contains(what) && !error.contains("canary"), "{error}");
        }
    }
}
