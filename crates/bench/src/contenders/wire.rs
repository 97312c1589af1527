//! The least typing that a client can do: flat structs, chosen by the event's name, and owned text.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::script::{MAX_TOKENS, MODEL, PROMPT};

#[derive(Debug, Serialize)]
pub(super) struct Request<'a> {
    model: &'a str,
    max_tokens: u32,
    messages: [Turn<'a>; 1],
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stream: bool,
}

#[derive(Debug, Serialize)]
struct Turn<'a> {
    role: &'a str,
    content: &'a str,
}

impl Request<'_> {
    pub(super) fn new(stream: bool) -> Self {
        let messages = [Turn { role: "user", content: PROMPT }];
        Self { model: MODEL, max_tokens: MAX_TOKENS, messages, stream }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Message {
    #[serde(rename = "id")]
    _id: String,
    #[serde(rename = "model")]
    _model: String,
    content: Vec<Block>,
    #[serde(rename = "stop_reason")]
    _stop_reason: Option<String>,
    #[serde(rename = "usage")]
    _usage: Usage,
}

#[derive(Debug, Deserialize)]
struct Block {
    #[serde(rename = "type")]
    _kind: String,
    text: String,
}

#[derive(Debug, Deserialize)]
struct Usage {
    #[serde(rename = "input_tokens")]
    _input_tokens: u64,
    #[serde(rename = "output_tokens")]
    _output_tokens: u64,
}

impl Message {
    pub(super) fn parse(body: &[u8]) -> Result<Self> {
        Ok(serde_json::from_slice(body)?)
    }

    pub(super) fn text(&self) -> u64 {
        self.content.iter().map(|block| block.text.len() as u64).sum()
    }
}

/// An event that owns its text, so that it can be kept as ours can.
#[derive(Debug)]
pub(super) enum Event {
    Delta { _index: usize, text: String },
    Other,
}

#[derive(Debug, Deserialize)]
struct BlockDelta<'a> {
    index: usize,
    #[serde(borrow)]
    delta: Delta<'a>,
}

#[derive(Debug, Deserialize)]
struct Delta<'a> {
    #[serde(rename = "type")]
    _kind: &'a str,
    text: String,
}

impl Event {
    pub(super) fn parse(name: &[u8], data: &[u8]) -> Result<Self> {
        if name != b"content_block_delta" {
            return Ok(Self::Other);
        }
        let BlockDelta { index, delta } = serde_json::from_slice(data)?;
        Ok(Self::Delta { _index: index, text: delta.text })
    }

    pub(super) fn text(&self) -> u64 {
        match self {
            Self::Delta { text, .. } => text.len() as u64,
            Self::Other => 0,
        }
    }
}
