//! Images, documents, search results and files.

use super::ContentBlockParam;
use crate::types::cache::CacheControl;
use crate::types::citation::Citations;
use crate::types::content::Source;

object! {
    /// An image.
    ///
    /// Example: [`DocumentBlock`](crate::types::DocumentBlock).
    ImageBlock {
        /// Where the image is.
        source: Source,
        /// What the service does to an image that does not suit it.
        transformations: Option<ImageTransformations>,
        /// Marks the block for the cache.
        cache_control: Option<CacheControl>,
    }

    /// The image there.
    pub fn new(source: impl Into<Source>);
}

setters! { ImageBlock { cache_control: CacheControl, transformations: ImageTransformations, } }

object! {
    /// What the service does to an image that does not suit it.
    ///
    /// Example: [`DocumentBlock`](crate::types::DocumentBlock).
    #[derive(Default)]
    ImageTransformations {
        /// What happens to an image that is too large.
        oversized_image: Option<OversizedImage>,
    }
}

setters! { ImageTransformations { oversized_image: OversizedImage, } }

open_enum! {
    /// What happens to an image that is too large.
    ///
    /// Example: [`DocumentBlock`](crate::types::DocumentBlock).
    OversizedImage {
        /// It is made smaller.
        Downsize = "downsize",
        /// The request is refused.
        Error = "error",
    }
}

object! {
    /// A document.
    ///
    /// ```
    /// use claude_sdk::types::{Citations, ContentBlockParam, DocumentBlock, ImageBlock, MessageRequest, Model, Source};
    ///
    /// let blocks: Vec<ContentBlockParam> = vec![
    ///     DocumentBlock::new(Source::file("file_1")).title("Contract").citations(Citations::enabled()).into(),
    ///     ImageBlock::new(Source::url("https://example.com/photo.png")).into(),
    ///     ContentBlockParam::text("Does the contract cover what the photo shows?"),
    /// ];
    /// let request = MessageRequest::new(Model::CLAUDE_SONNET_5_5, 100).user(blocks);
    /// ```
    DocumentBlock {
        /// Where the document is.
        source: Source,
        /// Its title, for the model.
        title: Option<String>,
        /// What the model should know about it.
        context: Option<String>,
        /// Whether the model says what it takes from it.
        citations: Option<Citations>,
        /// Marks the block for the cache.
        cache_control: Option<CacheControl>,
    }

    /// The document there.
    pub fn new(source: impl Into<Source>);
}

setters! {
    DocumentBlock {
        title: impl Into<String>,
        context: impl Into<String>,
        citations: Citations,
        cache_control: CacheControl,
    }
}

object! {
    /// Something found by a search of your own.
    ///
    /// Example: [`DocumentBlock`](crate::types::DocumentBlock).
    SearchResultBlock {
        /// Where it is from: an address, or any name.
        source: String,
        /// Its title.
        title: String,
        /// What it says, as blocks of text.
        content: Vec<ContentBlockParam>,
        /// Whether the model says what it takes from it.
        citations: Option<Citations>,
        /// Marks the block for the cache.
        cache_control: Option<CacheControl>,
    }

    /// A result with what it says, as blocks of text.
    pub fn new(source: impl Into<String>, title: impl Into<String>, content: Vec<ContentBlockParam>);
}

setters! { SearchResultBlock { citations: Citations, cache_control: CacheControl, } }

object! {
    /// A file in the container where code runs.
    ///
    /// Example: [`DocumentBlock`](crate::types::DocumentBlock).
    ContainerUploadBlock {
        /// The id of the uploaded file.
        file_id: String,
        /// Marks the block for the cache; in requests.
        cache_control: Option<CacheControl>,
    }

    /// The uploaded file of this id.
    pub fn new(file_id: impl Into<String>);
}

serde_object!(ImageTransformations);
