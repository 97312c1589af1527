//! `claudectl batches`, `files`, `models`, `api` and `stream`.

use std::{fs, path::PathBuf, time::Duration};

use clap::CommandFactory as _;
use claude_cli::args::Args;
use mock_server::{At, Fault, MockServer, Reply};
use rustix::process::Signal;
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

/// The list is read first; nothing is sent before it was.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_connection_breaks_before_a_batch_says_that_nothing_was_sent() {
    let (server, folder) = place(Duration::ZERO).await;
    let file = messages(&folder, 2);
    let submit = ["batches", "submit", file.to_str().unwrap(), "--json"];
    server.inject(Fault::reset(At::Request).on("/v1/messages/batches").always());
    let nothing = claude(&server, &submit);
    nothing.failed(1, "without an answer: ");
    nothing.failed(1, "; nothing has been sent yet; the same command sends it");
    assert!(server.journal().iter().all(|entry| entry.method == "GET"));

    server.clear_faults();
    claude(&server, &submit).ok();
    assert_eq!(server.journal().iter().filter(|entry| entry.method == "POST").count(), 1);
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
        (
            r#"{"custom_id": "x", "params": {"model": "m", "max_tokens": 1, "messages": [], "stream": true}}"#,
            "`params.stream` is set, and a batch has no streams; leave it out",
        ),
        (r#"{"custom_id": "x", "params": 1, "custom_id": "y"}"#, "its member `custom_id` is there twice"),
        (&good.lines().next().unwrap().replace("n-0", ""), "the custom_id \"\" is not 1 to 64 letters"),
        (good.lines().next().unwrap(), "the custom_id \"n-0\" is there twice"),
        ("\u{feff}{}", "column 1: expected value"),
    ];
    for (line, expected) in cases {
        fs::write(&path, format!("{good}{line}\n\n")).unwrap();
        let submitted = claude(&server, &["batches", "submit", path.to_str().unwrap()]);
        submitted.failed(1, expected);
        submitted.failed(1, "line 3 of ");
    }
    fs::write(&path, "\n").unwrap();
    claude(&server, &["batches", "submit", path.to_str().unwrap()]).failed(1, "there are no messages in ");
    assert_eq!(server.journal_len(), 0);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no job is left");
    // The mark that some editors begin a file with is no mistake.
    fs::write(&path, format!("\u{feff}{good}")).unwrap();
    claude(&server, &["batches", "submit", path.to_str().unwrap()]).ok();
    claude(&server, &["batches", "status", "--job", "nowhere.job"])
        .failed(1, "there is no job noted at nowhere.job");
    claude(&server, &["batches", "status"]).failed(1, "give a batch's identifier, or --job");
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_were_not_answered_have_an_exit_status_of_their_own() {
    let (server, folder) = place(Duration::ZERO).await;
    let path = messages(&folder, 3);
    // What the service finds wrong, it finds when it answers.
    let wrong = fs::read_to_string(&path).unwrap().replacen("claude-haiku-4-5", "claude-none", 1);
    fs::write(&path, wrong).unwrap();
    let path = path.to_str().unwrap();
    let run = claude(&server, &["batches", "submit", path, "--wait", "--json"]);
    run.failed(5, "1 of 3 messages were not answered (1 errored, 0 canceled, 0 expired); `claudectl batches results --job ");
    let told: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        (&told["request_counts"]["succeeded"], &told["request_counts"]["errored"]),
        (&json!(2), &json!(1))
    );
    // Whoever does not wait has nothing to be told.
    let told: Value =
        serde_json::from_str(claude(&server, &["batches", "submit", path, "--json"]).ok()).unwrap();
    assert_eq!(told["request_counts"], Value::Null);
}

/// Whoever waits for a process that is killed, too, has a job that goes on: the batch is looked for.
#[tokio::test(flavor = "multi_thread")]
async fn a_submission_that_is_interrupted_at_any_point_goes_on_and_sends_every_message_once() {
    for signal in [Signal::INT, Signal::KILL] {
        let (server, folder) = place(Duration::ZERO).await;
        let file = messages(&folder, 2);
        let file = file.to_str().unwrap();
        let created = || server.journal().into_iter().filter(|entry| entry.method == "POST").count();
        // Before the batch is created, and after it, when its answer has not come.
        let held = server.hold_answers("/v1/messages/batches");
        let mut first = Running::start(&mut against(&server, ["batches", "submit", file]));
        while server.journal_len() == 0 {
            tokio::task::yield_now().await;
        }
        first.signal(signal);
        let first = first.end();
        drop(held);
        if signal == Signal::INT {
            first.failed(130, "nothing has been sent yet; the same command sends it");
        }
        assert_eq!(created(), 0);
        // The newest batch is asked for first.
        server.inject(Fault::answer(Reply::json(json!({"data": []}))).on("/v1/messages/batches"));
        server.inject(Fault::stall(At::Request).on("/v1/messages/batches"));
        let mut second = Running::start(&mut against(&server, ["batches", "submit", file]));
        while created() == 0 {
            tokio::task::yield_now().await;
        }
        second.signal(signal);
        let second = second.end();
        if signal == Signal::INT {
            second.failed(130, "what was sent is noted; the same command goes on");
        }
        let id = claude(&server, &["batches", "submit", file, "--wait"]).ok().trim().to_owned();
        assert_eq!(created(), 1, "{signal:?}");
        assert_eq!(lines(claude(&server, &["batches", "results", &id]).ok()).len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_regular_file_is_refused_before_it_is_read() {
    let (server, folder) = place(Duration::ZERO).await;
    let pipe = folder.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let pipe = pipe.to_str().unwrap();
    let file = messages(&folder, 1);
    let file = file.to_str().unwrap();
    for path in [pipe, "/dev/zero", folder.path().to_str().unwrap()] {
        let expected = format!("{path} is no regular file");
        claude(&server, &["files", "upload", path]).failed(1, &expected);
        claude(&server, &["batches", "submit", path]).failed(1, &expected);
        claude(&server, &["messages", "create", "look", "--attach", path])
            .failed(1, "this is no regular file");
        let no_job = format!("{path} is no file of a job");
        claude(&server, &["batches", "submit", file, "--job", path]).failed(1, &no_job);
        claude(&server, &["batches", "status", "--job", path]).failed(1, &no_job);
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_to_be_read_again_does_not_come_from_standard_input() {
    let (server, _) = place(Duration::ZERO).await;
    claude(&server, &["batches", "submit", "-"]).failed(1, "save the messages to a file and give its path");
    claude(&server, &["messages", "create", "look", "--attach", "-"])
        .failed(1, "save it to a file and give its path");
    assert_eq!(server.connections(), 0);
}

/// The service may have done what it was asked before its answer came.
#[tokio::test(flavor = "multi_thread")]
async fn an_interruption_says_what_may_have_been_done() {
    let (server, folder) = place(Duration::from_secs(3600)).await;
    let file = messages(&folder, 1);
    let file = file.to_str().unwrap();
    let asking = "what was under way may have been done all the same; look before you ask for it again";
    let body = json!({"name": "Reader"}).to_string();
    let cases: [(&str, &[&str], &str); 5] = [
        ("/v1/files", &["files", "upload", file], asking),
        ("/v1/messages", &["messages", "create", "hello"], asking),
        ("/v1/messages", &["messages", "stream", "hello"], asking),
        ("/v1/user_profiles", &["api", "POST", "/v1/user_profiles", "--body", &body], asking),
        ("/v1/models", &["models", "list"], "nothing is left half done"),
    ];
    for (path, arguments, left) in cases {
        server.clear_journal();
        server.inject(Fault::stall(At::Request).on(path));
        let mut hanging = Running::start(&mut against(&server, arguments));
        while server.journal_len() == 0 {
            tokio::task::yield_now().await;
        }
        hanging.interrupt();
        hanging.end().failed(130, left);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_in_an_answer_is_named_by_its_member_or_its_line() {
    let (server, folder) = place(Duration::ZERO).await;
    let page = json!({"data": [], "has_more": "yes", "first_id": null, "last_id": null});
    server.inject(Fault::answer(Reply::json(page)).on("/v1/models"));
    claude(&server, &["models", "list"]).failed(1, "has another shape than expected at `has_more`");
    let file = messages(&folder, 2);
    let id = claude(&server, &["batches", "submit", file.to_str().unwrap(), "--wait"]).ok().trim().to_owned();
    let good = json!({"custom_id": "n-0", "result": {"type": "canceled"}});
    let path = format!("/v1/messages/batches/{id}/results");
    server.inject(
        Fault::answer(Reply::bytes("application/binary", format!("{good}\n{{\"custom_id\": 7}}\n")))
            .on(&path),
    );
    let run = claude(&server, &["batches", "results", &id]);
    assert_eq!(run.stdout.lines().count(), 1);
    run.failed(1, "lines of which number 2 is JSON of which one part cannot be read");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_is_whole_at_its_path_or_not_there() {
    let (server, folder) = place(Duration::ZERO).await;
    let id = server.put_file("plot.csv", "text/csv", "x".repeat(300_000));
    let path = folder.path().join("plot.csv");
    let to = ["files", "download", &id, "--output", path.to_str().unwrap()];
    let left = || fs::read_dir(folder.path()).unwrap().count();
    let content = format!("/v1/files/{id}/content");

    server.inject(Fault::reset(At::Body(150_000)).on(&content));
    claude(&server, &to).failed(1, "a body that broke off; try again");
    assert_eq!(left(), 0);
    server.inject(Fault::stall(At::Body(150_000)).on(&content));
    let mut hanging = Running::start(&mut against(&server, to));
    while left() == 0 {
        tokio::task::yield_now().await;
    }
    assert!(!path.exists());
    hanging.interrupt();
    hanging.end().failed(130, "nothing is left half done");
    assert_eq!(left(), 0);

    let told = claude(&server, &[&to[..], &["--json"]].concat());
    let told: Value = serde_json::from_str(told.ok()).unwrap();
    assert_eq!(told, json!({"id": id, "path": path, "size_bytes": 300_000}));
    assert_eq!(fs::metadata(&path).unwrap().len(), 300_000);
    // What is there already stays, whatever it is, and nothing is asked for.
    server.clear_journal();
    claude(&server, &to).failed(1, "plot.csv is there already; give another path");
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("nowhere", &path).unwrap();
    claude(&server, &to).failed(1, "plot.csv is there already; give another path");
    assert_eq!((server.journal_len(), left()), (0, 1));
    claude(&server, &["files", "download", &id, "--json"]).failed(2, "--output");
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
    claude(&server, &["files", "upload", path, "--mime-type", "text"])
        .failed(1, "\"text\" is no media type; give one such as text/plain");
    let piped = run_with_input(&mut against(&server, ["files", "upload", "-", "--json"]), b"from a pipe");
    let piped: Value = serde_json::from_str(piped.ok()).unwrap();
    assert_eq!((&piped["filename"], &piped["size_bytes"]), (&json!("stdin"), &json!(11)));
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
    // A hint names only what can be typed.
    for command in [
        &["models", "get", "nobody"][..],
        &["files", "delete", "file_1"],
        &["batches", "status", "msgbatch_1"],
    ] {
        claude(&server, command).failed(1, "; check the identifier and the base URL");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn any_route_can_be_called_and_any_list_walked() {
    let (server, folder) = place(Duration::ZERO).await;
    let file = messages(&folder, 1);
    let file = file.to_str().unwrap();
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
    claude(&server, &["api", "GET", "/v1/agents"])
        .failed(1, "; check the path, what is named in it and in the body, and the base URL");
    let walk =
        |path: &str, way: &str| claude(&server, &["api", "GET", path, "-q", "limit=1", "--pages", way]);
    claude(&server, &["files", "upload", file]).ok();
    claude(&server, &["files", "upload", file]).ok();
    assert_eq!(lines(walk("/v1/files", "cursor").ok()).len(), 2);
    for (path, way, advice) in [
        ("/v1/files", "id", "walk the list by `cursor` or by `token`"),
        ("/v1/files", "token", "walk it by `cursor` in place of `token`"),
        ("/v1/models", "cursor", "walk the list by `id`"),
        ("/v1/models", "token", "walk the list by `id`"),
    ] {
        walk(path, way).failed(1, advice);
    }
    claude(&server, &["api", "POST", "/v1/messages", "--body", "{"])
        .failed(1, "--body cannot be read as JSON");
    claude(&server, &["api", "POST", "/v1/messages", "--body", "1e400"]).failed(1, "number out of range");
    claude(&server, &["api", "BREW", "/v1/coffee"]).failed(2, "one of GET");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_route_that_takes_a_form_gets_one() {
    let (server, folder) = place(Duration::ZERO).await;
    let path = folder.path().join("notes.txt");
    fs::write(&path, "Buy milk.").unwrap();
    let field = format!("file=@{}", path.display());
    let sent = claude(&server, &["api", "POST", "/v1/files", "-F", "expires_in_seconds=3600", "-F", &field]);
    let sent: Value = serde_json::from_str(sent.ok()).unwrap();
    assert_eq!((&sent["filename"], &sent["mime_type"]), (&json!("notes.txt"), &json!("text/plain")));
    let named = ["api", "POST", "/v1/files", "--form", "file=@-;type=text/csv;filename=a b.csv"];
    let piped = run_with_input(&mut against(&server, named), b"1,2\n");
    let piped: Value = serde_json::from_str(piped.ok()).unwrap();
    assert_eq!((&piped["filename"], &piped["mime_type"]), (&json!("a b.csv"), &json!("text/csv")));
    assert_eq!(piped["size_bytes"], 4);
    let skill = folder.path().join("SKILL.md");
    fs::write(&skill, "---\nname: haiku\ndescription: Writes haiku.\n---\nFive, seven, five.").unwrap();
    let field = format!("files[]=@{};filename=haiku/SKILL.md", skill.display());
    let skill = claude(&server, &["api", "POST", "/v1/skills", "-F", "display_name=Haiku", "-F", &field]);
    assert_eq!(serde_json::from_str::<Value>(skill.ok()).unwrap()["display_name"], "Haiku");

    server.clear_journal();
    for (field, advice) in [
        ("file", "give a field as NAME=TEXT"),
        ("=text", "give a field as NAME=TEXT"),
        ("file=@", "give a field as NAME=TEXT"),
        ("file=@nowhere.txt", "nowhere.txt cannot be read; check the path"),
        ("file=@/dev/zero", "/dev/zero is no regular file"),
        ("file=@a;encoder=base64", "after a path there may be ;type=… and ;filename=…"),
        ("file=@/dev/null;type=text", "\"text\" is no media type"),
    ] {
        claude(&server, &["api", "POST", "/v1/files", "--form", field]).failed(1, advice);
    }
    claude(&server, &["api", "POST", "/v1/files", "--form", "a=b", "--body", "{}"])
        .failed(2, "cannot be used");
    assert_eq!(server.journal_len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn attachments_that_are_too_large_together_are_named_and_not_read() {
    let (server, folder) = place(Duration::ZERO).await;
    let file = |name: &str, bytes: u64| {
        let path = folder.path().join(name);
        // They are nothing that could be attached: who reads one says so.
        fs::File::create(&path).unwrap().set_len(bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (one, other, small) =
        (file("one.pdf", 14_000_000), file("other.pdf", 10_000_001), file("small.pdf", 10_000_000));
    let both = claude(&server, &["messages", "create", "look", "--attach", &one, "--attach", &other]);
    both.failed(1, "together the files have 24000001 bytes, and 24000000 fit into a request");
    assert!(both.stderr.contains(&format!("{one} (14000000 bytes), {other} (10000001 bytes)")), "{both:?}");
    let read = claude(&server, &["messages", "create", "look", "--attach", &one, "--attach", &small]);
    read.failed(1, "one.pdf cannot be attached: the file is neither PNG");
    assert_eq!(server.connections(), 0);
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

    let disguised = folder.path().join("c.jpg");
    fs::write(&disguised, b"\x89PNG\r\n\x1a\n...").unwrap();
    let sent = claude(&server, &["messages", "create", "look", "--attach", disguised.to_str().unwrap()]);
    assert_eq!(sent.status, Some(0));
    assert!(
        sent.stderr.ends_with("c.jpg is sent as what is in it, image/png; its name says otherwise\n"),
        "{sent:?}"
    );
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
    cut.failed(1, "the stream ends after event 3, before its message does; what there is of it was printed");
    let error = r#"{"type":"error","error":{"type":"overloaded_error","message":"too many"}}"#;
    decode(&[], &format!("{CAPTURE}event: error\ndata: {error}\n\n"))
        .failed(1, "event 4 is an error: the service answered 529 overloaded_error: too many; ");
    decode(&[], &format!("{CAPTURE}{CAPTURE}")).failed(1, "event 4: a second message began");
    decode(&[], "event: message_start\ndata: {}\n\n").failed(1, "event 1 has another shape");
    decode(&[], "").failed(1, "is it a stream of events?");
    decode(&[], "event: ping\ndata: {}\n\n").failed(1, "there is no message in it (1 events)");

    // What `messages stream --json` prints.
    let of_lines = |capture: &str| {
        let data = capture.lines().filter_map(|line| line.strip_prefix("data: "));
        data.flat_map(|line| [line, "\n"]).collect::<String>()
    };
    assert_eq!(decode(&[], &format!("\r\n{}", of_lines(&whole))).ok(), "Hello\n");
    let of_lines_alone: Value = serde_json::from_str(decode(&["--json"], &of_lines(&whole)).ok()).unwrap();
    assert_eq!(of_lines_alone, message);
    assert_eq!(decode(&[], of_lines(&whole).trim_end()).ok(), "Hello\n");
    decode(&[], &of_lines(CAPTURE)).failed(1, "the stream ends after event 3");
    decode(&[], of_lines(CAPTURE).trim_end_matches("}}\n")).failed(1, "event 3 has another shape");
    decode(&[], &format!("{}{error}\n", of_lines(CAPTURE)))
        .failed(1, "event 4 is an error: the service answered 529 overloaded_error");
    decode(&[], &format!("{{\"{}", "x".repeat(17 << 20)))
        .failed(1, "one of its lines is longer than 16777216");

    // A capture of the data alone: their `type` tells.
    let of_data = |capture: &str| {
        let lines = capture.lines().filter(|line| !line.starts_with("event: "));
        lines.flat_map(|line| [line, "\n"]).collect::<String>()
    };
    assert_eq!(decode(&[], &of_data(&whole)).ok(), "Hello\n");
    decode(&[], &of_data(CAPTURE)).failed(1, "the stream ends after event 3");
}

#[test]
fn an_error_in_a_recorded_stream_is_told_as_in_a_live_one_and_without_keys() {
    let decode = |more: &[&str], input: &str| {
        run_with_input(&mut claudectl(["stream", "decode"].iter().chain(more)), input.as_bytes())
    };
    let told = |input: &str| -> Value {
        let run = decode(&["--json"], input);
        assert_eq!(run.status, Some(1), "{run:?}");
        serde_json::from_str(&run.stderr).unwrap()
    };
    let key = format!("sk-ant-api03-{}", "A".repeat(95));
    let error = |kind: &str| {
        let error = json!({"type": kind, "message": format!("busy; {key}")});
        format!("event: error\ndata: {}\n\n", json!({"type": "error", "error": error, "request_id": "req_7"}))
    };
    let expected = json!({"type": "error", "request_id": "req_7", "error": {
        "type": "overloaded_error",
        "message": "event 1 is an error: the service answered 529 overloaded_error: busy; [key]",
        "next_step": "the service is overloaded; try again later",
    }});
    assert_eq!(told(&error("overloaded_error")), expected);
    for run in [decode(&[], &error("overloaded_error")), decode(&["--json"], &error(&key))] {
        assert!(run.stderr.contains("[key]") && !run.stderr.contains("AAAA"), "{run:?}");
    }

    let no_usage = CAPTURE
        .replace(r#""usage":{"input_tokens":1,"output_tokens":1}"#, r#""usage":{"input_tokens":"one"}"#);
    let told = told(&no_usage);
    assert_eq!(told["error"]["next_step"], "record the stream again, or take the event out", "{told}");
    assert!(
        told["error"]["message"].as_str().unwrap().starts_with("event 1 has another shape than expected: ")
    );
}

#[test]
fn what_is_odd_in_a_recorded_stream_is_told_and_is_no_failure() {
    let call = r#"{"type":"tool_use","id":"toolu_1","name":"weather","input":{}}"#;
    let capture = CAPTURE.replace(r#"{"type":"text","text":""}"#, call);
    let capture = capture.replace(
        r#"{"type":"text_delta","text":"Hello"}"#,
        r#"{"type":"input_json_delta","partial_json":"{\"city\": Ghent}"}"#,
    );
    let capture = capture + &END.replace(r#"{"output_tokens":2}"#, r#"{"output_tokens":"many"}"#);
    let decode = |more: &[&str]| {
        run_with_input(&mut claudectl(["stream", "decode"].iter().chain(more)), capture.as_bytes())
    };
    let told = decode(&[]);
    assert_eq!((told.status, told.stdout.as_str()), (Some(0), "\n"));
    let warnings = [
        "the arguments of the call in block 0 are no JSON; they are kept as text",
        "`usage.output_tokens` has another shape than expected; what was counted before stays",
    ];
    let call = "the model calls the tool weather with \"{\\\"city\\\": Ghent}\"";
    let lines: String = [call].iter().chain(&warnings).map(|line| format!("claudectl: {line}\n")).collect();
    assert_eq!(told.stderr, lines);
    let message: Value = serde_json::from_str(decode(&["--json"]).ok()).unwrap();
    assert_eq!(message["warnings"], json!(warnings));
    assert_eq!(message["content"][0]["input"], "{\"city\": Ghent}");
    assert_eq!(message["usage"]["output_tokens"], 1);
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
        let title =
            format!(".TH {} 1  \"claudectl {}\" ", name.trim_end_matches(".1"), env!("CARGO_PKG_VERSION"));
        assert!(page.contains(&title), "{page}");
        for word in page.split_whitespace().filter(|word| word.ends_with("(1)")) {
            assert!(names.contains(&word.replace("(1)", ".1")), "{name} refers to {word}");
        }
    }
    let synopsis = |words: &[&str]| {
        let page = run(&mut claudectl(["man"].iter().chain(words))).ok().replace("\\-", "-");
        let (_, synopsis) = page.split_once(".SH SYNOPSIS\n").unwrap();
        synopsis.lines().next().unwrap().replace("\\fB", "").replace("\\fR", "")
    };
    assert!(
        synopsis(&["files", "download"])
            .starts_with("claudectl files download [-o|--output <PATH>] [--json] ")
    );
    assert!(
        synopsis(&["files", "download"]).ends_with(" [-h|--help] <ID>"),
        "{}",
        synopsis(&["files", "download"])
    );
    assert!(synopsis(&["api"]).contains(" [-q|--query <NAME=VALUE>...] "), "{}", synopsis(&["api"]));
    assert!(synopsis(&["messages", "create"]).ends_with(" [PROMPT]"));
    assert!(
        synopsis(&["env", "run"]).ends_with(" <PROFILE> -- <PROGRAM>..."),
        "{}",
        synopsis(&["env", "run"])
    );
    assert_eq!(synopsis(&["messages"]), "claudectl messages [-h|--help] <COMMAND>");
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
