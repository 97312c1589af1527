//! Content that is one text or a list of blocks, and where images and documents come from.

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::block::ContentBlockParam;
use super::wire::{Care, Fit, Json, Misfit, Write};

/// The content of a message, of the system prompt or of a tool's result: one text, or blocks.
///
/// ```
/// use claude_sdk::types::{Content, ImageBlock, Source};
///
/// let content = Content::from("What is in this image?").and(ImageBlock::new(Source::url("https://example.com/a.png")));
/// assert!(matches!(&content, Content::Blocks(blocks) if blocks.len() == 2));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// A single text; short for one text block.
    Text(String),
    /// A list of blocks.
    Blocks(Vec<ContentBlockParam>),
}

impl Content {
    /// All the text in the content, joined without a separator.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Blocks(blocks) => blocks.iter().filter_map(ContentBlockParam::as_text).collect(),
        }
    }
}

impl Content {
    /// Adds a part: text, or any other block. An empty text is left out.
    ///
    /// Files by their path are parts too: see [`attachment`](crate::attachment).
    #[must_use]
    pub fn and(self, part: impl Into<ContentBlockParam>) -> Self {
        let mut blocks = match self {
            Self::Text(text) if text.is_empty() => Vec::new(),
            Self::Text(text) => vec![ContentBlockParam::text(text)],
            Self::Blocks(blocks) => blocks,
        };
        blocks.push(part.into());
        Self::Blocks(blocks)
    }
}

impl From<&str> for Content {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Content {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<ContentBlockParam>> for Content {
    fn from(blocks: Vec<ContentBlockParam>) -> Self {
        Self::Blocks(blocks)
    }
}

impl From<ContentBlockParam> for Content {
    fn from(block: ContentBlockParam) -> Self {
        Self::Blocks(vec![block])
    }
}

impl Write for Content {
    fn json(&self) -> Json<'_> {
        match self {
            Self::Text(text) => text.json(),
            Self::Blocks(blocks) => blocks.json(),
        }
    }
}

impl Serialize for Content {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.json().serialize(serializer)
    }
}

impl Fit for Content {
    fn fits(value: &Value) -> bool {
        value.is_string() || Vec::<ContentBlockParam>::fits(value)
    }

    fn fit(value: Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(Self::Text(text)),
            value => Vec::fit(value).map(Self::Blocks),
        }
    }

    fn shape() -> String {
        "a string or a list".to_owned()
    }

    fn find_misfit(value: &Value, care: Care) -> Option<Misfit> {
        match value {
            Value::String(_) => None,
            Value::Array(_) => Vec::<ContentBlockParam>::misfit(value, care),
            _ => Some(Misfit::kind(value, Self::shape())),
        }
    }
}

object! {
    /// Where the bytes of an image or a document are.
    ///
    /// Which fields are set follows from the kind; the constructors see to that.
    ///
    /// Example: [`DocumentBlock`](crate::types::DocumentBlock).
    Source {
        /// The kind of source.
        kind as "type": SourceKind,
        /// The media type of the data, for [`SourceKind::Base64`] and [`SourceKind::Text`].
        media_type: Option<String>,
        /// The data itself, for [`SourceKind::Base64`] (encoded) and [`SourceKind::Text`].
        data: Option<String>,
        /// The address, for [`SourceKind::Url`].
        url: Option<String>,
        /// The id of an uploaded file, for [`SourceKind::File`].
        file_id: Option<String>,
        /// The text or the blocks, for [`SourceKind::Content`].
        content: Option<Content>,
    }

    fn of(kind: SourceKind);
}

serde_object!(Source);

impl Source {
    /// Data carried in the request, already encoded as Base64 (RFC 4648, section 4).
    #[must_use]
    pub fn base64(media_type: impl Into<String>, data: impl Into<String>) -> Self {
        Self { media_type: Some(media_type.into()), data: Some(data.into()), ..Self::of(SourceKind::Base64) }
    }

    /// Plain text carried in the request; for documents.
    #[must_use]
    pub fn text(data: impl Into<String>) -> Self {
        Self {
            media_type: Some("text/plain".to_owned()),
            data: Some(data.into()),
            ..Self::of(SourceKind::Text)
        }
    }

    /// An address from which the service fetches the data.
    #[must_use]
    pub fn url(url: impl Into<String>) -> Self {
        Self { url: Some(url.into()), ..Self::of(SourceKind::Url) }
    }

    /// A file uploaded before, by its id.
    #[must_use]
    pub fn file(file_id: impl Into<String>) -> Self {
        Self { file_id: Some(file_id.into()), ..Self::of(SourceKind::File) }
    }

    /// Text and images that a document is made of.
    #[must_use]
    pub fn content(content: impl Into<Content>) -> Self {
        Self { content: Some(content.into()), ..Self::of(SourceKind::Content) }
    }
}

open_enum! {
    /// The kinds of source.
    ///
    /// Example: [`DocumentBlock`](crate::types::DocumentBlock).
    SourceKind {
        /// Data in the request, encoded as Base64.
        Base64 = "base64",
        /// Plain text in the request.
        Text = "text",
        /// An address.
        Url = "url",
        /// An uploaded file.
        File = "file",
        /// Text and images, for documents.
        Content = "content",
    }
}
