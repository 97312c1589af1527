//! A bar on standard error that shows how far something is, where somebody looks at a terminal.

use std::io::{self, IsTerminal as _, Write as _};

/// A bar; it goes away when it is dropped.
#[derive(Debug)]
pub(crate) struct Bar {
    seen: bool,
    drawn: bool,
}

/// How many characters the bar has.
const WIDTH: u64 = 30;

impl Bar {
    /// A bar that nobody sees where standard error is no terminal.
    pub(crate) fn new() -> Self {
        Self { seen: io::stderr().is_terminal(), drawn: false }
    }

    /// Draws it anew; without a whole there is no bar, only the text.
    pub(crate) fn draw(&mut self, done: u64, whole: Option<u64>, text: &str) {
        if self.seen {
            self.drawn = true;
            drop(write!(io::stderr().lock(), "\r\u{1b}[K{}", line(done, whole, text)));
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if self.drawn {
            drop(write!(io::stderr().lock(), "\r\u{1b}[K"));
        }
    }
}

fn line(done: u64, whole: Option<u64>, text: &str) -> String {
    let Some(whole) = whole.filter(|whole| *whole > 0) else { return text.to_owned() };
    let full = WIDTH * done.min(whole) / whole;
    let part = |length, with: &str| with.repeat(usize::try_from(length).unwrap_or_default());
    format!("[{}{}] {text}", part(full, "#"), part(WIDTH - full, " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_fills_up_to_its_end_and_not_beyond() {
        assert_eq!(line(0, Some(4), "x"), format!("[{}] x", " ".repeat(30)));
        assert_eq!(line(2, Some(4), "x"), format!("[{}{}] x", "#".repeat(15), " ".repeat(15)));
        assert_eq!(line(9, Some(4), "x"), format!("[{}] x", "#".repeat(30)));
        assert_eq!((line(9, None, "x"), line(0, Some(0), "x")), ("x".to_owned(), "x".to_owned()));
    }
}
