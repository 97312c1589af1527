//! F14: a server that cannot prove who it is gets no byte of a request. By nginx: `e2e::it::nginx`.

use claude_sdk::transport::{ErrorKind, Reach};

use super::{Trial, assert_kind, transport_error};
use crate::rig::hello;

#[tokio::test]
async fn a_handshake_that_goes_wrong_is_told_once_and_nothing_is_sent() {
    let trial = Trial::over_http2().await;
    for fault in ["certificate expired", "certificate other-name", "certificate self-signed", "old-tls"] {
        let received = trial.server.bytes_received();
        let error = trial.create(fault, fault.parse().unwrap()).await.unwrap_err();
        assert_kind(fault, &error, &[ErrorKind::Tls]);
        let reach = transport_error(&error).unwrap().reach();
        assert_eq!((reach, error.attempts(), error.is_retryable()), (Reach::NotSent, 1, false), "{fault}");
        assert_eq!(trial.server.bytes_received(), received, "{fault}: something was sent within TLS");
    }
    assert_eq!(trial.server.connections(), 4, "nobody tried a second time");
    trial.client.messages().create(&hello()).await.unwrap();
    trial.end().await;
}
