//! What is added to a block while it is streamed.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::types::{Field, Fit};

/// What is added to a block.
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
        /// The citation, as it came.
        citation: Value,
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
            Self::Unknown(members) => members.get("type").and_then(Value::as_str).unwrap_or_default(),
        }
    }
}

impl From<Map<String, Value>> for Delta {
    fn from(mut members: Map<String, Value>) -> Self {
        let known = match members.get("type").and_then(Value::as_str) {
            Some("text_delta") => {
                Field::take(&mut members, "text").map(|text| Self::Text { text, extra: Map::new() })
            }
            Some("input_json_delta") => Field::take(&mut members, "partial_json")
                .map(|partial_json| Self::InputJson { partial_json, extra: Map::new() }),
            Some("thinking_delta") => Field::take(&mut members, "thinking")
                .map(|thinking| Self::Thinking { thinking, extra: Map::new() }),
            Some("signature_delta") => Field::take(&mut members, "signature")
                .map(|signature| Self::Signature { signature, extra: Map::new() }),
            Some("citations_delta") => Field::take(&mut members, "citation")
                .map(|citation| Self::Citations { citation, extra: Map::new() }),
            _ => return Self::Unknown(members),
        };
        let Ok(mut delta) = known else { return Self::Unknown(members) };
        members.remove("type");
        if let Self::Text { extra, .. }
        | Self::InputJson { extra, .. }
        | Self::Thinking { extra, .. }
        | Self::Signature { extra, .. }
        | Self::Citations { extra, .. } = &mut delta
        {
            *extra = members;
        }
        delta
    }
}

impl Fit for Delta {
    fn fits(value: &Value) -> bool {
        value.is_object()
    }

    fn fit(value: Value) -> Option<Self> {
        if let Value::Object(members) = value { Some(Self::from(members)) } else { None }
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
            Self::Thinking { thinking, extra } => {
                map.serialize_entry("thinking", thinking)?;
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
            Self::Unknown(members) => members,
        };
        for (name, value) in rest {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}
