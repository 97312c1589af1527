use std::{
    fmt,
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use futures_core::Stream as _;

use super::{
    ToolHandler,
    answers::{Answers, Toolbox},
};
use crate::{
    client::Client,
    error::Error,
    reply::Reply,
    resources::{MessageStream, Messages},
    stream::Event,
    types::{ContentBlock, ContentBlockParam, Message, MessageParam, MessageRequest, StopReason},
};

/// How many replies a run may take, unless told otherwise.
const MAX_TURNS: u32 = 50;

impl Messages<'_> {
    /// Begins a run: `request` is sent again and again, with what the model's calls of tools have given, until the model
    /// is done. See [`tools`](crate::tools).
    pub fn tool_runner(self, request: MessageRequest) -> ToolRunner {
        ToolRunner {
            client: self.0.clone(),
            request,
            tools: Toolbox::default(),
            max_turns: MAX_TURNS,
            eager: false,
            turns: 0,
            last: None,
            step: Step::Ask,
        }
    }
}

/// A conversation in which the model calls tools and is answered.
///
/// [`finish`](Self::finish) runs to the end, [`next`](Self::next) goes from reply to reply, and
/// [`next_event`](Self::next_event) shows each reply as it is written. They may be mixed.
///
/// The conversation so far is in [`conversation`](Self::conversation) at any time, also after an error, after which the
/// same methods try again from where it stands.
///
/// Example: [`tools`](crate::tools).
#[must_use = "a run does nothing until it is asked for its next reply"]
pub struct ToolRunner {
    client: Client,
    /// With the conversation so far.
    request: MessageRequest,
    tools: Toolbox,
    max_turns: u32,
    eager: bool,
    turns: u32,
    last: Option<Reply<Message>>,
    step: Step,
}

/// What comes next.
enum Step {
    /// The model is to be asked.
    Ask,
    /// Its reply is being written.
    Read(Box<Reading>),
    /// Its calls are to be answered.
    Answer(Answers),
    /// Nothing.
    Done,
}

/// A reply that is being written, and those of its calls that have begun.
struct Reading {
    stream: MessageStream,
    begun: Answers,
}

/// What happens in a run.
///
/// Example: [`tools`](crate::tools).
#[derive(Debug)]
#[non_exhaustive]
pub enum RunEvent {
    /// A reply goes on.
    Stream(Event),
    /// A reply is whole.
    Message(Box<Reply<Message>>),
    /// The calls of the reply were carried out; these are the answers.
    Results(Vec<ContentBlockParam>),
}

impl ToolRunner {
    /// Offers a tool. One of the same name is replaced.
    pub fn tool(self, handler: impl ToolHandler) -> Self {
        self.tools([Arc::new(handler) as Arc<dyn ToolHandler>])
    }

    /// Offers several tools.
    pub fn tools(mut self, handlers: impl IntoIterator<Item = Arc<dyn ToolHandler>>) -> Self {
        for handler in handlers {
            let tool = self.tools.add(handler);
            let offered = self.request.tools.get_or_insert_default();
            offered
                .retain(|other| other.name != tool.name || (other.name.is_none() && other.kind != tool.kind));
            offered.push(tool);
        }
        self
    }

    /// How many replies the run may take; 50 unless told otherwise.
    pub fn max_turns(mut self, turns: u32) -> Self {
        self.max_turns = turns;
        self
    }

    /// Begins each call as soon as it is written, while the rest of the reply is still to come.
    ///
    /// For tools that may begin for nothing: when a reply breaks off, the calls that have begun are dropped where they are
    /// and made again with the reply, and when a reply ends otherwise than by asking for tools, their answers are not
    /// wanted. All replies are streamed then.
    pub fn eager(mut self) -> Self {
        self.eager = true;
        self
    }

    /// Gives a run that has met its limit more replies.
    pub fn allow_turns(&mut self, more: u32) {
        self.max_turns = self.max_turns.saturating_add(more);
    }

    /// Runs to the end and gives the last reply.
    ///
    /// # Errors
    ///
    /// [`RunError`]; the runner stands where it was and can go on.
    ///
    /// # Cancel safety
    ///
    /// As [`next`](Self::next).
    pub async fn finish(&mut self) -> Result<Reply<Message>, RunError> {
        while let Some(reply) = self.next().await {
            reply?;
        }
        // A run ends with a reply.
        self.last.clone().ok_or(RunError::TurnLimit { turns: self.turns })
    }

    /// Answers the calls of the last reply, if it had any, and waits for the next reply; `None` when the model is done.
    ///
    /// # Errors
    ///
    /// [`RunError`]; the runner stands where it was and can go on.
    ///
    /// # Cancel safety
    ///
    /// A reply that was not whole is asked for again. Calls of tools that have begun are held where they are, and go on when
    /// this is called again; they end when the runner is dropped.
    pub async fn next(&mut self) -> Option<Result<Reply<Message>, RunError>> {
        loop {
            match &mut self.step {
                Step::Done => return None,
                Step::Answer(_) => drop(self.answer().await),
                Step::Ask => {
                    if let Err(limit) = self.check() {
                        return Some(Err(limit));
                    }
                    if self.eager {
                        if let Err(error) = self.open().await {
                            return Some(Err(error.into()));
                        }
                        continue;
                    }
                    let reply = self.client.messages().create(&self.request).await;
                    return Some(match reply {
                        Ok(reply) => Ok(self.take(reply, Answers::default())),
                        Err(error) => Err(error.into()),
                    });
                }
                Step::Read(_) => match self.event().await {
                    Some(Ok(_)) => {}
                    Some(Err(error)) => return Some(Err(error.into())),
                    None => return self.read().await,
                },
            }
        }
    }

    /// Waits for whatever happens next: a piece of a reply, a whole reply, the answers to its calls; `None` when the model
    /// is done.
    ///
    /// ```no_run
    /// # use claude_sdk::tools::{RunError, RunEvent, ToolRunner};
    /// # async fn run(mut runner: ToolRunner) -> Result<(), RunError> {
    /// while let Some(event) = runner.next_event().await {
    ///     match event? {
    ///         RunEvent::Stream(event) => print!("{}", event.text().unwrap_or_default()),
    ///         RunEvent::Results(answers) => println!("[{} calls]", answers.len()),
    ///         _ => {}
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`RunError`]; a reply that broke off is asked for again by the next call.
    ///
    /// # Cancel safety
    ///
    /// No event is lost when the future is dropped; calls of tools are as with [`next`](Self::next).
    pub async fn next_event(&mut self) -> Option<Result<RunEvent, RunError>> {
        loop {
            match &mut self.step {
                Step::Done => return None,
                Step::Answer(_) => return Some(Ok(RunEvent::Results(self.answer().await))),
                Step::Ask => {
                    if let Err(limit) = self.check() {
                        return Some(Err(limit));
                    }
                    if let Err(error) = self.open().await {
                        return Some(Err(error.into()));
                    }
                }
                Step::Read(_) => match self.event().await {
                    Some(event) => return Some(event.map(RunEvent::Stream).map_err(RunError::Call)),
                    None => {
                        let whole = self.read().await?;
                        return Some(whole.map(|reply| RunEvent::Message(Box::new(reply))));
                    }
                },
            }
        }
    }

    /// What was said so far, the model's replies and the answers to its calls included.
    #[must_use]
    pub fn conversation(&self) -> &[MessageParam] {
        &self.request.messages
    }

    /// The request with the whole conversation, to go on with in any other way.
    #[must_use]
    #[inline]
    pub fn into_request(self) -> MessageRequest {
        self.request
    }

    /// The request as it will be sent next, to change it between two replies.
    ///
    /// The messages of the run are in it: take none away while calls are unanswered.
    pub fn request_mut(&mut self) -> &mut MessageRequest {
        &mut self.request
    }

    /// How many replies there were.
    #[must_use]
    pub fn turns(&self) -> u32 {
        self.turns
    }

    fn check(&self) -> Result<(), RunError> {
        if self.turns >= self.max_turns {
            return Err(RunError::TurnLimit { turns: self.turns });
        }
        Ok(())
    }

    /// Asks for a reply that is read as it is written.
    async fn open(&mut self) -> Result<(), Error> {
        let stream = self.client.messages().stream(&self.request).await?;
        self.step = Step::Read(Box::new(Reading { stream, begun: Answers::default() }));
        Ok(())
    }

    /// The next event of an open reply, beside which the calls that have begun go on; `None` at its end.
    async fn event(&mut self) -> Option<Result<Event, Error>> {
        let Self { step: Step::Read(reading), tools, eager, .. } = self else { return None };
        let event = poll_fn(|cx| reading.poll(*eager, tools, cx)).await;
        if matches!(event, Some(Err(_))) {
            self.step = Step::Ask;
        }
        event
    }

    /// Takes in a reply that is at its end.
    async fn read(&mut self) -> Option<Result<Reply<Message>, RunError>> {
        match std::mem::replace(&mut self.step, Step::Ask) {
            Step::Read(reading) => {
                let Reading { stream, begun } = *reading;
                let whole = stream.final_message().await;
                Some(whole.map(|reply| self.take(reply, begun)).map_err(RunError::Call))
            }
            other => {
                self.step = other;
                None
            }
        }
    }

    /// Takes a reply into the conversation and decides what comes next.
    #[inline]
    fn take(&mut self, reply: Reply<Message>, begun: Answers) -> Reply<Message> {
        self.turns = self.turns.saturating_add(1);
        if !reply.content.is_empty() {
            self.request.messages.push(reply.to_param());
        }
        self.step = match &reply.stop_reason {
            Some(StopReason::ToolUse) => {
                Answers::wanted(&reply, &self.tools, begun).map_or(Step::Done, Step::Answer)
            }
            Some(StopReason::PauseTurn | StopReason::Compaction) => Step::Ask,
            _ => Step::Done,
        };
        self.last = Some(reply.clone());
        reply
    }

    /// Carries out the calls of the last reply and takes the answers into the conversation.
    async fn answer(&mut self) -> Vec<ContentBlockParam> {
        let Step::Answer(answers) = &mut self.step else { return Vec::new() };
        answers.complete().await;
        let results = answers.take();
        self.request.messages.push(MessageParam::user(results.clone()));
        self.step = Step::Ask;
        results
    }
}

impl Reading {
    #[inline]
    fn poll(
        &mut self,
        eager: bool,
        tools: &Toolbox,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Event, Error>>> {
        let event = Pin::new(&mut self.stream).poll_next(cx);
        if let Poll::Ready(Some(Ok(Event::ContentBlockStop { index, .. }))) = &event
            && eager
            && let Some(message) = self.stream.snapshot()
            && let Some(ContentBlock::ToolUse(call)) = message.content.get(*index)
        {
            self.begun.begin(tools, call);
        }
        let _ = self.begun.poll(cx);
        event
    }
}

/// Says nothing of what was said.
impl fmt::Debug for ToolRunner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ToolRunner")
            .field("tools", &self.tools)
            .field("turns", &self.turns)
            .field("max_turns", &self.max_turns)
            .field("messages", &self.request.messages.len())
            .finish_non_exhaustive()
    }
}

/// Why a run did not go on. The conversation is in the runner, which can.
///
/// Example: [`tools`](crate::tools).
#[derive(Debug)]
#[non_exhaustive]
pub enum RunError {
    /// A call of the API failed.
    Call(Error),
    /// The run took as many replies as it may, and the model wants to go on.
    TurnLimit {
        /// How many there were.
        turns: u32,
    },
}

impl From<Error> for RunError {
    fn from(error: Error) -> Self {
        Self::Call(error)
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(error) => write!(f, "{error}"),
            Self::TurnLimit { turns } => write!(
                f,
                "the model wants to go on after {turns} replies, which is the limit; see `conversation()`, and raise it with \
                 `allow_turns`"
            ),
        }
    }
}

/// The text of a failed call is that of what it holds, and so are the causes.
impl std::error::Error for RunError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Call(error) => error.source(),
            Self::TurnLimit { .. } => None,
        }
    }
}
