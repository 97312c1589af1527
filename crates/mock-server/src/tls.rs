//! TLS with certificates made at the start, by an authority of the server's own.

use std::fmt;
use std::io;
use std::sync::{Arc, OnceLock};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
    date_time_ymd,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::fault::Handshake;

const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
/// The alert `protocol_version` in the words of TLS 1.0: what a server says that knows nothing newer.
const NO_SUCH_VERSION: [u8; 7] = [21, 3, 1, 0, 2, 2, 70];

type Made = Result<Arc<ServerConfig>, rcgen::Error>;

/// An authority and what it has signed.
pub(crate) struct Tls {
    authority: CertifiedIssuer<'static, KeyPair>,
    protocols: Vec<Vec<u8>>,
    good: Arc<ServerConfig>,
    /// Made when a fault asks for them.
    bad: [OnceLock<Option<Arc<ServerConfig>>>; 3],
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

impl Tls {
    pub(crate) fn new(http1_only: bool) -> Result<Self, rcgen::Error> {
        let protocols: &[&[u8]] = if http1_only { &[b"http/1.1"] } else { &[b"h2", b"http/1.1"] };
        let protocols: Vec<_> = protocols.iter().map(|name| name.to_vec()).collect();
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "Mock server authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        let good = config(&server(NAMES)?, Some(&authority), protocols.clone())?;
        Ok(Self { authority, protocols, good, bad: Default::default() })
    }

    /// The authority's certificate, in PEM.
    pub(crate) fn authority(&self) -> String {
        self.authority.pem()
    }

    /// Shakes hands, or does so badly; none is a connection that is over.
    pub(crate) async fn accept(
        &self,
        mut stream: TcpStream,
        fault: Option<Handshake>,
    ) -> io::Result<Option<TlsStream<TcpStream>>> {
        let (place, make): (_, fn(&Self) -> Made) = match fault {
            None => return self.shake(Arc::clone(&self.good), stream).await.map(Some),
            Some(Handshake::OldVersion) => {
                if stream.read(&mut [0; 4096]).await? == 0 {
                    return Ok(None);
                }
                stream.write_all(&NO_SUCH_VERSION).await?;
                stream.shutdown().await?;
                return Ok(None);
            }
            Some(Handshake::Expired) => (0, |tls| {
                let mut params = server(NAMES)?;
                params.not_after = date_time_ymd(2020, 1, 1);
                config(&params, Some(&tls.authority), tls.protocols.clone())
            }),
            Some(Handshake::OtherName) => (1, |tls| {
                config(&server(["elsewhere.example"])?, Some(&tls.authority), tls.protocols.clone())
            }),
            Some(Handshake::SelfSigned) => (2, |tls| config(&server(NAMES)?, None, tls.protocols.clone())),
        };
        let made = self.bad.get(place).and_then(|bad| bad.get_or_init(|| make(self).ok()).clone());
        match made {
            Some(config) => self.shake(config, stream).await.map(Some),
            None => Ok(None),
        }
    }

    async fn shake(&self, config: Arc<ServerConfig>, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        TlsAcceptor::from(config).accept(stream).await
    }
}

fn server<const N: usize>(names: [&str; N]) -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(names.map(str::to_owned))?;
    params.distinguished_name.push(DnType::CommonName, "Mock server");
    Ok(params)
}

/// Serves with a certificate that the authority signs, or nobody but itself.
fn config(
    params: &CertificateParams,
    authority: Option<&CertifiedIssuer<'static, KeyPair>>,
    protocols: Vec<Vec<u8>>,
) -> Made {
    let key = KeyPair::generate()?;
    let certificate = match authority {
        Some(authority) => params.signed_by(&key, authority)?,
        None => params.self_signed(&key)?,
    };
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|config| {
            config.with_no_client_auth().with_single_cert(vec![certificate.der().clone()], key.into())
        })
        .map_err(|_| rcgen::Error::CouldNotParseCertificate)?;
    config.alpn_protocols = protocols;
    Ok(Arc::new(config))
}
