use std::sync::Arc;

use super::{Messages, visitor::Visitor};
use crate::{
    error::Error,
    reply::Reply,
    tools::{RunError, RunEvent, ToolHandler},
    types::{Message, MessageParam, MessageRequest},
};

impl Messages<'_> {
    /// Begins a run of tools: see [`crate::Messages::tool_runner`].
    pub fn tool_runner(self, request: MessageRequest) -> ToolRunner {
        ToolRunner(Visitor::new(self.0.client.messages().tool_runner(request), &self.0.worker))
    }
}

/// A conversation in which the model calls tools and is answered: see [`crate::tools::ToolRunner`]. Tools are carried out
/// on the client's thread.
///
/// Example: [`tools`](crate::tools).
#[derive(Debug)]
#[must_use = "a run does nothing until it is asked for its next reply"]
pub struct ToolRunner(Visitor<crate::tools::ToolRunner>);

impl ToolRunner {
    /// Offers a tool. One of the same name is replaced.
    pub fn tool(self, handler: impl ToolHandler) -> Self {
        self.with(|runner| runner.tool(handler))
    }

    /// Offers several tools.
    pub fn tools(self, handlers: impl IntoIterator<Item = Arc<dyn ToolHandler>>) -> Self {
        self.with(|runner| runner.tools(handlers))
    }

    /// Changes how the run goes, such as by [`max_turns`](crate::tools::ToolRunner::max_turns).
    pub fn with(self, change: impl FnOnce(crate::tools::ToolRunner) -> crate::tools::ToolRunner) -> Self {
        Self(self.0.map(change))
    }

    /// Runs to the end and gives the last reply.
    ///
    /// # Errors
    ///
    /// As [`crate::tools::ToolRunner::finish`].
    pub fn finish(&mut self) -> Result<Reply<Message>, RunError> {
        self.0.visit(|runner| Box::pin(runner.finish()))?
    }

    /// Waits for whatever happens next: see [`crate::tools::ToolRunner::next_event`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn next_event(&mut self) -> Option<Result<RunEvent, RunError>> {
        match self.0.visit(|runner| Box::pin(runner.next_event())) {
            Ok(event) => event,
            Err(error) => Some(Err(error.into())),
        }
    }

    /// What was said so far, the model's replies and the answers to its calls included.
    ///
    /// # Errors
    ///
    /// A call before this one has panicked, and the run is lost.
    pub fn conversation(&self) -> Result<&[MessageParam], Error> {
        Ok(self.0.get()?.conversation())
    }

    /// The request as it will be sent next, to change it between two replies.
    ///
    /// # Errors
    ///
    /// A call before this one has panicked, and the run is lost.
    pub fn request_mut(&mut self) -> Result<&mut MessageRequest, Error> {
        Ok(self.0.get_mut()?.request_mut())
    }
}

/// The replies, one after another: see [`crate::tools::ToolRunner::next`].
impl Iterator for ToolRunner {
    type Item = Result<Reply<Message>, RunError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.0.visit(|runner| Box::pin(runner.next())) {
            Ok(reply) => reply,
            Err(error) => Some(Err(error.into())),
        }
    }
}
