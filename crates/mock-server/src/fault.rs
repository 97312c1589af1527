//! Faults: what goes wrong on purpose, where in an exchange, for whom, and how often.

mod text;

pub use text::UnknownFault;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};

use crate::reply::Reply;

/// Something that goes wrong with the next exchange, or with the next few.
///
/// A fault is for every path unless [`on`](Self::on) names one, and happens once unless [`times`](Self::times) says
/// otherwise. Of several, the one that was injected first comes first. Except where it says so, the request is served as
/// ever: tokens rotate, limits are spent and the journal has its entry; only what the client gets of it is different.
///
/// A client can ask for one by itself, with the header `x-mock-fault` and the text that [`FromStr`](std::str::FromStr)
/// reads: `close body 100`, `status 529`. It is then for that request.
#[derive(Clone, Debug)]
pub struct Fault {
    pub(crate) effect: Effect,
    pub(crate) path: Option<String>,
    pub(crate) times: u32,
}

/// A moment in an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum At {
    /// When the connection is accepted, before anything is read: whose path it would be is not known yet, so that a
    /// fault here is for all of them.
    Accept,
    /// After the request was served, before the first byte of the answer.
    Request,
    /// After this many bytes of the answer as they are on the wire, head and framing included.
    Byte(usize),
    /// After this many bytes of the answer's content.
    Body(usize),
    /// After this many events of a stream.
    Event(usize),
    /// After the answer, while the connection waits for the next request.
    End,
    /// When the next request on the same connection arrives, before it is read.
    Next,
}

/// What happens.
#[derive(Clone, Debug)]
pub(crate) enum Effect {
    End(At, Ending),
    Drip(At, Duration),
    /// In place of the answer.
    Raw(Bytes),
    /// More bytes are announced than come, or fewer.
    Length(i64),
    /// After the answer.
    Extra(Bytes),
    /// Nothing is served.
    Answer(Box<Reply>),
    /// The mail that a login sends does not arrive.
    LoseMail,
}

/// How it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// In order, with a FIN.
    Close,
    /// With a RST.
    Reset,
    /// Not at all.
    Stall,
}

impl Fault {
    /// Closes the connection.
    #[must_use]
    pub fn close(at: At) -> Self {
        Self::new(Effect::End(at, Ending::Close))
    }

    /// Resets the connection, so that the client gets a RST.
    #[must_use]
    pub fn reset(at: At) -> Self {
        Self::new(Effect::End(at, Ending::Reset))
    }

    /// Sends nothing more, and keeps the connection until the client closes it.
    #[must_use]
    pub fn stall(at: At) -> Self {
        Self::new(Effect::End(at, Ending::Stall))
    }

    /// Sends the rest byte by byte, with a pause of real time before each.
    #[must_use]
    pub fn drip(at: At, every: Duration) -> Self {
        Self::new(Effect::Drip(at, every))
    }

    /// Sends exactly these bytes in place of the answer, and keeps the connection.
    #[must_use]
    pub fn raw(bytes: impl Into<Bytes>) -> Self {
        Self::new(Effect::Raw(bytes.into()))
    }

    /// Announces `off_by` bytes more than come, or less.
    #[must_use]
    pub fn length(off_by: i64) -> Self {
        Self::new(Effect::Length(off_by))
    }

    /// Sends these bytes after the answer, such as a second answer that nobody asked for.
    #[must_use]
    pub fn extra(bytes: impl Into<Bytes>) -> Self {
        Self::new(Effect::Extra(bytes.into()))
    }

    /// Gives this answer without serving the request: nothing is checked, and nothing changes.
    #[must_use]
    pub fn answer(reply: Reply) -> Self {
        Self::new(Effect::Answer(Box::new(reply)))
    }

    /// Gives an error answer of the kind that belongs to the status.
    #[must_use]
    pub fn status(status: StatusCode) -> Self {
        let kind = match status.as_u16() {
            401 => "authentication_error",
            402 => "billing_error",
            403 => "permission_error",
            404 => "not_found_error",
            408 | 504 => "timeout_error",
            409 => "conflict_error",
            413 => "request_too_large",
            429 => "rate_limit_error",
            529 => "overloaded_error",
            500.. => "api_error",
            _ => "invalid_request_error",
        };
        Self::answer(Reply::error(status, kind, "the fault that was asked for"))
    }

    /// Sends the client elsewhere.
    #[must_use]
    pub fn redirect(status: StatusCode, target: HeaderValue) -> Self {
        Self::answer(Reply::html("<p>elsewhere</p>").status(status).header(header::LOCATION, target))
    }

    /// Says something that is not HTTP.
    #[must_use]
    pub fn garbage() -> Self {
        Self::raw("SMTP/9.9 what do you mean\r\n\r\n")
    }

    /// Gives an answer with this many headers, each with a value of `length` bytes.
    #[must_use]
    pub fn headers(count: usize, length: usize) -> Self {
        let value = "x".repeat(length);
        let mut head = String::from("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n");
        for number in 0..count {
            head.extend(["x-", number.to_string().as_str(), ": ", &value, "\r\n"]);
        }
        head += "\r\n{}";
        Self::raw(head)
    }

    /// Says that the body is compressed in a way in which it is not.
    #[must_use]
    pub fn encoding(name: HeaderValue) -> Self {
        let reply = Reply::json(serde_json::json!({"type": "message"}));
        Self::answer(reply.header(header::CONTENT_ENCODING, name))
    }

    /// Loses the mail with the code that a login asks for; the journal's note says so.
    #[must_use]
    pub fn lose_mail() -> Self {
        Self::new(Effect::LoseMail).on("/oauth/login")
    }

    /// Says for which path it is, without the path prefix, such as `/v1/messages`.
    #[must_use]
    pub fn on(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// Happens this many times.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// Happens until [`clear_faults`](crate::MockServer::clear_faults).
    #[must_use]
    pub fn always(self) -> Self {
        self.times(u32::MAX)
    }

    fn new(effect: Effect) -> Self {
        Self { effect, path: None, times: 1 }
    }

    /// Adds a header to an answer of this fault.
    fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        if let Effect::Answer(reply) = &mut self.effect {
            reply.headers.push((name, value));
        }
        self
    }

    fn is_at_accept(&self) -> bool {
        matches!(self.effect, Effect::End(At::Accept, _))
    }
}

/// The faults to come.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<Fault>);

impl Faults {
    pub(crate) fn push(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Takes what is to happen to a connection that was just accepted.
    pub(crate) fn at_accept(&mut self) -> Option<Ending> {
        match self.take(Fault::is_at_accept)? {
            Effect::End(_, ending) => Some(ending),
            _ => None,
        }
    }

    /// Takes what is to happen to a request to `path`.
    pub(crate) fn at_request(&mut self, path: &str) -> Option<Effect> {
        let is_for = |fault: &Fault| fault.path.as_deref().is_none_or(|wanted| wanted == path);
        self.take(|fault| !fault.is_at_accept() && is_for(fault))
    }

    fn take(&mut self, wanted: impl Fn(&Fault) -> bool) -> Option<Effect> {
        let index = self.0.iter().position(|fault| fault.times > 0 && wanted(fault))?;
        let fault = self.0.get_mut(index)?;
        let effect = fault.effect.clone();
        if fault.times != u32::MAX {
            fault.times -= 1;
        }
        if fault.times == 0 {
            self.0.remove(index);
        }
        Some(effect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_for_its_path_and_happens_as_often_as_it_says() {
        let mut faults = Faults::default();
        faults.push(Fault::length(1).on("/a").times(2));
        faults.push(Fault::length(2));
        assert!(matches!(faults.at_request("/b"), Some(Effect::Length(2))));
        assert!(faults.at_request("/b").is_none());
        assert!(faults.at_request("/a").is_some() && faults.at_request("/a").is_some());
        assert!(faults.at_request("/a").is_none());
    }

    #[test]
    fn what_happens_to_a_connection_does_not_happen_to_a_request() {
        let mut faults = Faults::default();
        faults.push(Fault::reset(At::Accept).always());
        assert!(faults.at_request("/a").is_none());
        assert_eq!([faults.at_accept(), faults.at_accept()], [Some(Ending::Reset); 2]);
        faults.clear();
        assert_eq!(faults.at_accept(), None);
    }
}
