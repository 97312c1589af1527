//! HTTP/2: which connections speak it, and what goes wrong there only.

use std::error::Error;
use std::io;

use bytes::Bytes;

use crate::fault::Effect;
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

/// Sends a GOAWAY in place of the answer to a request that was served.
pub(crate) fn go_away_served(plan: &Plan) -> io::Error {
    go_away(plan, LAST_STREAM)
}

/// The connection says which was the last stream that it came to, and ends. HTTP/1.1 has no such word: it only ends.
fn go_away(plan: &Plan, last: u32) -> io::Error {
    // Eight bytes of the kind GOAWAY without flags, on the stream of the connection itself; no error.
    let head: &[u8] = &[0, 0, 8, 7, 0, 0, 0, 0, 0];
    let frame = [head, &last.to_be_bytes(), &[0; 4]].concat();
    plan.raw_to_the_end(Bytes::from(frame));
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
