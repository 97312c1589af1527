//! Being asked to end: Ctrl-C, and on Unix also the signals of a system that shuts down or a terminal that goes away.

use std::io;

use crate::console::Ending;

/// Which request to end it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Request {
    /// Ctrl-C.
    Interrupt,
    /// The system, or another program.
    #[cfg(unix)]
    Terminate,
    /// The terminal went away.
    #[cfg(unix)]
    HangUp,
}

impl Request {
    /// How a command ends that was asked to before its time; `left` says what it left behind.
    pub(crate) fn ending(self, left: &str) -> Ending {
        Ending { status: self.status(), told: format!("interrupted; {left}") }
    }

    /// The exit status that shells and their scripts know it by: 128 and the signal's number.
    fn status(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            #[cfg(unix)]
            Self::Terminate => 143,
            #[cfg(unix)]
            Self::HangUp => 129,
        }
    }
}

/// Does `work`, unless the program is asked to end before: then `flush` brings a renewal that had begun to its end,
/// because a refresh token that was sent is used up, and what it gave has to be stored.
pub(crate) async fn unless_interrupted<T>(
    flush: impl Future<Output = bool>,
    work: impl Future<Output = T>,
) -> anyhow::Result<T> {
    tokio::select! {
        biased;
        request = interrupted() => {
            let request = request?;
            let left = if flush.await { "nothing is left half done" } else { "a renewal had begun and did not end" };
            Err(request.ending(left).into())
        }
        done = work => Ok(done),
    }
}

/// The same, for work that can go on: `left` says how.
pub(crate) async fn unless_interrupted_leaving<T>(
    flush: impl Future<Output = bool>,
    work: impl Future<Output = T>,
    left: &str,
) -> anyhow::Result<T> {
    tokio::select! {
        biased;
        request = interrupted() => {
            let request = request?;
            flush.await;
            Err(request.ending(left).into())
        }
        done = work => Ok(done),
    }
}

/// Waits for the first request to end. From its first poll on, the program is no longer ended by the signal itself.
#[cfg(unix)]
pub(crate) async fn interrupted() -> io::Result<Request> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result.map(|()| Request::Interrupt),
        _ = terminate.recv() => Ok(Request::Terminate),
        _ = hang_up.recv() => Ok(Request::HangUp),
    }
}

/// Waits for Ctrl-C.
#[cfg(not(unix))]
pub(crate) async fn interrupted() -> io::Result<Request> {
    tokio::signal::ctrl_c().await.map(|()| Request::Interrupt)
}
