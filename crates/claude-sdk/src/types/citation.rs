//! Where a text of the model has its words from.

tagged! {
    /// The place that a piece of text is taken from.
    ///
    /// ```
    /// use claude_sdk::types::{Citation, ContentBlock};
    ///
    /// let block = r#"{"type": "text", "text": "Grass is green.", "citations": [{"type": "char_location",
    ///     "cited_text": "The grass is green.", "document_index": 0, "start_char_index": 0, "end_char_index": 19}]}"#;
    /// if let ContentBlock::Text(block) = serde_json::from_str(block)? {
    ///     for citation in block.citations.iter().flatten() {
    ///         println!("as was said: {:?}", citation.cited_text());
    ///         if let Citation::CharLocation(place) = citation {
    ///             assert_eq!((place.document_index, place.end_char_index), (0, 19));
    ///         }
    ///     }
    /// }
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    Citation {
        /// Characters of a plain text document.
        CharLocation(CharLocation) = "char_location",
        /// Pages of a PDF.
        PageLocation(PageLocation) = "page_location",
        /// Blocks of a document that is made of blocks.
        ContentBlockLocation(ContentBlockLocation) = "content_block_location",
        /// A page found on the web.
        WebSearchResultLocation(WebSearchResultLocation) = "web_search_result_location",
        /// A search result that the request brought.
        SearchResultLocation(SearchResultLocation) = "search_result_location",
    }
}

object! {
    /// Characters of a plain text document.
    ///
    /// Example: [`Citation`](crate::types::Citation).
    CharLocation {
        /// The words themselves.
        cited_text: String,
        /// The place of the document among those of the request, from 0.
        document_index: u64,
        /// The document's title, if it has one.
        document_title: Option<String>,
        /// The first character, from 0.
        start_char_index: u64,
        /// The character after the last.
        end_char_index: u64,
        /// The file that the document is, if it was uploaded.
        file_id: Option<String>,
    }
}

object! {
    /// Pages of a PDF.
    ///
    /// Example: [`Citation`](crate::types::Citation).
    PageLocation {
        /// The words themselves.
        cited_text: String,
        /// The place of the document among those of the request, from 0.
        document_index: u64,
        /// The document's title, if it has one.
        document_title: Option<String>,
        /// The first page, from 1.
        start_page_number: u64,
        /// The page after the last.
        end_page_number: u64,
        /// The file that the document is, if it was uploaded.
        file_id: Option<String>,
    }
}

object! {
    /// Blocks of a document that is made of blocks.
    ///
    /// Example: [`Citation`](crate::types::Citation).
    ContentBlockLocation {
        /// The words themselves.
        cited_text: String,
        /// The place of the document among those of the request, from 0.
        document_index: u64,
        /// The document's title, if it has one.
        document_title: Option<String>,
        /// The first block, from 0.
        start_block_index: u64,
        /// The block after the last.
        end_block_index: u64,
        /// The file that the document is, if it was uploaded.
        file_id: Option<String>,
    }
}

object! {
    /// A page found on the web.
    ///
    /// Example: [`Citation`](crate::types::Citation).
    WebSearchResultLocation {
        /// The words themselves.
        cited_text: String,
        /// The page.
        url: String,
        /// The page's title, if it has one.
        title: Option<String>,
        /// Where on the page, for the service alone; to be sent back as it came.
        encrypted_index: String,
    }
}

object! {
    /// A search result that the request brought.
    ///
    /// Example: [`Citation`](crate::types::Citation).
    SearchResultLocation {
        /// The words themselves.
        cited_text: String,
        /// The place of the result among those of the request, from 0.
        search_result_index: u64,
        /// Where the result is from, as the request said.
        source: String,
        /// The result's title, if it has one.
        title: Option<String>,
        /// The first block, from 0.
        start_block_index: u64,
        /// The block after the last.
        end_block_index: u64,
    }
}

impl Citation {
    /// The words themselves, where the kind of citation is known.
    #[must_use]
    pub fn cited_text(&self) -> Option<&str> {
        match self {
            Self::CharLocation(place) => Some(&place.cited_text),
            Self::PageLocation(place) => Some(&place.cited_text),
            Self::ContentBlockLocation(place) => Some(&place.cited_text),
            Self::WebSearchResultLocation(place) => Some(&place.cited_text),
            Self::SearchResultLocation(place) => Some(&place.cited_text),
            Self::Unknown(_) => None,
        }
    }
}

object! {
    /// Whether the model says where its words are from, for a document, a search result or a tool.
    ///
    /// Example: [`DocumentBlock`](crate::types::DocumentBlock).
    #[derive(Default)]
    Citations {
        /// Whether it does.
        enabled: Option<bool>,
    }
}

impl Citations {
    /// It does.
    #[must_use]
    pub fn enabled() -> Self {
        Self { enabled: Some(true), ..Self::default() }
    }
}

serde_object!(Citations);
