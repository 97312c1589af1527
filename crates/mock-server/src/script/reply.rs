//! One reply of a script.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use http::{HeaderName, HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use toml::Spanned;

use super::{fault, least, often, place};
use crate::catalogue;
use crate::reply::Reply;

/// `[[reply]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct ReplyTable {
    on: Option<Spanned<String>>,
    r#match: Option<String>,
    times: Option<Spanned<u32>>,
    #[serde(default)]
    always: bool,
    /// What a message says, in this order.
    thinking: Option<String>,
    signature: Option<String>,
    text: Option<String>,
    citations: Option<Vec<Value>>,
    tool: Option<Tool>,
    #[serde(default)]
    tools: Vec<Tool>,
    blocks: Option<Vec<Value>>,
    stop_reason: Option<String>,
    refusal: Option<Refused>,
    /// What is no message.
    error: Option<Spanned<Failed>>,
    json: Option<Value>,
    html: Option<String>,
    events: Option<Vec<String>>,
    /// How it comes.
    status: Option<Spanned<u16>>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    pace_ms: u64,
    chunk_bytes: Option<Spanned<usize>>,
    truncate_after: Option<usize>,
    break_after: Option<usize>,
    fault: Option<Spanned<String>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tool {
    name: String,
    #[serde(default)]
    input: BTreeMap<String, Value>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Refused {
    category: String,
    #[serde(default)]
    explanation: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Failed {
    status: Option<u16>,
    r#type: Option<String>,
    message: Option<String>,
    code: Option<String>,
}

/// What is wrong, and where, if it is not the whole reply.
type Wrong = (Option<Range<usize>>, String);

fn somewhere((span, message): super::Wrong) -> Wrong {
    (Some(span), message)
}

impl ReplyTable {
    pub(super) fn read(&self) -> Result<Reply, Wrong> {
        let mut reply = self.content()?;
        if let Some(path) = &self.on {
            reply = reply.on(place(path).map_err(somewhere)?);
        }
        if let Some(heard) = &self.r#match {
            reply = reply.when(heard);
        }
        if let Some(times) = &self.times {
            reply = reply.times(often(times, self.always).map_err(somewhere)?);
        }
        if self.always {
            reply = reply.always();
        }
        if let Some(reason) = &self.stop_reason {
            reply = reply.stop_reason(reason);
        }
        if let Some(code) = &self.status {
            reply = reply.status(status(*code.get_ref()).ok_or((Some(code.span()), NO_STATUS.to_owned()))?);
        }
        for (name, value) in &self.headers {
            let header = HeaderName::try_from(name).ok().zip(HeaderValue::try_from(value).ok());
            let (name, value) = header.ok_or_else(|| (None, format!("{name} cannot be a header")))?;
            reply = reply.header(name, value);
        }
        if let Some(bytes) = &self.chunk_bytes {
            reply = reply.chunks(least(bytes, &1).map_err(somewhere)?);
        }
        if let Some(bytes) = self.truncate_after {
            reply = reply.truncate_after(bytes);
        }
        if let Some(bytes) = self.break_after {
            reply = reply.break_after(bytes);
        }
        if let Some(text) = &self.fault {
            let fault = fault(text).map_err(somewhere)?;
            if fault.is_at_accept() {
                return Err((Some(text.span()), "there is no answer yet: make it a `[[fault]]`".to_owned()));
            }
            reply = reply.fault(fault);
        }
        Ok(reply.pace(Duration::from_millis(self.pace_ms)))
    }

    fn content(&self) -> Result<Reply, Wrong> {
        let blocks = self.message();
        let others = [
            self.refusal.as_ref().map(|refused| Reply::refusal(&refused.category, &refused.explanation)),
            self.error.as_ref().map(error).transpose()?,
            self.json.clone().map(Reply::json),
            self.html.clone().map(Reply::html),
            self.events.clone().map(Reply::sse),
        ];
        let message = (!blocks.is_empty()).then(|| Reply::message(blocks));
        let mut said = others.into_iter().chain([message]).flatten();
        match (said.next(), said.next()) {
            (Some(reply), None) => Ok(reply),
            (None, _) => Err((
                None,
                "the reply says nothing: give it text, tool, blocks, refusal, error, json, html or events"
                    .to_owned(),
            )),
            _ => Err((
                None,
                "the reply can say only one of a message, refusal, error, json, html and events".to_owned(),
            )),
        }
    }

    fn message(&self) -> Vec<Value> {
        let mut blocks = Vec::new();
        if let Some(thinking) = &self.thinking {
            let signature = self.signature.as_deref().unwrap_or("bW9jaw==");
            blocks.push(json!({"type": "thinking", "thinking": thinking, "signature": signature}));
        }
        if let Some(text) = &self.text {
            let mut block = json!({"type": "text", "text": text});
            if let (Some(citations), Some(members)) = (&self.citations, block.as_object_mut()) {
                members.insert("citations".to_owned(), json!(citations));
            }
            blocks.push(block);
        }
        for tool in self.tool.iter().chain(&self.tools) {
            blocks.push(json!({"type": "tool_use", "name": tool.name, "input": tool.input}));
        }
        blocks.extend(self.blocks.iter().flatten().cloned());
        blocks
    }
}

const NO_STATUS: &str = "a status is a number from 200 to 999";

fn error(failed: &Spanned<Failed>) -> Result<Reply, Wrong> {
    let wrong = |message: &str| (Some(failed.span()), message.to_owned());
    let Failed { status: told, r#type: kind, message, code } = failed.get_ref();
    let known = match code {
        None => None,
        Some(code) => match (catalogue::status(code), told) {
            (None, None) => return Err(wrong("there is no such code: give a status with it")),
            (known, _) => known,
        },
    };
    let number = told.or(known).ok_or_else(|| wrong("an error has a status or a code"))?;
    let status = status(number).filter(|status| status.as_u16() >= 400);
    let status = status.ok_or_else(|| wrong("the status of an error is a number from 400 to 999"))?;
    let kind = kind.as_deref().unwrap_or_else(|| catalogue::kind(number));
    let message = message.as_deref().unwrap_or("the error that was asked for");
    Ok(Reply::error(status, kind, message).code(code.clone()))
}

fn status(code: u16) -> Option<StatusCode> {
    Some(code).filter(|code| (200..=999).contains(code)).and_then(|code| StatusCode::from_u16(code).ok())
}
