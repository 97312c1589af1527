//! The canary never shows, whatever goes wrong.

use std::{error::Error as _, ffi::OsString, sync::Arc};

use secrets::{
    Secret, SecretProvider,
    providers::{Chain, Env, Memory},
};

use crate::name;

const CANARY: &str = "canary-5d1f";

fn broken_values() -> Vec<Vec<u8>> {
    let around = |before: &[u8], after: &[u8]| [before, CANARY.as_bytes(), after].concat();
    vec![
        around(b"", b"\nmore"),
        around(b"\n", b""),
        around(b"", b"\t"),
        around(b"", b"\xff"),
        around(b"\x1b[31m", b""),
        around(&[b'x'; 70_000], b"\n\n"),
    ]
}

fn assert_silent(shown: &str) {
    assert!(!shown.contains(CANARY), "{shown}");
    let as_bytes = format!("{:?}", CANARY.as_bytes());
    assert!(!shown.contains(as_bytes.trim_matches(['[', ']'])), "{shown}");
}

async fn assert_every_word_silent(provider: impl SecretProvider) {
    let answer = provider.get(name("KEY")).await;
    assert_silent(&format!("{provider:?} {answer:?} {answer:#?}"));
    let error = answer.unwrap_err();
    assert_silent(&error.to_string());
    let mut source = error.source();
    while let Some(cause) = source {
        assert_silent(&format!("{cause} {cause:?}"));
        source = cause.source();
    }
}

#[test]
fn a_secret_prints_as_a_fixed_mark() {
    let secret = Secret::from(CANARY.to_owned());
    assert_eq!(format!("{secret:?} {:?}", Some(secret.duplicate())), "[redacted] Some([redacted])");
}

#[test]
fn providers_that_hold_secrets_do_not_print_them() {
    let memory = Memory::new().with(name("KEY"), CANARY.to_owned());
    let env = Env::new(Arc::new(|_| Some(OsString::from(CANARY))));
    assert_silent(&format!("{memory:?} {env:?}"));
    assert_silent(&format!("{:#?}", Chain::new().with(memory).with(env)));
}

#[cfg(unix)]
#[tokio::test]
async fn no_error_of_the_environment_repeats_the_value() {
    use std::os::unix::ffi::OsStringExt as _;

    for value in broken_values() {
        let value = OsString::from_vec(value);
        assert_every_word_silent(Env::new(Arc::new(move |_| Some(value.clone())))).await;
    }
}

#[cfg(unix)]
#[tokio::test]
async fn no_error_of_a_file_repeats_the_value() {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("KEY");
    for mode in [0o600, 0o644] {
        for value in broken_values() {
            fs::write(&path, value).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_every_word_silent(secrets::providers::File::at(&path)).await;
        }
    }
}
