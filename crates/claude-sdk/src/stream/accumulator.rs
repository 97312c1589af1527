//! The message that the events of a stream add up to.

use serde_json::{Map, Value};

use super::delta::Delta;
use super::error::{ProtocolError, Truncated};
use super::event::Event;
use crate::types::{ContentBlock, Message, MessageChange, Model, Usage, UsageDelta};

/// Makes a message of the events of a stream.
///
/// Time and memory are linear in the size of the stream. The arguments of a tool call are kept as text while they
/// arrive and parsed once, at the end of their block; until then the block's `input` is what the service began with.
#[derive(Clone, Debug, Default)]
pub struct Accumulator {
    message: Option<Message>,
    /// One for each block of the message.
    blocks: Vec<Progress>,
    stopped: bool,
}

/// How far a block has come.
#[derive(Clone, Debug, Default)]
struct Progress {
    closed: bool,
    /// The arguments of a tool call so far, as JSON text.
    input: String,
}

impl Accumulator {
    /// An accumulator that has seen no event.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an event.
    ///
    /// Events and deltas that are not known add nothing, nor does anything after the end of the message. An error event
    /// adds nothing either: it is for the caller to report.
    ///
    /// # Errors
    ///
    /// The event cannot follow the ones before it. The message is as it was before the event.
    pub fn push(&mut self, event: &Event) -> Result<(), ProtocolError> {
        if self.stopped {
            return Ok(());
        }
        match event {
            Event::MessageStart { message, .. } => self.start(message),
            Event::ContentBlockStart { index, block, .. } => self.start_block(*index, block),
            Event::ContentBlockDelta { index, delta, .. } => self.extend_block(*index, delta),
            Event::ContentBlockStop { index, .. } => self.stop_block(*index),
            Event::MessageDelta { change, usage, extra } => self.change(change, usage.as_ref(), extra),
            Event::MessageStop { .. } => self.stop(),
            Event::Ping { .. } | Event::Error(_) | Event::Unknown { .. } => Ok(()),
        }
    }

    /// The message so far; `None` before it has begun.
    #[must_use]
    pub fn snapshot(&self) -> Option<&Message> {
        self.message.as_ref()
    }

    /// The message, once the stream has ended.
    ///
    /// # Errors
    ///
    /// The stream ended before `message_stop`: what had arrived is in the error, and must not be taken for the whole.
    #[expect(clippy::result_large_err, reason = "the message is as large on the good side")]
    pub fn finish(mut self) -> Result<Message, Truncated> {
        self.close_blocks();
        match self.message {
            Some(message) if self.stopped => Ok(message),
            partial => Err(Truncated { partial }),
        }
    }

    fn start(&mut self, message: &Message) -> Result<(), ProtocolError> {
        if self.message.is_some() {
            return Err(ProtocolError::SecondStart);
        }
        self.blocks = vec![Progress { closed: true, ..Progress::default() }; message.content.len()];
        self.message = Some(message.clone());
        Ok(())
    }

    fn start_block(&mut self, index: usize, block: &ContentBlock) -> Result<(), ProtocolError> {
        let message = self.message.as_mut().ok_or(ProtocolError::NotStarted)?;
        let expected = message.content.len();
        if index != expected {
            return Err(ProtocolError::OutOfOrder { index, expected });
        }
        if let Some(model) = fallback_model(block) {
            message.model = model;
        }
        message.content.push(block.clone());
        self.blocks.push(Progress::default());
        Ok(())
    }

    fn extend_block(&mut self, index: usize, delta: &Delta) -> Result<(), ProtocolError> {
        let (block, progress) = self.open_block(index)?;
        let fitted = match (block, delta) {
            (ContentBlock::Text(block), Delta::Text { text, .. }) => {
                block.text.push_str(text);
                true
            }
            (ContentBlock::Text(block), Delta::Citations { citation, .. }) => {
                push_member(&mut block.extra, "citations", citation)
            }
            (ContentBlock::Thinking(block), Delta::Thinking { thinking, .. }) => {
                block.thinking.push_str(thinking);
                true
            }
            (ContentBlock::Thinking(block), Delta::Signature { signature, .. }) => {
                block.signature = Some(signature.clone());
                true
            }
            (ContentBlock::ToolUse(_) | ContentBlock::Unknown(_), Delta::InputJson { partial_json, .. }) => {
                progress.input.push_str(partial_json);
                true
            }
            (ContentBlock::Unknown(members), delta) => extend_unknown(members, delta),
            (_, Delta::Unknown(_)) => true,
            _ => false,
        };
        if fitted {
            Ok(())
        } else {
            Err(ProtocolError::Mismatch { index, delta: delta.type_name().to_owned() })
        }
    }

    fn stop_block(&mut self, index: usize) -> Result<(), ProtocolError> {
        let (block, progress) = self.open_block(index)?;
        progress.close(block);
        Ok(())
    }

    fn change(
        &mut self,
        change: &MessageChange,
        usage: Option<&UsageDelta>,
        extra: &Map<String, Value>,
    ) -> Result<(), ProtocolError> {
        let message = self.message.as_mut().ok_or(ProtocolError::NotStarted)?;
        replace(&mut message.stop_reason, change.stop_reason.as_ref(), &mut message.extra, "stop_reason");
        replace(
            &mut message.stop_sequence,
            change.stop_sequence.as_ref(),
            &mut message.extra,
            "stop_sequence",
        );
        for (name, value) in &change.extra {
            message.extra.insert(name.clone(), value.clone());
        }
        insert_present(&mut message.extra, extra);
        if let Some(usage) = usage {
            update_usage(&mut message.usage, usage);
        }
        Ok(())
    }

    fn stop(&mut self) -> Result<(), ProtocolError> {
        if self.message.is_none() {
            return Err(ProtocolError::NotStarted);
        }
        self.close_blocks();
        self.stopped = true;
        Ok(())
    }

    fn open_block(&mut self, index: usize) -> Result<(&mut ContentBlock, &mut Progress), ProtocolError> {
        let message = self.message.as_mut().ok_or(ProtocolError::NotStarted)?;
        match (message.content.get_mut(index), self.blocks.get_mut(index)) {
            (Some(_), Some(progress)) if progress.closed => Err(ProtocolError::ClosedBlock { index }),
            (Some(block), Some(progress)) => Ok((block, progress)),
            _ => Err(ProtocolError::UnknownBlock { index }),
        }
    }

    /// Closes what is still open: at the end of the message, or of a stream that was cut.
    fn close_blocks(&mut self) {
        let content = self.message.iter_mut().flat_map(|message| &mut message.content);
        for (block, progress) in content.zip(&mut self.blocks) {
            progress.close(block);
        }
    }
}

impl Progress {
    /// Gives the block its arguments: parsed, or as text where they are incomplete.
    fn close(&mut self, block: &mut ContentBlock) {
        self.closed = true;
        if self.input.is_empty() {
            return;
        }
        let text = std::mem::take(&mut self.input);
        let input = serde_json::from_str(&text).unwrap_or(Value::String(text));
        match block {
            ContentBlock::ToolUse(block) => block.input = input,
            ContentBlock::Unknown(members) => {
                members.insert("input".to_owned(), input);
            }
            _ => {}
        }
    }
}

/// The model that goes on, if the block says that another one takes over.
fn fallback_model(block: &ContentBlock) -> Option<Model> {
    let ContentBlock::Unknown(members) = block else { return None };
    if block.type_name() != "fallback" {
        return None;
    }
    members.get("to")?.get("model")?.as_str().map(Model::from)
}

/// Adds a delta to a block whose type is not known; `false` if the two do not go together.
fn extend_unknown(members: &mut Map<String, Value>, delta: &Delta) -> bool {
    match delta {
        Delta::Text { text, .. } => append_member(members, "text", text),
        Delta::Thinking { thinking, .. } => append_member(members, "thinking", thinking),
        Delta::Signature { signature, .. } => {
            members.insert("signature".to_owned(), Value::from(signature.as_str()));
            true
        }
        Delta::Citations { citation, .. } => push_member(members, "citations", citation),
        Delta::Unknown(change) if delta.type_name() == "compaction_delta" => {
            for (name, value) in change.iter().filter(|(name, _)| *name != "type") {
                members.insert(name.clone(), value.clone());
            }
            true
        }
        Delta::InputJson { .. } | Delta::Unknown(_) => true,
    }
}

fn append_member(members: &mut Map<String, Value>, name: &str, more: &str) -> bool {
    match members.get_mut(name) {
        Some(Value::String(text)) => text.push_str(more),
        None | Some(Value::Null) => {
            members.insert(name.to_owned(), Value::from(more));
        }
        Some(_) => return false,
    }
    true
}

fn push_member(members: &mut Map<String, Value>, name: &str, item: &Value) -> bool {
    match members.get_mut(name) {
        Some(Value::Array(items)) => items.push(item.clone()),
        None | Some(Value::Null) => {
            members.insert(name.to_owned(), Value::Array(vec![item.clone()]));
        }
        Some(_) => return false,
    }
    true
}

/// Sets a field that has a new value, and drops the value of another shape it may have begun as.
fn replace<T: Clone>(field: &mut Option<T>, new: Option<&T>, extra: &mut Map<String, Value>, name: &str) {
    if let Some(new) = new {
        *field = Some(new.clone());
        extra.remove(name);
    }
}

/// Takes over members whose value is not `null`.
fn insert_present(into: &mut Map<String, Value>, from: &Map<String, Value>) {
    for (name, value) in from.iter().filter(|(_, value)| !value.is_null()) {
        into.insert(name.clone(), value.clone());
    }
}

fn update_usage(usage: &mut Usage, delta: &UsageDelta) {
    if let Some(tokens) = delta.input_tokens {
        usage.input_tokens = tokens;
    }
    if let Some(tokens) = delta.output_tokens {
        usage.output_tokens = tokens;
    }
    let Usage {
        cache_creation_input_tokens: created,
        cache_read_input_tokens: read,
        cache_creation,
        service_tier,
        extra,
        ..
    } = usage;
    replace(created, delta.cache_creation_input_tokens.as_ref(), extra, "cache_creation_input_tokens");
    replace(read, delta.cache_read_input_tokens.as_ref(), extra, "cache_read_input_tokens");
    replace(cache_creation, delta.cache_creation.as_ref(), extra, "cache_creation");
    replace(service_tier, delta.service_tier.as_ref(), extra, "service_tier");
    insert_present(extra, &delta.extra);
}

#[cfg(test)]
mod tests;
