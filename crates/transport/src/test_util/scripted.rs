//! A backend that answers from a list.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;

use crate::{Error, ErrorKind, HttpBackend, Reach, Request, Response};

/// A backend that gives the answers of its list, one to each request, and remembers the requests.
///
/// When the list is used up, every further request fails with [`ErrorKind::Other`].
///
/// ```
/// use transport::{Body, HttpBackend, Request, test_util::ScriptedBackend};
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let busy = http::Response::builder().status(529).body(Body::empty()).unwrap();
/// let backend = ScriptedBackend::new([Ok(busy)]);
///
/// let response = backend.send(Request::default()).await.unwrap();
///
/// assert_eq!(response.status(), 529);
/// assert_eq!(backend.requests().len(), 1);
/// # });
/// ```
#[derive(Debug, Default)]
pub struct ScriptedBackend(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    answers: VecDeque<Result<Response, Error>>,
    requests: Vec<Request>,
}

impl ScriptedBackend {
    /// Makes a backend with the answers in the order they are to be given.
    pub fn new(answers: impl IntoIterator<Item = Result<Response, Error>>) -> Self {
        let answers = answers.into_iter().collect();
        Self(Mutex::new(State { answers, requests: Vec::new() }))
    }

    /// Returns the requests so far, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.state().requests.clone()
    }

    /// Returns how many answers have not been given.
    #[must_use]
    pub fn answers_left(&self) -> usize {
        self.state().answers.len()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl HttpBackend for ScriptedBackend {
    async fn send(&self, request: Request) -> Result<Response, Error> {
        let mut state = self.state();
        let end = || Error::new(ErrorKind::Other, Reach::NotSent, "the script has no more answers");
        let answer = state.answers.pop_front().unwrap_or_else(|| Err(end().with_target(request.uri())));
        state.requests.push(request);
        answer
    }
}
