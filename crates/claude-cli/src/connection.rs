//! A client as the arguments and the environment say.

use claude_sdk::{ApiVersion, Client, Error, secrets::providers::Env};

pub(crate) fn client(base_url: Option<String>, version: ApiVersion) -> Result<Client, Error> {
    let mut builder = Client::builder().api_version(version);
    if let Some(url) = base_url {
        builder = builder.base_url(url);
    }
    builder.environment(&Env::process())?.build()
}
