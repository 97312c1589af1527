//! Every file operation of a renewal fails in turn, in each way: nothing is spent before, and nothing lost after.

use std::{
    collections::BTreeSet,
    fs, io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use auth_core::{Client, Policy, Server, Snapshot};
use rustix::io::Errno;
use secrecy::ExposeSecret as _;
use tempfile::TempDir;
use transport::{Body, HttpBackend, Request, Response, SimClock};

use super::{
    FileTokenStore,
    disk::{Disk, Faults, Step},
};
use crate::{
    credentials::{CredentialProvider as _, OAuth},
    error::{AuthError, StoreError},
    token_store::TokenStore as _,
};

const START: SystemTime = SystemTime::UNIX_EPOCH;
const HOUR: Duration = Duration::from_secs(3600);

/// What can be wrong with a disk, or with a process that uses it.
const ERRORS: [Errno; 8] = [
    Errno::NOSPC,
    Errno::DQUOT,
    Errno::ROFS,
    Errno::ACCESS,
    Errno::MFILE,
    Errno::IO,
    Errno::INTR,
    Errno::XDEV,
];

/// What may stay wrong for a while.
const LASTING: [Errno; 3] = [Errno::NOSPC, Errno::ROFS, Errno::IO];

/// Fails at the n-th step, or from then on, and writes a part of what it is given.
#[derive(Debug)]
struct Failing {
    at: usize,
    lasting: bool,
    error: Errno,
    steps: AtomicUsize,
    failed: Mutex<Option<Step>>,
    repaired: AtomicBool,
}

impl Failing {
    fn new(at: usize, error: Errno, lasting: bool) -> Self {
        let (steps, failed, repaired) = Default::default();
        Self { at, lasting, error, steps, failed, repaired }
    }
}

impl Faults for Failing {
    fn before(&self, step: Step) -> io::Result<()> {
        let now = self.steps.fetch_add(1, SeqCst) + 1;
        if self.repaired.load(SeqCst) || now < self.at || (now > self.at && !self.lasting) {
            return Ok(());
        }
        self.failed.lock().unwrap().get_or_insert(step);
        Err(self.error.into())
    }

    fn written(&self, bytes: usize) -> usize {
        bytes.min(100)
    }
}

/// Takes each refresh token once, and answers at once.
#[derive(Debug, Clone, Default)]
struct Rotating(Arc<Mutex<Vec<u16>>>);

impl Rotating {
    fn answers(&self, status: u16) -> usize {
        self.0.lock().unwrap().iter().filter(|answer| **answer == status).count()
    }
}

#[async_trait]
impl HttpBackend for Rotating {
    async fn send(&self, request: Request) -> Result<Response, transport::Error> {
        let mut answers = self.0.lock().unwrap();
        let now = 1 + answers.iter().filter(|status| **status == 200).count();
        let body = String::from_utf8(request.body().to_vec()).unwrap();
        let (status, answer) = if body.contains(&format!("refresh-{now}.")) {
            let (access, refresh) = (format!("access-{}.", now + 1), format!("refresh-{}.", now + 1));
            let tokens = serde_json::json!({
                "access_token": access, "refresh_token": refresh, "token_type": "Bearer", "expires_in": 3600
            });
            (200, tokens)
        } else {
            (400, serde_json::json!({"error": "invalid_grant"}))
        };
        answers.push(status);
        Ok(http::Response::builder().status(status).body(Body::from(answer.to_string())).unwrap())
    }
}

fn with(folder: &TempDir, disk: Disk) -> FileTokenStore {
    FileTokenStore::on(folder.path().join("credentials/work.json"), disk)
}

/// Never fails, and is not waited for.
#[derive(Debug)]
struct Calm;

impl Faults for Calm {
    fn before(&self, _: Step) -> io::Result<()> {
        Ok(())
    }
}

fn first() -> Snapshot {
    Snapshot {
        access_token: "access-1.".into(),
        refresh_token: Some("refresh-1.".into()),
        expires_at: Some(START + HOUR),
        scopes: None,
        generation: 1,
        extra: serde_json::Map::new(),
    }
}

/// What a trial was about: the step that failed, and whether the token had been spent then.
struct Trial {
    failed: Step,
    spent: bool,
}

/// A folder in memory where the system has a place for one: there are hundreds of trials, each of which syncs a dozen times.
fn quick_folder() -> TempDir {
    TempDir::new_in("/dev/shm").or_else(|_| TempDir::new()).unwrap()
}

/// A whole renewal with one fault; `None` where it came to no `at`-th step.
async fn trial(at: usize, error: Errno, lasting: bool) -> Option<Trial> {
    let what = format!("{error:?} at step {at}, lasting: {lasting}");
    let folder = quick_folder();
    let healthy = with(&folder, Disk { faults: Some(Arc::new(Calm)) });
    healthy.save(first()).await.unwrap();
    fs::write(folder.path().join("credentials/.work.1-0.tmp"), "left by a dead process").unwrap();
    let stored =
        async || healthy.load().await.unwrap().unwrap().refresh_token.unwrap().expose_secret().to_owned();

    // Opening the session is none of the steps of a renewal.
    let failing = Arc::new(Failing::new(at + opening(&folder).await, error, lasting));
    let disk = Disk { faults: Some(Arc::clone(&failing) as Arc<dyn Faults>) };
    let store = with(&folder, disk);
    let (clock, server) = (SimClock::new(START + HOUR), Rotating::default());
    let endpoint = Server::new("https://auth.example/".parse().unwrap()).unwrap();
    let app = Client::public("app");
    let oauth = OAuth::open_with(endpoint, app, store, server.clone(), clock.clone(), Policy::default());
    let oauth = oauth.await.unwrap();

    let outcome = oauth.credential().await;
    let failed = *failing.failed.lock().unwrap();
    let spent = server.answers(200) == 1;
    match outcome {
        Ok(credential) => assert_eq!((credential.expose(), spent), ("access-2.", true), "{what}"),
        Err(AuthError::Store(_)) => {
            assert!(failed.is_some() && !spent && server.answers(400) == 0, "{what}: {failed:?}");
            assert_eq!(stored().await, "refresh-1.", "{what}");
        }
        Err(error) => panic!("{what}, {failed:?}: {error:?}"),
    }
    if spent && stored().await == "refresh-1." {
        assert!(healthy.files.try_lock().unwrap().is_none(), "{what}: others could spend what is spent");
    }

    failing.repaired.store(true, SeqCst);
    clock.advance(Duration::from_secs(60));
    assert_eq!(oauth.credential().await.unwrap().expose(), "access-2.", "{what}, {failed:?}");
    while stored().await != "refresh-2." {
        tokio::task::yield_now().await;
    }
    // The next one finds everything as it should be, and clears up what this one could not.
    clock.advance(HOUR);
    assert_eq!(oauth.credential().await.unwrap().expose(), "access-3.", "{what}, {failed:?}");
    assert_eq!((server.answers(200), server.answers(400)), (2, 0), "{what}, {failed:?}");
    drop(healthy.lock().await.unwrap());
    let mut left: Vec<_> = fs::read_dir(folder.path().join("credentials"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    left.sort();
    assert_eq!(left, ["work.json", "work.lock"], "{what}, {failed:?}");
    Some(Trial { failed: failed?, spent })
}

/// How many steps opening a session takes.
async fn opening(folder: &TempDir) -> usize {
    let counting = Arc::new(Failing::new(usize::MAX, Errno::IO, false));
    let disk = Disk { faults: Some(Arc::clone(&counting) as Arc<dyn Faults>) };
    with(folder, disk).load().await.unwrap();
    counting.steps.load(SeqCst)
}

/// G7, F44, F45, F46.
#[tokio::test]
async fn whichever_file_operation_fails_nothing_is_spent_before_and_nothing_lost_after() {
    let (mut before, mut after) = (BTreeSet::new(), BTreeSet::new());
    for error in ERRORS {
        for lasting in [false, true].into_iter().filter(|lasting| !lasting || LASTING.contains(&error)) {
            for at in 1_usize.. {
                let Some(trial) = trial(at, error, lasting).await else { break };
                let steps = if trial.spent { &mut after } else { &mut before };
                steps.insert(format!("{:?}", trial.failed));
                assert!(error != Errno::INTR || trial.spent, "a signal is no reason not to renew");
            }
        }
    }
    let all = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    let needed = all(&[
        "Allocate",
        "CheckFolder",
        "Create",
        "List",
        "Lock",
        "MakeFolder",
        "OpenLock",
        "Read",
        "Remove",
        "Rename",
        "Sync",
        "SyncFolder",
        "Truncate",
        "Write",
    ]);
    assert_eq!(before, needed, "each step before the exchange failed");
    assert!(
        after.is_superset(&all(&["Read", "Write", "Truncate", "Sync", "Rename", "SyncFolder"])),
        "{after:?}"
    );
}

/// F46: what the system forgot after a failed sync is not called stored by another sync.
#[tokio::test]
async fn a_file_that_could_not_be_synced_is_given_up_for_a_new_one() {
    #[derive(Debug, Default)]
    struct OneSync(AtomicUsize, Mutex<Vec<Step>>);

    impl Faults for OneSync {
        fn before(&self, step: Step) -> io::Result<()> {
            self.1.lock().unwrap().push(step);
            if step == Step::Sync && self.0.fetch_add(1, SeqCst) == 0 {
                return Err(Errno::IO.into());
            }
            Ok(())
        }
    }

    let folder = TempDir::new().unwrap();
    let faults = Arc::new(OneSync::default());
    let disk = Disk { faults: Some(Arc::clone(&faults) as Arc<dyn Faults>) };
    let store = with(&folder, disk);
    let error = store.save(first()).await.unwrap_err();
    assert!(matches!(error, StoreError::Io { action: "writing", .. }), "{error:?}");
    assert!(store.load().await.unwrap().is_none(), "nothing half is seen");
    store.save(first()).await.unwrap();
    let steps = faults.1.lock().unwrap().clone();
    let made = steps.iter().filter(|step| **step == Step::Create).count();
    let synced = steps.iter().filter(|step| **step == Step::Sync).count();
    assert_eq!((made, synced), (2, 2));
}

#[tokio::test]
async fn a_file_system_without_locks_is_told_and_nothing_is_spent() {
    #[derive(Debug)]
    struct NoLocks(Errno);

    impl Faults for NoLocks {
        fn before(&self, step: Step) -> io::Result<()> {
            if step == Step::Lock { Err(self.0.into()) } else { Ok(()) }
        }
    }

    for error in [Errno::NOLCK, Errno::OPNOTSUPP, Errno::NOSYS] {
        let folder = TempDir::new().unwrap();
        let disk = Disk { faults: Some(Arc::new(NoLocks(error))) };
        let store = with(&folder, disk);
        let refused = store.lock().await.unwrap_err();
        assert!(matches!(refused, StoreError::NoLocks { .. }), "{error:?}: {refused:?}");
        assert!(refused.to_string().contains("keep the session on a local disk"), "{refused}");
    }
}

/// F47: whenever the power goes, the file that is there is a whole one.
#[tokio::test]
async fn what_is_put_in_its_place_was_synced_and_the_folder_is_synced_after_it() {
    #[derive(Debug, Default)]
    struct Order(Mutex<Vec<Step>>);

    impl Faults for Order {
        fn before(&self, step: Step) -> io::Result<()> {
            self.0.lock().unwrap().push(step);
            Ok(())
        }
    }

    let folder = TempDir::new().unwrap();
    let order = Arc::new(Order::default());
    let store = with(&folder, Disk { faults: Some(Arc::clone(&order) as Arc<dyn Faults>) });
    store.save(first()).await.unwrap();
    store.prepare(first(), START).await.unwrap();
    store.save(first()).await.unwrap();
    store.remove().await.unwrap();

    let (mut dirty, mut unsynced, mut renames) = (false, false, 0);
    for step in order.0.lock().unwrap().iter() {
        match step {
            Step::Allocate | Step::Write | Step::Truncate => dirty = true,
            Step::Sync => dirty = false,
            Step::Rename => {
                assert!(!dirty, "the name comes before the content");
                (renames, unsynced) = (renames + 1, true);
            }
            Step::SyncFolder => unsynced = false,
            // The next thing that is begun may not come before the last one is durable.
            Step::Create | Step::Remove => assert!(!unsynced, "the name may be lost"),
            _ => {}
        }
    }
    assert_eq!((renames, unsynced), (3, false), "two sessions and a note");
}
