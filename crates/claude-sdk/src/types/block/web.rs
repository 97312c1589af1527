//! What the service's tools brought from elsewhere: the web, or another model.

use super::DocumentBlock;
use super::tool_use::{Caller, ServerToolError};
use crate::types::cache::CacheControl;

object! {
    /// What a search of the web gave.
    ///
    /// ```
    /// use claude_sdk::types::{BashOutcome, ContentBlock, WebSearchOutcome};
    /// # fn show(block: &ContentBlock) {
    /// match block {
    ///     ContentBlock::WebSearchToolResult(found) => match &found.content {
    ///         WebSearchOutcome::Results(pages) => pages.iter().for_each(|page| println!("{}", page.url)),
    ///         failed => println!("{failed:?}"),
    ///     },
    ///     ContentBlock::BashCodeExecutionToolResult(run) => match &run.content {
    ///         BashOutcome::Result(result) => println!("{}: {}", result.return_code, result.stdout),
    ///         failed => println!("{}", failed.type_name()),
    ///     },
    ///     _ => {}
    /// }
    /// # }
    /// ```
    WebSearchToolResultBlock {
        /// The id of the call.
        tool_use_id: String,
        /// What was found, or why nothing was.
        content: WebSearchOutcome,
        /// Who made the call, if not the model itself.
        caller: Option<Caller>,
        /// Marks the block for the cache; in requests.
        cache_control: Option<CacheControl>,
    }
}

either! {
    /// What was found on the web, or why nothing was.
    ///
    /// Example: [`WebSearchToolResultBlock`](crate::types::WebSearchToolResultBlock).
    WebSearchOutcome {
        /// Pages.
        Results(Vec<WebSearchResult>),
        /// The search failed.
        Failure(WebSearchFailure),
    }
}

tagged! {
    /// Why a search of the web failed.
    ///
    /// Example: [`WebSearchToolResultBlock`](crate::types::WebSearchToolResultBlock).
    WebSearchFailure {
        /// It failed for this reason.
        Error(ServerToolError) = "web_search_tool_result_error",
    }
}

object! {
    /// A page found on the web.
    ///
    /// Example: [`WebSearchToolResultBlock`](crate::types::WebSearchToolResultBlock).
    WebSearchResult {
        /// What kind of object this is: `web_search_result`.
        kind as "type": String,
        /// The address.
        url: String,
        /// The title.
        title: String,
        /// How old the page is, in words.
        page_age: Option<String>,
        /// What it says, for the service alone; to be sent back as it came.
        encrypted_content: String,
    }
}

object! {
    /// What was fetched from the web.
    ///
    /// Example: [`WebSearchToolResultBlock`](crate::types::WebSearchToolResultBlock).
    WebFetchToolResultBlock {
        /// The id of the call.
        tool_use_id: String,
        /// What was fetched, or why nothing was.
        content: WebFetchOutcome,
        /// Who made the call, if not the model itself.
        caller: Option<Caller>,
        /// Marks the block for the cache; in requests.
        cache_control: Option<CacheControl>,
    }
}

tagged! {
    /// What was fetched from the web, or why nothing was.
    ///
    /// Example: [`WebSearchToolResultBlock`](crate::types::WebSearchToolResultBlock).
    WebFetchOutcome {
        /// A page or a file.
        Result(WebFetchResult) = "web_fetch_result",
        /// Nothing, for this reason.
        Error(ServerToolError) = "web_fetch_tool_result_error",
    }
}

object! {
    /// A page or a file fetched from the web.
    ///
    /// Example: [`WebSearchToolResultBlock`](crate::types::WebSearchToolResultBlock).
    WebFetchResult {
        /// The address.
        url: String,
        /// When it was fetched, as RFC 3339 text.
        retrieved_at: Option<String>,
        /// What is there.
        content: Box<WebFetchContent>,
    }
}

tagged! {
    /// What there was at an address.
    ///
    /// Example: [`WebSearchToolResultBlock`](crate::types::WebSearchToolResultBlock).
    #[expect(clippy::large_enum_variant, reason = "it is in a box")]
    WebFetchContent {
        /// A document.
        Document(DocumentBlock) = "document",
    }
}

impl WebFetchResult {
    /// What is there, if it is a document.
    #[must_use]
    pub fn document(&self) -> Option<&DocumentBlock> {
        if let WebFetchContent::Document(document) = &*self.content { Some(document) } else { None }
    }
}

object! {
    /// What another model advised.
    ///
    /// Example: [`WebSearchToolResultBlock`](crate::types::WebSearchToolResultBlock).
    AdvisorToolResultBlock {
        /// The id of the call.
        tool_use_id: String,
        /// The advice, or why there is none.
        content: AdvisorOutcome,
        /// Marks the block for the cache; in requests.
        cache_control: Option<CacheControl>,
    }
}

tagged! {
    /// The advice of another model, or why there is none.
    ///
    /// Example: [`WebSearchToolResultBlock`](crate::types::WebSearchToolResultBlock).
    AdvisorOutcome {
        /// Advice.
        Result(AdvisorAnswer) = "advisor_result",
        /// Advice that only the service can read.
        Redacted(RedactedAdvisorAnswer) = "advisor_redacted_result",
        /// None, for this reason.
        Error(ServerToolError) = "advisor_tool_result_error",
    }
}

object! {
    /// The advice of another model.
    ///
    /// Example: [`WebSearchToolResultBlock`](crate::types::WebSearchToolResultBlock).
    AdvisorAnswer {
        /// The advice.
        text: String,
        /// Why that model stopped.
        stop_reason: Option<String>,
    }
}

object! {
    /// Advice that only the service can read; to be sent back as it came.
    ///
    /// Example: [`WebSearchToolResultBlock`](crate::types::WebSearchToolResultBlock).
    RedactedAdvisorAnswer {
        /// The advice, encrypted.
        encrypted_content: String,
        /// Why that model stopped.
        stop_reason: Option<String>,
    }
}

serde_object!(WebSearchResult);
