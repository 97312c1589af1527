//! Secrets by reference, as the environment of this program has it.

use std::{io, path::PathBuf, sync::OnceLock};

use async_trait::async_trait;
use claude_sdk::secrets::{
    Error, ErrorKind, Resolver, Secret, SecretName, SecretProvider, SecretStore,
    providers::{Chain, Env, File, Vault, vault::Login},
};

use crate::console::scrubber;

/// Fetches what references lead to; what it finds is taken out of all that is told.
pub(crate) fn resolver(env: &Env) -> Resolver {
    Resolver::of(env).with("vault", NamedVault::new(env)).watched_by(scrubber())
}

/// The Vault that the environment names, in the words of Vault's own program. Nothing is looked at before it is needed.
#[derive(Debug)]
pub(crate) struct NamedVault {
    env: Env,
    vault: OnceLock<Vault>,
}

impl NamedVault {
    pub(crate) fn new(env: &Env) -> Self {
        Self { env: env.clone(), vault: OnceLock::new() }
    }

    fn vault(&self) -> Result<&Vault, Error> {
        if let Some(vault) = self.vault.get() {
            return Ok(vault);
        }
        let Some(address) = self.read("VAULT_ADDR")? else {
            let why = "VAULT_ADDR is not set; set it, and VAULT_TOKEN";
            return Err(Error::new(ErrorKind::Unavailable, "the Vault").with_source(io::Error::other(why)));
        };
        let name = SecretName::new("token")?;
        let mut token = Chain::new().with(Env::new(self.env.lookup()).with_variable(name, "VAULT_TOKEN"));
        if let Some(home) = self.env.lookup()("HOME") {
            token = token.with(File::at(PathBuf::from(home).join(".vault-token")));
        }
        // Clients of one moment are told apart by it.
        let seed = u64::from(std::process::id());
        let mut builder = Vault::builder(address.expose(), Login::token(token), seed);
        if let Some(namespace) = self.read("VAULT_NAMESPACE")? {
            builder = builder.namespace(namespace.expose());
        }
        if let Some(path) = self.read("VAULT_CACERT")? {
            let pem = std::fs::read(path.expose()).map_err(|error| {
                Error::new(ErrorKind::Unreadable, "the file that VAULT_CACERT names").with_source(error)
            })?;
            builder = builder.root_certificates(pem);
        }
        let vault = builder.build()?;
        Ok(self.vault.get_or_init(|| vault))
    }

    fn read(&self, variable: &str) -> Result<Option<Secret>, Error> {
        self.env.read(&SecretName::new(variable)?)
    }
}

#[async_trait]
impl SecretProvider for NamedVault {
    async fn get(&self, name: SecretName) -> Result<Option<Secret>, Error> {
        self.vault()?.get(name).await
    }
}

#[async_trait]
impl SecretStore for NamedVault {
    async fn put(&self, name: SecretName, secret: Secret) -> Result<(), Error> {
        self.vault()?.put(name, secret).await
    }

    async fn put_if(&self, name: SecretName, secret: Secret, version: u64) -> Result<u64, Error> {
        self.vault()?.put_if(name, secret, version).await
    }

    async fn delete(&self, name: SecretName) -> Result<(), Error> {
        self.vault()?.delete(name).await
    }
}
