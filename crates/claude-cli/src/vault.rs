//! The Vault that the environment names, and who we are there.

use std::{
    hash::{BuildHasher as _, RandomState},
    io,
    path::PathBuf,
};

use async_trait::async_trait;
use claude_sdk::secrets::{
    Error, ErrorKind, Reference, Resolver, Secret, SecretName, SecretProvider, SecretStore,
    providers::{
        Chain, Env, File,
        vault::{Login, Vault, VaultBuilder},
    },
};
use tokio::sync::OnceCell;
use url::Url;

use crate::{console::scrubber, references::tell_trimmed};

/// Where the platform puts the token of a pod.
const POD: &str = "mount:/var/run/secrets/kubernetes.io/serviceaccount/token";

/// The Vault that the environment names, in the words of Vault's own program. Nothing is looked at before it is needed.
#[derive(Debug)]
pub(crate) struct NamedVault {
    env: Env,
    vault: OnceCell<Vault>,
}

impl NamedVault {
    pub(crate) fn new(env: &Env) -> Self {
        Self { env: env.clone(), vault: OnceCell::new() }
    }

    /// As [`Vault::give_back`]; nothing where it was not needed.
    pub(crate) async fn give_back(&self) -> Result<(), Error> {
        match self.vault.get() {
            Some(vault) => vault.give_back().await,
            None => Ok(()),
        }
    }

    /// As [`Vault::put_counted`].
    pub(crate) async fn put_counted(&self, name: SecretName, secret: Secret) -> Result<Option<u64>, Error> {
        self.vault().await?.put_counted(name, secret).await
    }

    async fn vault(&self) -> Result<&Vault, Error> {
        self.vault.get_or_try_init(|| self.build()).await
    }

    async fn build(&self) -> Result<Vault, Error> {
        let Some(address) = self.read("VAULT_ADDR")? else {
            let why = "VAULT_ADDR is not set; set it, and VAULT_TOKEN or VAULT_AUTH_METHOD";
            return Err(unavailable(why));
        };
        // Whatever the process number: in a container it is always the same.
        let seed = RandomState::new().hash_one("the requests of this run");
        let mut builder = Vault::builder(address.expose(), self.login().await?, seed);
        if let Some(namespace) = self.read("VAULT_NAMESPACE")? {
            builder = builder.namespace(namespace.expose());
        }
        if let Some(path) = self.read("VAULT_CACERT")? {
            let pem = std::fs::read(path.expose()).map_err(|error| {
                Error::new(ErrorKind::Unreadable, "the file that VAULT_CACERT names").with_source(error)
            })?;
            builder = builder.root_certificates(pem);
        }
        self.in_clear(builder, address.expose())?.build().map_err(|error| match error.kind() {
            ErrorKind::Cleartext => {
                let how = "set VAULT_IN_CLEAR to the name of the host in VAULT_ADDR";
                error.with_source(io::Error::other(how))
            }
            _ => error,
        })
    }

    /// Allows a network without encryption for the host that is named, and for no other that `VAULT_ADDR` may name one day.
    fn in_clear(&self, builder: VaultBuilder, address: &str) -> Result<VaultBuilder, Error> {
        let Some(allowed) = self.read("VAULT_IN_CLEAR")? else { return Ok(builder) };
        let url = Url::parse(address).ok();
        let host = url.as_ref().and_then(Url::host_str);
        Ok(if host == Some(allowed.expose()) { builder.danger_in_clear() } else { builder })
    }

    /// How to log in: `VAULT_AUTH_METHOD`, or else with a token.
    async fn login(&self) -> Result<Login, Error> {
        let method = self.read("VAULT_AUTH_METHOD")?;
        let login = match method.as_ref().map_or("token", Secret::expose) {
            "token" => return Ok(Login::token(self.token())),
            "approle" => {
                Login::app_role(self.given("VAULT_ROLE_ID").await?, self.proof("VAULT_SECRET_ID", None))
            }
            "kubernetes" => {
                Login::kubernetes(self.given("VAULT_ROLE").await?, self.proof("VAULT_JWT", Some(POD)))
            }
            "jwt" => Login::jwt(self.given("VAULT_ROLE").await?, self.proof("VAULT_JWT", None)),
            "userpass" => {
                Login::userpass(self.given("VAULT_USERNAME").await?, self.proof("VAULT_PASSWORD", None))
            }
            _ => {
                let why = "VAULT_AUTH_METHOD is none of token, approle, kubernetes, jwt and userpass";
                return Err(unavailable(why));
            }
        };
        Ok(match self.read("VAULT_AUTH_PATH")? {
            Some(mount) => login.at_mount(mount.expose()),
            None => login,
        })
    }

    /// `VAULT_TOKEN`, or what Vault's own program has left after a login.
    fn token(&self) -> Chain {
        let token = Proof { optional: true, ..self.proof("VAULT_TOKEN", None) };
        let token = Chain::new().with(token);
        match self.env.lookup()("HOME") {
            Some(home) => token.with(File::at(PathBuf::from(home).join(".vault-token"))),
            None => token,
        }
    }

    fn proof(&self, variable: &'static str, default: Option<&'static str>) -> Proof {
        Proof { env: self.env.clone(), variable, default, optional: false }
    }

    async fn given(&self, variable: &'static str) -> Result<String, Error> {
        let found = self.proof(variable, None).read().await?;
        found.map(|found| found.expose().to_owned()).ok_or_else(|| missing(variable))
    }

    fn read(&self, variable: &str) -> Result<Option<Secret>, Error> {
        self.env.read(&SecretName::new(variable)?)
    }
}

/// What a variable holds, or what it refers to; read at each login.
#[derive(Debug)]
struct Proof {
    env: Env,
    variable: &'static str,
    default: Option<&'static str>,
    optional: bool,
}

impl Proof {
    async fn read(&self) -> Result<Option<Secret>, Error> {
        let default = || self.default.map(|default| Secret::from(default.to_owned()));
        let Some(given) = self.env.read(&SecretName::new(self.variable)?)?.or_else(default) else {
            return Ok(None);
        };
        if matches!(Reference::meant(given.expose()), Ok(Some(reference)) if reference.scheme() == "vault") {
            return Err(unavailable(format!(
                "{} refers to Vault itself, and this is what opens it; keep that secret elsewhere, and set it to a reference of \
                 another kind, such as file:PATH",
                self.variable
            )));
        }
        let was_trimmed = given.was_trimmed();
        let secret =
            Resolver::of(&self.env).on_trimmed(|reference| tell_trimmed(reference)).given(given).await?;
        scrubber().watch(&secret);
        if was_trimmed {
            tell_trimmed(format!("the variable {}", self.variable));
        }
        Ok(Some(secret))
    }
}

#[async_trait]
impl SecretProvider for Proof {
    async fn get(&self, _: SecretName) -> Result<Option<Secret>, Error> {
        match self.read().await? {
            None if !self.optional => Err(missing(self.variable)),
            found => Ok(found),
        }
    }
}

fn missing(variable: &str) -> Error {
    Error::new(ErrorKind::Missing, format!("the environment variable {variable}"))
}

fn unavailable(why: impl Into<String>) -> Error {
    Error::new(ErrorKind::Unavailable, "the Vault").with_source(io::Error::other(why.into()))
}

#[async_trait]
impl SecretProvider for NamedVault {
    async fn get(&self, name: SecretName) -> Result<Option<Secret>, Error> {
        self.vault().await?.get(name).await
    }
}

#[async_trait]
impl SecretStore for NamedVault {
    async fn put(&self, name: SecretName, secret: Secret) -> Result<(), Error> {
        self.vault().await?.put(name, secret).await
    }

    async fn put_if(&self, name: SecretName, secret: Secret, version: u64) -> Result<u64, Error> {
        self.vault().await?.put_if(name, secret, version).await
    }

    async fn delete(&self, name: SecretName) -> Result<(), Error> {
        self.vault().await?.delete(name).await
    }
}
