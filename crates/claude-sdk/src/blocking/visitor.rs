use std::{fmt, sync::Arc};

use futures_util::future::BoxFuture;
use transport::{ErrorKind, Reach};

use super::worker::Worker;
use crate::error::Error;

/// Something of the async client that goes to the thread for each call, and comes back.
pub(super) struct Visitor<T> {
    /// Gone where a call has panicked.
    value: Option<T>,
    worker: Arc<Worker>,
}

impl<T> Visitor<T> {
    pub(super) fn new(value: T, worker: &Arc<Worker>) -> Self {
        Self { value: Some(value), worker: Arc::clone(worker) }
    }

    pub(super) fn map(self, change: impl FnOnce(T) -> T) -> Self {
        Self { value: self.value.map(change), ..self }
    }

    pub(super) fn get(&self) -> Result<&T, Error> {
        self.value.as_ref().ok_or_else(lost)
    }

    pub(super) fn get_mut(&mut self) -> Result<&mut T, Error> {
        self.value.as_mut().ok_or_else(lost)
    }

    /// Waits for what `work` does with the value.
    pub(super) fn visit<R: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut T) -> BoxFuture<'_, R> + Send + 'static,
    ) -> Result<R, Error>
    where
        T: Send + 'static,
    {
        let mut value = self.value.take().ok_or_else(lost)?;
        let (value, result) = self.worker.wait(async move {
            let result = work(&mut value).await;
            (value, result)
        })?;
        self.value = Some(value);
        Ok(result)
    }
}

fn lost() -> Error {
    transport::Error::bare(ErrorKind::Panicked, Reach::MaybeSent).into()
}

impl<T: fmt::Debug> fmt::Debug for Visitor<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}
