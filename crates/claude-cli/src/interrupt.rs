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
        Ending { status: self.status(), kind: "interrupted", told: format!("interrupted; {left}") }
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

/// Does `work` that changes nothing elsewhere, unless the program is asked to end before: then `flush` brings a renewal that had
/// begun to its end, because a refresh token that was sent is used up, and what it gave has to be stored.
pub(crate) async fn unless_interrupted<T>(
    flush: impl Future<Output = bool>,
    work: impl Future<Output = T>,
) -> anyhow::Result<T> {
    let left =
        |flushed| if flushed { "nothing is left half done" } else { "a renewal had begun and did not end" };
    or_ending(flush, work, left).await
}

/// The same, for a request that the service may have done although nobody heard its answer.
pub(crate) async fn unless_interrupted_asking<T>(
    flush: impl Future<Output = bool>,
    work: impl Future<Output = T>,
) -> anyhow::Result<T> {
    let left = |flushed| match flushed {
        true => "what was under way may have been done all the same; look before you ask for it again",
        false => {
            "what was under way may have been done all the same, and a renewal had begun and did not end"
        }
    };
    or_ending(flush, work, left).await
}

/// The same, for work that can go on: `left` says how.
pub(crate) async fn unless_interrupted_leaving<T>(
    flush: impl Future<Output = bool>,
    work: impl Future<Output = T>,
    left: impl FnOnce() -> &'static str,
) -> anyhow::Result<T> {
    or_ending(flush, work, |_| left()).await
}

async fn or_ending<T>(
    flush: impl Future<Output = bool>,
    work: impl Future<Output = T>,
    left: impl FnOnce(bool) -> &'static str,
) -> anyhow::Result<T> {
    tokio::select! {
        biased;
        request = interrupted() => {
            let request = request?;
            let flushed = flush.await;
            Err(request.ending(left(flushed)).into())
        }
        done = work => Ok(done),
    }
}

/// Waits for the first request to end. From its first poll on, the program is no longer ended by the signal itself. Whoever
/// started the program may have it ignore a signal, as `nohup` does: that stays so.
#[cfg(unix)]
pub(crate) async fn interrupted() -> io::Result<Request> {
    use tokio::signal::unix::{SignalKind, signal};

    let ignored = ignored();
    let heeded = |kind: SignalKind| {
        let is_ignored = ignored >> (kind.as_raw_value() - 1) & 1 == 1;
        (!is_ignored).then(|| signal(kind)).transpose()
    };
    let mut interrupt = heeded(SignalKind::interrupt())?;
    let mut hang_up = heeded(SignalKind::hangup())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        () = received(interrupt.as_mut()) => Ok(Request::Interrupt),
        () = received(hang_up.as_mut()) => Ok(Request::HangUp),
        _ = terminate.recv() => Ok(Request::Terminate),
    }
}

#[cfg(unix)]
async fn received(signal: Option<&mut tokio::signal::unix::Signal>) {
    match signal {
        Some(signal) => drop(signal.recv().await),
        None => std::future::pending().await,
    }
}

/// The signals that this program ignores, a bit for each from the first on. Only Linux tells; elsewhere none counts as ignored.
#[cfg(unix)]
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
}

/// Waits for Ctrl-C.
#[cfg(not(unix))]
pub(crate) async fn interrupted() -> io::Result<Request> {
    tokio::signal::ctrl_c().await.map(|()| Request::Interrupt)
}
