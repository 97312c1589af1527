//! Services as backends, and backends as services.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use tower_service::Service;
use transport::{
    Error, ErrorKind, HttpBackend, Reach, Request,
    backends::{BackendService, Reqwest, Tower},
    test_util::{ScriptedBackend, contract},
};

use crate::get;

#[tokio::test]
async fn a_client_of_others_keeps_the_contract() {
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    // What it does not tell apart, a service of one's own maps; here a refused port is known to be one.
    #[derive(Clone)]
    struct Mapped(Client<hyper_util::client::legacy::connect::HttpConnector, Full<Bytes>>);
    impl Service<http::Request<Full<Bytes>>> for Mapped {
        type Response = http::Response<hyper::body::Incoming>;
        type Error = Error;
        type Future = std::pin::Pin<Box<dyn Future<Output = Result<Self::Response, Error>> + Send>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, request: http::Request<Full<Bytes>>) -> Self::Future {
            let answering = self.0.request(request);
            Box::pin(async move {
                answering.await.map_err(|error| match error.is_connect() {
                    true => Error::new(ErrorKind::Connect, Reach::NotSent, error),
                    false => Error::new(ErrorKind::Other, Reach::MaybeSent, error),
                })
            })
        }
    }
    contract::check(&Tower::new(Mapped(client))).await;
}

#[tokio::test]
async fn a_backend_through_a_service_and_back_keeps_the_contract() {
    let backend = Arc::new(Reqwest::builder().no_proxy().build().unwrap());
    let there_and_back: Tower<_, Bytes> = Tower::new(BackendService::new(backend));
    contract::check(&there_and_back).await;
}

#[tokio::test]
async fn an_error_of_ours_comes_through_as_it_was() {
    let refused = Error::new(ErrorKind::Dns, Reach::NotSent, "as it was");
    let backend = Arc::new(ScriptedBackend::new([Err(refused)]));
    let tower: Tower<_, Bytes> = Tower::new(BackendService::new(backend));
    let error = tower.send(get()).await.unwrap_err();
    assert_eq!((error.kind(), error.reach()), (ErrorKind::Dns, Reach::NotSent));
    assert!(format!("{tower:?}").starts_with("Tower("));
}

/// Says no, before or after it is called.
#[derive(Clone)]
struct No {
    before: bool,
}

impl Service<Request> for No {
    type Response = http::Response<transport::Body>;
    type Error = &'static str;
    type Future = std::future::Ready<Result<Self::Response, &'static str>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), &'static str>> {
        Poll::Ready(if self.before { Err("not today") } else { Ok(()) })
    }

    fn call(&mut self, _: Request) -> Self::Future {
        std::future::ready(Err("not any more"))
    }
}

#[tokio::test]
async fn a_foreign_error_says_no_more_than_is_known() {
    for (before, reach) in [(true, Reach::NotSent), (false, Reach::MaybeSent)] {
        let error = Tower::<_, Bytes>::new(No { before }).send(get()).await.unwrap_err();
        assert_eq!((error.kind(), error.reach()), (ErrorKind::Other, reach));
    }
}
