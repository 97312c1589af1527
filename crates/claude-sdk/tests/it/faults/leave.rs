//! F63 and F64: readers that stop reading, and readers that go away.

use std::sync::Arc;

use claude_sdk::{Client, MessageStream, ratelimit::test_util::Recorder};
use futures_util::future::poll_immediate;
use mock_server::{At, Fault, Reply};

use super::{EVENTS, Footprint, Trial, whole};
use crate::rig::{client, hello, until};

/// F63.
#[tokio::test]
async fn a_reader_that_stops_reading_holds_the_server_back() {
    let trial = Trial::new().await;
    let start = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\
                 \"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude-opus-5\",\"content\":[],\
                 \"stop_reason\":null,\"stop_sequence\":null,\"usage\":{\"input_tokens\":9,\
                 \"output_tokens\":1}}}\n\nevent: content_block_start\ndata: {\"type\":\"content_block_start\",\
                 \"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n";
    let delta = format!(
        "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":0,\
         \"delta\":{{\"type\":\"text_delta\",\"text\":\"{}\"}}}}\n\n",
        "x".repeat(1 << 16)
    );
    let pieces = std::iter::once(bytes::Bytes::from_static(start.as_bytes()));
    let pieces = pieces.chain(std::iter::repeat_n(bytes::Bytes::from(delta), 1024));
    trial.server.inject(Fault::answer(Reply::sse(pieces)));
    let before = Footprint::now().kib;
    let mut stream = trial.client.messages().stream(&hello()).await.unwrap();
    stream.next().await.unwrap().unwrap();
    let mut sent = 0;
    let mut quiet = 0;
    while quiet < 2_000 {
        tokio::task::yield_now().await;
        let now = trial.server.bytes_sent();
        quiet = if now == sent { quiet + 1 } else { 0 };
        sent = now;
    }
    // What the kernel holds of a loopback connection, and no more than that.
    assert!(sent < 24 << 20, "{sent} bytes were taken from the server");
    let grown = Footprint::now().kib.saturating_sub(before);
    assert!(grown < 8 * 1024, "{grown} KiB for a stream nobody reads");
    drop(stream);
    until(|| trial.server.open_connections() == 0).await;
    trial.end().await;
}

/// F64: the call is polled so often and then dropped, from the first poll to the last. No clock moves: what has to be closed and
/// settled is so at once. The server falls silent before the answer, within it, or not at all.
#[tokio::test]
async fn whoever_leaves_at_any_poll_closes_the_connection_and_settles_what_was_taken() {
    let trial = Trial::unheard().await;
    let limiter = Recorder::new();
    let leaver = client(&trial.server).0.rate_limiter(limiter.clone()).build().unwrap();
    for fault in [Some(Fault::stall(At::Request)), Some(Fault::stall(At::Event(5))), None] {
        let (mut seen, mut ended) = (0, false);
        // A whole call takes half of them.
        for polls in 0..80_usize {
            fault.iter().for_each(|fault| trial.server.inject(fault.clone()));
            let (acquired, settled) = (limiter.acquired().len(), limiter.settled().len());
            let before = trial.server.journal_len();
            ended = leave_after(&leaver, polls).await;
            trial.server.clear_faults();
            let taken = limiter.acquired().len() - acquired;
            assert!(taken <= 1 && (taken == 1 || polls == 0), "{polls} polls: {taken} permits");
            until(|| limiter.settled().len() - settled == taken).await;
            if let [(_, cost)] = &limiter.settled()[settled..] {
                // Whoever asks for a message may have been served, unless it is known that nothing was sent.
                let Some(cost) = cost else { panic!("{polls} polls: a permit without its cost") };
                assert!(cost.requests <= 1 && cost.output_tokens <= 200, "{polls} polls: {cost:?}");
                seen = seen.max(cost.input_tokens);
            }
            if ended {
                break;
            }
            // A connection that was never used, or whose answer had come to its end, is kept for the next call; any other is closed.
            let is_kept = fault.is_none() || trial.server.journal_len() == before;
            until(|| trial.server.open_connections() <= u64::from(is_kept)).await;
            trial.server.advance(std::time::Duration::from_secs(1));
        }
        assert!(seen > 0 && ended == fault.is_none(), "{fault:?}: {seen} tokens, ended: {ended}");
    }
    drop(leaver);
    trial.end().await;
}

/// Polls a whole call so often, with others in between; true if it came to its end.
async fn leave_after(client: &Client, polls: usize) -> bool {
    let call = async {
        let request = hello();
        whole(client.messages().stream(&request).await?).await
    };
    let mut call = Box::pin(call);
    for _ in 0..polls {
        if let Some(outcome) = poll_immediate(&mut call).await {
            assert_eq!(outcome.unwrap().text(), "You said: hello there");
            return true;
        }
        tokio::task::yield_now().await;
    }
    false
}

/// F64, for every event after which a reader may go away: what was read is settled, and not what might have come.
#[tokio::test]
async fn a_stream_that_is_dropped_closes_its_connection() {
    let trial = Trial::new().await;
    let limiter = Recorder::new();
    let client = client(&trial.server).0.rate_limiter(limiter.clone()).build().unwrap();
    for event in 0..EVENTS - 2 {
        trial.server.inject(Fault::stall(At::Event(EVENTS - 1)));
        let mut stream = client.messages().stream(&hello()).await.unwrap();
        for _ in 0..event {
            stream.next().await.unwrap().unwrap();
        }
        assert_eq!((trial.server.open_connections(), limiter.settled().len()), (1, event));
        drop(stream);
        until(|| trial.server.open_connections() == 0 && limiter.settled().len() == event + 1).await;
        let Some((_, Some(cost))) = limiter.settled().pop() else { panic!("no cost after event {event}") };
        assert_eq!(cost.requests, 1, "event {event}");
    }
    drop(client);
    trial.end().await;
}

/// G44, of which `cargo xtask soak leave` makes a hundred thousand: cancelled while it is sent, before the head, and in the body.
#[tokio::test]
async fn a_thousand_calls_that_are_dropped_leave_nothing_open() {
    let trial = Trial::unheard().await;
    let request = Arc::new(hello());
    for number in 0..1_000_usize {
        let polls = number % 40;
        trial.server.inject(if number % 2 == 0 {
            Fault::stall(At::Request)
        } else {
            Fault::stall(At::Event(2))
        });
        let call = async {
            let stream: MessageStream = trial.client.messages().stream(&request).await.unwrap();
            whole(stream).await
        };
        let mut call = Box::pin(call);
        for _ in 0..polls {
            if poll_immediate(&mut call).await.is_some() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(call);
        trial.server.clear_faults();
    }
    until(|| trial.server.open_connections() <= 1).await;
    trial.end().await;
}
