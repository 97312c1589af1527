use std::{
    fmt,
    future::poll_fn,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use futures_core::Stream;
use http::{HeaderValue, Method, StatusCode, header::ACCEPT};
use transport::jsonl::Lines;

use crate::{
    client::Client,
    error::{Envelope, Error, UnexpectedAnswer},
    layers::Charge,
    reply::{self, Reply},
    resources::route::segment,
    types::{BatchResult, MessageBatch, from_bytes},
};

/// The results of a batch, in any order, one at a time in memory. It ends after the first error.
///
/// A connection that breaks is opened again, and what was given is passed over. There is an end only when there were as
/// many results as the batch has messages.
///
/// Example: [`Batches`](crate::Batches).
pub struct BatchResults {
    client: Client,
    route: String,
    total: u64,
    given: u64,
    /// What was given, to see that it is the same when it comes again.
    digest: DefaultHasher,
    /// How much of what was given has still to come again, and what came.
    again: Option<(u64, DefaultHasher)>,
    /// Openings one after another that brought nothing new.
    barren: u32,
    stage: Stage,
}

enum Stage {
    Begin,
    Opening(Pin<Box<dyn Future<Output = Result<Opened, Error>> + Send>>),
    Reading(Opened),
    Done,
}

struct Opened {
    lines: Lines,
    status: StatusCode,
    envelope: Envelope,
}

/// How often results are asked for in a row without anything new.
const MOST_BARREN: u32 = 3;

impl BatchResults {
    #[inline]
    pub(super) fn of(client: &Client, batch: &Reply<MessageBatch>) -> Result<Self, Error> {
        if batch.results_url.is_none() {
            let what = format!(
                "a batch without results (its status is {}); they are there when it has ended, for 29 days",
                batch.processing_status
            );
            return Err(unexpected(batch.status(), what, batch.envelope()));
        }
        Ok(Self {
            client: client.clone(),
            // Not the URL of the answer: a credential goes to its own server only.
            route: format!("{}/{}/results", super::BATCHES, segment(&batch.id)?),
            total: batch.request_counts.total(),
            given: 0,
            digest: DefaultHasher::new(),
            again: None,
            barren: 0,
            stage: Stage::Begin,
        })
    }

    /// How many results there are.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Waits for the next result; `None` is the end.
    ///
    /// # Errors
    ///
    /// Any [`Error`] of a call, and [`Error::Answer`] where the results break off again and again.
    ///
    /// # Cancel safety
    ///
    /// No result is lost when the future is dropped.
    pub async fn next(&mut self) -> Option<Result<BatchResult, Error>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    #[inline]
    fn open(&self) -> Stage {
        let (client, route) = (self.client.clone(), self.route.clone());
        Stage::Opening(Box::pin(async move {
            let mut request = client.request(Method::GET, &route, Bytes::new(), |_| Charge::default())?;
            request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/binary"));
            let opened = client.call(request, |response| reply::open(response, None, client.clock())).await?;
            let status = opened.head.status();
            Ok(Opened { lines: Lines::new(opened.body), status, envelope: opened.envelope })
        }))
    }

    /// What a line says; `None` where it was given before.
    #[inline]
    fn take(&mut self, line: &[u8]) -> Result<Option<BatchResult>, Broken> {
        if let Some((left, mut seen)) = self.again.take() {
            line.hash(&mut seen);
            if left > 1 {
                self.again = Some((left - 1, seen));
            } else if seen.finish() != self.digest.finish() {
                return Err(Broken::Changed);
            }
            return Ok(None);
        }
        let result = from_bytes(line).map_err(Broken::Json)?;
        line.hash(&mut self.digest);
        self.given += 1;
        self.barren = 0;
        Ok(Some(result))
    }

    /// Begins anew after a break, unless that has been in vain too often.
    #[inline]
    fn resume(&mut self) -> bool {
        self.barren += 1;
        self.again = (self.given > 0).then(|| (self.given, DefaultHasher::new()));
        self.stage = if self.barren < MOST_BARREN { Stage::Begin } else { Stage::Done };
        self.barren < MOST_BARREN
    }
}

/// Why a line is no result.
enum Broken {
    Changed,
    Json(serde_json::Error),
}

impl Stream for BatchResults {
    type Item = Result<BatchResult, Error>;

    #[inline]
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            let error = match &mut this.stage {
                Stage::Done => return Poll::Ready(None),
                Stage::Begin => {
                    this.stage = this.open();
                    continue;
                }
                Stage::Opening(opening) => match ready!(opening.as_mut().poll(cx)) {
                    Ok(opened) => {
                        this.stage = Stage::Reading(opened);
                        continue;
                    }
                    Err(error) => error,
                },
                Stage::Reading(opened) => {
                    let line = ready!(Pin::new(&mut opened.lines).poll_next(cx));
                    let (status, envelope) = (opened.status, opened.envelope.clone());
                    match line {
                        Some(Ok(line)) => match this.take(&line) {
                            Ok(None) => continue,
                            Ok(Some(result)) => return Poll::Ready(Some(Ok(result))),
                            Err(Broken::Changed) => {
                                let what = "other results than before the connection broke; read them anew";
                                unexpected(status, what.to_owned(), &envelope)
                            }
                            Err(Broken::Json(error)) => {
                                if error.is_eof() && this.resume() {
                                    continue;
                                }
                                let line = this.given.saturating_add(1);
                                Box::new(UnexpectedAnswer::json_line(status, &error, envelope, line)).into()
                            }
                        },
                        Some(Err(error)) => {
                            if error.is_retryable() && this.resume() {
                                continue;
                            }
                            Box::new(UnexpectedAnswer::body(status, error, envelope)).into()
                        }
                        None if this.given >= this.total => {
                            this.stage = Stage::Done;
                            return Poll::Ready(None);
                        }
                        None => {
                            if this.resume() {
                                continue;
                            }
                            let what = format!("{} of {} results", this.given, this.total);
                            unexpected(status, what, &envelope)
                        }
                    }
                }
            };
            this.stage = Stage::Done;
            return Poll::Ready(Some(Err(error)));
        }
    }
}

impl fmt::Debug for BatchResults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchResults")
            .field("route", &self.route)
            .field("given", &self.given)
            .field("total", &self.total)
            .finish_non_exhaustive()
    }
}

#[inline]
fn unexpected(status: StatusCode, what: String, envelope: &Envelope) -> Error {
    Box::new(UnexpectedAnswer::new(status, what, envelope.clone())).into()
}
