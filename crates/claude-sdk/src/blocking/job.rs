use std::fmt;

use super::{Client, Iter, visitor::Visitor};
use crate::{
    resources::{JobError, JobProgress, JobResults},
    types::BatchRequest,
};

/// Any number of messages, sent in as many batches as it takes, and found again after a crash: see [`crate::BatchJob`].
///
/// Example: [`BatchJob`](crate::BatchJob).
pub struct BatchJob {
    job: Visitor<crate::BatchJob>,
    client: Client,
}

impl BatchJob {
    pub(super) fn new(job: crate::BatchJob, client: &Client) -> Self {
        Self { job: Visitor::new(job, &client.worker), client: client.clone() }
    }

    /// Changes how the job goes about it, such as by [`batch_size`](crate::BatchJob::batch_size).
    #[must_use]
    pub fn with(self, change: impl FnOnce(crate::BatchJob) -> crate::BatchJob) -> Self {
        Self { job: self.job.map(change), ..self }
    }

    /// Looks at all messages and sends none.
    ///
    /// # Errors
    ///
    /// As [`crate::BatchJob::check`].
    pub fn check(&self, requests: impl IntoIterator<Item = BatchRequest>) -> Result<u64, JobError> {
        self.job.get()?.check(requests)
    }

    /// Sends the messages that have not been sent yet.
    ///
    /// # Errors
    ///
    /// As [`crate::BatchJob::submit`].
    pub fn submit<I>(&mut self, requests: I) -> Result<(), JobError>
    where
        I: IntoIterator<Item = BatchRequest>,
        I::IntoIter: Send + 'static,
    {
        let requests = requests.into_iter();
        self.job.visit(move |job| Box::pin(job.submit(requests)))?
    }

    /// The batches that were created, oldest first.
    ///
    /// # Errors
    ///
    /// A call before this one has panicked, and the job is lost: open it again.
    pub fn ids(&self) -> Result<Vec<&str>, JobError> {
        Ok(self.job.get()?.ids())
    }

    /// Looks once how far the batches are.
    ///
    /// # Errors
    ///
    /// As [`crate::BatchJob::progress`].
    pub fn progress(&mut self) -> Result<JobProgress, JobError> {
        self.job.visit(|job| Box::pin(job.progress()))?
    }

    /// Waits until all batches have ended, and tells `progress` after each look, on another thread.
    ///
    /// # Errors
    ///
    /// As [`crate::BatchJob::wait`].
    pub fn wait(&mut self, progress: impl FnMut(&JobProgress) + Send + 'static) -> Result<(), JobError> {
        self.job.visit(move |job| Box::pin(job.wait(progress)))?
    }

    /// The results of all batches, which have to have ended, one after another.
    ///
    /// # Errors
    ///
    /// A call before this one has panicked, and the job is lost: open it again.
    pub fn results(&self) -> Result<Iter<JobResults>, JobError> {
        let results = self.job.get()?.results();
        Ok(self.client.iter(|_| results))
    }

    /// Asks to cancel the batches that have not ended.
    ///
    /// # Errors
    ///
    /// As [`crate::BatchJob::cancel`].
    pub fn cancel(&mut self) -> Result<(), JobError> {
        self.job.visit(|job| Box::pin(job.cancel()))?
    }
}

impl fmt::Debug for BatchJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BatchJob").field(&self.job).finish()
    }
}
