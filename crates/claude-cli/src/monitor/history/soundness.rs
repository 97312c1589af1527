//! Whether a history that is there already is one from its beginning to its end: a damaged page in its middle would come to light
//! only when somebody asks for what was in it.

use std::{
    path::Path,
    sync::mpsc::{RecvTimeoutError, sync_channel},
    thread,
    time::Duration,
};

use anyhow::bail;
use rusqlite::{Connection, ErrorCode};

/// How long it is looked for damage. The histories that there are take a tenth of a second; of one that is much larger, so
/// much is looked at as there is time for.
const LONGEST: Duration = Duration::from_secs(2);

/// What is read and written of each table, the ones of the first version.
const QUESTIONS: [&str; 3] = [
    "SELECT id, probe, at, took, class, told, request_id FROM runs",
    "SELECT step, at, probe, cells FROM summaries",
    "SELECT rule, probe, since FROM firing",
];
/// And the one that the second has besides.
pub(super) const SINCE_THE_SECOND: &str = "SELECT id, way, rule, probe, begins, at, told FROM untold";

/// Refuses a file in which something is damaged, or where a table is missing; it is left as it is. `rest` is what has to be
/// there besides.
pub(super) fn check(connection: &Connection, path: &Path, rest: Option<&'static str>) -> anyhow::Result<()> {
    let Some(damage) = damage(connection, LONGEST)?.or_else(|| want(connection, rest)) else { return Ok(()) };
    let shown = path.display();
    bail!(
        "it is damaged ({damage}) and is left as it is; move it away with `mv {shown} {shown}.damaged`, for a new one to be begun, or \
         give another place with --history (`sqlite3 {shown}.damaged .recover` prints what can be saved)"
    )
}

/// What is missing of a table, by the first question that cannot be asked.
fn want(connection: &Connection, rest: Option<&str>) -> Option<String> {
    let asked = QUESTIONS.into_iter().chain(rest).find_map(|question| connection.prepare(question).err());
    asked.map(|error| match error {
        rusqlite::Error::SqlInputError { msg, .. } | rusqlite::Error::SqliteFailure(_, Some(msg)) => msg,
        error => error.to_string(),
    })
}

/// The first thing that is found to be wrong, within this time.
fn damage(connection: &Connection, longest: Duration) -> rusqlite::Result<Option<String>> {
    let handle = connection.get_interrupt_handle();
    let (done, is_done) = sync_channel::<()>(0);
    let found = thread::scope(|scope| {
        scope.spawn(move || {
            if is_done.recv_timeout(longest) == Err(RecvTimeoutError::Timeout) {
                handle.interrupt();
            }
        });
        let found = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0));
        drop(done);
        found
    });
    match found {
        Ok(told) if told == "ok" => Ok(None),
        Ok(told) => Ok(Some(told.lines().last().unwrap_or_default().to_owned())),
        Err(error) => match error.sqlite_error_code() {
            // All that was looked at is well.
            Some(ErrorCode::OperationInterrupted) => Ok(None),
            Some(ErrorCode::DatabaseCorrupt) => Ok(Some("a page of it cannot be read".to_owned())),
            _ => Err(error),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_takes_longer_than_there_is_time_for_is_taken_as_it_is() {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(
                "CREATE TABLE many (text TEXT); WITH RECURSIVE count (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count WHERE n < 1000) \
                 INSERT INTO many SELECT hex(zeroblob(2000)) FROM count",
            )
            .unwrap();
        assert_eq!(damage(&connection, Duration::ZERO), Ok(None));
        assert_eq!(damage(&connection, LONGEST), Ok(None));
        // Whoever is interrupted is not so for ever.
        assert_eq!(connection.query_row("SELECT count(*) FROM many", [], |row| row.get(0)), Ok(1000));
    }
}
