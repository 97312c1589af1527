//! Answers that are decided and do not leave yet.

use std::fmt;
use std::sync::Arc;

use tokio::sync::watch;

use crate::state::State;

/// The answers of one path, held back until this is dropped; see
/// [`MockServer::hold_answers`](crate::MockServer::hold_answers).
#[must_use = "the answers leave when this is dropped"]
pub struct HeldAnswers {
    state: Arc<State>,
    path: String,
}

impl HeldAnswers {
    pub(crate) fn new(state: Arc<State>, path: String) -> Self {
        state.gate.0.send_modify(|held| held.push(path.clone()));
        Self { state, path }
    }
}

impl Drop for HeldAnswers {
    fn drop(&mut self) {
        self.state.gate.0.send_modify(|held| {
            if let Some(mine) = held.iter().position(|path| *path == self.path) {
                held.swap_remove(mine);
            }
        });
    }
}

impl fmt::Debug for HeldAnswers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeldAnswers").field("path", &self.path).finish_non_exhaustive()
    }
}

/// The paths whose answers are held back, once for each that holds them.
#[derive(Debug, Default)]
pub(crate) struct Gate(watch::Sender<Vec<String>>);

impl Gate {
    /// Waits until nobody holds back the answers of `path`.
    pub(crate) async fn pass(&self, path: &str) {
        if self.0.borrow().is_empty() {
            return;
        }
        // It fails only when the sender is gone, which is this.
        let _ = self.0.subscribe().wait_for(|held| !held.iter().any(|other| other == path)).await;
    }
}
