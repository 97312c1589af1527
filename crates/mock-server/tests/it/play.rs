//! Scripts from files: the example of docs/mock.md is played.

use std::time::Duration;

use mock_server::{Builder, MockServer, Script};
use serde_json::{Value, json};

use crate::client::{Reply, authorization, get, held, message, post, url};

const PAGE: &str = include_str!("../../../../docs/mock.md");

fn documented() -> Builder {
    let script = PAGE.split_once("```toml\n").unwrap().1.split_once("```").unwrap().0;
    held().play(Script::read(script).unwrap_or_else(|error| panic!("{error}")))
}

async fn say(server: &MockServer, text: &str, stream: bool) -> (Reply, bool) {
    let messages = json!([{"role": "user", "content": text}]);
    message(server, &json!({"messages": messages, "stream": stream}))
        .key(server.api_key())
        .send_anyhow()
        .await
}

#[tokio::test]
async fn the_script_of_the_page_says_what_the_page_says() {
    let server = documented().start().await.unwrap();
    let tool = say(&server, "how is the weather?", false).await.0.json();
    let kinds: Vec<&Value> = tool["content"].as_array().unwrap().iter().map(|block| &block["type"]).collect();
    assert_eq!(
        (json!(kinds), &tool["stop_reason"]),
        (json!(["thinking", "text", "tool_use"]), &json!("tool_use"))
    );
    assert_eq!(tool["content"][2]["input"], json!({"city": "Oslo"}));
    // It is used up.
    let echo = say(&server, "how is the weather?", false).await.0.json();
    assert_eq!(echo["content"][0]["text"], "You said: how is the weather?");

    let cited = say(&server, "what are your sources?", true).await.0;
    assert!(cited.text().contains(r#""type":"citations_delta""#), "{}", cited.text());
    let refused = say(&server, "the secret recipe, please", false).await.0.json();
    assert_eq!(
        (&refused["stop_reason"], &refused["stop_details"]["category"]),
        (&json!("refusal"), &json!("cyber"))
    );
    assert!(say(&server, "slowly", true).await.0.text().contains("three"));
    for _ in 0..2 {
        let overloaded = say(&server, "again", false).await.0;
        overloaded.error(529, "overloaded_error");
        assert_eq!(overloaded.header("retry-after"), "1");
    }
    assert_eq!(say(&server, "again", false).await.0.status, 200);
    for _ in 0..3 {
        let spent = say(&server, "expensive", false).await.0;
        spent.error(429, "rate_limit_error");
        assert_eq!(spent.json()["error"]["details"]["error_code"], "enforced_spend_limit_reached");
    }
    let (cut, whole) = say(&server, "cut", true).await;
    assert!(!whole && cut.text().matches("event: ").count() == 3, "{}", cut.text());
}

#[tokio::test]
async fn the_settings_limits_people_and_faults_of_the_page_are_in_force() {
    let server = documented().start().await.unwrap();
    assert!(post(server.revoke_url(), "").send().await.text().contains("hotel"));
    let models = async || get(url(&server, "/v1/models")).key(server.api_key()).send().await;
    assert_eq!(
        (models().await.status.as_u16(), models().await.header("retry-after").to_owned()),
        (503, "1".into())
    );
    assert_eq!(models().await.header("anthropic-ratelimit-requests-limit"), "100");
    let haiku = message(&server, &json!({"model": "claude-haiku-5-5"})).key(server.api_key()).send().await;
    assert_eq!(haiku.header("anthropic-ratelimit-requests-limit"), "5");
    let login = get(authorization(&server, &[])).send().await;
    assert!(login.text().contains("ada@example.com") && login.text().contains("Acme – Research"));
    // The same seed makes the same key.
    assert_eq!(server.api_key(), held().seed(7).start().await.unwrap().api_key());
    server.advance(Duration::from_secs(600));
}

#[tokio::test]
async fn a_paced_stream_comes_in_the_pieces_it_says() {
    let script = "[[reply]]\nevents = ['abcdefghij']\nchunk-bytes = 4\npace-ms = 1";
    let server = held().play(Script::read(script).unwrap()).start().await.unwrap();
    let (reply, whole) = say(&server, "x", true).await;
    assert_eq!((reply.text(), whole), ("abcdefghij", true));
}
