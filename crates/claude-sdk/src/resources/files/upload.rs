use std::{fmt, io::Read, path::PathBuf, sync::Arc, time::Duration};

use bytes::Bytes;

use crate::{
    error::ConfigError,
    resources::{
        multipart::{Form, Progress},
        source::Source,
    },
};

/// A file that is about to be sent ([`Files::upload`](crate::Files::upload)).
///
/// Example: [`Files`](crate::Files).
#[must_use = "give it to files().upload()"]
pub struct FileUpload {
    source: Source,
    filename: String,
    mime_type: String,
    pub(super) expires_in: Option<Duration>,
    pub(in crate::resources) progress: Option<Progress>,
}

impl FileUpload {
    /// A file whose content is in memory.
    pub fn bytes(filename: impl Into<String>, content: impl Into<Bytes>) -> Self {
        Self::new(filename.into(), Source::Bytes(content.into()))
    }

    /// A regular file of this machine. It is read while it is sent, and anew where it has to be sent again.
    pub fn path(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let filename = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Self::new(filename, Source::Path(path))
    }

    /// A file whose content comes from `reader`, on a thread that may wait; say how many bytes there are if you know.
    ///
    /// It can be read only once, so that a call that fails is not sent again by itself.
    pub fn reader(
        filename: impl Into<String>,
        reader: impl Read + Send + 'static,
        length: Option<u64>,
    ) -> Self {
        Self::new(filename.into(), Source::reader(reader, length))
    }

    #[inline]
    fn new(filename: String, source: Source) -> Self {
        let mime_type = mime_type(&filename).to_owned();
        Self { source, filename, mime_type, expires_in: None, progress: None }
    }

    /// Sets the media type, such as `text/csv`; the default goes by the end of the file's name.
    #[inline]
    pub fn mime_type(mut self, mime_type: impl Into<String>) -> Self {
        self.mime_type = mime_type.into();
        self
    }

    /// Sets by which name the service is told of it; the default is the last part of its path.
    pub fn filename(mut self, filename: impl Into<String>) -> Self {
        self.filename = filename.into();
        self
    }

    /// Sets after how long the service throws the file away, an hour to 90 days; the default is never.
    pub fn expires_in(mut self, time: Duration) -> Self {
        self.expires_in = Some(time);
        self
    }

    /// Calls `progress` with the bytes of the content that have been handed on, and how many there are where that is known.
    /// Where the file has to be sent again, they begin anew.
    pub fn on_progress(mut self, progress: impl Fn(u64, Option<u64>) + Send + Sync + 'static) -> Self {
        self.progress = Some(Arc::new(progress));
        self
    }

    /// Makes it the field of this name in a form.
    #[inline]
    pub(in crate::resources) fn put(self, name: &str, form: &mut Form) -> Result<(), ConfigError> {
        if !is_media_type(&self.mime_type) {
            return Err(ConfigError::MediaType { value: self.mime_type.chars().take(80).collect() });
        }
        form.file(name, &self.filename, &self.mime_type, self.source);
        Ok(())
    }
}

impl fmt::Debug for FileUpload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileUpload")
            .field("source", &self.source)
            .field("filename", &self.filename)
            .field("mime_type", &self.mime_type)
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}

/// Whether this is a media type (RFC 9110, section 8.3.1): two tokens, and perhaps parameters, which are not looked into. A line
/// break would begin another header of the part.
fn is_media_type(text: &str) -> bool {
    let is_token = |token: &str| {
        !token.is_empty()
            && token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
    };
    let (kind, parameters) = text.split_once(';').unwrap_or((text, ""));
    kind.trim_end().split_once('/').is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype))
        && parameters.chars().all(|c| c.is_ascii_graphic() || c == ' ')
}

/// The media type that the end of a file's name stands for, for what people send to a model.
#[inline]
pub(crate) fn mime_type(filename: &str) -> &'static str {
    let end = filename.rsplit_once('.').map(|(_, end)| end.to_ascii_lowercase()).unwrap_or_default();
    match end.as_str() {
        "pdf" => "application/pdf",
        "txt" | "log" | "text" => "text/plain",
        "md" => "text/markdown",
        "csv" => "text/csv",
        "htm" | "html" => "text/html",
        "json" => "application/json",
        "jsonl" => "application/x-ndjson",
        "xml" => "application/xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "zip" => "application/zip",
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xlsx" => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "pptx" => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_media_type_is_two_tokens_and_perhaps_parameters() {
        for text in ["text/plain", "text/plain; charset=utf-8", "application/vnd.a+json;v=\"1 2\"", "x/y"] {
            assert!(is_media_type(text), "{text}");
        }
        for text in [
            "",
            "text",
            "text/",
            "/plain",
            "a/b/c",
            "te xt/plain",
            "text/plain\r\nx: y",
            "text/pl\u{e4}in",
            "a/b; c=\n",
        ] {
            assert!(!is_media_type(text), "{text:?}");
        }
    }
}
