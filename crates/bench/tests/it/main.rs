//! The harness as a whole, with so little work that its figures mean nothing.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use bench::{benchmarks, goals, stand::Stand};
use bench_probe::{Task, Work};

fn stand() -> Stand {
    let programs = Path::new(env!("CARGO_BIN_EXE_contender")).parent().unwrap();
    Stand::new(programs, programs.parent().unwrap()).quick(true).peers(false)
}

#[test]
fn every_benchmark_runs_and_measures_what_its_goals_compare() {
    for benchmark in benchmarks::ALL.iter().filter(|benchmark| !benchmark.only_by_name) {
        let figures = (benchmark.run)(&stand()).unwrap();
        for verdict in goals::judge(&goals::all().unwrap(), benchmark.name, &figures) {
            let found = verdict.found.unwrap_or_else(|| panic!("{} was not measured", verdict.goal.what()));
            let is_counted = benchmark.name == "goodput"; // which may be none
            assert!(found.median() > 0.0 || is_counted, "{found:?}");
            if is_counted && found.case.ends_with(": 429s") {
                // Without a limiter it is every second one; none, where the machine is not busy with other tests.
                assert!(found.median() < 10.0, "{found:?}");
            }
        }
    }
}

#[test]
fn a_contender_that_leaves_something_out_is_found_out() {
    let stand = stand();
    let server = stand.server(&bench::server::Script::Message).unwrap();
    let task = Task {
        work: Work::Calls,
        url: server.url().to_owned(),
        count: 2,
        warm_up: 0,
        in_flight: 1,
        input: String::new(),
        chunk: 0,
    };
    let who = [&bench::stand::REQWEST];
    let turns = stand.take_turns("test", &who, stand.rounds(1, 1), &task, |_| 1);
    assert!(turns.unwrap_err().to_string().contains("bare reqwest did"));
}
