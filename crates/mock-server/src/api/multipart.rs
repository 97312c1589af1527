//! Forms of several parts, as uploads are (RFC 7578).

use bytes::Bytes;

use super::Refusal;
use crate::answer::Received;

/// One part of a form.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) filename: Option<String>,
    pub(super) mime_type: Option<String>,
    pub(super) content: Bytes,
}

impl Part {
    /// The content as text, where the part is no file.
    pub(super) fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.content).ok().filter(|_| self.filename.is_none())
    }
}

/// The parts of the form that was received.
pub(super) fn parts(received: &Received) -> Result<Vec<Part>, Refusal> {
    let content_type = received.header("content-type").unwrap_or_default();
    let boundary = boundary(content_type)
        .ok_or_else(|| Refusal::invalid("content-type: must be multipart/form-data with a boundary"))?;
    read(&received.body, &boundary).ok_or_else(|| Refusal::invalid("the request body is not a whole form"))
}

fn boundary(content_type: &str) -> Option<String> {
    let mut parameters = content_type.split(';').map(str::trim);
    if !parameters.next()?.eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = parameters.find_map(|parameter| parameter.strip_prefix("boundary="))?;
    Some(boundary.trim_matches('"').to_owned()).filter(|boundary| !boundary.is_empty())
}

fn read(body: &Bytes, boundary: &str) -> Option<Vec<Part>> {
    let delimiter = format!("\r\n--{boundary}").into_bytes();
    // The first delimiter has no line before it.
    let mut at = body.starts_with(delimiter.get(2..)?).then_some(delimiter.len() - 2)?;
    let mut parts = Vec::new();
    loop {
        let rest = body.get(at..)?;
        if rest.starts_with(b"--") {
            return Some(parts);
        }
        let begin = at + rest.starts_with(b"\r\n").then_some(2)?;
        let end = begin + find(body.get(begin..)?, &delimiter)?;
        parts.push(part(&body.slice(begin..end))?);
        at = end + delimiter.len();
    }
}

fn part(bytes: &Bytes) -> Option<Part> {
    let end = find(bytes, b"\r\n\r\n")?;
    let head = std::str::from_utf8(bytes.get(..end)?).ok()?;
    let header = |name: &str| {
        head.lines().find_map(|line| {
            let (known, value) = line.split_once(':')?;
            known.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    };
    let disposition = header("content-disposition")?;
    Some(Part {
        name: parameter(disposition, "name")?,
        filename: parameter(disposition, "filename"),
        mime_type: header("content-type").map(str::to_owned),
        content: bytes.slice(end + 4..),
    })
}

/// A parameter in quotes.
fn parameter(disposition: &str, name: &str) -> Option<String> {
    let begin = format!("; {name}=\"");
    let (_, value) = disposition.split_once(&begin)?;
    let (value, _) = value.split_once('"')?;
    Some(value.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n"))
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    let first = *needle.first()?;
    let mut at = 0;
    loop {
        at += haystack.get(at..)?.iter().position(|byte| *byte == first)?;
        if haystack.get(at..)?.starts_with(needle) {
            return Some(at);
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_part_by_part() {
        let body = "--b\r\ncontent-disposition: form-data; name=\"n\"\r\n\r\n1\r\n\
                    --b\r\nContent-Type: text/plain\r\nContent-Disposition: form-data; name=\"file\"; \
                    filename=\"a%22.txt\"\r\n\r\nline\r\n--bx\r\n\r\n--b--\r\n";
        let parts = read(&Bytes::from_static(body.as_bytes()), "b");
        assert_eq!(parts, None, "a delimiter that goes on is none");
        let body = Bytes::from(body.replace("--bx", "--x"));
        let parts = read(&body, "b").unwrap();
        assert_eq!((parts[0].name.as_str(), parts[0].text()), ("n", Some("1")));
        assert_eq!(parts[1].filename.as_deref(), Some("a\".txt"));
        assert_eq!(parts[1].mime_type.as_deref(), Some("text/plain"));
        assert_eq!(parts[1].content, "line\r\n--x\r\n");
    }

    #[test]
    fn what_is_no_whole_form_is_none() {
        for body in ["", "--b", "--b\r\n", "--b\r\n\r\n\r\n--b", "x--b--"] {
            assert_eq!(read(&Bytes::from_static(body.as_bytes()), "b"), None, "{body}");
        }
        assert_eq!(boundary("multipart/form-data; boundary=\"a b\""), Some("a b".to_owned()));
        assert_eq!(boundary("multipart/form-data"), None);
        assert_eq!(boundary("application/json; boundary=x"), None);
    }
}
