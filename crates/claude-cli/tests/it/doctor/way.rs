//! What stands in the way to the API: certificates, proxies, silence, and login servers that are down.

use std::{net::TcpStream, sync::Arc};

use mock_server::At;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::*;

const CA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../transport/tests/it/tls/ca.pem");
const CERTIFICATE: &[u8] = include_bytes!("../../../../transport/tests/it/tls/server.der");
const KEY: &[u8] = include_bytes!("../../../../transport/tests/it/tls/server-key.der");

/// The API as `https://localhost`, which refuses every call, with a certificate of an authority of our own.
fn https() -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    let key = PrivateKeyDer::try_from(KEY).unwrap();
    let config =
        rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let config = Arc::new(config.with_single_cert(vec![CertificateDer::from(CERTIFICATE)], key).unwrap());
    thread::spawn(move || {
        for socket in listener.incoming() {
            let connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            refuse(rustls::StreamOwned::new(connection, socket.unwrap()));
        }
    });
    url
}

/// Answers what is asked, if anything is; who looks at the certificate only asks nothing.
fn refuse(mut client: rustls::StreamOwned<rustls::ServerConnection, TcpStream>) {
    let mut line = String::new();
    let mut reader = BufReader::new(&mut client);
    while reader.read_line(&mut line).is_ok_and(|read| read > 2) {}
    if !line.is_empty() {
        let body = r#"{"type":"error","error":{"type":"authentication_error","message":"no key"}}"#;
        let answer = format!(
            "HTTP/1.1 401 Unauthorized\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        // Whoever asked may be gone.
        let _ = client.write_all(answer.as_bytes()).and_then(|()| client.flush());
    }
}

#[test]
fn a_certificate_that_nobody_trusts_is_the_problem_and_may_be_a_proxy_s() {
    let told = run(&mut doctor_at(&https()));
    let problem = only_problem(&told, "tls");
    assert!(problem["next_step"].as_str().unwrap().contains("proxy may be reading"), "{problem}");
}

#[test]
fn a_certificate_that_only_this_machine_trusts_is_told_although_calls_go_well() {
    let told = run(doctor_at(&https()).env("SSL_CERT_FILE", CA));
    let found = findings(&told);
    assert_eq!(verdict(&found, "answer"), Some("ok"), "{found:#?}");
    let (_, verdict, tls) = found.iter().find(|(check, ..)| check == "tls").unwrap();
    assert_eq!(verdict, "warning");
    assert!(tls["evidence"].as_str().unwrap().contains("reads every prompt and key"), "{tls}");
}

#[test]
fn a_variable_that_leads_to_nobody_to_trust_is_the_cause_and_no_proxy() {
    for name in ["SSL_CERT_FILE", "SSL_CERT_DIR"] {
        let problem = only_problem(&run(doctor_at(&https()).env(name, "/nowhere")), "tls");
        let cause = format!("{name} says whom to trust, and what it names is not there (/nowhere)");
        assert!(problem["evidence"].as_str().unwrap().ends_with(&cause), "{problem}");
        assert!(
            problem["next_step"].as_str().unwrap().starts_with(&format!("unset {name}, or")),
            "{problem}"
        );
    }
}

#[test]
fn a_proxy_that_wants_to_know_who_asks_is_the_problem() {
    let (url, asked) =
        server("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n".into());
    let told = run(doctor_at("https://api.example").env("HTTPS_PROXY", url));
    let problem = only_problem(&told, "answer");
    assert!(problem["next_step"].as_str().unwrap().contains("user and password"), "{problem}");
    assert!(asked.join().unwrap().starts_with("CONNECT api.example:443"));
}

#[test]
fn a_proxy_that_is_not_there_is_the_problem_and_not_the_api() {
    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let told = run(doctor_at("https://api.example").env("HTTPS_PROXY", format!("http://{closed}")));
    let problem = only_problem(&told, "tcp");
    assert!(problem["evidence"].as_str().unwrap().contains(&closed.to_string()), "{problem}");
    assert!(problem["next_step"].as_str().unwrap().contains("the proxy that HTTPS_PROXY names"), "{problem}");
    assert_eq!(verdict(&findings(&told), "proxy"), Some("ok"), "it is named");
}

/// The one test here that takes its time: three seconds are how long a link may be silent.
#[test]
fn a_link_that_is_silent_is_the_problem_after_three_seconds() {
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let told = run(&mut doctor_at(&format!("http://{}", silent.local_addr().unwrap())));
    let problem = only_problem(&told, "answer");
    assert!(problem["evidence"].as_str().unwrap().contains("no answer within 3 s"), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_server_that_is_down_is_one_problem_also_where_a_token_has_to_be_renewed() {
    let server = MockServer::start().await.unwrap();
    let home = Home::logged_in(&server).await;
    for path in ["/oauth/authorize", server.token_url().path()] {
        server.inject(Fault::reset(At::Request).on(path).always());
    }
    let look = || run(&mut home.claudectl(&["doctor", "--json"]));
    let because = |told: &Run, check: &str| {
        let found = findings(told);
        let (_, verdict, one) = found.iter().find(|(name, ..)| name == check).unwrap();
        assert_eq!(verdict, "skipped", "{found:#?}");
        assert_eq!(one["evidence"], "because `token endpoint` is a problem");
    };
    let told = look();
    let problem = only_problem(&told, "token endpoint");
    assert!(problem["next_step"].as_str().unwrap().contains("the profile's server"), "{problem}");
    because(&told, "authorize endpoint");
    assert_eq!(verdict(&findings(&told), "api"), Some("ok"), "the token is still good");

    server.clear_faults();
    server
        .inject(Fault::status(http::StatusCode::SERVICE_UNAVAILABLE).on(server.token_url().path()).always());
    let mut token = home.json("credentials/default.json");
    token["expires_at"] = 1.into();
    home.write("credentials/default.json", token.to_string());
    let told = look();
    only_problem(&told, "token endpoint");
    because(&told, "api");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_that_leads_nowhere_is_named_without_what_it_says() {
    let server = MockServer::start().await.unwrap();
    let home = Home::logged_in(&server).await;
    let mut profile = home.json("configs/default.json");
    profile["authentication"]["client_secret"] = "env:NOT_SET_HERE".into();
    home.write("configs/default.json", profile.to_string());
    let told = run(&mut home.claudectl(&["doctor", "--json"]));
    let found = findings(&told);
    let secrets = found.iter().find(|(check, verdict, _)| check == "secrets" && verdict == "problem");
    let (_, _, secrets) = secrets.unwrap_or_else(|| panic!("{found:#?}"));
    assert!(secrets["evidence"].as_str().unwrap().contains("client_secret"), "{secrets}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scope_that_was_not_granted_is_told() {
    let server = MockServer::start().await.unwrap();
    let home = Home::logged_in(&server).await;
    let mut profile = home.json("configs/default.json");
    profile["authentication"]["scope"] = "org:admin user:inference".into();
    home.write("configs/default.json", profile.to_string());
    let told = run(&mut home.claudectl(&["doctor", "--json"]));
    let found = findings(&told);
    let (_, verdict, login) = found.iter().find(|(check, ..)| check == "login").unwrap();
    assert_eq!(verdict, "warning", "{login}");
    assert!(login["evidence"].as_str().unwrap().contains("org:admin"), "{login}");
}

#[test]
fn a_page_of_a_gateway_that_reaches_nobody_is_no_portal() {
    let page = "<html>Bad Gateway</html>";
    let length = page.len();
    let (url, _) = server(format!(
        "HTTP/1.1 502 Bad Gateway\r\ncontent-type: text/html\r\ncontent-length: {length}\r\n\r\n{page}"
    ));
    let problem = only_problem(&run(&mut doctor_at(&url)), "answer");
    assert!(problem["evidence"].as_str().unwrap().contains("502"), "{problem}");
    assert!(!problem["next_step"].as_str().unwrap().contains("browser"), "{problem}");
}

#[test]
fn what_does_not_speak_http_is_the_problem_of_the_answer() {
    let (url, _) = server("SMTP/9.9 what do you mean\r\n\r\n".into());
    let problem = only_problem(&run(&mut doctor_at(&url)), "answer");
    assert!(problem["evidence"].as_str().unwrap().contains("could not be understood"), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_speaks_plain_http_where_the_address_says_https_is_named_as_that() {
    let server = MockServer::start().await.unwrap();
    let port = server.base_url().port().unwrap();
    for host in ["localhost", "127.0.0.1"] {
        let problem = only_problem(&run(&mut doctor_at(&format!("https://{host}:{port}"))), "tls");
        let evidence = problem["evidence"].as_str().unwrap();
        assert_eq!(
            evidence,
            format!("{host}:{port} speaks plain HTTP, and no TLS, and the address says https")
        );
        assert!(problem["next_step"].as_str().unwrap().contains("http://"), "{problem}");
    }
}

#[test]
fn what_hangs_up_on_a_handshake_and_answers_a_request_in_clear_speaks_plain_http() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            let mut line = String::new();
            // A handshake is no text.
            if BufReader::new(socket.try_clone().unwrap()).read_line(&mut line).is_ok()
                && line.starts_with("GET ")
            {
                socket.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n").unwrap();
            }
        }
    });
    let problem = only_problem(&run(&mut doctor_at(&format!("https://127.0.0.1:{port}"))), "tls");
    assert!(problem["evidence"].as_str().unwrap().contains("speaks plain HTTP, and no TLS"), "{problem}");
}

#[test]
fn what_speaks_neither_tls_nor_http_is_told_as_that_and_a_port_with_tls_to_be_asked_so() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for socket in listener.incoming() {
            // Whoever has gone away again has no need of it.
            let _ = socket.unwrap().write_all(b"220 mail.example ESMTP\r\n");
        }
    });
    let problem = only_problem(&run(&mut doctor_at(&format!("https://127.0.0.1:{port}"))), "tls");
    assert!(problem["evidence"].as_str().unwrap().contains("speaks no TLS"), "{problem}");

    let clear = https().replace("https://", "http://");
    let problem = only_problem(&run(&mut doctor_at(&clear)), "answer");
    assert!(problem["next_step"].as_str().unwrap().contains("write https://"), "{problem}");
}

#[test]
fn who_answers_in_garbled_http_or_not_at_all_is_not_said_to_speak_tls() {
    for (answer, next) in [
        ("HTTP/1.1 401 Unauthorized\r\ncontent type json\r\n\r\n", "HTTP of its own kind"),
        ("220 mail.example ESMTP\r\n", "is no server of HTTP"),
        ("", "hangs up, as some servers with TLS do"),
    ] {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            for socket in listener.incoming() {
                let mut socket = socket.unwrap();
                let lines = BufReader::new(socket.try_clone().unwrap()).lines().map_while(Result::ok);
                if lines.take_while(|line| !line.is_empty()).count() > 0 {
                    socket.write_all(answer.as_bytes()).unwrap();
                }
            }
        });
        let problem = only_problem(&run(&mut doctor_at(&url)), "answer");
        let told = problem["next_step"].as_str().unwrap();
        assert!(told.contains(next) && !told.contains("write https://"), "{problem}");
    }
}
