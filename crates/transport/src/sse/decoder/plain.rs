//! Events of the most common shape: a name, one line of data, line feeds.
//!
//! They need no reading line by line, which gives the same for them, but slower.

use super::{Found, error::Limits, fields::line_end};

/// How an event of this shape begins, and how its name ends.
const NAME: &[u8] = b"event: ";
const DATA: &[u8] = b"\ndata: ";

/// The shortest event with a name that is read either way, in bytes: no end is looked for in less.
const SHORTEST: usize = b"event: \ndata\n\n".len();

/// What bytes are, from the start of a block on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// An event of this shape, and perhaps more.
    Whole,
    /// The beginning of one, or nothing; no event ends in them.
    Cut,
    /// Something else.
    Other,
}

/// Where the parts of an event end.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shape {
    /// Nothing while it is not certain that data begin behind the name.
    name_end: usize,
    data_end: usize,
}

impl Shape {
    /// Looks at a block from its start.
    #[inline]
    pub(super) fn read(&mut self, block: &[u8]) -> Step {
        if block.len() < SHORTEST {
            return cut_if(block.starts_with(NAME) || NAME.starts_with(block));
        }
        let Some(rest) = block.strip_prefix(NAME) else { return Step::Other };
        let Some(length) = line_end(rest) else { return Step::Cut };
        let name_end = NAME.len() + length;
        let rest = block.get(name_end..).unwrap_or_default();
        let Some(rest) = rest.strip_prefix(DATA) else {
            return cut_if(DATA.starts_with(rest));
        };
        self.name_end = name_end;
        self.read_data(rest, name_end + DATA.len())
    }

    /// Looks for the end of the data, in what lies `at` bytes from the start of the block.
    #[inline]
    pub(super) fn read_data(&mut self, rest: &[u8], at: usize) -> Step {
        let Some(length) = line_end(rest) else { return Step::Cut };
        match rest.get(length..) {
            Some([b'\n', b'\n', ..]) => {
                self.data_end = at + length;
                Step::Whole
            }
            Some([b'\n']) => {
                self.name_end = 0; // from here on nothing is to be looked for in the data
                Step::Cut
            }
            _ => Step::Other,
        }
    }

    /// What is to be kept of an event that is cut: where its data begin, if that is where it was cut.
    #[inline]
    pub(super) fn name_end(self) -> usize {
        self.name_end
    }

    /// An event that was cut, with what was kept of it.
    #[inline]
    pub(super) fn of(name_end: usize) -> Self {
        Self { name_end, data_end: 0 }
    }

    /// Whether it was cut within its data.
    #[inline]
    pub(super) fn is_in_data(self) -> bool {
        self.name_end > 0
    }

    /// Whether a whole event keeps to the limits.
    #[inline]
    pub(super) fn fits(self, limits: Limits) -> bool {
        self.name_end <= limits.line
            && self.data_end - (self.name_end + 1) <= limits.line
            && self.data_end - self.data_start() <= limits.event
    }

    /// Where the parts of a whole event lie, if its block begins there.
    #[inline]
    pub(super) fn found(self, start: usize) -> Found {
        Found {
            name: start + NAME.len()..start + self.name_end,
            data: start + self.data_start()..start + self.data_end,
            has_data: true,
            carried: false,
        }
    }

    /// How long a whole event is, with its blank line.
    #[inline]
    pub(super) fn length(self) -> usize {
        self.data_end + b"\n\n".len()
    }

    #[inline]
    fn data_start(self) -> usize {
        self.name_end + DATA.len()
    }
}

#[inline]
fn cut_if(begins: bool) -> Step {
    if begins { Step::Cut } else { Step::Other }
}
