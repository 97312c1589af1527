//! HTTP/2: which connections speak it, and what goes wrong there only.

use std::error::Error;
use std::io;

use bytes::Bytes;

use crate::fault::{Effect, Frames};
use crate::wire::Plan;

/// The largest number of a stream: a GOAWAY that names it leaves none out.
const LAST_STREAM: u32 = u32::MAX >> 1;

/// Leaves a request unserved, as far as a fault says so: the error ends its stream, or its connection.
pub(crate) fn unserved(fault: Option<&Effect>, plan: &Plan) -> Result<(), Box<dyn Error + Send + Sync>> {
    match fault {
        Some(Effect::RefuseStream) => Err(refused_stream()),
        Some(Effect::GoAway { served: false }) => Err(go_away(plan, 0).into()),
        _ => Ok(()),
    }
}

/// Sends so many frames of a kind before the answer.
pub(crate) fn flood(plan: &Plan, frames: Frames, count: usize) {
    let bytes = match frames {
        Frames::Pings => frame(6, 0, &[0; 8]).repeat(count),
        Frames::Settings => frame(4, 0, &[]).repeat(count),
        Frames::Continuations => {
            // A client numbers its streams in the order of its requests, by odd numbers.
            let stream = plan.number().saturating_mul(2).saturating_sub(1);
            // `:status: 200`, and then a header of 100 bytes, without indexing, a hundred times in each frame (RFC 7541).
            let header = [&[0, 1, b'x', 100][..], &[b'v'; 100]].concat().repeat(100);
            let mut bytes = frame(1, stream, &[0x88]);
            bytes.extend(frame(9, stream, &header).repeat(count));
            bytes
        }
    };
    plan.ahead(bytes.into());
}

/// A frame without flags (RFC 9113, section 4.1).
fn frame(kind: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_be_bytes();
    let length = length.get(1..).unwrap_or_default();
    [length, &[kind, 0], &stream.to_be_bytes(), payload].concat()
}

/// Sends a GOAWAY in place of the answer to a request that was served.
pub(crate) fn go_away_served(plan: &Plan) -> io::Error {
    go_away(plan, LAST_STREAM)
}

/// The connection says which was the last stream that it came to, and ends. HTTP/1.1 has no such word: it only ends.
fn go_away(plan: &Plan, last: u32) -> io::Error {
    // On the stream of the connection itself, for no error.
    let payload = [last.to_be_bytes(), [0; 4]].concat();
    plan.raw_to_the_end(Bytes::from(frame(7, 0, &payload)));
    io::ErrorKind::ConnectionAborted.into()
}

#[cfg(feature = "http2")]
fn refused_stream() -> Box<dyn Error + Send + Sync> {
    Box::new(h2::Error::from(h2::Reason::REFUSED_STREAM))
}

#[cfg(not(feature = "http2"))]
fn refused_stream() -> Box<dyn Error + Send + Sync> {
    io::Error::from(io::ErrorKind::ConnectionAborted).into()
}
