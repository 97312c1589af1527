//! `vault:` references, against as much of a Vault as they need. A real one is asked in `e2e`.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, TcpListener, TcpStream},
    process::Command,
    sync::{Arc, Mutex},
    thread,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::claudectl::{claudectl, run, run_with_input};

const TOKEN: &str = "CANARY-vault-token";

/// One secret with versions.
#[derive(Default)]
struct Kept {
    fields: Value,
    version: u64,
    /// Whether somebody writes another field after each write.
    is_busy: bool,
    /// What the requests were told apart by.
    ids: Vec<String>,
}

/// Serves one secret at `secret/data/claude`.
fn vault() -> (String, Arc<Mutex<Kept>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let kept = Arc::new(Mutex::new(Kept::default()));
    let ours = Arc::clone(&kept);
    thread::spawn(move || listener.incoming().for_each(|stream| answer(&stream.unwrap(), &ours)));
    (address, kept)
}

fn answer(mut stream: &TcpStream, kept: &Mutex<Kept>) {
    let mut reader = BufReader::new(stream);
    let (mut head, mut line) = (String::new(), String::new());
    while reader.read_line(&mut line).unwrap() > 0 && !line.trim().is_empty() {
        head.push_str(&line.to_ascii_lowercase());
        line.clear();
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).unwrap();
    let (status, answer) =
        route(&head, &serde_json::from_slice(&body).unwrap_or_default(), &mut kept.lock().unwrap());
    let text = answer.to_string();
    let length = text.len();
    write!(stream, "HTTP/1.1 {status} x\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{text}")
        .unwrap();
}

fn route(head: &str, body: &Value, kept: &mut Kept) -> (u16, Value) {
    let id = head.lines().find_map(|line| line.strip_prefix("x-correlation-id: "));
    kept.ids.extend(id.map(str::to_owned));
    if !head.contains(&format!("x-vault-token: {}", TOKEN.to_ascii_lowercase())) {
        return (403, json!({ "errors": ["permission denied"] }));
    }
    let data = json!({ "data": kept.fields, "metadata": { "version": kept.version } });
    let request = head.lines().next().unwrap().replace("%20", " ");
    match request.split(' ').take(2).collect::<Vec<_>>()[..] {
        ["get", "/v1/auth/token/lookup-self"] => (200, json!({ "data": { "ttl": 0, "renewable": false } })),
        ["get", path] if path.starts_with("/v1/sys/internal/ui/mounts/secret") => {
            (200, json!({ "data": { "options": { "version": "2" } } }))
        }
        ["get", "/v1/secret/data/claude"] if kept.version > 0 => (200, json!({ "data": data })),
        ["get", _] => (404, json!({ "errors": [] })),
        ["post", "/v1/secret/data/claude"] if body["options"]["cas"] == kept.version => {
            let written = kept.version + 1;
            (kept.fields, kept.version) = (body["data"].clone(), written + u64::from(kept.is_busy));
            (200, json!({ "data": { "version": written } }))
        }
        _ => (400, json!({ "errors": ["check-and-set parameter did not match the current version"] })),
    }
}

fn of(address: &str, arguments: &[&str]) -> Command {
    let mut command = claudectl([&["secrets"], arguments, &["vault:secret/data/claude#key"]].concat());
    command.env("VAULT_ADDR", address).env("VAULT_TOKEN", TOKEN);
    command
}

#[test]
fn a_secret_in_vault_is_stored_got_and_replaced() {
    let (address, kept) = vault();
    run(&mut of(&address, &["get"])).failed(1, "vault:secret/data/claude#key does not exist");
    run_with_input(&mut of(&address, &["rotate"]), b"CANARY-1").failed(1, "there is no secret to replace");
    assert_eq!(run_with_input(&mut of(&address, &["put"]), b"CANARY-1").ok(), "Stored as version 1.\n");
    assert_eq!(run(&mut of(&address, &["get"])).ok(), "CANARY-1\n");
    assert_eq!(run_with_input(&mut of(&address, &["rotate"]), b"CANARY-2").ok(), "Replaced by version 2.\n");
    let rotated = run_with_input(&mut of(&address, &["rotate", "--json"]), b"CANARY-3");
    let report: Value = serde_json::from_str(rotated.ok()).unwrap();
    assert_eq!(report, json!({ "reference": "vault:secret/data/claude#key", "version": 3 }));
    assert_eq!(kept.lock().unwrap().fields, json!({ "key": "CANARY-3" }));
    let put = run_with_input(&mut of(&address, &["put", "--json"]), b"CANARY-4");
    let report: Value = serde_json::from_str(put.ok()).unwrap();
    assert_eq!(report, json!({ "reference": "vault:secret/data/claude#key", "version": 4 }));
}

#[test]
fn the_version_that_is_told_is_of_ones_own_write() {
    let (address, kept) = vault();
    kept.lock().unwrap().is_busy = true;
    assert_eq!(run_with_input(&mut of(&address, &["put"]), b"CANARY-1").ok(), "Stored as version 1.\n");
    assert_eq!(run_with_input(&mut of(&address, &["put"]), b"CANARY-1").ok(), "Stored as version 3.\n");
}

/// In containers all programs have the same number.
#[test]
fn the_ids_of_requests_are_drawn_and_none_is_of_two_runs() {
    let (address, kept) = vault();
    let ids = [(), ()].map(|()| {
        run(&mut of(&address, &["get"])).failed(1, "does not exist");
        std::mem::take(&mut kept.lock().unwrap().ids)
    });
    let drawn = ids.each_ref().map(|ids| ids[0].split('-').next().unwrap().to_owned());
    assert_ne!(drawn[0], drawn[1], "{ids:?}");
    // Of a number that is that of a process most digits are zero.
    assert!(drawn.iter().all(|drawn| drawn.len() == 16 && !drawn.starts_with("00000000")), "{ids:?}");
}

#[test]
fn the_token_is_where_vaults_own_program_keeps_it() {
    let (address, kept) = vault();
    *kept.lock().unwrap() = Kept { fields: json!({ "key": "CANARY-1" }), version: 1, ..Kept::default() };
    let home = TempDir::new().unwrap();
    let get = |tokens: &str| {
        let path = home.path().join(".vault-token");
        std::fs::write(&path, tokens).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        run(of(&address, &["get"]).env_remove("VAULT_TOKEN").env("HOME", home.path()))
    };
    assert_eq!(get(TOKEN).ok(), "CANARY-1\n");
    get("CANARY-other").failed(1, "was refused");
    let mut round = of(&address, &["get"]);
    round.env("VAULT_AUTH_METHOD", "approle").env("VAULT_ROLE_ID", "a").env("VAULT_SECRET_ID", "vault:a#b");
    run(&mut round).failed(1, "VAULT_SECRET_ID refers to Vault itself, and this is what opens it");
    let nowhere = run(of("http://127.0.0.1:1", &["get"]).env("VAULT_CACERT", "/nowhere/ca.pem"));
    nowhere.failed(1, "VAULT_CACERT");
    // Another machine is spoken to in clear where it is named, and only that one.
    let clear = |host: &str| run(of("http://vault.invalid:1", &["get"]).env("VAULT_IN_CLEAR", host));
    run(&mut of("http://vault.invalid:1", &["get"])).failed(1, "set VAULT_IN_CLEAR to the name of the host");
    clear("other.invalid").failed(1, "unencrypted");
    clear("vault.invalid").failed(1, "no connection");
}
