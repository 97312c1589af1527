//! What is added to a block while it is streamed.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::types::{Citation, Field, Fit, Misfit};

/// What is added to a block.
///
/// Example: [`Accumulator`](crate::stream::Accumulator).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Delta {
    /// More text.
    #[non_exhaustive]
    Text {
        /// The text to append.
        text: String,
        /// The members that have no field here.
        extra: Map<String, Value>,
    },
    /// More of the arguments of a tool call.
    #[non_exhaustive]
    InputJson {
        /// The JSON text to append; it need not end where a token of JSON ends.
        partial_json: String,
        /// The members that have no field here.
        extra: Map<String, Value>,
    },
    /// More thinking.
    #[non_exhaustive]
    Thinking {
        /// The thinking to append.
        thinking: String,
        /// About how many tokens of thinking there are so far, where the thinking itself is not shown; a beta.
        estimated_tokens: Option<u64>,
        /// The members that have no field here.
        extra: Map<String, Value>,
    },
    /// The signature of the thinking.
    #[non_exhaustive]
    Signature {
        /// The whole signature.
        signature: String,
        /// The members that have no field here.
        extra: Map<String, Value>,
    },
    /// One more citation.
    #[non_exhaustive]
    Citations {
        /// The citation.
        citation: Citation,
        /// The members that have no field here.
        extra: Map<String, Value>,
    },
    /// What stands for the conversation before it; a beta.
    #[non_exhaustive]
    Compaction {
        /// The whole summary, if it may be read.
        content: Option<String>,
        /// The whole summary for the service alone.
        encrypted_content: Option<String>,
        /// The members that have no field here.
        extra: Map<String, Value>,
    },
    /// A delta of a type that is not known here, or not of the shape known here: all its members.
    Unknown(Map<String, Value>),
}

impl Delta {
    /// The value of the member `type`; empty where an unknown delta has none.
    #[must_use]
    pub fn type_name(&self) -> &str {
        match self {
            Self::Text { .. } => "text_delta",
            Self::InputJson { .. } => "input_json_delta",
            Self::Thinking { .. } => "thinking_delta",
            Self::Signature { .. } => "signature_delta",
            Self::Citations { .. } => "citations_delta",
            Self::Compaction { .. } => "compaction_delta",
            Self::Unknown(members) => members.get("type").and_then(Value::as_str).unwrap_or_default(),
        }
    }
}

impl From<Map<String, Value>> for Delta {
    fn from(mut members: Map<String, Value>) -> Self {
        let Some(Ok(mut delta)) = Self::known(&mut members) else { return Self::Unknown(members) };
        members.remove("type");
        if let Self::Text { extra, .. }
        | Self::InputJson { extra, .. }
        | Self::Thinking { extra, .. }
        | Self::Signature { extra, .. }
        | Self::Citations { extra, .. }
        | Self::Compaction { extra, .. } = &mut delta
        {
            *extra = members;
        }
        delta
    }
}

impl Delta {
    /// Takes what it knows out of the members; they stay as they are where they are not of a known shape.
    fn known(members: &mut Map<String, Value>) -> Option<Result<Self, Misfit>> {
        let extra = Map::new();
        Some(match members.get("type").and_then(Value::as_str)? {
            "text_delta" => Field::take(members, "text").map(|text| Self::Text { text, extra }),
            "input_json_delta" => Field::take(members, "partial_json")
                .map(|partial_json| Self::InputJson { partial_json, extra }),
            "thinking_delta" => Field::take(members, "thinking").and_then(|thinking| {
                let estimated_tokens = Field::take(members, "estimated_tokens")?;
                Ok(Self::Thinking { thinking, estimated_tokens, extra })
            }),
            "signature_delta" => {
                Field::take(members, "signature").map(|signature| Self::Signature { signature, extra })
            }
            "citations_delta" => {
                Field::take(members, "citation").map(|citation| Self::Citations { citation, extra })
            }
            "compaction_delta" => Field::take(members, "content").and_then(|content| {
                let encrypted_content = Field::take(members, "encrypted_content")?;
                Ok(Self::Compaction { content, encrypted_content, extra })
            }),
            _ => return None,
        })
    }
}

/// What keeps members from being a delta that is known here.
pub(super) fn misfit(members: &Map<String, Value>) -> String {
    if let Some(Err(misfit)) = Delta::known(&mut members.clone()) {
        return misfit.within("delta").to_string();
    }
    let kind = members.get("type").and_then(Value::as_str).unwrap_or_default();
    let kind: String = kind.chars().take(LONGEST_TYPE).collect();
    format!("`delta.type` is {kind:?}, which is not known here")
}

/// The longest part of an unknown type that is told, in characters.
const LONGEST_TYPE: usize = 64;

impl Fit for Delta {
    fn fits(value: &Value) -> bool {
        value.is_object()
    }

    fn fit(value: Value) -> Option<Self> {
        if let Value::Object(members) = value { Some(Self::from(members)) } else { None }
    }

    fn shape() -> String {
        "an object".to_owned()
    }
}

impl Serialize for Delta {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if !matches!(self, Self::Unknown(_)) {
            map.serialize_entry("type", self.type_name())?;
        }
        let rest = match self {
            Self::Text { text, extra } => {
                map.serialize_entry("text", text)?;
                extra
            }
            Self::InputJson { partial_json, extra } => {
                map.serialize_entry("partial_json", partial_json)?;
                extra
            }
            Self::Thinking { thinking, estimated_tokens, extra } => {
                map.serialize_entry("thinking", thinking)?;
                if let Some(tokens) = estimated_tokens {
                    map.serialize_entry("estimated_tokens", tokens)?;
                }
                extra
            }
            Self::Signature { signature, extra } => {
                map.serialize_entry("signature", signature)?;
                extra
            }
            Self::Citations { citation, extra } => {
                map.serialize_entry("citation", citation)?;
                extra
            }
            Self::Compaction { content, encrypted_content, extra } => {
                if let Some(content) = content {
                    map.serialize_entry("content", content)?;
                }
                if let Some(content) = encrypted_content {
                    map.serialize_entry("encrypted_content", content)?;
                }
                extra
            }
            Self::Unknown(members) => members,
        };
        for (name, value) in rest {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}
