//! Namespaces, and what servers of a cluster answer that are not the active one.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    thread,
};

use super::*;

#[tokio::test]
async fn each_namespace_has_secrets_and_tokens_of_its_own() {
    let bao = Bao::start();
    for namespace in ["one", "two"] {
        bao.post(&format!("sys/namespaces/{namespace}"), json!({})).await;
        let mount = json!({ "type": "kv", "options": { "version": "2" } });
        bao.post(&format!("{namespace}/sys/mounts/secret"), mount).await;
    }
    let within =
        |namespace: &str| bao.vault(Login::token(secret(server::ROOT))).namespace(namespace).build().unwrap();
    let (one, two) = (within("one"), within("two"));
    let place = "secret/data/claude#key";
    one.put(name(place), secret("canary-one")).await.unwrap();
    assert_eq!(read(&one, place).await, is("canary-one"));
    assert_eq!(read(&two, place).await, Ok(None), "the other's is not found");
    assert_eq!(read(&bao.root(), place).await, Ok(None));
    assert_eq!(read(&bao.root(), "one/secret/data/claude#key").await, is("canary-one"));
    two.put_if(name(place), secret("canary-two"), 0).await.unwrap();
    assert_eq!((read(&one, place).await, read(&two, place).await), (is("canary-one"), is("canary-two")));
    assert_eq!(read(&within("three"), place).await.unwrap_err(), ErrorKind::Unreadable, "there is none");
}

/// Answers every request with `status`.
fn always(status: u16) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || listener.incoming().for_each(|socket| refuse(&socket.unwrap(), status)));
    address
}

fn refuse(mut socket: &TcpStream, status: u16) {
    let mut lines = BufReader::new(socket).lines();
    while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
    let head = format!("HTTP/1.1 {status} x\r\nLocation: http://127.0.0.1:1/\r\nConnection: close\r\n");
    let _ = socket.write_all(format!("{head}Content-Length: 0\r\n\r\n").as_bytes());
}

#[tokio::test]
async fn a_server_that_is_not_the_active_one_or_is_too_busy_may_be_asked_later() {
    for (status, why) in [
        (307, "redirect"),
        (429, "too many requests"),
        (472, "a standby"),
        (473, "a standby"),
        (503, "sealed, or down for maintenance"),
    ] {
        let login = Login::token(secret("canary"));
        let vault = Vault::builder(always(status), login, 1).build().unwrap();
        let error = vault.get(name("secret/data/x#key")).await.unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Unavailable, true), "{status}");
        assert!(source(&error).contains(why), "{status}: {}", source(&error));
        // A link that may know better is no reason to give out an older secret.
        let chain =
            Chain::new().with(vault).with(Memory::new().with(name("secret/data/x#key"), "old".to_owned()));
        assert!(chain.get(name("secret/data/x#key")).await.is_err(), "{status}");
    }
}
