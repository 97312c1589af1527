//! What the server answers: one message, or one stream, as the service would send it.

use bytes::Bytes;

/// Headers that the service sends with every answer: a client is measured with what it has to read.
pub const HEADERS: [(&str, &str); 16] = [
    ("request-id", "req_011CSHoEeqs5C35K2UUqR7Fy"),
    ("anthropic-organization-id", "5f0a4c1e-9a70-4c8e-8f8e-2d1b7a3b9c11"),
    ("anthropic-ratelimit-requests-limit", "4000"),
    ("anthropic-ratelimit-requests-remaining", "3999"),
    ("anthropic-ratelimit-requests-reset", "2026-11-28T02:00:00Z"),
    ("anthropic-ratelimit-input-tokens-limit", "2000000"),
    ("anthropic-ratelimit-input-tokens-remaining", "1999000"),
    ("anthropic-ratelimit-input-tokens-reset", "2026-11-28T02:00:00Z"),
    ("anthropic-ratelimit-output-tokens-limit", "400000"),
    ("anthropic-ratelimit-output-tokens-remaining", "399000"),
    ("anthropic-ratelimit-output-tokens-reset", "2026-11-28T02:00:00Z"),
    ("anthropic-ratelimit-tokens-limit", "2400000"),
    ("anthropic-ratelimit-tokens-remaining", "2398000"),
    ("anthropic-ratelimit-tokens-reset", "2026-11-28T02:00:00Z"),
    ("strict-transport-security", "max-age=31536000; includeSubDomains; preload"),
    ("cache-control", "no-cache"),
];

/// The model that every contender asks for.
pub const MODEL: &str = "claude-sonnet-5-5";
/// What every contender asks.
pub const PROMPT: &str = "Why is the sky blue? Answer in two sentences.";
/// The most tokens that every contender asks for.
pub const MAX_TOKENS: u32 = 1024;
/// The text of the message that is no stream.
pub const ANSWER: &str = "Sunlight is scattered by the molecules of the air, and blue light is scattered far more \
    than red because its waves are shorter. So blue reaches the eye from every part of the sky, while the rest comes \
    straight from the sun.";

/// Pieces of text as a model writes them, one to a delta; quotes, a line feed and letters beyond ASCII among them.
const PIECES: [&str; 12] = [
    "Sunlight",
    " is scattered by",
    " the molecules of the air,",
    " and blue light",
    " is scattered far more than red",
    " because its waves are",
    " shorter.\n\n",
    "That is called \"Rayleigh scattering\",",
    " after Lord Rayleigh \u{2013}",
    " it grows with",
    " the fourth power of",
    " the frequency.",
];

/// The body of a message that is no stream.
#[must_use]
pub fn message() -> Bytes {
    let text = serde_json::Value::from(ANSWER);
    format!(
        r#"{{"model":"{MODEL}","id":"msg_01XFDUDYJgAACzvnptvVoYEL","type":"message","role":"assistant","content":[{{"type":"text","text":{text}}}],"stop_reason":"end_turn","stop_sequence":null,"usage":{{"input_tokens":19,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":{{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0}},"output_tokens":58,"service_tier":"standard"}}}}"#
    )
    .into()
}

/// The events of a streamed message with this many deltas of text, each with its blank line.
#[must_use]
pub fn events(deltas: usize) -> Vec<Bytes> {
    let start = format!(
        r#"{{"type":"message_start","message":{{"model":"{MODEL}","id":"msg_01XFDUDYJgAACzvnptvVoYEL","type":"message","role":"assistant","content":[],"stop_reason":null,"stop_sequence":null,"usage":{{"input_tokens":19,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":1,"service_tier":"standard"}}}}}}"#
    );
    let block = r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#;
    let mut events = vec![
        event("message_start", &start),
        event("content_block_start", block),
        event("ping", r#"{"type": "ping"}"#),
    ];
    events.extend(pieces(deltas).map(|piece| {
        let text = serde_json::Value::from(piece);
        let data = format!(
            r#"{{"type":"content_block_delta","index":0,"delta":{{"type":"text_delta","text":{text}}}}}"#
        );
        event("content_block_delta", &data)
    }));
    let change = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":58}}"#;
    events.push(event("content_block_stop", r#"{"type":"content_block_stop","index":0}"#));
    events.push(event("message_delta", change));
    events.push(event("message_stop", r#"{"type":"message_stop"}"#));
    events
}

/// How many bytes of text a stream with this many deltas has.
#[must_use]
pub fn text_of(deltas: usize) -> u64 {
    pieces(deltas).map(|piece| piece.len() as u64).sum()
}

/// A line of this many bytes with its data in it, and the blank line that makes it an event.
#[must_use]
pub fn one_line(bytes: usize) -> Bytes {
    let mut line = b"data: ".to_vec();
    line.resize(bytes, b'x');
    line.extend_from_slice(b"\n\n");
    line.into()
}

/// One event of short lines, in this many bytes.
#[must_use]
pub fn many_lines(bytes: usize) -> Bytes {
    let line = b"data: Sunlight is scattered by the molecules of the air,\n";
    let mut lines = line.repeat(bytes / line.len());
    lines.push(b'\n');
    lines.into()
}

/// The same events again and again, in this many bytes.
#[must_use]
pub fn many_events(bytes: usize) -> Bytes {
    let block = events(500).concat();
    block.repeat(bytes.div_ceil(block.len())).into()
}

fn pieces(deltas: usize) -> impl Iterator<Item = &'static str> {
    PIECES.into_iter().cycle().take(deltas)
}

fn event(name: &str, data: &str) -> Bytes {
    format!("event: {name}\ndata: {data}\n\n").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_is_json_with_the_answer_in_it() {
        let message: serde_json::Value = serde_json::from_slice(&message()).unwrap();
        assert_eq!(message["content"][0]["text"], ANSWER);
    }

    #[test]
    fn every_event_has_json_of_its_name_and_the_text_is_all_there() {
        let mut text = 0;
        for event in events(30) {
            let event = String::from_utf8(event.to_vec()).unwrap();
            let (name, data) = event.strip_prefix("event: ").unwrap().split_once("\ndata: ").unwrap();
            let data: serde_json::Value = serde_json::from_str(data).unwrap();
            assert_eq!(data["type"], name);
            text += data["delta"]["text"].as_str().map_or(0, str::len) as u64;
        }
        assert_eq!(text, text_of(30));
    }

    #[test]
    fn the_inputs_have_about_the_size_asked_for() {
        for input in [one_line(1 << 20), many_lines(1 << 20), many_events(1 << 20)] {
            assert!((1_000_000..1_200_000).contains(&input.len()), "{}", input.len());
        }
    }
}
