//! HTTPS against a server with a certificate from a CA of our own (`tls/`, valid until 2126).

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    process::Command,
    sync::Arc,
    thread,
};

use bytes::Bytes;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
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

/// Answers with a body that ends where the connection does; says so within TLS, or only closes the socket.
fn server_without_length(says_so: bool) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (socket, _) = listener.accept().unwrap();
        let connection = rustls::ServerConnection::new(Arc::new(config())).unwrap();
        let mut client = rustls::StreamOwned::new(connection, socket);
        assert!(client.read(&mut [0; 1024]).unwrap() > 0);
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n{\"whole\": tru").unwrap();
        if says_so {
            client.write_all(b"e}").unwrap();
            client.conn.send_close_notify();
        }
        client.flush().unwrap();
    });
    port
}

/// Serves one connection over HTTP/2, which it offers in the handshake (RFC 9113 section 3.2).
#[cfg(feature = "http2")]
async fn http_2_server() -> u16 {
    use std::convert::Infallible;

    use http_body_util::Full;
    use hyper::{body::Incoming, server::conn::http2, service::service_fn};
    use hyper_util::rt::{TokioExecutor, TokioIo};

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

#[cfg(feature = "http2")]
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

/// Whatever other crates of the program have hyper speak: the server's own part is one that speaks HTTP/2.
#[cfg(not(feature = "http2"))]
#[tokio::test]
async fn http_2_is_not_offered_without_its_feature() {
    for backend in backends(true) {
        let (mut config, listener) = (config(), TcpListener::bind("127.0.0.1:0").unwrap());
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let port = listener.local_addr().unwrap().port();
        let agreed = thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            let mut connection = rustls::ServerConnection::new(Arc::new(config)).unwrap();
            while connection.is_handshaking() {
                connection.complete_io(&mut socket).unwrap();
            }
            connection.alpn_protocol().map(<[u8]>::to_vec)
        });
        let error = backend.send(get("localhost", port)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed, "{error:?}");
        assert_eq!(agreed.join().unwrap().as_deref(), Some(&b"http/1.1"[..]));
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

/// F57: whoever cuts a connection can close a socket, and cannot say that this was all (RFC 8446, section 6.1).
#[tokio::test]
async fn a_body_without_a_length_ends_where_tls_says_so_and_nowhere_else() {
    for backend in backends(true) {
        let answered = backend.send(get("localhost", server_without_length(true))).await.unwrap();
        assert_eq!(answered.into_body().collect(100).await.unwrap(), "{\"whole\": true}");
        let answered = backend.send(get("localhost", server_without_length(false))).await.unwrap();
        let error = answered.into_body().collect(100).await.unwrap_err();
        assert_eq!((error.kind(), error.reach()), (ErrorKind::Truncated, Reach::Answered), "{error:?}");
    }
}

/// Alone it only shakes hands; as a child of the next test it shows that keys would be found.
#[test]
fn a_client_that_is_told_to_log_its_keys_does_so() {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(CA).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.key_log = Arc::new(rustls::KeyLogFile::new());
    let name = "localhost".try_into().unwrap();
    let connection = rustls::ClientConnection::new(Arc::new(config), name).unwrap();
    let socket = TcpStream::connect(("127.0.0.1", server())).unwrap();
    let mut stream = rustls::StreamOwned::new(connection, socket);
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    let mut answer = [0; 15];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
}

/// Nobody reads along because a variable of the environment says so.
#[test]
fn no_session_secrets_are_written_for_whoever_sets_sslkeylogfile() {
    for (test, logs) in [
        ("a_client_that_is_told_to_log_its_keys_does_so", true),
        ("a_server_of_an_extra_ca_is_trusted", false),
        #[cfg(feature = "http2")]
        ("http_2_is_spoken_where_the_server_offers_it_and_streams_share_a_connection", false),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("keys");
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", &format!("tls::{test}")])
            .env("SSLKEYLOGFILE", &file)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("1 passed"), "{text}");
        let written = std::fs::metadata(&file).map_or(0, |file| file.len());
        assert_eq!(written > 0, logs, "{test}: {written} bytes");
    }
}
