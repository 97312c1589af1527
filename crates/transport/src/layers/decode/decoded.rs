//! A compressed body, decoded as it is read.

use std::{
    io::{self, BufRead, Read},
    pin::Pin,
    task::{Context, Poll, ready},
};

use brotli_decompressor::Decompressor;
use bytes::{Buf as _, Bytes};
use flate2::bufread::MultiGzDecoder;
use futures_core::Stream;
use http::Uri;

use super::Coding;
use crate::{Body, Error, ErrorKind, Reach};

/// The largest piece that is decoded at once.
const PIECE: usize = 32 * 1024;
/// How much brotli takes from the input at once.
const BROTLI_INPUT: usize = 4096;
/// The logarithm of the largest window that zstd may ask for; brotli's own rules say the same.
const ZSTD_WINDOW: u32 = 24;
/// What any body may come to, however little there was of it before.
const HARMLESS: usize = 4 * 1024 * 1024;
/// What a larger one may come to for each byte that was decoded; a bomb has a thousand, and text twenty.
const SWELL: usize = 256;

pub(super) fn body(coding: Coding, body: Body, uri: Uri) -> Body {
    let feed = Feed::default();
    let codec = match coding {
        Coding::Gzip => Codec::Gzip(Box::new(MultiGzDecoder::new(feed))),
        Coding::Brotli => Codec::Brotli(Box::new(Decompressor::new(feed, BROTLI_INPUT))),
        Coding::Zstd => match zstd_decoder(feed) {
            Ok(decoder) => Codec::Zstd(Box::new(decoder)),
            Err(error) => return Body::from_stream(Refused(Some(failed(error, &uri)))),
        },
    };
    Body::from_stream(Decoded { codec, body, uri, arrived: 0, given: 0, out: vec![0; PIECE] })
}

fn zstd_decoder(feed: Feed) -> io::Result<zstd::stream::read::Decoder<'static, Feed>> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(feed)?;
    decoder.window_log_max(ZSTD_WINDOW)?;
    Ok(decoder)
}

struct Decoded {
    codec: Codec,
    body: Body,
    uri: Uri,
    /// How many bytes there were to decode; nothing at all is an empty body in any coding.
    arrived: usize,
    /// How many have come of them.
    given: usize,
    out: Vec<u8>,
}

/// A decoder that reads from a [`Feed`], and says [`io::ErrorKind::WouldBlock`] where that is empty.
enum Codec {
    Gzip(Box<MultiGzDecoder<Feed>>),
    Brotli(Box<Decompressor<Feed>>),
    Zstd(Box<zstd::stream::read::Decoder<'static, Feed>>),
}

/// What has arrived and is not decoded.
#[derive(Debug, Default)]
struct Feed {
    bytes: Bytes,
    ended: bool,
    /// Whether more was wanted after the end.
    missed: bool,
}

impl Stream for Decoded {
    type Item = Result<Bytes, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if this.arrived > 0 {
                match this.codec.read(&mut this.out) {
                    Ok(0) if this.codec.feed().is_waiting() => {}
                    Ok(0) => return Poll::Ready(this.codec.rest(&this.uri)),
                    Ok(read) => return Poll::Ready(Some(this.give(read))),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) => return Poll::Ready(Some(Err(failed(error, &this.uri)))),
                }
            }
            match ready!(Pin::new(&mut this.body).poll_next(cx)) {
                Some(Ok(piece)) => {
                    this.arrived = this.arrived.saturating_add(piece.len());
                    this.codec.feed().bytes = piece;
                }
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None if this.arrived > 0 => this.codec.feed().ended = true,
                None => return Poll::Ready(None),
            }
        }
    }
}

impl Decoded {
    /// The next piece, unless the body turns out to be a bomb.
    fn give(&mut self, read: usize) -> Result<Bytes, Error> {
        self.given = self.given.saturating_add(read);
        let decoded = self.arrived.saturating_sub(self.codec.feed().bytes.len());
        let limit = HARMLESS.max(decoded.saturating_mul(SWELL));
        if self.given > limit {
            let error = Error::bare(ErrorKind::BodyTooLarge { limit }, Reach::Answered);
            return Err(error.with_target(&self.uri));
        }
        Ok(Bytes::copy_from_slice(self.out.get(..read).unwrap_or_default()))
    }
}

impl Codec {
    fn feed(&mut self) -> &mut Feed {
        match self {
            Self::Gzip(decoder) => decoder.get_mut(),
            Self::Brotli(decoder) => decoder.get_mut(),
            Self::Zstd(decoder) => decoder.get_mut(),
        }
    }

    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Gzip(decoder) => decoder.read(out),
            // It calls an input that ends too early invalid.
            Self::Brotli(decoder) => decoder.read(out).map_err(|error| match decoder.get_ref() {
                feed if feed.missed => io::ErrorKind::UnexpectedEof.into(),
                _ => error,
            }),
            Self::Zstd(decoder) => decoder.read(out),
        }
    }

    /// The end, unless something comes after it.
    fn rest(&mut self, uri: &Uri) -> Option<Result<Bytes, Error>> {
        let is_over = self.feed().bytes.is_empty();
        let after = || io::Error::new(io::ErrorKind::InvalidData, "something comes after the end");
        (!is_over).then(|| Err(failed(after(), uri)))
    }
}

impl Feed {
    fn is_waiting(&self) -> bool {
        self.bytes.is_empty() && !self.ended
    }
}

impl Read for Feed {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(out)?;
        self.missed = read == 0;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for Feed {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.is_waiting() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(&self.bytes)
    }

    fn consume(&mut self, read: usize) {
        self.bytes.advance(read.min(self.bytes.len()));
    }
}

/// A body that could not even be begun.
struct Refused(Option<Error>);

impl Stream for Refused {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.take().map(Err))
    }
}

fn failed(error: io::Error, uri: &Uri) -> Error {
    let kind = match error.kind() {
        io::ErrorKind::UnexpectedEof => ErrorKind::Truncated,
        _ => ErrorKind::Decode,
    };
    Error::new(kind, Reach::Answered, error).with_target(uri)
}
