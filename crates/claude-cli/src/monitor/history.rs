//! The history: a file of `SQLite` that keeps the newest runs one by one, and all of them in summaries of minutes, hours and
//! days.
//!
//! A run is written into all of these in one transaction. Each holds so many rows and no more, the newest: counted, not by
//! their age, so that a clock that is wrong for a moment deletes nothing.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io,
    path::Path,
    time::Duration,
};

use anyhow::{Context as _, bail};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Transaction, params};

use super::{
    outcome::{Class, Failure, Outcome, PROBES, name},
    summary::Summary,
};
use crate::args::Probe;

mod alarms;
pub(super) mod keeper;
mod lock;
pub(super) mod place;
mod soundness;

/// By which the file is known to be ours, and which version of it this is.
const APPLICATION: i32 = 0x636c_6d6f;
const VERSION: i32 = 2;

const SCHEMA: &str = "
    CREATE TABLE runs (
        id INTEGER PRIMARY KEY, probe TEXT NOT NULL, at INTEGER NOT NULL, took INTEGER NOT NULL,
        class TEXT, told TEXT, request_id TEXT
    );
    CREATE INDEX failures ON runs (id) WHERE class IS NOT NULL;
    CREATE TABLE summaries (
        step INTEGER NOT NULL, at INTEGER NOT NULL, probe TEXT NOT NULL, cells BLOB NOT NULL,
        PRIMARY KEY (step, at, probe)
    ) WITHOUT ROWID;
    CREATE TABLE firing (rule TEXT NOT NULL, probe TEXT NOT NULL, since INTEGER NOT NULL, PRIMARY KEY (rule, probe)) WITHOUT ROWID;
";
/// What the second version has beside that.
const UNTOLD: &str = "
    CREATE TABLE untold (
        id INTEGER PRIMARY KEY, way TEXT NOT NULL, rule TEXT NOT NULL, probe TEXT NOT NULL, begins INTEGER NOT NULL,
        at INTEGER NOT NULL, told TEXT NOT NULL
    );
";

/// How long a summary is, in seconds, and how many rows of them are kept. With the intervals that are set by default, minutes
/// reach back a week, hours three months, days ten years.
const STEPS: [(i64, i64); 3] = [(MINUTE, 17_280), (HOUR, 8_640), (DAY, 14_600)];
pub(super) const MINUTE: i64 = 60;
pub(super) const HOUR: i64 = 3_600;
pub(super) const DAY: i64 = 86_400;
/// How many runs are kept one by one.
const RUNS: i64 = 20_000;
/// So many writes later it is looked whether there is too much.
const PRUNED_EVERY: u32 = 64;
/// How long another process may have the file.
const PATIENCE: Duration = Duration::from_secs(2);

/// A file that is open.
#[derive(Debug)]
pub(super) struct History {
    connection: Connection,
    writes: u32,
}

/// A summary with its place.
pub(super) type Place = (Probe, i64);

impl History {
    /// Opens the file, or makes it, for its owner alone.
    pub(super) fn open(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let refused = || format!("the history {shown} cannot be opened; give another place with --history");
        let file = made(path).with_context(refused)?;
        let mut history = Self::connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        history
            .prepare(path)
            .map_err(|error| {
                match error.downcast_ref::<rusqlite::Error>().and_then(rusqlite::Error::sqlite_error_code) {
                    Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt) => {
                        foreign(path)
                    }
                    _ => error,
                }
            })
            .with_context(|| format!("the history {shown} cannot be used"))?;
        // Now that it is known to be ours; somebody else's is left as it is.
        private(&file).with_context(refused)?;
        Ok(history)
    }

    fn prepare(&mut self, path: &Path) -> anyhow::Result<()> {
        let transaction =
            self.connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let pragma = |name| transaction.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
        let tables: i64 =
            transaction.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
        match (pragma("application_id")?, pragma("user_version")?) {
            (0, 0) if tables == 0 => {
                transaction.execute_batch(SCHEMA)?;
                transaction.execute_batch(UNTOLD)?;
                transaction.pragma_update(None, "application_id", APPLICATION)?;
                transaction.pragma_update(None, "user_version", VERSION)?;
            }
            (APPLICATION, VERSION) => {
                soundness::check(&transaction, path, Some(soundness::SINCE_THE_SECOND))?;
            }
            (APPLICATION, 1) => {
                soundness::check(&transaction, path, None)?;
                transaction.execute_batch(UNTOLD)?;
                transaction.pragma_update(None, "user_version", VERSION)?;
            }
            (APPLICATION, version) if version > VERSION => bail!(
                "it was written by a newer claudectl (version {version} of the format, this one knows {VERSION}) and is left as \
                 it is; update claudectl, or give another place with --history"
            ),
            _ => {
                bail!("it is another program's file and is left as it is; give another place with --history")
            }
        }
        Ok(transaction.commit()?)
    }

    /// Opens the file only to read it, for whoever asks while it is written.
    pub(super) fn read(path: &Path) -> rusqlite::Result<Self> {
        Self::connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
    }

    /// Whatever it is called, it is a file: to `SQLite`, only what begins at the root cannot be `:memory:` or a URI.
    fn connect(path: &Path, flags: OpenFlags) -> rusqlite::Result<Self> {
        let path = std::path::absolute(path).map_err(|_| rusqlite::Error::InvalidPath(path.to_owned()))?;
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(PATIENCE)?;
        Ok(Self { connection, writes: 0 })
    }

    /// Writes runs, all of them or none.
    pub(super) fn record(&mut self, outcomes: &[Outcome]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        let mut summaries: BTreeMap<(i64, i64, Probe), Summary> = BTreeMap::new();
        {
            let mut insert = transaction.prepare(
                "INSERT INTO runs (probe, at, took, class, told, request_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?;
            for outcome in outcomes {
                let Outcome { probe, at, took, failure } = outcome;
                let took = i64::try_from(took.as_micros()).unwrap_or(i64::MAX);
                let class = failure.as_ref().map(|failure| failure.class.name());
                let told = failure.as_ref().map(|failure| failure.told.as_str());
                let request_id = failure.as_ref().and_then(|failure| failure.request_id.as_deref());
                insert.execute(params![name(*probe), at, took, class, told, request_id])?;
                for (step, _) in STEPS {
                    summaries.entry((step, at - at.rem_euclid(step), *probe)).or_default().add(outcome);
                }
            }
            let mut read = transaction
                .prepare("SELECT cells FROM summaries WHERE step = ?1 AND at = ?2 AND probe = ?3")?;
            let mut write = transaction.prepare(
                "INSERT OR REPLACE INTO summaries (step, at, probe, cells) VALUES (?1, ?2, ?3, ?4)",
            )?;
            for ((step, at, probe), mut summary) in summaries {
                let before = read.query_row(params![step, at, name(probe)], |row| row.get::<_, Vec<u8>>(0));
                if let Some(before) = before.optional()? {
                    summary.merge(&Summary::from_bytes(&before));
                }
                write.execute(params![step, at, name(probe), summary.to_bytes()])?;
            }
        }
        if self.writes.is_multiple_of(PRUNED_EVERY) {
            let now = outcomes.last().map_or(i64::MAX, |outcome| outcome.at);
            prune(&transaction, now)?;
        }
        transaction.commit()?;
        self.writes = self.writes.wrapping_add(1);
        Ok(())
    }

    /// The summaries of one step, from `since` to `until`, in the order of their times.
    pub(super) fn summaries(
        &self,
        step: i64,
        since: i64,
        until: i64,
    ) -> rusqlite::Result<Vec<(Place, Summary)>> {
        let mut query = self.connection.prepare(
            "SELECT probe, at, cells FROM summaries WHERE step = ?1 AND at BETWEEN ?2 AND ?3 ORDER BY at",
        )?;
        let rows = query.query_map(params![step, since, until], |row| {
            Ok((
                probe(row.get_ref(0)?.as_str()?),
                row.get(1)?,
                Summary::from_bytes(row.get_ref(2)?.as_blob()?),
            ))
        })?;
        let mut summaries = Vec::new();
        for row in rows {
            if let (Some(probe), at, summary) = row? {
                summaries.push(((probe, at), summary));
            }
        }
        Ok(summaries)
    }

    /// When the first day began of which anything is known.
    pub(super) fn first_day(&self) -> rusqlite::Result<Option<i64>> {
        self.connection.query_row("SELECT min(at) FROM summaries WHERE step = ?1", [DAY], |row| row.get(0))
    }

    /// The newest failures that are kept one by one, the last one first.
    pub(super) fn failures(&self, count: u32) -> rusqlite::Result<Vec<Outcome>> {
        let mut query = self.connection.prepare(
            "SELECT probe, at, took, class, told, request_id FROM runs WHERE class IS NOT NULL ORDER BY id DESC LIMIT ?1",
        )?;
        let rows = query.query_map([count], |row| {
            let class = Class::named(row.get_ref(3)?.as_str()?).unwrap_or(Class::Local);
            let failure = Failure { class, told: row.get(4)?, request_id: row.get(5)? };
            let took = Duration::from_micros(u64::try_from(row.get::<_, i64>(2)?).unwrap_or_default());
            let probe = probe(row.get_ref(0)?.as_str()?);
            Ok(probe.map(|probe| (probe, row.get(1))).map(|(probe, at)| (probe, at, took, failure)))
        })?;
        let mut failures = Vec::new();
        for row in rows {
            if let Some((probe, at, took, failure)) = row? {
                failures.push(Outcome { probe, at: at?, took, failure: Some(failure) });
            }
        }
        Ok(failures)
    }
}

/// Deletes the oldest rows of what has too many; before these, what a clock that was wrong has written into a time to come.
fn prune(transaction: &Transaction<'_>, now: i64) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM runs WHERE id <= (SELECT max(id) FROM runs) - ?1", [RUNS])?;
    for (step, most) in STEPS {
        let rows = "SELECT count(*) FROM summaries WHERE step = ?1";
        let rows: i64 = transaction.query_row(rows, [step], |row| row.get(0))?;
        if rows > most {
            transaction.execute(
                "DELETE FROM summaries WHERE step = ?1 AND (at, probe) IN \
                 (SELECT at, probe FROM summaries WHERE step = ?1 ORDER BY at > ?2 DESC, at LIMIT ?3)",
                [step, now.saturating_add(DAY), rows - most],
            )?;
        }
    }
    Ok(())
}

fn probe(text: &str) -> Option<Probe> {
    PROBES.iter().find(|(_, its)| *its == text).map(|(probe, _)| *probe)
}

fn foreign(path: &Path) -> anyhow::Error {
    anyhow::anyhow!(
        "it is no history of the monitor, or was damaged, and is left as it is; move {} away, or give another place with \
         --history",
        path.display()
    )
}

/// Opens the file; one that is made is its owner's alone.
fn made(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
    }
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    Ok(file)
}

/// Sees to it that only its owner can read it.
#[cfg(unix)]
fn private(file: &File) -> io::Result<()> {
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))
}

#[cfg(not(unix))]
fn private(_: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests;
