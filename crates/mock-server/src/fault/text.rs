//! A fault as a text, for the header `x-mock-fault`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use http::{HeaderName, HeaderValue, StatusCode, header};

use super::{At, Fault};
use crate::reply::Reply;

/// A text that is no fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownFault;

impl fmt::Display for UnknownFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "no such fault; write `close AT`, `reset AT`, `stall AT`, `drip AT MILLISECONDS`, `length BYTES`, `extra TEXT`, \
             `garbage`, `headers COUNT LENGTH`, `encoding NAME`, `html`, `status CODE`, `status CODE HEADER VALUE` or \
             `redirect CODE URL`, where AT is `request`, `byte N`, `body N`, `event N`, `end` or `next`",
        )
    }
}

impl std::error::Error for UnknownFault {}

/// Reads `close AT`, `reset AT`, `stall AT`, `drip AT MILLISECONDS`, `length BYTES`, `extra TEXT`, `garbage`,
/// `headers COUNT LENGTH`, `encoding NAME`, `html`, `status CODE`, `status CODE HEADER VALUE` and `redirect CODE URL`, where
/// `AT` is `request`, `byte N`, `body N`, `event N`, `end` or `next`.
impl FromStr for Fault {
    type Err = UnknownFault;

    fn from_str(text: &str) -> Result<Self, UnknownFault> {
        read(text).ok_or(UnknownFault)
    }
}

fn read(text: &str) -> Option<Fault> {
    /// More would only be a way to have the server use up its memory.
    const LONGEST: usize = 16 * 1024 * 1024;
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let status = |code: &str| StatusCode::from_bytes(code.as_bytes()).ok();
    Some(match words[..] {
        ["close", ref place @ ..] => Fault::close(at(place)?),
        ["reset", ref place @ ..] => Fault::reset(at(place)?),
        ["stall", ref place @ ..] => Fault::stall(at(place)?),
        ["drip", ref place @ .., every] => {
            Fault::drip(at(place)?, Duration::from_millis(every.parse().ok()?))
        }
        ["length", off_by] => Fault::length(off_by.parse().ok()?),
        ["extra", ref words @ ..] if !words.is_empty() => Fault::extra(words.join(" ")),
        ["lose-mail"] => Fault::lose_mail(),
        ["garbage"] => Fault::garbage(),
        ["headers", count, length] => {
            let (count, length): (usize, usize) = (count.parse().ok()?, length.parse().ok()?);
            let size = count.checked_mul(length.checked_add(16)?)?;
            (size <= LONGEST).then(|| Fault::headers(count, length))?
        }
        ["encoding", name] => Fault::encoding(name.parse().ok()?),
        ["html"] => Fault::answer(Reply::html("<h1>Welcome to the hotel</h1>")),
        ["status", code] => Fault::status(status(code)?),
        ["status", code, name, ref value @ ..] => {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            // The framing is the server's own.
            let is_framing = name == header::CONTENT_LENGTH || name == header::TRANSFER_ENCODING;
            let value = HeaderValue::from_str(&value.join(" ")).ok()?;
            (!is_framing).then(|| status(code).map(|code| Fault::status(code).header(name, value)))??
        }
        ["redirect", code, target] => Fault::redirect(status(code)?, target.parse().ok()?),
        _ => return None,
    })
}

/// A request that carries the fault is being read already, so `accept` is not among them.
fn at(words: &[&str]) -> Option<At> {
    Some(match *words {
        ["request"] => At::Request,
        ["byte", count] => At::Byte(count.parse().ok()?),
        ["body", count] => At::Body(count.parse().ok()?),
        ["event", count] => At::Event(count.parse().ok()?),
        ["end"] => At::End,
        ["next"] => At::Next,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Effect, Ending};
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
        let fault: Fault = "reset body 7".parse().unwrap();
        assert!(matches!(fault.effect, Effect::End(At::Body(7), Ending::Reset)));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "close",
            "close accept",
            "close body",
            "drip 5",
            "status",
            "status 5",
            "status 429 content-length 5",
            "headers 1000000000 1000000000",
            "explode",
        ] {
            assert_eq!(text.parse::<Fault>().unwrap_err(), UnknownFault, "{text}");
        }
    }
}
