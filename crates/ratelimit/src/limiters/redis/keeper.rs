//! What a process does beside its callers: it tells the server what it owes, and tries it again when it is gone.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::runtime::Handle;

use super::{
    desk::{Desk, Want},
    health::PAUSE,
    server::Trouble,
};
use crate::{Key, limiters::race::first};

/// How long news may gather.
const GATHER: Duration = Duration::from_millis(5);

/// How long the server may take to be connected to again.
const CONNECTION: Duration = Duration::from_secs(1);

/// After how long a block that is not used goes back, and how often that is looked at.
const UNUSED: Duration = Duration::from_secs(1);

impl Desk {
    /// Sees to it that somebody looks after this desk.
    pub(super) fn keep(self: &Arc<Self>) {
        if self.has_keeper.load(Ordering::Acquire) {
            return;
        }
        let Ok(runtime) = Handle::try_current() else { return };
        if !self.has_keeper.swap(true, Ordering::AcqRel) {
            runtime.spawn(look_after(Arc::downgrade(self)));
        }
    }

    /// Tells the server everything.
    pub(super) async fn give_back_all(self: &Arc<Self>) -> Result<(), Trouble> {
        self.return_blocks(None);
        self.tell().await
    }

    async fn tell(self: &Arc<Self>) -> Result<(), Trouble> {
        for account in self.accounts() {
            let now = self.now();
            let has_news = {
                let mut books = account.books();
                let late = books.close_late(now);
                books.correct(late);
                books.has_news(now)
            };
            if has_news {
                match self.ask(&account, Want::Nothing, self.settings.patience).await {
                    Err(trouble @ Trouble::Server(_)) => return Err(trouble),
                    // The others are told all the same.
                    Err(Trouble::Key(_)) | Ok(_) => {}
                }
            }
        }
        Ok(())
    }

    /// Returns the blocks that have not been used for this long.
    fn return_blocks(&self, unused: Option<Duration>) {
        let Some(before) = self.timer.now().checked_sub(unused.unwrap_or_default()) else { return };
        for account in self.accounts() {
            let mut books = account.books();
            if u128::from(books.used_at) <= before.as_nanos() {
                let block = std::mem::take(&mut books.block);
                books.correct(block);
            }
        }
    }

    /// Asks whether the server is back: connected again, and fast again.
    async fn try_again(self: &Arc<Self>) -> Option<()> {
        let outage = self.health.outage()?;
        let account = self.account(&Key::from(Arc::clone(&outage.key)));
        // Without room for that key, any other one tells as well whether the server is there.
        let account = account.or_else(|| self.accounts().into_iter().next())?;
        self.ask(&account, Want::Nothing, CONNECTION).await.ok()?;
        self.ask(&account, Want::Nothing, self.settings.patience).await.ok()?;
        self.health.recover(self.now());
        Some(())
    }
}

/// Ends with the desk.
async fn look_after(desk: Weak<Desk>) {
    let _gone = Gone(Weak::clone(&desk));
    loop {
        let Some(desk) = desk.upgrade() else { return };
        if desk.health.outage().is_some() {
            desk.timer.sleep(PAUSE).await;
            desk.try_again().await;
            continue;
        }
        first(desk.news.notified(), desk.timer.sleep(UNUSED)).await;
        desk.timer.sleep(GATHER).await;
        desk.return_blocks(Some(UNUSED));
        // Whether the server has gone is known by now.
        let _ = desk.tell().await;
    }
}

/// The next caller finds that nobody looks after the desk any more, if the runtime has ended.
struct Gone(Weak<Desk>);

impl Drop for Gone {
    fn drop(&mut self) {
        if let Some(desk) = self.0.upgrade() {
            let has_keeper: &AtomicBool = &desk.has_keeper;
            has_keeper.store(false, Ordering::Release);
        }
    }
}
