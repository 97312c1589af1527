//! Every store of sessions keeps the same promises.

use std::sync::Arc;

use claude_sdk::{
    secrets::{SecretName, providers::Memory},
    token_store::{self, FileTokenStore, MemoryTokenStore, SecretTokenStore},
};

#[tokio::test]
async fn every_store_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let file = || FileTokenStore::new(folder.path().join("config"), "work").unwrap();
    token_store::contract(file(), file()).await;
    let memory = Arc::new(MemoryTokenStore::default());
    token_store::contract(Arc::clone(&memory), memory).await;
    let secret = SecretTokenStore::new(Memory::new(), SecretName::new("team/session").unwrap());
    token_store::contract(secret.clone(), secret).await;
}
