use std::{collections::HashMap, ffi::OsString, sync::Arc};

use secrets::{ErrorKind, Lookup, SecretProvider, process_lookup, providers::Env, test_util::contract};

use crate::name;

fn environment<const N: usize>(variables: [(&'static str, OsString); N]) -> Lookup {
    let variables = HashMap::from(variables);
    Arc::new(move |variable| variables.get(variable).cloned())
}

fn env(value: impl Into<OsString>) -> Env {
    Env::new(environment([("KEY", value.into())]))
}

#[tokio::test]
async fn the_environment_keeps_the_contract() {
    contract(env("canary"), name("KEY"), "canary", name("OTHER")).await;
}

#[tokio::test]
async fn an_empty_variable_is_not_set() {
    for empty in ["", "\n", "\r\n"] {
        assert!(env(empty).get(name("KEY")).await.unwrap().is_none(), "{empty:?}");
    }
}

#[tokio::test]
async fn one_newline_at_the_end_is_trimmed_and_flagged() {
    for (value, trimmed) in [("key", false), ("key\n", true), ("key\r\n", true)] {
        let secret = env(value).get(name("KEY")).await.unwrap().unwrap();
        assert_eq!((secret.expose(), secret.was_trimmed()), ("key", trimmed), "{value:?}");
        assert_eq!(secret.duplicate().was_trimmed(), trimmed);
    }
}

#[tokio::test]
async fn a_broken_value_is_an_error_that_names_the_variable() {
    for (value, kind) in [("a\nb", ErrorKind::Newline), ("a\tb", ErrorKind::ControlCharacter)] {
        let error = env(value).get(name("KEY")).await.unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(error.to_string().starts_with("the environment variable KEY has a "), "{error}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_value_that_is_not_utf_8_is_an_error() {
    use std::os::unix::ffi::OsStringExt as _;

    let error = env(OsString::from_vec(b"key\xff".to_vec())).get(name("KEY")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotText);
}

#[tokio::test]
async fn a_name_can_live_in_a_variable_of_another_name() {
    let lookup = environment([("TEAM_KEY", "mapped".into()), ("api-key", "own name".into())]);
    let env = Env::new(lookup).with_variable(name("api-key"), "TEAM_KEY");
    assert_eq!(env.get(name("api-key")).await.unwrap().unwrap().expose(), "mapped");
    assert_eq!(env.get(name("TEAM_KEY")).await.unwrap().unwrap().expose(), "mapped");
}

#[tokio::test]
async fn the_real_environment_is_read_through_the_same_lookup() {
    let path = process_lookup()("PATH").unwrap();
    let found = Env::process().get(name("PATH")).await.unwrap().unwrap();
    assert_eq!(found.expose(), path.to_str().unwrap());
}

#[tokio::test]
async fn a_name_the_system_cannot_hold_is_not_set() {
    for impossible in ["", "A=B", "A\0B"] {
        assert_eq!(process_lookup()(impossible), None);
    }
    assert!(Env::process().get(name("A=B")).await.unwrap().is_none());
}
