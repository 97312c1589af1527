//! Replies as values of the caller's types: a schema goes out, a value comes in.

use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::{
    error::{ConfigError, Error, JsonError, OutputError, OutputProblem},
    reply::Reply,
    resources::Messages,
    schema::{self, SchemaError},
    types::{ContentBlock, Message, MessageRequest, StopReason},
};

/// A message together with the value that was read from it.
///
/// ```
/// use claude_sdk::{Client, schemars::{self, JsonSchema}, types::{MessageRequest, Model}};
///
/// #[derive(serde::Deserialize, JsonSchema)]
/// struct Verdict {
///     guilty: bool,
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = mock_server::MockServer::builder().script([mock_server::Reply::text(r#"{"guilty": false}"#)]).start().await?;
/// # let client = Client::builder().api_key(server.api_key()).base_url(server.base_url()).build()?;
/// let request = MessageRequest::new(Model::CLAUDE_SONNET_5_5, 100).user("Was it the butler?");
/// let parsed = client.messages().create_as::<Verdict>(&request).await?.into_inner();
/// assert!(!parsed.output.guilty && parsed.message.usage.output_tokens > 0);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Parsed<T> {
    /// The value.
    pub output: T,
    /// The message it was read from.
    pub message: Message,
}

impl Messages<'_> {
    /// Sends `request` and reads the reply as a `T`, whose schema the model is held to.
    ///
    /// ```
    /// use claude_sdk::{Client, schemars::{self, JsonSchema}, types::{MessageRequest, Model}};
    /// use serde::Deserialize;
    ///
    /// #[derive(Debug, Deserialize, JsonSchema)]
    /// struct Contact {
    ///     name: String,
    ///     /// Only what was written, not what it might be.
    ///     email: Option<String>,
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let said = mock_server::Reply::text(r#"{"name": "Ada", "email": "ada@example.org"}"#);
    /// # let server = mock_server::MockServer::builder().script([said]).start().await?;
    /// # let client = Client::builder().api_key(server.api_key()).base_url(server.base_url()).build()?;
    /// let request = MessageRequest::new(Model::CLAUDE_SONNET_5_5, 500).user("Write to Ada, ada@example.org!");
    /// let reply = client.messages().create_as::<Contact>(&request).await?;
    /// println!("{} for {} tokens", reply.output.name, reply.message.usage.output_tokens);
    /// # assert_eq!(reply.output.email.as_deref(), Some("ada@example.org"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Output`] where a message came that is no `T`: declined, cut, or of another shape; it is inside.
    /// [`ConfigError::Schema`] where the service would not take the schema. Any [`Error`] of a call.
    ///
    /// # Cancel safety
    ///
    /// As [`create`](Self::create).
    pub async fn create_as<T: DeserializeOwned + JsonSchema + Send + Sync + 'static>(
        self,
        request: &MessageRequest,
    ) -> Result<Reply<Parsed<T>>, Error> {
        let request = request.clone().output::<T>().map_err(ConfigError::from)?;
        self.create(&request).await?.output()
    }
}

impl MessageRequest {
    /// Holds the reply to the schema of `T` (`output_config.format`); [`Reply::output`] reads it.
    ///
    /// # Errors
    ///
    /// [`SchemaError`] where the service would not take the schema.
    pub fn output<T: JsonSchema + ?Sized>(self) -> Result<Self, SchemaError> {
        Ok(self.output_schema(schema::for_output(&schema::of::<T>())?))
    }
}

impl Reply<Message> {
    /// Reads the message as a `T`: the reply to a request whose [`output`](MessageRequest::output) was set, whole or
    /// streamed.
    ///
    /// The value is the message's last text.
    ///
    /// # Errors
    ///
    /// [`Error::Output`], with the message inside.
    pub fn output<T: DeserializeOwned + Send + Sync + 'static>(self) -> Result<Reply<Parsed<T>>, Error> {
        match read(&self) {
            Ok(output) => Ok(self.map(|message| Parsed { output, message })),
            Err((problem, source)) => {
                let envelope = self.envelope().clone();
                Err(Error::Output(Box::new(
                    OutputError::new(problem, self.into_inner(), envelope).because(source),
                )))
            }
        }
    }
}

fn read<T: DeserializeOwned + Send + Sync + 'static>(
    message: &Message,
) -> Result<T, (OutputProblem, Option<JsonError>)> {
    match message.stop_reason {
        Some(StopReason::Refusal) => return Err((OutputProblem::Refused, None)),
        Some(StopReason::MaxTokens | StopReason::ModelContextWindowExceeded) => {
            return Err((OutputProblem::Cut, None));
        }
        _ => {}
    }
    let text = message.content.iter().rev().find_map(ContentBlock::as_text);
    let text = text.ok_or((OutputProblem::Missing, None))?;
    let invalid = |path: String, error: &serde_json::Error| {
        (OutputProblem::Invalid { path }, Some(JsonError::from(error)))
    };
    let mut json = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        invalid(if path == "." { String::new() } else { path }, error.inner())
    })?;
    json.end().map_err(|error| invalid(String::new(), &error))?;
    Ok(value)
}
