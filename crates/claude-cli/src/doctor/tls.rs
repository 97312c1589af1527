//! Whether somebody on the way reads what is sent: by the authority that vouches for the API's certificate.

use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, ServerName},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;
use url::Url;
use webpki_root_certs::TLS_SERVER_ROOT_CERTS;

use super::{
    Finding,
    network::{HostPort, within},
};

pub(super) const TLS: &str = "tls";
/// How long a proxy's answer to CONNECT may be.
const LONGEST: usize = 8 * 1024;

/// Looks at the certificate once more, with the authorities that browsers trust in place of those that this machine does. It
/// is asked after a call has gone well: then a certificate that fails here is by an authority that was added.
pub(super) async fn look(
    base_url: &Url,
    proxy: Option<&HostPort>,
    browsers: RootCertStore,
) -> Option<Finding> {
    let host = base_url.host_str().filter(|_| base_url.scheme() == "https")?;
    let port = base_url.port_or_known_default()?;
    let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned()).ok()?;
    let handshake = async {
        let socket = reach(host, port, proxy).await?;
        anyhow::Ok(connector(browsers)?.connect(name, socket).await)
    };
    Some(match within(handshake).await? {
        // Whether there is a way at all was looked at before; a proxy that asks for a user is not asked twice.
        Err(error) => {
            let next = format!("open https://{host} in a browser, and see who vouches for it there");
            Finding::skipped(TLS, format!("who vouches for {host} is not known: {error:#}"), next)
        }
        Ok(Ok(_)) => Finding::ok(TLS, format!("an authority that browsers trust vouches for {host}")),
        Ok(Err(_)) => {
            let evidence = format!(
                "an authority vouches for {host} that this machine trusts and browsers do not: what is on the way reads every \
                 prompt and key, or {host} is a server of your own"
            );
            let next = "if it is your company's proxy or gateway, go on; if nobody knows it, do not";
            Finding::warning(TLS, evidence, next)
        }
    })
}

async fn reach(host: &str, port: u16, proxy: Option<&HostPort>) -> Result<TcpStream> {
    let Some((proxy, proxy_port)) = proxy else {
        return Ok(TcpStream::connect((host.trim_matches(['[', ']']), port)).await?);
    };
    let mut socket = TcpStream::connect((proxy.trim_matches(['[', ']']), *proxy_port)).await?;
    socket
        .write_all(format!("CONNECT {host}:{port} HTTP/1.1\r\nhost: {host}:{port}\r\n\r\n").as_bytes())
        .await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() > LONGEST {
            bail!("the proxy's answer has no end");
        }
        head.push(socket.read_u8().await.context("the proxy hung up")?);
    }
    if head.split(|byte| *byte == b' ').nth(1) != Some(b"200") {
        bail!("the proxy wants to know who asks, so the certificate was not looked at a second time");
    }
    Ok(socket)
}

/// The authorities that browsers trust.
pub(super) fn browsers() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(TLS_SERVER_ROOT_CERTS.iter().map(CertificateDer::clone));
    roots
}

fn connector(roots: RootCertStore) -> Result<TlsConnector> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let config = config.with_safe_default_protocol_versions()?.with_root_certificates(roots);
    Ok(TlsConnector::from(Arc::new(config.with_no_client_auth())))
}

#[cfg(test)]
mod tests {
    use rustls::{
        ServerConfig,
        pki_types::{PrivateKeyDer, pem::PemObject as _},
    };
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    use super::{super::Verdict, *};

    const CA: &[u8] = include_bytes!("../../../transport/tests/it/tls/ca.pem");
    const CERTIFICATE: &[u8] = include_bytes!("../../../transport/tests/it/tls/server.der");
    const KEY: &[u8] = include_bytes!("../../../transport/tests/it/tls/server-key.der");

    /// Shakes hands once as `localhost`.
    async fn server(listener: TcpListener) {
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
        let key = PrivateKeyDer::try_from(KEY).unwrap();
        let config = config.with_single_cert(vec![CertificateDer::from(CERTIFICATE)], key).unwrap();
        let (socket, _) = listener.accept().await.unwrap();
        // Who does not trust it hangs up.
        let _ = TlsAcceptor::from(Arc::new(config)).accept(socket).await;
    }

    async fn found(roots: RootCertStore) -> Finding {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let serving = tokio::spawn(server(listener));
        let found = look(&url.parse().unwrap(), None, roots).await.unwrap();
        serving.await.unwrap();
        found
    }

    #[tokio::test]
    async fn an_authority_that_browsers_trust_is_well_and_one_that_only_this_machine_trusts_is_not() {
        let mut roots = browsers();
        assert_eq!(found(roots.clone()).await.verdict, Verdict::Warning);
        roots.add(CertificateDer::from_pem_slice(CA).unwrap()).unwrap();
        let found = found(roots).await;
        assert_eq!(found.verdict, Verdict::Ok, "{found:?}");
    }
}
