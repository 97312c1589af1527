//! What a dropped secret leaves behind in the memory of the process: nothing.

use std::{fs, os::unix::fs::PermissionsExt as _, sync::Arc};

use mock_server::leaks::Masked;
use secrecy::zeroize::Zeroizing;
use secrets::{
    Resolver, Scrubber, Secret, SecretProvider as _,
    providers::{Cached, File, Memory},
};

use crate::name;

fn plain() -> Zeroizing<Vec<u8>> {
    let mut plain = Zeroizing::new(Vec::with_capacity(48));
    plain.extend(Masked::new(0).bytes());
    plain
}

/// How often the secret is somewhere in the memory that this process can write.
fn copies() -> usize {
    Masked::new(0).copies().unwrap()
}

#[tokio::test]
async fn a_secret_that_is_dropped_is_nowhere_in_the_memory_of_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    fs::write(&path, &*plain()).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(copies(), 0, "this test has a copy of its own");

    let secret = File::at(&path).get(name("key")).await.unwrap().unwrap();
    assert_eq!(copies(), 1, "a secret that is there is found, and there is one of it");
    let second = secret.duplicate();
    assert_eq!(copies(), 2);
    drop((secret, second));
    assert_eq!(copies(), 0, "a file's");

    let resolver = Resolver::new().with_files();
    let reference = format!("file:{}", path.display()).parse().unwrap();
    drop(resolver.resolve(&reference).await.unwrap());
    assert_eq!(copies(), 0, "a reference's");

    let cached = Cached::new(Arc::new(File::at(&path)), 1);
    drop(cached.get(name("key")).await.unwrap());
    assert!(copies() > 0, "it is kept");
    drop(cached);
    // What asks for it is a task of its own.
    tokio::task::yield_now().await;
    assert_eq!(copies(), 0, "a cache's");

    let scrubber = Scrubber::new();
    scrubber.watch(&Secret::parse(std::mem::take(&mut *plain()), "the test").unwrap());
    drop(scrubber);
    assert_eq!(copies(), 0, "a scrubber's");

    let parsed = Secret::parse(std::mem::take(&mut *plain()), "the test").unwrap();
    let memory = Memory::new().with(name("key"), parsed.into_inner());
    assert_eq!(copies(), 1);
    drop(memory);
    assert_eq!(copies(), 0, "a store's");
}
