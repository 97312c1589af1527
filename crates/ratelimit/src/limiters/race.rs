//! Two futures against each other.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

/// Whichever is ready first, the first one where both are.
pub(super) async fn first<T>(one: impl Future<Output = T>, other: impl Future<Output = T>) -> T {
    let (mut one, mut other) = (pin!(one), pin!(other));
    poll_fn(|context| match one.as_mut().poll(context) {
        Poll::Pending => other.as_mut().poll(context),
        ready => ready,
    })
    .await
}
