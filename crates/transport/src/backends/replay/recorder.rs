//! The backend that writes down what passes through it.

use std::{
    path::Path,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::Stream;

use super::{
    cassette::{self, CassetteError, Interaction, LIMIT, Problem},
    scrub::Secrets,
    sent::{self, Ear},
};
use crate::{Body, Error, HttpBackend, Request, Response};

/// Records every exchange of a backend, for a [`Player`](super::Player) to repeat offline.
///
/// Nothing is written before [`save`](Self::save), which takes secrets out first: the values of `authorization`,
/// `x-api-key` and cookies, whatever a body or query calls a token, key, code or password, anything that begins with
/// `sk-ant-`, and what [`secret`](Self::secret) was told; each of them wherever it occurs, in any exchange, as it is, as in
/// a URL and as in JSON. What a model repeats in deltas that cut it in two, or spells in another way, is not found. The file is
/// readable by its owner only. Read it before you share it all the same: only you know what else is private in a prompt.
///
/// Requests are kept with method, path, query and body, answers with status, headers and the pieces as they came. A
/// request that got no answer is not recorded. More than 32 MiB cannot be saved.
#[derive(Debug)]
pub struct Recorder<B> {
    inner: B,
    tape: Arc<Mutex<Tape>>,
}

#[derive(Debug, Default)]
struct Tape {
    interactions: Vec<Interaction>,
    secrets: Secrets,
    bytes: usize,
}

impl<B> Recorder<B> {
    /// Wraps a backend. Nest it inside of all layers, so that it sees what goes over the wire.
    pub fn new(inner: B) -> Self {
        Self { inner, tape: Arc::default() }
    }

    /// Adds a value that must not be in the file, of at least six bytes. Where requests have it too, the
    /// [`Player`](super::Player::secret) has to know.
    #[must_use]
    pub fn secret(self, value: impl AsRef<[u8]>) -> Self {
        lock(&self.tape).secrets.add(value.as_ref());
        self
    }

    /// Writes what was recorded so far, in place of what is at `path`.
    ///
    /// # Errors
    ///
    /// When it is too large, or the file cannot be written; what was there is untouched then.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), CassetteError> {
        let tape = lock(&self.tape);
        if tape.bytes > LIMIT {
            return Err(Problem::TooLarge.into());
        }
        let mut secrets = tape.secrets.clone();
        for interaction in &tape.interactions {
            secrets.learn_body(&interaction.pieces.concat());
        }
        let mut interactions = tape.interactions.clone();
        drop(tape);
        interactions.iter_mut().for_each(|interaction| secrets.scrub_interaction(interaction));
        cassette::write(path.as_ref(), &interactions)
    }
}

#[async_trait]
impl<B: HttpBackend> HttpBackend for Recorder<B> {
    async fn send(&self, mut request: Request) -> Result<Response, Error> {
        let (method, uri, headers) =
            (request.method().clone(), request.uri().clone(), request.headers().clone());
        lock(&self.tape).secrets.learn(&request);
        let ear = Ear::of(&mut request);
        let response = self.inner.send(request).await?;
        let sent = ear.heard();
        let interaction = Interaction {
            method: method.to_string(),
            target: uri.path_and_query().map_or("/", |target| target.as_str()).to_owned(),
            body: sent::content(&headers, &sent),
            status: response.status(),
            headers: response.headers().clone(),
            pieces: Vec::new(),
            // Nobody has to read a body to know that it is empty.
            ended: response.headers().get(http::header::CONTENT_LENGTH).is_some_and(|length| length == "0"),
        };
        let index = {
            let mut tape = lock(&self.tape);
            tape.secrets.learn_body(&sent);
            tape.secrets.learn_headers(response.headers());
            tape.bytes = tape.bytes.saturating_add(sent.len());
            tape.interactions.push(interaction);
            tape.interactions.len() - 1
        };
        let tape = Arc::clone(&self.tape);
        Ok(response.map(|body| Body::from_stream(Heard { body, tape, index })))
    }
}

/// A body that is written down as it is read.
struct Heard {
    body: Body,
    tape: Arc<Mutex<Tape>>,
    index: usize,
}

impl Stream for Heard {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = ready!(Pin::new(&mut self.body).poll_next(cx));
        let mut tape = lock(&self.tape);
        if let Some(Ok(piece)) = &next {
            tape.bytes = tape.bytes.saturating_add(piece.len());
        }
        let fits = tape.bytes <= LIMIT;
        if let Some(interaction) = tape.interactions.get_mut(self.index) {
            match &next {
                Some(Ok(piece)) if fits => interaction.pieces.push(piece.clone()),
                Some(_) => {}
                None => interaction.ended = true,
            }
        }
        drop(tape);
        Poll::Ready(next)
    }
}

fn lock(tape: &Mutex<Tape>) -> MutexGuard<'_, Tape> {
    tape.lock().unwrap_or_else(PoisonError::into_inner)
}
