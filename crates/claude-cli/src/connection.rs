//! A client as the arguments and the environment say.

use claude_sdk::{ApiVersion, Client, secrets::providers::Env};

pub(crate) fn client(base_url: Option<String>, version: ApiVersion) -> anyhow::Result<Client> {
    let mut builder = Client::builder().api_version(version);
    if let Some(url) = base_url {
        builder = builder.base_url(url);
    }
    Ok(builder.environment(&Env::process())?.build()?)
}
