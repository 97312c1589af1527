//! What reads a disk before anything is tried: it may stand still, which is to be said.

use std::{path::Path, time::Duration};

use anyhow::bail;
use claude_sdk::transport::Clock;

/// How long it may take. To look through a file takes two seconds at most, and another process may have it for two; a disk that sleeps
/// takes some to wake up.
const PATIENCE: Duration = Duration::from_secs(15);

/// Does `work` with the history, which has a thread for it.
pub(super) async fn in_time<T: Send + 'static>(
    history: &Path,
    clock: &dyn Clock,
    work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
) -> anyhow::Result<T> {
    tokio::select! {
        done = tokio::task::spawn_blocking(work) => done?,
        () = clock.sleep(PATIENCE) => bail!(
            "the history {} could not be opened within {} s: its disk does not answer; look what has become of that (`df` stops there \
             too), or give another place with --history",
            history.display(),
            PATIENCE.as_secs()
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::{super::held::Held, *};

    #[tokio::test]
    async fn a_disk_that_stands_still_is_told_of_and_not_waited_for() {
        let clock = Held::default();
        let path = Path::new("/dead/history");
        assert_eq!(in_time(path, &clock, || Ok(5)).await.unwrap(), 5);
        // As long as the test lives, nothing comes of it.
        let (wakes, sleeps) = channel::<()>();
        let opening = in_time(path, &clock, move || Ok(sleeps.recv()?));
        let waiting = async {
            while clock.sleepers() == 0 {
                tokio::task::yield_now().await;
            }
            clock.advance(PATIENCE);
        };
        let told = tokio::join!(opening, waiting).0.unwrap_err().to_string();
        assert!(told.starts_with("the history /dead/history could not be opened within 15 s"), "{told}");
        drop(wakes);
    }
}
