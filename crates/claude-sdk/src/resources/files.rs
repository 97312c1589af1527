use std::time::Duration;

use bytes::Bytes;
use http::Method;

use super::{List, Paging, call, multipart::Form, route::segment};
use crate::{
    client::Client,
    error::Error,
    layers::Charge,
    reply::{self, Reply},
    types::{Deleted, FileMetadata},
};

mod download;
mod upload;

pub use download::Download;
pub use upload::FileUpload;

pub(super) use upload::mime_type;

/// Files that messages refer to, and that tools have made (`/v1/files`).
///
/// ```
/// use claude_sdk::{Client, FileUpload};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = mock_server::MockServer::start().await?;
/// # let client = Client::builder().api_key(server.api_key()).base_url(server.base_url()).build()?;
/// let upload = FileUpload::bytes("notes.txt", "Buy milk.")
///     .on_progress(|sent, total| eprintln!("{sent} of {total:?} bytes"));
/// let file = client.files().upload(upload).await?;
/// assert_eq!(file.size_bytes, Some(9));
///
/// // What tools have made can be got back.
/// # let made = server.put_file("plot.png", "image/png", "…");
/// let mut content = client.files().download(&made).await?;
/// while let Some(piece) = content.next().await {
///     println!("{} bytes", piece?.len());
/// }
/// client.files().delete(&file.id).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Files<'a>(pub(crate) &'a Client);

const FILES: &str = "v1/files";
/// The largest file that the service takes, in bytes (API documentation: 500 MB, read generously).
pub(super) const FILE_LIMIT: u64 = 500 << 20;

impl Files<'_> {
    /// Sends a file (`POST /v1/files`), piece by piece: what is not in memory already is never in memory as a whole.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] where the file is larger than 500 MB, is no regular file or cannot be read, or where its media type is
    /// none, before anything is sent; where its length is not known before, as soon as too much of it was read. And any [`Error`] of a call.
    pub async fn upload(self, upload: FileUpload) -> Result<Reply<FileMetadata>, Error> {
        let mut form = Form::new(FILE_LIMIT, upload.progress.clone())?;
        if let Some(seconds) = upload.expires_in.map(|time: Duration| time.as_secs()) {
            form.text("expires_in_seconds", &seconds.to_string());
        }
        upload.put("file", &mut form)?;
        call::submit(self.0, FILES, form).await
    }

    /// The files, newest first (`GET /v1/files`); of some alone with `.query("ids[]", id)` for each.
    pub fn list(self) -> List<FileMetadata> {
        List::new(self.0, FILES, Paging::Cursor)
    }

    /// What the service says about a file (`GET /v1/files/{file_id}`).
    ///
    /// # Errors
    ///
    /// Any [`Error`] of a call.
    pub async fn get(self, id: &str) -> Result<Reply<FileMetadata>, Error> {
        call::get(self.0, &format!("{FILES}/{}", segment(id)?)).await
    }

    /// Deletes a file (`DELETE /v1/files/{file_id}`).
    ///
    /// # Errors
    ///
    /// Any [`Error`] of a call.
    pub async fn delete(self, id: &str) -> Result<Reply<Deleted>, Error> {
        call::delete(self.0, &format!("{FILES}/{}", segment(id)?)).await
    }

    /// The content of a file, as it arrives (`GET /v1/files/{file_id}/content`).
    ///
    /// # Errors
    ///
    /// Any [`Error`] of a call.
    pub async fn download(self, id: &str) -> Result<Download, Error> {
        download(self.0, &format!("{FILES}/{}/content", segment(id)?)).await
    }
}

/// Opens what is not JSON.
pub(super) async fn download(client: &Client, route: &str) -> Result<Download, Error> {
    let mut request = client.request(Method::GET, route, Bytes::new(), |_| Charge::default())?;
    let accept = http::HeaderValue::from_static("application/binary");
    request.headers_mut().insert(http::header::ACCEPT, accept);
    let opened = client.call(request, |response| reply::open(response, None, client.clock())).await?;
    Ok(Download::new(opened))
}
