//! A fault as a text, for the header `x-mock-fault`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde_json::json;

use super::{At, Edit, Effect, Event, Fault, Frames, Handshake, LineEnds, Member};
use crate::catalogue;
use crate::reply::Reply;

/// More would only be a way to have the server use up its memory.
const LONGEST: usize = 64 << 20;

/// A text that is no fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownFault;

impl fmt::Display for UnknownFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "no such fault; write one of those in docs/mock.md, such as `close AT`, `reset AT`, `stall AT`, `drip AT MILLISECONDS`, \
             `delay MILLISECONDS`, `status CODE`, `error CODE`, `set NAME JSON` or `drop event N`, where AT is `accept` (not in a \
             header), `request`, `byte N`, `body N`, `event N`, `end` or `next`",
        )
    }
}

impl std::error::Error for UnknownFault {}

/// Reads one of the texts that docs/mock.md lists.
impl FromStr for Fault {
    type Err = UnknownFault;

    fn from_str(text: &str) -> Result<Self, UnknownFault> {
        let fault = read(text).ok_or(UnknownFault)?;
        Ok(Self { text: Some(text.to_owned()), ..fault })
    }
}

fn read(text: &str) -> Option<Fault> {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    Some(match words[..] {
        ["close", ref place @ ..] => Fault::close(at(place)?),
        ["reset", ref place @ ..] => Fault::reset(at(place)?),
        ["stall", ref place @ ..] => Fault::stall(at(place)?),
        ["drip", ref place @ .., every] => Fault::drip(at(place)?, milliseconds(every)?),
        ["delay", length] => Fault::delay(milliseconds(length)?),
        ["length", off_by] => Fault::length(off_by.parse().ok()?),
        ["truncate", bytes] => Fault::edit(Edit::Truncate(bytes.parse().ok()?)),
        ["extra", ref words @ ..] if !words.is_empty() => Fault::extra(unescape(&words.join(" "))?),
        ["garbage"] => Fault::garbage(),
        ["headers", count, length] => {
            let (count, length): (usize, usize) = (count.parse().ok()?, length.parse().ok()?);
            let size = count.checked_mul(length.checked_add(16)?)?;
            (size <= LONGEST).then(|| Fault::headers(count, length))?
        }
        ["header", name, ref value @ ..] => {
            let (name, value) = header(name, value)?;
            Fault::edit(Edit::Header(name, value))
        }
        ["without", name] => Fault::edit(Edit::NoHeader(header(name, &[])?.0)),
        ["encoding", name] => Fault::encoding(name.parse().ok()?),
        ["bomb", coding, mib] => bomb(coding, mib, "200")?,
        ["bomb", coding, mib, code] => bomb(coding, mib, code)?,
        ["html"] => Fault::answer(Reply::html("<h1>Welcome to the hotel</h1>")),
        ["status", code] => Fault::status(status(code)?),
        ["status", code, name, ref value @ ..] => {
            let (name, value) = header(name, value)?;
            Fault::status(status(code)?).header(name, value)
        }
        ["error", code] => {
            catalogue::status(code)?;
            Fault::answer(Reply::coded(code))
        }
        ["oauth", error] => {
            let code =
                if error == "invalid_client" { StatusCode::UNAUTHORIZED } else { StatusCode::BAD_REQUEST };
            let told = json!({"error": error, "error_description": "the fault that was asked for"});
            Fault::answer(Reply::json(told).status(code))
        }
        ["redirect", code, target] => Fault::redirect(status(code)?, target.parse().ok()?),
        ["set", name, ref value @ ..] => member(name, Member::Set(value.join(" "))),
        ["repeat", name, ref value @ ..] => member(name, Member::Repeat(value.join(" "))),
        ["remove", name] => member(name, Member::Remove),
        ["echo", name] => member(name, Member::Echo),
        ["long", name, bytes] => member(name, Member::Long(bounded(bytes)?)),
        ["append", ref words @ ..] => Fault::edit(Edit::Append(words.join(" "))),
        ["nest", depth] => Fault::edit(Edit::Nest(bounded(depth)?)),
        ["chunks", bytes] => Fault::edit(Edit::Chunks(bytes.parse().ok().filter(|bytes| *bytes > 0)?)),
        ["bom"] => Fault::edit(Edit::Mark),
        ["line-ends", "cr"] => Fault::edit(Edit::LineEnds(LineEnds::CarriageReturn)),
        ["line-ends", "crlf"] => Fault::edit(Edit::LineEnds(LineEnds::Both)),
        ["line-ends", "mixed"] => Fault::edit(Edit::LineEnds(LineEnds::Mixed)),
        ["insert", "event", number, ref words @ ..] => {
            event(number, Event::Insert(unescape(&words.join(" "))?))?
        }
        ["drop", "event", number] => event(number, Event::Drop)?,
        ["swap", "event", number] => event(number, Event::Swap)?,
        ["again", "event", number, times] => {
            event(number, Event::Again(times.parse().ok().filter(|times| *times <= 10_000)?))?
        }
        ["flood", "event", number, count] => {
            event(number, Event::Insert("\n".repeat(bounded(count)?).into()))?
        }
        ["long-line", "event", number, bytes] => {
            event(number, Event::Insert(format!("data: {}\n\n", "x".repeat(bounded(bytes)?)).into()))?
        }
        ["error-event", number, kind] => event(number, Event::Error((*kind).to_owned()))?,
        ["keep-alive", number, "comment", every] => {
            let bytes = Bytes::from_static(b": still here\n\n");
            Fault::new(Effect::KeepAlive(number.parse().ok()?, bytes, milliseconds(every)?))
        }
        ["keep-alive", number, "ping", every] => {
            let bytes = Bytes::from_static(b"event: ping\ndata: {\"type\":\"ping\"}\n\n");
            Fault::new(Effect::KeepAlive(number.parse().ok()?, bytes, milliseconds(every)?))
        }
        ["certificate", "expired"] => Fault::new(Effect::Handshake(Handshake::Expired)),
        ["certificate", "other-name"] => Fault::new(Effect::Handshake(Handshake::OtherName)),
        ["certificate", "self-signed"] => Fault::new(Effect::Handshake(Handshake::SelfSigned)),
        ["old-tls"] => Fault::new(Effect::Handshake(Handshake::OldVersion)),
        ["refuse-stream"] => Fault::refuse_stream(),
        ["goaway", "unserved"] => Fault::go_away(false),
        ["goaway", "served"] => Fault::go_away(true),
        ["frames", "ping", count] => frames(Frames::Pings, count, 17)?,
        ["frames", "settings", count] => frames(Frames::Settings, count, 9)?,
        ["frames", "continuation", count] => frames(Frames::Continuations, count, 10_409)?,
        ["lose-mail"] => Fault::lose_mail(),
        _ => return None,
    })
}

fn at(words: &[&str]) -> Option<At> {
    Some(match *words {
        ["accept"] => At::Accept,
        ["request"] => At::Request,
        ["byte", count] => At::Byte(count.parse().ok()?),
        ["body", count] => At::Body(count.parse().ok()?),
        ["event", count] => At::Event(count.parse().ok()?),
        ["end"] => At::End,
        ["next"] => At::Next,
        _ => return None,
    })
}

fn member(name: &str, member: Member) -> Fault {
    Fault::edit(Edit::Member(name.to_owned(), member))
}

fn event(number: &str, event: Event) -> Option<Fault> {
    Some(Fault::edit(Edit::Event(number.parse().ok()?, event)))
}

fn bomb(coding: &str, mib: &str, code: &str) -> Option<Fault> {
    let bytes = super::bomb::bomb(coding, mib.parse().ok()?)?;
    let reply = Reply::bytes("application/json", bytes).status(status(code)?);
    Some(Fault::answer(reply.header(header::CONTENT_ENCODING, coding.parse().ok()?)))
}

/// Frames that have so many bytes each.
fn frames(frames: Frames, count: &str, bytes: usize) -> Option<Fault> {
    let count: usize = count.parse().ok()?;
    (count.checked_mul(bytes)? <= LONGEST).then(|| Fault::new(Effect::Flood(frames, count)))
}

fn milliseconds(text: &str) -> Option<Duration> {
    text.parse().ok().map(Duration::from_millis)
}

/// A size that does not take the server's memory away.
fn bounded(text: &str) -> Option<usize> {
    text.parse().ok().filter(|size| *size <= LONGEST)
}

/// A header, except for the framing, which is the server's own.
fn header(name: &str, value: &[&str]) -> Option<(HeaderName, HeaderValue)> {
    let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
    let is_framing = name == header::CONTENT_LENGTH || name == header::TRANSFER_ENCODING;
    let value = HeaderValue::from_str(&value.join(" ")).ok()?;
    (!is_framing).then_some((name, value))
}

fn status(code: &str) -> Option<StatusCode> {
    let code: u16 = code.parse().ok().filter(|code| (200..=999).contains(code))?;
    StatusCode::from_u16(code).ok()
}

/// Reads `\n`, `\r`, `\t`, `\0`, `\s` (a blank), `\\` and `\x41`, for what a header or a line cannot hold.
fn unescape(text: &str) -> Option<Bytes> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'\\' => match rest.next()? {
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b's' => b' ',
                b'0' => 0,
                b'\\' => b'\\',
                b'x' => {
                    let digits = [rest.next()?, rest.next()?];
                    u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
                }
                _ => return None,
            },
            byte => byte,
        });
    }
    Some(bytes.into())
}

#[cfg(test)]
mod tests {
    use super::super::Ending;
    use super::*;

    #[test]
    fn every_text_of_the_list_is_read() {
        for text in [
            "close request",
            "reset byte 10",
            "stall event 3",
            "drip body 0 5",
            "length -3",
            "extra HTTP/1.1 200 OK",
            "garbage",
            "headers 1000 1",
            "encoding gzip",
            "html",
            "status 529",
            "status 429 retry-after Wed, 21 Oct 2026 07:28:00 GMT",
            "redirect 307 https://elsewhere.example/",
            "close end",
            "reset next",
        ] {
            assert!(text.parse::<Fault>().is_ok(), "{text}");
        }
        assert_eq!(unescape(r"a\n\x41\\\s\0").unwrap(), b"a\nA\\ \0"[..]);
        let fault: Fault = "reset body 7".parse().unwrap();
        assert!(matches!(fault.effect, Effect::End(At::Body(7), Ending::Reset)));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "close",
            "close body",
            "drip 5",
            "status",
            "status 5",
            "status 429 content-length 5",
            "headers 1000000000 1000000000",
            "explode",
            "error no_such_code",
            "bomb deflate 1",
            "bomb gzip 4096",
            "again event 1 1000000",
            "chunks 0",
            "line-ends lf",
            "certificate good",
            "goaway",
            "goaway 1",
            "refuse-stream 1",
            "frames ping",
            "frames continuation 10000",
            "insert event 1 \\q",
        ] {
            assert_eq!(text.parse::<Fault>().unwrap_err(), UnknownFault, "{text}");
        }
    }
}
