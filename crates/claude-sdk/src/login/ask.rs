//! One request and its whole answer, within a time.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use transport::{Clock, ErrorKind, HttpBackend};

use crate::error::LoginError;

/// How long an exchange may take.
pub(super) const EXCHANGE_LIMIT: Duration = Duration::from_secs(30);

/// Sends `request` once and reads at most `largest` bytes of its answer.
///
/// A larger answer is given as far as a body of `largest + 1` bytes tells its reader that it is too large.
pub(super) async fn ask(
    backend: &dyn HttpBackend,
    clock: &dyn Clock,
    request: Request<Bytes>,
    largest: usize,
    limit: Duration,
) -> Result<Response<Bytes>, LoginError> {
    let unreachable = |error: transport::Error| LoginError::Unreachable { reason: error.to_string() };
    let answered = async {
        let (head, body) = backend.send(request).await.map_err(unreachable)?.into_parts();
        let body = match body.collect(largest).await {
            Err(error) if matches!(error.kind(), ErrorKind::BodyTooLarge { .. }) => {
                vec![0; largest + 1].into()
            }
            body => body.map_err(unreachable)?,
        };
        Ok(Response::from_parts(head, body))
    };
    tokio::select! {
        biased; // an answer that is there is not too late
        answer = answered => answer,
        () = clock.sleep(limit) => Err(LoginError::NoAnswer { limit }),
    }
}
