//! The official SDKs' `credentials/<profile>.json`: `version`, `type`, `access_token`, `refresh_token`, `expires_at`
//! in Unix seconds, `scope`, whose the session is, and members that are theirs.

use std::{
    fmt::Write as _,
    time::{Duration, SystemTime},
};

use auth_core::{ScopeSet, Snapshot};
use secrecy::{ExposeSecret, SecretString, zeroize::Zeroize as _};
use serde_json::{Map, Value};
#[cfg(feature = "profile")]
use url::Url;

use crate::types::wire;

/// Ours: where the access token goes, and where the refresh token. The official SDKs keep it, as they keep all they do
/// not know.
const DEPLOYMENT: &str = "deployment";
/// The room for a text that is written beside its values, in bytes: one that grows would leave pieces of tokens behind.
const ROOM: usize = 4096;
/// The version of the format that is read and written.
const MAJOR: u64 = 1;
/// Who the session is of: the file's member, and where an answer of the token endpoint says it.
const IDENTITY: [(&str, [&str; 2]); 5] = [
    ("organization_uuid", ["organization", "uuid"]),
    ("organization_name", ["organization", "name"]),
    ("account_email", ["account", "email_address"]),
    ("workspace_id", ["workspace", "id"]),
    ("workspace_name", ["workspace", "name"]),
];

/// Why a file holds no session that can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Problem {
    /// It is not what it should be; what is wrong, never the content.
    Corrupt(&'static str),
    /// It is of a later version.
    Newer,
}

pub(super) fn parse(bytes: &[u8]) -> Result<Snapshot, Problem> {
    let members = session(bytes)?;
    let access_token = text(&members, "access_token")?;
    let access_token = access_token.ok_or(Problem::Corrupt("it has no access_token"))?;
    let expires_at = match members.get("expires_at") {
        None | Some(Value::Null) => None,
        Some(value) => {
            let seconds = value.as_f64().filter(|seconds| (0.0..=1e11).contains(seconds));
            let seconds = seconds.ok_or(Problem::Corrupt("its expires_at is not a time in Unix seconds"))?;
            SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs_f64(seconds))
        }
    };
    Ok(Snapshot {
        access_token: SecretString::from(access_token),
        refresh_token: text(&members, "refresh_token")?.map(SecretString::from),
        expires_at,
        scopes: text(&members, "scope")?.map(|scope| ScopeSet::parse(&scope)),
        generation: 0,
        extra: identity_of(&members),
    })
}

/// Where tokens go, as it is written down with them.
#[cfg(feature = "profile")]
pub(super) fn deployment(api: &Url, token_endpoint: &Url) -> Value {
    let api = api.origin().ascii_serialization();
    serde_json::json!({ "api": api, "token_endpoint": token_endpoint.as_str() })
}

/// The deployment that the tokens are for, where the file says so.
#[cfg(feature = "profile")]
pub(super) fn deployment_of(bytes: &[u8]) -> Option<Value> {
    let mut members = session(bytes).ok()?;
    members.remove(DEPLOYMENT).filter(|deployment| !deployment.is_null())
}

pub(super) fn render(
    former: Option<&[u8]>,
    snapshot: &Snapshot,
    deployment: Option<&Value>,
) -> Result<Vec<u8>, Problem> {
    let mut members = former.map(session).transpose()?.unwrap_or_default();
    members.entry("version").or_insert_with(|| "1.0".into());
    members.insert("type".into(), "oauth_token".into());
    if let Some(deployment) = deployment {
        members.insert(DEPLOYMENT.into(), deployment.clone());
    }
    // What is replaced is wiped first: the refresh token may still be good.
    for secret in ["access_token", "refresh_token"] {
        if let Some(former) = members.get_mut(secret) {
            wipe(former);
        }
    }
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
    // An answer that says whose the tokens are says all of it; one that does not leaves what the login said.
    if IDENTITY.iter().any(|(_, [object, _])| snapshot.extra.contains_key(*object)) {
        for (member, [object, name]) in IDENTITY {
            let value = snapshot.extra.get(object).and_then(|value| value.get(name));
            set(&mut members, member, value.filter(|value| value.is_string()).cloned());
        }
    }
    Ok(written(members))
}

/// Writes the members down, and wipes what was copied for it.
fn written(members: Map<String, Value>) -> Vec<u8> {
    let texts: usize = members.values().filter_map(Value::as_str).map(str::len).sum();
    let mut text = String::with_capacity(ROOM + texts);
    let mut document = Value::Object(members);
    let _ = writeln!(text, "{document:#}");
    for (_, value) in document.as_object_mut().into_iter().flatten() {
        wipe(value);
    }
    text.into_bytes()
}

fn wipe(value: &mut Value) {
    if let Value::String(secret) = value {
        secret.zeroize();
    }
}

/// The members of a file that is a session of this version.
fn session(bytes: &[u8]) -> Result<Map<String, Value>, Problem> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let members = str::from_utf8(bytes).ok().and_then(|text| wire::members_in(text).ok());
    let members = members.ok_or(Problem::Corrupt("it is not a JSON object"))?;
    if let Some(version) = members.get("version") {
        let major = version.as_str().and_then(|version| version.split('.').next()?.parse::<u64>().ok());
        match major.ok_or(Problem::Corrupt("its version is none"))? {
            MAJOR => {}
            major if major > MAJOR => return Err(Problem::Newer),
            _ => return Err(Problem::Corrupt("its version is none")),
        }
    }
    if members.get("type").is_some_and(|kind| kind != "oauth_token") {
        return Err(Problem::Corrupt("its type is not oauth_token"));
    }
    Ok(members)
}

/// What the file says about whose the session is, in the words of the token endpoint.
fn identity_of(members: &Map<String, Value>) -> Map<String, Value> {
    let mut extra = Map::new();
    for (member, [object, name]) in IDENTITY {
        if let Some(value @ Value::String(_)) = members.get(member) {
            let object = extra.entry(object).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(object) = object {
                object.insert(name.into(), value.clone());
            }
        }
    }
    extra
}

fn text(members: &Map<String, Value>, name: &str) -> Result<Option<String>, Problem> {
    match members.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Problem::Corrupt("a member that should be text is not")),
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
        let bytes = render(Some(former), &snapshot, None).unwrap();
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
    fn who_the_session_is_of_is_written_as_the_official_sdks_do_and_read_back() {
        let Value::Object(extra) = serde_json::json!({
            "organization": {"uuid": "o", "name": "Org"}, "account": {"uuid": "a", "email_address": "e@x"},
            "workspace": {"id": "w", "name": "Work"}, "other": 1
        }) else {
            unreachable!()
        };
        let snapshot = Snapshot {
            access_token: "b".into(),
            refresh_token: None,
            expires_at: None,
            scopes: None,
            generation: 1,
            extra,
        };
        let bytes = render(None, &snapshot, None).unwrap();
        let value: Value = serde_json::from_slice(&bytes).unwrap();
        let written = serde_json::json!({
            "version": "1.0", "type": "oauth_token", "access_token": "b", "organization_uuid": "o",
            "organization_name": "Org", "account_email": "e@x", "workspace_id": "w", "workspace_name": "Work"
        });
        assert_eq!(value, written);
        let back = parse(&bytes).unwrap();
        let read = serde_json::json!({
            "organization": {"uuid": "o", "name": "Org"}, "account": {"email_address": "e@x"},
            "workspace": {"id": "w", "name": "Work"}
        });
        assert_eq!(Value::Object(back.extra.clone()), read);

        // A renewal says nothing of it, and changes nothing of it.
        let renewed = Snapshot { extra: Map::new(), ..snapshot.clone() };
        assert_eq!(render(Some(&bytes), &renewed, None).unwrap(), bytes);
        // A login to another organization, in no workspace.
        let other = serde_json::json!({"uuid": "o2", "name": 7});
        let moved = Snapshot { extra: Map::from_iter([("organization".to_owned(), other)]), ..snapshot };
        let value: Value = serde_json::from_slice(&render(Some(&bytes), &moved, None).unwrap()).unwrap();
        let written = serde_json::json!({
            "version": "1.0", "type": "oauth_token", "access_token": "b", "organization_uuid": "o2"
        });
        assert_eq!(value, written);
    }

    #[test]
    fn a_later_version_is_told_from_a_broken_one() {
        let snapshot = parse(br#"{"access_token":"a"}"#).unwrap();
        for version in ["\"1.0\"", "\"1\"", "\"1.99\""] {
            let text = format!(r#"{{"version":{version},"access_token":"a"}}"#);
            assert!(parse(text.as_bytes()).is_ok(), "{version}");
        }
        for version in ["\"2.0\"", "\"10\"", "\"2.0-beta\""] {
            let text = format!(r#"{{"version":{version},"access_token":"a"}}"#);
            assert_eq!(parse(text.as_bytes()).unwrap_err(), Problem::Newer, "{version}");
            assert_eq!(
                render(Some(text.as_bytes()), &snapshot, None).unwrap_err(),
                Problem::Newer,
                "{version}"
            );
        }
        for version in ["\"\"", "\"0.9\"", "\"x\"", "1", "null", "[]"] {
            let text = format!(r#"{{"version":{version},"access_token":"a"}}"#);
            assert!(matches!(parse(text.as_bytes()), Err(Problem::Corrupt(_))), "{version}");
        }
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
            let Err(Problem::Corrupt(error)) = parse(bytes) else { panic!("{what}") };
            assert!(error.contains(what) && !error.contains("canary"), "{error}");
        }
    }
}
