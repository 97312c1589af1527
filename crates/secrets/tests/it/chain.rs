use std::sync::Arc;

use secrets::{
    Error, ErrorKind, Secret, SecretProvider,
    providers::{Chain, Memory},
    test_util::{MockSecretProvider, contract},
};

use crate::name;

fn memory(value: &str) -> Memory {
    Memory::new().with(name("key"), value.to_owned())
}

fn never_asked() -> MockSecretProvider {
    let mut mock = MockSecretProvider::new();
    mock.expect_get().never();
    mock
}

#[tokio::test]
async fn the_first_answer_wins() {
    let chain = Chain::new().with(Memory::new()).with(memory("first")).with(never_asked());
    assert_eq!(chain.get(name("key")).await.unwrap().unwrap().expose(), "first");
}

#[tokio::test]
async fn the_first_error_stops() {
    let mut broken = MockSecretProvider::new();
    broken.expect_get().once().returning(|_| Err(Error::new(ErrorKind::Unavailable, "the vault")));
    let chain = Chain::new().with(Memory::new()).with(broken).with(never_asked());
    let error = chain.get(name("key")).await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Unavailable, true));
    assert_eq!(error.to_string(), "the vault cannot be asked right now: check it or try again");
}

#[tokio::test]
async fn a_chain_in_which_nobody_knows_knows_nothing() {
    assert!(Chain::new().get(name("key")).await.unwrap().is_none());
    assert!(Chain::new().with(Memory::new()).get(name("key")).await.unwrap().is_none());
}

#[tokio::test]
async fn memory_and_chain_keep_the_contract() {
    contract(memory("canary-1"), name("key"), "canary-1", name("other")).await;
    let chain = Chain::new().with(Memory::new()).with(Arc::new(memory("canary-2")));
    contract(Arc::new(chain), name("key"), "canary-2", name("other")).await;
}

#[tokio::test]
async fn memory_hands_out_copies_and_a_later_secret_replaces_an_earlier_one() {
    let memory = memory("old").with(name("key"), Secret::from("new".to_owned()));
    drop(memory.get(name("key")).await.unwrap().unwrap());
    assert_eq!(memory.get(name("key")).await.unwrap().unwrap().expose(), "new");
}
