//! HTTPS against a server with a certificate from a CA of our own (`tls/`, valid until 2126).

use std::{
    convert::Infallible,
    io::{Read, Write},
    net::TcpListener,
    process::Command,
    sync::Arc,
    thread,
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use transport::{
    ErrorKind, HttpBackend, Reach, Request,
    backends::{Hyper, Reqwest},
};

const CA: &[u8] = include_bytes!("tls/ca.pem");

/// Answers one request over TLS; the name of its certificate is `localhost`.
fn server() -> u16 {
    server_at("127.0.0.1")
}

fn server_at(address: &str) -> u16 {
    let listener = TcpListener::bind((address, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let config = config();
    thread::spawn(move || {
        let (socket, _) = listener.accept().unwrap();
        let connection = rustls::ServerConnection::new(Arc::new(config)).unwrap();
        let mut client = rustls::StreamOwned::new(connection, socket);
        let mut head = [0; 1024];
        if client.read(&mut head).is_ok() {
            let _ = client.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecure");
            let _ = client.flush();
        }
    });
    port
}

/// Serves one connection over HTTP/2, which it offers in the handshake (RFC 9113 section 3.2).
async fn http_2_server() -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut config = config();
    config.alpn_protocols = vec![b"h2".to_vec()];
    tokio::spawn(async move {
        let (socket, _) = listener.accept().await.unwrap();
        let socket = tokio_rustls::TlsAcceptor::from(Arc::new(config)).accept(socket).await.unwrap();
        let service = service_fn(|request: http::Request<Incoming>| async move {
            let told = format!("{:?} {}", request.version(), request.uri().path());
            Ok::<_, Infallible>(http::Response::new(Full::new(Bytes::from(told))))
        });
        let server = http2::Builder::new(TokioExecutor::new());
        server.serve_connection(TokioIo::new(socket), service).await.unwrap();
    });
    port
}

pub(crate) fn config() -> rustls::ServerConfig {
    let chain = vec![CertificateDer::from_slice(include_bytes!("tls/server.der")).into_owned()];
    let key = PrivateKeyDer::try_from(&include_bytes!("tls/server-key.der")[..]).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap()
}

/// Both backends, which trust our CA as well, or only the machine's.
pub(crate) fn backends(trusting: bool) -> [Arc<dyn HttpBackend>; 2] {
    let (mut reqwest, mut hyper) = (Reqwest::builder().no_proxy(), Hyper::builder().no_proxy());
    if trusting {
        (reqwest, hyper) = (reqwest.root_certificates(CA), hyper.root_certificates(CA));
    }
    [Arc::new(reqwest.build().unwrap()), Arc::new(hyper.build().unwrap())]
}

pub(crate) fn get(host: &str, port: u16) -> Request {
    http::Request::get(format!("https://{host}:{port}/")).body(Bytes::new()).unwrap()
}

#[tokio::test]
async fn a_server_of_an_extra_ca_is_trusted() {
    for backend in backends(true) {
        let response = backend.send(get("localhost", server())).await.unwrap();
        assert_eq!(response.into_body().collect(10).await.unwrap(), "secure");
    }
}

#[tokio::test]
async fn http_2_is_spoken_where_the_server_offers_it_and_streams_share_a_connection() {
    for backend in backends(true) {
        let port = http_2_server().await;
        for _ in 0..3 {
            // The server accepts one connection only.
            let response = backend.send(get("localhost", port)).await.unwrap();
            assert_eq!(response.version(), http::Version::HTTP_2);
            assert_eq!(response.into_body().collect(100).await.unwrap(), "HTTP/2.0 /");
        }
    }
}

#[tokio::test]
async fn a_server_of_an_unknown_ca_is_refused_before_anything_is_sent() {
    for backend in backends(false) {
        let error = backend.send(get("localhost", server())).await.unwrap_err();
        assert_eq!((error.kind(), error.reach()), (ErrorKind::Tls, Reach::NotSent), "{error:?}");
        assert!(!error.is_retryable());
    }
}

#[tokio::test]
async fn a_server_with_another_name_is_refused() {
    for backend in backends(true) {
        let error = backend.send(get("127.0.0.2", server_at("127.0.0.2"))).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Tls, "{error:?}");
    }
}

#[test]
fn a_machine_without_ca_certificates_still_speaks_http_and_trusts_the_extra_ones() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tls::a_server_of_an_unknown_ca_is_refused_before_anything_is_sent"])
        .args(["tls::a_server_of_an_extra_ca_is_trusted", "exchange::the_contract_is_kept"])
        .env("SSL_CERT_FILE", "/nonexistent/certificates")
        .env("SSL_CERT_DIR", "/nonexistent")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("3 passed"), "{text}");
}

#[test]
fn what_is_not_a_certificate_is_refused_when_building() {
    for pem in [
        "",
        "no certificate",
        "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n",
    ] {
        let error = Reqwest::builder().no_proxy().root_certificates(pem).build().unwrap_err();
        assert!(error.to_string().contains("in PEM"), "{pem:?}: {error}");
        assert!(std::error::Error::source(&error).is_some(), "{pem:?}");
    }
}
