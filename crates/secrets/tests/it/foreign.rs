//! A provider written outside the crate, used like one of its own.

use std::sync::Arc;

use async_trait::async_trait;
use secrets::{
    Error, ErrorKind, Secret, SecretName, SecretProvider, SecretStore as _,
    providers::{Chain, Memory},
    test_util::{contract, store_contract},
};

use crate::name;

#[allow(unreachable_pub, reason = "an example of its own")]
#[path = "../../examples/own_backend.rs"]
mod own_backend;

#[derive(Debug)]
struct Safe {
    open: bool,
}

#[async_trait]
impl SecretProvider for Safe {
    async fn get(&self, name: SecretName) -> Result<Option<Secret>, Error> {
        if !self.open {
            let cause = std::io::Error::other("three wrong turns");
            return Err(Error::new(ErrorKind::Unavailable, "the safe").with_source(cause));
        }
        Ok((name.as_str() == "gold").then(|| Secret::from("bars".to_owned())))
    }
}

#[tokio::test]
async fn a_foreign_provider_keeps_the_contract_and_takes_its_place_in_a_chain() {
    contract(Safe { open: true }, name("gold"), "bars", name("silver")).await;
    let shared: Arc<dyn SecretProvider> = Arc::new(Safe { open: true });
    let chain = Chain::new().with(Memory::new()).with(shared);
    assert_eq!(chain.get(name("gold")).await.unwrap().unwrap().expose(), "bars");
}

#[tokio::test]
async fn a_backend_of_twenty_lines_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("gold"), "bars\n").unwrap();
    let drawer = own_backend::Drawer(folder.path().to_owned());
    contract(drawer, name("gold"), "bars", name("silver")).await;
    let code = include_str!("../../examples/own_backend.rs").split("// The twenty lines end").next().unwrap();
    assert!(code.lines().filter(|line| !line.trim().is_empty()).count() <= 20, "{code}");
}

#[tokio::test]
async fn an_error_of_a_foreign_provider_stops_the_chain_with_its_own_words() {
    let chain =
        Chain::new().with(Safe { open: false }).with(Memory::new().with(name("gold"), "old".to_owned()));
    let error = chain.get(name("gold")).await.unwrap_err();
    assert_eq!(error.place(), "the safe");
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "three wrong turns");
}

#[tokio::test]
async fn a_store_in_memory_keeps_the_contract() {
    store_contract(Memory::new(), name("gold")).await;
    store_contract(Arc::new(Memory::new()), name("gold")).await;
}

#[tokio::test]
async fn a_version_in_memory_is_replaced_once() {
    let memory = Memory::new().with(name("gold"), "bars".to_owned());
    let read = memory.get(name("gold")).await.unwrap().unwrap();
    let version = read.version().unwrap();
    let coins = || Secret::from("coins".to_owned());
    assert_eq!(memory.put_if(name("gold"), coins(), version).await.unwrap(), version + 1);
    let late = memory.put_if(name("gold"), coins(), version).await.unwrap_err();
    assert_eq!(late.kind(), ErrorKind::Superseded);
}
