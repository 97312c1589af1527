//! The backend that answers from a cassette.

use std::{
    collections::VecDeque,
    fmt,
    path::Path,
    pin::Pin,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::Stream;
use http::Uri;
use serde_json::Value;

use super::{
    cassette::{self, CassetteError, Content, Interaction},
    scrub::Secrets,
    sent,
};
use crate::{Body, Error, ErrorKind, HttpBackend, Reach, Request, Response};

/// Answers requests from a cassette of a [`Recorder`](super::Recorder), without any network.
///
/// A request is answered by the first exchange that has the same method, path, query and body and was not played yet; a
/// body in JSON is compared by value, so neither spaces nor the order of members matter. Headers and the host are not
/// compared. Where secrets were taken out of the recording, those of the request do not count either: tell it by
/// [`secret`](Self::secret) what the recorder was told.
///
/// Where nothing matches, the request is refused, and nothing retries it: [`Error::into_refusal`] gives the [`Mismatch`].
#[derive(Debug)]
pub struct Player {
    interactions: Mutex<Vec<Slot>>,
    secrets: Secrets,
}

#[derive(Debug)]
struct Slot {
    interaction: Interaction,
    played: bool,
}

/// No exchange of the cassette that is left to play is the request's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the cassette has no answer to `{request}`: {difference}")]
pub struct Mismatch {
    request: String,
    difference: String,
}

impl Player {
    /// Reads a cassette.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, is too large, or is no cassette.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, CassetteError> {
        cassette::read(path.as_ref()).map(Self::new)
    }

    /// Reads a cassette from its text, such as one compiled into a test.
    ///
    /// # Errors
    ///
    /// When it is no cassette.
    pub fn parse(text: impl AsRef<[u8]>) -> Result<Self, CassetteError> {
        cassette::parse(text.as_ref()).map(Self::new)
    }

    /// Adds a value that [`Recorder::secret`](super::Recorder::secret) was told of, which may be another one by now.
    #[must_use]
    pub fn secret(mut self, value: impl AsRef<[u8]>) -> Self {
        self.secrets.add(value.as_ref());
        self
    }

    /// Returns method and target of the exchanges that were not played, in the order of the cassette.
    #[must_use]
    pub fn unplayed(&self) -> Vec<String> {
        let left = |slot: &Slot| (!slot.played).then(|| slot.interaction.title());
        self.slots().iter().filter_map(left).collect()
    }

    fn new(interactions: Vec<Interaction>) -> Self {
        let slots = interactions.into_iter().map(|interaction| Slot { interaction, played: false });
        Self { interactions: Mutex::new(slots.collect()), secrets: Secrets::default() }
    }

    fn slots(&self) -> MutexGuard<'_, Vec<Slot>> {
        self.interactions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, request: &Request, body: &Bytes) -> Result<Interaction, Mismatch> {
        let mut secrets = self.secrets.clone();
        secrets.learn(request);
        secrets.learn_body(body);
        let method = request.method().as_str();
        let target = secrets.target(request.uri());
        let body = secrets.content(&sent::content(request.headers(), body));

        let mut slots = self.slots();
        let asked = |slot: &&mut Slot| slot.interaction.method == method && slot.interaction.target == target;
        let mut difference = None;
        let mut was_played = false;
        for slot in slots.iter_mut().filter(asked) {
            if slot.played {
                was_played = true;
                continue;
            }
            match slot.interaction.body.difference_to(&body) {
                None => {
                    slot.played = true;
                    return Ok(slot.interaction.clone());
                }
                Some(found) => difference = difference.or(Some(found)),
            }
        }
        let difference = difference.unwrap_or_else(|| {
            if was_played {
                return "every such exchange has been played".to_owned();
            }
            match slots.iter().find(|slot| !slot.played) {
                Some(slot) => format!("the next one is `{}`", slot.interaction.title()),
                None => "nothing is left to play".to_owned(),
            }
        });
        Err(Mismatch { request: format!("{method} {target}"), difference })
    }
}

impl Interaction {
    fn title(&self) -> String {
        format!("{} {}", self.method, self.target)
    }
}

impl Content {
    /// Where a request's body differs from this one; never what it says, which may be private.
    fn difference_to(&self, other: &Self) -> Option<String> {
        match (self, other) {
            (Self::Json(recorded), Self::Json(sent)) => {
                let at = first_difference(recorded, sent, "$".to_owned())?;
                Some(format!("the body differs at {at}"))
            }
            _ if self == other => None,
            (Self::Bytes(recorded), Self::Bytes(sent)) => {
                let same = recorded.iter().zip(sent).take_while(|(one, other)| one == other).count();
                Some(format!("the body differs at byte {same}"))
            }
            _ => Some("one body is JSON and the other is not".to_owned()),
        }
    }
}

fn first_difference(recorded: &Value, sent: &Value, at: String) -> Option<String> {
    match (recorded, sent) {
        (Value::Object(ours), Value::Object(theirs)) => {
            let within = ours.iter().find_map(|(name, value)| match theirs.get(name) {
                Some(other) => first_difference(value, other, format!("{at}.{name}")),
                None => Some(format!("{at}.{name}, which the request lacks")),
            });
            within.or_else(|| {
                let extra = theirs.keys().find(|name| !ours.contains_key(*name))?;
                Some(format!("{at}.{extra}, which the recording lacks"))
            })
        }
        (Value::Array(ours), Value::Array(theirs)) if ours.len() == theirs.len() => {
            let mut pairs = ours.iter().zip(theirs).enumerate();
            pairs.find_map(|(index, (one, other))| first_difference(one, other, format!("{at}[{index}]")))
        }
        (one, other) => (one != other).then_some(at),
    }
}

#[async_trait]
impl HttpBackend for Player {
    async fn send(&self, request: Request) -> Result<Response, Error> {
        let body = sent::read(&request).await?;
        let played = self
            .answer(&request, &body)
            .map_err(|mismatch| Error::refused(mismatch).with_target(request.uri()))?;
        let pieces =
            Pieces { left: played.pieces.into(), breaks_off: !played.ended, uri: request.uri().clone() };
        let mut response = Response::new(Body::from_stream(pieces));
        *response.status_mut() = played.status;
        *response.headers_mut() = played.headers;
        Ok(response)
    }
}

struct Pieces {
    left: VecDeque<Bytes>,
    breaks_off: bool,
    uri: Uri,
}

impl fmt::Debug for Pieces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pieces({})", self.left.len())
    }
}

impl Stream for Pieces {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = self.left.pop_front().map(Ok);
        let broken = || {
            let reason = "the recording ends here, before the body did";
            Err(Error::new(ErrorKind::Truncated, Reach::Answered, reason).with_target(&self.uri))
        };
        Poll::Ready(next.or_else(|| self.breaks_off.then(broken)))
    }
}
