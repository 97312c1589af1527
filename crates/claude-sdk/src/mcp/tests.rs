use serde_json::json;

use super::*;

fn block(value: &Value) -> Value {
    serde_json::to_value(content(value).unwrap()).unwrap()
}

#[test]
fn each_kind_of_content_becomes_its_block() {
    let table = [
        (json!({"type": "text", "text": "hello"}), json!({"type": "text", "text": "hello"})),
        (
            json!({"type": "image", "data": "AAEC", "mimeType": "image/png"}),
            json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAEC"}}),
        ),
        (
            json!({"type": "resource", "resource": {"uri": "file:///a.txt", "mimeType": "text/markdown", "text": "# A"}}),
            json!({"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "# A"}}),
        ),
        (
            json!({"type": "resource", "resource": {"uri": "file:///a", "blob": "aGVsbG8="}}),
            json!({"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "hello"}}),
        ),
        (
            json!({"type": "resource", "resource": {"uri": "file:///a.pdf", "mimeType": "application/pdf", "blob": "AAEC"}}),
            json!({"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "AAEC"}}),
        ),
        (
            json!({"type": "resource", "resource": {"uri": "file:///a.gif", "mimeType": "image/gif", "blob": "AAEC"}}),
            json!({"type": "image", "source": {"type": "base64", "media_type": "image/gif", "data": "AAEC"}}),
        ),
    ];
    for (from, to) in table {
        assert_eq!(block(&from), to);
    }
}

#[test]
fn what_the_service_does_not_take_is_an_error_that_names_it() {
    let table = [
        (json!({"type": "audio", "data": "", "mimeType": "audio/wav"}), "content of type audio"),
        (json!({"type": "resource_link", "uri": "file:///a"}), "content of type resource_link"),
        (json!({"type": "image", "data": "", "mimeType": "image/tiff"}), "an image of image/tiff"),
        (
            json!({"type": "resource", "resource": {"mimeType": "video/mp4", "blob": ""}}),
            "a resource of video/mp4",
        ),
        (json!({"type": "resource", "resource": {"mimeType": "image/png", "text": "x"}}), "`blob`"),
        (json!({"type": "resource", "resource": {"mimeType": "text/plain", "blob": "/w=="}}), "not text"),
        (json!({"type": "resource", "resource": {"mimeType": "text/plain", "blob": "%"}}), "not Base64"),
        (json!({"type": "resource"}), "`resource`"),
        (json!({"type": "text", "text": 3}), "`text`"),
        (json!({}), "`type`"),
        (json!("text"), "`type`"),
    ];
    for (from, part) in table {
        let error = content(&from).unwrap_err().to_string();
        assert!(error.contains(part), "{from}: {error}");
    }
}

#[test]
fn the_first_resource_that_can_be_taken_is_taken() {
    let result = json!({"contents": [
        {"uri": "file:///a.mp4", "mimeType": "video/mp4", "blob": "AA=="},
        {"uri": "file:///a.txt", "mimeType": "text/plain", "text": "words"},
    ]});
    let taken = serde_json::to_value(resource(&result).unwrap()).unwrap();
    assert_eq!(taken["source"]["data"], "words");
    let only =
        json!({"contents": [{"uri": "x", "mimeType": "video/mp4"}, {"uri": "y", "mimeType": "audio/wav"}]});
    assert!(resource(&only).unwrap_err().to_string().contains("video/mp4, audio/wav"));
    assert!(resource(&json!({"contents": []})).is_err());
}

#[test]
fn a_resource_is_a_file_with_the_name_of_its_address() {
    let file = |contents: Value| resource_file(&json!({"contents": [contents]}));
    let table = [
        (json!({"uri": "file:///docs/a.txt?x=/b#c", "text": "words"}), Some("a.txt"), &b"words"[..]),
        (json!({"uri": "https://h.example/a/b.bin", "blob": "AAEC"}), Some("b.bin"), &[0, 1, 2]),
        (json!({"uri": "https://h.example/a/", "blob": ""}), None, b""),
        (json!({"uri": "memo", "text": ""}), None, b""),
    ];
    for (contents, name, bytes) in table {
        let file = file(contents).unwrap();
        assert_eq!((file.name.as_deref(), &file.bytes[..]), (name, bytes));
    }
    assert_eq!(file(json!({"uri": "x", "blob": "%"})).unwrap_err(), McpError::Data);
    assert!(resource_file(&json!({"contents": []})).is_err());
}

#[test]
fn a_prompt_becomes_messages() {
    let result = json!({"description": "x", "messages": [
        {"role": "user", "content": {"type": "text", "text": "Hello"}},
        {"role": "assistant", "content": {"type": "text", "text": "Good day"}},
    ]});
    let messages = prompt(&result).unwrap();
    assert_eq!(
        messages.iter().map(|message| message.role.as_str()).collect::<Vec<_>>(),
        ["user", "assistant"]
    );
    assert_eq!(messages[1].content.text(), "Good day");
}

#[test]
fn results_are_told_as_content_json_or_an_error() {
    let text = |text: &str| json!([{"type": "text", "text": text}]);
    assert_eq!(tool_result(&json!({"content": text("fine")})).unwrap().text(), "fine");
    let structured = json!({"content": [], "structuredContent": {"degrees": 21}});
    assert_eq!(tool_result(&structured).unwrap(), Content::from("{\"degrees\":21}"));
    let error = tool_result(&json!({"content": text("no such city"), "isError": true})).unwrap_err();
    assert_eq!(error.content().text(), "no such city");
    let error = tool_result(&json!({"content": [{"type": "audio"}]})).unwrap_err();
    assert!(error.content().text().contains("audio"));
}

#[derive(Debug)]
struct Echo;

#[async_trait]
impl McpCaller for Echo {
    async fn call_tool(&self, name: &str, arguments: Value) -> Result<Value, ToolError> {
        Ok(json!({"content": [{"type": "text", "text": format!("{name} {arguments}")}]}))
    }
}

#[tokio::test]
async fn the_tools_of_a_server_are_called_through_it() {
    let echo: Arc<dyn McpCaller> = Arc::new(Echo);
    let listed = json!({"tools": [
        {"name": "a", "inputSchema": {"type": "object"}},
        {"name": "b", "description": "B.", "inputSchema": {"type": "object"}, "annotations": {"readOnlyHint": true}},
    ]});
    let tools = handlers(&listed, &echo).unwrap();
    assert_eq!(
        serde_json::to_value(tools[1].tool()).unwrap(),
        json!({"name": "b", "description": "B.", "input_schema": {"type": "object"}})
    );
    assert_eq!(tools[0].call(json!({"x": 1})).await.unwrap().text(), "a {\"x\":1}");
    for broken in [json!({"tools": [{"name": "a"}]}), json!({"tools": [{"inputSchema": {}}]}), json!([])] {
        assert!(handlers(&broken, &echo).is_err(), "{broken}");
    }
}
