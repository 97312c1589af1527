//! The deltas that make up nearly all of a stream, read without building a map.

use serde::Deserialize;
use serde_json::Map;

use super::delta::Delta;

/// Reads a `content_block_delta` of text, arguments or thinking, and its index.
///
/// Anything else, down to one unknown member, is `None` and takes the general road, which keeps it.
pub(super) fn delta(data: &str) -> Option<(usize, Delta)> {
    as_written(data).or_else(|| flat(data))
}

/// Reads what is spelled as the service spells it, which leaves one JSON string to be parsed.
fn as_written(data: &str) -> Option<(usize, Delta)> {
    let rest = data.strip_prefix(r#"{"type":"content_block_delta","index":"#)?;
    let (index, rest) = rest.split_at(rest.find(',')?);
    let rest = rest.strip_prefix(r#","delta":{"type":""#)?;
    // A number as JSON has it: no sign, no zero before it.
    if index.len() > 1 && index.starts_with('0') || !index.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // Without its two ends the rest has to be the string, and nothing but it.
    let text = |from: &str| {
        let string = from.trim_ascii_end().strip_suffix('}')?.trim_ascii_end().strip_suffix('}')?;
        serde_json::from_str(string).ok()
    };
    let delta = if let Some(rest) = rest.strip_prefix(r#"text_delta","text":"#) {
        Delta::Text { text: text(rest)?, extra: Map::new() }
    } else if let Some(rest) = rest.strip_prefix(r#"input_json_delta","partial_json":"#) {
        Delta::InputJson { partial_json: text(rest)?, extra: Map::new() }
    } else if let Some(rest) = rest.strip_prefix(r#"thinking_delta","thinking":"#) {
        Delta::Thinking { thinking: text(rest)?, estimated_tokens: None, extra: Map::new() }
    } else {
        return None;
    };
    Some((index.parse().ok()?, delta))
}

/// Reads what has the same members in any order and with any space.
fn flat(data: &str) -> Option<(usize, Delta)> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Plain<'a> {
        #[serde(rename = "type")]
        _kind: Option<&'a str>,
        index: usize,
        #[serde(borrow)]
        delta: Parts<'a>,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Parts<'a> {
        #[serde(rename = "type")]
        kind: &'a str,
        text: Option<String>,
        partial_json: Option<String>,
        thinking: Option<String>,
    }

    let Plain { index, delta, .. } = serde_json::from_str(data).ok()?;
    let extra = Map::new();
    let delta = match delta {
        Parts { kind: "text_delta", text: Some(text), partial_json: None, thinking: None } => {
            Delta::Text { text, extra }
        }
        Parts { kind: "input_json_delta", text: None, partial_json: Some(partial_json), thinking: None } => {
            Delta::InputJson { partial_json, extra }
        }
        Parts { kind: "thinking_delta", text: None, partial_json: None, thinking: Some(thinking) } => {
            Delta::Thinking { thinking, estimated_tokens: None, extra }
        }
        _ => return None,
    };
    Some((index, delta))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    /// The general road: members into a map, the map into a delta.
    fn general(data: &str) -> Option<(usize, Delta)> {
        let mut members: Map<String, Value> = serde_json::from_str(data).ok()?;
        let index = serde_json::from_value(members.remove("index")?).ok()?;
        let Some(Value::Object(delta)) = members.remove("delta") else { return None };
        members.remove("type");
        members.is_empty().then(|| (index, Delta::from(delta)))
    }

    /// What is read at all has to be what the general road reads.
    fn agree(data: &str) {
        for read in [as_written(data), flat(data)].into_iter().flatten() {
            assert_eq!(Some(read), general(data), "{data}");
        }
    }

    fn written(index: &str, kind: &str, member: &str, string: &str, end: &str) -> String {
        format!(
            r#"{{"type":"content_block_delta","index":{index},"delta":{{"type":"{kind}","{member}":{string}{end}"#
        )
    }

    #[test]
    fn the_usual_deltas_take_the_shortest_road() {
        for (kind, member) in
            [("text_delta", "text"), ("input_json_delta", "partial_json"), ("thinking_delta", "thinking")]
        {
            for end in ["}}", "} }", "}}  ", " }\n}"] {
                let data = written("12", kind, member, r#""a\u00e9 \"}}{,""#, end);
                let (index, delta) = as_written(&data).unwrap();
                assert_eq!((index, delta.type_name()), (12, kind));
                agree(&data);
            }
            let members = json!({"delta": {member: "a\u{e9}", "type": kind}, "index": 12, "type": "content_block_delta"});
            assert!(as_written(&members.to_string()).is_none());
            assert_eq!(flat(&members.to_string()).unwrap().0, 12);
            agree(&members.to_string());
        }
    }

    #[test]
    fn what_is_not_quite_usual_is_left_to_the_general_road() {
        for (index, string, end) in [
            ("1", r#""a""#, r#","new":1}}"#),
            ("1", r#""a""#, r#"},"new":{}}"#),
            ("1", r#""a","text":"b""#, "}}"),
            ("1", r#""a"}"#, "}}"),
            ("1", r#""a"#, "}}"),
            ("1", "1", "}}"),
            ("1", "null", "}}"),
            ("1", r#""a""#, "}"),
            ("1", r#""a""#, "}}}"),
            ("01", r#""a""#, "}}"),
            ("+1", r#""a""#, "}}"),
            ("-1", r#""a""#, "}}"),
            ("", r#""a""#, "}}"),
            ("99999999999999999999999", r#""a""#, "}}"),
        ] {
            let data = written(index, "text_delta", "text", string, end);
            assert!(as_written(&data).is_none(), "{data}");
            assert!(flat(&data).is_none(), "{data}");
        }
        assert!(delta(r#"{"index":0,"delta":{"type":"text_delta","text":"a","thinking":"b"}}"#).is_none());
        assert!(delta(r#"{"index":0,"delta":{"type":"signature_delta","signature":"a"}}"#).is_none());
    }

    proptest! {
        #[test]
        fn all_roads_agree(
            index in any::<usize>(),
            kind in prop::sample::select(vec!["text_delta", "input_json_delta", "thinking_delta", "signature_delta"]),
            name in prop::sample::select(vec!["text", "partial_json", "thinking", "signature", "other"]),
            value in any::<String>(),
        ) {
            let string = serde_json::to_string(&value).unwrap();
            agree(&written(&index.to_string(), kind, name, &string, "}}"));
            agree(&json!({"type": "content_block_delta", "index": index, "delta": {"type": kind, name: value}}).to_string());
        }

        #[test]
        fn no_spelling_is_read_as_something_else(
            parts in prop::collection::vec(prop::sample::select(vec![
                "\"", "}", "{", ",", ":", " ", "a", "\\", "\\u00e9", "1", "0", "text", "index", "null", "\"text\":\"b\"",
            ]), 0..8),
            index in prop::sample::select(vec!["0", "1", "01", "1.0", "1 "]),
        ) {
            let string = format!("\"{}", parts.concat());
            for end in ["}}", "\"}}", "\"},\"index\":2}"] {
                agree(&written(index, "text_delta", "text", &string, end));
            }
        }
    }
}
