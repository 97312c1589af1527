//! `claudectl` at a real server: every way to log in, and nothing left behind after a look.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use claude_sdk::secrets::Secret;
use serde_json::json;

use super::{Bao, Lender, server};

/// The program, with the server in its environment and `more` besides.
fn claudectl(bao: &Bao, arguments: &[&str], more: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keyring"));
    command.args(arguments).env_clear().env("HOME", bao.path("")).env("VAULT_ADDR", &bao.address);
    command.envs(more.iter().copied()).output().unwrap()
}

fn text(raw: &[u8]) -> String {
    String::from_utf8_lossy(raw).into_owned()
}

fn file(bao: &Bao, name: &str, content: &str) -> PathBuf {
    let path = bao.path(name);
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

/// How often the server has done something, as its audit log says.
fn count(bao: &Bao, path: &str) -> usize {
    let what = format!("\"path\":\"{path}\"");
    let lines = bao.audit();
    lines.lines().filter(|line| line.contains("\"type\":\"response\"") && line.contains(&what)).count()
}

/// Reads one secret by each login; the proof is in the environment or where the environment says, and no session is left.
pub(super) fn logs_in_every_way(
    bao: &Bao,
    token: &str,
    (role_id, secret_id): (&str, &Secret),
    id_token: &str,
    pod: &Path,
) {
    let secret_id = format!("file:{}", file(bao, "secret-id", secret_id.expose()).display());
    let (token, pod) =
        (format!("file:{}", file(bao, "token-file", token).display()), format!("mount:{}", pod.display()));
    let ways: [&[(&str, &str)]; 6] = [
        &[("VAULT_TOKEN", &token)],
        &[("VAULT_AUTH_METHOD", "approle"), ("VAULT_ROLE_ID", role_id), ("VAULT_SECRET_ID", &secret_id)],
        &[
            ("VAULT_AUTH_METHOD", "userpass"),
            ("VAULT_AUTH_PATH", "people"),
            ("VAULT_USERNAME", "ada"),
            ("VAULT_PASSWORD", "env:PASSWORD"),
            ("PASSWORD", "pa55"),
        ],
        &[("VAULT_AUTH_METHOD", "jwt"), ("VAULT_ROLE", "claude"), ("VAULT_JWT", id_token)],
        &[("VAULT_AUTH_METHOD", "kubernetes"), ("VAULT_ROLE", "claude"), ("VAULT_JWT", &pod)],
        &[("VAULT_TOKEN", server::ROOT)],
    ];
    let revoked = count(bao, "auth/token/revoke-self");
    for way in ways {
        let got = claudectl(bao, &["secrets", "get", "vault:secret/data/claude#key"], way);
        assert_eq!((text(&got.stdout).as_str(), text(&got.stderr).as_str()), ("canary\n", ""), "{way:?}");
    }
    assert_eq!(
        count(bao, "auth/token/revoke-self") - revoked,
        4,
        "a session is ended, and a token that was given is not"
    );

    for (way, told) in [
        (
            &[("VAULT_AUTH_METHOD", "carrier-pigeon")][..],
            "none of token, approle, kubernetes, jwt and userpass",
        ),
        (&[("VAULT_AUTH_METHOD", "approle"), ("VAULT_ROLE_ID", role_id)], "VAULT_SECRET_ID does not exist"),
        (&[("VAULT_AUTH_METHOD", "jwt"), ("VAULT_JWT", "wrong")], "VAULT_ROLE does not exist"),
        (
            &[("VAULT_AUTH_METHOD", "jwt"), ("VAULT_ROLE", "claude"), ("VAULT_JWT", "wrong-jwt")],
            "was refused",
        ),
        (&[("VAULT_TOKEN", "vault:secret/data/claude#key")], "VAULT_TOKEN refers to Vault itself"),
        (&[("VAULT_TOKEN", "env:wrong-name")], "the env reference is not understood"),
    ] {
        let refused = claudectl(bao, &["secrets", "get", "vault:secret/data/claude#key"], way);
        let line = text(&refused.stderr);
        assert!(!refused.status.success() && line.contains(told) && !line.contains("wrong"), "{line}");
    }
}

/// The users of the Redis in which the server makes some.
fn users(lender: &Lender) -> usize {
    let mut socket = TcpStream::connect(("127.0.0.1", lender.port)).unwrap();
    socket.write_all(b"AUTH default admin\r\nACL USERS\r\nQUIT\r\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer.lines().find_map(|line| line.strip_prefix('*')?.parse().ok()).unwrap()
}

/// The server takes users away a moment after it was asked to.
fn are_left(lender: &Lender, expected: usize) -> bool {
    (0..10_000).any(|_| users(lender) == expected)
}

#[tokio::test]
async fn what_was_lent_for_a_look_is_given_back() {
    let bao = Bao::start();
    let lender = Lender::start(&bao).await;
    let (role_id, secret_id) = bao.app_role().await;
    let profile = json!({ "authentication": { "type": "api_key", "api_key": "env:KEY" },
                          "environment": { "DATABASE": "vault:database/creds/app#password" } });
    let folder = bao.path(".config/anthropic");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("profiles.json"), json!({ "profiles": { "prod": profile } }).to_string()).unwrap();
    let app = [
        ("VAULT_AUTH_METHOD", "approle"),
        ("VAULT_ROLE_ID", role_id.as_str()),
        ("VAULT_SECRET_ID", secret_id.expose()),
        ("KEY", "canary-key"),
    ];
    let root = [("VAULT_TOKEN", server::ROOT), ("KEY", "canary-key")];
    let nobody = users(&lender);
    let made = || count(&bao, "database/creds/app");
    for (way, environment) in [("approle", &app[..]), ("token", &root)] {
        for look in [&["env", "check"][..], &["env", "diff", "prod", "prod"]] {
            let before = made();
            let looked = claudectl(&bao, look, environment);
            assert!(looked.status.success(), "{way} {look:?} {looked:?}");
            assert!(made() > before, "{way} {look:?}: nothing was lent, which shows nothing");
            assert!(are_left(&lender, nobody), "{way} {look:?}");
        }
    }

    // A token that may read and not give back: it is told.
    let child = bao.post("auth/token/create", json!({ "policies": ["app"] })).await;
    let child = [("VAULT_TOKEN", child["auth"]["client_token"].as_str().unwrap()), ("KEY", "canary-key")];
    let looked = claudectl(&bao, &["env", "check"], &child);
    assert!(
        looked.status.success() && text(&looked.stderr).contains("could not be given back"),
        "{looked:?}"
    );
    assert_eq!(users(&lender), nobody + 1);

    // What is got is lent to whoever got it, and so is what a program is started with.
    let got = claudectl(&bao, &["secrets", "get", "vault:database/creds/app#password"], &app);
    assert!(got.status.success() && text(&got.stderr).contains("this is lent for"), "{got:?}");
    let ran = claudectl(&bao, &["env", "run", "prod", "--", "/usr/bin/env"], &app);
    assert!(ran.status.success() && text(&ran.stdout).contains("DATABASE="), "{ran:?}");
    assert_eq!(users(&lender), nobody + 3);
}
