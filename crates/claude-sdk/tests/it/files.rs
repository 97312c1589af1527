//! Files: sent piece by piece, listed, and got back.

use std::{
    io::{self, Read},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use claude_sdk::{ConfigError, Error, FileUpload};
use futures_util::StreamExt as _;
use http::StatusCode;
use mock_server::{At, Fault, Reply};

use crate::rig::{client, held, told};

const MIB: u64 = 1 << 20;

/// So many bytes that nobody has to hold, and how many of them were read.
#[derive(Clone)]
struct Zeros {
    left: u64,
    read: Arc<AtomicU64>,
}

impl Zeros {
    fn new(length: u64) -> Self {
        Self { left: length, read: Arc::default() }
    }
}

impl Read for Zeros {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        buffer[..count].fill(0);
        self.left -= count as u64;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

#[tokio::test]
async fn a_file_comes_from_memory_from_a_path_or_from_a_reader() {
    let server = held().start().await.unwrap();
    let client = client(&server).0.build().unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("repo\"rt.pdf");
    std::fs::write(&path, "%PDF-1.7 \r\n--x--").unwrap();
    let content = "%PDF-1.7 \r\n--x--";
    let uploads = [
        FileUpload::bytes("repo\"rt.pdf", content),
        FileUpload::path(&path),
        FileUpload::reader("repo\"rt.pdf", content.as_bytes(), Some(16)),
        FileUpload::reader("repo\"rt.pdf", content.as_bytes(), None),
    ];
    for upload in uploads {
        server.clear_journal();
        let told = format!("{upload:?}");
        let file = client.files().upload(upload.expires_in(Duration::from_secs(7200))).await.unwrap();
        assert_eq!((file.filename.as_str(), file.size_bytes), ("repo\"rt.pdf", Some(16)), "{told}");
        assert_eq!(file.mime_type.as_deref(), Some("application/pdf"));
        assert!(file.request_id().is_some());
        let entry = server.journal().pop().unwrap();
        let body = String::from_utf8(entry.body.to_vec()).unwrap();
        let boundary =
            entry.header("content-type").unwrap().strip_prefix("multipart/form-data; boundary=").unwrap();
        assert_eq!(
            body,
            format!(
                "--{boundary}\r\ncontent-disposition: form-data; name=\"expires_in_seconds\"\r\n\r\n7200\r\n\
                 --{boundary}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"repo%22rt.pdf\"\r\n\
                 content-type: application/pdf\r\n\r\n{content}\r\n--{boundary}--\r\n"
            )
        );
        // The length is announced where it is known, so that the server can say no at once.
        let announced = entry.header("content-length").map(|length| length.parse().unwrap());
        assert_eq!(announced, (!told.contains("of None")).then_some(body.len()));
    }
}

#[tokio::test]
async fn progress_is_told_piece_by_piece_up_to_the_whole() {
    let server = held().start().await.unwrap();
    let client = client(&server).0.build().unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    let hears = Arc::clone(&told);
    let upload = FileUpload::reader("zeros", Zeros::new(MIB), Some(MIB))
        .on_progress(move |sent, total| hears.lock().unwrap().push((sent, total)));
    client.files().upload(upload).await.unwrap();
    let told = told.lock().unwrap();
    assert!(told.len() > 4 && told.is_sorted(), "{told:?}");
    assert_eq!(told.last(), Some(&(MIB, Some(MIB))));
}

#[tokio::test]
async fn a_file_that_is_too_large_is_refused_before_it_is_read() {
    let server = held().start().await.unwrap();
    let client = client(&server).0.build().unwrap();
    let zeros = Zeros::new(u64::MAX);
    let known = FileUpload::reader("zeros", zeros.clone(), Some(501 * MIB));
    let error = client.files().upload(known).await.unwrap_err();
    assert!(matches!(error, Error::Config(ConfigError::FileTooLarge { .. })), "{error}");
    assert_eq!((zeros.read.load(Ordering::Relaxed), server.connections()), (0, 0));

    // A sparse file takes no room.
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("large");
    std::fs::File::create(&path).unwrap().set_len(501 * MIB).unwrap();
    let error = client.files().upload(FileUpload::path(path)).await.unwrap_err();
    assert!(matches!(error, Error::Config(ConfigError::FileTooLarge { .. })), "{error}");

    let error = client.files().upload(FileUpload::path(folder.path().join("nothing"))).await.unwrap_err();
    assert!(matches!(error, Error::Config(ConfigError::File { .. })), "{error}");

    for path in [std::path::Path::new("/dev/zero"), folder.path()] {
        let error = client.files().upload(FileUpload::path(path)).await.unwrap_err();
        assert!(matches!(error, Error::Config(ConfigError::NoFile { .. })), "{error}");
    }
    for mime_type in ["text", "text/plain\r\nx: y"] {
        let upload = FileUpload::bytes("a.txt", "hello").mime_type(mime_type);
        let error = client.files().upload(upload).await.unwrap_err();
        assert!(matches!(error, Error::Config(ConfigError::MediaType { .. })), "{error}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_file_without_an_end_is_given_up_at_the_limit() {
    let server = held().start().await.unwrap();
    let client = client(&server).0.build().unwrap();
    let zeros = Zeros::new(u64::MAX);
    let error = client.files().upload(FileUpload::reader("zeros", zeros.clone(), None)).await.unwrap_err();
    assert!(matches!(error, Error::Config(ConfigError::ContentTooLarge { limit: 524_288_000 })), "{error:?}");
    let read = zeros.read.load(Ordering::Relaxed);
    assert!((500 * MIB..502 * MIB).contains(&read), "{read} bytes were read");
}

#[tokio::test]
async fn a_reader_that_is_shorter_or_longer_than_was_said_is_an_error() {
    let server = held().start().await.unwrap();
    let client = client(&server).0.build().unwrap();
    for length in [3, 9] {
        let upload = FileUpload::reader("zeros", Zeros::new(5), Some(length));
        let error = client.files().upload(upload).await.unwrap_err();
        assert!(told(&error).contains("has changed its length"), "{}", told(&error));
    }
}

#[tokio::test]
async fn what_can_be_read_again_is_sent_again_and_a_reader_is_not() {
    let server = held().start().await.unwrap();
    let client = client(&server).0.build().unwrap();
    let busy = || Reply::error(StatusCode::TOO_MANY_REQUESTS, "rate_limit_error", "later").on("/v1/files");
    server.push_reply(busy());
    let file = client.files().upload(FileUpload::bytes("a.txt", "hello")).await.unwrap();
    assert_eq!((file.retries_taken(), file.size_bytes), (1, Some(5)));

    server.push_reply(busy());
    let upload = FileUpload::reader("a.txt", &b"hello"[..], None);
    let error = client.files().upload(upload).await.unwrap_err();
    assert_eq!((error.status().unwrap().as_u16(), error.attempts()), (429, 1));
}

#[tokio::test]
async fn files_are_listed_looked_at_and_deleted() {
    let server = held().start().await.unwrap();
    let client = client(&server).0.build().unwrap();
    let mut ids = Vec::new();
    for number in 0..5 {
        let upload = FileUpload::bytes(format!("{number}.txt"), "x").expires_in(Duration::from_secs(3600));
        ids.push(client.files().upload(upload).await.unwrap().id.clone());
    }
    let names = |list: claude_sdk::List<claude_sdk::types::FileMetadata>| async move {
        list.items().map(|file| file.unwrap().filename).collect::<Vec<_>>().await
    };
    assert_eq!(names(client.files().list().limit(2)).await, ["4.txt", "3.txt", "2.txt", "1.txt", "0.txt"]);
    let some =
        client.files().list().query("ids[]", &ids[3]).query("ids[]", &ids[1]).query("ids[]", "file_no");
    assert_eq!(names(some).await, ["3.txt", "1.txt"]);

    assert_eq!(client.files().get(&ids[0]).await.unwrap().filename, "0.txt");
    let refused = client.files().download(&ids[0]).await.unwrap_err();
    assert!(
        matches!(&refused, Error::Api(error) if error.code() == Some("file_not_downloadable")),
        "{refused}"
    );
    assert_eq!(client.files().delete(&ids[0]).await.unwrap().id, ids[0]);
    assert_eq!(client.files().get(&ids[0]).await.unwrap_err().status().unwrap(), 404);
    server.advance(Duration::from_secs(3600));
    let gone = client.files().get(&ids[1]).await.unwrap_err();
    assert!(matches!(&gone, Error::Api(error) if error.code() == Some("file_expired")), "{gone}");
    assert!(names(client.files().list()).await.is_empty());
}

#[tokio::test]
async fn content_comes_back_piece_by_piece_and_whole_or_not_at_all() {
    let server = held().start().await.unwrap();
    let client = client(&server).0.build().unwrap();
    let content = "x".repeat(300_000);
    let id = server.put_file("plot.png", "image/png", content.clone());
    let mut download = client.files().download(&id).await.unwrap();
    assert_eq!(download.size(), Some(300_000));
    assert_eq!(download.headers()["content-type"], "image/png");
    assert!(download.request_id().is_some());
    let mut got = Vec::new();
    while let Some(piece) = download.next().await {
        got.extend_from_slice(&piece.unwrap());
    }
    assert!(got == content.as_bytes());

    assert_eq!(client.files().download(&id).await.unwrap().bytes(300_000).await.unwrap().len(), 300_000);
    let error = client.files().download(&id).await.unwrap().bytes(1000).await.unwrap_err();
    assert!(matches!(error, Error::Answer(_)), "{error}");

    server.inject(Fault::reset(At::Body(150_000)).on(format!("/v1/files/{id}/content")));
    let download = client.files().download(&id).await.unwrap();
    let pieces: Vec<_> = download.collect().await;
    let (last, whole) = pieces.split_last().unwrap();
    assert!(matches!(last, Err(Error::Answer(_))));
    assert!(whole.iter().map(|piece| piece.as_ref().unwrap().len()).sum::<usize>() <= 150_000);
}

#[cfg(feature = "hyper")]
#[tokio::test]
async fn the_other_backend_sends_it_piece_by_piece_too() {
    use claude_sdk::transport::backends::Hyper;

    let server = held().start().await.unwrap();
    let hyper = Hyper::builder().no_proxy().build().unwrap();
    let client = client(&server).0.backend(hyper).build().unwrap();
    for length in [Some(3 * MIB), None] {
        let upload = FileUpload::reader("zeros", Zeros::new(3 * MIB), length);
        assert_eq!(client.files().upload(upload).await.unwrap().size_bytes, Some(3 * MIB));
        let announced = server.journal().pop().unwrap().header("content-length").is_some();
        assert_eq!(announced, length.is_some());
    }
    let error = client.files().upload(FileUpload::reader("zeros", Zeros::new(5), Some(9))).await.unwrap_err();
    assert!(told(&error).contains("has changed its length"), "{}", told(&error));
}
