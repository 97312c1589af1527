//! The mails the server sends, which go no further than its own mailbox.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

/// The mailbox keeps this many; older ones make room.
const MAX_MAILS: usize = 100;

/// A mail with the code of a login; its `Debug` output does not show the code.
#[derive(Clone)]
#[non_exhaustive]
pub struct Mail {
    /// Whom it was sent to.
    pub to: String,
    /// The code to be entered on the login page.
    pub code: String,
    /// When it was sent, on the server's own clock since its start.
    pub at: Duration,
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail").field("to", &self.to).field("at", &self.at).finish_non_exhaustive()
    }
}

/// All that arrived, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Mailbox(VecDeque<Mail>);

impl Mailbox {
    pub(crate) fn put(&mut self, mail: Mail) {
        if self.0.len() == MAX_MAILS {
            self.0.pop_front();
        }
        self.0.push_back(mail);
    }

    pub(crate) fn all(&self) -> impl DoubleEndedIterator<Item = &Mail> {
        self.0.iter()
    }
}
