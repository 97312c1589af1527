//! How a browser stands after a tool has used it.

use crate::types::cache::CacheControl;

object! {
    /// How a browser stands; in the answer of a browser tool.
    ///
    /// ```
    /// use claude_sdk::types::{BrowserStateBlock, BrowserTab, ContentBlockParam, ToolResultBlock};
    ///
    /// let state = BrowserStateBlock::new(vec![BrowserTab::new("1", "Example", "https://example.com").active(true)]);
    /// let answer = ToolResultBlock::new("toolu_1").toolset_name("browser").content(ContentBlockParam::from(state));
    /// ```
    BrowserStateBlock {
        /// Its tabs.
        tabs: Vec<BrowserTab>,
        /// What has happened since the last answer.
        state_changes: Option<Vec<BrowserChange>>,
        /// Marks the block for the cache.
        cache_control: Option<CacheControl>,
    }

    /// A browser with these tabs.
    pub fn new(tabs: Vec<BrowserTab>);
}

setters! { BrowserStateBlock { state_changes: Vec<BrowserChange>, cache_control: CacheControl, } }

object! {
    /// A tab of a browser.
    ///
    /// Example: [`BrowserStateBlock`](crate::types::BrowserStateBlock).
    BrowserTab {
        /// The name that tools call it by.
        tab_id: String,
        /// The title of its page.
        title: String,
        /// The address of its page.
        url: String,
        /// Whether it is the one in front.
        active: Option<bool>,
    }

    /// A tab and its page.
    pub fn new(tab_id: impl Into<String>, title: impl Into<String>, url: impl Into<String>);
}

setters! { BrowserTab { active: bool, } }

tagged! {
    /// Something that happened in a browser.
    ///
    /// Example: [`BrowserStateBlock`](crate::types::BrowserStateBlock).
    BrowserChange {
        /// A tab was opened.
        TabOpened(TabOpened) = "tab_opened",
        /// A download began.
        DownloadStarted(DownloadStarted) = "download_started",
        /// A download is complete.
        DownloadCompleted(DownloadCompleted) = "download_completed",
        /// A download failed.
        DownloadFailed(DownloadFailed) = "download_failed",
    }
}

object! {
    /// A tab was opened.
    ///
    /// Example: [`BrowserStateBlock`](crate::types::BrowserStateBlock).
    TabOpened {
        /// The tab.
        tab_id: String,
    }

    /// This tab was opened.
    pub fn new(tab_id: impl Into<String>);
}

object! {
    /// A download began.
    ///
    /// Example: [`BrowserStateBlock`](crate::types::BrowserStateBlock).
    DownloadStarted {
        /// The download.
        download_id: String,
        /// What is downloaded.
        url: String,
    }

    /// This download began.
    pub fn new(download_id: impl Into<String>, url: impl Into<String>);
}

object! {
    /// A download is complete.
    ///
    /// Example: [`BrowserStateBlock`](crate::types::BrowserStateBlock).
    DownloadCompleted {
        /// The download.
        download_id: String,
        /// What was downloaded.
        url: String,
        /// Where the file is.
        path: Option<String>,
        /// How large it is.
        size_bytes: Option<u64>,
    }

    /// This download is complete.
    pub fn new(download_id: impl Into<String>, url: impl Into<String>);
}

setters! { DownloadCompleted { path: impl Into<String>, size_bytes: u64, } }

object! {
    /// A download failed.
    ///
    /// Example: [`BrowserStateBlock`](crate::types::BrowserStateBlock).
    DownloadFailed {
        /// The download.
        download_id: String,
        /// What was downloaded.
        url: String,
        /// What went wrong.
        error: Option<String>,
    }

    /// This download failed.
    pub fn new(download_id: impl Into<String>, url: impl Into<String>);
}

setters! { DownloadFailed { error: impl Into<String>, } }

serde_object!(BrowserTab);
