//! Several profiles in one file, and variables for other programs.

use std::os::unix::fs::PermissionsExt as _;

use super::*;

const ALL: &str = r#"{"version": "1.0", "owner": "canary team", "profiles": {
  "dev":  {"authentication": {"type": "api_key", "api_key": "env:DEV_KEY"}, "base_url": "https://dev.example"},
  "test": {"authentication": {"type": "api_key", "api_key": "file:/run/secrets/test"}},
  "prod": {"authentication": {"type": "api_key", "api_key": "vault:secret/data/prod#key"},
           "environment": {"DATABASE_URL": "vault:secret/data/prod#database"}, "later": [1.5]}
}}"#;

fn names(profiles: &Profiles) -> Vec<String> {
    profiles.list().unwrap().iter().map(ToString::to_string).collect()
}

#[test]
fn profiles_in_one_file_are_profiles_like_others() {
    let (folder, profiles) = written("profiles.json", ALL);
    assert_eq!(names(&profiles), ["dev", "prod", "test"]);
    let dev = profiles.load(&name("dev")).unwrap();
    assert_eq!((dev.kind(), dev.get(Member::ApiKey)), (Kind::ApiKey, Some("env:DEV_KEY")));
    profiles.activate(&name("prod")).unwrap();
    assert_eq!(profiles.active().unwrap(), Some(name("prod")));
    assert!(matches!(profiles.load(&name("other")), Err(ProfileError::Missing { .. })));

    // One that has a file of its own is that one: the official SDKs read no other.
    let mut own = Profile::api_key();
    own.set(Member::ApiKey, Some("env:OWN")).unwrap();
    fs::create_dir(folder.path().join("configs")).unwrap();
    fs::write(folder.path().join("configs/test.json"), document(&own).to_string()).unwrap();
    assert_eq!(profiles.load(&name("test")).unwrap(), own);
    assert_eq!(names(&profiles), ["dev", "prod", "test"]);
}

#[tokio::test]
async fn a_change_stays_in_the_file_and_keeps_what_is_not_known_here() {
    let (folder, profiles) = written("profiles.json", ALL);
    let read = || -> Value {
        serde_json::from_slice(&fs::read(folder.path().join("profiles.json")).unwrap()).unwrap()
    };
    let before = read();
    let mut prod = profiles.load(&name("prod")).unwrap();
    prod.set(Member::BaseUrl, Some("https://prod.example")).unwrap();
    profiles.save(&name("prod"), &prod).unwrap();
    let mut expected = before.clone();
    expected["profiles"]["prod"]["base_url"] = "https://prod.example".into();
    assert_eq!(read(), expected);

    profiles.save(&name("new"), &Profile::user_oauth()).unwrap();
    assert!(folder.path().join("configs/new.json").exists(), "a new one is shared with the official SDKs");
    profiles.remove(&name("dev")).await.unwrap();
    expected["profiles"].as_object_mut().unwrap().remove("dev");
    assert_eq!(read(), expected);
    assert!(matches!(profiles.remove(&name("dev")).await, Err(ProfileError::Missing { .. })));
}

#[test]
fn a_file_of_profiles_that_cannot_be_used_is_told_and_not_overwritten() {
    for (content, what) in [
        ("canary", "not a JSON object"),
        ("{}", "`profiles`"),
        (r#"{"profiles": ["canary"]}"#, "`profiles`"),
        (r#"{"version": "2.0", "profiles": {}}"#, "newer program"),
        (r#"{"profiles": {"dev": "canary"}}"#, "of profile dev: it is not a JSON object"),
        (r#"{"profiles": {"dev": {"authentication": "canary"}}}"#, "of profile dev"),
    ] {
        let (folder, profiles) = written("profiles.json", content);
        let error = profiles.load(&name("dev")).unwrap_err();
        let told = format!("{error} {error:?}");
        assert!(told.contains(what) && told.contains("profiles.json") && !told.contains("canary"), "{told}");
        assert!(profiles.save(&name("dev"), &Profile::user_oauth()).is_err(), "{content}");
        assert_eq!(fs::read_to_string(folder.path().join("profiles.json")).unwrap(), content);
    }
    let (folder, profiles) = written("profiles.json", ALL);
    let path = folder.path().join("profiles.json");
    fs::set_permissions(path, fs::Permissions::from_mode(0o666)).unwrap();
    assert!(matches!(profiles.load(&name("dev")), Err(ProfileError::Unsafe(_))), "others may change it");
}

#[test]
fn variables_are_references_or_nothing() {
    let (_folder, profiles) = written("profiles.json", ALL);
    let mut prod = profiles.load(&name("prod")).unwrap();
    prod.set_variable("TOKEN", Some("env:CI_TOKEN")).unwrap();
    let shown = |profile: &Profile| -> Vec<String> {
        let variables = profile.variables().unwrap();
        variables.iter().map(|(name, reference)| format!("{name}={reference}")).collect()
    };
    let expected = ["DATABASE_URL=vault:secret/data/prod#database", "TOKEN=env:CI_TOKEN"];
    assert_eq!(shown(&prod), expected);
    for (name, reference) in
        [("A", "canary"), ("", "env:X"), ("A=B", "env:X"), ("1A", "env:X"), ("A\nB", "env:X")]
    {
        let error = prod.set_variable(name, Some(reference)).unwrap_err();
        assert!(!error.to_string().contains("canary") && !error.to_string().contains('\n'), "{error}");
    }
    assert_eq!(shown(&prod), expected);
    for name in ["TOKEN", "DATABASE_URL"] {
        prod.set_variable(name, None).unwrap();
    }
    assert_eq!(document(&prod).get("environment"), None);

    for environment in [json!("canary"), json!({"A": "canary"}), json!({"A": 7}), json!({"canary=": "env:X"})]
    {
        let mut document = document(&prod);
        document["environment"] = environment;
        let (_folder, profiles) = written("configs/work.json", document.to_string());
        let error = profiles.load(&name("work")).unwrap().variables().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
    }
}
