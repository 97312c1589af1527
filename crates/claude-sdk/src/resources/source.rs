//! Where the content of an upload comes from.

use std::{
    fmt,
    fs::File,
    io::{self, Read},
    path::PathBuf,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_core::Stream;
use tokio::sync::mpsc;

/// What is read of a file or a reader at once, in bytes.
const PIECE: usize = 128 << 10;
/// How many pieces are read before they are wanted.
const AHEAD: usize = 2;

/// The content of one file of an upload.
#[derive(Clone)]
pub(crate) enum Source {
    Bytes(Bytes),
    /// Opened when it is sent, so that it can be sent again.
    Path(PathBuf),
    /// Read once; what it is and how long, where that is known.
    Once {
        reader: Reader,
        length: Option<u64>,
    },
}

/// A reader that goes to whoever first reads of it.
#[derive(Clone)]
pub(crate) struct Reader(Arc<Mutex<Option<Box<dyn Read + Send>>>>);

impl Source {
    pub(crate) fn reader(reader: impl Read + Send + 'static, length: Option<u64>) -> Self {
        Self::Once { reader: Reader(Arc::new(Mutex::new(Some(Box::new(reader))))), length }
    }

    /// How long it is, in bytes, where that is known.
    ///
    /// # Errors
    ///
    /// Where a file is not there, or is no regular one: a pipe or a device may never end.
    #[inline]
    pub(crate) fn length(&self) -> io::Result<Option<u64>> {
        Ok(match self {
            Self::Bytes(bytes) => u64::try_from(bytes.len()).ok(),
            Self::Path(path) => {
                let metadata = std::fs::metadata(path)?;
                if !metadata.is_file() {
                    return Err(no_regular_file());
                }
                Some(metadata.len())
            }
            Self::Once { length, .. } => *length,
        })
    }

    pub(crate) fn is_once(&self) -> bool {
        matches!(self, Self::Once { .. })
    }

    /// The content in pieces. A thread reads ahead by a few of them where it is not in memory.
    #[inline]
    pub(crate) fn pieces(&self) -> Pieces {
        match self {
            Self::Bytes(bytes) => Pieces::Whole(Some(bytes.clone())),
            Self::Path(path) => {
                let path = path.clone();
                Pieces::begin(move || {
                    // What is there may be another thing by now.
                    if !std::fs::metadata(&path)?.is_file() {
                        return Err(no_regular_file());
                    }
                    Ok(Box::new(File::open(path)?))
                })
            }
            Self::Once { reader: Reader(reader), .. } => {
                let reader = Arc::clone(reader);
                Pieces::begin(move || {
                    let taken = reader.lock().unwrap_or_else(PoisonError::into_inner).take();
                    taken.ok_or_else(|| {
                        let reason =
                            "the reader was read already; give bytes or a path, which can be sent again";
                        io::Error::other(reason)
                    })
                })
            }
        }
    }
}

fn no_regular_file() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file")
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "[{} bytes]", bytes.len()),
            Self::Path(path) => write!(f, "{path:?}"),
            Self::Once { length, .. } => write!(f, "[a reader of {length:?} bytes]"),
        }
    }
}

/// What opens a reader, on a thread that may wait.
type Open = Box<dyn FnOnce() -> io::Result<Box<dyn Read + Send>> + Send>;

/// Content on its way. A thread is begun when the first piece is wanted, and ends when it is dropped.
pub(crate) enum Pieces {
    Whole(Option<Bytes>),
    Unopened(Option<Open>),
    Reading(mpsc::Receiver<io::Result<Bytes>>),
}

impl Pieces {
    #[inline]
    fn begin(open: impl FnOnce() -> io::Result<Box<dyn Read + Send>> + Send + 'static) -> Self {
        Self::Unopened(Some(Box::new(open)))
    }
}

impl Stream for Pieces {
    type Item = io::Result<Bytes>;

    #[inline]
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match &mut *self {
                Self::Whole(bytes) => return Poll::Ready(bytes.take().map(Ok)),
                Self::Reading(pieces) => return Poll::Ready(ready!(pieces.poll_recv(cx))),
                Self::Unopened(open) => {
                    let Some(open) = open.take() else { return Poll::Ready(None) };
                    let (sender, pieces) = mpsc::channel(AHEAD);
                    tokio::task::spawn_blocking(move || read(open, &sender));
                    *self = Self::Reading(pieces);
                }
            }
        }
    }
}

/// Reads to the end, or until nobody wants more.
#[inline]
fn read(open: Open, sender: &mpsc::Sender<io::Result<Bytes>>) {
    let mut reader = match open() {
        Ok(reader) => reader,
        // Where nobody wants to hear it, there is nobody to tell.
        Err(error) => return drop(sender.blocking_send(Err(error))),
    };
    loop {
        let mut piece = Vec::new();
        let limit = u64::try_from(PIECE).unwrap_or(u64::MAX);
        let piece = match reader.by_ref().take(limit).read_to_end(&mut piece) {
            Ok(0) => return,
            Ok(_) => Ok(Bytes::from(piece)),
            Err(error) => Err(error),
        };
        let failed = piece.is_err();
        if sender.blocking_send(piece).is_err() || failed {
            return;
        }
    }
}
