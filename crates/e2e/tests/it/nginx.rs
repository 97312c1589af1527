//! The client through a real nginx: TLS with an authority of our own, HTTP/2, streams, and what goes wrong with them.

use claude_sdk::transport::{ErrorKind, Reach, backends::Reqwest};
use claude_sdk::types::{MessageRequest, Model};
use claude_sdk::{Client, Error};
use e2e::{Authority, Nginx, Site, Validity, free_port};
use mock_server::{At, Fault, MockServer};

use crate::tools;

fn hello() -> MessageRequest {
    MessageRequest::new(Model::CLAUDE_HAIKU_4_5, 200).user("hello there")
}

fn client(server: &MockServer, authority: &Authority, port: u16) -> Client {
    let backend = Reqwest::builder().no_proxy().root_certificates(authority.pem().unwrap()).build().unwrap();
    let client = Client::builder().base_url(format!("https://localhost:{port}")).backend(backend);
    client.api_key(server.api_key()).build().unwrap()
}

fn upstream(server: &MockServer) -> u16 {
    server.base_url().port().unwrap()
}

/// It also has nginx end each connection after five requests, with a GOAWAY (F7).
#[tokio::test(flavor = "multi_thread")]
async fn messages_and_streams_go_over_http_2_and_outlive_its_connections() {
    let (server, authority) = (MockServer::start().await.unwrap(), Authority::new().unwrap());
    let certificate = authority.sign("good", "localhost", Validity::Current).unwrap();
    let port = free_port().unwrap();
    let site = Site { port, certificate: &certificate, settings: "keepalive_requests 5;" };
    let _nginx = Nginx::start(&tools(), upstream(&server), &[site]).unwrap();
    let client = client(&server, &authority, port);

    for _ in 0..8 {
        let message = client.messages().create(&hello()).await.unwrap();
        assert_eq!((message.text().as_str(), message.retries_taken()), ("You said: hello there", 0));
    }
    let many = (0..32).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { client.messages().stream(&hello()).await?.final_message().await })
    });
    for call in many.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap().unwrap().text(), "You said: hello there");
    }
    let journal = server.journal();
    assert_eq!(journal.len(), 40, "nothing was sent twice");
    assert!(journal.iter().all(|entry| entry.header("x-spoken") == Some("HTTP/2.0")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_comes_event_by_event_and_ends_with_its_reader() {
    let (server, authority) = (MockServer::start().await.unwrap(), Authority::new().unwrap());
    let certificate = authority.sign("good", "localhost", Validity::Current).unwrap();
    let port = free_port().unwrap();
    let site = Site { port, certificate: &certificate, settings: "" };
    let _nginx = Nginx::start(&tools(), upstream(&server), &[site]).unwrap();
    let client = client(&server, &authority, port);

    server.inject(Fault::stall(At::Event(5)));
    let mut stream = client.messages().stream(&hello()).await.unwrap();
    let first = stream.text_stream().next().await.unwrap().unwrap();
    assert!("You said: hello there".starts_with(&first), "{first}");
    assert_eq!(server.open_connections(), 1);
    drop(stream);
    while server.open_connections() > 0 {
        tokio::task::yield_now().await;
    }
    // Cut by the server behind it: nginx resets the stream.
    server.inject(Fault::reset(At::Event(5)));
    let stream = client.messages().stream(&hello()).await.unwrap();
    let Error::Stream(error) = stream.final_message().await.unwrap_err() else {
        panic!("no error of a stream")
    };
    assert!(error.is_truncated(), "{error:?}");
    client.messages().create(&hello()).await.unwrap();
}

/// F14.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_cannot_prove_itself_gets_no_request() {
    let (server, authority) = (MockServer::start().await.unwrap(), Authority::new().unwrap());
    let good = authority.sign("good", "localhost", Validity::Current).unwrap();
    let expired = authority.sign("expired", "localhost", Validity::Past).unwrap();
    let other = authority.sign("other", "elsewhere.example", Validity::Current).unwrap();
    let own = authority.self_signed("own", "localhost").unwrap();
    let old = "ssl_protocols TLSv1.1; ssl_ciphers DEFAULT:@SECLEVEL=0;";
    let cases = [
        ("expired", &expired, ""),
        ("for another name", &other, ""),
        ("self-signed", &own, ""),
        ("TLS 1.1", &good, old),
    ];
    let cases = cases.map(|(what, certificate, settings)| {
        (what, Site { port: free_port().unwrap(), certificate, settings })
    });
    let ports = cases.each_ref().map(|(what, site)| (*what, site.port));
    let _nginx = Nginx::start(&tools(), upstream(&server), &cases.map(|(_, site)| site)).unwrap();
    for (what, port) in ports {
        let error = client(&server, &authority, port).messages().create(&hello()).await.unwrap_err();
        let Error::Transport(error) = error else { panic!("{what}: {error:?}") };
        assert_eq!((error.kind(), error.reach()), (ErrorKind::Tls, Reach::NotSent), "{what}: {error:?}");
        assert_eq!(error.attempts(), 1, "{what}");
    }
    assert_eq!((server.connections(), server.journal_len()), (0, 0));
}
