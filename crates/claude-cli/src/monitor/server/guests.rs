use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio::task::JoinHandle;

/// How many may be connected at once.
const PLACES: usize = 64;

/// Who is connected, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Guests(VecDeque<Guest>);

#[derive(Debug)]
struct Guest {
    /// Whether the head of its request has come, all of it.
    has_asked: Arc<AtomicBool>,
    connection: JoinHandle<()>,
}

impl Guests {
    /// Whether there is a place for one more. Where all are taken, whoever came first and has asked nothing yet is hung up on: to
    /// connect and say nothing keeps nobody out.
    pub(super) fn make_room(&mut self) -> bool {
        self.0.retain(|guest| !guest.connection.is_finished());
        if self.0.len() < PLACES {
            return true;
        }
        let silent = self.0.iter().position(|guest| !guest.has_asked.load(Ordering::Relaxed));
        let silent = silent.and_then(|index| self.0.remove(index));
        silent.inspect(|guest| guest.connection.abort()).is_some()
    }

    /// Gives it a place, and what it says by that it was asked.
    pub(super) fn seat(&mut self, connect: impl FnOnce(Arc<AtomicBool>) -> JoinHandle<()>) {
        let has_asked = Arc::<AtomicBool>::default();
        self.0.push_back(Guest { connection: connect(Arc::clone(&has_asked)), has_asked });
    }
}
