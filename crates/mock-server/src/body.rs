//! The body of a reply: whole or in pieces, complete or cut.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Frame, SizeHint};
use tokio::time::Sleep;

use crate::fault::Ending;
use crate::time;
use crate::wire::Plan;

/// A body on its way out.
///
/// Pieces are sent one by one: after each the body lets the connection flush, so that a client sees the same
/// pieces on the wire that the script names.
#[derive(Debug, Default)]
pub(crate) struct Body {
    pieces: VecDeque<Bytes>,
    /// The length announced beforehand; without one the reply is chunked.
    announced: Option<u64>,
    /// Ends with the connection instead of an orderly end.
    breaks: bool,
    flushing: bool,
    /// A pause of real time before each piece but the first, and the one that is under way.
    pace: Duration,
    pause: Option<Pin<Box<Sleep>>>,
    /// What happens when the pieces are out, and what comes after it.
    turn: Option<(Turn, VecDeque<Bytes>)>,
    plan: Told,
}

/// The plan of the connection, which hears when the body is gone.
#[derive(Debug, Default)]
struct Told(Plan);

impl Drop for Told {
    fn drop(&mut self) {
        self.0.answered();
    }
}

/// What happens in the middle of a body.
#[derive(Clone, Debug)]
pub(crate) enum Turn {
    End(Ending),
    Drip(Duration),
    /// These bytes, again and again.
    KeepAlive(Bytes, Duration),
}

impl Body {
    pub(crate) fn whole(bytes: impl Into<Bytes>) -> Self {
        let bytes = bytes.into();
        Self { announced: Some(count(bytes.len())), pieces: VecDeque::from([bytes]), ..Self::default() }
    }

    pub(crate) fn pieces(pieces: impl IntoIterator<Item = Bytes>) -> Self {
        Self { pieces: pieces.into_iter().collect(), ..Self::default() }
    }

    /// Pauses before each piece but the first.
    pub(crate) fn pace(&mut self, pause: Duration) {
        self.pace = pause;
    }

    /// Makes pieces of so many bytes, whatever the events are.
    pub(crate) fn chunk(&mut self, bytes: usize) {
        let mut whole = self.take();
        while !whole.is_empty() {
            self.pieces.push_back(whole.split_to(bytes.clamp(1, whole.len())));
        }
    }

    /// Takes all there is.
    pub(crate) fn take(&mut self) -> Bytes {
        match self.pieces.len() {
            1 => self.pieces.pop_front().unwrap_or_default(),
            _ => std::mem::take(&mut self.pieces).iter().flatten().copied().collect(),
        }
    }

    /// Puts other content in its place, of which the announced length speaks.
    pub(crate) fn put(&mut self, bytes: impl Into<Bytes>) {
        let bytes = bytes.into();
        self.announced = self.announced.map(|_| count(bytes.len()));
        self.pieces = VecDeque::from([bytes]);
    }

    /// The pieces, which are events where the body is a stream.
    pub(crate) fn events(&mut self) -> &mut VecDeque<Bytes> {
        &mut self.pieces
    }

    /// Ends in order after `bytes`, as if this were all.
    pub(crate) fn truncate(&mut self, bytes: usize) {
        let mut left = bytes;
        for piece in &mut self.pieces {
            piece.truncate(left);
            left -= piece.len();
        }
        self.announced = self.announced.map(|length| length.min(count(bytes)));
    }

    /// Drops the connection after `bytes`; an announced length stays.
    pub(crate) fn break_after(&mut self, bytes: usize) {
        let announced = self.announced;
        self.truncate(bytes);
        self.announced = announced;
        self.breaks = true;
    }

    /// Tells `plan` when it is over.
    pub(crate) fn planned(&mut self, plan: Plan) {
        // Not the one before it, which is nobody's.
        self.plan = Told(plan);
    }

    /// Does something after `bytes`, when they are on the wire.
    pub(crate) fn turn_after(&mut self, bytes: usize, turn: Turn) {
        let mut left = bytes;
        let mut rest = VecDeque::new();
        for piece in &mut self.pieces {
            rest.push_back(piece.split_off(left.min(piece.len())));
            left -= piece.len();
        }
        self.turn = Some((turn, rest));
        // The head goes first.
        self.flushing = true;
    }

    /// How many bytes the first `events` pieces have.
    pub(crate) fn length_of(&self, events: usize) -> usize {
        self.pieces.iter().take(events).map(Bytes::len).sum()
    }

    /// Announces more than there is, or less; gives what is then too much.
    pub(crate) fn announce(&mut self, off_by: i64) -> Bytes {
        let mut whole: BytesMut = self.pieces.iter().flatten().copied().collect();
        let announced = count(whole.len()).saturating_add_signed(off_by);
        let kept = usize::try_from(announced).unwrap_or(usize::MAX).min(whole.len());
        let rest = whole.split_off(kept).freeze();
        self.pieces = VecDeque::from([whole.freeze()]);
        self.announced = Some(announced);
        rest
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if std::mem::take(&mut self.flushing) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(context));
            self.pause = None;
        }
        loop {
            while let Some(piece) = self.pieces.pop_front() {
                if !piece.is_empty() {
                    let paced = !self.pace.is_zero();
                    self.flushing = paced || self.announced.is_none() || self.breaks || self.turn.is_some();
                    if paced && !self.pieces.is_empty() {
                        self.pause = Some(Box::pin(time::pause(self.pace)));
                    }
                    return Poll::Ready(Some(Ok(Frame::data(piece))));
                }
            }
            match self.turn.take() {
                Some((Turn::Drip(every), rest)) => {
                    self.plan.0.drip(0, every);
                    self.pieces = rest;
                }
                Some((Turn::KeepAlive(bytes, every), rest)) => {
                    self.pause = Some(Box::pin(time::pause(every)));
                    self.flushing = true;
                    self.turn = Some((Turn::KeepAlive(bytes.clone(), every), rest));
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
                Some((Turn::End(Ending::Stall), rest)) => {
                    self.turn = Some((Turn::End(Ending::Stall), rest));
                    return Poll::Pending;
                }
                Some((Turn::End(ending), _)) => {
                    if ending == Ending::Reset {
                        self.plan.0.reset();
                    }
                    self.breaks = true;
                    break;
                }
                None => break,
            }
        }
        if std::mem::take(&mut self.breaks) {
            let broken =
                io::Error::new(io::ErrorKind::ConnectionAborted, "the script breaks the connection here");
            return Poll::Ready(Some(Err(broken)));
        }
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        !self.breaks && self.turn.is_none() && self.pieces.iter().all(Bytes::is_empty)
    }

    fn size_hint(&self) -> SizeHint {
        self.announced.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// A length as HTTP counts it.
fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
