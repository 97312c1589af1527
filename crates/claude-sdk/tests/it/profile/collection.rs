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
        (
            r#"{"profiles": {"dev": {}, "prod": {}, "dev": {"x": "canary"}}}"#,
            "its member `dev` is there twice",
        ),
        (r#"{"profiles": {}, "profiles": {"dev": "canary"}}"#, "its member `profiles` is there twice"),
        (
            r#"{"profiles": {"dev": {"base_url": 1, "base_url": "canary"}}}"#,
            "its member `base_url` is there twice",
        ),
        (
            r#"{"profiles": {"de/canary": {"x": "canary"}}}"#,
            "a name of 9 characters in it is no profile's: take letters",
        ),
        (r#"{"profiles": {"a-canary-2": {}, "a-canary-2": {}}}"#, "its member [not shown] is there twice"),
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

    // Who may write into the folder may put another file there; nothing is written into it either.
    let (folder, profiles) = written("profiles.json", ALL);
    let dev = profiles.load(&name("dev")).unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    for outcome in [
        profiles.load(&name("dev")).map(drop),
        profiles.list().map(drop),
        profiles.save(&name("new"), &dev),
        profiles.activate(&name("dev")),
    ] {
        let Err(ProfileError::Unsafe(error)) = outcome else { panic!("{outcome:?}") };
        assert_eq!(error.kind(), secrets::ErrorKind::OpenFolder);
    }
    assert!(!folder.path().join("configs").exists());
}

/// Many programs that change one file at once, each another profile or the same one.
#[test]
fn changes_at_the_same_time_are_all_made() {
    let (folder, profiles) = written("profiles.json", ALL);
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let profiles = &profiles;
            scope.spawn(move || {
                for turn in 0..10 {
                    let of = ["dev", "test", "prod"][turn % 3];
                    let set = |profile: Option<Profile>| {
                        let mut profile = profile.unwrap();
                        profile.set_variable(&format!("W{writer}_{turn}"), Some("env:X"))?;
                        Ok::<_, ProfileError>(profile)
                    };
                    profiles.change(&name(of), set).unwrap();
                }
            });
        }
    });
    let kept: usize = ["dev", "test", "prod"]
        .map(|profile| profiles.load(&name(profile)).unwrap().variables().unwrap().len())
        .iter()
        .sum();
    assert_eq!(kept, 81, "80 were made, and there was one");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside the file");

    let refused = profiles.change(&name("dev"), |_| Err(ProfileError::UnknownMember));
    assert!(matches!(refused, Err(ProfileError::UnknownMember)));
    profiles
        .change(&name("new"), |none| {
            assert!(none.is_none());
            Ok::<_, ProfileError>(Profile::user_oauth())
        })
        .unwrap();
    assert_eq!(profiles.load(&name("new")).unwrap(), Profile::user_oauth());
}

#[test]
fn members_that_are_not_known_are_told_with_what_may_be_meant() {
    let (_folder, profiles) = written(
        "profiles.json",
        r#"{"version": "1.0", "owner": "canary team", "profiles": {
          "dev": {"authentication": {"type": "api_key", "api_kye": "env:A", "later": {"x": 1}}, "base_ulr": "x",
                  "api_key": "canary", "environment": {"ANY": "env:X"}},
          "fine": {"version": "1.0", "authentication": {"type": "oidc_federation",
                   "identity_token": {"source": "file", "path": "/x"}}},
          "new": {"authentication": {"type": "passkey", "x": 1}, "scope": "y"}
        }}"#,
    );
    let told = |profile: &str| -> Vec<String> {
        let unknown = profiles.load(&name(profile)).unwrap().unknown_members();
        unknown.iter().map(|one| format!("{} {:?}", one.name(), one.nearest())).collect()
    };
    assert_eq!(
        told("dev"),
        [
            r#"api_key Some("authentication.api_key")"#,
            r#"base_ulr Some("base_url")"#,
            r#"authentication.api_kye Some("authentication.api_key")"#,
            "authentication.later None",
        ]
    );
    assert!(told("fine").is_empty());
    assert_eq!(told("new"), [r#"scope Some("authentication.scope")"#]);
    let beside = profiles.unknown_members().unwrap();
    assert_eq!(beside.len(), 1);
    assert_eq!(beside[0].to_string(), "the member `owner` is not known and has no effect");
}

#[test]
fn a_variable_that_the_profile_sets_itself_is_refused() {
    let (_folder, profiles) = written("profiles.json", ALL);
    let mut prod = profiles.load(&name("prod")).unwrap();
    for variable in
        ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CLIENT_SECRET", "ANTHROPIC_BASE_URL"]
    {
        let error = prod.set_variable(variable, Some("env:OTHER")).unwrap_err().to_string();
        assert!(error.contains(variable) && error.contains("is set by the profile itself"), "{error}");
        let mut document = document(&prod);
        document["environment"] = json!({ variable: "env:OTHER" });
        let (_folder, written) = written("configs/work.json", document.to_string());
        let mut work = written.load(&name("work")).unwrap();
        assert!(work.variables().unwrap_err().to_string().contains(variable));
        work.set_variable(variable, None).unwrap();
        assert!(work.variables().unwrap().is_empty(), "it can be taken out");
    }
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
