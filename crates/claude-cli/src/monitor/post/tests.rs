//! The post with ways that work, fail and hang, on a clock that the test holds.

use std::path::Path;

use async_trait::async_trait;

use super::*;
use crate::monitor::{held::Held, history::History};

/// Fails so many times for each alert, and hangs where an alert is of this probe.
#[derive(Debug, Default)]
struct Fickle {
    fails: Mutex<usize>,
    hangs: Option<&'static str>,
    heard: Mutex<Vec<String>>,
}

#[async_trait]
impl Way for Fickle {
    fn name(&self) -> &'static str {
        "command"
    }

    fn whom(&self) -> String {
        "the test".to_owned()
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(15)
    }

    async fn tell(&self, alert: &str) -> anyhow::Result<()> {
        if self.hangs.is_some_and(|probe| alert.contains(probe)) {
            std::future::pending::<()>().await;
        }
        let left = self.fails.lock().unwrap().checked_sub(1);
        if let Some(left) = left {
            *self.fails.lock().unwrap() = left;
            anyhow::bail!("not now");
        }
        self.heard.lock().unwrap().push(alert.to_owned());
        Ok(())
    }
}

impl Fickle {
    fn failing(times: usize) -> Self {
        Self { fails: Mutex::new(times), ..Self::default() }
    }

    fn count(&self) -> usize {
        self.heard.lock().unwrap().len()
    }
}

fn news(probe: Probe, begins: bool, at: i64) -> News {
    News { rule: Rule::Down, probe, begins, at, told: "it is down".to_owned() }
}

/// A post with one way, and its history.
fn post(way: &Arc<Fickle>, history: &Path) -> (Arc<Post>, Held, Keeper, tokio::task::JoinHandle<()>) {
    let clock = Held::default();
    let (keeper, read, writer) = Keeper::start(history.to_owned()).unwrap();
    let ways: Vec<Arc<dyn Way>> = vec![Arc::clone(way) as Arc<dyn Way>];
    let post = Post::new(ways, Arc::new(clock.clone()), keeper.clone());
    post.resume(read.unwrap().untold().unwrap());
    (post, clock, keeper, writer)
}

async fn until(is: impl Fn() -> bool) {
    while !is() {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn it_is_tried_for_as_long_as_it_takes_and_what_was_told_is_not_told_again() {
    let folder = tempfile::tempdir().unwrap();
    let way = Arc::new(Fickle::failing(7));
    let (post, clock, keeper, writer) = post(&way, &folder.path().join("history"));
    post.send(&[news(Probe::Models, true, 60)], Vec::new());
    for wait in [2, 10, 60, 300, 300, 300, 300] {
        until(|| clock.sleepers() == 1).await;
        assert_eq!((way.count(), post.waiting()), (0, 1));
        assert_eq!(post.broken(), ["the test could not be told of an alert: not now"]);
        clock.advance(Duration::from_secs(wait));
    }
    until(|| post.waiting() == 0).await;
    assert_eq!((way.count(), post.broken()), (1, Vec::<String>::new()));
    keeper.end();
    writer.await.unwrap();
    assert_eq!(History::open(&folder.path().join("history")).unwrap().untold().unwrap(), []);
}

#[tokio::test]
async fn what_nobody_was_told_of_is_told_after_a_restart_in_its_order() {
    let folder = tempfile::tempdir().unwrap();
    let history = folder.path().join("history");
    let deaf = Arc::new(Fickle::failing(usize::MAX));
    let (before, clock, keeper, writer) = post(&deaf, &history);
    before.send(&[news(Probe::Models, true, 60)], Vec::new());
    before.send(&[news(Probe::Models, false, 120), news(Probe::Stream, true, 120)], Vec::new());
    until(|| clock.sleepers() == 2).await;
    keeper.end();
    writer.await.unwrap();

    let way = Arc::new(Fickle::default());
    let (after, ..) = post(&way, &history);
    until(|| after.waiting() == 0).await;
    let heard = way.heard.lock().unwrap().clone();
    assert_eq!(heard.len(), 3);
    let of_models: Vec<_> = heard.iter().filter(|alert| alert.contains("models")).collect();
    assert!(of_models[0].contains("firing") && of_models[0].contains("00:01:00"), "{heard:?}");
    assert!(of_models[1].contains("resolved") && of_models[1].contains("00:02:00"), "{heard:?}");
}

#[tokio::test]
async fn who_hangs_holds_no_other_alert_up_and_is_given_up_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let way = Arc::new(Fickle { hangs: Some("stream"), ..Fickle::default() });
    let (post, clock, ..) = post(&way, &folder.path().join("history"));
    post.send(&[news(Probe::Stream, true, 60), news(Probe::Models, true, 60)], Vec::new());
    until(|| post.waiting() == 1).await;
    assert_eq!(way.count(), 1);
    until(|| clock.sleepers() == 1).await;
    clock.advance(Duration::from_secs(15));
    // Now it waits to try again.
    until(|| clock.sleepers() == 1).await;
    assert_eq!(post.waiting(), 1);
}

#[tokio::test]
async fn no_more_wait_than_there_is_room_for_and_the_newest_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let deaf = Arc::new(Fickle::failing(usize::MAX));
    let (post, ..) = post(&deaf, &folder.path().join("history"));
    let many: Vec<_> = (0..1_010).map(|at| news(Probe::Models, true, at)).collect();
    post.send(&many, Vec::new());
    assert_eq!(post.waiting(), WAITING);
    assert_eq!(post.desk().untold.first_key_value().unwrap().1.news.at, 10);
}
