//! What the listener says to those who come.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::{
    sync::{mpsc, oneshot},
    task,
};

use super::{
    Brought, PATH,
    page::{self, Ending},
};
use crate::{
    error::LoginError,
    login::desk::{Desk, Verdict},
};

/// Where those who come are answered, one request to a connection.
pub(super) struct Counter {
    port: u16,
    desk: Arc<Desk>,
    bring: mpsc::Sender<Brought>,
}

impl Counter {
    pub(super) fn new(port: u16, desk: Arc<Desk>, bring: mpsc::Sender<Brought>) -> Self {
        Self { port, desk, bring }
    }

    pub(super) async fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        if !self.is_for_us(request.headers()) {
            return page::plain(StatusCode::FORBIDDEN, "this is not the address of a login");
        }
        if request.uri().path() != PATH {
            return page::plain(StatusCode::NOT_FOUND, "nothing is here");
        }
        if request.method() != Method::GET {
            return page::plain(StatusCode::METHOD_NOT_ALLOWED, "only GET is answered here");
        }
        let target = request.uri().path_and_query().map_or(PATH, |target| target.as_str());
        page::ending(match self.desk.judge(|pending| pending.complete(target)) {
            Verdict::Accepted(grant) => self.bring(Ok(*grant)).await,
            Verdict::Ended(kind) => self.bring(Err(LoginError::Callback(kind))).await,
            Verdict::Stranger(_) => Ending::Stranger,
            Verdict::TooLate => Ending::TooLate,
        })
    }

    /// A name that resolves to loopback may still be a stranger's (DNS rebinding, C26).
    fn is_for_us(&self, headers: &HeaderMap) -> bool {
        let mut hosts = headers.get_all(header::HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
        ["localhost", "127.0.0.1", "[::1]"].iter().any(|name| host == &*format!("{name}:{}", self.port))
    }

    /// Hands the answer over and waits until it is known what became of it.
    async fn bring(&self, answer: Result<auth_core::CodeGrant, LoginError>) -> Ending {
        let (tell, told) = oneshot::channel();
        let brought = Brought { answer, tell, connection: task::id() };
        // The listener is there for as long as this connection is, and takes one answer.
        let _ = self.bring.send(brought).await;
        told.await.unwrap_or(Ending::Interrupted)
    }
}
