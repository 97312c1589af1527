//! What a server may do over HTTP/2, frame by frame (RFC 9113), for both backends.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};
use transport::{Error, ErrorKind, HttpBackend, Reach};

use crate::tls::{backends, config, get};

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;

const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

const NO_ERROR: u32 = 0;
const INTERNAL_ERROR: u32 = 2;
const REFUSED_STREAM: u32 = 7;
const ENHANCE_YOUR_CALM: u32 = 11;

/// By how much a flood may make this process grow, with the server in it, in KiB.
const GROWTH: usize = 32 * 1024;

/// `:status: 200` (RFC 7541, appendix A, entry 8).
const STATUS_200: &[u8] = &[0x88];

/// What the server does about a request.
#[derive(Clone, Copy, Debug)]
enum Act {
    Answer,
    Refuse,
    /// Says which was the last stream it came to, and why it goes.
    GoAway(u32, u32),
    BreakOff,
    /// Floods the client with frames of a kind, and then answers.
    Flood(u8, usize),
}

/// Meets the requests with `acts` in turn, the last of them for ever; counts the requests.
async fn server(acts: &'static [Act]) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut config = config();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let requests = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&requests);
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            let Ok(stream) = acceptor.accept(socket).await else { continue };
            let (reader, writer) = tokio::io::split(stream);
            // A client that has had enough closes.
            tokio::spawn(serve(reader, writer, acts, Arc::clone(&counter)));
        }
    });
    (port, requests)
}

type Tls = TlsStream<TcpStream>;

async fn serve(
    mut reader: ReadHalf<Tls>,
    mut writer: WriteHalf<Tls>,
    acts: &'static [Act],
    counter: Arc<AtomicUsize>,
) -> std::io::Result<()> {
    let mut preface = [0; 24];
    reader.read_exact(&mut preface).await?;
    writer.write_all(&frame(SETTINGS, 0, 0, &[])).await?;
    let (asked, mut asks) = tokio::sync::mpsc::unbounded_channel();
    // What the client sends is read whatever the server is doing, or a flood would end in a traffic jam.
    tokio::spawn(async move {
        loop {
            let Ok((kind, flags, stream)) = skim(&mut reader).await else { return };
            if kind == HEADERS || kind == SETTINGS && flags & ACK == 0 {
                let _ = asked.send((kind, stream));
            }
        }
    });
    while let Some((kind, stream)) = asks.recv().await {
        if kind == SETTINGS {
            writer.write_all(&frame(SETTINGS, ACK, 0, &[])).await?;
            continue;
        }
        let number = counter.fetch_add(1, Ordering::Relaxed);
        let act = acts.get(number).or(acts.last()).unwrap();
        meet(*act, stream, &mut writer).await?;
        writer.flush().await?;
    }
    Ok(())
}

async fn meet(act: Act, stream: u32, writer: &mut WriteHalf<Tls>) -> std::io::Result<()> {
    let answer =
        [frame(HEADERS, END_HEADERS, stream, STATUS_200), frame(DATA, END_STREAM, stream, b"ok")].concat();
    match act {
        Act::Answer => writer.write_all(&answer).await,
        Act::Refuse => writer.write_all(&frame(RST_STREAM, 0, stream, &REFUSED_STREAM.to_be_bytes())).await,
        Act::GoAway(last, reason) => {
            let payload = [last.to_be_bytes(), reason.to_be_bytes()].concat();
            writer.write_all(&frame(GOAWAY, 0, 0, &payload)).await?;
            writer.shutdown().await
        }
        Act::BreakOff => {
            let begun = [
                frame(HEADERS, END_HEADERS, stream, STATUS_200),
                frame(DATA, 0, stream, b"half"),
                frame(RST_STREAM, 0, stream, &INTERNAL_ERROR.to_be_bytes()),
            ];
            writer.write_all(&begun.concat()).await
        }
        Act::Flood(CONTINUATION, frames) => {
            writer.write_all(&frame(HEADERS, 0, stream, STATUS_200)).await?;
            // A literal header field without indexing: `x: ` and 100 times `v`.
            let header = [&[0x00, 1, b'x', 100][..], &[b'v'; 100]].concat().repeat(100);
            for _ in 0..frames {
                writer.write_all(&frame(CONTINUATION, 0, stream, &header)).await?;
            }
            writer.write_all(&answer).await
        }
        Act::Flood(kind, frames) => {
            let payload: &[u8] = if kind == PING { &[0; 8] } else { &[] };
            let some = frame(kind, 0, 0, payload).repeat(100);
            for _ in 0..frames / 100 {
                writer.write_all(&some).await?;
            }
            writer.write_all(&answer).await
        }
    }
}

/// What this process has in memory, in KiB.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// Reads one frame and returns its kind, flags and stream.
async fn skim(reader: &mut ReadHalf<Tls>) -> std::io::Result<(u8, u8, u32)> {
    let mut head = [0; 9];
    reader.read_exact(&mut head).await?;
    let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
    reader.read_exact(&mut vec![0; length]).await?;
    Ok((head[3], head[4], u32::from_be_bytes([head[5], head[6], head[7], head[8]])))
}

async fn call(backend: &dyn HttpBackend, port: u16) -> Result<bytes::Bytes, Error> {
    backend.send(get("localhost", port)).await?.into_body().collect(100).await
}

#[tokio::test]
async fn a_stream_that_was_refused_was_not_sent() {
    for backend in backends(true) {
        let (port, requests) = server(&[Act::Refuse, Act::Answer]).await;
        let error = call(&backend, port).await.unwrap_err();
        assert_eq!((error.kind(), error.reach()), (ErrorKind::Closed, Reach::NotSent), "{error:?}");
        assert!(error.is_retryable());
        assert_eq!(call(&backend, port).await.unwrap(), "ok");
        assert_eq!(requests.load(Ordering::Relaxed), 2, "{backend:?}");
    }
}

#[tokio::test]
async fn a_server_that_always_refuses_is_an_error_with_nothing_sent() {
    for backend in backends(true) {
        let (port, requests) = server(&[Act::Refuse]).await;
        let error = call(&backend, port).await.unwrap_err();
        assert_eq!((error.kind(), error.reach()), (ErrorKind::Closed, Reach::NotSent), "{error:?}");
        assert_eq!(requests.load(Ordering::Relaxed), 1, "{backend:?}");
    }
}

#[tokio::test]
async fn a_stream_beyond_the_last_one_of_a_goaway_was_not_sent() {
    for backend in backends(true) {
        let (port, requests) = server(&[Act::GoAway(0, NO_ERROR), Act::Answer]).await;
        let error = call(&backend, port).await.unwrap_err();
        assert_eq!((error.kind(), error.reach()), (ErrorKind::Closed, Reach::NotSent), "{error:?}");
        assert_eq!(call(&backend, port).await.unwrap(), "ok", "on another connection");
        assert_eq!(requests.load(Ordering::Relaxed), 2, "{backend:?}");
    }
}

#[tokio::test]
async fn a_stream_that_a_goaway_includes_may_have_been_done() {
    for backend in backends(true) {
        for reason in [NO_ERROR, ENHANCE_YOUR_CALM, INTERNAL_ERROR] {
            let acts: &'static [Act] = match reason {
                NO_ERROR => &[Act::GoAway(1, NO_ERROR)],
                ENHANCE_YOUR_CALM => &[Act::GoAway(1, ENHANCE_YOUR_CALM)],
                _ => &[Act::GoAway(1, INTERNAL_ERROR)],
            };
            let (port, requests) = server(acts).await;
            let error = call(&backend, port).await.unwrap_err();
            assert_eq!(error.reach(), Reach::MaybeSent, "{backend:?}, {reason}: {error:?}");
            assert_eq!(requests.load(Ordering::Relaxed), 1, "{backend:?}, {reason}");
        }
    }
}

#[tokio::test]
async fn a_stream_reset_in_the_body_is_truncated_and_its_connection_is_still_good() {
    for backend in backends(true) {
        let (port, requests) = server(&[Act::BreakOff, Act::Answer]).await;
        let error = call(&backend, port).await.unwrap_err();
        assert_eq!((error.kind(), error.reach()), (ErrorKind::Truncated, Reach::Answered), "{error:?}");
        assert_eq!(call(&backend, port).await.unwrap(), "ok");
        assert_eq!(requests.load(Ordering::Relaxed), 2);
    }
}

#[tokio::test]
async fn pings_and_settings_without_end_hold_nothing_up() {
    let before = resident();
    for backend in backends(true) {
        for acts in [&[Act::Flood(PING, 20_000)], &[Act::Flood(SETTINGS, 20_000)]] {
            let (port, _) = server(acts).await;
            // Either is right: to bear with it, or to end the connection.
            if let Err(error) = call(&backend, port).await {
                assert!(matches!(error.kind(), ErrorKind::Protocol | ErrorKind::Closed), "{error:?}");
            }
        }
    }
    assert!(resident() <= before + GROWTH, "{} KiB more than before", resident() - before);
}

#[tokio::test]
async fn headers_without_end_are_cut_off() {
    let before = resident();
    for backend in backends(true) {
        let (port, _) = server(&[Act::Flood(CONTINUATION, 5_000)]).await; // 52 MB
        let error = call(&backend, port).await.unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Protocol | ErrorKind::Closed), "{backend:?}: {error:?}");
        assert_ne!(error.reach(), Reach::NotSent);
    }
    assert!(resident() <= before + GROWTH, "{} KiB more than before", resident() - before);
}
