//! Forms of several parts, sent piece by piece (RFC 7578).

use std::{
    collections::VecDeque,
    error::Error as StdError,
    fmt::Write as _,
    io, iter,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_core::Stream;
use http::{HeaderValue, header::CONTENT_TYPE};
use transport::{Body, ErrorKind, MaxRetries, Reach, Upload};

use super::source::{Pieces, Source};
use crate::{
    entropy,
    error::{ConfigError, Error},
};

/// Hears how many bytes of the content have been handed on, and how many there are where that is known.
pub(super) type Progress = Arc<dyn Fn(u64, Option<u64>) + Send + Sync>;

/// A form that is about to be sent.
pub(super) struct Form {
    boundary: String,
    parts: Vec<Part>,
    /// The most its files may have together, in bytes.
    most: u64,
    progress: Option<Progress>,
}

#[derive(Clone)]
enum Part {
    Text(Bytes),
    File(Source),
}

impl Form {
    #[inline]
    pub(super) fn new(most: u64, progress: Option<Progress>) -> Result<Self, Error> {
        let mut boundary = String::from("claude-sdk-");
        // So long that no content has it.
        for byte in entropy::bytes::<24>()? {
            let _ = write!(boundary, "{byte:02x}");
        }
        Ok(Self { boundary, parts: Vec::new(), most, progress })
    }

    #[inline]
    pub(super) fn text(&mut self, name: &str, value: &str) {
        let head = format!("content-disposition: form-data; name=\"{}\"\r\n\r\n{value}\r\n", quoted(name));
        self.push_text(&head);
    }

    #[inline]
    pub(super) fn file(&mut self, name: &str, filename: &str, mime_type: &str, source: Source) {
        let (name, filename) = (quoted(name), quoted(filename));
        let head = format!(
            "content-disposition: form-data; name=\"{name}\"; filename=\"{filename}\"\r\n\
             content-type: {mime_type}\r\n\r\n"
        );
        self.push_text(&head);
        self.parts.push(Part::File(source));
        self.parts.push(Part::Text(Bytes::from_static(b"\r\n")));
    }

    #[inline]
    fn push_text(&mut self, head: &str) {
        self.parts.push(Part::Text(format!("--{}\r\n{head}", self.boundary).into()));
    }

    /// Makes it what `request` sends. Nothing of the files has been read by then.
    #[inline]
    pub(super) fn attach(mut self, request: &mut transport::Request) -> Result<(), Error> {
        self.parts.push(Part::Text(format!("--{}--\r\n", self.boundary).into()));
        let content_type = format!("multipart/form-data; boundary={}", self.boundary);
        if let Ok(content_type) = HeaderValue::try_from(content_type) {
            request.headers_mut().insert(CONTENT_TYPE, content_type);
        }
        let (mut text, mut files, mut known) = (0, 0, true);
        for part in &self.parts {
            match part {
                Part::Text(bytes) => text += u64::try_from(bytes.len()).unwrap_or(u64::MAX),
                Part::File(source) => match source.length() {
                    Ok(Some(length)) => files += length,
                    Ok(None) => known = false,
                    Err(error) => return Err(unreadable(source, error).into()),
                },
            }
        }
        if files > self.most {
            return Err(ConfigError::FileTooLarge { size: files, limit: self.most }.into());
        }
        let is_once = self.parts.iter().any(|part| matches!(part, Part::File(source) if source.is_once()));
        if is_once {
            // What can be read only once can be sent only once.
            request.extensions_mut().insert(MaxRetries(0));
        }
        let total = known.then_some(files);
        let form = Arc::new(self);
        let open = move || Body::from_stream(Sending::new(&form, total));
        let upload = Upload::new(total.map(|files| files + text), open);
        request.extensions_mut().insert(if is_once { upload.only_once() } else { upload });
        Ok(())
    }
}

/// A file that cannot be sent.
#[inline]
fn unreadable(source: &Source, error: io::Error) -> ConfigError {
    let path = if let Source::Path(path) = source { path.clone() } else { Default::default() };
    match error.kind() {
        io::ErrorKind::InvalidInput => ConfigError::NoFile { path },
        _ => ConfigError::File { path, source: error },
    }
}

/// A name as it may stand in quotes (WHATWG HTML, "multipart form data").
#[inline]
fn quoted(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

/// The form on its way.
struct Sending {
    parts: VecDeque<Part>,
    current: Option<Pieces>,
    sent: u64,
    total: Option<u64>,
    most: u64,
    progress: Option<Progress>,
}

impl Sending {
    #[inline]
    fn new(form: &Form, total: Option<u64>) -> Self {
        let (parts, progress) = (form.parts.iter().cloned().collect(), form.progress.clone());
        Self { parts, current: None, sent: 0, total, most: form.most, progress }
    }

    /// Counts a piece of a file; a file that has become longer or shorter meanwhile, or has no end, is given up.
    fn count(&mut self, piece: &Bytes) -> Result<(), Problem> {
        self.sent += u64::try_from(piece.len()).unwrap_or(u64::MAX);
        match self.total {
            Some(total) if self.sent > total => Err(Problem::Changed),
            None if self.sent > self.most => Err(Problem::TooLarge { limit: self.most }),
            _ => {
                if let Some(progress) = &self.progress {
                    progress(self.sent, self.total);
                }
                Ok(())
            }
        }
    }
}

/// Why a body that has begun cannot be sent to its end.
#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error(
        "the content is larger than {limit} bytes, which is more than the service takes; send it in parts"
    )]
    TooLarge { limit: u64 },
    #[error("the file has changed its length while it was read; try again when nobody writes to it")]
    Changed,
    #[error("the content could not be read")]
    Read(#[source] io::Error),
}

impl From<Problem> for transport::Error {
    fn from(problem: Problem) -> Self {
        Self::new(ErrorKind::InvalidRequest, Reach::MaybeSent, problem)
    }
}

/// What is wrong with the content is found out while it is sent, and comes back beneath what that means for the connection.
#[inline]
pub(super) fn of_content(error: Error) -> Error {
    let too_large = match &error {
        Error::Transport(error) => causes(error).find_map(|cause| match cause.downcast_ref()? {
            Problem::TooLarge { limit } => Some(*limit),
            Problem::Changed | Problem::Read(_) => None,
        }),
        _ => None,
    };
    too_large.map_or(error, |limit| ConfigError::ContentTooLarge { limit }.into())
}

/// The error and what is beneath it. An `io::Error` made from another error leaves that one out of its own chain.
fn causes<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    iter::successors(Some(error), |&error| {
        match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(inner) => Some(inner as &(dyn StdError + 'static)),
            None => error.source(),
        }
    })
}

impl Stream for Sending {
    type Item = Result<Bytes, transport::Error>;

    #[inline]
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            if let Some(pieces) = &mut this.current {
                match ready!(Pin::new(pieces).poll_next(cx)) {
                    Some(Ok(piece)) if piece.is_empty() => continue,
                    Some(Ok(piece)) => {
                        let counted = this.count(&piece);
                        return Poll::Ready(Some(counted.map(|()| piece).map_err(transport::Error::from)));
                    }
                    Some(Err(error)) => return Poll::Ready(Some(Err(Problem::Read(error).into()))),
                    None => this.current = None,
                }
            }
            match this.parts.pop_front() {
                Some(Part::File(source)) => this.current = Some(source.pieces()),
                Some(Part::Text(bytes)) => {
                    let is_last = this.parts.is_empty();
                    if is_last && this.total.is_some_and(|total| this.sent < total) {
                        return Poll::Ready(Some(Err(Problem::Changed.into())));
                    }
                    return Poll::Ready(Some(Ok(bytes)));
                }
                None => return Poll::Ready(None),
            }
        }
    }
}
