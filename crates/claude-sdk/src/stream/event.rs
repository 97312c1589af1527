//! The events of a streamed reply.

use std::borrow::Cow;

use serde::de::Error as _;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::delta::Delta;
use super::plain;
use crate::types::{
    ContentBlock, ContextManagementReport, ErrorBody, Field, InputTransformation, Message, MessageChange,
    Misfit, UsageDelta, members_in,
};

/// One event of a streamed reply.
///
/// Example: [`Accumulator`](crate::stream::Accumulator).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// The reply begins.
    #[non_exhaustive]
    MessageStart {
        /// The message as it stands: without content yet.
        message: Box<Message>,
        /// The members that have no field here.
        extra: Map<String, Value>,
    },
    /// A block begins.
    #[non_exhaustive]
    ContentBlockStart {
        /// The place of the block in the message, from 0.
        index: usize,
        /// The block as it stands: mostly empty yet.
        block: Box<ContentBlock>,
        /// The members that have no field here.
        extra: Map<String, Value>,
    },
    /// A block grows.
    #[non_exhaustive]
    ContentBlockDelta {
        /// The place of the block in the message.
        index: usize,
        /// What is added.
        delta: Delta,
        /// The members that have no field here.
        extra: Map<String, Value>,
    },
    /// A block is complete.
    #[non_exhaustive]
    ContentBlockStop {
        /// The place of the block in the message.
        index: usize,
        /// The members that have no field here.
        extra: Map<String, Value>,
    },
    /// The message itself changes: why the model stopped, what the request cost.
    #[non_exhaustive]
    MessageDelta {
        /// What changes; `delta` in JSON.
        change: Box<MessageChange>,
        /// What the request has cost so far.
        usage: Option<Box<UsageDelta>>,
        /// What the service has left out of the conversation.
        context_management: Option<ContextManagementReport>,
        /// What the service has changed in the request, if another model has taken over since.
        input_transformations: Option<Vec<InputTransformation>>,
        /// The members that have no field here.
        extra: Map<String, Value>,
    },
    /// The reply is complete.
    #[non_exhaustive]
    MessageStop {
        /// The members that have no field here.
        extra: Map<String, Value>,
    },
    /// The service is still there.
    #[non_exhaustive]
    Ping {
        /// The members that have no field here.
        extra: Map<String, Value>,
    },
    /// The service gives up on the reply.
    Error(ErrorBody),
    /// An event of a name that is not known here.
    #[non_exhaustive]
    Unknown {
        /// The name; empty where the event has none.
        name: String,
        /// The data; a string with the data as text where they are not JSON.
        data: Value,
    },
}

impl Event {
    /// Reads the data of a server-sent event; its name decides what they are, or their `type` where it was given none.
    ///
    /// # Errors
    ///
    /// The event is known by its name, and the data are not JSON or lack what such an event cannot do without. An
    /// unknown event is never an error.
    pub fn parse(name: &str, data: &str) -> Result<Self, serde_json::Error> {
        if name == "content_block_delta"
            && let Some((index, delta)) = plain::delta(data)
        {
            return Ok(Self::ContentBlockDelta { index, delta, extra: Map::new() });
        }
        let name = &*named(name, data);
        let read = match name {
            "message_start" => Self::message_start,
            "content_block_start" => Self::content_block_start,
            "content_block_delta" => Self::content_block_delta,
            "content_block_stop" => Self::content_block_stop,
            "message_delta" => Self::message_delta,
            "message_stop" => |extra| Ok(Self::MessageStop { extra }),
            "ping" => |extra| Ok(Self::Ping { extra }),
            "error" => return serde_json::from_str(data).map(Self::Error),
            _ => {
                let data = data.parse().unwrap_or_else(|_| Value::from(data));
                return Ok(Self::Unknown { name: name.to_owned(), data });
            }
        };
        let mut members = members_in(data)?;
        members.remove("type");
        read(members).map_err(serde_json::Error::custom)
    }

    /// The name of the event.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::MessageStart { .. } => "message_start",
            Self::ContentBlockStart { .. } => "content_block_start",
            Self::ContentBlockDelta { .. } => "content_block_delta",
            Self::ContentBlockStop { .. } => "content_block_stop",
            Self::MessageDelta { .. } => "message_delta",
            Self::MessageStop { .. } => "message_stop",
            Self::Ping { .. } => "ping",
            Self::Error(_) => "error",
            Self::Unknown { name, .. } => name,
        }
    }

    /// The text that this event adds to the reply, if it adds any.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::ContentBlockDelta { delta: Delta::Text { text, .. }, .. } => Some(text),
            _ => None,
        }
    }

    fn message_start(mut members: Map<String, Value>) -> Result<Self, Misfit> {
        Ok(Self::MessageStart { message: Field::take(&mut members, "message")?, extra: members })
    }

    fn content_block_start(mut members: Map<String, Value>) -> Result<Self, Misfit> {
        let index = Field::take(&mut members, "index")?;
        let block = Field::take(&mut members, "content_block")?;
        Ok(Self::ContentBlockStart { index, block, extra: members })
    }

    fn content_block_delta(mut members: Map<String, Value>) -> Result<Self, Misfit> {
        let index = Field::take(&mut members, "index")?;
        let delta = Field::take(&mut members, "delta")?;
        Ok(Self::ContentBlockDelta { index, delta, extra: members })
    }

    fn content_block_stop(mut members: Map<String, Value>) -> Result<Self, Misfit> {
        Ok(Self::ContentBlockStop { index: Field::take(&mut members, "index")?, extra: members })
    }

    fn message_delta(mut members: Map<String, Value>) -> Result<Self, Misfit> {
        let change = Field::take(&mut members, "delta")?;
        Ok(Self::MessageDelta {
            change,
            usage: Field::take(&mut members, "usage")?,
            context_management: Field::take(&mut members, "context_management")?,
            input_transformations: Field::take(&mut members, "input_transformations")?,
            extra: members,
        })
    }
}

/// What an event is called. One without a name, as in a capture that has kept the data alone, is called what its data have
/// as `type`.
pub(super) fn named<'a>(name: &'a str, data: &str) -> Cow<'a, str> {
    if !matches!(name, "" | UNNAMED) {
        return name.into();
    }
    let kind = members_in(data).ok().and_then(|members| Some(members.get("type")?.as_str()?.to_owned()));
    kind.map_or(name.into(), Cow::Owned)
}

/// The name that the standard gives an event without one (WHATWG HTML, server-sent events).
const UNNAMED: &str = "message";

/// Writes the data as the service would, with the event's name as `type`; unknown data as they came.
impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rest = match self {
            Self::Error(body) => return body.serialize(serializer),
            Self::Unknown { data, .. } => return data.serialize(serializer),
            Self::MessageStart { extra, .. }
            | Self::ContentBlockStart { extra, .. }
            | Self::ContentBlockDelta { extra, .. }
            | Self::ContentBlockStop { extra, .. }
            | Self::MessageDelta { extra, .. }
            | Self::MessageStop { extra }
            | Self::Ping { extra } => extra,
        };
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("type", self.name())?;
        match self {
            Self::MessageStart { message, .. } => map.serialize_entry("message", message)?,
            Self::ContentBlockStart { index, block, .. } => {
                map.serialize_entry("index", index)?;
                map.serialize_entry("content_block", block)?;
            }
            Self::ContentBlockDelta { index, delta, .. } => {
                map.serialize_entry("index", index)?;
                map.serialize_entry("delta", delta)?;
            }
            Self::ContentBlockStop { index, .. } => map.serialize_entry("index", index)?,
            Self::MessageDelta { change, usage, context_management, input_transformations, .. } => {
                map.serialize_entry("delta", change)?;
                if let Some(usage) = usage {
                    map.serialize_entry("usage", usage)?;
                }
                if let Some(report) = context_management {
                    map.serialize_entry("context_management", report)?;
                }
                if let Some(transformations) = input_transformations {
                    map.serialize_entry("input_transformations", transformations)?;
                }
            }
            Self::MessageStop { .. } | Self::Ping { .. } | Self::Error(_) | Self::Unknown { .. } => {}
        }
        for (name, value) in rest {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::types::ErrorType;

    fn parse(data: &Value) -> Event {
        Event::parse(data["type"].as_str().unwrap(), &data.to_string()).unwrap()
    }

    fn documented() -> Vec<Value> {
        let usage = json!({"input_tokens": 1, "output_tokens": 1, "cache_read_input_tokens": null});
        let message = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [],
            "stop_reason": null, "usage": usage});
        let delta = |delta| json!({"type": "content_block_delta", "index": 0, "delta": delta});
        vec![
            json!({"type": "message_start", "message": message}),
            json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
            delta(json!({"type": "text_delta", "text": "a\u{2028}\"b"})),
            delta(json!({"type": "input_json_delta", "partial_json": "{\"a\""})),
            delta(json!({"type": "thinking_delta", "thinking": "Hm", "estimated_tokens": 3})),
            delta(json!({"type": "signature_delta", "signature": "c2ln"})),
            delta(
                json!({"type": "citations_delta", "citation": {"type": "char_location", "cited_text": "c"}}),
            ),
            delta(json!({"type": "hologram_delta", "depth": 3})),
            delta(json!({"type": "text_delta", "text": 3})),
            json!({"type": "content_block_stop", "index": 0}),
            json!({"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": null},
                "usage": {"output_tokens": 5, "input_tokens": null}, "context_management": {"applied_edits": []}}),
            json!({"type": "message_delta", "delta": {}, "usage": null}),
            json!({"type": "message_stop", "metrics": {"latency": 1.5}}),
            json!({"type": "ping"}),
            json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
            json!({"type": "message_pause", "reason": [1, 2]}),
        ]
    }

    #[test]
    fn every_event_is_written_back_as_it_came() {
        for data in documented() {
            let event = parse(&data);
            assert_eq!(event.name(), data["type"]);
            assert_eq!(serde_json::to_value(&event).unwrap(), data);
        }
    }

    proptest! {
        #[test]
        fn no_data_make_it_panic_and_no_unknown_event_fails(
            name in prop::sample::select(vec!["content_block_delta", "message_start", "error", "ping", "", "new"]),
            data in any::<String>(),
        ) {
            let parsed = Event::parse(name, &data);
            prop_assert!(parsed.is_ok() || !["", "new"].contains(&name));
        }
    }

    #[test]
    fn an_error_event_of_an_unknown_type_is_an_error_event() {
        let event = parse(&json!({"type": "error", "error": {"type": "new_error", "message": "m"}}));
        let Event::Error(body) = event else { panic!("{event:?}") };
        assert_eq!(body.error.kind, ErrorType::Other("new_error".into()));
    }

    #[test]
    fn an_event_without_a_name_is_what_its_data_say() {
        for data in documented() {
            for name in ["", "message"] {
                assert_eq!(Event::parse(name, &data.to_string()).unwrap(), parse(&data), "{data}");
            }
        }
        assert!(Event::parse("message", "{\"type\": \"message_start\"}").is_err());
        for data in ["[DONE]", "{\"type\": 7}", "{}", "[]", "\"ping\""] {
            assert!(
                matches!(Event::parse("message", data), Ok(Event::Unknown { name, .. }) if name == "message")
            );
        }
    }

    #[test]
    fn an_unknown_event_may_be_anything() {
        let event = Event::parse("", "[DONE").unwrap();
        assert_eq!(event, Event::Unknown { name: String::new(), data: json!("[DONE") });
    }

    #[test]
    fn a_known_event_without_what_it_needs_is_an_error() {
        for (name, data) in [
            ("content_block_delta", "{\"index\": 0}"),
            ("content_block_stop", "{\"index\": -1}"),
            ("message_start", "{\"message\": {}}"),
            ("message_stop", "not json"),
            ("error", "{}"),
        ] {
            assert!(Event::parse(name, data).is_err(), "{name}");
        }
    }
}
