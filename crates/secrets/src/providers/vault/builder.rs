//! The settings of a client of Vault.

use std::{
    collections::HashMap,
    fmt,
    net::IpAddr,
    sync::{Arc, Mutex, atomic::AtomicU64},
    time::Duration,
};

use reqwest::{header::HeaderValue, redirect::Policy};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use rustls_platform_verifier::BuilderVerifierExt as _;
use url::{Host, Url};

use super::{Login, Session, Shared, Vault, Wire};
use crate::{Error, ErrorKind, SystemTimer, Timer};

/// The settings of a [`Vault`].
#[must_use = "call build() to get the provider"]
pub struct VaultBuilder {
    address: String,
    login: Login,
    seed: u64,
    namespace: Option<String>,
    roots: Option<Vec<u8>>,
    patience: Duration,
    timer: Arc<dyn Timer>,
    in_clear: bool,
}

impl VaultBuilder {
    pub(super) fn new(address: String, login: Login, seed: u64) -> Self {
        Self {
            address,
            login,
            seed,
            namespace: None,
            roots: None,
            patience: Duration::from_secs(10),
            timer: Arc::new(SystemTimer),
            in_clear: false,
        }
    }

    /// Asks within a namespace.
    pub fn namespace(self, namespace: impl Into<String>) -> Self {
        Self { namespace: Some(namespace.into()), ..self }
    }

    /// Trusts the CA certificates in `pem`, and no others; without them, those of the machine.
    pub fn root_certificates(self, pem: impl Into<Vec<u8>>) -> Self {
        Self { roots: Some(pem.into()), ..self }
    }

    /// Waits so long for an answer; 10 s by default.
    pub fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Takes the time from `timer`.
    pub fn timer(self, timer: impl Timer) -> Self {
        Self { timer: Arc::new(timer), ..self }
    }

    /// Sends secrets unencrypted to other machines too: whoever can listen on the way reads them.
    pub fn danger_in_clear(self) -> Self {
        Self { in_clear: true, ..self }
    }

    /// Makes the provider; nothing is sent yet.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidAddress`] and [`ErrorKind::Cleartext`] about the address, which no error repeats;
    /// [`ErrorKind::Unreadable`] about the CA certificates.
    pub fn build(self) -> Result<Vault, Error> {
        let refused = |kind| Error::new(kind, "the address of Vault");
        let address: Url = self.address.parse().map_err(|_| refused(ErrorKind::InvalidAddress))?;
        let plain =
            address.username().is_empty() && address.password().is_none() && address.query().is_none();
        if !plain || !matches!(address.scheme(), "http" | "https") {
            return Err(refused(ErrorKind::InvalidAddress));
        }
        if address.scheme() == "http" && !self.in_clear && !is_this_machine(&address) {
            return Err(refused(ErrorKind::Cleartext));
        }
        let namespace = self.namespace.as_deref().map(HeaderValue::from_str).transpose();
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls(self.roots.as_deref())?)
            .redirect(Policy::none())
            .referer(false)
            .no_proxy()
            .build();
        let wire = Wire {
            client: client.map_err(|error| unusable().with_source(error))?,
            address,
            namespace: namespace.map_err(|_| Error::new(ErrorKind::InvalidName, "the namespace of Vault"))?,
            patience: self.patience,
            timer: Arc::clone(&self.timer),
            run: self.seed,
            sent: AtomicU64::new(0),
        };
        let session = Session::new(wire, self.login, Arc::clone(&self.timer), self.seed);
        Ok(Vault(Arc::new(Shared { session, timer: self.timer, lent: Mutex::new(HashMap::new()) })))
    }
}

impl fmt::Debug for VaultBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultBuilder").field("login", &self.login).finish_non_exhaustive()
    }
}

fn tls(roots: Option<&[u8]>) -> Result<ClientConfig, Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable().with_source(error))?;
    let Some(pem) = roots else {
        let verified = config.with_platform_verifier().map_err(|error| unusable().with_source(error))?;
        return Ok(verified.with_no_client_auth());
    };
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| unusable().with_source(error))?;
        store.add(certificate).map_err(|error| unusable().with_source(error))?;
    }
    if store.is_empty() {
        return Err(unusable());
    }
    Ok(config.with_root_certificates(store).with_no_client_auth())
}

fn unusable() -> Error {
    Error::new(ErrorKind::Unreadable, "the CA certificates for Vault")
}

/// The host is compared as parsed, never as text.
fn is_this_machine(address: &Url) -> bool {
    match address.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => IpAddr::from(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::from(ip).is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Secret;

    fn built(address: &str) -> Result<Vault, Error> {
        Vault::builder(address, Login::token(Secret::from("canary".to_owned())), 1).build()
    }

    #[test]
    fn secrets_are_not_sent_to_another_machine_in_clear_unless_somebody_says_so() {
        for address in
            ["http://127.0.0.1:8200", "http://[::1]:8200", "http://localhost", "https://vault.example/base"]
        {
            let vault = built(address).unwrap();
            assert!(!format!("{vault:?}").contains("canary"));
        }
        for (address, kind) in [
            ("http://vault.example", ErrorKind::Cleartext),
            ("http://localhost.evil.example", ErrorKind::Cleartext),
            ("ftp://127.0.0.1", ErrorKind::InvalidAddress),
            ("https://user:canary@vault.example", ErrorKind::InvalidAddress),
            ("canary", ErrorKind::InvalidAddress),
        ] {
            let error = built(address).unwrap_err();
            assert_eq!(error.kind(), kind, "{address}");
            assert!(!format!("{error} {error:?}").contains("canary"));
        }
    }

    #[test]
    fn certificates_that_are_none_are_refused() {
        for pem in ["", "canary", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            let login = Login::token(Secret::from("x".to_owned()));
            let error =
                Vault::builder("https://127.0.0.1", login, 1).root_certificates(pem).build().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unreadable, "{pem}");
        }
    }
}
