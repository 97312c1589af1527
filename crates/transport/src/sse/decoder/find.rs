//! Where the next event is.

use super::{
    Decoder, Found,
    carry::CARRIED,
    error::DecodeError,
    plain::{Shape, Step},
};

/// What the next bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// A new event: nothing is held.
    Between,
    /// More of the event in `carry`.
    Carried,
    /// More of a line or an event in `lines`.
    Lines,
    /// A new event, once what `lines` hold of the one that has been given out is forgotten.
    Lent,
    /// Nothing any more.
    Failed,
}

impl Decoder {
    /// Looks for the end of an event, from `at` on; `at` is then where the next one begins.
    ///
    /// It lends nothing, so that the caller can fetch more input in a loop; [`event`](Self::event) does.
    #[inline(always)] // what it returns is too large for registers, and going through memory takes as long as the search
    pub(in crate::sse) fn find(
        &mut self,
        input: &[u8],
        at: &mut usize,
    ) -> Result<Option<Found>, DecodeError> {
        if self.state == State::Lent {
            self.forget();
        }
        if self.state == State::Between {
            return self.begin(input, at);
        }
        self.go_on(input, at)
    }

    /// Reads from the start of an event.
    #[inline(always)]
    fn begin(&mut self, input: &[u8], at: &mut usize) -> Result<Option<Found>, DecodeError> {
        let block = input.get(*at..).unwrap_or_default();
        // So it is after each event where each comes in a piece of its own.
        if block.is_empty() {
            return Ok(None);
        }
        let mut shape = Shape::default();
        match shape.read(block) {
            Step::Whole if shape.fits(self.limits) => {
                let found = shape.found(*at);
                *at += shape.length();
                return Ok(Some(found));
            }
            Step::Cut if block.len() <= CARRIED.min(self.limits.line).min(self.limits.event) => {
                self.carry_over(input, block.len(), shape.name_end());
                *at = input.len();
                return Ok(None);
            }
            Step::Whole | Step::Cut | Step::Other => {}
        }
        self.read_lines(input, at)
    }

    #[inline(never)] // once a piece, among what is done for each event
    fn carry_over(&mut self, input: &[u8], length: usize, name_end: usize) {
        self.carry.keep(input, length, Shape::of(name_end));
        self.state = State::Carried;
    }

    /// Goes on with what is held.
    #[inline(never)]
    fn go_on(&mut self, input: &[u8], at: &mut usize) -> Result<Option<Found>, DecodeError> {
        match self.state {
            State::Carried => self.complete(input, at),
            State::Failed => {
                *at = input.len();
                Ok(None)
            }
            State::Between | State::Lines | State::Lent => self.read_lines(input, at),
        }
    }

    /// Takes the event whose beginning is carried: it most likely ends soon, and is whole with what comes first.
    fn complete(&mut self, input: &[u8], at: &mut usize) -> Result<Option<Found>, DecodeError> {
        let rest = input.get(*at..).unwrap_or_default();
        if rest.is_empty() {
            return Ok(None);
        }
        let next = rest.get(..CARRIED).unwrap_or(rest);
        let (begun, mut shape) = (self.carry.length(), self.carry.shape());
        let joined = self.carry.join(next);
        // What was searched is not searched again, and what was just written not read at once.
        let step = if shape.is_in_data() { shape.read_data(next, begun) } else { shape.read(joined) };
        if step == Step::Whole && shape.fits(self.limits) {
            self.state = State::Between;
            *at += shape.length() - begun;
            return Ok(Some(Found { carried: true, ..shape.found(self.carry.start()) }));
        }
        // No event ends in what was cut.
        if let Err(error) = self.lines.read(self.carry.begun(), &mut 0, self.limits) {
            return self.leave_lines(Err(error), input, at);
        }
        self.read_lines(input, at)
    }

    #[inline(never)]
    fn read_lines(&mut self, input: &[u8], at: &mut usize) -> Result<Option<Found>, DecodeError> {
        let found = self.lines.read(input, at, self.limits);
        self.leave_lines(found, input, at)
    }

    /// Sees what the next bytes are, after some that were read line by line.
    fn leave_lines(
        &mut self,
        found: Result<Option<Found>, DecodeError>,
        input: &[u8],
        at: &mut usize,
    ) -> Result<Option<Found>, DecodeError> {
        self.state = if found.is_err() {
            self.lines.give_up();
            *at = input.len();
            State::Failed
        } else if self.lines.hold_nothing() {
            State::Between
        } else {
            State::Lines
        };
        found
    }

    /// Forgets an event that has been given out.
    fn forget(&mut self) {
        self.lines.block.forget();
        self.mended = [String::new(), String::new()];
        self.state = if self.lines.hold_nothing() { State::Between } else { State::Lines };
    }
}
