//! Profiles: the files that the official SDKs share with us.

use std::{
    collections::HashMap,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use claude_sdk::{
    ProfileError,
    auth_core::{Client, Snapshot},
    profile::{Kind, Member, Profile, ProfileName, Profiles},
    secrets::{Resolver, providers::Env},
    token_store::TokenStore,
};
use serde_json::{Value, json};
use tempfile::TempDir;

#[cfg(unix)]
mod collection;
mod files;
mod references;
mod session;

pub fn env(pairs: &[(&'static str, &str)]) -> Env {
    let pairs: HashMap<_, OsString> = pairs.iter().map(|(name, value)| (*name, value.into())).collect();
    Env::new(Arc::new(move |name| pairs.get(name).cloned()))
}

fn name(text: &str) -> ProfileName {
    ProfileName::new(text).unwrap()
}

/// A folder with one file in it, written as somebody else would.
fn written(path: &str, content: impl AsRef<[u8]>) -> (TempDir, Profiles) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, content).unwrap();
    let profiles = Profiles::at(folder.path());
    (folder, profiles)
}

fn session(token: &str) -> Snapshot {
    Snapshot {
        access_token: token.into(),
        refresh_token: None,
        expires_at: None,
        scopes: None,
        generation: 1,
        extra: serde_json::Map::new(),
    }
}

fn document(profile: &Profile) -> Value {
    Value::Object(profile.members().clone())
}

#[test]
fn what_is_not_known_here_is_kept_value_for_value() {
    let theirs = json!({
        "version": "1.3", "base_url": "https://api.example", "new": [1, {"a": null}], "workspace_id": null,
        "big": 1.0e15, "small": -0.25, "organization_id": "",
        "authentication": {"type": "user_oauth", "client_id": "one", "audience": {"x": true}},
    });
    let (_folder, profiles) = written("configs/work.json", format!("\u{feff}{theirs}\r\n"));
    let mut profile = profiles.load(&name("work")).unwrap();
    assert_eq!(profile.get(Member::ClientId), Some("one"));
    assert_eq!((profile.get(Member::WorkspaceId), profile.get(Member::OrganizationId)), (None, None));

    profiles.save(&name("work"), &profile).unwrap();
    assert_eq!(document(&profiles.load(&name("work")).unwrap()), theirs);

    profile.set(Member::ClientId, Some("two")).unwrap();
    profile.set(Member::BaseUrl, None).unwrap();
    profiles.save(&name("work"), &profile).unwrap();
    let mut ours = theirs;
    ours["authentication"]["client_id"] = "two".into();
    ours.as_object_mut().unwrap().remove("base_url");
    assert_eq!(document(&profiles.load(&name("work")).unwrap()), ours);
}

#[test]
fn a_kind_to_come_is_kept_and_named() {
    let theirs =
        json!({"authentication": {"type": "passkey", "client_id": 7, "identity_token": {"source": "tpm"}}});
    let (_folder, profiles) = written("configs/new.json", theirs.to_string());
    let profile = profiles.load(&name("new")).unwrap();
    assert_eq!(profile.kind(), Kind::Other("passkey"));
    profiles.save(&name("new"), &profile).unwrap();
    assert_eq!(document(&profiles.load(&name("new")).unwrap()), theirs);
}

#[test]
fn every_member_can_be_set_found_by_its_name_and_removed() {
    for member in Member::ALL {
        let value = match member.as_str() {
            text if text.ends_with("_url") || text.ends_with("_endpoint") => "https://auth.example/x",
            _ if member.is_reference() => "env:KEY",
            _ => "value",
        };
        let empty = Profile::oidc_federation();
        let mut profile = empty.clone();
        assert_eq!(profile.get(member), None);
        profile.set(member, Some(value)).unwrap();
        assert_eq!(profile.get(member), Some(value), "{member}");
        assert_eq!(member.as_str().parse::<Member>().unwrap(), member);

        let (_folder, profiles) = written("configs/other.json", "");
        profiles.save(&name("x"), &profile).unwrap();
        assert_eq!(profiles.load(&name("x")).unwrap(), profile);
        profile.set(member, Some("")).unwrap();
        assert_eq!(profile, empty, "{member}");
    }
    let mut profile = Profile::oidc_federation();
    profile.set(Member::IdentityTokenFile, Some("/run/token")).unwrap();
    let token = &document(&profile)["authentication"]["identity_token"];
    assert_eq!(*token, json!({"source": "file", "path": "/run/token"}));
    assert!(matches!("colour".parse::<Member>(), Err(ProfileError::UnknownMember)));
}

#[test]
fn what_cannot_be_used_is_not_set() {
    let mut profile = Profile::user_oauth();
    for (member, value) in [
        (Member::BaseUrl, "http://api.example"),
        (Member::BaseUrl, "https://u:canary@api.example"),
        (Member::ConsoleUrl, "console.example"),
        (Member::TokenEndpoint, "http://localhost.evil.example/"),
        (Member::AuthorizationEndpoint, "javascript:alert(1)"),
        (Member::ClientId, "canary\nid"),
    ] {
        let error = profile.set(member, Some(value)).unwrap_err();
        assert!(matches!(error, ProfileError::Member { .. }), "{error:?}");
        assert!(
            error.to_string().contains(member.as_str()) && !format!("{error:?}").contains("canary"),
            "{error}"
        );
    }
    assert_eq!(profile, Profile::user_oauth());
}

#[test]
fn without_an_issuer_the_server_is_claudes_and_with_one_it_is_the_profiles_own() {
    let mut profile = Profile::user_oauth();
    let server = profile.server().unwrap();
    assert_eq!(server.token_endpoint().as_str(), "https://api.anthropic.com/v1/oauth/token");
    assert_eq!(
        server.authorization_endpoint().unwrap().as_str(),
        "https://platform.claude.com/oauth/authorize"
    );
    assert!(format!("{:?}", server.wire()).contains("oauth-2025-04-20"), "Claude's wire");

    profile.set(Member::BaseUrl, Some("https://gateway.example/claude")).unwrap();
    profile.set(Member::ConsoleUrl, Some("http://127.0.0.1:8080/")).unwrap();
    let server = profile.server().unwrap();
    assert_eq!(server.token_endpoint().as_str(), "https://gateway.example/claude/v1/oauth/token");
    assert_eq!(server.authorization_endpoint().unwrap().as_str(), "http://127.0.0.1:8080/oauth/authorize");

    profile.set(Member::Issuer, Some("https://auth.example")).unwrap();
    let missing = profile.server().unwrap_err();
    assert!(missing.to_string().contains("token_endpoint"), "{missing}");
    profile.set(Member::TokenEndpoint, Some("https://auth.example/token")).unwrap();
    let server = profile.server().unwrap();
    assert_eq!((server.issuer(), server.authorization_endpoint()), (Some("https://auth.example"), None));
    assert!(!format!("{:?}", server.wire()).contains("anthropic"), "as the RFCs say");
    profile.set(Member::AuthorizationEndpoint, Some("https://auth.example/authorize?tenant=1")).unwrap();
    profile.set(Member::RevocationEndpoint, Some("https://auth.example/revoke")).unwrap();
    let server = profile.server().unwrap();
    assert_eq!(server.authorization_endpoint().unwrap().as_str(), "https://auth.example/authorize?tenant=1");
    assert_eq!(server.revocation_endpoint().unwrap().as_str(), "https://auth.example/revoke");
}

#[tokio::test]
async fn a_client_secret_is_sent_for_the_client_it_belongs_to() {
    let shown = async |profile: &Profile, pairs: &[(&'static str, &str)]| -> Option<(String, String)> {
        let client: Option<Client> = profile.client(&env(pairs), &Resolver::new()).await.unwrap();
        client.map(|client| (client.id().to_owned(), format!("{client:?}")))
    };
    let mut profile = Profile::user_oauth();
    assert_eq!(shown(&profile, &[("CLAUDE_CLIENT_SECRET", "canary")]).await, None, "nobody to be");
    let both = [("CLAUDE_CLIENT_ID", "app"), ("CLAUDE_CLIENT_SECRET", "canary")];
    let (id, debug) = shown(&profile, &both).await.unwrap();
    assert!(id == "app" && debug.contains("Post") && !debug.contains("canary"), "{debug}");

    profile.set(Member::ClientId, Some("app")).unwrap();
    assert!(shown(&profile, &both[1..]).await.unwrap().1.contains("Post"), "the profile says whose it is");
    assert!(shown(&profile, &both).await.unwrap().1.contains("Post"));
    assert!(shown(&profile, &[]).await.unwrap().1.contains("None"));
    profile.set(Member::Issuer, Some("https://auth.example")).unwrap();
    assert!(shown(&profile, &both).await.unwrap().1.contains("Basic"), "as the RFC has it");

    profile.set(Member::ClientId, Some("another")).unwrap();
    let (id, debug) = shown(&profile, &both).await.unwrap();
    assert!(id == "another" && debug.contains("None"), "a secret of `app` is not `another`'s: {debug}");
}

#[test]
fn the_environment_fills_what_the_profile_leaves_open() {
    let everything = env(&[
        ("ANTHROPIC_BASE_URL", "https://env.example"),
        ("ANTHROPIC_ORGANIZATION_ID", "org-env"),
        ("ANTHROPIC_WORKSPACE_ID", "ws-env"),
        ("ANTHROPIC_SCOPE", "scope-env"),
        ("ANTHROPIC_FEDERATION_RULE_ID", "rule-env"),
        ("ANTHROPIC_SERVICE_ACCOUNT_ID", "account-env"),
        ("ANTHROPIC_IDENTITY_TOKEN_FILE", "/token-env"),
        ("CLAUDE_CLIENT_ID", "client-env"),
    ]);
    let mut person = Profile::user_oauth();
    person.set(Member::WorkspaceId, Some("ws-own")).unwrap();
    let filled = document(&person.filled(&everything).unwrap());
    assert_eq!(
        filled,
        json!({
            "version": "1.0", "base_url": "https://env.example", "organization_id": "org-env", "workspace_id": "ws-own",
            "authentication": {"type": "user_oauth", "scope": "scope-env", "client_id": "client-env"},
        })
    );
    let workload = document(&Profile::oidc_federation().filled(&everything).unwrap());
    assert_eq!(
        workload["authentication"],
        json!({
            "type": "oidc_federation", "scope": "scope-env", "federation_rule_id": "rule-env",
            "service_account_id": "account-env", "identity_token": {"source": "file", "path": "/token-env"},
        })
    );
    assert_eq!(person.filled(&env(&[("ANTHROPIC_BASE_URL", "")])).unwrap(), person);
}

#[test]
fn the_folder_is_where_the_environment_says() {
    let folder =
        |pairs: &[(&'static str, &str)]| Profiles::of(&env(pairs)).map(|found| found.path().to_owned());
    let home = ("HOME", "/you");
    for (pairs, expected) in [
        (vec![home], "/you/.config/anthropic"),
        (vec![home, ("XDG_CONFIG_HOME", "/xdg")], "/xdg/anthropic"),
        (vec![home, ("XDG_CONFIG_HOME", "xdg")], "/you/.config/anthropic"),
        (vec![home, ("XDG_CONFIG_HOME", "")], "/you/.config/anthropic"),
        (vec![home, ("XDG_CONFIG_HOME", "/xdg"), ("ANTHROPIC_CONFIG_DIR", "/dir")], "/dir"),
        (vec![("ANTHROPIC_CONFIG_DIR", "/dir")], "/dir"),
    ] {
        assert_eq!(folder(&pairs).unwrap(), Path::new(expected), "{pairs:?}");
    }
    assert!(matches!(folder(&[]), Err(ProfileError::NoFolder)));
}

#[tokio::test]
async fn the_tokens_are_where_the_profile_says() {
    let profiles = Profiles::of(&env(&[("HOME", "/you")])).unwrap();
    let mut profile = Profile::user_oauth();
    let path =
        |profile: &Profile| profiles.tokens(&name("a.b"), profile).map(|store| store.path().to_owned());
    assert_eq!(path(&profile).unwrap(), Path::new("/you/.config/anthropic/credentials/a.b.json"));
    for (text, expected) in [("/run/session.json", "/run/session.json"), ("~/s.json", "/you/s.json")] {
        profile.set(Member::CredentialsPath, Some(text)).unwrap();
        assert_eq!(path(&profile).unwrap(), Path::new(expected));
    }
    for text in ["session.json", "../x", "~other/x"] {
        profile.set(Member::CredentialsPath, Some(text)).unwrap();
        let error = path(&profile).unwrap_err();
        assert!(error.to_string().contains("absolute"), "{error}");
    }
    // `~` is not a folder's name where no home is known.
    profile.set(Member::CredentialsPath, Some("~/s.json")).unwrap();
    assert!(Profiles::at("/dir").tokens(&name("x"), &profile).is_err());
}

#[tokio::test]
async fn profiles_are_listed_activated_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let profiles = Profiles::at(folder.path().join("below/anthropic"));
    assert_eq!((profiles.list().unwrap(), profiles.active().unwrap()), (vec![], None));
    let missing = profiles.activate(&name("work")).unwrap_err();
    assert!(
        matches!(missing, ProfileError::Missing { .. }) && missing.to_string().contains("work"),
        "{missing}"
    );

    for other in ["work", "home"] {
        profiles.save(&name(other), &Profile::user_oauth()).unwrap();
    }
    for stray in ["configs/.hidden.json", "configs/notes.txt", "configs/a b.json"] {
        fs::write(profiles.path().join(stray), "").unwrap();
    }
    assert_eq!(profiles.list().unwrap(), [name("home"), name("work")]);
    profiles.activate(&name("work")).unwrap();
    assert_eq!(profiles.active().unwrap(), Some(name("work")));

    let tokens = profiles.tokens(&name("work"), &Profile::user_oauth()).unwrap();
    tokens.save(session("a")).await.unwrap();
    let elsewhere = profiles.tokens(&name("home"), &Profile::user_oauth()).unwrap();
    elsewhere.save(session("b")).await.unwrap();
    profiles.remove(&name("work")).await.unwrap();
    assert_eq!((profiles.list().unwrap(), profiles.active().unwrap()), (vec![name("home")], None));
    assert!(tokens.load().await.unwrap().is_none());
    assert!(elsewhere.load().await.unwrap().is_some());
    assert!(matches!(profiles.remove(&name("work")).await, Err(ProfileError::Missing { .. })));

    profiles.activate(&name("home")).unwrap();
    let pointer = profiles.path().join("active_config");
    for (content, expected) in [("", None), (" \r\n", None), ("\u{feff}home\r\n", Some(name("home")))] {
        fs::write(&pointer, content).unwrap();
        assert_eq!(profiles.active().unwrap(), expected, "{content:?}");
    }
}

#[cfg(unix)]
#[test]
fn files_are_private_and_written_whole() {
    use std::os::unix::fs::PermissionsExt as _;

    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let folder = tempfile::tempdir().unwrap();
    let profiles = Profiles::at(folder.path().join("config"));
    profiles.save(&name("work"), &Profile::user_oauth()).unwrap();
    profiles.activate(&name("work")).unwrap();
    assert_eq!(mode(profiles.path().to_owned()), 0o700);
    assert_eq!(mode(profiles.path().join("configs")), 0o700);
    assert_eq!(mode(profiles.path().join("configs/work.json")), 0o600);
    assert_eq!(mode(profiles.path().join("active_config")), 0o600);
    let left: Vec<_> = fs::read_dir(profiles.path().join("configs")).unwrap().collect();
    assert_eq!(left.len(), 1, "no temporary file is left");
}
