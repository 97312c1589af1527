//! A secret backend of your own: implement `SecretProvider`, and let the client read its key from it.
//! Here a map stands in for it; a chain asks it after the environment.
#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::collections::HashMap;

use claude_sdk::{
    Client,
    credentials::FromSecret,
    secrets::{
        Error, Secret, SecretName, SecretProvider,
        providers::{Chain, Env},
    },
};
use mock_server::MockServer;

struct Team(HashMap<String, String>);

// A secret must not come out in a log: Debug is written by hand.
impl std::fmt::Debug for Team {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Team({} secrets)", self.0.len())
    }
}

#[async_trait::async_trait]
impl SecretProvider for Team {
    async fn get(&self, name: SecretName) -> Result<Option<Secret>, Error> {
        Ok(self.0.get(name.as_str()).cloned().map(Secret::from))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let server = MockServer::start().await?;
    let team = Team(HashMap::from([("TEAM_CLAUDE_KEY".to_owned(), server.api_key().to_owned())]));
    let secrets = Chain::new().with(Env::process()).with(team);
    let key = FromSecret::new(secrets, SecretName::new("TEAM_CLAUDE_KEY")?);
    let client = Client::builder().credentials(key).base_url(server.base_url()).build()?;
    println!("{} models", client.models().list().await?.data.len());
    Ok(())
}
