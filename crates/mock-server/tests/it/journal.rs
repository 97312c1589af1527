use std::time::Duration;

use mock_server::Credential;
use serde_json::json;

use crate::client::{get, held, message, url};

#[tokio::test]
async fn the_journal_tells_what_was_sent_and_what_became_of_it() {
    let server = held().start().await.unwrap();
    server.advance(Duration::from_secs(3));
    get(url(&server, "/v1/models?limit=5&after_id=nobody"))
        .key(server.api_key())
        .header("x-mine", "yes")
        .send()
        .await;
    message(&server, &json!({})).key("sk-ant-api03-wrong").send().await;
    assert_eq!(server.journal_len(), 2);

    let entries = server.journal();
    let (first, second) = (&entries[0], &entries[1]);
    assert_eq!((first.seq, first.at, first.path.as_str()), (1, Duration::from_secs(3), "/v1/models"));
    assert_eq!((first.method.as_str(), first.status.as_u16()), ("GET", 400));
    assert_eq!((first.query_keys(), first.query_value("limit")), (vec!["limit", "after_id"], Some("5")));
    assert_eq!((first.header("x-mine"), first.credential), (Some("yes"), Credential::ApiKey));
    assert_eq!(first.header("authorization"), Some(format!("Bearer {}", server.api_key()).as_str()));
    assert_eq!((second.seq, second.status.as_u16(), second.credential), (2, 401, Credential::Refused));
    let body: serde_json::Value = serde_json::from_slice(&second.body).unwrap();
    assert_eq!(body["messages"][0]["content"], "hello there");
    assert!(!format!("{entries:?} {server:?}").contains("sk-ant-"));

    server.clear_journal();
    assert_eq!(server.journal_len(), 0);
    get(url(&server, "/")).send().await;
    assert_eq!(server.journal()[0].seq, 3);
}
