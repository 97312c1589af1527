use bytes::Bytes;
use http::header;
use transport::{
    Response,
    layers::{Judge, Opening, Opinion},
    sse,
};

use super::event::named;
use crate::types::{ErrorBody, from_bytes};

/// A message's stream has begun when its first content has: until then it may be sent again as if it had never been
/// answered, because there is nothing of it that anybody could have seen
/// (`docs/decisions/0022-beginning-of-a-stream.md`).
#[derive(Debug)]
pub(crate) struct FirstContent;

struct Beginning(sse::Decoder);

impl Opening for FirstContent {
    #[inline]
    fn judge(&self, reply: &Response) -> Option<Box<dyn Judge>> {
        let kind = reply.headers().get(&header::CONTENT_TYPE)?.as_bytes();
        let is_stream = kind.get(..EVENTS.len()).is_some_and(|kind| kind.eq_ignore_ascii_case(EVENTS));
        is_stream.then(|| Box::new(Beginning(sse::Decoder::new())) as _)
    }
}

impl Judge for Beginning {
    fn push(&mut self, piece: &Bytes) -> Opinion {
        let mut piece = &piece[..];
        loop {
            let event = match self.0.next_event(&mut piece) {
                Ok(Some(event)) => event,
                Ok(None) => return Opinion::Undecided,
                // What cannot be decoded is for whoever reads the stream to say.
                Err(_) => return Opinion::Committed,
            };
            match &*named(event.name, event.data) {
                "error" => return refusal(event.data.as_bytes()),
                "message_delta" | "message_stop" => return Opinion::Committed,
                name if name.starts_with("content_block_") => return Opinion::Committed,
                _ => {}
            }
        }
    }
}

/// An `error` event is the reply that the same error would be.
fn refusal(data: &[u8]) -> Opinion {
    match from_bytes::<ErrorBody>(data) {
        Ok(body) => Opinion::Failed { status: body.error.kind.status(), body: Bytes::copy_from_slice(data) },
        Err(_) => Opinion::Committed,
    }
}

const EVENTS: &[u8] = b"text/event-stream";

#[cfg(test)]
mod tests {
    use transport::Body;

    use super::*;

    fn judged(pieces: &[&'static str]) -> Vec<Opinion> {
        let reply = http::Response::builder().header("content-type", "text/event-stream; charset=utf-8");
        let mut judge = FirstContent.judge(&reply.body(Body::empty()).unwrap()).unwrap();
        pieces.iter().map(|piece| judge.push(&Bytes::from_static(piece.as_bytes()))).collect()
    }

    #[test]
    fn a_stream_has_begun_with_its_first_content() {
        assert_eq!(
            judged(&[
                "event: message_start\ndata: {}\n\n",
                "event: ping\ndata: {}\n\nevent: content_block_start\nda",
                "ta: {}\n\n"
            ]),
            [Opinion::Undecided, Opinion::Undecided, Opinion::Committed]
        );
        assert_eq!(judged(&["event: not_yet_known\ndata: 1\n\n: comment\n\n"]), [Opinion::Undecided]);
        assert_eq!(judged(&["event: message_stop\ndata: {}\n\n"]), [Opinion::Committed]);
        assert_eq!(
            judged(&[
                "data: {\"type\":\"message_start\"}\n\n",
                "data: {\"type\":\"content_block_start\"}\n\n"
            ]),
            [Opinion::Undecided, Opinion::Committed],
            "without names"
        );
    }

    #[test]
    fn an_error_before_that_is_what_its_status_would_be() {
        for (kind, status) in
            [("overloaded_error", 529), ("rate_limit_error", 429), ("invalid_request_error", 400)]
        {
            let data = format!("{{\"type\":\"error\",\"error\":{{\"type\":\"{kind}\",\"message\":\"no\"}}}}");
            let piece = format!("event: ping\ndata: {{}}\n\nevent: error\ndata: {data}\n\n");
            let [Opinion::Failed { status: found, body }] = &judged(&[piece.leak()])[..] else {
                panic!("{kind}")
            };
            assert_eq!((found.as_u16(), &body[..]), (status, data.as_bytes()));
        }
        assert_eq!(judged(&["event: error\ndata: not JSON\n\n"]), [Opinion::Committed]);
    }

    #[test]
    fn other_replies_have_no_beginning() {
        let reply = http::Response::builder().header("content-type", "application/json");
        assert!(FirstContent.judge(&reply.body(Body::empty()).unwrap()).is_none());
        assert!(FirstContent.judge(&Response::new(Body::empty())).is_none());
    }
}
