use std::{fmt, future::Future, marker::PhantomData};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{ToolError, ToolHandler, ToolOutput};
use crate::{
    schema,
    types::{Content, Tool},
};

/// Reads the arguments of a call.
///
/// # Errors
///
/// A [`ToolError`] that names the path of what is wrong, for the model to mend.
pub fn arguments<T: DeserializeOwned>(input: Value) -> Result<T, ToolError> {
    serde_path_to_error::deserialize(input).map_err(|error| {
        let (path, what) = (error.path().to_string(), error.inner());
        ToolError::new(match path.as_str() {
            "." => format!("the arguments are wrong: {what}"),
            path => format!("the argument `{path}` is wrong: {what}"),
        })
    })
}

/// What a request says about a tool whose arguments are a `T`.
#[must_use]
pub fn describe<T: JsonSchema>(name: &str, description: &str) -> Tool {
    let mut schema = schema::of::<T>();
    if let Some(members) = schema.as_object_mut() {
        members.remove("title"); // the name of a Rust type, which tells the model nothing
    }
    Tool::new(name, schema).description(description)
}

/// A tool made of a closure whose argument is any type with a schema: for tools that need something of their own, such
/// as a connection. Without that, write a function with the attribute `tool` (feature `macros`).
///
/// ```
/// use claude_sdk::{schemars::{self, JsonSchema}, tools};
/// use serde::Deserialize;
///
/// #[derive(Deserialize, JsonSchema)]
/// struct Lookup {
///     /// The number of the order.
///     order: u64,
/// }
///
/// let database = std::collections::HashMap::from([(7, "shipped")]);
/// let tool = tools::function("order_status", "Says where an order is.", move |lookup: Lookup| {
///     let state = database.get(&lookup.order).copied();
///     async move { state.ok_or_else(|| tools::ToolError::new("there is no such order")) }
/// });
/// # let _: &dyn tools::ToolHandler = &tool;
/// ```
pub fn function<A, F, R>(name: impl Into<String>, description: impl Into<String>, run: F) -> impl ToolHandler
where
    A: DeserializeOwned + JsonSchema + Send + 'static,
    F: Fn(A) -> R + Send + Sync + 'static,
    R: Future<Output: ToolOutput> + Send + 'static,
{
    Function { name: name.into(), description: description.into(), run, arguments: PhantomData }
}

struct Function<A, F> {
    name: String,
    description: String,
    run: F,
    arguments: PhantomData<fn(A)>,
}

impl<A, F> fmt::Debug for Function<A, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Function").field("name", &self.name).finish_non_exhaustive()
    }
}

#[async_trait]
impl<A, F, R> ToolHandler for Function<A, F>
where
    A: DeserializeOwned + JsonSchema + Send + 'static,
    F: Fn(A) -> R + Send + Sync + 'static,
    R: Future<Output: ToolOutput> + Send + 'static,
{
    fn tool(&self) -> Tool {
        describe::<A>(&self.name, &self.description)
    }

    async fn call(&self, input: Value) -> Result<Content, ToolError> {
        let running = (self.run)(arguments(input)?);
        running.await.into_result()
    }
}
