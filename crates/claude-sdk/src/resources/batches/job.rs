use std::{
    collections::{HashSet, VecDeque},
    fmt,
    path::Path,
    time::Duration,
};

use crate::{
    client::Client,
    entropy,
    types::{BatchCounts, BatchRequest, MessageBatch},
};

mod chunk;
mod error;
mod results;
mod state;

pub use error::JobError;
pub use results::JobResults;

use chunk::{Chunk, Size};
use state::{JobBatch, Sending, State, StateFile};

/// Any number of messages, sent in as many batches as it takes, and found again after a crash.
///
/// What was sent is noted in a small file (mode 600), before and after each batch, so that nothing is sent twice: open
/// the job again, give it the same messages, and it goes on where it was. Dropping a future of it is as good as a crash. One
/// process at a time can send the messages of a job; any number may look how far it is.
///
/// ```
/// use claude_sdk::{Client, types::{BatchRequest, MessageRequest, Model}};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = mock_server::MockServer::builder().batch_time(std::time::Duration::ZERO).start().await?;
/// # let client = Client::builder().api_key(server.api_key()).base_url(server.base_url()).build()?;
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("primes.job");
/// let ask = |n: u32| MessageRequest::new(Model::CLAUDE_HAIKU_4_5, 50).user(format!("Is {n} a prime number?"));
/// let requests = (2..1000).map(|n| BatchRequest::new(format!("n-{n}"), ask(n)));
///
/// let mut job = client.batches().job(path)?;
/// job.submit(requests).await?;
/// job.wait(|progress| eprintln!("{} of {} batches", progress.ended, progress.batches)).await?;
/// let answers = job.results().by_custom_id().await?;
/// println!("{}", answers["n-7"].message().ok_or("no answer")?.text());
/// # Ok(())
/// # }
/// ```
pub struct BatchJob {
    client: Client,
    file: StateFile,
    state: State,
    size: Size,
    pace: Pace,
}

/// How far a job is.
///
/// Example: [`BatchJob`](crate::BatchJob).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct JobProgress {
    /// How many batches there are.
    pub batches: usize,
    /// How many of them have ended.
    pub ended: usize,
    /// How many messages there are.
    pub requests: u64,
    /// How many of them are in batches that have ended.
    pub done: u64,
    /// What the messages came to, of all batches together.
    pub counts: BatchCounts,
}

/// How often a job looks after its batches: less and less often, and never at the same time as other jobs.
#[derive(Clone, Copy, Debug)]
struct Pace {
    first: Duration,
    most: Duration,
    random: u64,
}

/// How many looks in a row may fail before a wait does.
const MOST_FAILURES: u32 = 5;
/// How many batches are looked through for one that may have been created.
const MOST_LOOKED_AT: usize = 1000;

impl BatchJob {
    #[inline]
    pub(super) fn open(client: &Client, path: &Path) -> Result<Self, JobError> {
        let file = StateFile::new(path);
        let state = file.read()?.unwrap_or_default();
        let random = entropy::seed().unwrap_or_default();
        let pace = Pace { first: Duration::from_secs(2), most: Duration::from_secs(60), random };
        Ok(Self { client: client.clone(), file, state, size: Size::LARGEST, pace })
    }

    /// Sets what a batch may have at most; the default, and the most there is, are 100,000 messages and 256 MB.
    #[must_use]
    pub fn batch_size(mut self, requests: usize, bytes: usize) -> Self {
        self.size = Size {
            requests: requests.clamp(1, Size::LARGEST.requests),
            bytes: bytes.clamp(1, Size::LARGEST.bytes),
        };
        self
    }

    /// Sets how long to wait between looks, at first and at most; the default is 2 s, growing to 60 s.
    #[must_use]
    pub fn poll_every(mut self, first: Duration, most: Duration) -> Self {
        self.pace = Pace { first, most: most.max(first), ..self.pace };
        self
    }

    /// Sets the start of the sequence that waits are drawn from; the default differs each time.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.pace.random = seed;
        self
    }

    /// Looks at all messages and sends none: says how many there are, or which of them no batch would take.
    ///
    /// [`submit`](Self::submit) sees each message once, and finds a wrong one when the batches before it have been sent.
    /// Messages that can be had twice, from a file, say, are better looked at first.
    ///
    /// ```
    /// # use claude_sdk::{Client, types::{BatchRequest, MessageRequest, Model}};
    /// # let client = Client::builder().api_key("sk-ant-example").build()?;
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("colours.job");
    /// let ask = |name: &str| BatchRequest::new(name, MessageRequest::new(Model::CLAUDE_HAIKU_4_5, 50).user("Which colour?"));
    /// let job = client.batches().job(path)?;
    /// assert_eq!(job.check(["sky", "grass"].map(ask))?, 2);
    /// let error = job.check(["sky", "grass", "sky"].map(ask)).unwrap_err();
    /// assert!(error.to_string().starts_with("the custom_id \"sky\" is there twice"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`JobError::Name`], [`JobError::Duplicate`], [`JobError::TooLarge`], [`JobError::Empty`].
    pub fn check(&self, requests: impl IntoIterator<Item = BatchRequest>) -> Result<u64, JobError> {
        let mut requests = requests.into_iter().peekable();
        let (mut names, mut digest) = (HashSet::new(), hmac_sha256::Hash::new());
        let mut count = 0;
        while requests.peek().is_some() {
            let chunk = Chunk::take(&mut requests, self.size, self.client.extra(), &mut names, &mut digest)?;
            count += chunk.requests;
        }
        if count == 0 { Err(JobError::Empty) } else { Ok(count) }
    }

    /// Sends the messages that have not been sent yet.
    ///
    /// They have to be the same, in the same order, whenever a job is opened again. Of each, 16 bytes are kept in memory,
    /// and the messages of one batch.
    ///
    /// # Errors
    ///
    /// [`JobError::Name`], [`JobError::Duplicate`] and [`JobError::TooLarge`] before the batch is sent that the message
    /// would be in; [`check`](Self::check) finds them before anything is. [`JobError::Empty`] where there is no message at all, and
    /// then no file is made. [`JobError::Changed`] where the messages are not
    /// those that were sent, [`JobError::InUse`] while another process sends them. After any other error the job can go on:
    /// call it again.
    ///
    /// # Cancel safety
    ///
    /// What was sent is noted. A batch that was under way is looked for when the job goes on.
    pub async fn submit(&mut self, requests: impl IntoIterator<Item = BatchRequest>) -> Result<(), JobError> {
        let _lock = self.file.lock()?;
        // Another process may have gone on with it since it was opened.
        self.state = self.file.read()?.unwrap_or_default();
        let mut requests = requests.into_iter().peekable();
        let mut names = HashSet::new();
        let mut digest = hmac_sha256::Hash::new();
        self.pass_over(&mut requests, &mut names, &mut digest)?;
        while requests.peek().is_some() {
            let chunk = Chunk::take(&mut requests, self.size, self.client.extra(), &mut names, &mut digest)?;
            let sum = state::hex(&digest.finalize());
            self.send(chunk, sum).await?;
        }
        if self.state.batches.is_empty() {
            return Err(JobError::Empty);
        }
        if !self.state.complete {
            self.state.complete = true;
            self.file.write(&self.state)?;
        }
        Ok(())
    }

    /// Passes over what was sent, and sees that it is the same.
    fn pass_over(
        &self,
        requests: &mut impl Iterator<Item = BatchRequest>,
        names: &mut HashSet<u128>,
        digest: &mut hmac_sha256::Hash,
    ) -> Result<(), JobError> {
        for _ in 0..self.state.requests() {
            let Some(request) = requests.next() else {
                return Err(JobError::Changed { path: self.file.path().to_owned() });
            };
            chunk::admit(&request, names, digest)?;
        }
        if self.state.digest.as_ref().is_some_and(|known| *known != state::hex(&(*digest).finalize())) {
            return Err(JobError::Changed { path: self.file.path().to_owned() });
        }
        Ok(())
    }

    /// Sends one batch, and notes before and after that it does.
    async fn send(&mut self, chunk: Chunk, sum: String) -> Result<(), JobError> {
        if self.state.complete {
            // More messages than there were before.
            return Err(JobError::Changed { path: self.file.path().to_owned() });
        }
        let interrupted = self.state.sending.clone().filter(|sending| sending.digest == sum);
        let found = match &interrupted {
            Some(sending) => self.look_for(sending).await?,
            None => None,
        };
        let id = match found {
            Some(id) => id,
            None => {
                if interrupted.is_none() {
                    let newest = self.client.batches().list().limit(1).await?;
                    let newest = newest.data.first().map(|batch| batch.id.clone());
                    let sending = Sending { requests: chunk.requests, digest: sum.clone(), after: newest };
                    self.state.sending = Some(sending);
                    self.file.write(&self.state)?;
                }
                match self.client.batches().create_encoded(chunk.body).await {
                    Ok(batch) => batch.id.clone(),
                    Err(error) => {
                        if !error.is_ambiguous() {
                            self.state.sending = None;
                            self.file.write(&self.state)?;
                        }
                        return Err(error.into());
                    }
                }
            }
        };
        self.state.batches.push(JobBatch { id, requests: chunk.requests });
        self.state.digest = Some(sum);
        self.state.sending = None;
        self.file.write(&self.state)
    }

    /// Looks for a batch that may have been created, although nobody heard of it.
    async fn look_for(&self, sending: &Sending) -> Result<Option<String>, JobError> {
        let mut batches = self.client.batches().list().items();
        let mut found = Vec::new();
        for _ in 0..MOST_LOOKED_AT {
            let Some(batch) = batches.next().await else { break };
            let batch = batch?;
            if sending.after.as_ref() == Some(&batch.id) {
                break;
            }
            let is_known = self.state.batches.iter().any(|known| known.id == batch.id);
            if !is_known && batch.request_counts.total() == sending.requests {
                found.push(batch.id);
            }
        }
        if found.len() > 1 {
            return Err(JobError::Ambiguous { path: self.file.path().to_owned(), ids: found });
        }
        Ok(found.pop())
    }

    /// The batches that were created, oldest first.
    #[must_use]
    pub fn ids(&self) -> Vec<&str> {
        self.state.batches.iter().map(|batch| batch.id.as_str()).collect()
    }

    /// Whether all messages were sent.
    #[must_use]
    pub fn is_submitted(&self) -> bool {
        self.state.complete
    }

    /// Looks once how far the batches are.
    ///
    /// # Errors
    ///
    /// Any [`Error`](crate::Error) of a call.
    pub async fn progress(&self) -> Result<JobProgress, JobError> {
        Ok(JobProgress::of(&self.look().await?))
    }

    async fn look(&self) -> Result<Vec<MessageBatch>, JobError> {
        let mut batches = Vec::new();
        for known in &self.state.batches {
            batches.push(self.client.batches().get(&known.id).await?.into_inner());
        }
        Ok(batches)
    }

    /// Waits until all batches have ended, and tells `progress` after each look.
    ///
    /// # Errors
    ///
    /// Any [`Error`](crate::Error) of a call that the same call would meet again; others are borne for a while.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when the future is dropped: the batches go on, and so can the job.
    pub async fn wait(&mut self, mut progress: impl FnMut(&JobProgress)) -> Result<(), JobError> {
        let mut failures = 0;
        let mut pause = self.pace.first;
        loop {
            match self.progress().await {
                Ok(now) => {
                    failures = 0;
                    progress(&now);
                    if now.ended == now.batches {
                        return Ok(());
                    }
                }
                Err(JobError::Call(error)) if error.is_retryable() && failures < MOST_FAILURES => {
                    failures += 1;
                }
                Err(error) => return Err(error),
            }
            self.client.clock().sleep(self.pace.drawn(pause)).await;
            pause = pause.mul_f64(1.5).min(self.pace.most);
        }
    }

    /// The results of all batches, which have to have ended.
    #[must_use]
    pub fn results(&self) -> JobResults {
        let ids: VecDeque<String> = self.state.batches.iter().map(|batch| batch.id.clone()).collect();
        JobResults::new(&self.client, ids)
    }

    /// Asks to cancel the batches that have not ended.
    ///
    /// # Errors
    ///
    /// Any [`Error`](crate::Error) of a call.
    pub async fn cancel(&self) -> Result<(), JobError> {
        for batch in self.look().await?.iter().filter(|batch| !batch.has_ended()) {
            self.client.batches().cancel(&batch.id).await?;
        }
        Ok(())
    }
}

impl JobProgress {
    fn of(batches: &[MessageBatch]) -> Self {
        let mut counts = BatchCounts::none();
        let (mut ended, mut done) = (0, 0);
        for batch in batches {
            counts.add(&batch.request_counts);
            if batch.has_ended() {
                ended += 1;
                done += batch.request_counts.total();
            }
        }
        Self { batches: batches.len(), ended, requests: counts.total(), done, counts }
    }
}

impl Pace {
    /// A wait of about `pause`: four fifths of it to six fifths.
    fn drawn(&mut self, pause: Duration) -> Duration {
        // SplitMix64 (Steele, Lea and Flood 2014).
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let thousandth = u32::try_from((mixed ^ (mixed >> 31)) % 400).unwrap_or_default();
        pause * (800 + thousandth) / 1000
    }
}

impl fmt::Debug for BatchJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchJob")
            .field("file", &self.file)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_spread_and_stay_near_what_they_should_be() {
        let pause = Duration::from_secs(10);
        let mut pace = Pace { first: pause, most: pause, random: 7 };
        let drawn: Vec<Duration> = (0..1000).map(|_| pace.drawn(pause)).collect();
        assert!(drawn.iter().all(|wait| (pause * 4 / 5..pause * 6 / 5).contains(wait)));
        let (least, most) = (drawn.iter().min().unwrap(), drawn.iter().max().unwrap());
        assert!(*least < pause * 82 / 100 && *most > pause * 118 / 100, "{least:?} {most:?}");
    }
}
