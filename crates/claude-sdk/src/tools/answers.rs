//! The calls of one turn and their answers.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures_util::{FutureExt as _, future::join_all};

use super::ToolHandler;
use crate::types::{ContentBlockParam, Message, Tool, ToolUseBlock};

/// The tools of a runner, by name.
#[derive(Debug, Default)]
pub(super) struct Toolbox(Vec<(String, Arc<dyn ToolHandler>)>);

impl Toolbox {
    /// Takes in a tool, in place of one of the same name.
    pub(super) fn add(&mut self, handler: Arc<dyn ToolHandler>) -> Tool {
        let tool = handler.tool();
        self.0.retain(|(name, _)| name != tool.name());
        self.0.push((tool.name().to_owned(), handler));
        tool
    }

    async fn answer(&self, call: &ToolUseBlock) -> ContentBlockParam {
        let error = |text: String| ContentBlockParam::tool_error(&call.id, text);
        let Some((name, handler)) = self.0.iter().find(|(name, _)| *name == call.name) else {
            let names: Vec<&str> = self.0.iter().map(|(name, _)| name.as_str()).collect();
            return error(format!("there is no tool {:?}; there are: {}", call.name, names.join(", ")));
        };
        if call.incomplete_input().is_some() || !call.input.is_object() {
            return error("the arguments are no whole JSON object; make the call again".to_owned());
        }
        let answered =
            AssertUnwindSafe(async { handler.call(call.input.clone()).await }).catch_unwind().await;
        match answered {
            Ok(Ok(content)) => ContentBlockParam::tool_result(&call.id, content),
            Ok(Err(problem)) => ContentBlockParam::tool_error(&call.id, problem),
            Err(_) => error(format!("the tool {name:?} broke down; do without it")),
        }
    }
}

/// The calls of one turn, with the answers that there are already.
#[derive(Debug)]
pub(super) struct Answers(Vec<(ToolUseBlock, Option<ContentBlockParam>)>);

impl Answers {
    /// The calls in `message`; `None` where there is none.
    pub(super) fn wanted(message: &Message) -> Option<Self> {
        let calls: Vec<_> = message.tool_uses().map(|call| (call.clone(), None)).collect();
        (!calls.is_empty()).then_some(Self(calls))
    }

    /// Carries out all calls at once that have no answer yet. An answer that has come stays when the future is dropped.
    pub(super) async fn complete(&mut self, tools: &Toolbox) {
        let open = self.0.iter_mut().filter(|(_, answer)| answer.is_none());
        join_all(open.map(|(call, answer)| async move { *answer = Some(tools.answer(call).await) })).await;
    }

    /// The answers in the order of the calls.
    pub(super) fn take(&mut self) -> Vec<ContentBlockParam> {
        self.0.drain(..).filter_map(|(_, answer)| answer).collect()
    }
}
