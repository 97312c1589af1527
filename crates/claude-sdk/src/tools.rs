//! Tools of your own, and the loop that carries out what the model asks for.
//!
//! A tool is a [`ToolHandler`]: what the request says about it, and what is done when the model calls it.
//! [`Messages::tool_runner`](crate::Messages::tool_runner) offers tools, carries out their calls and sends the answers
//! back, until the model has said what it had to say.
//!
//! ```
//! use claude_sdk::{Client, tools::{ToolError, ToolHandler}, types::{Content, MessageRequest, Model, Tool}};
//! use serde_json::{Value, json};
//!
//! #[derive(Debug)]
//! struct Dice;
//!
//! #[async_trait::async_trait]
//! impl ToolHandler for Dice {
//!     fn tool(&self) -> Tool {
//!         let schema = json!({"type": "object", "properties": {"sides": {"type": "integer"}}, "required": ["sides"]});
//!         Tool::new("roll", schema).description("Rolls a die.")
//!     }
//!
//!     async fn call(&self, input: Value) -> Result<Content, ToolError> {
//!         let sides = input["sides"].as_u64().filter(|sides| *sides > 0);
//!         let sides = sides.ok_or_else(|| ToolError::new("`sides` must be a number above 0"))?;
//!         Ok((4 % sides + 1).to_string().into()) // chosen by fair dice roll
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # use mock_server::Reply;
//! # let script = [Reply::tool_use("roll", json!({"sides": 6})), Reply::text("It is a five.")];
//! # let server = mock_server::MockServer::builder().script(script).start().await?;
//! # let client = Client::builder().api_key(server.api_key()).base_url(server.base_url()).build()?;
//! let request = MessageRequest::new(Model::CLAUDE_SONNET_5_5, 500).user("Roll a die for me.");
//! let mut runner = client.messages().tool_runner(request).tool(Dice);
//! let message = runner.finish().await?;
//! assert_eq!(message.text(), "It is a five.");
//! assert_eq!(runner.conversation().len(), 4); // the question, the call, its answer, and the last reply
//! # Ok(())
//! # }
//! ```
//!
//! With the feature `macros` a function with the attribute `tool` is a tool, and with the feature `schema` a closure is
//! one (`function`): arguments are typed then, and their schema is made of the type.
//!
//! # While a reply is being written
//!
//! [`ToolRunner::next_event`] shows a reply as it is written. With [`ToolRunner::eager`], calls also begin as soon as they
//! are written, and go on beside the rest of the reply.
//!
//! # What goes wrong
//!
//! Whatever goes wrong in a tool is told to the model, as a result with `is_error`: a name that no tool has, arguments
//! that are none, a [`ToolError`], a panic. What goes wrong with a call of the API is a [`RunError`]; the conversation up
//! to there stays in the runner, which can go on.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use serde_json::Value;

use crate::types::{Content, ContentBlockParam, Tool};

mod answers;
#[cfg(feature = "macros")]
#[doc(hidden)]
pub mod expansion;
mod runner;
#[cfg(feature = "schema")]
mod typed;

/// ```
/// use claude_sdk::tools::{ToolError, ToolHandler, tool};
/// use serde_json::json;
///
/// /// Says how warm it is, in degrees Celsius.
/// #[tool]
/// async fn temperature(
///     /// The city, in English.
///     city: String,
/// ) -> Result<String, ToolError> {
///     if city == "Oslo" { Ok("7".to_owned()) } else { Err(ToolError::new("no such city")) }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// // let runner = client.messages().tool_runner(request).tool(Temperature);
/// assert_eq!(Temperature.tool().name.as_deref(), Some("temperature"));
/// assert_eq!(Temperature.call(json!({"city": "Oslo"})).await.unwrap().text(), "7");
/// # }
/// ```
#[cfg(feature = "macros")]
pub use claude_sdk_macros::tool;
pub use runner::{RunError, RunEvent, ToolRunner};
#[cfg(feature = "schema")]
pub use typed::{arguments, describe, function};

/// A tool: what a request says about it, and what is done when the model calls it.
///
/// Several calls of one turn go on at once, also of the same tool.
///
/// Example: [`tools`](crate::tools).
#[async_trait]
pub trait ToolHandler: fmt::Debug + Send + Sync + 'static {
    /// What the model is told: name, description, arguments.
    fn tool(&self) -> Tool;

    /// Carries out a call. `input` is a JSON object, which the model was asked, and not forced, to make by the schema.
    ///
    /// What is returned goes to the service, an error too: keep secrets out of both.
    ///
    /// # Errors
    ///
    /// A [`ToolError`], which the model is told.
    async fn call(&self, input: Value) -> Result<Content, ToolError>;

    /// Carries out a call of one tool of a set, such as `navigate` of [`Tool::browser_toolset`], where this handler offers a
    /// set. [`call`](Self::call) is for all other tools.
    ///
    /// # Errors
    ///
    /// A [`ToolError`], which the model is told; always, unless a set says otherwise.
    async fn call_member(&self, name: &str, input: Value) -> Result<Content, ToolError> {
        let _ = input;
        Err(ToolError::new(format!("{name:?} is not carried out here; do without it")))
    }
}

#[async_trait]
impl<T: ToolHandler + ?Sized> ToolHandler for Arc<T> {
    fn tool(&self) -> Tool {
        (**self).tool()
    }

    async fn call(&self, input: Value) -> Result<Content, ToolError> {
        (**self).call(input).await
    }

    async fn call_member(&self, name: &str, input: Value) -> Result<Content, ToolError> {
        (**self).call_member(name, input).await
    }
}

/// What went wrong in a tool, as the model is told.
///
/// It is made of any error by `?`, with the texts of the causes. It is no [`Error`](std::error::Error) itself.
///
/// Example: [`tools`](crate::tools).
#[derive(Debug, Clone, PartialEq)]
pub struct ToolError(Content);

impl ToolError {
    /// Tells the model this: what was wrong, and what to do instead.
    #[must_use]
    pub fn new(content: impl Into<Content>) -> Self {
        Self(content.into())
    }

    /// What the model is told.
    #[must_use]
    pub fn content(&self) -> &Content {
        &self.0
    }
}

impl<E: std::error::Error> From<E> for ToolError {
    fn from(error: E) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            source = cause.source();
        }
        Self(text.into())
    }
}

impl From<ToolError> for Content {
    fn from(error: ToolError) -> Self {
        error.0
    }
}

/// What a tool may return.
///
/// Example: [`tools`](crate::tools).
pub trait ToolOutput {
    /// The result, as the model is told.
    ///
    /// # Errors
    ///
    /// A [`ToolError`], which the model is told.
    fn into_result(self) -> Result<Content, ToolError>;
}

impl<T: ToolOutput, E: Into<ToolError>> ToolOutput for Result<T, E> {
    fn into_result(self) -> Result<Content, ToolError> {
        self.map_err(Into::into)?.into_result()
    }
}

/// As JSON.
impl ToolOutput for Value {
    fn into_result(self) -> Result<Content, ToolError> {
        Ok(self.to_string().into())
    }
}

/// As "done".
impl ToolOutput for () {
    fn into_result(self) -> Result<Content, ToolError> {
        Ok("done".into())
    }
}

macro_rules! content_is_output {
    ($($kind:ty),+) => {$(
        impl ToolOutput for $kind {
            fn into_result(self) -> Result<Content, ToolError> {
                Ok(self.into())
            }
        }
    )+};
}

content_is_output!(Content, ContentBlockParam, Vec<ContentBlockParam>, String, &'static str);
