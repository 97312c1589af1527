//! TLS, and what goes wrong with it.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Empty;
use hyper_util::rt::{TokioExecutor, TokioIo};
use mock_server::{At, Fault, MockServer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::client::held;

/// Shakes hands, by a client that trusts the authority of `server` only and speaks these protocols.
async fn shake(server: &MockServer, protocols: &[&[u8]]) -> Result<TlsStream<TcpStream>, String> {
    let mut roots = RootCertStore::empty();
    let authority = server.authority().unwrap();
    roots.add(CertificateDer::from_pem_slice(authority.as_bytes()).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    let base = server.base_url();
    let tcp = TcpStream::connect(base.socket_addrs(|| None).unwrap()[0]).await.unwrap();
    let name = ServerName::try_from(base.host_str().unwrap().to_owned()).unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, tcp).await.map_err(|error| error.to_string())
}

/// Asks for the first page.
async fn ask(server: &MockServer) -> Result<String, String> {
    let told = |error: std::io::Error| error.to_string();
    let mut stream = shake(server, &[]).await?;
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.map_err(told)?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await.map_err(told)?;
    Ok(text)
}

#[tokio::test]
async fn whoever_trusts_the_authority_is_served() {
    let server = held().tls().start().await.unwrap();
    assert!(server.base_url().as_str().starts_with("https://127.0.0.1:"), "{}", server.base_url());
    assert!(ask(&server).await.unwrap().starts_with("HTTP/1.1 200"));
    assert!(server.issuer().starts_with("https://") && server.token_url().scheme() == "https");
    assert!(MockServer::start().await.unwrap().authority().is_none());
}

#[tokio::test]
async fn a_client_gets_http_2_where_it_offers_it_and_the_older_one_where_not() {
    let server = held().tls().start().await.unwrap();
    for (offered, agreed) in [(&[&b"h2"[..], b"http/1.1"][..], "h2"), (&[b"http/1.1"], "http/1.1")] {
        let stream = shake(&server, offered).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(agreed.as_bytes()));
        if agreed == "h2" {
            let (mut sender, connection) =
                hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
                    .await
                    .unwrap();
            tokio::spawn(connection);
            let request = http::Request::get("https://localhost/").body(Empty::<Bytes>::new()).unwrap();
            assert_eq!(sender.send_request(request).await.unwrap().status(), 200);
        }
    }
    let old = held().tls().http1_only().start().await.unwrap();
    let stream = shake(&old, &[b"h2", b"http/1.1"]).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
    assert!(ask(&server).await.unwrap().starts_with("HTTP/1.1 200"), "who offers nothing gets the older one");
    assert_eq!(server.journal_len(), 2);
}

#[tokio::test]
async fn each_bad_certificate_is_refused_for_its_own_reason_and_once() {
    let server = held().tls().start().await.unwrap();
    for (fault, reason) in [
        ("certificate expired", "Expired"),
        ("certificate other-name", "not valid for name"),
        ("certificate self-signed", "UnknownIssuer"),
        ("old-tls", "ProtocolVersion"),
    ] {
        server.inject(fault.parse().unwrap());
        let error = ask(&server).await.unwrap_err();
        assert!(error.to_lowercase().contains(&reason.to_lowercase()), "{fault}: {error}");
        assert!(ask(&server).await.is_ok(), "{fault}");
    }
    assert_eq!(server.journal_len(), 4, "no request goes to a server that proved itself badly");
}

#[tokio::test]
async fn a_connection_that_is_cut_says_no_goodbye() {
    let server = held().tls().start().await.unwrap();
    server.inject(Fault::close(At::Byte(40)));
    let error = ask(&server).await.unwrap_err();
    assert!(error.contains("close_notify"), "{error}");
}
