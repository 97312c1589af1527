//! What servers of the Model Context Protocol say, as tools and blocks of messages.
//!
//! These functions take the protocol's JSON as it comes out of any client of the protocol, and know nothing of its
//! transport. For tools that the runner calls by itself, implement [`McpCaller`] over your client:
//!
//! ```
//! use std::sync::Arc;
//! use claude_sdk::{mcp::{self, McpCaller}, tools::ToolError};
//! use serde_json::{Value, json};
//!
//! #[derive(Debug)]
//! struct Session; // your client of the protocol
//!
//! #[async_trait::async_trait]
//! impl McpCaller for Session {
//!     async fn call_tool(&self, name: &str, arguments: Value) -> Result<Value, ToolError> {
//!         Ok(json!({"content": [{"type": "text", "text": format!("{name} says hello")}]})) // the result of `tools/call`
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let session: Arc<dyn McpCaller> = Arc::new(Session);
//! let listed = json!({"tools": [{"name": "greet", "description": "Greets.", "inputSchema": {"type": "object"}}]});
//! let tools = mcp::handlers(&listed, &session)?; // the result of `tools/list`
//! // let runner = client.messages().tool_runner(request).tools(tools);
//! # assert_eq!(tools.len(), 1);
//! # Ok(())
//! # }
//! ```
//!
//! Servers that the service itself calls need none of this: they are named in the request (`mcp_servers`).

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use crate::{
    tools::{ToolError, ToolHandler},
    types::{Content, ContentBlockParam, MessageParam, Role, Source, Tool},
};

#[cfg(test)]
mod tests;

const IMAGES: [&str; 4] = ["image/gif", "image/jpeg", "image/png", "image/webp"];
const PDF: &str = "application/pdf";

/// A tool of a server, to be offered in a request: an item of `tools/list`.
///
/// # Errors
///
/// [`McpError`] where it has no name or no schema.
#[inline]
pub fn tool(definition: &Value) -> Result<Tool, McpError> {
    let name = text(definition, "name")?;
    let schema = definition.get("inputSchema").filter(|schema| schema.is_object());
    let tool = Tool::new(name, schema.ok_or(McpError::Missing("inputSchema"))?.clone());
    Ok(match definition.get("description").and_then(Value::as_str) {
        Some(description) => tool.description(description),
        None => tool,
    })
}

/// A block of content (text, image, resource), as a block of a message.
///
/// # Errors
///
/// [`McpError::Unsupported`] for sound, links to resources, and media that the service does not take.
#[inline]
pub fn content(block: &Value) -> Result<ContentBlockParam, McpError> {
    match text(block, "type")? {
        "text" => Ok(ContentBlockParam::text(text(block, "text")?)),
        "image" => image(text(block, "mimeType")?, text(block, "data")?),
        "resource" => embedded(block.get("resource").ok_or(McpError::Missing("resource"))?),
        other => Err(McpError::unsupported("content of type", other)),
    }
}

/// The result of `tools/call`, as the result of a tool.
///
/// # Errors
///
/// A [`ToolError`] where the server says so (`isError`), or the result has something that the service does not take.
#[inline]
pub fn tool_result(result: &Value) -> Result<Content, ToolError> {
    let blocks = list(result, "content").unwrap_or_default();
    let is_error = result.get("isError") == Some(&Value::Bool(true));
    let content = match result.get("structuredContent") {
        Some(structured) if blocks.is_empty() && !is_error => structured.to_string().into(),
        _ => Content::from(blocks.iter().map(content).collect::<Result<Vec<_>, _>>()?),
    };
    if is_error { Err(ToolError::new(content)) } else { Ok(content) }
}

/// A message of a prompt (`prompts/get`), as a message of a request.
///
/// # Errors
///
/// As [`content`].
#[inline]
pub fn message(message: &Value) -> Result<MessageParam, McpError> {
    let block = content(message.get("content").ok_or(McpError::Missing("content"))?)?;
    Ok(MessageParam::new(Role::from(text(message, "role")?), vec![block]))
}

/// All messages of a prompt: the result of `prompts/get`.
///
/// # Errors
///
/// As [`content`].
pub fn prompt(result: &Value) -> Result<Vec<MessageParam>, McpError> {
    list(result, "messages")?.iter().map(message).collect()
}

/// The result of `resources/read`, as a block of a message: the first of its contents that the service takes.
///
/// # Errors
///
/// [`McpError::Unsupported`] where it takes none.
#[inline]
pub fn resource(result: &Value) -> Result<ContentBlockParam, McpError> {
    let contents = list(result, "contents")?;
    let kind = |contents: &Value| media_type(contents).map(str::to_owned);
    let is_taken = |contents: &&Value| match media_type(contents) {
        None => true,
        Some(kind) => kind.starts_with("text/") || kind == PDF || IMAGES.contains(&kind),
    };
    match contents.iter().find(is_taken) {
        Some(contents) => embedded(contents),
        None => {
            let kinds: Vec<String> = contents.iter().filter_map(kind).collect();
            Err(McpError::unsupported("a resource of", &kinds.join(", ")))
        }
    }
}

/// The first of the contents of `resources/read`, as a file to upload.
///
/// # Errors
///
/// [`McpError`] where there is none, or its data is no Base64.
#[inline]
pub fn resource_file(result: &Value) -> Result<McpFile, McpError> {
    let contents = list(result, "contents")?.first().ok_or(McpError::Missing("contents"))?;
    let path = text(contents, "uri")?.split(['?', '#']).next().unwrap_or_default();
    let (_, path) = path.split_once("://").unwrap_or(("", path));
    let name = path.rsplit_once('/').map(|(_, name)| name).filter(|name| !name.is_empty());
    let bytes = match contents.get("text").and_then(Value::as_str) {
        Some(text) => text.as_bytes().to_vec(),
        None => decode(text(contents, "blob")?)?,
    };
    Ok(McpFile { name: name.map(str::to_owned), media_type: media_type(contents).map(str::to_owned), bytes })
}

/// A file that a server gave.
///
/// Example: [`mcp`](crate::mcp).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct McpFile {
    /// The last part of its address, as it stands there.
    pub name: Option<String>,
    /// Its media type, as the server says.
    pub media_type: Option<String>,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// A client of the protocol, as far as tools need one.
///
/// Example: [`mcp`](crate::mcp).
#[async_trait]
pub trait McpCaller: fmt::Debug + Send + Sync + 'static {
    /// Calls a tool of the server and gives the result of `tools/call`.
    ///
    /// # Errors
    ///
    /// A [`ToolError`], which the model is told.
    async fn call_tool(&self, name: &str, arguments: Value) -> Result<Value, ToolError>;
}

/// The tools of a server for a [`ToolRunner`](crate::tools::ToolRunner): the result of `tools/list`, and who calls them.
///
/// # Errors
///
/// As [`tool`].
#[inline]
pub fn handlers(result: &Value, caller: &Arc<dyn McpCaller>) -> Result<Vec<Arc<dyn ToolHandler>>, McpError> {
    let handler = |definition: &Value| -> Result<Arc<dyn ToolHandler>, McpError> {
        Ok(Arc::new(Remote { tool: tool(definition)?, caller: Arc::clone(caller) }))
    };
    list(result, "tools")?.iter().map(handler).collect()
}

#[derive(Debug)]
struct Remote {
    tool: Tool,
    caller: Arc<dyn McpCaller>,
}

#[async_trait]
impl ToolHandler for Remote {
    #[inline]
    fn tool(&self) -> Tool {
        self.tool.clone()
    }

    #[inline]
    async fn call(&self, input: Value) -> Result<Content, ToolError> {
        tool_result(&self.caller.call_tool(self.tool.name(), input).await?)
    }
}

/// What a server said and cannot be taken on.
///
/// Example: [`mcp`](crate::mcp).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum McpError {
    /// A member is not there, or not of its type.
    #[error("the server's JSON has no `{0}` of the right type")]
    Missing(&'static str),
    /// The service does not take this.
    #[error("{0}, which cannot be part of a message")]
    Unsupported(String),
    /// Data that should be Base64 is not.
    #[error("the server's data is not Base64, or not text where text was promised")]
    Data,
}

impl McpError {
    #[inline]
    fn unsupported(what: &str, kind: &str) -> Self {
        let kind: String = kind.chars().take(80).flat_map(char::escape_default).collect();
        Self::Unsupported(format!("the server gave {what} {kind}"))
    }
}

/// The contents of a resource.
#[inline]
fn embedded(contents: &Value) -> Result<ContentBlockParam, McpError> {
    match media_type(contents) {
        Some(kind) if IMAGES.contains(&kind) => image(kind, text(contents, "blob")?),
        Some(PDF) => Ok(ContentBlockParam::document(Source::base64(PDF, text(contents, "blob")?))),
        Some(kind) if !kind.starts_with("text/") => Err(McpError::unsupported("a resource of", kind)),
        _ => {
            let data = match contents.get("text").and_then(Value::as_str) {
                Some(text) => text.to_owned(),
                None => String::from_utf8(decode(text(contents, "blob")?)?).map_err(|_| McpError::Data)?,
            };
            Ok(ContentBlockParam::document(Source::text(data)))
        }
    }
}

#[inline]
fn image(media_type: &str, data: &str) -> Result<ContentBlockParam, McpError> {
    if !IMAGES.contains(&media_type) {
        return Err(McpError::unsupported("an image of", media_type));
    }
    Ok(ContentBlockParam::image(Source::base64(media_type, data)))
}

fn media_type(contents: &Value) -> Option<&str> {
    contents.get("mimeType").and_then(Value::as_str)
}

fn text<'a>(value: &'a Value, name: &'static str) -> Result<&'a str, McpError> {
    value.get(name).and_then(Value::as_str).ok_or(McpError::Missing(name))
}

fn list<'a>(value: &'a Value, name: &'static str) -> Result<&'a [Value], McpError> {
    value.get(name).and_then(Value::as_array).map(Vec::as_slice).ok_or(McpError::Missing(name))
}

fn decode(data: &str) -> Result<Vec<u8>, McpError> {
    STANDARD.decode(data).map_err(|_| McpError::Data)
}
