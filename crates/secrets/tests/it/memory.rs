//! What a dropped secret leaves behind in the memory of the process: nothing.

use std::{
    fs,
    os::unix::fs::{FileExt as _, PermissionsExt as _},
    sync::Arc,
};

use secrecy::zeroize::Zeroizing;
use secrets::{
    Resolver, Scrubber, Secret, SecretProvider as _,
    providers::{Cached, File, Memory},
};

use crate::name;

/// The secret with a mask over it: without one, this test would find its own copy.
fn masked() -> Vec<u8> {
    (0..48_u32).map(|at| (b'a' + u8::try_from((at * 7 + at * at) % 26).unwrap()) ^ MASK).collect()
}

const MASK: u8 = 0x5a;

fn plain() -> Zeroizing<Vec<u8>> {
    let mut plain = Zeroizing::new(Vec::with_capacity(48));
    plain.extend(masked().iter().map(|byte| byte ^ MASK));
    plain
}

/// How often the secret is somewhere in the memory that this process can write.
fn copies() -> usize {
    let masked = masked();
    let memory = fs::File::open("/proc/self/mem").unwrap();
    let mut piece = Zeroizing::new(vec![0; 1 << 20]);
    // Where the pieces are copied to is no place to look at.
    let own = piece.as_ptr().addr()..piece.as_ptr().addr() + piece.len();
    let mut count = 0;
    for line in fs::read_to_string("/proc/self/maps").unwrap().lines() {
        let mut words = line.split(' ');
        let (range, rights) = (words.next().unwrap(), words.next().unwrap());
        if !rights.starts_with("rw") {
            continue;
        }
        let (start, end) = range.split_once('-').unwrap();
        let [start, end] = [start, end].map(|address| usize::from_str_radix(address, 16).unwrap());
        for (mut at, end) in [(start, end.min(own.start.max(start))), (start.max(own.end.min(end)), end)] {
            while at < end {
                let length = piece.len().min(end - at);
                let Ok(read) = memory.read_at(&mut piece[..length], at as u64) else { break };
                let first = masked[0] ^ MASK;
                let begins = piece[..read].iter().enumerate().filter(|(_, byte)| **byte == first);
                let is_it = |at: usize| {
                    let window = piece.get(at..at + masked.len()).unwrap_or_default();
                    at + masked.len() <= read
                        && window.iter().zip(&masked).all(|(one, other)| one ^ MASK == *other)
                };
                count += begins.filter(|(at, _)| is_it(*at)).count();
                if read <= masked.len() || at + read >= end {
                    break;
                }
                // What lies across two pieces is in the next one.
                at += read - (masked.len() - 1);
            }
        }
    }
    count
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
