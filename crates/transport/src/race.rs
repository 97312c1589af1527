//! Two futures, the first to finish wins.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

/// Runs `work` until it is done, or gives it up with `limit`'s word when that is done first.
///
/// If both are ready at once, the work wins.
pub(crate) async fn until<W: Future, L: Future>(work: W, limit: L) -> Result<W::Output, L::Output> {
    let mut work = pin!(work);
    let mut limit = pin!(limit);
    poll_fn(|cx| match work.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Ok(output)),
        Poll::Pending => limit.as_mut().poll(cx).map(Err),
    })
    .await
}
