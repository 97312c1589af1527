//! Lists that come page by page.

use claude_sdk::{ConfigError, Error, Paging, types::Page};
use futures_util::{FutureExt as _, StreamExt as _};
use mock_server::{MockServer, Reply};
use serde_json::{Value, json};

use crate::rig::{client, held};

/// A server whose models are these pages, one after another.
async fn scripted(pages: impl IntoIterator<Item = Value>) -> MockServer {
    let server = held().start().await.unwrap();
    server.set_script(pages.into_iter().map(|page| Reply::json(page).on("/v1/models")));
    server
}

fn queries(server: &MockServer) -> Vec<String> {
    let pairs = |query: &[(String, String)]| {
        query.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
    };
    server.journal().iter().map(|entry| pairs(&entry.query)).collect()
}

#[tokio::test]
async fn ten_thousand_items_are_ten_pages_and_each_is_asked_for_when_it_is_wanted() {
    let names: Vec<String> = (0..10_000).map(|number| format!("claude-test-{number}")).collect();
    let server = held().models(names.clone()).start().await.unwrap();
    let client = client(&server).0.build().unwrap();

    let mut models = client.models().list().limit(1000).items();
    assert_eq!(server.journal_len(), 0, "nothing is asked for before somebody waits");
    let mut listed = Vec::new();
    while let Some(model) = models.next().await {
        listed.push(model.unwrap().id.as_str().to_owned());
        assert_eq!(server.journal_len(), listed.len().div_ceil(1000));
        let at_hand = 999 - (listed.len() - 1) % 1000;
        assert!(
            format!("{models:?}").contains(&format!("at_hand: {at_hand} }}")),
            "a page, and no more: {models:?}"
        );
    }
    assert!(listed == names);
    assert!(models.next().await.is_none());
    assert_eq!(queries(&server)[..2], ["limit=1000", "limit=1000&after_id=claude-test-999"]);
}

#[tokio::test]
async fn a_list_is_walked_backwards_too() {
    let server = held().models(["a", "b", "c", "d", "e"]).start().await.unwrap();
    let client = client(&server).0.build().unwrap();
    let pages = client.models().list().limit(2).before_id("e").pages();
    let pages: Vec<Vec<String>> = pages
        .map(|page| page.unwrap().data.iter().map(|model| model.id.as_str().to_owned()).collect())
        .collect()
        .await;
    assert_eq!(pages, [["c", "d"], ["a", "b"]]);
}

#[tokio::test]
async fn a_page_without_items_is_not_the_end_while_it_names_another() {
    let server = scripted([
        json!({"data": [1], "next_page": "two"}),
        json!({"data": [], "next_page": "three", "prev_page": "one"}),
        json!({"data": [2, 3], "next_page": null}),
    ])
    .await;
    let client = client(&server).0.build().unwrap();
    let items =
        client.raw().get("/v1/models").query("ids[]", "a").query("ids[]", "b c").list(Paging::Cursor).items();
    let items: Vec<Value> = items.map(Result::unwrap).collect().await;
    assert_eq!(items, [1, 2, 3]);
    let begin = "ids[]=a&ids[]=b c";
    assert_eq!(
        queries(&server),
        [begin.to_owned(), format!("{begin}&page=two"), format!("{begin}&page=three")]
    );
}

#[tokio::test]
async fn tokens_and_reports_lead_on_as_they_say() {
    let page = |next: &str, more: bool| json!({"data": [next], "next_page": next, "has_more": more, "data_refreshed_at": "2026-11-01T00:00:00Z"});
    for (paging, parameter) in [(Paging::Token, "page_token"), (Paging::Cursor, "page")] {
        let server = scripted([page("two", true), page("three", false)]).await;
        let client = client(&server).0.build().unwrap();
        let mut pages = client.raw().get("/v1/models").list(paging).pages();
        let first = pages.next().await.unwrap().unwrap();
        assert!(first.request_id().is_some());
        assert_eq!(first.extra["data_refreshed_at"], "2026-11-01T00:00:00Z");
        pages.next().await.unwrap().unwrap();
        assert!(pages.next().await.is_none());
        assert_eq!(queries(&server), [String::new(), format!("{parameter}=two")]);
    }
}

#[tokio::test]
async fn a_list_that_leads_in_a_circle_ends_with_an_error() {
    let page = |next: &str| json!({"data": [next], "next_page": next});
    let server = scripted([page("a"), page("b"), page("c"), page("a"), page("b")]).await;
    let client = client(&server).0.build().unwrap();
    let mut items = client.raw().get("/v1/models").list(Paging::Cursor).items();
    for next in ["a", "b", "c"] {
        assert_eq!(items.next().await.unwrap().unwrap(), next);
    }
    let error = items.next().await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Answer(_)) && !error.is_retryable(), "{error}");
    assert!(error.to_string().contains("the list would have no end"), "{error}");
    assert!(items.next().await.is_none());
    assert_eq!(server.journal_len(), 4);
}

#[tokio::test]
async fn a_wait_that_is_given_up_loses_no_page() {
    let server = held().models(["a", "b", "c"]).start().await.unwrap();
    let client = client(&server).0.build().unwrap();
    let mut items = client.models().list().limit(1).items();
    let mut listed = Vec::new();
    loop {
        let Some(next) = items.next().now_or_never() else {
            tokio::task::yield_now().await;
            continue;
        };
        let Some(item) = next else { break };
        listed.push(item.unwrap().id.as_str().to_owned());
    }
    assert_eq!((listed.join(""), server.journal_len()), ("abc".to_owned(), 3));
}

#[tokio::test]
async fn an_error_ends_the_list() {
    let server = held().start().await.unwrap();
    let client = client(&server).0.build().unwrap();
    let mut pages = client.models().list().limit(5000).pages();
    assert_eq!(pages.next().await.unwrap().unwrap_err().status().unwrap(), 400);
    assert!(pages.next().await.is_none());

    let mut pages = client.raw().get("/v1/../secrets").list(Paging::Id).pages();
    let error = pages.next().await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Config(ConfigError::Route { .. })), "{error}");
    assert!(pages.next().await.is_none());
    assert_eq!(server.journal_len(), 1);
}

#[test]
fn a_page_keeps_what_it_does_not_know() {
    let page = json!({"data": [1], "next_page": "n", "cost": {"currency": "USD"}});
    let read: Page<Value> = serde_json::from_value(page.clone()).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), page);
}
