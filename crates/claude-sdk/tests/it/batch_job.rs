//! Jobs: any number of messages in batches, through crashes.

use std::{path::PathBuf, sync::Arc, time::Duration};

use claude_sdk::{
    BatchJob, Client, JobError,
    types::{BatchRequest, MessageRequest, Model},
};
use futures_util::{FutureExt as _, StreamExt as _};
use http::StatusCode;
use mock_server::{At, Entry, Fault, MockServer, Reply};
use serde_json::Value;
use tempfile::TempDir;

use crate::rig::{Waits, client, held};

const BATCHES: &str = "/v1/messages/batches";

struct Place {
    server: MockServer,
    client: Client,
    waits: Waits,
    folder: TempDir,
}

impl Place {
    async fn new() -> Self {
        let server = held().batch_time(Duration::from_secs(3600)).start().await.unwrap();
        let (client, waits) = client(&server);
        let client = client.build().unwrap();
        Self { server, client, waits, folder: TempDir::new().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("job")
    }

    /// The job as the next process finds it, with batches of ten messages.
    fn job(&self) -> BatchJob {
        let job = self.client.batches().job(self.path()).unwrap();
        job.batch_size(10, usize::MAX).poll_every(Duration::from_secs(2), Duration::from_secs(20)).seed(7)
    }

    fn created(&self) -> Vec<Entry> {
        let journal = self.server.journal().into_iter();
        journal
            .filter(|entry| entry.method == "POST" && entry.path == BATCHES && entry.status == 200)
            .collect()
    }

    /// The names of all messages that arrived, batch by batch.
    fn arrived(&self) -> Vec<String> {
        let mut names = Vec::new();
        for entry in self.created() {
            let body: Value = serde_json::from_slice(&entry.body).unwrap();
            let requests = body["requests"].as_array().unwrap();
            names.extend(requests.iter().map(|request| request["custom_id"].as_str().unwrap().to_owned()));
        }
        names
    }
}

fn requests(count: u32) -> impl Iterator<Item = BatchRequest> {
    (0..count).map(|n| {
        let request = MessageRequest::new(Model::CLAUDE_HAIKU_4_5, 50).user(format!("number {n}"));
        BatchRequest::new(format!("n-{n}"), request)
    })
}

fn names(count: u32) -> Vec<String> {
    requests(count).map(|request| request.custom_id).collect()
}

#[tokio::test]
async fn a_job_is_split_waited_for_and_joined_by_its_names() {
    let place = Place::new().await;
    let mut job = place.job();
    job.submit(requests(25)).await.unwrap();
    assert!(job.is_submitted());
    assert_eq!((job.ids().len(), place.arrived()), (3, names(25)));

    let mut told = Vec::new();
    let server = Arc::new(&place.server);
    job.wait(|progress| {
        told.push((progress.batches, progress.ended, progress.requests, progress.done));
        if told.len() == 3 {
            server.advance(Duration::from_secs(3600));
        }
    })
    .await
    .unwrap();
    assert_eq!(told, [(3, 0, 25, 0), (3, 0, 25, 0), (3, 0, 25, 0), (3, 3, 25, 25)]);
    let waits = place.waits.slept();
    assert!(waits.is_sorted() && waits.len() == 3, "{waits:?}");
    assert!(waits.iter().all(|wait| wait.subsec_nanos() != 0), "they are spread: {waits:?}");

    let answers = job.results().by_custom_id().await.unwrap();
    assert_eq!(answers.len(), 25);
    assert_eq!(answers["n-17"].message().unwrap().text(), "You said: number 17");
    let streamed: Vec<String> = job.results().map(|result| result.unwrap().custom_id).collect().await;
    assert_eq!(streamed, names(25));
}

#[tokio::test]
async fn a_job_goes_on_where_it_was_left_and_sends_nothing_twice() {
    let place = Place::new().await;
    place.job().submit(requests(25)).await.unwrap();
    assert_eq!(place.created().len(), 3);
    // Another process, the same messages.
    let mut again = place.job();
    again.submit(requests(25)).await.unwrap();
    assert_eq!((again.ids().len(), place.created().len()), (3, 3));

    for others in [24, 26] {
        let error = place.job().submit(requests(others)).await.unwrap_err();
        assert!(matches!(error, JobError::Changed { .. }), "{error}");
    }
    let changed = requests(25).map(|mut request| {
        request.params.max_tokens = 51;
        request
    });
    assert!(matches!(place.job().submit(changed).await, Err(JobError::Changed { .. })));
    assert_eq!(place.created().len(), 3);
}

/// The process ends at every moment there is: while each request is under way, its answer decided or not.
#[tokio::test]
async fn wherever_it_ends_every_message_is_sent_once() {
    for steps in 0..60 {
        let place = Place::new().await;
        {
            let mut job = place.job();
            let mut submit = Box::pin(job.submit(requests(25)));
            for _ in 0..steps {
                if submit.as_mut().now_or_never().is_some() {
                    break;
                }
                tokio::task::yield_now().await;
            }
            // What was sent arrives, even if nobody waits for the answer.
            for _ in 0..50 {
                tokio::task::yield_now().await;
            }
        }
        place.job().submit(requests(25)).await.unwrap();
        assert_eq!(place.arrived(), names(25), "ended after {steps} steps");
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_is_looked_for() {
    let place = Place::new().await;
    place.server.inject(Fault::reset(At::Request).on(BATCHES).times(1));
    // The list before it is no POST: lose the answer to the creation.
    let error = place.job().submit(requests(5)).await;
    if error.is_err() {
        place.job().submit(requests(5)).await.unwrap();
    }
    assert_eq!(place.arrived(), names(5));

    let place = Place::new().await;
    let held = place.server.hold_answers(BATCHES);
    drop(held);
    let mut job = place.job();
    {
        let mut submit = Box::pin(job.submit(requests(5)));
        while place.created().is_empty() {
            assert!(submit.as_mut().now_or_never().is_none(), "it is created before anybody hears of it");
            tokio::task::yield_now().await;
        }
    }
    assert!(place.client.batches().job(place.path()).unwrap().ids().is_empty());
    let mut job = place.job();
    job.submit(requests(5)).await.unwrap();
    assert_eq!((job.ids().len(), place.created().len()), (1, 1));
}

#[tokio::test]
async fn a_batch_that_was_refused_can_be_sent_again() {
    let place = Place::new().await;
    let busy = || Reply::error(StatusCode::BAD_REQUEST, "invalid_request_error", "no").on(BATCHES);
    // The first reply is for the list.
    place.server.push_reply(Reply::json(serde_json::json!({"data": []})).on(BATCHES));
    place.server.push_reply(busy());
    let error = place.job().submit(requests(5)).await.unwrap_err();
    assert!(
        matches!(&error, JobError::Call(error) if error.status() == Some(StatusCode::BAD_REQUEST)),
        "{error}"
    );
    let state = std::fs::read_to_string(place.path()).unwrap();
    assert!(state.contains("\"sending\": null"), "{state}");
}

#[tokio::test]
async fn names_are_checked_before_anything_is_sent() {
    let place = Place::new().await;
    let twice = requests(5).chain(requests(1));
    let error = place.job().submit(twice).await.unwrap_err();
    assert!(matches!(&error, JobError::Duplicate { name } if name == "n-0"), "{error}");
    assert_eq!(place.server.journal_len(), 0);
}

#[tokio::test]
async fn a_job_without_messages_is_none_and_leaves_no_file() {
    let place = Place::new().await;
    let error = place.job().submit(requests(0)).await.unwrap_err();
    assert!(matches!(error, JobError::Empty), "{error}");
    assert!(matches!(place.job().check(requests(0)), Err(JobError::Empty)));
    assert_eq!((place.server.journal_len(), std::fs::read_dir(place.folder.path()).unwrap().count()), (0, 0));
    place.job().submit(requests(1)).await.unwrap();
    assert_eq!(place.arrived(), names(1));
}

#[tokio::test]
async fn a_name_that_comes_twice_in_the_whole_job_can_be_found_before_anything_is_sent() {
    let place = Place::new().await;
    let twice = || requests(25).chain(requests(1));
    assert_eq!(place.job().check(requests(25)).unwrap(), 25);
    let error = place.job().check(twice()).unwrap_err();
    assert!(matches!(&error, JobError::Duplicate { name } if name == "n-0"), "{error}");
    assert_eq!(place.server.journal_len(), 0);
    // Whoever does not look first has sent the batches before it, and can go on.
    let error = place.job().submit(twice()).await.unwrap_err();
    assert!(matches!(&error, JobError::Duplicate { name } if name == "n-0"), "{error}");
    assert_eq!(place.created().len(), 2);
    place.job().submit(requests(25)).await.unwrap();
    assert_eq!(place.arrived(), names(25));
}

#[tokio::test]
async fn a_job_is_sent_by_one_process_at_a_time_and_looked_at_by_any() {
    let place = Place::new().await;
    let (mut first, mut second) = (place.job(), place.job());
    let held = place.server.hold_answers(BATCHES);
    let mut submit = Box::pin(first.submit(requests(25)));
    while place.server.journal_len() == 0 {
        assert!(submit.as_mut().now_or_never().is_none(), "nothing is answered yet");
        tokio::task::yield_now().await;
    }
    let error = second.submit(requests(25)).await.unwrap_err();
    assert!(matches!(error, JobError::InUse { .. }), "{error}");
    assert!(error.to_string().contains("wait until it is done"), "{error}");
    drop(held);
    submit.await.unwrap();
    // It was opened before the first one had sent anything.
    second.submit(requests(25)).await.unwrap();
    assert_eq!((second.ids().len(), place.arrived()), (3, names(25)));
    assert_eq!(second.progress().await.unwrap().requests, 25);
}

#[tokio::test]
async fn a_wait_bears_a_service_that_fails_for_a_while_but_not_for_ever() {
    let place = Place::new().await;
    let mut job = place.job();
    job.submit(requests(1)).await.unwrap();
    let path = format!("{BATCHES}/{}", job.ids()[0]);
    let down = Fault::status(StatusCode::SERVICE_UNAVAILABLE).on(&path);
    place.server.inject(down.clone().times(6));
    place.server.advance(Duration::from_secs(3600));
    job.wait(|_| {}).await.unwrap();
    place.server.inject(down.times(1000));
    assert!(matches!(job.wait(|_| {}).await, Err(JobError::Call(_))));
}

#[tokio::test]
async fn a_job_can_be_cancelled() {
    let place = Place::new().await;
    let mut job = place.job();
    job.submit(requests(15)).await.unwrap();
    job.cancel().await.unwrap();
    place.server.advance(Duration::from_secs(5));
    let progress = job.progress().await.unwrap();
    assert_eq!((progress.ended, progress.counts.canceled), (2, 15));
}

#[tokio::test]
async fn a_file_that_is_none_of_a_job_is_left_alone() {
    let place = Place::new().await;
    std::fs::write(place.path(), "my notes").unwrap();
    let error = place.client.batches().job(place.path()).unwrap_err();
    assert!(matches!(error, JobError::Format { .. }) && error.to_string().contains("remove it"), "{error}");
    assert_eq!(std::fs::read_to_string(place.path()).unwrap(), "my notes");
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let place = Place::new().await;
    place.job().submit(requests(1)).await.unwrap();
    let mode = std::fs::metadata(place.path()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(place.folder.path()).unwrap().count(), 1, "nothing is left beside it");
}
