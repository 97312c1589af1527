//! Replies read as values of a type, and each way in which they are none.

use claude_sdk::{
    Error, OutputError, OutputProblem,
    schemars::{self, JsonSchema},
    types::{Effort, MessageRequest, Model},
};
use mock_server::{MockServer, Reply};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::rig::{client, held, hello};

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
struct Order {
    customer: String,
    items: Vec<Item>,
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
struct Item {
    name: String,
    count: u32,
}

async fn said(reply: Reply) -> (MockServer, Result<Order, Error>) {
    let server = held().script([reply]).start().await.unwrap();
    let client = client(&server).0.build().unwrap();
    let reply = client.messages().create_as::<Order>(&hello()).await;
    (server, reply.map(|reply| reply.into_inner().output))
}

async fn refused(reply: Reply) -> Box<OutputError> {
    match said(reply).await.1.unwrap_err() {
        Error::Output(error) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_reply_is_read_as_the_type_whose_schema_was_sent() {
    let text = r#"{"customer": "Ada", "items": [{"name": "tea", "count": 2}]}"#;
    let (server, order) = said(Reply::text(text)).await;
    let items = vec![Item { name: "tea".to_owned(), count: 2 }];
    assert_eq!(order.unwrap(), Order { customer: "Ada".to_owned(), items });

    let body: Value = serde_json::from_slice(&server.journal().pop().unwrap().body).unwrap();
    let format = &body["output_config"]["format"];
    assert_eq!(format["type"], "json_schema");
    assert_eq!(format["schema"]["additionalProperties"], false);
    assert_eq!(format["schema"]["required"], json!(["customer", "items"]));
}

#[test]
fn the_format_is_added_to_what_the_output_config_says_already() {
    let request = MessageRequest::new(Model::CLAUDE_SONNET_5_5, 100);
    let request = request.effort(Effort::Low).output::<Order>().unwrap();
    let body = serde_json::to_value(&request).unwrap();
    assert_eq!(body["output_config"]["effort"], "low");
    assert_eq!(body["output_config"]["format"]["type"], "json_schema");
}

#[tokio::test]
async fn a_stream_is_read_the_same_way() {
    let server = held().script([Reply::text(r#"{"customer": "Bob", "items": []}"#)]).start().await.unwrap();
    let client = client(&server).0.build().unwrap();
    let request = hello().output::<Order>().unwrap();
    let message = client.messages().stream(&request).await.unwrap().final_message().await.unwrap();
    let reply = message.output::<Order>().unwrap();
    assert_eq!(reply.output.customer, "Bob");
    assert!(reply.request_id().is_some() && reply.message.usage.output_tokens > 0);
}

#[tokio::test]
async fn json_of_another_shape_is_an_error_that_names_the_path_and_keeps_the_message() {
    let text =
        r#"{"customer": "canary", "items": [{"name": "tea", "count": 2}, {"name": "rum", "count": -1}]}"#;
    let error = refused(Reply::text(text)).await;
    assert_eq!(*error.problem(), OutputProblem::Invalid { path: "items[1].count".to_owned() });
    assert_eq!(error.message().text(), text);
    let shown = format!("{error} {error:?} {}", std::error::Error::source(&*error).unwrap());
    assert!(shown.contains("`items[1].count`") && shown.contains("another shape"), "{shown}");
    assert!(!shown.contains("canary") && shown.contains("req_"), "{shown}");
    assert_eq!(error.into_message().text(), text);
}

#[tokio::test]
async fn what_is_no_json_is_an_error() {
    for text in
        ["Here you are: {}", "{\"customer\": \"A\"", "{\"customer\": \"A\", \"items\": []} and more", "[]"]
    {
        let error = refused(Reply::text(text)).await;
        assert!(matches!(error.problem(), OutputProblem::Invalid { .. }), "{text}");
    }
}

#[tokio::test]
async fn a_refusal_a_cut_and_a_call_of_a_tool_are_told_apart() {
    let text = r#"{"customer": "Ada", "items": []}"#;
    let table = [
        (Reply::text(text).stop_reason("refusal"), OutputProblem::Refused),
        (Reply::text(text).stop_reason("max_tokens"), OutputProblem::Cut),
        (Reply::text(text).stop_reason("model_context_window_exceeded"), OutputProblem::Cut),
        (Reply::tool_use("look", json!({})), OutputProblem::Missing),
    ];
    for (reply, problem) in table {
        let error = refused(reply).await;
        assert_eq!(*error.problem(), problem);
        let error = Error::Output(error);
        assert!(!error.is_retryable() && !error.is_ambiguous() && error.attempts() == 1, "{error}");
        assert!(error.request_id().is_some_and(|id| id.starts_with("req_")), "{error}");
    }
}

#[tokio::test]
async fn a_type_without_a_schema_fails_before_anything_is_sent() {
    let server = held().start().await.unwrap();
    let client = client(&server).0.build().unwrap();
    let error = client.messages().create_as::<Value>(&hello()).await.unwrap_err();
    assert!(matches!(error, Error::Config(_)), "{error:?}");
    assert_eq!(server.journal_len(), 0);
}
