use secrets::{
    ErrorKind, SecretProvider,
    providers::{Memory, Scoped},
    test_util::{contract, store_contract},
};

use crate::name;

#[tokio::test]
async fn each_environment_sees_its_own_secrets_and_no_others() {
    let both = || {
        Memory::new()
            .with(name("dev/key"), "canary-dev".to_owned())
            .with(name("prod/key"), "canary-prod".to_owned())
    };
    for environment in ["dev", "prod"] {
        let scoped = Scoped::new(both(), format!("{environment}/"));
        contract(scoped, name("key"), &format!("canary-{environment}"), name("prod/key")).await;
    }
}

#[tokio::test]
async fn a_scoped_store_keeps_the_contract_of_stores() {
    store_contract(Scoped::new(Memory::new(), "prod/"), name("key")).await;
}

#[tokio::test]
async fn a_prefix_that_makes_no_name_is_refused() {
    for prefix in ["prod//", "../", "prod "] {
        let scoped = Scoped::new(Memory::new(), prefix);
        assert_eq!(scoped.get(name("x")).await.unwrap_err().kind(), ErrorKind::InvalidName, "{prefix}");
    }
}
