//! A key of a cluster that moves to another node, step by step, as an operator moves it.

use ratelimit::Timer as _;

use super::faults::{connected, until};
use super::*;

const HASH: &str = "{ratelimit:team/model}";
const SECOND: Duration = Duration::from_secs(1);

/// The nodes that have the slot of the key, and that get it.
struct Move<'a> {
    nodes: &'a [RedisServer; 3],
    source: usize,
    target: usize,
    slot: String,
}

impl<'a> Move<'a> {
    fn of(nodes: &'a [RedisServer; 3]) -> Self {
        let answer = nodes[0].tell(&format!("CLUSTER KEYSLOT {HASH}")).unwrap();
        let slot = answer.lines().next().unwrap().trim_start_matches(':').to_owned();
        let has_it = |node: &RedisServer| node.tell(&format!("EXISTS {HASH}")).unwrap().starts_with(":1");
        let source = nodes.iter().position(has_it).unwrap();
        Self { nodes, source, target: (source + 1) % 3, slot }
    }

    fn id(&self, node: usize) -> String {
        let answer = self.nodes[node].tell("CLUSTER MYID").unwrap();
        answer.lines().nth(1).unwrap().to_owned()
    }

    fn begin(&self) {
        let (from, to) = (self.id(self.source), self.id(self.target));
        let slot = &self.slot;
        self.nodes[self.target].tell(&format!("CLUSTER SETSLOT {slot} IMPORTING {from}")).unwrap();
        self.nodes[self.source].tell(&format!("CLUSTER SETSLOT {slot} MIGRATING {to}")).unwrap();
    }

    fn take(&self, key: &str) {
        let port = self.nodes[self.target].port();
        let line = format!("MIGRATE 127.0.0.1 {port} {key} 0 1000");
        let answer = self.nodes[self.source].tell(&line).unwrap();
        assert!(answer.starts_with("+OK"), "{key}: {answer}");
    }

    fn end(&self) {
        let to = self.id(self.target);
        for node in [self.target, self.source, 3 - self.source - self.target] {
            self.nodes[node].tell(&format!("CLUSTER SETSLOT {} NODE {to}", self.slot)).unwrap();
        }
    }
}

#[tokio::test]
async fn a_key_that_moves_to_another_node_of_a_cluster_is_followed() {
    let nodes = RedisServer::cluster().await.unwrap();
    let urls = nodes.iter().map(RedisServer::url);
    let limiter = Redis::cluster(urls, limits(), 2).patience(LONG).build(TokioTimer::new()).unwrap();
    connected(&limiter).await;
    let permit = limiter.acquire(key(), Cost::requests(60), SECOND).await.unwrap();
    permit.settle(Cost::requests(50));
    // The difference is told with the next question: from then on there are both keys.
    try_one(&limiter).await.unwrap().settle(Cost::requests(1));
    let (before, mut admitted) = (TokioTimer::new(), 0);

    let step = Move::of(&nodes);
    step.begin();
    admitted += usize::from(try_one(&limiter).await.is_ok());
    assert!(limiter.is_shared() && admitted == 1, "nothing has moved yet");

    // One of the two keys is on each node: nobody can answer (TRYAGAIN).
    step.take(HASH);
    let (_, more) = until(&limiter, false).await;
    admitted += more;

    // Both are there, and only the old node is known to have them (ASK).
    step.take(&format!("{HASH}:holders"));
    let (took, more) = until(&limiter, true).await;
    assert!(took <= SECOND, "back after {took:?}");
    admitted += more + usize::from(try_one(&limiter).await.is_ok());
    assert!(limiter.is_shared());

    // The new node has the slot (MOVED).
    step.end();
    admitted += drain(&limiter).await;
    assert!(limiter.is_shared(), "{limiter:?}");
    let earned = (before.now() + LONG).as_millis() / 100;
    assert!(admitted as u128 <= 50 + earned, "{admitted}, but 50 were left and {earned} earned");
    assert!(admitted >= 45, "{admitted}: what was left is still there");
}
