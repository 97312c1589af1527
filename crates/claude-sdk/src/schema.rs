//! JSON Schemas of Rust types, in the form that the service takes for outputs.
//!
//! [`Messages::create_as`](crate::Messages::create_as) does all of this by itself. By hand it is for schemas that are no
//! Rust types:
//!
//! ```
//! use claude_sdk::schema;
//! use serde_json::json;
//!
//! let grade = json!({"type": "integer", "minimum": 1, "maximum": 6, "description": "A grade"});
//! let strict = schema::for_output(&grade)?;
//! assert_eq!(strict, json!({"type": "integer", "description": "A grade\n\n{maximum: 6, minimum: 1}"}));
//! # Ok::<(), schema::SchemaError>(())
//! ```

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::Value;

mod strict;

#[cfg(test)]
mod tests;

/// The JSON Schema of a type (draft 2020-12), as `schemars` makes it: what a tool takes.
#[must_use]
pub fn of<T: JsonSchema + ?Sized>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| settings.meta_schema = None);
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

/// A schema rewritten to what the service takes for an output: what it does not know is moved into the description, where
/// the model reads it.
///
/// - `$defs`, `$ref`, `anyOf`, `allOf`, `title` and `description` stay, `oneOf` becomes `anyOf`;
/// - `enum` and `const` of texts, numbers, truth values and `null` stay, and `type` goes beside them;
/// - objects keep `properties` and `required` and get `"additionalProperties": false`;
/// - texts keep ten `format`s, lists keep `items` and a `minItems` of 0 or 1;
/// - a `type` that is a list of types keeps what each of them keeps.
///
/// `schema` itself is not changed.
///
/// # Errors
///
/// [`SchemaError`] for what cannot be described: no type, a type that is none, a map with keys of any name, more than a
/// hundred levels.
pub fn for_output(schema: &Value) -> Result<Value, SchemaError> {
    strict::transform(schema)
}

/// A part of a schema that the service does not take.
///
/// Example: [`schema`](crate::schema).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the schema has {problem} at `{path}`")]
pub struct SchemaError {
    path: String,
    problem: &'static str,
}

impl SchemaError {
    /// Where it is, as a JSON pointer (RFC 6901); `/` is the schema itself.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }
}
