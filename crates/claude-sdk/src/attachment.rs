//! Files as parts of a message: images, PDF documents and texts, by path or by their bytes.
//!
//! ```
//! use claude_sdk::{attachment, types::{Content, MessageRequest, Model}};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let (photo, contract) = (folder.path().join("photo.png"), folder.path().join("contract.pdf"));
//! # std::fs::write(&photo, b"\x89PNG\r\n\x1a\n...")?;
//! # std::fs::write(&contract, b"%PDF-1.7 ...")?;
//! let question = Content::from("Does the contract cover what the photo shows?")
//!     .and(attachment::read(&photo).await?)
//!     .and(attachment::read(&contract).await?)
//!     .and("Answer with yes or no.");
//! let request = MessageRequest::new(Model::CLAUDE_SONNET_5_5, 500).user(question);
//! # let body = serde_json::to_value(&request)?;
//! # assert_eq!(body["messages"][0]["content"][1]["type"], "image");
//! # assert_eq!(body["messages"][0]["content"][2]["source"]["media_type"], "application/pdf");
//! # Ok(())
//! # }
//! ```
//!
//! What a file is, is told by how it begins and not by its name. Larger files are uploaded and then named by their id
//! ([`Source::file`](crate::types::Source::file)).

use std::{
    fs::File,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use crate::{
    task,
    types::{ContentBlockParam, Source},
};

/// What the files of one request may have together, in bytes: encoded they fill the largest that the service takes, 32 MB.
pub const LIMIT: u64 = 24_000_000;

/// Reads a file as a block of a message.
///
/// # Errors
///
/// [`AttachmentError`]: the file cannot be read, is no regular file, is too large (told before it is read), or is nothing
/// that the service takes.
pub async fn read(path: impl AsRef<Path>) -> Result<ContentBlockParam, AttachmentError> {
    let path = path.as_ref().to_owned();
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let reading = task::blocking(move || read_bounded(&path)).await;
    let bytes = reading.ok_or_else(|| AttachmentError::Read(io::Error::other("the reading panicked")))??;
    of(&bytes, name.as_deref())
}

/// Makes a block of bytes; `name` becomes the title of a text.
///
/// # Errors
///
/// [`AttachmentError::TooLarge`] and [`AttachmentError::Kind`].
#[inline]
pub fn of(bytes: &[u8], name: Option<&str>) -> Result<ContentBlockParam, AttachmentError> {
    if bytes.len() as u64 > LIMIT {
        return Err(AttachmentError::TooLarge { bytes: bytes.len() as u64 });
    }
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Ok(image("image/png", bytes)),
        [0xff, 0xd8, 0xff, ..] => Ok(image("image/jpeg", bytes)),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Ok(image("image/gif", bytes)),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Ok(image("image/webp", bytes)),
        [b'%', b'P', b'D', b'F', b'-', ..] => {
            let source = Source::base64("application/pdf", STANDARD.encode(bytes));
            Ok(titled(ContentBlockParam::document(source), name))
        }
        _ => match std::str::from_utf8(bytes) {
            Ok(text) if !text.is_empty() && !text.contains('\0') => {
                Ok(titled(ContentBlockParam::document(Source::text(text)), name))
            }
            _ => Err(AttachmentError::Kind),
        },
    }
}

#[inline]
fn image(media_type: &str, bytes: &[u8]) -> ContentBlockParam {
    ContentBlockParam::image(Source::base64(media_type, STANDARD.encode(bytes)))
}

#[inline]
fn titled(mut block: ContentBlockParam, name: Option<&str>) -> ContentBlockParam {
    if let ContentBlockParam::Document(document) = &mut block {
        document.title = name.map(str::to_owned);
    }
    block
}

#[inline]
fn read_bounded(path: &PathBuf) -> Result<Vec<u8>, AttachmentError> {
    let found = std::fs::metadata(path).map_err(AttachmentError::Read)?;
    if !found.is_file() {
        return Err(AttachmentError::NoFile);
    }
    if found.len() > LIMIT {
        return Err(AttachmentError::TooLarge { bytes: found.len() });
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(AttachmentError::Read)?;
    file.take(LIMIT + 1).read_to_end(&mut bytes).map_err(AttachmentError::Read)?;
    Ok(bytes)
}

/// Why a file cannot be part of a message.
///
/// Example: [`attachment`](crate::attachment).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AttachmentError {
    /// The file cannot be read.
    #[error("the file cannot be read")]
    Read(#[source] io::Error),
    /// It is a folder, a pipe or a device.
    #[error("this is no regular file; give the path of one")]
    NoFile,
    /// It is too large for a request.
    #[error("the file has {bytes} bytes, and 24,000,000 fit into a request; upload it and name it by its id")]
    TooLarge {
        /// How large it is.
        bytes: u64,
    },
    /// It is nothing that the service takes.
    #[error("the file is neither PNG, JPEG, GIF, WebP nor PDF, and no text in UTF-8")]
    Kind,
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::types::Content;

    fn block(bytes: &[u8]) -> Value {
        serde_json::to_value(of(bytes, Some("name")).unwrap()).unwrap()
    }

    #[test]
    fn a_file_is_what_it_begins_with() {
        let table: [(&[u8], &str, &str); 7] = [
            (b"\x89PNG\r\n\x1a\n123", "image", "image/png"),
            (b"\xff\xd8\xff\xe0", "image", "image/jpeg"),
            (b"GIF89a123", "image", "image/gif"),
            (b"GIF87a", "image", "image/gif"),
            (b"RIFF\x01\x02\x03\x04WEBPVP8 ", "image", "image/webp"),
            (b"%PDF-1.7\n\xff", "document", "application/pdf"),
            ("Grüße".as_bytes(), "document", "text/plain"),
        ];
        for (bytes, kind, media_type) in table {
            let block = block(bytes);
            assert_eq!((&block["type"], &block["source"]["media_type"]), (&json!(kind), &json!(media_type)));
            assert_eq!(block.get("title").is_some(), kind == "document");
        }
        assert_eq!(block(b"GIF89a")["source"]["data"], "R0lGODlh");
        assert_eq!(
            block(b"hello")["source"],
            json!({"type": "text", "media_type": "text/plain", "data": "hello"})
        );
        for bytes in [&b""[..], b"\x89PN", b"RIFF\xff\x02\x03\x04WAVE", b"\xff\xd8", b"a\0b"] {
            assert!(matches!(of(bytes, None), Err(AttachmentError::Kind)), "{bytes:?}");
        }
    }

    #[tokio::test]
    async fn a_file_that_is_too_large_fails_before_it_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("huge.png");
        File::create(&path).unwrap().set_len(1 << 40).unwrap();
        assert!(matches!(read(&path).await, Err(AttachmentError::TooLarge { bytes }) if bytes == 1 << 40));
        assert!(matches!(read(folder.path()).await, Err(AttachmentError::NoFile)));
        assert!(matches!(read(folder.path().join("none")).await, Err(AttachmentError::Read(_))));
    }

    #[test]
    fn parts_are_joined_in_the_order_they_are_said() {
        let content = Content::from("Look:").and(of(b"GIF89a", None).unwrap()).and("What is it?");
        let content = serde_json::to_value(&content).unwrap();
        let kinds: Vec<&str> =
            content.as_array().unwrap().iter().map(|block| block["type"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["text", "image", "text"]);
        assert_eq!(
            serde_json::to_value(Content::from("").and("x")).unwrap(),
            json!([{"type": "text", "text": "x"}])
        );
    }
}
