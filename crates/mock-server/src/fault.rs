//! Faults: what goes wrong on purpose, where in an exchange, for whom, and how often.

mod bomb;
mod edit;
mod pending;
mod text;

pub(crate) use edit::{Edit, Event, LineEnds, Member};
pub(crate) use pending::Faults;
pub use text::UnknownFault;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::builder::ApiKey;
use crate::catalogue;
use crate::reply::Reply;

/// Something that goes wrong with the next exchange, or with the next few.
///
/// A fault is for every path unless [`on`](Self::on) names one, and happens once unless [`times`](Self::times) says
/// otherwise; it can be for one [`credential`](Self::credential), and left to [chance](Self::probability). Of several, the one that was injected first comes first. Except where it says so, the request is served as
/// ever: tokens rotate, limits are spent and the journal has its entry; only what the client gets of it is different.
///
/// Each has a text, which [`FromStr`](std::str::FromStr) reads, and which docs/mock.md lists: `close body 100`, `status 529`. A
/// client can ask for one by itself, with that text in the header `x-mock-fault`. It is then for that request.
#[derive(Clone, Debug)]
pub struct Fault {
    pub(crate) effect: Effect,
    pub(crate) path: Option<String>,
    pub(crate) times: u32,
    credential: Option<ApiKey>,
    probability: f64,
    /// What it was read from.
    text: Option<String>,
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
    /// Nothing comes for so long.
    Delay(Duration),
    Edit(Edit),
    /// After so many events these bytes, again and again.
    KeepAlive(usize, Bytes, Duration),
    /// Over HTTP/2, nothing is served, and the stream is refused.
    RefuseStream,
    /// Over HTTP/2, the connection ends with a GOAWAY, before or after the request was served.
    GoAway {
        served: bool,
    },
    /// So many frames of HTTP/2 before the answer.
    Flood(Frames, usize),
    /// A handshake that ends badly.
    #[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "only TLS shakes hands"))]
    Handshake(Handshake),
}

/// Frames of HTTP/2 that a client has to bear with, or that end its patience.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Frames {
    Pings,
    Settings,
    /// Of headers that have no end.
    Continuations,
}

/// What is wrong with a TLS handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Handshake {
    Expired,
    OtherName,
    SelfSigned,
    OldVersion,
}

/// How it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// In order, with a FIN; TLS is not told (`close_notify`).
    Close,
    /// With a RST.
    Reset,
    /// Not at all.
    Stall,
}

impl Fault {
    /// Closes the connection. Over TLS its own end is missing, the `close_notify` of RFC 8446, section 6.1: whoever cuts a
    /// connection cannot write it.
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
        let kind = catalogue::kind(status.as_u16());
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
        let reply = Reply::json(json!({"type": "message"}));
        Self::answer(reply.header(header::CONTENT_ENCODING, name))
    }

    /// Loses the mail with the code that a login asks for; the journal's note says so.
    #[must_use]
    pub fn lose_mail() -> Self {
        Self::new(Effect::LoseMail).on("/oauth/login")
    }

    /// Waits so long, in real time, before the first byte of the answer.
    #[must_use]
    pub fn delay(length: Duration) -> Self {
        Self::new(Effect::Delay(length))
    }

    /// Refuses the stream, over HTTP/2 (`REFUSED_STREAM`, RFC 9113, section 8.7): the request is not served, is not in the
    /// journal, and may be sent again. Over HTTP/1.1, where there is no such word, the connection is closed.
    #[must_use]
    pub fn refuse_stream() -> Self {
        Self::new(Effect::RefuseStream)
    }

    /// Ends the connection with a GOAWAY in place of the answer, over HTTP/2. `served`: the request was served, and the GOAWAY does not leave it out; otherwise it
    /// was not, and the GOAWAY says so. Over HTTP/1.1 the connection is closed.
    #[must_use]
    pub fn go_away(served: bool) -> Self {
        Self::new(Effect::GoAway { served })
    }

    fn edit(edit: Edit) -> Self {
        Self::new(Effect::Edit(edit))
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

    /// Is only for requests with this key or token.
    #[must_use]
    pub fn credential(mut self, secret: impl Into<String>) -> Self {
        self.credential = Some(ApiKey(secret.into()));
        self
    }

    /// Happens with this probability, by the server's [seed](crate::Builder::seed); whoever is spared does not count for
    /// [`times`](Self::times).
    #[must_use]
    pub fn probability(mut self, probability: f64) -> Self {
        self.probability = probability;
        self
    }

    /// Happens until [`clear_faults`](crate::MockServer::clear_faults).
    #[must_use]
    pub fn always(self) -> Self {
        self.times(u32::MAX)
    }

    fn new(effect: Effect) -> Self {
        Self { effect, path: None, times: 1, credential: None, probability: 1.0, text: None }
    }

    /// Adds a header to an answer of this fault.
    fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        if let Effect::Answer(reply) = &mut self.effect {
            reply.headers.push((name, value));
        }
        self
    }

    /// Whether it is about TLS.
    pub(crate) fn is_of_tls(&self) -> bool {
        matches!(self.effect, Effect::Handshake(_))
    }

    /// Whether it is for a connection, before there is a request.
    pub(crate) fn is_at_accept(&self) -> bool {
        matches!(self.effect, Effect::End(At::Accept, _) | Effect::Handshake(_))
    }

    /// As an order for it has it, but for the credential, which is not repeated. One that was not made of a text has none.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "do": self.text,
            "on": self.path,
            "times": (self.times != u32::MAX).then_some(self.times),
            "always": self.times == u32::MAX,
            "probability": self.probability,
            "credential": self.credential.as_ref().map(|_| "[redacted]"),
        })
    }

    fn is_for(&self, path: &str, credential: Option<&str>) -> bool {
        let named = self.path.as_deref().is_none_or(|wanted| wanted == path);
        named && self.credential.as_ref().is_none_or(|wanted| credential == Some(wanted.0.as_str()))
    }
}
