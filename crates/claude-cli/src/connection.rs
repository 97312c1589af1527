//! A client as the arguments and the environment say.

use std::path::Path;

use anyhow::bail;
use claude_sdk::{
    Client, ClientBuilder,
    secrets::{
        Secret, SecretName, SecretProvider,
        providers::{Env, File},
    },
};

use crate::{
    args::ConnectionArgs,
    console::scrubber,
    references::{resolver, tell_trimmed},
    wording::at_a_terminal,
};

pub(crate) async fn client(args: &ConnectionArgs) -> anyhow::Result<Client> {
    builder(args).await?.build().map_err(at_a_terminal)
}

/// The same, for a command that wants some of it otherwise.
pub(crate) async fn builder(args: &ConnectionArgs) -> anyhow::Result<ClientBuilder> {
    let mut builder = Client::builder().api_version(args.api_version);
    if let Some(url) = &args.base_url {
        builder = builder.base_url(url);
    }
    if let Some(path) = &args.api_key_file {
        let key = key_in(path).await?;
        if key.was_trimmed() {
            tell_trimmed("the file of --api-key-file");
        }
        builder = builder.api_key(key.into_inner());
    }
    let env = Env::process();
    builder = builder.resolver(resolver(&env));
    if let Some(reference) = &args.api_key_from {
        builder = builder.api_key_from(reference.as_str());
    }
    let builder = match &args.profile {
        Some(name) => builder.profile(name.clone(), &env),
        None => builder.environment(&env),
    };
    #[cfg(feature = "otlp")]
    let builder = builder.map(|builder| crate::otlp::measured(builder, &env));
    builder.map_err(|error| at_a_terminal(error.into()))
}

/// The key in the file of --api-key-file.
pub(crate) async fn key_in(path: &Path) -> anyhow::Result<Secret> {
    let Some(key) = File::at(path).get(SecretName::new("key")?).await? else {
        // Somebody may have typed the key itself here.
        bail!("there is no file where --api-key-file leads; write the key into one, mode 600, and name that")
    };
    scrubber().watch(&key);
    Ok(key)
}
