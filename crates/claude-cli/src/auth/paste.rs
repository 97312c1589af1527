//! What is pasted into standard input.

use std::{
    io::{self, BufRead, Read},
    thread,
};

use async_trait::async_trait;
use claude_sdk::{auth_core::CallbackErrorKind, login::Paste};
use secrecy::{SecretString, zeroize::Zeroizing};
use tokio::sync::{Mutex, mpsc};

use crate::console::tell;

/// The longest line that is read, in bytes: an address with a code in it.
const LONGEST: u64 = 16 * 1024;

/// The lines of an input, one at a time.
///
/// They are read on a thread of their own, which nobody waits for: a read cannot be given up.
#[derive(Debug)]
pub(super) struct Lines(Mutex<mpsc::Receiver<SecretString>>);

impl Lines {
    /// The lines of standard input.
    pub(super) fn of_stdin() -> Self {
        let (send, lines) = mpsc::channel(1);
        thread::spawn(move || read(io::stdin().lock(), &send));
        Self(Mutex::new(lines))
    }
}

#[async_trait]
impl Paste for Lines {
    async fn next(&self) -> Option<SecretString> {
        self.0.lock().await.recv().await
    }

    fn refused(&self, reason: &CallbackErrorKind) {
        tell(format!("what was pasted is not the answer to this login ({reason}); paste the whole of it"));
    }
}

/// Sends each line that is not empty, until the input ends, is too long, or nobody listens.
fn read(mut input: impl BufRead, lines: &mpsc::Sender<SecretString>) {
    loop {
        let mut line = Zeroizing::new(String::new());
        match (&mut input).take(LONGEST).read_line(&mut line) {
            Ok(length) if length > 0 => {}
            _ => return,
        }
        let text = line.trim();
        if !text.is_empty() && lines.blocking_send(text.into()).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn lines_of(input: impl BufRead) -> Vec<String> {
        let (send, mut lines) = mpsc::channel(8);
        read(input, &send);
        drop(send);
        std::iter::from_fn(|| lines.blocking_recv()).map(|line| line.expose_secret().to_owned()).collect()
    }

    #[test]
    fn lines_are_what_was_pasted_and_nothing_around_it() {
        assert_eq!(lines_of(&b"\n  code#state \r\n\n\nagain"[..]), ["code#state", "again"]);
    }

    #[test]
    fn what_is_no_text_ends_the_input() {
        assert_eq!(lines_of(&b"one\n\xff\xfe\ntwo\n"[..]), ["one"]);
    }

    #[test]
    fn a_line_without_end_is_read_in_pieces() {
        let (send, mut lines) = mpsc::channel(1);
        let reading = thread::spawn(move || read(io::BufReader::new(io::repeat(b'a')), &send));
        assert_eq!(lines.blocking_recv().unwrap().expose_secret().len(), 16 * 1024);
        drop(lines);
        reading.join().unwrap();
    }
}
