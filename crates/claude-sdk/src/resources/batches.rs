use std::path::Path;

use bytes::Bytes;

use super::{List, Paging, call, route::segment};
use crate::{
    client::Client,
    error::Error,
    reply::Reply,
    types::{BatchRequest, Deleted, MessageBatch},
};

mod job;
mod results;

pub use job::{BatchJob, JobError, JobProgress, JobResults};
pub use results::BatchResults;

/// Batches of messages, at half the price and within a day (`/v1/messages/batches`).
///
/// ```
/// use claude_sdk::{Client, types::{BatchRequest, MessageRequest, Model}};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = mock_server::MockServer::builder().batch_time(std::time::Duration::ZERO).start().await?;
/// # let client = Client::builder().api_key(server.api_key()).base_url(server.base_url()).build()?;
/// let ask = |about: &str| MessageRequest::new(Model::CLAUDE_HAIKU_4_5, 100).user(about);
/// let requests = [BatchRequest::new("sky", ask("Why is it blue?")), BatchRequest::new("sea", ask("And this?"))];
/// let batch = client.batches().create(&requests).await?;
///
/// // Later, when client.batches().get(&batch.id).await?.has_ended():
/// let mut results = client.batches().results(&batch.id).await?;
/// while let Some(result) = results.next().await {
///     let result = result?;
///     println!("{}: {}", result.custom_id, result.result.message().ok_or("no answer")?.text());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Batches<'a>(pub(crate) &'a Client);

const BATCHES: &str = "v1/messages/batches";

impl Batches<'_> {
    /// Sends up to 100,000 messages, 256 MB at most (`POST /v1/messages/batches`).
    ///
    /// # Errors
    ///
    /// Any [`Error`] of a call. One that [is ambiguous](Error::is_ambiguous) may have left a batch that runs.
    pub async fn create(self, requests: &[BatchRequest]) -> Result<Reply<MessageBatch>, Error> {
        #[derive(serde::Serialize)]
        struct Body<'a> {
            requests: &'a [BatchRequest],
        }
        call::post(self.0, BATCHES, &Body { requests }).await
    }

    /// Sends the body of a batch.
    async fn create_encoded(self, body: Bytes) -> Result<Reply<MessageBatch>, Error> {
        call::post_encoded(self.0, BATCHES, body).await
    }

    /// Opens the job that is noted in the file at `path`, or a new one; see [`BatchJob`].
    ///
    /// # Errors
    ///
    /// [`JobError`] where the file cannot be read, or is none of a job.
    #[inline]
    pub fn job(self, path: impl AsRef<Path>) -> Result<BatchJob, JobError> {
        BatchJob::open(self.0, path.as_ref())
    }

    /// How far a batch is (`GET /v1/messages/batches/{message_batch_id}`).
    ///
    /// # Errors
    ///
    /// Any [`Error`] of a call.
    pub async fn get(self, id: &str) -> Result<Reply<MessageBatch>, Error> {
        call::get(self.0, &format!("{BATCHES}/{}", segment(id)?)).await
    }

    /// The batches, newest first (`GET /v1/messages/batches`).
    pub fn list(self) -> List<MessageBatch> {
        List::new(self.0, BATCHES, Paging::Id)
    }

    /// Asks to cancel a batch; what was begun is answered still (`POST /v1/messages/batches/{message_batch_id}/cancel`).
    ///
    /// # Errors
    ///
    /// Any [`Error`] of a call.
    pub async fn cancel(self, id: &str) -> Result<Reply<MessageBatch>, Error> {
        call::act(self.0, &format!("{BATCHES}/{}/cancel", segment(id)?)).await
    }

    /// Deletes a batch that has ended, and its results (`DELETE /v1/messages/batches/{message_batch_id}`).
    ///
    /// # Errors
    ///
    /// Any [`Error`] of a call.
    pub async fn delete(self, id: &str) -> Result<Reply<Deleted>, Error> {
        call::delete(self.0, &format!("{BATCHES}/{}", segment(id)?)).await
    }

    /// The results of a batch that has ended, as they arrive (`GET /v1/messages/batches/{message_batch_id}/results`).
    ///
    /// They come in any order. Where the connection breaks, they go on after the last one that was given.
    ///
    /// # Errors
    ///
    /// [`Error::Answer`] where the batch has not ended, or its results are gone; and any [`Error`] of a call.
    pub async fn results(self, id: &str) -> Result<BatchResults, Error> {
        let batch = self.get(id).await?;
        BatchResults::of(self.0, &batch)
    }
}
