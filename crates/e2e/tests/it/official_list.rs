//! A list of calls that both official SDKs make, unmodified, and every answer as they expect it. Python's strict
//! response validation is on; TypeScript has none, so that there the list looks at what the answers say, and the compiler at
//! whether they have the types that the SDK declares.

use std::time::Duration;

use e2e::fleet::{PROFILE, World};
use mock_server::{MockServer, Reply};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::{script, tools};

/// How many calls each SDK makes, by what they are about. Fewer are a list that has lost some.
const PYTHON: [(&str, u64); 14] = [
    ("tool runner", 4),
    ("structured output", 3),
    ("streams", 16),
    ("messages", 19),
    ("count_tokens", 13),
    ("models", 18),
    ("batches", 19),
    ("files", 27),
    ("skills", 15),
    ("user profiles", 10),
    ("error classes", 25),
    ("error codes", 100),
    ("retries", 7),
    ("credentials", 11),
];
const TYPESCRIPT: [(&str, u64); 14] = [
    ("tool runner", 4),
    ("structured output", 3),
    ("streams", 19),
    ("messages", 20),
    ("count_tokens", 13),
    ("models", 18),
    ("batches", 18),
    ("files", 27),
    ("skills", 15),
    ("user profiles", 10),
    ("error classes", 24),
    ("error codes", 100),
    ("retries", 7),
    ("credentials", 11),
];

/// What the replies are that the TypeScript SDK gets, each looked at by the compiler.
const TYPES: [&str; 24] = [
    "BetaUserProfileEnrollmentURL",
    "DeletedFile",
    "DeletedMessageBatch",
    "DeletedSkill",
    "DeletedSkillVersion",
    "DeletedUserProfile",
    "FileMetadata",
    "Message",
    "MessageBatch",
    "MessageBatchIndividualResponse",
    "MessageTokensCount",
    "ModelInfo",
    "PageCursorResponse<FileMetadata>",
    "PageCursorResponse<Skill>",
    "PageCursorResponse<SkillVersion>",
    "PageCursorResponse<UserProfile>",
    "PageResponse<MessageBatch>",
    "PageResponse<ModelInfo>",
    "RawMessageStreamEvent",
    "Refusal",
    "Skill",
    "SkillVersion",
    "UserProfile",
    "UserProfileActionURL",
];

#[tokio::test]
async fn the_python_sdk_makes_every_call_of_the_list() {
    make_calls(tools().python(script("python_list")).unwrap(), PYTHON).await;
}

#[tokio::test]
async fn the_typescript_sdk_makes_every_call_of_the_list() {
    let report = make_calls(tools().node(script("typescript_list/main.mjs")).unwrap(), TYPESCRIPT).await;
    let types = &report["types"];
    assert_eq!((&types["said"], &types["untyped"]), (&json!(""), &json!([])), "{types:#}");
    let seen = types["count"].as_object().unwrap();
    for kind in TYPES {
        assert!(seen.contains_key(kind), "no reply is a {kind}: {seen:?}");
    }
    assert_eq!(seen.len(), TYPES.len(), "{seen:?}");
}

async fn make_calls(command: std::process::Command, wanted: [(&str, u64); 14]) -> Value {
    let server = MockServer::builder().batch_time(Duration::ZERO).script(replies());
    let world = World::start(server, "").await.unwrap();
    let server = &world.server;
    let identity = |life| server.identity_token("ci", Duration::from_secs(life), json!({}));
    let arguments = json!({
        "base_url": server.base_url().as_str().trim_end_matches('/'),
        "key": server.api_key(),
        "file": server.put_file("plot.csv", "text/csv", "1,2\n"),
        "folder": world.folder(),
        "profile": PROFILE,
        "types": concat!(env!("CARGO_TARGET_TMPDIR"), "/reply-types"),
        "rule": server.federation_rule_id(),
        "organization": server.organization_id(),
        "account": server.service_account_id(),
        "identity": identity(3600),
        "expired_identity": identity(0),
    });
    let mut command = Command::from(command);
    command.env("ANTHROPIC_CONFIG_DIR", world.folder()).arg(arguments.to_string());
    let report = e2e::report(command).await.unwrap();
    assert_eq!(report["wrong"], json!([]), "{report:#}");
    let made: Vec<(&str, u64)> =
        wanted.iter().map(|(topic, _)| (*topic, report["calls"][*topic].as_u64().unwrap_or(0))).collect();
    assert_eq!(made, wanted, "{report:#}");
    let all: u64 = made.iter().map(|(_, calls)| calls).sum();
    assert!(all >= 150, "only {all} calls");
    // A list can have several requests to a call, and a wrong credential is found before it is sent.
    let sent = server.journal_len();
    assert!(sent as u64 >= all, "{all} calls and {sent} requests");
    report
}

/// What the first messages are answered with, in the order in which both lists ask for them.
fn replies() -> Vec<Reply> {
    let weather = || Reply::tool_use("get_weather", json!({"city": "Oslo"}));
    let sunny = || Reply::text("It is sunny.");
    let report = || Reply::text(json!({"city": "Oslo", "degrees": 7}).to_string());
    let cited = || {
        Reply::message([
            json!({"type": "thinking", "thinking": "Let me look it up.", "signature": "EqQB"}),
            json!({"type": "text", "text": "Oslo is the capital.", "citations": [{
                "type": "char_location", "cited_text": "Oslo", "document_index": 0, "document_title": "Norway",
                "start_char_index": 0, "end_char_index": 4, "file_id": null,
            }]}),
        ])
    };
    let refused = || Reply::text("No.").stop_reason("refusal");
    vec![
        weather(),
        sunny(), // a runner
        weather(),
        sunny(), // one that streams
        Reply::tool_use("get_weather", json!({"city": "Atlantis"})),
        Reply::text("Nobody knows."), // a tool that fails
        weather(),                    // one iteration only
        report(),
        report(),
        report(),
        cited(),
        refused(),
        weather(),
        cited(),
        refused(),
        weather(),
    ]
}
