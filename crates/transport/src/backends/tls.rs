//! The TLS settings: rustls with ring, without a process-wide default.

use std::sync::Arc;

use bytes::Bytes;
use rustls::{
    ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::CryptoProvider,
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};
use rustls_platform_verifier::Verifier;

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct BuildError(#[from] BuildProblem);

#[derive(Debug, thiserror::Error)]
enum BuildProblem {
    #[error(
        "the extra CA certificates cannot be used; give them in PEM, each between BEGIN and END CERTIFICATE"
    )]
    Roots(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the TLS settings cannot be used")]
    Tls(#[source] rustls::Error),
    #[cfg(feature = "reqwest")]
    #[error("the HTTP client cannot be built; check the proxy settings in the environment")]
    Client(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl BuildError {
    #[cfg(feature = "reqwest")]
    pub(super) fn client(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        BuildProblem::Client(error.into()).into()
    }
}

/// Settings that trust the machine's CA certificates and those in `pems`.
///
/// The oldest version is TLS 1.2. No session secrets are written anywhere, whatever `SSLKEYLOGFILE` says.
pub(super) fn config(pems: &[Bytes]) -> Result<ClientConfig, BuildError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = parse(pems)?;
    let verifier: Arc<dyn ServerCertVerifier> =
        match Verifier::new_with_extra_roots(roots, Arc::clone(&provider)) {
            Ok(verifier) => Arc::new(verifier),
            Err(reason) => Arc::new(NoRoots { reason }),
        };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(BuildProblem::Tls)?
        .dangerous() // the verifiers above are stricter than or equal to the default one
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    config.alpn_protocols = PROTOCOLS.iter().map(|name| name.to_vec()).collect();
    Ok(config)
}

/// What is offered to a server, dearest first. It does not depend on what other crates have hyper speak.
const PROTOCOLS: &[&[u8]] = if cfg!(feature = "http2") { &[b"h2", b"http/1.1"] } else { &[b"http/1.1"] };

fn parse(pems: &[Bytes]) -> Result<Vec<CertificateDer<'static>>, BuildProblem> {
    let mut roots = Vec::new();
    for pem in pems {
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| BuildProblem::Roots(error.into()))?;
            // The verifier below would blame the machine for it.
            RootCertStore::empty()
                .add(certificate.clone())
                .map_err(|error| BuildProblem::Roots(error.into()))?;
            roots.push(certificate);
        }
        if roots.len() == before {
            return Err(BuildProblem::Roots("no certificate found".into()));
        }
    }
    Ok(roots)
}

/// Refuses every server: stands in where the machine has no CA certificates, so that plain HTTP still works.
#[derive(Debug)]
struct NoRoots {
    reason: rustls::Error,
}

impl NoRoots {
    fn refuse<T>(&self) -> Result<T, rustls::Error> {
        Err(self.reason.clone())
    }
}

impl ServerCertVerifier for NoRoots {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.refuse()
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.refuse()
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _cert: &CertificateDer<'_>,
        _dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.refuse()
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let provider: CryptoProvider = rustls::crypto::ring::default_provider();
        provider.signature_verification_algorithms.supported_schemes()
    }
}
