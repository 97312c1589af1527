//! The blocking client: outside of every runtime, inside of one, and when things go wrong.

use claude_sdk::{
    Client, Error, FileUpload, RequestOptions, SkillFiles, blocking,
    stream::Event,
    tools::RunEvent,
    types::{BatchRequest, Model, ModelInfo, UserProfileParams},
};
use mock_server::{MockServer, Reply};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::rig::{client, held, hello};

/// A server on a runtime of its own, and a blocking client of it.
fn rig(replies: impl IntoIterator<Item = Reply>) -> (Runtime, MockServer, blocking::Client) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = runtime.block_on(held().script(replies).start()).unwrap();
    let client = blocking::Client::new(client(&server).0.max_retries(0).build().unwrap()).unwrap();
    (runtime, server, client)
}

#[test]
fn it_gives_what_the_async_client_gives() {
    let (_runtime, server, client) = rig([]);
    let message = client.messages().create(&hello()).unwrap();
    assert_eq!(message.text(), "You said: hello there");
    assert!(message.request_id().is_some());
    assert!(client.messages().count_tokens(&hello()).unwrap().input_tokens > 0);
    assert_eq!(client.limits().requests.limit, Some(1000));

    let first = client.models().list().limit(2).first().unwrap();
    let ids = |list: blocking::List<'_, ModelInfo>| -> Vec<Model> {
        list.limit(2).items().map(|model| model.unwrap().id).collect()
    };
    let all = ids(client.models().list());
    assert_eq!(first.data.len(), 2);
    assert_eq!(all.len(), client.models().list().pages().map(|page| page.unwrap().data.len()).sum::<usize>());
    assert_eq!(ids(client.models().list().after_id(first.last_id.as_deref().unwrap())), all[2..]);
    assert_eq!(client.models().get(&Model::CLAUDE_SONNET_5_5).unwrap().id, Model::CLAUDE_SONNET_5_5);
    let page: Value = client.raw().get("/v1/models").query("limit", "1").send().unwrap().json().unwrap();
    assert_eq!(page["data"].as_array().unwrap().len(), 1);
    let body = json!({"model": "claude-haiku-4-5", "max_tokens": 9, "messages": [{"role": "user", "content": "a b"}]});
    let reply: Value = client.raw().post("/v1/messages").json(&body).send().unwrap().json().unwrap();
    assert_eq!(reply["role"], "assistant");
    let form = client.raw().post("/v1/files").form_text("expires_in_seconds", "3600");
    let form = form.form_file("file", FileUpload::bytes("a.txt", "abc"));
    let file: Value = form.send().unwrap().json().unwrap();
    assert_eq!((&file["filename"], &file["size_bytes"]), (&json!("a.txt"), &json!(3)));

    let once = client.with_options(RequestOptions::new().header("x-job", "nightly")).unwrap();
    once.messages().create(&hello()).unwrap();
    assert_eq!(server.journal().pop().unwrap().header("x-job"), Some("nightly"));
    assert!(client.flush());
}

#[test]
fn files_and_batches_go_through_the_same_thread() {
    let (_runtime, _server, client) = rig([]);
    let file = client.files().upload(FileUpload::bytes("a.txt", "hello")).unwrap();
    assert_eq!(client.files().get(&file.id).unwrap().filename, "a.txt");
    assert_eq!(client.files().list().items().count(), 1);
    client.files().delete(&file.id).unwrap();
    let error = client.files().download(&file.id).unwrap_err();
    assert_eq!(error.status().unwrap(), 404);

    let batch = client.batches().create(&[BatchRequest::new("one", hello())]).unwrap();
    assert_eq!(client.batches().get(&batch.id).unwrap().id, batch.id);
    assert_eq!(client.batches().list().items().count(), 1);
    client.batches().cancel(&batch.id).unwrap();
}

#[test]
fn skills_profiles_and_the_organization_are_there_too() {
    let (_runtime, server, client) = rig([]);
    let files =
        || SkillFiles::new().file("haiku/SKILL.md", "---\nname: haiku\ndescription: Writes.\n---\nFive.");
    let skill = client.skills().create(Some("Haiku"), files()).unwrap();
    assert_eq!(client.skills().get(&skill.id).unwrap().display_name.as_deref(), Some("Haiku"));
    let version = client.skills().create_version(&skill.id, files()).unwrap();
    assert_eq!(client.skills().versions(&skill.id).items().count(), 2);
    assert_eq!(client.skills().version(&skill.id, "latest").unwrap().id, version.id);
    let archive: Vec<_> = client.skills().download_version(&skill.id, &version.id).unwrap().collect();
    assert!(archive.iter().all(Result::is_ok) && !archive.is_empty());
    client.skills().delete_version(&skill.id, &version.id).unwrap();
    client.skills().delete(&skill.id).unwrap();
    assert!(client.skills().list().query("source", "custom").items().next().is_none());

    let profile = client.user_profiles().create(&UserProfileParams::new().name("Reader")).unwrap();
    let changed = UserProfileParams::new().metadata("plan", "free");
    assert_eq!(client.user_profiles().update(&profile.id, &changed).unwrap().name.as_deref(), Some("Reader"));
    assert_eq!(client.user_profiles().get(&profile.id).unwrap().id, profile.id);
    assert_eq!(client.user_profiles().list().items().count(), 1);
    client.user_profiles().create_action_url(&profile.id, "enroll_end_user").unwrap();
    client.user_profiles().create_enrollment_url(&profile.id).unwrap();
    client.user_profiles().delete(&profile.id).unwrap();

    server.push_reply(Reply::json(json!({"data": []})).on("/v1/organizations/rate_limits"));
    assert!(client.organization().rate_limits().is_ok());
}

#[test]
fn a_job_and_a_run_of_tools_come_and_go_between_the_threads() {
    let (_runtime, server, client) = rig([]);
    let folder = tempfile::TempDir::new().unwrap();
    let mut job =
        client.batches().job(folder.path().join("job")).unwrap().with(|job| job.batch_size(2, usize::MAX));
    let requests = || (0..3).map(|n| BatchRequest::new(format!("n-{n}"), hello()));
    assert_eq!(job.check(requests()).unwrap(), 3);
    job.submit(requests()).unwrap();
    assert_eq!(job.ids().unwrap().len(), 2);
    assert_eq!(job.progress().unwrap().requests, 3);
    server.advance(std::time::Duration::from_secs(24 * 60 * 60));
    let (told, heard) = std::sync::mpsc::channel();
    job.wait(move |progress| told.send(progress.done).unwrap()).unwrap();
    assert_eq!(heard.iter().last(), Some(3));
    let names: Vec<String> = job.results().unwrap().map(|result| result.unwrap().custom_id).collect();
    assert_eq!(names, ["n-0", "n-1", "n-2"]);
    job.cancel().unwrap();

    let (_runtime, _server, client) = rig([Reply::tool_use("nobody", json!({})), Reply::text("done")]);
    let mut runner = client.messages().tool_runner(hello()).with(|runner| runner.max_turns(3));
    assert_eq!(runner.next().unwrap().unwrap().tool_uses().count(), 1);
    runner.request_mut().unwrap().max_tokens = 7;
    assert!(matches!(runner.next_event(), Some(Ok(RunEvent::Results(answers))) if answers.len() == 1));
    assert_eq!(runner.finish().unwrap().text(), "done");
    assert_eq!(runner.conversation().unwrap().len(), 4);
    assert!(runner.next().is_none() && runner.next_event().is_none());
}

#[test]
fn a_stream_is_an_iterator_that_ends_with_the_whole_message() {
    let (_runtime, _server, client) = rig([Reply::text("one two three")]);
    let mut stream = client.messages().stream(&hello()).unwrap();
    assert!(stream.request_id().is_some() && stream.headers().is_some() && stream.status().is_success());
    assert!(matches!(stream.next(), Some(Ok(Event::MessageStart { .. }))));
    let text: Vec<String> = stream.text_stream().collect::<Result<_, _>>().unwrap();
    assert!(text.len() > 1 && text.concat() == "one two three");
    assert!(stream.next().is_none());
    assert_eq!(stream.snapshot().unwrap().text(), "one two three");
    drop(client); // the stream keeps the thread
    assert_eq!(stream.final_message().unwrap().text(), "one two three");
}

#[test]
fn a_stream_that_is_cut_is_an_error_with_what_arrived() {
    let (_runtime, _server, client) = rig([Reply::text("one two three four").truncate_after(700)]);
    let mut stream = client.messages().stream(&hello()).unwrap();
    let error = stream.find_map(Result::err).unwrap();
    assert!(matches!(&error, Error::Stream(error) if error.is_truncated()), "{error:?}");
    assert!(stream.next().is_none());
    assert!(matches!(stream.final_message(), Err(Error::Stream(_))));
}

#[test]
fn errors_are_those_of_the_async_client() {
    let overloaded = Reply::error(http::StatusCode::from_u16(529).unwrap(), "overloaded_error", "later");
    let (_runtime, _server, client) = rig([overloaded]);
    let error = client.messages().create(&hello()).unwrap_err();
    assert!(matches!(error, Error::Api(_)) && error.is_retryable());
    let error = client.raw().get("/v1/../admin").send().unwrap_err();
    assert!(matches!(error, Error::Config(_)), "{error:?}");
}

#[test]
fn it_may_be_called_and_dropped_inside_a_runtime() {
    let (runtime, _server, client) = rig([]);
    let text = Runtime::new().unwrap().block_on(async move {
        let message = client.messages().create(&hello()).unwrap();
        let stream = client.messages().stream(&hello()).unwrap();
        drop((client, stream));
        message.text()
    });
    assert_eq!(text, "You said: hello there");
    drop(runtime);
}

#[test]
fn threads_share_a_client_and_their_calls_go_on_at_once() {
    let (_runtime, server, client) = rig([]);
    let calls: Vec<_> = (0..4)
        .map(|_| {
            let client = client.clone();
            std::thread::spawn(move || client.messages().create(&hello()).map(|message| message.text()))
        })
        .collect();
    for call in calls {
        assert_eq!(call.join().unwrap().unwrap(), "You said: hello there");
    }
    assert_eq!(server.journal_len(), 4);
}

#[test]
fn whatever_the_async_client_can_do_can_be_waited_for_and_a_panic_in_it_is_an_error() {
    let (_runtime, _server, client) = rig([Reply::text("done")]);
    let work = |client: Client| async move { client.messages().tool_runner(hello()).finish().await };
    assert_eq!(client.run(work).unwrap().text(), "done");

    let error =
        client.run(|_| async { if true { panic!("broken") } else { Ok::<(), Error>(()) } }).unwrap_err();
    assert!(matches!(error, Error::Transport(_)), "{error:?}");
    assert!(client.models().list().first().is_ok(), "the thread goes on");
}
