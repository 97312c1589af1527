//! Tasks that are begun now and then. Each is of one type to the runtime: of a type of its own, each would bring a copy of how a
//! task is begun, polled and ended with it (`docs/decisions/0015-weight.md`).

use std::{
    any::Any,
    future::Future,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::task::{AbortHandle, JoinHandle};

type Outcome = Box<dyn Any + Send>;
type Work = Pin<Box<dyn Future<Output = Outcome> + Send>>;
type BlockingWork = Box<dyn FnOnce() -> Outcome + Send>;

/// Does `work` in a task of its own, begun at once: `None` where it panics. Whoever stops waiting does not end it.
pub(crate) fn run<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Running<T> {
    Running(spawned(Box::pin(async move { Box::new(work.await) as Outcome })), PhantomData)
}

/// Work that is under way: of the work itself whoever waits knows nothing, and has nothing to let go.
#[derive(Debug)]
pub(crate) struct Running<T>(JoinHandle<Outcome>, PhantomData<fn() -> T>);

impl<T: 'static> Future for Running<T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let outcome = ready!(Pin::new(&mut self.0).poll(cx));
        Poll::Ready(outcome.ok().and_then(|outcome| outcome.downcast().ok()).map(|outcome| *outcome))
    }
}

/// Does `work` in a task of its own, for which nobody waits.
pub(crate) fn detach(work: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
    let work = async move {
        work.await;
        Box::new(()) as Outcome
    };
    spawned(Box::pin(work)).abort_handle()
}

/// Does `work` on a thread where it may block, begun at once: `None` where it panics.
pub(crate) fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Running<T> {
    Running(blocked(Box::new(move || Box::new(work()) as Outcome)), PhantomData)
}

fn spawned(work: Work) -> JoinHandle<Outcome> {
    tokio::spawn(work)
}

fn blocked(work: BlockingWork) -> JoinHandle<Outcome> {
    tokio::task::spawn_blocking(work)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn what_the_work_gives_comes_back_and_a_panic_is_nothing() {
        assert_eq!(run(async { "done" }).await, Some("done"));
        assert_eq!(blocking(|| 7).await, Some(7));
        assert_eq!(run(async { panic!("on purpose") }).await, None::<()>);
        assert_eq!(blocking(|| panic!("on purpose")).await, None::<()>);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn work_goes_on_when_nobody_waits_any_more() {
        let (answer, answered) = tokio::sync::oneshot::channel();
        let mut waiting = Box::pin(run(async move {
            tokio::task::yield_now().await;
            answer.send("done")
        }));
        assert!(futures_util::poll!(&mut waiting).is_pending());
        drop(waiting);
        assert_eq!(answered.await, Ok("done"));

        let (answer, answered) = tokio::sync::oneshot::channel();
        let _ = detach(async move { answer.send("done").unwrap() });
        assert_eq!(answered.await, Ok("done"));
    }
}
