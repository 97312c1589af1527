//! Many calls of one client, and a service that is down for a while, on a held clock.

use std::{
    ops::Range,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use transport::{
    Clock, Deadline, Error, ErrorKind, HttpBackend, Request, Response, SimClock,
    layers::{Backoff, Breaker, Budget, Retry},
};

use crate::{clock, post, settle, start, status};

const LATENCY: Duration = Duration::from_millis(50);
const TICK: Duration = Duration::from_millis(10);

/// Answers after 50 ms, and during the outage that it is overloaded.
#[derive(Clone, Debug)]
struct Service {
    clock: SimClock,
    outage: Range<Duration>,
    /// When each request came.
    saw: Arc<Mutex<Vec<Duration>>>,
}

impl Service {
    fn new(outage: Range<u64>) -> Self {
        let outage = Duration::from_secs(outage.start)..Duration::from_secs(outage.end);
        Self { clock: clock(), outage, saw: Arc::default() }
    }

    fn now(&self) -> Duration {
        self.clock.now().duration_since(start()).unwrap()
    }

    /// How many requests came within these seconds.
    fn saw(&self, seconds: Range<u64>) -> usize {
        let span = Duration::from_secs(seconds.start)..Duration::from_secs(seconds.end);
        self.saw.lock().unwrap().iter().filter(|at| span.contains(*at)).count()
    }

    fn retry(&self) -> Retry<Self> {
        Retry::new(self.clone(), Arc::new(Backoff::new()), Arc::new(self.clock.clone()), 7)
    }
}

#[async_trait]
impl HttpBackend for Service {
    async fn send(&self, _: Request) -> Result<Response, Error> {
        let came = self.now();
        self.saw.lock().unwrap().push(came);
        self.clock.sleep(LATENCY).await;
        status(if self.outage.contains(&came) { 529 } else { 200 })
    }
}

/// What became of a call.
#[derive(Debug)]
struct Call {
    began: Duration,
    took: Duration,
    outcome: Result<u16, ErrorKind>,
}

/// Begins `count` calls, one every `gap`, and waits for all of them.
async fn calls(
    service: &Service,
    retry: Retry<Service>,
    count: usize,
    gap: Duration,
    deadline: Option<Duration>,
) -> Vec<Call> {
    let (retry, first, mut tasks) = (Arc::new(retry), service.now(), Vec::new());
    while tasks.len() < count || !tasks.iter().all(tokio::task::JoinHandle::is_finished) {
        while tasks.len() < count && service.now() >= first + gap * u32::try_from(tasks.len()).unwrap() {
            tasks.push(tokio::spawn(call(service.clone(), Arc::clone(&retry), deadline)));
        }
        settle().await;
        service.clock.advance(TICK.max(gap / 5));
    }
    let mut done = Vec::new();
    for task in tasks {
        done.push(task.await.unwrap());
    }
    done
}

async fn call(service: Service, retry: Arc<Retry<Service>>, deadline: Option<Duration>) -> Call {
    let began = service.now();
    let mut request = post();
    if let Some(limit) = deadline {
        request.extensions_mut().insert(Deadline(service.clock.now() + limit));
    }
    let outcome = retry.send(request).await;
    let outcome = outcome.map(|response| response.status().as_u16()).map_err(|error| error.kind());
    Call { began, took: service.now() - began, outcome }
}

const FOR_EVER: Range<u64> = 0..1_000_000;

/// G20: a total outage is not answered with a multiple of the load, with the budget alone.
#[tokio::test]
async fn a_thousand_calls_in_an_outage_are_not_three_thousand_requests() {
    for (gap, most) in [(Duration::ZERO, 1_036), (TICK, 1_040), (TICK * 10, 1_050), (TICK * 100, 1_150)] {
        let service = Service::new(FOR_EVER);
        let done = calls(&service, service.retry().budget(Budget::new()), 1_000, gap, None).await;
        assert!(done.iter().all(|call| call.outcome == Ok(529)));
        let wire = service.saw(FOR_EVER);
        assert!((1_000..=most).contains(&wire), "one every {gap:?}: {wire}");
    }
}

/// G27: with the breaker there are hardly any, and it is soon over after the recovery.
#[tokio::test]
async fn an_outage_is_left_alone_but_for_a_probe() {
    let service = Service::new(10..60);
    let breaker = Breaker::new();
    let retry = service.retry().budget(Budget::new()).breaker(breaker.clone());
    let done = calls(&service, retry, 8_000, TICK, None).await;

    assert_eq!(service.saw(0..10), 1_000);
    for second in 11..60 {
        assert!(service.saw(second..second + 1) <= 1, "second {second}: {}", service.saw(second..second + 1));
    }
    assert!(service.saw(20..60) <= 40, "{}", service.saw(20..60));
    let late = done.iter().filter(|call| call.began >= Duration::from_secs(65));
    assert!(late.map(|call| call.outcome).all(|outcome| outcome == Ok(200)), "closed 5 s after the recovery");
    assert_eq!(breaker.open(), None);
    let refused = done.iter().filter(|call| call.outcome == Err(ErrorKind::Open));
    assert!(refused.clone().count() > 4_000 && refused.into_iter().all(|call| call.took == Duration::ZERO));
}

/// G21: who can wait ten seconds is served after the recovery, however long the outage was.
#[tokio::test]
async fn after_the_recovery_nearly_everybody_is_served_within_ten_seconds() {
    let service = Service::new(1..120);
    let retry = service.retry().budget(Budget::new()).breaker(Breaker::new());
    let ten = Duration::from_secs(10);
    let done = calls(&service, retry, 6_500, TICK * 2, Some(ten)).await;
    let after: Vec<_> = done.iter().filter(|call| call.began >= Duration::from_secs(118)).collect();
    let served = after.iter().filter(|call| call.outcome == Ok(200)).count();
    assert!(after.len() >= 500 && served * 100 >= after.len() * 99, "{served} of {}", after.len());
    assert!(after.iter().all(|call| call.took <= ten));
}

/// F21: a minute of 529 is sat out by whoever may, at the load of a usual minute.
#[tokio::test]
async fn a_minute_of_overload_is_sat_out_without_more_load() {
    let service = Service::new(20..80);
    let retry = service.retry().budget(Budget::new()).breaker(Breaker::new());
    let count = 2_400;
    let done = calls(&service, retry, count, TICK * 5, Some(Duration::from_secs(90))).await;
    let failed: Vec<_> = done.iter().filter(|call| call.outcome != Ok(200)).collect();
    assert!(failed.is_empty(), "{failed:?}");
    let wire = service.saw(0..1_000);
    assert!(wire * 10 <= 12 * 2_400, "{wire} requests for {count} calls");
}

/// A quiet client finds its retries again after an outage.
#[tokio::test]
async fn a_budget_that_is_used_up_returns_by_itself() {
    let service = Service::new(0..5);
    let budget = Budget::new();
    calls(&service, service.retry().budget(budget.clone()), 500, TICK, None).await;
    assert!(budget.tokens() < 250);
    let done = calls(&service, service.retry().budget(budget.clone()), 500, TICK, None).await;
    assert!(done.iter().all(|call| call.outcome == Ok(200)));
    assert_eq!(budget.tokens(), 500, "a token for each success");
}
