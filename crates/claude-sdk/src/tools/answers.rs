//! The calls of one turn and their answers.

use std::{
    fmt,
    future::poll_fn,
    panic::AssertUnwindSafe,
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::{
    FutureExt as _,
    future::{BoxFuture, ready},
};

use super::ToolHandler;
use crate::types::{Content, ContentBlockParam, Message, Tool, ToolResultBlock, ToolUseBlock};

/// The tools of a runner.
#[derive(Debug, Default)]
pub(super) struct Toolbox(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    /// The name of a tool, or of a set of tools.
    name: String,
    is_set: bool,
    handler: Arc<dyn ToolHandler>,
}

impl Toolbox {
    /// Takes in a tool, in place of one of the same name.
    #[inline]
    pub(super) fn add(&mut self, handler: Arc<dyn ToolHandler>) -> Tool {
        let tool = handler.tool();
        let set = tool.kind.as_ref().and_then(|kind| kind.toolset_name());
        let (name, is_set) = (set.unwrap_or(tool.name()).to_owned(), set.is_some());
        self.0.retain(|entry| (&entry.name, entry.is_set) != (&name, is_set));
        self.0.push(Entry { name, is_set, handler });
        tool
    }

    /// Begins to carry out a call; whatever goes wrong becomes an answer.
    #[inline]
    fn begin(&self, call: ToolUseBlock) -> BoxFuture<'static, ToolResultBlock> {
        let failed = |text: String| ready(error(text)).boxed();
        let (name, is_set) = match &call.toolset_name {
            Some(set) => (set.clone(), true),
            None => (call.name.clone(), false),
        };
        let mut entries = self.0.iter();
        let Some(entry) = entries.find(|entry| (&entry.name, entry.is_set) == (&name, is_set)) else {
            let names: Vec<&str> = self.0.iter().map(|entry| entry.name.as_str()).collect();
            return failed(format!("there is no tool {name:?}; there are: {}", names.join(", ")));
        };
        if call.incomplete_input().is_some() || !call.input.is_object() {
            return failed("the arguments are no whole JSON object; make the call again".to_owned());
        }
        let handler = Arc::clone(&entry.handler);
        let carried_out = async move {
            match is_set {
                true => handler.call_member(&call.name, call.input).await,
                false => handler.call(call.input).await,
            }
        };
        let answer = AssertUnwindSafe(carried_out).catch_unwind().map(move |answered| match answered {
            Ok(Ok(content)) => ToolResultBlock::new("").content(content),
            Ok(Err(problem)) => error(problem),
            Err(_) => error(format!("the tool {name:?} broke down; do without it")),
        });
        answer.boxed()
    }
}

fn error(problem: impl Into<Content>) -> ToolResultBlock {
    ToolResultBlock::new("").content(problem).is_error(true)
}

/// Calls that have begun, with the answers that there are already.
#[derive(Debug, Default)]
pub(super) struct Answers(Vec<Call>);

struct Call {
    id: String,
    toolset_name: Option<String>,
    state: State,
}

enum State {
    /// It waits where it was when nobody asks.
    Running(BoxFuture<'static, ToolResultBlock>),
    Done(Box<ContentBlockParam>),
}

impl Answers {
    /// The calls in `message`; `None` where there is none. Those that have begun go on.
    #[inline]
    pub(super) fn wanted(message: &Message, tools: &Toolbox, mut begun: Self) -> Option<Self> {
        let mut wanted = Self::default();
        for call in message.tool_uses() {
            match begun.0.iter().position(|begun| begun.id == call.id) {
                Some(place) => wanted.0.push(begun.0.swap_remove(place)),
                None => wanted.begin(tools, call),
            }
        }
        (!wanted.0.is_empty()).then_some(wanted)
    }

    /// Begins a call.
    #[inline]
    pub(super) fn begin(&mut self, tools: &Toolbox, call: &ToolUseBlock) {
        self.0.push(Call {
            id: call.id.clone(),
            toolset_name: call.toolset_name.clone(),
            state: State::Running(tools.begin(call.clone())),
        });
    }

    /// Lets all calls go on at once; ready when each has its answer.
    #[inline]
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut all = Poll::Ready(());
        for call in &mut self.0 {
            let State::Running(running) = &mut call.state else { continue };
            match running.poll_unpin(cx) {
                Poll::Ready(answer) => {
                    let (id, set) = (call.id.clone(), call.toolset_name.clone());
                    let answer = ToolResultBlock { tool_use_id: id, toolset_name: set, ..answer };
                    call.state = State::Done(Box::new(answer.into()));
                }
                Poll::Pending => all = Poll::Pending,
            }
        }
        all
    }

    /// Waits for all answers. When the future is dropped, the calls stay where they are.
    pub(super) async fn complete(&mut self) {
        poll_fn(|cx| self.poll(cx)).await;
    }

    /// The answers in the order of the calls.
    #[inline]
    pub(super) fn take(&mut self) -> Vec<ContentBlockParam> {
        let answers = self.0.drain(..).filter_map(|call| match call.state {
            State::Done(answer) => Some(*answer),
            State::Running(_) => None,
        });
        answers.collect()
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let done = matches!(self.state, State::Done(_));
        f.debug_struct("Call").field("id", &self.id).field("done", &done).finish_non_exhaustive()
    }
}
