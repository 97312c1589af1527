//! The resolution chain: which of the many ways to say who we are counts.

use std::fs;

use claude_sdk::{
    AuthError, Client, ConfigError, Error, ProfileError,
    credentials::{CredentialProvider as _, FromSecret, Resolution, Source},
    profile::{Member, Profile, ProfileName, Profiles},
    secrets::{SecretName, providers::Env},
};
use tempfile::TempDir;

use crate::{
    profile::env,
    redaction::Tape,
    rig::{backend, told},
};

/// A home with these profiles in it, and this content of `active_config`.
fn home(names: &[&str], active: Option<&str>) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    let profiles = Profiles::at(home.path().join(".config/anthropic"));
    fs::create_dir_all(profiles.path()).unwrap();
    for name in names {
        let mut profile = Profile::user_oauth();
        profile.set(Member::ClientId, Some("app")).unwrap();
        profile.set(Member::BaseUrl, Some("https://profile.example")).unwrap();
        profiles.save(&ProfileName::new(*name).unwrap(), &profile).unwrap();
    }
    if let Some(active) = active {
        fs::write(profiles.path().join("active_config"), active).unwrap();
    }
    home
}

fn found(home: &TempDir, pairs: &[(&'static str, &str)]) -> Result<Resolution, ConfigError> {
    let home = ("HOME", home.path().to_str().unwrap());
    Resolution::of(&env(&[&[home], pairs].concat()))
}

const KEY: (&str, &str) = ("ANTHROPIC_API_KEY", "key");
const TOKEN: (&str, &str) = ("ANTHROPIC_AUTH_TOKEN", "token");
const NAMED: (&str, &str) = ("ANTHROPIC_PROFILE", "work");
const RULE: (&str, &str) = ("ANTHROPIC_FEDERATION_RULE_ID", "fdrl_1");
const ORGANIZATION: (&str, &str) = ("ANTHROPIC_ORGANIZATION_ID", "org");
const FILE: (&str, &str) = ("ANTHROPIC_IDENTITY_TOKEN_FILE", "/run/token");
const LITERAL: (&str, &str) = ("ANTHROPIC_IDENTITY_TOKEN", "a.b.c");

#[test]
fn the_first_source_that_is_there_counts_and_the_others_are_told() {
    let name = |text: &str| ProfileName::new(text).unwrap();
    let federation = |file| Source::Federation { file };
    let all = [KEY, TOKEN, NAMED, RULE, ORGANIZATION, FILE, LITERAL];
    let full = home(&["work", "home", "default"], Some("home\n"));
    let (named, active) = (Source::NamedProfile(name("work")), Source::ActiveProfile(name("home")));
    for (from, source, shadowed) in [
        (0, Source::ApiKey, vec![Source::AuthToken, named.clone(), federation(true), active.clone()]),
        (1, Source::AuthToken, vec![named.clone(), federation(true), active.clone()]),
        (2, named, vec![federation(true), active.clone()]),
        (3, federation(true), vec![active.clone()]),
        // From here on the federation lacks something.
        (4, active.clone(), vec![]),
        (7, active, vec![]),
    ] {
        let found = found(&full, &all[from..]).unwrap();
        assert_eq!(found.source(), Some(&source));
        assert_eq!(found.shadowed(), shadowed, "{found}");
        assert_eq!(found.looked().len(), from.min(4), "{:?}", found.looked());
    }
    let literal = found(&full, &[RULE, ORGANIZATION, LITERAL]).unwrap();
    assert_eq!(literal.source(), Some(&federation(false)));
    let default = found(&home(&["work", "default"], None), &[]).unwrap();
    assert_eq!(default.source(), Some(&Source::DefaultProfile(name("default"))));
    let empty = found(&home(&["default"], Some(" \n")), &[("ANTHROPIC_API_KEY", "")]).unwrap();
    assert_eq!(empty.source(), Some(&Source::DefaultProfile(name("default"))), "what is empty is unset");
    let same = found(&home(&["work"], Some("work")), &[NAMED]).unwrap();
    assert_eq!(same.shadowed(), [], "the same profile, named twice");
}

#[test]
fn the_winner_says_why() {
    let full = home(&["work", "default"], Some("work"));
    for (pairs, text) in [
        (vec![KEY], "ANTHROPIC_API_KEY, before the profile work (active_config names it)"),
        (vec![NAMED], "the profile work (ANTHROPIC_PROFILE names it)"),
        (vec![], "the profile work (active_config names it)"),
    ] {
        assert_eq!(found(&full, &pairs).unwrap().to_string(), text);
    }
    let default = home(&["default"], None);
    assert_eq!(found(&default, &[]).unwrap().to_string(), "the profile default (nobody names another)");
}

#[test]
fn what_was_named_and_cannot_be_used_is_not_passed_over() {
    let refused = |home: &TempDir, pairs: &[_]| match found(home, pairs).unwrap_err() {
        ConfigError::Profile(error) => error,
        other => panic!("{other:?}"),
    };
    let full = home(&["default"], None);
    assert!(matches!(refused(&full, &[NAMED]), ProfileError::Missing { .. }));
    let traversal = refused(&full, &[("ANTHROPIC_PROFILE", "../../x")]);
    assert!(matches!(traversal, ProfileError::Name { .. }));
    assert!(traversal.to_string().contains("ANTHROPIC_PROFILE"), "{traversal}");

    let gone = home(&["default"], Some("gone"));
    assert!(matches!(refused(&gone, &[]), ProfileError::Missing { .. }), "the pointer was meant");
    let elsewhere = [("ANTHROPIC_CONFIG_DIR", "/nowhere")];
    assert!(matches!(refused(&full, &elsewhere), ProfileError::Missing { .. }), "the folder was meant");
    let key = found(&gone, &[KEY]).unwrap();
    assert_eq!((key.source(), key.shadowed()), (Some(&Source::ApiKey), &[][..]), "nor is it in the way");
}

#[test]
fn what_a_builder_was_given_is_not_in_its_debug() {
    let home = home(&[], None);
    let misplaced = [
        ("ANTHROPIC_API_KEY", "file:sk-ant-canary"),
        ("ANTHROPIC_BASE_URL", "https://u:canary@gateway.example/canary?key=canary"),
    ];
    let env = env(&[&[("HOME", home.path().to_str().unwrap())], &misplaced[..]].concat());
    let builder = Client::builder().environment(&env).unwrap();
    let shown = format!("{builder:?} {:?}", Resolution::of(&env).unwrap());
    assert!(shown.contains("https://gateway.example/…") && shown.contains("file:…"), "{shown}");
    for builder in
        [builder.api_key_from("env:canary"), Client::builder().base_url("sk-ant-canary").api_key("canary")]
    {
        assert!(!format!("{shown} {builder:?}").contains("canary"), "{builder:?}");
    }
}

#[test]
fn without_any_source_the_error_says_what_was_looked_at() {
    let client = |home: &TempDir, pairs: &[(&'static str, &str)]| {
        let home = ("HOME", home.path().to_str().unwrap());
        let builder = Client::builder().environment(&env(&[&[home], pairs].concat())).unwrap();
        builder.backend(backend()).build().unwrap_err()
    };
    let error = client(&home(&[], None), &[RULE]);
    let Error::Config(ConfigError::MissingCredential { looked }) = &error else { panic!("{error:?}") };
    assert_eq!(looked.len(), 5);
    let text = error.to_string();
    for word in [
        "ANTHROPIC_API_KEY",
        "ANTHROPIC_AUTH_TOKEN",
        "ANTHROPIC_PROFILE",
        "ANTHROPIC_ORGANIZATION_ID",
        ".config/anthropic",
    ] {
        assert!(text.contains(word), "{text}");
    }

    // A broken profile that nobody named is passed over, but not in silence.
    let broken = home(&["default"], None);
    let file = broken.path().join(".config/anthropic/configs/default.json");
    fs::write(file, "{canary").unwrap();
    let text = client(&broken, &[]).to_string();
    assert!(text.contains("default.json") && text.contains("JSON") && !text.contains("canary"), "{text}");
}

/// F71: it works, and somebody is told.
#[tokio::test]
async fn a_line_end_after_a_key_is_taken_off_with_a_warning() {
    for variable in ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"] {
        let tape = Tape::default();
        let _guard = tape.log();
        drop(Resolution::of(&env(&[(variable, "sk-CANARY-key\n")])).unwrap());
        let told = tape.contents();
        assert!(told.contains("WARN") && told.contains(variable) && told.contains("line end"), "{told}");
        tape.assert_clean(&[]);
        drop(Resolution::of(&env(&[(variable, "sk-CANARY-key")])).unwrap());
        assert_eq!(tape.contents(), told, "there is nothing to tell");
    }
    let tape = Tape::default();
    let _guard = tape.log();
    let provider = Env::new(std::sync::Arc::new(|_| Some("sk-CANARY-key\r\n".into())));
    let key = FromSecret::new(provider, SecretName::new("TEAM_KEY").unwrap());
    assert_eq!(key.credential().await.unwrap().expose(), "sk-CANARY-key");
    assert!(tape.contents().contains("TEAM_KEY"));
    tape.assert_clean(&[]);
}

#[test]
fn the_base_url_is_the_programs_the_environments_the_profiles_or_claudes() {
    let here = home(&["default"], None);
    let home = ("HOME", here.path().to_str().unwrap());
    let gateway = ("ANTHROPIC_BASE_URL", "https://env.example");
    for (pairs, expected) in [
        (vec![home, KEY, gateway], "https://env.example"),
        (vec![home, KEY], "https://api.anthropic.com"),
        (vec![home], "https://profile.example"),
        (vec![home, gateway], "https://env.example"),
    ] {
        assert_eq!(Resolution::of(&env(&pairs)).unwrap().base_url(), expected);
    }

    // But the tokens of a profile stay where they belong.
    let build = |pairs: &[(&'static str, &str)], own: Option<&str>| {
        let mut builder = Client::builder().backend(backend());
        if let Some(url) = own {
            builder = builder.base_url(url);
        }
        builder.environment(&env(pairs)).unwrap().build()
    };
    let client = build(&[home], None).unwrap();
    assert!(format!("{client:?}").contains("https://profile.example"), "{client:?}");
    assert!(build(&[home, gateway], Some("https://profile.example/prefix")).is_ok());
    for refused in [build(&[home, gateway], None), build(&[home], Some("https://own.example"))] {
        let error = refused.unwrap_err();
        let Error::Auth(AuthError::ForeignOrigin { owner, .. }, ..) = &error else {
            panic!("{}", told(&error))
        };
        assert_eq!(owner, "https://profile.example");
    }
}
