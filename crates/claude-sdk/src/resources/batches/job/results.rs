use std::{
    collections::{HashMap, VecDeque},
    fmt,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_core::Stream;

use crate::{
    client::Client,
    error::Error,
    resources::batches::BatchResults,
    types::{BatchOutcome, BatchResult},
};

/// The results of all batches of a job, in any order, one at a time in memory. It ends after the first error.
///
/// Example: [`BatchJob`](crate::BatchJob).
pub struct JobResults {
    client: Client,
    ids: VecDeque<String>,
    stage: Stage,
}

enum Stage {
    Between,
    Opening(Pin<Box<dyn Future<Output = Result<BatchResults, Error>> + Send>>),
    Reading(Box<BatchResults>),
}

impl JobResults {
    pub(super) fn new(client: &Client, ids: VecDeque<String>) -> Self {
        Self { client: client.clone(), ids, stage: Stage::Between }
    }

    /// Waits for the next result; `None` is the end.
    ///
    /// # Errors
    ///
    /// As [`BatchResults::next`], and where a batch has not ended.
    ///
    /// # Cancel safety
    ///
    /// No result is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Result<BatchResult, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// What became of each message, by its name.
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next).
    pub async fn by_custom_id(mut self) -> Result<HashMap<String, BatchOutcome>, Error> {
        let mut outcomes = HashMap::new();
        while let Some(result) = self.next().await {
            let result = result?;
            outcomes.insert(result.custom_id, result.result);
        }
        Ok(outcomes)
    }
}

impl Stream for JobResults {
    type Item = Result<BatchResult, Error>;

    #[inline]
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let error = loop {
            match &mut this.stage {
                Stage::Between => {
                    let Some(id) = this.ids.pop_front() else { return Poll::Ready(None) };
                    let client = this.client.clone();
                    let opening = async move { client.batches().results(&id).await };
                    this.stage = Stage::Opening(Box::pin(opening));
                }
                Stage::Opening(opening) => match ready!(opening.as_mut().poll(cx)) {
                    Ok(results) => this.stage = Stage::Reading(Box::new(results)),
                    Err(error) => break error,
                },
                Stage::Reading(results) => match ready!(Pin::new(&mut **results).poll_next(cx)) {
                    Some(Ok(result)) => return Poll::Ready(Some(Ok(result))),
                    Some(Err(error)) => break error,
                    None => this.stage = Stage::Between,
                },
            }
        };
        this.ids.clear();
        this.stage = Stage::Between;
        Poll::Ready(Some(Err(error)))
    }
}

impl fmt::Debug for JobResults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobResults").field("left", &self.ids).finish_non_exhaustive()
    }
}
