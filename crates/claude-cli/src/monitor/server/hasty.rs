use std::{
    fmt, io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use claude_sdk::transport::Clock;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A connection that is given up when the other side does not take what is written: an answer in time, and not a byte now and
/// then.
pub(super) struct Hasty<S> {
    socket: S,
    clock: Arc<dyn Clock>,
    patience: Duration,
    /// Runs from when something could not be written until all of it was.
    limit: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl<S> Hasty<S> {
    pub(super) fn new(socket: S, clock: Arc<dyn Clock>, patience: Duration) -> Self {
        Self { socket, clock, patience, limit: None }
    }

    fn wait(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let (clock, patience) = (&self.clock, self.patience);
        let limit = self.limit.get_or_insert_with(|| {
            let clock = Arc::clone(clock);
            Box::pin(async move { clock.sleep(patience).await })
        });
        ready!(limit.as_mut().poll(cx));
        Poll::Ready(io::ErrorKind::TimedOut.into())
    }
}

impl<S> fmt::Debug for Hasty<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasty").field("patience", &self.patience).finish_non_exhaustive()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Hasty<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Hasty<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.socket).poll_write(cx, bytes) {
            Poll::Ready(written) => Poll::Ready(written),
            Poll::Pending => self.wait(cx).map(Err),
        }
    }

    /// Asked for when all has been written.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.socket).poll_flush(cx) {
            Poll::Ready(flushed) => {
                self.limit = None;
                Poll::Ready(flushed)
            }
            Poll::Pending => self.wait(cx).map(Err),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Response;
    use http_body_util::Full;
    use hyper::{server::conn::http1, service::service_fn};
    use hyper_util::rt::TokioIo;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;
    use crate::monitor::held::Held;

    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";

    #[tokio::test]
    async fn whoever_takes_a_byte_now_and_then_is_given_up_and_whoever_reads_is_not() {
        let clock = Held::default();
        let patience = Duration::from_secs(10);
        let (mut client, socket) = duplex(64);
        let socket = Hasty::new(socket, Arc::new(clock.clone()), patience);
        let body = "x".repeat(4096) + ".";
        let answer = service_fn(move |_| {
            let answer = Response::new(Full::new(Bytes::from(body.clone())));
            async { Ok::<_, std::convert::Infallible>(answer) }
        });
        let served = tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(socket), answer));
        // Twice in time, with a pause after it.
        for _ in 0..2 {
            client.write_all(REQUEST).await.unwrap();
            let mut taken = Vec::new();
            while taken.len() < 4096 || !taken.ends_with(b"x.") {
                client.read_buf(&mut taken).await.unwrap();
            }
            until(&|| clock.sleepers() == 0).await;
            clock.advance(patience * 2);
        }
        let mut part = [0; 64];
        client.write_all(REQUEST).await.unwrap();
        client.read_exact(&mut part).await.unwrap();
        until(&|| clock.sleepers() == 1).await;
        clock.advance(Duration::from_secs(6));
        client.read_exact(&mut part).await.unwrap();
        assert!(!served.is_finished());
        clock.advance(Duration::from_secs(4));
        served.await.unwrap().unwrap_err();
    }

    async fn until(is: &dyn Fn() -> bool) {
        while !is() {
            tokio::task::yield_now().await;
        }
    }
}
