//! The message that the events of a stream add up to.

use serde_json::{Map, Value};

use super::delta::{self, Delta};
use super::error::{ProtocolError, Truncated};
use super::event::Event;
use super::oddity::Oddity;
use super::partial_json::{self, CutString, NotJson};
use crate::types::{Care, ContentBlock, Fit, Message, MessageChange, Misfit, Usage, UsageDelta, value_of};

/// Makes a message of the events of a stream.
///
/// Time and memory are linear in the size of the stream. The arguments of a tool call are kept as text while they
/// arrive and parsed once, at the end of their block; until then the block's `input` is what the service began with.
///
/// ```
/// use claude_sdk::stream::{Accumulator, Event};
///
/// let events = [
///     ("message_start", r#"{"message": {"id": "msg_1", "role": "assistant", "model": "m", "content": [],
///         "usage": {"input_tokens": 3, "output_tokens": 1}}}"#),
///     ("content_block_start", r#"{"index": 0, "content_block": {"type": "text", "text": ""}}"#),
///     ("content_block_delta", r#"{"index": 0, "delta": {"type": "text_delta", "text": "Hello"}}"#),
///     ("content_block_stop", r#"{"index": 0}"#),
///     ("message_stop", "{}"),
/// ];
/// let mut message = Accumulator::new();
/// for (name, data) in events {
///     message.push(&Event::parse(name, data)?)?;
///     println!("so far: {:?}", message.snapshot().map(|message| message.text()));
/// }
/// assert_eq!(message.finish()?.text(), "Hello"); // an error where `message_stop` has not come
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Accumulator {
    message: Option<Message>,
    /// One for each block of the message.
    blocks: Vec<Progress>,
    stopped: bool,
    odd: Vec<Oddity>,
}

/// How far a block has come.
#[derive(Clone, Debug, Default)]
struct Progress {
    closed: bool,
    /// The arguments of a tool call so far, as JSON text.
    input: String,
    /// Whether a delta was left out, and that was noted.
    noted: bool,
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
            Event::MessageDelta { change, usage, context_management, input_transformations, extra } => {
                let message = self.change(change, usage.as_deref(), extra)?;
                replace(
                    &mut message.context_management,
                    context_management.as_ref(),
                    &mut message.extra,
                    "context_management",
                );
                replace(
                    &mut message.input_transformations,
                    input_transformations.as_ref(),
                    &mut message.extra,
                    "input_transformations",
                );
                Ok(())
            }
            Event::MessageStop { .. } => self.stop(),
            Event::Ping { .. } | Event::Error(_) | Event::Unknown { .. } => Ok(()),
        }
    }

    /// The message so far; `None` before it has begun.
    #[must_use]
    pub fn snapshot(&self) -> Option<&Message> {
        self.message.as_ref()
    }

    /// The JSON text of the arguments of the call in block `index`, as far as it has arrived and the call is not complete.
    #[must_use]
    pub fn input_so_far(&self, index: usize) -> Option<&str> {
        let progress = self.blocks.get(index)?;
        (!progress.closed).then_some(progress.input.as_str())
    }

    /// The arguments of the call in block `index` as far as they have arrived; `None` while nothing of them has.
    ///
    /// Arguments that are still under way are read by the rules of [`partial_json::parse`], each time anew: ask when you
    /// show them, not for each event.
    ///
    /// # Errors
    ///
    /// What has arrived is not the beginning of JSON.
    #[inline]
    pub fn partial_input(&self, index: usize, cut: CutString) -> Result<Option<Value>, NotJson> {
        if let Some(text) = self.input_so_far(index) {
            return partial_json::parse(text, cut);
        }
        let block = self.message.as_ref().and_then(|message| message.content.get(index));
        match block.and_then(input_of) {
            Some(Value::String(text)) => partial_json::parse(text, cut),
            input => Ok(input.cloned()),
        }
    }

    /// What is not as it should be in what has arrived, although the message can do without it.
    ///
    /// What a stream leaves open is looked at when its message ends.
    #[must_use]
    pub fn oddities(&self) -> &[Oddity] {
        &self.odd
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
        self.note_usage(&message.usage.extra);
        self.message = Some(message.clone());
        Ok(())
    }

    fn start_block(&mut self, index: usize, block: &ContentBlock) -> Result<(), ProtocolError> {
        let message = self.message.as_mut().ok_or(ProtocolError::NotStarted)?;
        let expected = message.content.len();
        if index != expected {
            return Err(ProtocolError::OutOfOrder { index, expected });
        }
        if let ContentBlock::Fallback(block) = block {
            message.model = block.to.model.clone();
        }
        message.content.push(block.clone());
        self.blocks.push(Progress::default());
        if let Some(misfit) = misfit(block) {
            self.odd.push(Oddity::Block { misfit: misfit.at(index).within("content").to_string() });
        }
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
                block.citations.get_or_insert_default().push(citation.clone());
                true
            }
            (ContentBlock::Thinking(block), Delta::Thinking { thinking, .. }) => {
                block.thinking.push_str(thinking);
                true
            }
            (ContentBlock::Thinking(block), Delta::Signature { signature, .. }) => {
                block.signature = Some(signature.clone());
                true
            }
            (
                ContentBlock::ToolUse(_)
                | ContentBlock::ServerToolUse(_)
                | ContentBlock::McpToolUse(_)
                | ContentBlock::Unknown(_),
                Delta::InputJson { partial_json, .. },
            ) => {
                progress.input.push_str(partial_json);
                true
            }
            (ContentBlock::Compaction(block), Delta::Compaction { content, encrypted_content, extra }) => {
                replace(&mut block.content, content.as_ref(), &mut block.extra, "content");
                let encrypted = encrypted_content.as_ref();
                replace(&mut block.encrypted_content, encrypted, &mut block.extra, "encrypted_content");
                insert_present(&mut block.extra, extra);
                true
            }
            (ContentBlock::Unknown(members), delta) => extend_unknown(members, delta),
            (_, Delta::Unknown(_)) => true,
            _ => false,
        };
        if fitted {
            if let Delta::Unknown(members) = delta
                && !std::mem::replace(&mut progress.noted, true)
            {
                self.odd.push(Oddity::Delta { index, misfit: delta::misfit(members) });
            }
            Ok(())
        } else {
            Err(ProtocolError::Mismatch { index, delta: delta.type_name().to_owned() })
        }
    }

    fn stop_block(&mut self, index: usize) -> Result<(), ProtocolError> {
        let (block, progress) = self.open_block(index)?;
        if !progress.close(block) {
            self.odd.push(Oddity::Input { index });
        }
        Ok(())
    }

    fn change(
        &mut self,
        change: &MessageChange,
        usage: Option<&UsageDelta>,
        rest: &Map<String, Value>,
    ) -> Result<&mut Message, ProtocolError> {
        if self.message.is_none() {
            return Err(ProtocolError::NotStarted);
        }
        if rest.get("usage").is_some_and(|usage| !usage.is_null()) {
            self.note(Oddity::Usage { member: None });
        }
        if let Some(usage) = usage {
            self.note_usage(&usage.extra);
        }
        let message = self.message.as_mut().ok_or(ProtocolError::NotStarted)?;
        let MessageChange { stop_reason, stop_sequence, stop_details, container, extra: more, .. } = change;
        let extra = &mut message.extra;
        replace(&mut message.stop_reason, stop_reason.as_ref(), extra, "stop_reason");
        replace(&mut message.stop_sequence, stop_sequence.as_ref(), extra, "stop_sequence");
        replace(&mut message.stop_details, stop_details.as_ref(), extra, "stop_details");
        replace(&mut message.container, container.as_ref(), extra, "container");
        insert_present(extra, more);
        insert_present(extra, rest);
        if let Some(usage) = usage {
            update_usage(&mut message.usage, usage);
        }
        Ok(message)
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
        for (index, (block, progress)) in content.zip(&mut self.blocks).enumerate() {
            if !progress.close(block) {
                self.odd.push(Oddity::Input { index });
            }
        }
    }

    /// Takes note of the members of a usage that did not fit their fields.
    fn note_usage(&mut self, extra: &Map<String, Value>) {
        if extra.is_empty() {
            return;
        }
        for member in
            USAGE.into_iter().filter(|member| extra.get(*member).is_some_and(|value| !value.is_null()))
        {
            self.note(Oddity::Usage { member: Some(member) });
        }
    }

    /// Once is enough, however often it comes.
    fn note(&mut self, odd: Oddity) {
        if !self.odd.contains(&odd) {
            self.odd.push(odd);
        }
    }
}

impl Progress {
    /// Gives the block its arguments: parsed, or as text where they are no JSON, which is `false`.
    fn close(&mut self, block: &mut ContentBlock) -> bool {
        self.closed = true;
        if self.input.is_empty() {
            return true;
        }
        let text = std::mem::take(&mut self.input);
        let parsed = text.parse();
        let is_json = parsed.is_ok();
        let input = parsed.unwrap_or(Value::String(text));
        match block {
            ContentBlock::ToolUse(block) => block.input = input,
            ContentBlock::ServerToolUse(block) => block.input = input,
            ContentBlock::McpToolUse(block) => block.input = input,
            ContentBlock::Unknown(members) => {
                members.insert("input".to_owned(), input);
            }
            _ => {}
        }
        is_json
    }
}

/// What keeps a block of a type that is known here from being read.
fn misfit(block: &ContentBlock) -> Option<Misfit> {
    let ContentBlock::Unknown(members) = block else { return None };
    <ContentBlock as Fit>::misfit(&Value::Object(members.clone()), Care::Known)
}

/// The arguments of a call of a tool.
fn input_of(block: &ContentBlock) -> Option<&Value> {
    match block {
        ContentBlock::ToolUse(call) => Some(&call.input),
        ContentBlock::ServerToolUse(call) => Some(&call.input),
        ContentBlock::McpToolUse(call) => Some(&call.input),
        ContentBlock::Unknown(members) => members.get("input"),
        _ => None,
    }
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
        Delta::Citations { citation, .. } => {
            value_of(citation).is_ok_and(|citation| push_member(members, "citations", citation))
        }
        Delta::Compaction { content, encrypted_content, .. } => {
            let known = [("content", content), ("encrypted_content", encrypted_content)];
            for (name, value) in known {
                if let Some(value) = value {
                    members.insert(name.to_owned(), Value::from(value.as_str()));
                }
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

fn push_member(members: &mut Map<String, Value>, name: &str, item: Value) -> bool {
    match members.get_mut(name) {
        Some(Value::Array(items)) => items.push(item),
        None | Some(Value::Null) => {
            members.insert(name.to_owned(), Value::Array(vec![item]));
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
    let extra = &mut usage.extra;
    macro_rules! replace_fields {
        ($($field:ident),*) => {
            $(replace(&mut usage.$field, delta.$field.as_ref(), extra, stringify!($field));)*
        };
    }
    replace_fields!(
        cache_creation_input_tokens,
        cache_read_input_tokens,
        cache_creation,
        output_tokens_details,
        server_tool_use,
        service_tier,
        speed,
        inference_geo,
        iterations,
        fallback_credit
    );
    insert_present(extra, &delta.extra);
}

/// The members of a usage that have a field.
const USAGE: [&str; 12] = [
    "input_tokens",
    "output_tokens",
    "cache_creation_input_tokens",
    "cache_read_input_tokens",
    "cache_creation",
    "output_tokens_details",
    "server_tool_use",
    "service_tier",
    "speed",
    "inference_geo",
    "iterations",
    "fallback_credit",
];

#[cfg(test)]
mod tests;
