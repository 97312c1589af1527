//! A backend that remembers what it sent to the token endpoint: it lets the quickstart replay a spent code, and
//! shows how a backend of one's own looks.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use claude_sdk::transport::{
    Error, HttpBackend, Request, Response,
    backends::{BuildError, Reqwest},
};

/// Sends through the default backend and keeps the requests whose path is a token endpoint's. Clones share both.
#[derive(Debug, Clone)]
pub(super) struct Recorder {
    backend: Arc<Reqwest>,
    kept: Arc<Mutex<Vec<Request>>>,
}

impl Recorder {
    pub(super) fn new() -> Result<Self, BuildError> {
        // The mock server is on this machine, whatever proxy the environment names.
        Ok(Self { backend: Arc::new(Reqwest::builder().no_proxy().build()?), kept: Arc::default() })
    }

    /// The first request that went to a token endpoint: the exchange of the code.
    pub(super) fn code_exchange(&self) -> Option<Request> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).first().cloned()
    }
}

#[async_trait]
impl HttpBackend for Recorder {
    async fn send(&self, request: Request) -> Result<Response, Error> {
        if request.uri().path().ends_with("/oauth/token") {
            self.kept.lock().unwrap_or_else(PoisonError::into_inner).push(request.clone());
        }
        self.backend.send(request).await
    }
}
