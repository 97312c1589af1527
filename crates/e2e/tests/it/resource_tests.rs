//! The tests that come with the official Python SDK: they call every method of its resources, with the values of
//! generated examples.

use std::collections::BTreeSet;

use mock_server::MockServer;

use crate::{script, tools};

/// What is tested, GA and beta.
const FILES: [&str; 16] = [
    "test_messages.py",
    "test_models.py",
    "test_files.py",
    "test_skills.py",
    "test_user_profiles.py",
    "messages",
    "skills",
    "user_profiles",
    "beta/test_messages.py",
    "beta/test_models.py",
    "beta/test_files.py",
    "beta/test_skills.py",
    "beta/test_user_profiles.py",
    "beta/messages",
    "beta/skills",
    "beta/user_profiles",
];
const FOLDER: &str = "tests/api_resources/";
/// Every test comes with the SDK's loose and with its strict validation, and with two HTTP clients. The strict one asks
/// more, and the clients are not what is tested here.
const SELECTED: &str = "not loose and not aiohttp";
/// The models that the tests name; most are of the past.
const MODELS: [&str; 22] = [
    "model_id",
    "claude-opus-5-5",
    "claude-1.3",
    "claude-1.3-100k",
    "claude-instant-1.1",
    "claude-instant-1.1-100k",
    "claude-instant-1.2",
    "claude-2.0",
    "claude-2.1",
    "claude-3-sonnet-20240229",
    "claude-3-opus-20240229",
    "claude-3-7-sonnet-latest",
    "claude-3-7-sonnet-20250219",
    "claude-3-5-haiku-latest",
    "claude-3-5-haiku-20241022",
    "claude-opus-4-0",
    "claude-opus-4-20250514",
    "claude-sonnet-4-0",
    "claude-sonnet-4-20250514",
    "claude-mythos-preview",
    "claude-sonnet-4-5",
    "claude-sonnet-4-5-20250929",
];

#[tokio::test]
async fn every_resource_test_of_the_python_sdk_passes_but_those_that_the_service_would_refuse() {
    let server = MockServer::builder().examples().api_key("my-anthropic-api-key").models(MODELS);
    let server =
        server.requests_per_minute(1_000_000).output_tokens_per_minute(u32::MAX).start().await.unwrap();
    let mut command = tools().python(script("resource_tests.py")).unwrap();
    command.arg(tools().sdist().unwrap()).arg(server.base_url().as_str().trim_end_matches('/')).arg(SELECTED);
    command.args(FILES.map(|file| format!("{FOLDER}{file}")));
    let report = e2e::report(command.into()).await.unwrap();

    let not_applicable: BTreeSet<String> = include_str!("../not_applicable.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split_once(": ").expect("a reason").0.to_owned())
        .collect();
    let failed = report["failed"].as_object().unwrap();
    let failures: BTreeSet<String> = failed.keys().map(|id| short(id)).collect();
    assert_eq!(failures, not_applicable, "{failed:#?}");
    assert!(report["skipped"].as_object().unwrap().is_empty(), "{report:#}");
    let passed = report["passed"].as_array().unwrap().len();
    assert_eq!((passed, failed.len()), (562, 8));
    // The others stand in for the server themselves, or are about what is never sent.
    assert!(server.journal_len() >= 400, "only {} calls were made", server.journal_len());
}

/// `tests/api_resources/beta/test_files.py::TestFiles::test_method_list[strict]` is the test of both clients, the
/// blocking and the asynchronous one.
fn short(id: &str) -> String {
    let id = id.strip_prefix(FOLDER).unwrap_or(id);
    let file = id.split("::").next().unwrap_or_default();
    let name = id.rsplit("::").next().unwrap_or_default();
    format!("{file} {}", name.split('[').next().unwrap_or_default())
}
