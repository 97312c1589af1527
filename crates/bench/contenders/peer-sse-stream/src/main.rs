//! The crate sse-stream as a contender: `peer-sse-stream TASK`.

use std::convert::Infallible;
use std::hint::black_box;

use anyhow::{Context as _, Result};
use bench_probe::Task;
use bytes::Bytes;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use sse_stream::SseByteStream;

fn main() -> Result<()> {
    let task = Task::from_arguments()?;
    bench_probe::answer(bench_probe::decode(&task, |input, chunk| {
        // All of the input is there, so that nothing ever has to wait.
        events(input, chunk).now_or_never().context("the decoder waits")?
    }))
}

async fn events(input: &Bytes, chunk: usize) -> Result<u64> {
    let starts = (0..input.len()).step_by(chunk.max(1));
    let pieces = starts.map(|start| Ok::<_, Infallible>(input.slice(start..input.len().min(start + chunk))));
    let mut decoder = SseByteStream::new(stream::iter(pieces));
    let mut events = 0;
    while let Some(event) = decoder.next().await {
        black_box(event?);
        events += 1;
    }
    Ok(events)
}
