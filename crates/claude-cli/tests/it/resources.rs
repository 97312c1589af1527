//! `claudectl batches`, `files`, `models`, `api` and `stream`.

use std::{fs, path::PathBuf, time::Duration};

use clap::CommandFactory as _;
use claude_cli::args::Args;
use mock_server::MockServer;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::claudectl::{Run, Running, against, claudectl, json as body_of, only, run, run_with_input};

/// A server whose batches end at once, and a folder.
async fn place(time: Duration) -> (MockServer, TempDir) {
    let server = MockServer::builder().batch_time(time).start().await.unwrap();
    (server, TempDir::new().unwrap())
}

/// A file of so many messages.
fn messages(folder: &TempDir, count: usize) -> PathBuf {
    let path = folder.path().join("messages.jsonl");
    let line = |n: usize| {
        let params = json!({"model": "claude-haiku-4-5", "max_tokens": 20,
            "messages": [{"role": "user", "content": format!("number {n}")}]});
        json!({"custom_id": format!("n-{n}"), "params": params}).to_string() + "\n"
    };
    fs::write(&path, (0..count).map(line).collect::<String>()).unwrap();
    path
}

fn claude(server: &MockServer, arguments: &[&str]) -> Run {
    run(&mut against(server, arguments))
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_messages_is_submitted_waited_for_and_its_results_are_printed() {
    let (server, folder) = place(Duration::ZERO).await;
    let file = messages(&folder, 3);
    let file = file.to_str().unwrap();
    let id = claude(&server, &["batches", "submit", file, "--wait"]).ok().trim().to_owned();
    assert!(id.starts_with("msgbatch_"), "{id}");
    let status = claude(&server, &["batches", "status", &id]);
    assert_eq!(
        status.ok(),
        format!("{id} ended: 0 processing, 3 succeeded, 0 errored, 0 canceled, 0 expired\n")
    );
    let job = format!("{file}.job");
    assert_eq!(
        claude(&server, &["batches", "status", "--job", &job]).ok(),
        "1 of 1 batches ended, 3 of 3 messages done\n"
    );
    let status = claude(&server, &["batches", "status", "--json", "--job", &job]);
    let status: Value = serde_json::from_str(status.ok()).unwrap();
    assert_eq!((&status["submitted"], &status["batches"]), (&json!(true), &json!([id])));
    for subject in [&["--job", job.as_str()][..], &[id.as_str()]] {
        let results = claude(&server, &[&["batches", "results"], subject].concat());
        let results = lines(results.ok());
        let names: Vec<&str> = results.iter().map(|result| result["custom_id"].as_str().unwrap()).collect();
        assert_eq!(names, ["n-0", "n-1", "n-2"]);
        assert_eq!(results[2]["result"]["message"]["content"][0]["text"], "You said: number 2");
    }
    // Again: nothing is sent twice.
    let again = claude(&server, &["batches", "submit", file, "--json"]);
    assert_eq!(serde_json::from_str::<Value>(again.ok()).unwrap()["batches"], json!([id]));
    let created = server.journal().into_iter().filter(|entry| entry.method == "POST").count();
    assert_eq!(created, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_that_is_interrupted_leaves_a_job_that_goes_on() {
    let (server, folder) = place(Duration::from_secs(3600)).await;
    let file = messages(&folder, 2);
    let file = file.to_str().unwrap();
    let mut waiting = Running::start(&mut against(&server, ["batches", "submit", file, "--wait"]));
    while server.journal().iter().filter(|entry| entry.method == "GET").count() < 2 {
        tokio::task::yield_now().await;
    }
    waiting.interrupt();
    waiting.end().failed(130, "what was sent is noted; the same command goes on");
    server.advance(Duration::from_secs(3600));
    claude(&server, &["batches", "submit", file, "--wait"]).ok();
    assert_eq!(server.journal().into_iter().filter(|entry| entry.method == "POST").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_can_be_cancelled_by_its_name_or_its_job() {
    let (server, folder) = place(Duration::from_secs(3600)).await;
    let file = messages(&folder, 2);
    let file = file.to_str().unwrap();
    let id = claude(&server, &["batches", "submit", file]).ok().trim().to_owned();
    assert!(claude(&server, &["batches", "cancel", &id]).ok().contains("canceling"));
    claude(&server, &["batches", "cancel", "--job", &format!("{file}.job")]).ok();
    server.advance(Duration::from_secs(5));
    assert!(claude(&server, &["batches", "status", &id]).ok().contains("2 canceled"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_is_wrong_is_named_and_nothing_is_sent() {
    let (server, folder) = place(Duration::ZERO).await;
    let path = messages(&folder, 2);
    let good = fs::read_to_string(&path).unwrap();
    let params = r#""params": {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "x"}, {"role": 7}]}"#;
    let cases = [
        ("{", "line 3 of"),
        (r#"{"params": {}}"#, "`custom_id` is missing"),
        (r#"{"custom_id": "x"}"#, "`params` is missing"),
        (r#"{"custom_id": "x", "params": {"model": "m"}}"#, "`params.max_tokens` is missing"),
        (
            &format!(r#"{{"custom_id": "x", {params}}}"#),
            "`params.messages[1].role` is a number, not a string",
        ),
        (good.lines().next().unwrap(), "\"n-0\" is there twice"),
    ];
    for (line, expected) in cases {
        fs::write(&path, format!("{good}{line}\n")).unwrap();
        claude(&server, &["batches", "submit", path.to_str().unwrap()]).failed(1, expected);
    }
    assert_eq!(server.journal_len(), 0);
    claude(&server, &["batches", "status", "--job", "nowhere.job"])
        .failed(1, "there is no job noted at nowhere.job");
    claude(&server, &["batches", "status"]).failed(1, "give a batch's identifier, or --job");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_sent_listed_got_back_and_deleted() {
    let (server, folder) = place(Duration::ZERO).await;
    let path = folder.path().join("notes.txt");
    fs::write(&path, "Buy milk.").unwrap();
    let path = path.to_str().unwrap();
    let id = claude(&server, &["files", "upload", path, "--expires-in", "7200"]).ok().trim().to_owned();
    let file = claude(&server, &["files", "upload", path, "--json", "--mime-type", "text/x-notes"]);
    let file: Value = serde_json::from_str(file.ok()).unwrap();
    assert_eq!((&file["filename"], &file["mime_type"]), (&json!("notes.txt"), &json!("text/x-notes")));
    let listed = claude(&server, &["files", "list"]);
    assert_eq!(listed.ok().lines().count(), 2);
    assert!(listed.stdout.contains(&id) && listed.stdout.contains("notes.txt"), "{listed:?}");
    assert_eq!(lines(claude(&server, &["files", "list", "--json"]).ok()).len(), 2);
    assert_eq!(claude(&server, &["files", "delete", &id]).ok(), format!("{id}\n"));

    let made = server.put_file("plot.csv", "text/csv", "1,2\n");
    assert_eq!(claude(&server, &["files", "download", &made]).ok(), "1,2\n");
    let to = folder.path().join("plot.csv");
    let to = to.to_str().unwrap();
    assert_eq!(claude(&server, &["files", "download", &made, "--output", to]).ok(), "");
    assert_eq!(fs::read_to_string(to).unwrap(), "1,2\n");
    claude(&server, &["files", "download", &made, "--output", to]).failed(1, "give another path");
    claude(&server, &["files", "upload", "nowhere.txt"])
        .failed(1, "nowhere.txt cannot be read; check the path");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_too_large_is_refused_at_once() {
    let (server, folder) = place(Duration::ZERO).await;
    let path = folder.path().join("large");
    fs::File::create(&path).unwrap().set_len(501 << 20).unwrap();
    claude(&server, &["files", "upload", path.to_str().unwrap()]).failed(1, "the service takes 524288000");
    assert_eq!(server.connections(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn models_are_listed_and_described() {
    let (server, _) = place(Duration::ZERO).await;
    let listed = claude(&server, &["models", "list"]);
    assert!(listed.ok().lines().any(|line| line == "claude-sonnet-5-5"), "{listed:?}");
    assert!(lines(claude(&server, &["models", "list", "--json"]).ok()).len() > 5);
    let one = claude(&server, &["models", "get", "claude-sonnet-5-5"]);
    assert!(one.ok().contains("name           Claude Sonnet 5.5\nlifecycle      active"), "{one:?}");
    let one = claude(&server, &["models", "get", "--json", "claude-sonnet-5-5"]);
    assert_eq!(serde_json::from_str::<Value>(one.ok()).unwrap()["id"], "claude-sonnet-5-5");
    claude(&server, &["models", "get", "nobody"]).failed(1, "404");
}

#[tokio::test(flavor = "multi_thread")]
async fn any_route_can_be_called_and_any_list_walked() {
    let (server, _) = place(Duration::ZERO).await;
    let one = claude(&server, &["api", "get", "/v1/models", "-q", "limit=2"]);
    assert_eq!(serde_json::from_str::<Value>(one.ok()).unwrap()["data"].as_array().unwrap().len(), 2);
    let all = claude(&server, &["api", "GET", "/v1/models", "--query", "limit=5", "--pages", "id"]);
    assert!(lines(all.ok()).len() > 5);
    let body = json!({"name": "Reader"}).to_string();
    server.clear_journal();
    let made = run_with_input(
        &mut against(&server, ["api", "POST", "/v1/user_profiles", "--body", "-", "-H", "x-a: b"]),
        body.as_bytes(),
    );
    assert_eq!(serde_json::from_str::<Value>(made.ok()).unwrap()["name"], "Reader");
    assert_eq!(
        (body_of(&only(&server)), only(&server).header("x-a")),
        (json!({"name": "Reader"}), Some("b"))
    );
    claude(&server, &["api", "GET", "/v1/../x"]).failed(1, "is no path of the API");
    claude(&server, &["api", "GET", "/v1/agents"]).failed(1, "404");
    claude(&server, &["api", "POST", "/v1/messages", "--body", "{"]).failed(1, "--body is no JSON");
    claude(&server, &["api", "BREW", "/v1/coffee"]).failed(2, "one of GET");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prompt_is_counted_and_may_have_attachments() {
    let (server, folder) = place(Duration::ZERO).await;
    let count = claude(&server, &["messages", "count", "hello there"]);
    assert!(count.ok().trim().parse::<u64>().unwrap() > 0);
    let count = claude(&server, &["messages", "count", "--json", "hello there"]);
    assert!(serde_json::from_str::<Value>(count.ok()).unwrap()["input_tokens"].is_u64());

    let (image, document) = (folder.path().join("a.png"), folder.path().join("b.pdf"));
    fs::write(&image, b"\x89PNG\r\n\x1a\n...").unwrap();
    fs::write(&document, b"%PDF-1.7 ...").unwrap();
    server.clear_journal();
    let (image, document) = (image.to_str().unwrap(), document.to_str().unwrap());
    claude(&server, &["messages", "create", "look", "--attach", image, "--attach", document]).ok();
    let asked = body_of(&only(&server));
    let kinds: Vec<&Value> =
        asked["messages"][0]["content"].as_array().unwrap().iter().map(|block| &block["type"]).collect();
    assert_eq!(kinds, ["text", "image", "document"]);
    claude(&server, &["messages", "create", "look", "--attach", "nowhere.png"]).failed(1, "nowhere.png");
}

const CAPTURE: &str = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\
    \"message\",\"role\":\"assistant\",\"model\":\"m\",\"content\":[],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{\
    \"input_tokens\":1,\"output_tokens\":1}}}\n\nevent: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\
    \"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\nevent: content_block_delta\ndata: {\"type\":\
    \"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"Hello\"}}\n\n";
const END: &str = "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\nevent: message_delta\n\
    data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},\"usage\":{\
    \"output_tokens\":2}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";

#[test]
fn a_recorded_stream_is_the_message_it_adds_up_to() {
    let decode = |more: &[&str], input: &str| {
        run_with_input(&mut claudectl(["stream", "decode"].iter().chain(more)), input.as_bytes())
    };
    let whole = format!("{CAPTURE}{END}");
    assert_eq!(decode(&[], &whole).ok(), "Hello\n");
    let message: Value = serde_json::from_str(decode(&["--json"], &whole).ok()).unwrap();
    assert_eq!(
        (&message["stop_reason"], &message["usage"]["output_tokens"]),
        (&json!("end_turn"), &json!(2))
    );

    let cut = decode(&[], CAPTURE);
    assert_eq!(cut.stdout, "Hello\n");
    cut.failed(1, "the stream ended before the message did; what arrived");
    let error = r#"{"type":"error","error":{"type":"overloaded_error","message":"too many"}}"#;
    decode(&[], &format!("{CAPTURE}event: error\ndata: {error}\n\n"))
        .failed(1, "event 4 is an error: overloaded_error: too many");
    decode(&[], &format!("{CAPTURE}{CAPTURE}")).failed(1, "event 4: a second message began");
    decode(&[], "event: message_start\ndata: {}\n\n").failed(1, "event 1 has another shape");
    decode(&[], "").failed(1, "is it a stream of events?");
}

#[test]
fn every_command_has_a_manual_page() {
    let folder = TempDir::new().unwrap();
    let pages = folder.path().join("man1");
    run(&mut claudectl(["man", "--out", pages.to_str().unwrap()])).ok();
    let mut names: Vec<_> =
        fs::read_dir(&pages).unwrap().map(|page| page.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    let mut expected = commands(&Args::command(), "claudectl");
    expected.sort();
    assert!(expected.len() > 40 && names == expected, "{names:?}\n{expected:?}");
    for name in &names {
        let page = fs::read_to_string(pages.join(name)).unwrap().replace("\\-", "-");
        assert!(page.contains(&format!(".TH {} 1", name.trim_end_matches(".1"))), "{page}");
        for word in page.split_whitespace().filter(|word| word.ends_with("(1)")) {
            assert!(names.contains(&word.replace("(1)", ".1")), "{name} refers to {word}");
        }
    }
    let page = run(&mut claudectl(["man", "messages", "create"]));
    assert_eq!(page.ok(), fs::read_to_string(pages.join("claudectl-messages-create.1")).unwrap());
    assert!(run(&mut claudectl(["man"])).ok().contains(".TH claudectl 1"));
    run(&mut claudectl(["man", "messages", "sned"])).failed(1, "see `claudectl messages --help`");
    run(&mut claudectl(["man", "--out", "/dev/null/man1"])).failed(1, "/dev/null/man1; check the path");
}

/// The pages of this command and of all below it.
fn commands(command: &clap::Command, name: &str) -> Vec<String> {
    let mut pages = vec![format!("{name}.1")];
    for below in command.get_subcommands().filter(|command| !command.is_hide_set()) {
        pages.extend(commands(below, &format!("{name}-{}", below.get_name())));
    }
    pages
}
