//! The history on a real disk: what is written, what is kept of it, and what is never touched.

use std::{os::unix::fs::PermissionsExt as _, path::PathBuf};

use claude_sdk::transport::{Clock as _, SystemClock};
use tempfile::TempDir;

use super::*;
use crate::monitor::{
    alarm::{Firing, News, Rule},
    post::Letter,
};

const NEVER: i64 = i64::MAX;

fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/er/monitor.sqlite");
    (folder, path)
}

fn run(probe: Probe, at: i64, class: Option<Class>) -> Outcome {
    let failure = class.map(|class| Failure {
        class,
        told: format!("it was {}", class.name()),
        request_id: Some(format!("req_{at}")),
    });
    Outcome { probe, at, took: Duration::from_millis(20), failure }
}

/// What opening such a file says.
fn refusal(path: &Path) -> String {
    let before = fs::read(path).unwrap();
    let error = History::open(path).unwrap_err();
    assert!(fs::read(path).unwrap() == before, "the file was changed");
    format!("{error:#}")
}

#[test]
fn what_was_written_is_there_after_a_restart_and_only_its_owner_can_read_it() {
    let (_folder, path) = place();
    let fails = run(Probe::Stream, 1_000_030, Some(Class::Timeout));
    let mut history = History::open(&path).unwrap();
    history.record(&[run(Probe::Models, 1_000_020, None), fails.clone()]).unwrap();
    history.record(&[run(Probe::Models, 1_000_040, None)]).unwrap();
    let firing = Firing { rule: Rule::Down, probe: Probe::Stream, since: 1_000_030 };
    let news =
        News { rule: Rule::Down, probe: Probe::Stream, begins: true, at: 7, told: "it is down".to_owned() };
    let letter = Letter { way: "webhook".to_owned(), news };
    history.set_alarms(Some(&[firing]), Some(std::slice::from_ref(&letter))).unwrap();
    history.set_alarms(None, None).unwrap();
    drop(history);

    let history = History::open(&path).unwrap();
    for step in [MINUTE, HOUR, DAY] {
        let summaries = history.summaries(step, 0, NEVER).unwrap();
        let place = |probe| (probe, 1_000_020 - 1_000_020 % step);
        let runs = |probe| summaries.iter().find(|(its, _)| *its == place(probe)).unwrap().1.runs();
        assert_eq!((runs(Probe::Models), runs(Probe::Stream)), (2, 1), "{step}");
    }
    assert_eq!(history.failures(20).unwrap(), [fails]);
    assert_eq!((history.firing().unwrap(), history.untold().unwrap()), (vec![firing], vec![letter]));
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let folder = path.parent().unwrap();
    assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn a_file_of_a_newer_version_is_refused_with_what_to_do_and_left_as_it_is() {
    let (_folder, path) = place();
    drop(History::open(&path).unwrap());
    Connection::open(&path).unwrap().pragma_update(None, "user_version", VERSION + 1).unwrap();
    let told = refusal(&path);
    assert!(told.contains("newer claudectl") && told.contains("update claudectl"), "{told}");
}

#[test]
fn a_file_of_the_first_version_is_taken_over_with_all_that_is_in_it() {
    let (_folder, path) = place();
    let mut history = History::open(&path).unwrap();
    history.record(&[run(Probe::Models, 60, None)]).unwrap();
    history.connection.execute_batch("DROP TABLE untold; PRAGMA user_version = 1").unwrap();
    drop(history);
    let history = History::open(&path).unwrap();
    assert_eq!(history.untold().unwrap(), []);
    assert_eq!(history.summaries(DAY, 0, NEVER).unwrap()[0].1.runs(), 1);
    drop(history);
    History::open(&path).unwrap();
}

#[test]
fn a_file_of_another_program_is_refused_and_left_as_it_is() {
    let (folder, path) = place();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(
        &path,
        "a diary, which is no database but longer than the head of one: 2026-11-28, a lot of rain ".repeat(9),
    )
    .unwrap();
    assert!(refusal(&path).contains("no history of the monitor"), "{}", refusal(&path));
    let other = folder.path().join("other.sqlite");
    Connection::open(&other).unwrap().execute_batch("CREATE TABLE mine (x)").unwrap();
    #[cfg(unix)]
    for path in [&path, &other] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    }
    assert!(refusal(&other).contains("another program's"), "{}", refusal(&other));
    refusal(&path);
    #[cfg(unix)]
    for path in [&path, &other] {
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o644, "{}", path.display());
    }
    assert!(History::open(folder.path()).unwrap_err().to_string().contains("--history"));
}

#[test]
fn a_file_without_one_of_its_tables_or_columns_is_refused_as_damaged_and_left_as_it_is() {
    for (change, damage) in [
        ("DROP TABLE runs", "no such table: runs"),
        ("DROP TABLE summaries", "no such table: summaries"),
        ("DROP TABLE firing", "no such table: firing"),
        ("DROP TABLE untold", "no such table: untold"),
        ("ALTER TABLE summaries RENAME COLUMN cells TO cell", "no such column: cells"),
        ("DROP TABLE summaries; DROP TABLE untold; PRAGMA user_version = 1", "no such table: summaries"),
    ] {
        let (_folder, path) = place();
        let history = History::open(&path).unwrap();
        history.connection.execute_batch(change).unwrap();
        drop(history);
        let told = refusal(&path);
        assert!(told.contains(&format!("it is damaged ({damage}")), "{change}: {told}");
        assert!(told.contains("move it away with"), "{told}");
    }
}

#[test]
fn a_file_that_is_damaged_in_its_middle_is_refused_with_what_to_do_and_left_as_it_is() {
    const PAGE: usize = 4096;
    let (folder, path) = place();
    let mut history = History::open(&path).unwrap();
    let many: Vec<_> = (0..2_000).map(|at| run(Probe::Models, at * 60, Some(Class::Dns))).collect();
    history.record(&many).unwrap();
    drop(history);
    let whole = fs::read(&path).unwrap();
    assert!(whole.len() > 20 * PAGE, "{}", whole.len());
    let middle = whole.len() / PAGE / 2 * PAGE;
    let mut garbled = whole.clone();
    garbled[middle..middle + PAGE].fill(0xa5);
    let mut emptied = whole.clone();
    emptied[middle..middle + PAGE].fill(0);
    let mut beheaded = whole.clone();
    beheaded[200..PAGE].fill(0);
    let path = folder.path().join("damaged");
    let shown = path.display();
    for (damaged, what) in [
        (&garbled[..], format!("away with `mv {shown} {shown}.damaged`")),
        (&emptied, format!("away with `mv {shown} {shown}.damaged`")),
        // Here it is not even known whose it is.
        (&beheaded, format!("move {shown} away")),
        (&whole[..middle], format!("move {shown} away")),
    ] {
        fs::write(&path, damaged).unwrap();
        let told = refusal(&path);
        for part in ["damaged", "left as it is", &what, "--history"] {
            assert!(told.contains(part), "{part}: {told}");
        }
    }
    fs::write(&path, whole).unwrap();
    History::open(&path).unwrap();
}

#[test]
fn a_full_disk_takes_back_the_whole_write_and_nothing_that_was_there() {
    let (_folder, path) = place();
    let mut history = History::open(&path).unwrap();
    history.record(&[run(Probe::Models, 60, None)]).unwrap();
    let pages: i64 = history.connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    history.connection.pragma_update(None, "max_page_count", pages).unwrap();
    let many: Vec<_> = (0..500).map(|at| run(Probe::Models, at * 60, Some(Class::Dns))).collect();
    let error = history.record(&many).unwrap_err();
    assert_eq!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::DiskFull));
    assert_eq!(history.summaries(DAY, 0, NEVER).unwrap()[0].1.runs(), 1);
    history.connection.pragma_update(None, "max_page_count", 1_000_000).unwrap();
    history.record(&many).unwrap();
    assert_eq!(history.summaries(DAY, 0, NEVER).unwrap()[0].1.runs(), 501);
}

#[test]
fn a_clock_that_is_wrong_for_a_moment_deletes_nothing() {
    let (_folder, path) = place();
    let mut history = History::open(&path).unwrap();
    history.record(&[run(Probe::Models, 1_000_000, None)]).unwrap();
    for _ in 0..=PRUNED_EVERY {
        history.record(&[run(Probe::Models, 4_000_000_000, None)]).unwrap();
    }
    assert_eq!(history.summaries(MINUTE, 0, NEVER).unwrap().len(), 2);
}

#[test]
fn where_there_is_no_room_what_a_wrong_clock_has_written_goes_before_what_a_right_one_has() {
    let (_folder, path) = place();
    let mut history = History::open(&path).unwrap();
    history.connection.pragma_update(None, "synchronous", "OFF").unwrap();
    let (_, room) = STEPS[2];
    let now = 20_000 * DAY;
    // As many days as there is room for, and then the clock is years ahead for a while.
    let past = "WITH RECURSIVE days (day) AS (SELECT 1 UNION ALL SELECT day + 1 FROM days WHERE day < ?1) \
                INSERT INTO summaries (step, at, probe, cells) SELECT ?2, ?3 - day * ?2, 'models', x'' FROM days";
    history.connection.execute(past, [room, DAY, now]).unwrap();
    let ahead: Vec<_> = (0..100).map(|day| run(Probe::Models, now + (1_000 + day) * DAY, None)).collect();
    history.record(&ahead).unwrap();
    history.writes = 0;
    history.record(&[run(Probe::Models, now, None)]).unwrap();
    let days = history.summaries(DAY, 0, NEVER).unwrap();
    assert_eq!(i64::try_from(days.len()).unwrap(), room);
    let right = days.iter().filter(|((_, at), _)| *at <= now).count();
    assert!(right + 100 >= days.len(), "no more is lost than was written meanwhile: {right}");
    // In time, all that is left is of the right one.
    let next: Vec<_> = (1..=200).map(|day| run(Probe::Models, now + day * DAY, None)).collect();
    history.writes = 0;
    history.record(&next).unwrap();
    let last = history.summaries(DAY, 0, NEVER).unwrap().last().unwrap().0.1;
    assert_eq!(last, now + 200 * DAY);
}

/// A thousand days at the intervals that are set by default, which are 2.3 million runs, in a release build (`cargo xtask soak
/// history`). In any other, the last eight are like that, a hundred before have a run an hour, and those before that one a day, which
/// leaves as many rows.
#[test]
#[expect(clippy::print_stderr, reason = "the soak's figures")]
fn a_thousand_days_fit_into_a_few_megabytes_and_are_asked_in_50_ms() {
    let (_folder, path) = place();
    let mut history = History::open(&path).unwrap();
    // Whether all of it would survive a crash is not asked here, and takes long.
    history.connection.pragma_update(None, "synchronous", "OFF").unwrap();
    let is_full = |day| day >= 992 || !cfg!(debug_assertions);
    let (mut runs, mut count) = (Vec::new(), 0);
    for day in 0..1_000 {
        for (probe, _) in PROBES {
            let every = match day {
                day if is_full(day) && probe == Probe::Models => MINUTE,
                day if is_full(day) => 5 * MINUTE,
                892.. => HOUR,
                _ => DAY,
            };
            let fails = |at| (at % 7_000 == 0).then_some(Class::Server);
            runs.extend(
                (0..DAY / every).map(|index| run(probe, day * DAY + index * every, fails(index * every))),
            );
        }
        count += runs.len();
        for few in runs.chunks(if cfg!(debug_assertions) { 5_000 } else { 64 }) {
            history.record(few).unwrap();
        }
        runs.clear();
    }
    assert_eq!(count > 2_300_000, is_full(0), "{count}");
    history.writes = 0;
    history.record(&[]).unwrap();
    let rows = |query: &str| history.connection.query_row(query, [], |row| row.get::<_, i64>(0)).unwrap();
    assert!(rows("SELECT count(*) FROM runs") <= RUNS);
    for (step, most) in STEPS {
        let count = rows(&format!("SELECT count(*) FROM summaries WHERE step = {step}"));
        assert!(count <= most + i64::try_from(PROBES.len()).unwrap(), "{step}: {count}");
    }
    let size = path.metadata().unwrap().len();
    assert!(size < 8 << 20, "{size}");

    let now = 1_000 * DAY;
    let took = |ask: &dyn Fn()| {
        let times = (0..15).map(|_| {
            let began = SystemClock.now();
            ask();
            SystemClock.now().duration_since(began).unwrap_or_default()
        });
        times.min().unwrap()
    };
    let day = took(&|| assert!(history.summaries(MINUTE, now - DAY, now).unwrap().len() > 2_000));
    let month =
        took(&|| assert_eq!(history.summaries(HOUR, now - 30 * DAY, now).unwrap().len(), 30 * 24 * 4));
    let all = took(&|| assert_eq!(history.summaries(DAY, 0, NEVER).unwrap().len(), 4_000));
    let failures = took(&|| assert_eq!(history.failures(20).unwrap().len(), 20));
    eprintln!(
        "{count} runs in {size} bytes; a day by minutes in {day:.1?}, a month by hours in {month:.1?}, a thousand days in {all:.1?}, \
         20 failures in {failures:.1?}"
    );
    for time in [day, month, all, failures] {
        assert!(time <= Duration::from_millis(50), "{day:?} {month:?} {all:?} {failures:?}");
    }
}
