//! Bodies that come in a content coding.

#[cfg(feature = "decompress")]
mod decoded;
mod unreadable;

use http::{HeaderMap, Uri, header};

use self::unreadable::Unreadable;
use crate::{Body, HttpBackend, Request, Response, Sending};

/// What is asked for where the caller asks for nothing.
#[cfg(feature = "decompress")]
const READABLE: http::HeaderValue = http::HeaderValue::from_static("gzip, br, zstd");

/// Decodes compressed bodies, and makes those that it cannot decode an error rather than a riddle.
///
/// With the feature `decompress` a request asks for gzip, br and zstd unless it brings an `accept-encoding`, and a body
/// in one of them comes out plain, without its `content-encoding` and `content-length`. Without the feature nothing is
/// asked for.
///
/// Reading any other body, or one that is not what its head says, fails with
/// [`ErrorKind::Decode`](crate::ErrorKind::Decode); the head with its status is still the caller's to read. Decoding is
/// done piece by piece as the body is read, each of at most 32 KiB, so what a small body swells to is bounded by whoever
/// reads it ([`Body::collect`]). A body that comes to more than 4 MiB, and to more than 256 bytes for each that is decoded,
/// is given up with [`ErrorKind::BodyTooLarge`](crate::ErrorKind::BodyTooLarge), and a window larger than 16 MiB is refused.
#[derive(Debug)]
pub struct Decode<B> {
    inner: B,
}

impl<B> Decode<B> {
    /// Wraps a backend that decodes nothing itself.
    pub fn new(inner: B) -> Self {
        Self { inner }
    }
}

/// A content coding that this build reads.
#[cfg(feature = "decompress")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Gzip,
    Brotli,
    Zstd,
}

impl<B: HttpBackend> HttpBackend for Decode<B> {
    fn send<'a, 'f>(&'a self, request: Request) -> Sending<'f>
    where
        'a: 'f,
        Self: 'f,
    {
        let uri = request.uri().clone();
        let sending = self.begin(request);
        Box::pin(async move {
            let response = sending.await?;
            Ok(match self.finish(&response) {
                Some(finish) => finish(response, uri),
                None => response,
            })
        })
    }

    fn begin(&self, request: Request) -> Sending<'_> {
        #[cfg(feature = "decompress")]
        let request = asking(request);
        self.inner.send(request)
    }

    #[inline]
    fn finish(&self, response: &Response) -> Option<fn(Response, Uri) -> Response> {
        // Looked up by reference, as everywhere: it is one function, and by value it is another.
        response.headers().get(&header::CONTENT_ENCODING).map(|_| decode as fn(Response, Uri) -> Response)
    }
}

#[cold]
#[inline(never)]
fn decode(response: Response, uri: Uri) -> Response {
    let Some(coding) = coding(response.headers()) else { return response };
    #[cfg(feature = "decompress")]
    if let Some(known) = known(&coding) {
        let (mut head, body) = response.into_parts();
        head.headers.remove(header::CONTENT_ENCODING);
        head.headers.remove(header::CONTENT_LENGTH);
        return Response::from_parts(head, decoded::body(known, body, uri));
    }
    response.map(|body| Body::from_stream(Unreadable::new(&coding, body, uri)))
}

#[cfg(feature = "decompress")]
fn asking(mut request: Request) -> Request {
    request.headers_mut().entry(header::ACCEPT_ENCODING).or_insert(READABLE);
    request
}

/// The codings of a body in one text, `None` if there are none (RFC 9110 section 8.4).
fn coding(headers: &HeaderMap) -> Option<String> {
    if !headers.contains_key(header::CONTENT_ENCODING) {
        return None;
    }
    let values = headers.get_all(header::CONTENT_ENCODING).iter();
    let texts = values.map(|value| String::from_utf8_lossy(value.as_bytes()).to_ascii_lowercase());
    let all = texts.collect::<Vec<_>>().join(",");
    let codings = all.split(',').map(str::trim).filter(|coding| !matches!(*coding, "" | "identity"));
    let codings = codings.collect::<Vec<_>>().join(", ");
    (!codings.is_empty()).then_some(codings)
}

#[cfg(feature = "decompress")]
fn known(coding: &str) -> Option<Coding> {
    match coding {
        "gzip" | "x-gzip" => Some(Coding::Gzip),
        "br" => Some(Coding::Brotli),
        "zstd" => Some(Coding::Zstd),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_coding_and_identity_are_the_same() {
        for (values, expected) in [
            (&[][..], None),
            (&[""], None),
            (&["identity"], None),
            (&["GZip"], Some("gzip")),
            (&["identity, br"], Some("br")),
            (&["gzip", "br"], Some("gzip, br")),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::CONTENT_ENCODING, value.parse().unwrap());
            }
            assert_eq!(coding(&headers).as_deref(), expected, "{values:?}");
        }
    }
}
