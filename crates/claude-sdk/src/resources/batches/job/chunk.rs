//! As many messages as one batch takes.

use std::{collections::HashSet, iter::Peekable};

use bytes::Bytes;
use serde_json::{Map, Value};

use super::JobError;
use crate::types::BatchRequest;

/// What a batch may have at most (API documentation: batch processing).
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) requests: usize,
    pub(super) bytes: usize,
}

impl Size {
    pub(super) const LARGEST: Self = Self { requests: 100_000, bytes: 256_000_000 };
}

/// The body of one batch.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) body: Bytes,
    pub(super) requests: u64,
}

/// A message that has been written, and waits for a batch with room for it.
struct Written {
    request: Vec<u8>,
}

impl Chunk {
    /// Takes messages as long as there is room. Each is checked and written once.
    pub(super) fn take<I: Iterator<Item = BatchRequest>>(
        requests: &mut Peekable<I>,
        size: Size,
        extra: &Map<String, Value>,
        names: &mut HashSet<u128>,
        digest: &mut hmac_sha256::Hash,
    ) -> Result<Self, JobError> {
        let mut body = Vec::from(*b"{\"requests\":[");
        let mut end = Vec::from(*b"]");
        for (name, value) in extra {
            let name = Value::from(name.as_str());
            end.extend_from_slice(format!(",{name}:{value}").as_bytes());
        }
        end.push(b'}');
        let mut count = 0;
        while count < size.requests {
            let Some(request) = requests.peek() else { break };
            let Written { request: json } = Written::of(request)?;
            let comma = usize::from(count > 0);
            if body.len() + comma + json.len() + end.len() > size.bytes {
                if count == 0 {
                    return Err(JobError::TooLarge { name: request.custom_id.clone() });
                }
                break;
            }
            admit_written(request, &json, names, digest)?;
            body.extend_from_slice(b",".get(..comma).unwrap_or_default());
            body.extend_from_slice(&json);
            count += 1;
            requests.next();
        }
        body.extend_from_slice(&end);
        Ok(Self { body: body.into(), requests: u64::try_from(count).unwrap_or(u64::MAX) })
    }
}

impl Written {
    #[inline]
    fn of(request: &BatchRequest) -> Result<Self, JobError> {
        let name = || request.custom_id.clone();
        let json =
            serde_json::to_vec(request).map_err(|source| JobError::Serialize { name: name(), source })?;
        Ok(Self { request: json })
    }
}

/// Checks a message that was sent before, as if it were sent now.
#[inline]
pub(super) fn admit(
    request: &BatchRequest,
    names: &mut HashSet<u128>,
    digest: &mut hmac_sha256::Hash,
) -> Result<(), JobError> {
    admit_written(request, &Written::of(request)?.request, names, digest)
}

/// Checks a message's name, and takes note of both.
#[inline]
fn admit_written(
    request: &BatchRequest,
    json: &[u8],
    names: &mut HashSet<u128>,
    digest: &mut hmac_sha256::Hash,
) -> Result<(), JobError> {
    let name = &request.custom_id;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if !(1..=64).contains(&name.len()) || !name.bytes().all(fits) {
        return Err(JobError::Name { name: name.chars().take(80).collect() });
    }
    let mut short = [0; 16];
    for (place, byte) in short.iter_mut().zip(hmac_sha256::Hash::hash(name.as_bytes())) {
        *place = byte;
    }
    if !names.insert(u128::from_le_bytes(short)) {
        return Err(JobError::Duplicate { name: name.clone() });
    }
    digest.update(json);
    digest.update(b"\n");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::MessageRequest;

    fn requests(names: &[&str]) -> Vec<BatchRequest> {
        names.iter().map(|name| BatchRequest::new(*name, MessageRequest::new("m", 1).user("hi"))).collect()
    }

    fn chunks(names: &[&str], size: Size) -> Result<Vec<Value>, JobError> {
        let (mut seen, mut digest) = (HashSet::new(), hmac_sha256::Hash::new());
        let mut requests = requests(names).into_iter().peekable();
        let extra = Map::from_iter([("x".to_owned(), Value::from(1))]);
        let mut bodies = Vec::new();
        while requests.peek().is_some() {
            let chunk = Chunk::take(&mut requests, size, &extra, &mut seen, &mut digest)?;
            assert!(chunk.body.len() <= size.bytes);
            bodies.push(serde_json::from_slice(&chunk.body).unwrap());
        }
        Ok(bodies)
    }

    fn counts(bodies: &[Value]) -> Vec<usize> {
        bodies.iter().map(|body| body["requests"].as_array().unwrap().len()).collect()
    }

    #[test]
    fn messages_are_split_by_their_number_and_by_their_size() {
        let names = ["a", "b", "c", "d", "e"];
        let bodies = chunks(&names, Size { requests: 2, bytes: 10_000 }).unwrap();
        assert_eq!(counts(&bodies), [2, 2, 1]);
        assert_eq!(bodies[0]["x"], 1);
        assert_eq!(bodies[2]["requests"][0], serde_json::to_value(&requests(&["e"])[0]).unwrap());
        let one = serde_json::to_vec(&requests(&["a"])[0]).unwrap().len();
        let bytes = 3 * one + 2 + r#"{"requests":[],"x":1}"#.len();
        assert_eq!(counts(&chunks(&names, Size { requests: 100, bytes }).unwrap()), [3, 2]);
        assert_eq!(counts(&chunks(&names, Size { requests: 100, bytes: bytes - 1 }).unwrap()), [2, 2, 1]);
        let error = chunks(&names, Size { requests: 100, bytes: one }).unwrap_err();
        assert!(matches!(error, JobError::TooLarge { .. }), "{error}");
    }

    #[test]
    fn names_that_are_none_or_come_twice_are_refused() {
        let size = Size { requests: 2, bytes: 10_000 };
        for name in ["", "a b", "ü", &"x".repeat(65)] {
            assert!(matches!(chunks(&[name], size), Err(JobError::Name { .. })), "{name}");
        }
        let error = chunks(&["a", "b", "c", "a"], size).unwrap_err();
        assert!(error.to_string().contains("\"a\" is there twice"), "{error}");
    }
}
