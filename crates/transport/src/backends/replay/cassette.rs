//! The file: JSON that a person can read and edit.

use std::{fs, io::Write as _, path::Path};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::{Map, Value, json};

/// The largest cassette that is written or read.
pub(super) const LIMIT: usize = 32 << 20;
/// The version of the format.
const VERSION: u64 = 1;

/// A cassette that cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct CassetteError(#[from] Problem);

#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
    #[error("the cassette cannot be read or written; check its path and permissions")]
    Io(#[from] std::io::Error),
    #[error("the cassette is no JSON")]
    Json(#[from] serde_json::Error),
    #[error("the cassette is larger than {LIMIT} bytes; record fewer exchanges into one")]
    TooLarge,
    #[error("the cassette is not one of this version; its {0} is missing or of another kind")]
    Format(&'static str),
}

/// One exchange, as it is kept.
#[derive(Clone, Debug)]
pub(super) struct Interaction {
    pub(super) method: String,
    /// Path and query.
    pub(super) target: String,
    pub(super) body: Content,
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) pieces: Vec<Bytes>,
    /// Whether the body ended; otherwise it broke off, or nobody read on.
    pub(super) ended: bool,
}

/// A request's body, as it is compared.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Content {
    Json(Value),
    Bytes(Bytes),
}

impl Content {
    pub(super) fn of(bytes: Bytes) -> Self {
        match serde_json::from_slice(&bytes) {
            Ok(value @ (Value::Object(_) | Value::Array(_))) => Self::Json(value),
            _ => Self::Bytes(bytes),
        }
    }
}

pub(super) fn write(path: &Path, interactions: &[Interaction]) -> Result<(), CassetteError> {
    let interactions: Vec<Value> = interactions.iter().map(to_json).collect();
    let cassette = json!({ "cassette": VERSION, "interactions": interactions });
    let mut text = serde_json::to_vec_pretty(&cassette).map_err(Problem::Json)?;
    text.push(b'\n');
    if text.len() > LIMIT {
        return Err(Problem::TooLarge.into());
    }
    Ok(replace(path, &text).map_err(Problem::Io)?)
}

pub(super) fn read(path: &Path) -> Result<Vec<Interaction>, CassetteError> {
    let length = fs::metadata(path).map_err(Problem::Io)?.len();
    if length > LIMIT as u64 {
        return Err(Problem::TooLarge.into());
    }
    parse(&fs::read(path).map_err(Problem::Io)?)
}

pub(super) fn parse(text: &[u8]) -> Result<Vec<Interaction>, CassetteError> {
    let cassette: Value = serde_json::from_slice(text).map_err(Problem::Json)?;
    if cassette.get("cassette") != Some(&VERSION.into()) {
        return Err(Problem::Format("`cassette`").into());
    }
    let interactions = cassette.get("interactions").and_then(Value::as_array);
    let interactions = interactions.ok_or(Problem::Format("`interactions`"))?;
    Ok(interactions.iter().map(from_json).collect::<Result<_, _>>()?)
}

/// Writes a file that only its owner reads, all of it or nothing.
fn replace(path: &Path, text: &[u8]) -> std::io::Result<()> {
    let mut part = path.as_os_str().to_owned();
    part.push(".part");
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match fs::remove_file(&part) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = options.open(&part)?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(&part, path)
}

fn to_json(interaction: &Interaction) -> Value {
    let headers: Vec<String> = interaction
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
        .collect();
    let body = match &interaction.body {
        Content::Json(value) => json!({ "json": value }),
        Content::Bytes(bytes) => bytes_to_json(bytes),
    };
    let pieces: Vec<Value> = interaction.pieces.iter().map(|piece| bytes_to_json(piece)).collect();
    json!({
        "request": { "method": interaction.method, "target": interaction.target, "body": body },
        "response": {
            "status": interaction.status.as_u16(),
            "headers": headers,
            "pieces": pieces,
            "ended": interaction.ended,
        },
    })
}

fn from_json(value: &Value) -> Result<Interaction, Problem> {
    let member =
        |of: &str, name: &'static str| value.get(of).and_then(|of| of.get(name)).ok_or(Problem::Format(name));
    let text = |value: &Value, name| value.as_str().map(str::to_owned).ok_or(Problem::Format(name));
    let status = member("response", "status")?.as_u64().and_then(|status| u16::try_from(status).ok());
    let status =
        status.and_then(|status| StatusCode::from_u16(status).ok()).ok_or(Problem::Format("status"))?;
    let body = member("request", "body")?;
    let body = match body.get("json") {
        Some(json) => Content::Json(json.clone()),
        None => Content::Bytes(bytes_from_json(body).ok_or(Problem::Format("body"))?),
    };
    let mut headers = HeaderMap::new();
    for line in list(member("response", "headers")?, "headers")? {
        let (name, value) =
            line.as_str().and_then(|line| line.split_once(": ")).ok_or(Problem::Format("headers"))?;
        let name: HeaderName = name.parse().map_err(|_| Problem::Format("headers"))?;
        headers.append(name, HeaderValue::from_str(value).map_err(|_| Problem::Format("headers"))?);
    }
    let pieces = list(member("response", "pieces")?, "pieces")?.iter();
    let pieces = pieces.map(|piece| bytes_from_json(piece).ok_or(Problem::Format("pieces")));
    Ok(Interaction {
        method: text(member("request", "method")?, "method")?,
        target: text(member("request", "target")?, "target")?,
        body,
        status,
        headers,
        pieces: pieces.collect::<Result<_, _>>()?,
        ended: member("response", "ended")?.as_bool().ok_or(Problem::Format("ended"))?,
    })
}

fn list<'a>(value: &'a Value, name: &'static str) -> Result<&'a Vec<Value>, Problem> {
    value.as_array().ok_or(Problem::Format(name))
}

/// Text as a string, anything else as its hexadecimal digits.
fn bytes_to_json(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => Value::String(text.to_owned()),
        Err(_) => {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            Value::Object(Map::from_iter([("hex".to_owned(), Value::String(digits))]))
        }
    }
}

fn bytes_from_json(value: &Value) -> Option<Bytes> {
    if let Some(text) = value.as_str() {
        return Some(Bytes::from(text.to_owned()));
    }
    let digits = value.get("hex")?.as_str()?.as_bytes();
    let bytes = digits.chunks(2).map(|pair| match pair {
        [_, _] => u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok(),
        _ => None,
    });
    bytes.collect::<Option<Vec<u8>>>().map(Bytes::from)
}
