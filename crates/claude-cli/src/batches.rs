//! `claudectl batches`.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, anyhow, bail};
use claude_sdk::{
    BatchJob, Client, JobError, JobProgress,
    types::{BatchCounts, BatchRequest, BatchResult, MessageBatch},
};
use serde_json::json;

use crate::{
    args::{BatchArgs, BatchesCommand, SubmitArgs},
    connection,
    console::{Ending, concluded, plain, print, print_json},
    interrupt::{unless_interrupted, unless_interrupted_asking, unless_interrupted_leaving},
    progress::Bar,
    wording::{at_a_terminal, of_a_job},
};

/// The longest line of a file of messages, in bytes.
const LONGEST_LINE: usize = 64 << 20;

pub(crate) async fn run(command: BatchesCommand) -> anyhow::Result<()> {
    match command {
        BatchesCommand::Submit(args) => submit(args).await,
        BatchesCommand::Status(args) => status(args).await,
        BatchesCommand::Results(args) => results(args).await,
        BatchesCommand::Cancel(args) => cancel(args).await,
    }
}

async fn submit(args: SubmitArgs) -> anyhow::Result<()> {
    if args.file.as_os_str() == "-" {
        bail!(
            "a job reads its messages again when it goes on, and standard input can be read only once; save the messages to a \
             file and give its path"
        );
    }
    let client = connection::client(&args.connection).await?;
    let path = args.job.clone().unwrap_or_else(|| with_job(&args.file));
    let mut job = client.batches().job(&path).map_err(told)?;
    // Each line is looked at before anything is sent.
    let (mut lines, mut failure) = (Requests::open(&args.file)?, None);
    let checked = job.check(until_failure(&mut lines, &mut failure));
    failure.map_or(Ok(()), Err)?;
    checked.map_err(|error| match error {
        JobError::Empty => anyhow!("there are no messages in {}; give at least one", args.file.display()),
        // The line that was read last is the one that was refused.
        error => anyhow!("{}: {error}", lines.place()),
    })?;
    // It is noted before it is sent.
    let left = || match path.exists() {
        true => "what was sent is noted; the same command goes on",
        false => "nothing has been sent yet; the same command sends it",
    };
    let failed = |error| match error {
        JobError::Call(error) => of_a_job(error, left()),
        error => told(error),
    };
    let mut failure = None;
    let mut lines = Requests::open(&args.file)?;
    let requests = until_failure(&mut lines, &mut failure);
    unless_interrupted_leaving(client.flush(), job.submit(requests), left).await?.map_err(failed)?;
    failure.map_or(Ok(()), Err)?;
    let mut counts = None;
    if args.wait {
        let mut bar = Bar::new();
        let waiting = job.wait(|now| {
            bar.draw(now.done, Some(now.requests), &line(now));
            counts = Some(now.counts.clone());
        });
        unless_interrupted_leaving(client.flush(), waiting, left).await?.map_err(failed)?;
    }
    let ids = job.ids();
    let printed = match args.json {
        true => print_json(&json!({"job": path, "batches": ids, "request_counts": counts})),
        false => print(ids.join("\n") + "\n").map_err(Into::into),
    };
    concluded(printed, counts.map_or(Ok(()), |counts| all_answered(&counts, &path)))
}

/// The exit status where batches have ended, and not every message was answered.
const UNANSWERED: u8 = 5;

fn all_answered(counts: &BatchCounts, job: &Path) -> anyhow::Result<()> {
    let left = counts.total().saturating_sub(counts.succeeded);
    if left == 0 {
        return Ok(());
    }
    let (total, job) = (counts.total(), job.display());
    let told = format!(
        "{left} of {total} messages were not answered ({} errored, {} canceled, {} expired); \
         `claudectl batches results --job {job}` says why",
        counts.errored, counts.canceled, counts.expired
    );
    Err(Ending { status: UNANSWERED, kind: "unanswered", told: plain(&told) }.into())
}

async fn status(args: BatchArgs) -> anyhow::Result<()> {
    let client = connection::client(&args.connection).await?;
    match subject(&client, &args)? {
        Subject::Batch(id) => {
            let batch = unless_interrupted(client.flush(), client.batches().get(&id)).await?;
            let batch = batch.map_err(at_a_terminal)?;
            if args.json {
                return print_json(&*batch);
            }
            Ok(print(described(&batch))?)
        }
        Subject::Job(job) => {
            let progress = unless_interrupted(client.flush(), job.progress()).await?.map_err(told)?;
            if args.json {
                let counts = &progress.counts;
                return print_json(&json!({
                    "submitted": job.is_submitted(), "batches": job.ids(), "ended": progress.ended,
                    "requests": progress.requests, "done": progress.done, "request_counts": counts,
                }));
            }
            let rest = if job.is_submitted() { "" } else { "; not all messages have been sent yet" };
            Ok(print(format!("{}{rest}\n", line(&progress)))?)
        }
    }
}

async fn results(args: BatchArgs) -> anyhow::Result<()> {
    let client = connection::client(&args.connection).await?;
    let subject = subject(&client, &args)?;
    let printing = async {
        match subject {
            Subject::Batch(id) => {
                let mut results = client.batches().results(&id).await.map_err(at_a_terminal)?;
                while let Some(result) = results.next().await {
                    print_result(&result.map_err(at_a_terminal)?)?;
                }
            }
            Subject::Job(job) => {
                let mut results = job.results();
                while let Some(result) = results.next().await {
                    print_result(&result.map_err(at_a_terminal)?)?;
                }
            }
        }
        Ok(())
    };
    unless_interrupted(client.flush(), printing).await?
}

fn print_result(result: &BatchResult) -> anyhow::Result<()> {
    Ok(print(serde_json::to_string(result)? + "\n")?)
}

async fn cancel(args: BatchArgs) -> anyhow::Result<()> {
    let client = connection::client(&args.connection).await?;
    match subject(&client, &args)? {
        Subject::Batch(id) => {
            let batch = unless_interrupted_asking(client.flush(), client.batches().cancel(&id)).await?;
            let batch = batch.map_err(at_a_terminal)?;
            if args.json {
                return print_json(&*batch);
            }
            Ok(print(described(&batch))?)
        }
        Subject::Job(job) => {
            unless_interrupted_asking(client.flush(), job.cancel()).await?.map_err(told)?;
            if args.json {
                return print_json(&json!({"batches": job.ids()}));
            }
            Ok(print(job.ids().join("\n") + "\n")?)
        }
    }
}

/// What a command is about.
enum Subject {
    Batch(String),
    Job(Box<BatchJob>),
}

fn subject(client: &Client, args: &BatchArgs) -> anyhow::Result<Subject> {
    match (&args.job, &args.id) {
        (Some(path), _) => {
            if !path.exists() {
                bail!(
                    "there is no job noted at {}; give the path that `batches submit` was given",
                    path.display()
                );
            }
            Ok(Subject::Job(Box::new(client.batches().job(path).map_err(told)?)))
        }
        (None, Some(id)) => Ok(Subject::Batch(id.clone())),
        (None, None) => bail!("give a batch's identifier, or --job"),
    }
}

fn told(error: JobError) -> anyhow::Error {
    match error {
        JobError::Call(error) => at_a_terminal(error),
        JobError::InUse { path } => {
            let path = path.display();
            anyhow!(
                "another process is sending the messages of the job {path}; wait until it is done, `claudectl batches status --job \
                 {path}` says how far it is"
            )
        }
        error => error.into(),
    }
}

fn line(progress: &JobProgress) -> String {
    let JobProgress { ended, batches, done, requests, .. } = progress;
    format!("{ended} of {batches} batches ended, {done} of {requests} messages done")
}

fn described(batch: &MessageBatch) -> String {
    let counts = &batch.request_counts;
    format!(
        "{} {}: {} processing, {} succeeded, {} errored, {} canceled, {} expired\n",
        batch.id,
        batch.processing_status,
        counts.processing,
        counts.succeeded,
        counts.errored,
        counts.canceled,
        counts.expired,
    )
}

fn with_job(file: &Path) -> PathBuf {
    let mut path = OsString::from(file);
    path.push(".job");
    path.into()
}

/// The messages of a file, line by line.
struct Requests {
    path: PathBuf,
    reader: BufReader<File>,
    number: usize,
}

impl Requests {
    fn open(path: &Path) -> anyhow::Result<Self> {
        let unreadable = || format!("{} cannot be read; check the path", path.display());
        // It is read twice, and a pipe would be waited for.
        if !fs::metadata(path).with_context(unreadable)?.is_file() {
            bail!("{} is no regular file; write the messages to one first", path.display());
        }
        let file = File::open(path).with_context(unreadable)?;
        Ok(Self { path: path.to_owned(), reader: BufReader::new(file), number: 0 })
    }

    /// Where the message is that was read last.
    fn place(&self) -> String {
        format!("line {} of {}", self.number, self.path.display())
    }

    fn read(&mut self) -> anyhow::Result<Option<BatchRequest>> {
        loop {
            let mut line = Vec::new();
            let limit = u64::try_from(LONGEST_LINE).unwrap_or(u64::MAX);
            let mut reader = std::io::Read::take(&mut self.reader, limit);
            let read = reader.read_until(b'\n', &mut line).context("the file could not be read")?;
            if read == 0 {
                return Ok(None);
            }
            self.number += 1;
            if line.len() >= LONGEST_LINE {
                bail!("{} has no end", self.place());
            }
            // Some editors put a mark before the first line.
            let mark = if self.number == 1 { "\u{feff}" } else { "" };
            let json = line.strip_prefix(mark.as_bytes()).unwrap_or(&line);
            if !json.trim_ascii().is_empty() {
                return serde_json::from_slice(json).map(Some).map_err(|error| {
                    // The line is known better here.
                    let at = format!(" at line {} column {}", error.line(), error.column());
                    let told = error.to_string();
                    match told.strip_suffix(&at) {
                        Some(told) => anyhow!("{}, column {}: {told}", self.place(), error.column()),
                        None => anyhow!("{}: {told}", self.place()),
                    }
                });
            }
        }
    }
}

/// The messages up to the first line that is none.
fn until_failure(
    requests: &mut Requests,
    failure: &mut Option<anyhow::Error>,
) -> impl Iterator<Item = BatchRequest> {
    requests.map_while(|request| request.map_err(|error| *failure = Some(error)).ok())
}

impl Iterator for Requests {
    type Item = anyhow::Result<BatchRequest>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}
