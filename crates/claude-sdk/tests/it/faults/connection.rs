//! F2, F4 to F6 and F9: connections that are not made, that break before an answer, or that are closed while idle.

use std::time::Duration;

use claude_sdk::{
    Client, Error,
    transport::{ErrorKind, Reach, SimClock, TimeoutKind},
};
use mock_server::{At, Fault, MockServer};

use super::{Footprint, Trial, assert_kind, transport_error};
use crate::rig::{backend, held, hello, t0, told, until};

/// F2.
#[tokio::test]
async fn a_server_that_comes_back_while_a_call_waits_answers_it() {
    let before = Footprint::now();
    let server = held().start().await.unwrap();
    let port = server.base_url().port().unwrap();
    let key = server.api_key().to_owned();
    let clock = SimClock::new(t0());
    let client = Client::builder().base_url(server.base_url()).api_key(key.clone());
    let client = client.backend(backend()).clock(clock.clone()).build().unwrap();
    server.shutdown().await;
    let call = tokio::spawn(async move { client.messages().create(&hello()).await });
    // The limit of the attempt that is refused is gone; what sleeps now is the wait before the next one.
    let mut server = None;
    while !call.is_finished() {
        until(|| call.is_finished() || clock.sleepers() > 0).await;
        if server.is_none() {
            server = MockServer::builder().port(port).api_key(key.clone()).start().await.ok();
        }
        clock.advance(Duration::from_millis(100));
        tokio::task::yield_now().await;
    }
    let reply = call.await.unwrap().unwrap();
    assert!(reply.retries_taken() <= 1, "the first wait was long enough");
    let server = server.unwrap();
    assert_eq!(server.journal_len(), 1);
    server.shutdown().await;
    before.assert_restored().await;
}

/// F4: a POST is only repeated where it provably was not read, a GET always.
#[tokio::test]
async fn a_connection_that_is_reset_before_anything_is_read_costs_no_second_message() {
    let trial = Trial::new().await;
    for fault in [Fault::reset(At::Accept), Fault::close(At::Accept)] {
        match trial.create("before reading", fault.clone()).await {
            Ok(_) => assert_eq!(trial.executions(), 1),
            Err(error) => {
                assert_kind("before reading", &error, &[ErrorKind::Closed]);
                assert_eq!((error.attempts(), trial.executions()), (1, 0));
            }
        }
        trial.create("before it", Fault::close(At::End)).await.unwrap();
        trial.server.inject(fault);
        let before = trial.server.connections();
        trial.client.models().list().await.unwrap();
        assert!(trial.server.connections() >= before + 2, "the first was reset");
    }
    trial.end().await;
}

/// F5.
#[tokio::test]
async fn a_message_whose_answer_is_lost_is_not_sent_twice_and_a_question_is() {
    let trial = Trial::new().await;
    for fault in [
        Fault::reset(At::Request),
        Fault::close(At::Request),
        Fault::reset(At::Byte(1)),
        Fault::close(At::Byte(30)),
        Fault::reset(At::Byte(80)),
    ] {
        let what = format!("{fault:?}");
        let error = trial.create(&what, fault.clone()).await.unwrap_err();
        assert_kind(&what, &error, &[ErrorKind::Closed]);
        let lost = transport_error(&error).unwrap();
        assert_eq!((lost.reach(), error.attempts(), trial.executions()), (Reach::MaybeSent, 1, 1), "{what}");
        assert!(told(&error).contains("it may have done the work"), "{what}: {}", told(&error));
        let error = trial.stream(&what, fault.clone()).await.unwrap_err();
        assert_eq!((error.attempts(), trial.executions()), (1, 1), "{what}");

        trial.server.clear_journal();
        trial.server.inject(fault);
        trial.client.models().list().await.unwrap();
        assert_eq!(trial.server.journal_len(), 2, "{what}");
    }
    trial.end().await;
}

/// F6: the server closes the connection while it is idle, at once or when it sees the next request.
#[tokio::test]
async fn a_connection_that_is_closed_while_idle_costs_no_message_and_makes_none_twice() {
    const CALLS: usize = 200;
    let trial = Trial::new().await;
    let (mut made, mut lost) = (0, 0);
    for number in 0..CALLS {
        let fault = match number % 4 {
            0 => Fault::close(At::End),
            1 => Fault::reset(At::End),
            2 => Fault::close(At::Next),
            _ => Fault::reset(At::Next),
        };
        // It happens to the connection after this answer, which the next call may want to use.
        trial.server.inject(fault);
        match trial.client.messages().create(&hello()).await {
            Ok(_) => made += 1,
            Err(error) => {
                lost += 1;
                assert_kind("idle", &error, &[ErrorKind::Closed]);
                assert_eq!(transport_error(&error).unwrap().reach(), Reach::MaybeSent);
                assert!(number % 4 != 1, "what follows a close at the end finds the connection closed");
                trial.server.clear_faults();
            }
        }
    }
    assert_eq!(trial.executions(), made, "no message was made twice");
    assert!(lost <= CALLS / 2 && made >= CALLS / 2, "{made} made, {lost} lost");
    trial.end().await;
}

/// F6, for requests that may be repeated.
#[tokio::test]
async fn a_question_is_asked_again_on_another_connection() {
    let trial = Trial::new().await;
    for number in 0..40 {
        trial.server.inject(if number % 2 == 0 { Fault::close(At::Next) } else { Fault::reset(At::Next) });
        trial.client.models().list().await.unwrap();
    }
    trial.end().await;
}

/// F9: nothing comes any more, not even a FIN; the connection is not used again.
#[tokio::test]
async fn a_half_open_connection_ends_at_its_limit_and_is_not_used_again() {
    let before = Footprint::now();
    let server = held().start().await.unwrap();
    let clock = SimClock::new(t0());
    let client = Client::builder().base_url(server.base_url()).api_key(server.api_key());
    let client = client.backend(backend()).clock(clock.clone()).timeout(Duration::from_secs(90));
    let client = client.build().unwrap();
    server.inject(Fault::stall(At::Request));
    let call = tokio::spawn({
        let client = client.clone();
        async move { client.messages().create(&hello()).await }
    });
    until(|| server.journal_len() == 1).await;
    clock.advance(Duration::from_millis(89_750));
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(!call.is_finished(), "it was given up too early");
    clock.advance(Duration::from_millis(250));
    until(|| call.is_finished()).await;

    let error = call.await.unwrap().unwrap_err();
    assert_kind("half open", &error, &[ErrorKind::Timeout(TimeoutKind::Headers)]);
    assert!(matches!(error, Error::Transport(_)) && error.attempts() == 1);
    until(|| server.open_connections() == 0).await;
    client.messages().create(&hello()).await.unwrap();
    assert_eq!((server.journal_len(), server.connections()), (2, 2));
    drop(client);
    server.shutdown().await;
    before.assert_restored().await;
}

/// F10: an answer that comes byte by byte never falls silent, and still has to end in time.
#[tokio::test]
async fn an_answer_that_drips_ends_at_the_deadline() {
    let before = Footprint::now();
    let server = held().start().await.unwrap();
    for at in [At::Request, At::Body(1)] {
        let clock = SimClock::new(t0());
        let client = Client::builder().base_url(server.base_url()).api_key(server.api_key());
        let client = client.backend(backend()).clock(clock.clone()).deadline(Duration::from_secs(30));
        let client = client.build().unwrap();
        server.inject(Fault::drip(at, Duration::from_millis(2)));
        let sent = server.bytes_sent();
        let call = tokio::spawn(async move { client.messages().create(&hello()).await });
        until(|| server.bytes_sent() > sent + 20).await;
        clock.advance(Duration::from_millis(29_750));
        let sent = server.bytes_sent();
        until(|| server.bytes_sent() > sent + 20).await;
        assert!(!call.is_finished(), "{at:?}: it was given up too early");
        clock.advance(Duration::from_millis(250));
        until(|| call.is_finished()).await;
        let error = call.await.unwrap().unwrap_err();
        assert_kind("a drip", &error, &[ErrorKind::Timeout(TimeoutKind::Total)]);
        assert_eq!(error.attempts(), 1, "{at:?}");
        until(|| server.open_connections() == 0).await;
    }
    server.shutdown().await;
    before.assert_restored().await;
}
