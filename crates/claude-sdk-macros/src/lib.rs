//! The attribute `tool` of `claude-sdk`, which makes a function a tool that a model can call.
//!
//! It is not for use alone: what it writes refers to `claude_sdk`, whose feature `macros` brings it as
//! `claude_sdk::tools::tool`.

use proc_macro::TokenStream;
use syn::Error;

mod expand;

/// Makes an `async fn` a tool: beside the function, which stays as it is, there is a type that implements
/// `claude_sdk::tools::ToolHandler`.
///
/// - The tool's name is the function's, unless `#[tool(name = "…")]` gives another; its type has the name in camel case.
/// - The model reads the function's documentation, and that of each argument.
/// - Arguments are read by `serde`, and their schema is made by `schemars`: their types implement `Deserialize` and
///   `JsonSchema`. An `Option` may be left out. Attributes of an argument, such as `#[serde(default)]`, are kept.
/// - It returns whatever is a `claude_sdk::tools::ToolOutput`: text, JSON, blocks, nothing, or a `Result` of these whose
///   error is any error.
#[proc_macro_attribute]
pub fn tool(settings: TokenStream, item: TokenStream) -> TokenStream {
    expand::tool(settings.into(), item.into()).unwrap_or_else(Error::into_compile_error).into()
}
