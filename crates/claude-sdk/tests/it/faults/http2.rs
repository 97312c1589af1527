//! F7 and F8, over TLS: streams that are refused, connections that go away, answers that are reset.

use claude_sdk::transport::{ErrorKind, Reach};
use mock_server::{At, Fault};

use super::{Trial, assert_kind, stream_error, transport_error};
use crate::rig::hello;

/// F7: what provably was not served is sent again, and counts as no attempt.
#[tokio::test]
async fn a_request_that_http_2_left_out_is_sent_again_without_anybody_noticing() {
    let trial = Trial::over_http2().await;
    for fault in [Fault::refuse_stream(), Fault::go_away(false)] {
        let what = format!("{fault:?}");
        let reply = trial.create(&what, fault).await.unwrap();
        assert_eq!((reply.retries_taken(), trial.executions()), (0, 1), "{what}");
    }
    assert_eq!(trial.server.connections(), 2, "one was left, for the GOAWAY");
    trial.end().await;
}

/// F7.
#[tokio::test]
async fn a_request_that_a_goaway_does_not_leave_out_may_have_been_served() {
    let trial = Trial::over_http2().await;
    let error = trial.create("served", Fault::go_away(true)).await.unwrap_err();
    assert_kind("served", &error, &[ErrorKind::Closed]);
    assert_eq!(transport_error(&error).unwrap().reach(), Reach::MaybeSent);
    assert_eq!((error.attempts(), trial.executions()), (1, 1));
    // A question is asked again.
    trial.server.inject(Fault::go_away(true));
    trial.client.models().list().await.unwrap();
    trial.end().await;
}

/// F8.
#[tokio::test]
async fn an_answer_whose_stream_is_reset_is_truncated_and_the_connection_is_still_good() {
    let trial = Trial::over_http2().await;
    let error = trial.create("a message", Fault::reset(At::Body(20))).await.unwrap_err();
    assert_kind("a message", &error, &[ErrorKind::Truncated]);
    let error =
        stream_error("a stream", trial.stream("a stream", Fault::reset(At::Event(5))).await.unwrap_err());
    assert!(error.is_truncated(), "{error:?}");
    trial.client.messages().create(&hello()).await.unwrap();
    assert_eq!(trial.server.connections(), 1);
    trial.end().await;
}

/// F8: floods of frames are borne with, or end the connection; headers without end do. That no memory goes is what the trial's
/// end looks at.
#[tokio::test]
async fn frames_without_end_cost_a_connection_at_most() {
    let trial = Trial::over_http2_unheard().await;
    for fault in ["frames ping 2000", "frames settings 2000", "frames continuation 300"] {
        let call = trial.create(fault, fault.parse().unwrap()).await;
        assert!(call.is_err() || !fault.contains("continuation"), "{fault}");
        if let Err(error) = call {
            assert_kind(fault, &error, &[ErrorKind::Protocol, ErrorKind::Closed]);
        }
        trial.client.models().list().await.unwrap();
    }
    trial.end().await;
}
