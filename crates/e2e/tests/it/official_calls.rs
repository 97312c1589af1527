//! The same calls made with the official Python SDK and with ours: the requests are equal, as JSON and in the headers that
//! count. The script `official_calls.py` makes them as a user of that SDK writes them; [`requests`] as a user of ours does.

mod requests;

use std::collections::{BTreeMap, BTreeSet};

use claude_sdk::{
    Client, Error, FileUpload, RequestOptions, SkillFiles,
    types::{BatchRequest, UserProfileParams},
};
use mock_server::{Entry, Fault, MockServer, Reply};
use serde_json::{Value, json};

use crate::{script, tools};
use requests::{Call, MODEL, beta, create, hello, weather};

/// Where the two may differ, because each says who it is and how it wants its bytes.
const OF_THE_SENDER: [&str; 11] = [
    // The name that the call was given here.
    "x-case",
    "accept",
    "accept-encoding",
    "connection",
    "content-length",
    "host",
    "user-agent",
    "x-stainless-",
    // The helper methods of the official SDK name themselves.
    "x-stainless-helper-method",
    "x-stainless-stream-helper",
    "x-api-key",
];

#[tokio::test]
async fn every_request_is_the_one_that_the_python_sdk_sends() {
    let server = MockServer::start().await.unwrap();
    let mut command = tools().python(script("official_calls.py")).unwrap();
    command.arg(server.base_url().as_str().trim_end_matches('/')).arg(server.api_key());
    command.arg(json!(ODD_IDS).to_string()).arg(json!(LEADING_AWAY).to_string());
    put_batch(&server);
    let report = e2e::report(command.into()).await.unwrap();
    let theirs = sent(&server);
    server.clear_journal();

    put_batch(&server);
    make(&server).await;
    let ours = sent(&server);
    // The server takes every message, which is checked as the API's reference has it; a batch of an odd id there is not.
    let messages = ["/v1/messages", "/v1/messages/count_tokens", "/v1/messages/batches"];
    let sent_messages = |entry: &Entry| entry.method == "POST" && messages.contains(&entry.path.as_str());
    let refused = server.journal().into_iter().filter(|entry| sent_messages(entry) && entry.status != 200);
    let refused: Vec<_> =
        refused.map(|entry| entry.header("x-case").unwrap_or_default().to_owned()).collect();
    assert_eq!(refused, Vec::<String>::new());
    let names = report["names"].as_array().unwrap();
    assert!(names.len() >= 111 && theirs.len() > names.len(), "{names:?}");
    // What they refuse, and that is what we do too.
    assert_eq!(report["refused"], json!(LEADING_AWAY));
    assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>());
    let differences: Vec<String> = ours
        .iter()
        .zip(theirs.values())
        .filter(|((_, ours), theirs)| ours != theirs)
        .map(|((name, ours), theirs)| format!("{name}\n  ours:   {ours}\n  theirs: {theirs}"))
        .collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// Identifiers that need care in a path.
const ODD_IDS: [&str; 14] = [
    "a b",
    "a/b",
    "a%2Fb",
    "a\\b",
    "a?x=1#c",
    "100%",
    "%41",
    "...",
    "a.b..c",
    "gr\u{fc}n",
    "\u{65e5}\u{672c}\u{1f600}",
    "anthropic.claude:0@x",
    "~!$&'()*+,;=-._",
    "\"<>[]^`{|}",
];

/// Identifiers that lead out of their route.
const LEADING_AWAY: [&str; 4] = [".", "..", "..;x", ";x"];

/// A batch with results, which the next call for it gets.
fn put_batch(server: &MockServer) {
    let results = format!("{}{}/results", server.base_url().as_str().trim_end_matches('/'), BATCH);
    let counts = json!({"processing": 0, "succeeded": 0, "errored": 0, "canceled": 1, "expired": 0});
    let batch = json!({"id": "msgbatch_7", "type": "message_batch", "processing_status": "ended", "request_counts": counts,
        "created_at": "2026-11-01T00:00:00Z", "expires_at": "2026-11-02T00:00:00Z", "ended_at": "2026-11-01T00:00:00Z",
        "archived_at": null, "cancel_initiated_at": null, "results_url": results});
    let result = json!({"custom_id": "a", "result": {"type": "canceled"}}).to_string() + "\n";
    server.inject(Fault::answer(Reply::json(batch)).on(BATCH));
    let results = Reply::bytes("application/x-jsonl", result);
    server.inject(Fault::answer(results).on(format!("{BATCH}/results")));
}

/// The batch whose results are read. Both look it up before, theirs without the headers of the call.
const BATCH: &str = "/v1/messages/batches/msgbatch_7";

/// What was sent, by the name of the call, which is sent once.
fn sent(server: &MockServer) -> BTreeMap<String, Value> {
    let mut sent = BTreeMap::new();
    for entry in server.journal() {
        let name = if entry.path == BATCH { "batch looked up" } else { entry.header("x-case").unwrap() };
        assert!(sent.insert(name.to_owned(), shown(&entry)).is_none(), "{name} was sent twice");
    }
    sent
}

/// A request with everything that has to be equal.
fn shown(entry: &Entry) -> Value {
    let of_the_sender = |name: &str| {
        OF_THE_SENDER.iter().any(|known| name == *known || known.ends_with('-') && name.starts_with(known))
    };
    // They name the kind of a body that is not there, in all methods but GET.
    let of_no_body = |name: &str| entry.body.is_empty() && name == "content-type";
    let headers = entry.headers.iter();
    let headers = headers.filter(|(name, _)| !of_the_sender(name.as_str()) && !of_no_body(name.as_str()));
    let headers: BTreeMap<_, _> =
        headers.map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
    let kind = headers.get("content-type").copied().unwrap_or_default();
    let body = match kind.split_once("boundary=") {
        Some((_, boundary)) => parts(&entry.body, boundary.trim_matches('"')),
        None if entry.body.is_empty() => Value::Null,
        None => serde_json::from_slice(&entry.body).unwrap(),
    };
    let headers: BTreeMap<_, _> =
        headers.into_iter().map(|(name, value)| (name, value.split("boundary=").next())).collect();
    let query: BTreeSet<_> = entry.query.iter().collect();
    json!({
        "method": entry.method.as_str(), "path": entry.path, "query": query, "headers": headers, "body": body,
    })
}

/// The parts of a form: the words of their headers in any order, and the content.
fn parts(body: &[u8], boundary: &str) -> Value {
    let body = std::str::from_utf8(body).unwrap();
    let boundary = format!("--{boundary}");
    let parts = body.split(&boundary).filter_map(|part| part.split_once("\r\n\r\n"));
    let part = |(head, content): (&str, &str)| {
        let words: BTreeSet<_> =
            head.to_ascii_lowercase().split(['\r', '\n', ';']).map(|word| word.trim().to_owned()).collect();
        json!([words, content])
    };
    parts.map(part).collect()
}

/// Makes the calls with our client. The answers do not matter, as they do not in the script.
async fn make(server: &MockServer) {
    let client = Client::builder()
        .api_key(server.api_key())
        .base_url(server.base_url())
        .max_retries(0)
        .build()
        .unwrap();
    let named =
        |name: &str, options: RequestOptions| client.with_options(options.header("x-case", name)).unwrap();
    for Call { name, options, request } in create().into_iter().chain(beta()) {
        let _ = named(name, options).messages().create(&request).await;
    }

    let plain = RequestOptions::new;
    let streamed = named("streamed", plain());
    streamed.messages().stream(&hello()).await.unwrap().final_message().await.unwrap();
    let with_tools = named("streamed with tools", plain());
    with_tools.messages().stream(&hello().tool(weather())).await.unwrap().final_message().await.unwrap();

    let _ = named("counted", plain()).messages().count_tokens(&hello().system("Be brief.")).await;
    let _ = named("counted in full", plain()).messages().count_tokens(&requests::counted()).await;

    let first = requests::say("good morning");
    let reply = named("reply: asked", plain()).messages().create(&first).await.unwrap();
    let next = first.message(reply.to_param());
    let _ = named("reply: gone on", plain()).messages().create(&next.user("and now?")).await;

    let _ = named("models", plain()).models().list().limit(2).pages().next().await;
    let _ =
        named("models after", plain()).models().list().limit(2).after_id(MODEL.as_str()).pages().next().await;
    let _ = named("model", plain()).models().get(&MODEL).await;
    resources(named).await;
}

async fn resources(of: impl Fn(&str, RequestOptions) -> Client) {
    let of = |name: &str| of(name, RequestOptions::new());
    let batch = ["one", "two"].into_iter().zip(requests::batched());
    let batch: Vec<_> = batch.map(|(id, request)| BatchRequest::new(id, request)).collect();
    let _ = of("batch created").batches().create(&batch).await;
    let _ = of("batches").batches().list().limit(5).before_id("msgbatch_9").pages().next().await;
    let _ = of("batch").batches().get("msgbatch_1").await;
    let _ = of("batch cancelled").batches().cancel("msgbatch_1").await;
    let mut results = of("batch results").batches().results("msgbatch_7").await.unwrap();
    assert_eq!(results.next().await.unwrap().unwrap().custom_id, "a");
    let _ = of("batch deleted").batches().delete("msgbatch_1").await;

    let file = FileUpload::bytes("a b.txt", "words\r\n--").mime_type("text/plain");
    let _ = of("file sent").files().upload(file).await;
    let _ = of("files").files().list().limit(5).pages().next().await;
    let _ = of("file").files().get("file_1").await;
    let _ = of("file content").files().download("file_1").await;
    let _ = of("file deleted").files().delete("file_1").await;

    let _ = of("skills").skills().list().limit(5).pages().next().await;
    let _ = of("skill").skills().get("skill_1").await;
    let haiku = || {
        let instructions = "---\nname: haiku\ndescription: Writes haiku.\n---\n";
        SkillFiles::new().file("haiku/SKILL.md", instructions).file("haiku/words.txt", "sch\u{f6}n\r\n")
    };
    let _ = of("skill created").skills().create(Some("Ha\u{ef}ku"), haiku()).await;
    let _ = of("skill version created").skills().create_version("skill_1", haiku()).await;
    let _ = of("skill deleted").skills().delete("skill_1").await;
    let _ = of("skill versions").skills().versions("skill_1").limit(5).pages().next().await;
    let _ = of("skill version").skills().version("skill_1", "1").await;
    let _ = of("skill version deleted").skills().delete_version("skill_1", "1").await;

    let profile = UserProfileParams::new().name("N").metadata("a", "b");
    let _ = of("profile created").user_profiles().create(&profile).await;
    let _ = of("profiles").user_profiles().list().limit(5).pages().next().await;
    let _ = of("profile").user_profiles().get("uprof_1").await;
    let _ =
        of("profile changed").user_profiles().update("uprof_1", &UserProfileParams::new().name("M")).await;
    let _ = of("profile deleted").user_profiles().delete("uprof_1").await;
    let _ = of("profile action").user_profiles().create_action_url("uprof_1", "enroll_end_user").await;
    let _ = of("profile enrolled").user_profiles().create_enrollment_url("uprof_1").await;

    for (number, id) in ODD_IDS.into_iter().enumerate() {
        let _ = of(&format!("odd {number}")).files().get(id).await;
    }
    for id in LEADING_AWAY {
        assert!(matches!(of("refused").files().get(id).await, Err(Error::Config(_))), "{id}");
    }
}
