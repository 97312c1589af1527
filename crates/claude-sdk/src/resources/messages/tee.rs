use std::{
    collections::VecDeque,
    future::poll_fn,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Wake, Waker},
};

use futures_core::Stream;

use super::MessageStream;
use crate::{error::Error, stream::Event};

/// One of the two halves of a stream that was split with [`MessageStream::tee`]: each gives all the events.
///
/// What one half has taken waits in memory for the other, unless that was dropped. A half that adds up its events with an
/// [`Accumulator`](crate::stream::Accumulator) has the message.
///
/// ```
/// use claude_sdk::{Client, stream::Accumulator, types::{MessageRequest, Model}};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = mock_server::MockServer::builder().start().await?;
/// # let client = Client::builder().api_key(server.api_key()).base_url(server.base_url()).build()?;
/// let request = MessageRequest::new(Model::CLAUDE_HAIKU_4_5, 100).user("Hello!");
/// let (mut shown, mut kept) = client.messages().stream(&request).await?.tee();
/// while let Some(event) = shown.next().await {
///     print!("{}", event?.text().unwrap_or_default());
/// }
/// let mut message = Accumulator::new();
/// while let Some(event) = kept.next().await {
///     message.push(&event?)?;
/// }
/// println!("{} tokens", message.finish()?.usage.output_tokens);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct TeeStream {
    shared: Arc<Mutex<Shared>>,
    side: Side,
}

#[derive(Clone, Copy, Debug)]
enum Side {
    Left,
    Right,
}

#[derive(Debug)]
struct Shared {
    stream: MessageStream,
    left: Waiting,
    right: Waiting,
    wakers: Arc<Wakers>,
}

/// What waits for one half.
#[derive(Debug, Default)]
struct Waiting {
    events: VecDeque<Result<Event, Arc<Error>>>,
    is_gone: bool,
}

/// Those who wait for the stream: it wakes them all, since the one it would wake may have lost interest.
#[derive(Debug, Default)]
struct Wakers(Mutex<[Option<Waker>; 2]>);

impl Wakers {
    fn wait(&self, side: Side, waker: &Waker) {
        let mut wakers = locked(&self.0);
        let [left, right] = &mut *wakers;
        let place = match side {
            Side::Left => left,
            Side::Right => right,
        };
        *place = Some(waker.clone());
    }
}

impl Wake for Wakers {
    fn wake(self: Arc<Self>) {
        let wakers = std::mem::take(&mut *locked(&self.0));
        wakers.into_iter().flatten().for_each(Waker::wake);
    }
}

impl TeeStream {
    #[inline]
    pub(super) fn pair(stream: MessageStream) -> (Self, Self) {
        let shared = Arc::new(Mutex::new(Shared {
            stream,
            left: Waiting::default(),
            right: Waiting::default(),
            wakers: Arc::default(),
        }));
        (Self { shared: Arc::clone(&shared), side: Side::Left }, Self { shared, side: Side::Right })
    }

    /// Waits for the next event; `None` is the end.
    ///
    /// # Errors
    ///
    /// As [`MessageStream::next`]; both halves get the same error.
    ///
    /// # Cancel safety
    ///
    /// No event is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Result<Event, Arc<Error>>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl Stream for TeeStream {
    type Item = Result<Event, Arc<Error>>;

    #[inline]
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut shared = locked(&self.shared);
        let Shared { stream, left, right, wakers } = &mut *shared;
        let (own, other) = match self.side {
            Side::Left => (left, right),
            Side::Right => (right, left),
        };
        if let Some(event) = own.events.pop_front() {
            return Poll::Ready(Some(event));
        }
        wakers.wait(self.side, cx.waker());
        let both = Waker::from(Arc::clone(wakers));
        let Poll::Ready(event) = Pin::new(stream).poll_next(&mut Context::from_waker(&both)) else {
            return Poll::Pending;
        };
        let event = event.map(|event| event.map_err(Arc::new));
        if let Some(event) = &event
            && !other.is_gone
        {
            other.events.push_back(event.clone());
        }
        // The other half may wait for this very event, or for the end.
        drop(shared);
        both.wake();
        Poll::Ready(event)
    }
}

/// What waits for a half that is gone is let go.
impl Drop for TeeStream {
    #[inline]
    fn drop(&mut self) {
        let mut shared = locked(&self.shared);
        let own = match self.side {
            Side::Left => &mut shared.left,
            Side::Right => &mut shared.right,
        };
        *own = Waiting { is_gone: true, ..Waiting::default() };
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
