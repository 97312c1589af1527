use std::{future::Future, io, pin::Pin, sync::mpsc, thread};

use tokio::{runtime, sync::mpsc as jobs};
use transport::{ErrorKind, Reach};

use crate::error::Error;

type Job = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A thread with a runtime, on which the work of a client is done.
#[derive(Debug)]
pub(super) struct Worker {
    jobs: jobs::UnboundedSender<Job>,
}

impl Worker {
    /// Starts the thread. It ends when the worker is dropped, after a renewal of the credential that is under way.
    pub(super) fn start(client: crate::Client) -> io::Result<Self> {
        let (jobs, mut queue) = jobs::unbounded_channel::<Job>();
        let (started, start) = mpsc::sync_channel(1);
        let work = async move {
            while let Some(job) = queue.recv().await {
                drop(tokio::spawn(job));
            }
            client.flush().await;
        };
        thread::Builder::new().name("claude-sdk".to_owned()).spawn(move || {
            // Made here: a runtime must not be dropped inside another, where the caller may be.
            match runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => {
                    let _ = started.send(Ok(())); // whoever asked waits for it
                    runtime.block_on(work);
                }
                Err(error) => drop(started.send(Err(error))),
            }
        })?;
        start.recv().map_err(io::Error::other)??;
        Ok(Self { jobs })
    }

    /// Waits for `work`, which is done on the thread.
    ///
    /// # Errors
    ///
    /// [`Error::Transport`] where it panics.
    pub(super) fn wait<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Error> {
        let (answer, done) = mpsc::sync_channel(1);
        let job = Box::pin(async move { drop(answer.send(work.await)) });
        // A thread that is gone and work that panicked both drop their end of the channel.
        let _ = self.jobs.send(job);
        done.recv().map_err(|_| transport::Error::bare(ErrorKind::Panicked, Reach::MaybeSent).into())
    }
}
