use mock_server::Reply;
use serde_json::{Value, json};

use crate::client::{held, message};

/// Takes a well-formed event stream apart.
fn events(text: &str) -> Vec<(String, Value)> {
    let one = |event: &str| {
        let (name, data) = event.split_once('\n').unwrap();
        let data: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
        let name = name.strip_prefix("event: ").unwrap().to_owned();
        assert_eq!(data["type"], name);
        (name, data)
    };
    text.strip_suffix("\n\n").unwrap().split("\n\n").map(one).collect()
}

#[tokio::test]
async fn a_stream_says_the_same_as_the_whole_message_word_by_word() {
    let server = held().start().await.unwrap();
    let reply = message(&server, &json!({"stream": true})).key(server.api_key()).send().await;
    assert_eq!(reply.header("content-type"), "text/event-stream; charset=utf-8");
    let events = events(reply.text());
    let names: Vec<&str> = events.iter().map(|(name, _)| name.as_str()).collect();
    let delta = "content_block_delta";
    assert_eq!(
        names,
        [
            "message_start",
            "content_block_start",
            "ping",
            delta,
            delta,
            delta,
            delta,
            "content_block_stop",
            "message_delta",
            "message_stop"
        ]
    );
    let start = &events[0].1["message"];
    assert_eq!((&start["content"], &start["stop_reason"]), (&json!([]), &Value::Null));
    assert_eq!(events[1].1["content_block"], json!({"type": "text", "text": "", "citations": null}));
    let text: String = events.iter().filter_map(|(_, data)| data["delta"]["text"].as_str()).collect();
    assert_eq!(text, "You said: hello there");
    let last = &events[8].1;
    assert_eq!(
        (&last["delta"]["stop_reason"], &last["delta"]["stop_sequence"]),
        (&json!("end_turn"), &Value::Null)
    );
    assert_eq!((&last["usage"]["input_tokens"], &last["usage"]["output_tokens"]), (&json!(6), &json!(4)));
}

#[tokio::test]
async fn each_kind_of_block_streams_in_its_own_deltas() {
    let input = json!({"city": "Oslo", "days": 3});
    let citation = json!({"type": "web_search_tool_result", "tool_use_id": "x", "content": []});
    let blocks = [
        json!({"type": "thinking", "thinking": "let me see", "signature": "c2ln"}),
        citation.clone(),
        json!({"type": "tool_use", "name": "get_weather", "input": input}),
    ];
    let server = held().script([Reply::message(blocks)]).start().await.unwrap();
    let reply = message(&server, &json!({"stream": true})).key(server.api_key()).send().await;
    let events = events(reply.text());
    let joined = |kind: &str, name: &str| -> String {
        let deltas = events.iter().map(|(_, data)| &data["delta"]).filter(|delta| delta["type"] == kind);
        deltas.map(|delta| delta[name].as_str().unwrap()).collect()
    };
    assert_eq!(joined("thinking_delta", "thinking"), "let me see");
    assert_eq!(joined("signature_delta", "signature"), "c2ln");
    assert_eq!(serde_json::from_str::<Value>(&joined("input_json_delta", "partial_json")).unwrap(), input);
    let starts: Vec<&Value> =
        events.iter().map(|(_, data)| &data["content_block"]).filter(|b| !b.is_null()).collect();
    assert_eq!(*starts[1], citation);
    assert_eq!(starts[2]["input"], json!({}));
    assert!(starts[2]["id"].as_str().unwrap().starts_with("toolu_"));
    assert_eq!(
        events.iter().find(|(name, _)| name == "message_delta").unwrap().1["delta"]["stop_reason"],
        "tool_use"
    );
}
