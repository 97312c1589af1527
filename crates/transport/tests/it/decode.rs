//! Content codings, under the layer that decodes them.

use std::{io::Write as _, process::Command, sync::Arc, time::Duration};

use bytes::Bytes;
use transport::{
    Body, Clock, ErrorKind, HttpBackend, Response,
    layers::{Decode, Timeout},
    test_util::ScriptedBackend,
};

use crate::{clock, get, pieces, settle};

const TEXT: &[u8] = b"data: one\n\ndata: two\n\n";
/// [`TEXT`] and 64 MiB of zeros, in brotli.
const TEXT_BR: &[u8] = include_bytes!("br/text.br");
const ZEROS_BR: &[u8] = include_bytes!("br/zeros.br");
const MIB: usize = 1 << 20;

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn text_in(coding: &str) -> Vec<u8> {
    match coding {
        "gzip" => gzip(TEXT),
        "br" => TEXT_BR.to_vec(),
        "zstd" => zstd::encode_all(TEXT, 3).unwrap(),
        _ => unreachable!(),
    }
}

/// A body that comes in pieces of `size` bytes.
fn cut(data: &[u8], size: usize) -> Body {
    let chunks: Vec<_> = data.chunks(size).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
    Body::from_stream(futures_util::stream::iter(chunks))
}

async fn answered(status: u16, coding: &str, body: Body) -> Response {
    let answer = http::Response::builder()
        .status(status)
        .header("content-encoding", coding)
        .header("content-length", "1")
        .body(body);
    Decode::new(ScriptedBackend::new([Ok(answer.unwrap())])).send(get()).await.unwrap()
}

/// A byte each five seconds, on a thin line.
fn dripping(data: Vec<u8>, clock: Arc<dyn Clock>) -> Body {
    Body::from_stream(futures_util::stream::unfold(data.into_iter(), move |mut data| {
        let clock = Arc::clone(&clock);
        async move {
            let byte = data.next()?;
            clock.sleep(Duration::from_secs(5)).await;
            Some((Ok(Bytes::copy_from_slice(&[byte])), data))
        }
    }))
}

#[tokio::test]
async fn bytes_that_make_no_piece_yet_are_no_silence() {
    for coding in ["gzip", "br", "zstd"] {
        let clock = clock();
        let body = dripping(text_in(coding), Arc::new(clock.clone()));
        let answer = http::Response::builder().header("content-encoding", coding).body(body).unwrap();
        let layer = Timeout::new(Decode::new(ScriptedBackend::new([Ok(answer)])), Arc::new(clock.clone()));
        let layer = layer.idle(Duration::from_secs(6));
        let reader = tokio::spawn(async move { layer.send(get()).await?.into_body().collect(100).await });
        while !reader.is_finished() {
            clock.advance(Duration::from_secs(1));
            settle().await;
        }
        assert_eq!(reader.await.unwrap().unwrap(), TEXT, "{coding}");
    }
}

#[tokio::test]
async fn each_coding_is_asked_for_and_decoded_however_it_is_cut() {
    for coding in ["gzip", "br", "zstd"] {
        let data = text_in(coding);
        for size in 1..=data.len() {
            let response = answered(200, coding, cut(&data, size)).await;
            assert!(!response.headers().contains_key("content-encoding"));
            assert!(!response.headers().contains_key("content-length"));
            let body = response.into_body().collect(100).await.unwrap();
            assert_eq!(body, TEXT, "{coding} in pieces of {size}");
        }
    }
    let backend = Arc::new(ScriptedBackend::new([Ok(Response::new(Body::empty()))]));
    Decode::new(Arc::clone(&backend)).send(get()).await.unwrap();
    assert_eq!(backend.requests()[0].headers()["accept-encoding"], "gzip, br, zstd");
}

#[tokio::test]
async fn a_request_that_says_what_it_accepts_is_left_alone() {
    let backend = Arc::new(ScriptedBackend::new([Ok(Response::new(Body::empty()))]));
    let mut request = get();
    request.headers_mut().insert("accept-encoding", "identity".parse().unwrap());
    Decode::new(Arc::clone(&backend)).send(request).await.unwrap();
    assert_eq!(backend.requests()[0].headers()["accept-encoding"], "identity");
}

#[tokio::test]
async fn an_event_is_there_as_soon_as_it_was_flushed() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(TEXT).unwrap();
    gzip.flush().unwrap();
    let mut zstd = zstd::Encoder::new(Vec::new(), 3).unwrap();
    zstd.write_all(TEXT).unwrap();
    zstd.flush().unwrap();
    for (coding, flushed) in [("gzip", gzip.get_ref().clone()), ("zstd", zstd.get_ref().clone())] {
        let first = futures_util::stream::iter([Ok(Bytes::from(flushed))]);
        let body = futures_util::StreamExt::chain(first, futures_util::stream::pending());
        let mut body = answered(200, coding, Body::from_stream(body)).await.into_body();
        assert_eq!(body.chunk().await.unwrap().unwrap(), TEXT, "{coding}");
    }
}

#[tokio::test]
async fn half_a_compressed_body_is_truncated_at_every_length() {
    for coding in ["gzip", "br", "zstd"] {
        let data = text_in(coding);
        for length in 1..data.len() {
            let error = answered(200, coding, cut(&data[..length], 5)).await.into_body().collect(100).await;
            let error = error.expect_err(&format!("{coding}, {length} of {} bytes", data.len()));
            assert_eq!(error.kind(), ErrorKind::Truncated, "{coding}, {length} bytes: {error:?}");
        }
        let empty = answered(200, coding, Body::empty()).await.into_body().collect(0).await.unwrap();
        assert_eq!(empty, "", "{coding}");
    }
}

#[tokio::test]
async fn what_is_not_what_it_says_cannot_be_decoded() {
    for coding in ["gzip", "br", "zstd"] {
        for data in [
            b"{\"type\":\"message\"}".to_vec(),
            [text_in(coding), b"and much more than that".to_vec()].concat(),
        ] {
            for size in [3, 1000] {
                let error = answered(200, coding, cut(&data, size)).await.into_body().collect(100).await;
                let error = error.expect_err(&format!("{coding}: {data:?}"));
                assert_eq!(error.kind(), ErrorKind::Decode, "{coding} in {size}: {data:?} {error:?}");
                assert!(!error.is_retryable());
            }
        }
    }
}

#[tokio::test]
async fn an_unknown_coding_is_an_error_of_the_body_and_its_name_is_cut() {
    let long = "x".repeat(5_000);
    for (status, coding) in [(200, "compress"), (503, "gzip, br"), (400, long.as_str())] {
        let response = answered(status, coding, pieces([Ok(""), Ok("what?")])).await;
        assert_eq!(response.status(), status, "the head is whole");
        let error = response.into_body().collect(100).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Decode);
        assert!(format!("{error:?}").len() < 400, "{error:?}");
        let nothing = answered(status, coding, Body::empty()).await;
        assert_eq!(nothing.into_body().collect(0).await.unwrap(), "");
    }
}

/// Whatever its reader would take: what swells like this is no answer.
#[tokio::test]
async fn a_bomb_is_given_up_before_the_limit_of_a_patient_reader() {
    for (coding, bomb) in bombs() {
        let error = answered(200, coding, Body::from(bomb)).await.into_body().collect(usize::MAX).await;
        let ErrorKind::BodyTooLarge { limit } = error.unwrap_err().kind() else { panic!("{coding}") };
        assert_eq!(limit, 4 * MIB, "{coding}");
    }
    // What is large and was not small before is read.
    let text: Vec<u8> = (0..800_000).flat_map(|number| number.to_string().into_bytes()).collect();
    let body = answered(200, "gzip", Body::from(gzip(&text))).await.into_body();
    assert_eq!(body.collect(usize::MAX).await.unwrap(), text);
}

/// Three bombs of 64 MiB.
fn bombs() -> [(&'static str, Vec<u8>); 3] {
    // What is joined in gzip or zstd is one body; making it from one piece takes long.
    let zeros = vec![0; MIB];
    [
        ("gzip", gzip(&zeros).repeat(64)),
        ("br", ZEROS_BR.to_vec()),
        ("zstd", zstd::encode_all(&zeros[..], 3).unwrap().repeat(64)),
    ]
}

/// Reads bombs of 64 MiB under a limit of 1 MiB; as a child of the next test it is alone in its process.
#[tokio::test]
#[expect(clippy::print_stdout, reason = "the parent reads it")]
async fn a_bomb_is_given_up_at_the_limit() {
    for (coding, bomb) in bombs() {
        assert!(bomb.len() * 900 < 64 * MIB, "{coding}: {} bytes are no bomb", bomb.len());
        for status in [200, 500] {
            reset_peak();
            let before = peak();
            let response = answered(status, coding, Body::from(bomb.clone())).await;
            let error = response.into_body().collect(MIB).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BodyTooLarge { limit: MIB }, "{coding}");
            println!("{coding} {status}: grew by {} KiB", peak().saturating_sub(before));
        }
    }
}

#[test]
fn a_bomb_takes_no_more_than_32_mib() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "decode::a_bomb_is_given_up_at_the_limit"])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let grown: Vec<u64> = text
        .lines()
        .filter_map(|line| line.split_once("grew by ")?.1.strip_suffix(" KiB")?.parse().ok())
        .collect();
    assert!(output.status.success() && grown.len() == 6, "{text}");
    assert!(grown.iter().all(|kib| *kib <= 32 * 1024), "{text}");
}

/// The most memory this process had since [`reset_peak`], in KiB (proc(5), `VmHWM`).
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
}

fn reset_peak() {
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
}
