use http::{HeaderMap, header};
use transport::{HttpBackend, Request, Sending, Upload};

use crate::betas;

/// Puts the headers on each attempt that every request of a client carries.
///
/// It does so inside of the retries, so that what waits there to be sent again is small. A header that the request has
/// already is left as it is, but for `anthropic-beta`, where both count.
#[derive(Debug)]
pub(crate) struct Equip<B> {
    backend: B,
    headers: HeaderMap,
}

impl<B> Equip<B> {
    pub(crate) fn new(backend: B, headers: &HeaderMap) -> Self {
        // A copy has an index as large, so that it need not be made anew for those that others add.
        let mut ready = copied(headers, ADDED);
        betas::join(&mut ready);
        Self { backend, headers: ready }
    }

    fn equip(&self, request: &mut Request) {
        if request.headers().is_empty() {
            *request.headers_mut() = self.headers.clone();
        } else {
            self.merge(request);
        }
        if request.body().is_empty() && Upload::of(request).is_none() {
            request.headers_mut().remove(header::CONTENT_TYPE);
        }
    }

    /// For a request with headers of its own.
    fn merge(&self, request: &mut Request) {
        // Room for those that others add: growing costs more than all that is copied here.
        let headers = copied(&self.headers, request.headers().len() + ADDED);
        let own = std::mem::replace(request.headers_mut(), headers);
        let mut replaced = None;
        for (name, value) in own {
            // A further value of the same header comes without its name.
            let is_first = name.is_some();
            let Some(name) = name.or_else(|| replaced.clone()) else { continue };
            if is_first && name.as_str() != "anthropic-beta" {
                request.headers_mut().insert(name.clone(), value);
            } else {
                request.headers_mut().append(name.clone(), value);
            }
            replaced = Some(name);
        }
        betas::join(request.headers_mut());
    }
}

/// The same headers, with room for more.
fn copied(headers: &HeaderMap, more: usize) -> HeaderMap {
    let mut copy = HeaderMap::with_capacity(headers.len() + more);
    for (name, value) in headers {
        copy.append(name.clone(), value.clone());
    }
    copy
}

/// The credential and its beta, the host, the length, and which codings an answer may have.
const ADDED: usize = 5;

impl<B: HttpBackend> HttpBackend for Equip<B> {
    fn send<'a, 'f>(&'a self, mut request: Request) -> Sending<'f>
    where
        'a: 'f,
        Self: 'f,
    {
        self.equip(&mut request);
        self.backend.send(request)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::HeaderValue;
    use transport::test_util::ScriptedBackend;

    use super::*;

    fn equipped(own: &[(&'static str, &'static str)], body: &'static str) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for (name, value) in
            [("accept", "*/*"), ("content-type", "application/json"), ("anthropic-beta", "b1")]
        {
            headers.insert(name, HeaderValue::from_static(value));
        }
        let mut request = Request::new(Bytes::from_static(body.as_bytes()));
        for (name, value) in own {
            request.headers_mut().append(*name, HeaderValue::from_static(value));
        }
        Equip::new(ScriptedBackend::new([]), &headers).equip(&mut request);
        let pairs = request.headers().iter();
        let mut pairs: Vec<_> =
            pairs.map(|(name, value)| format!("{name}={}", value.to_str().unwrap())).collect();
        pairs.sort();
        pairs
    }

    #[test]
    fn what_the_request_says_itself_wins_and_betas_add_up() {
        assert_eq!(equipped(&[], "{}"), ["accept=*/*", "anthropic-beta=b1", "content-type=application/json"]);
        assert_eq!(equipped(&[], ""), ["accept=*/*", "anthropic-beta=b1"]);
        assert_eq!(
            equipped(&[("accept", "text/csv"), ("anthropic-beta", "b2"), ("x-a", "1"), ("x-a", "2")], "{}"),
            ["accept=text/csv", "anthropic-beta=b1,b2", "content-type=application/json", "x-a=1", "x-a=2"]
        );
    }
}
