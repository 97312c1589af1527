//! Schemas as the official Python SDK rewrites them, and as we do.

use claude_sdk::schema;
use serde_json::{Value, json};

use crate::{script, tools};

/// Schemas of which both must make the same.
fn alike() -> Vec<Value> {
    vec![
        json!({"type": "string"}),
        json!({"type": "string", "format": "email", "minLength": 3}),
        json!({"type": "string", "format": "binary", "pattern": "^a", "title": "T", "description": "D"}),
        json!({"type": "integer", "minimum": 1, "maximum": 6, "multipleOf": 2}),
        json!({"type": "number", "exclusiveMinimum": 0.5}),
        json!({"type": "null"}),
        json!({"type": "boolean", "title": "T"}),
        json!({"enum": ["a", 1, 2.5, true, null]}),
        json!({"type": "string", "enum": ["a", "b"], "description": "D", "minLength": 1}),
        json!({"const": "a", "type": "string"}),
        json!({"const": null}),
        json!({"enum": ["a"], "const": "a"}),
        json!({"enum": [], "type": "string"}),
        json!({"type": "array", "items": {"type": "string"}, "minItems": 0}),
        json!({"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 5}),
        json!({"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 5}),
        json!({"type": "array"}),
        json!({"type": "object"}),
        json!({"type": "object", "additionalProperties": true}),
        json!({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"], "minProperties": 1}),
        json!({"type": "object", "properties": {"a": {"type": "object", "properties": {"b": {"$ref": "#/$defs/B"}}}},
            "$defs": {"B": {"type": "integer", "minimum": 0}}}),
        json!({"$ref": "#/$defs/A", "description": "dropped", "$defs": {"A": {"type": "string", "maxLength": 3}}}),
        json!({"anyOf": [{"type": "string", "maxLength": 3}, {"type": "null"}], "description": "D", "default": "x"}),
        json!({"oneOf": [{"type": "string"}, {"type": "integer", "maximum": 3}]}),
        json!({"allOf": [{"$ref": "#/$defs/A"}, {"type": "object"}], "$defs": {"A": {"type": "object"}}}),
        json!({"anyOf": [{"type": "string"}], "oneOf": [{"type": "null"}], "allOf": [{"type": "null"}]}),
        json!({"anyOf": [{"type": "string"}], "type": "object", "properties": {"a": {"type": "null"}}}),
        json!({"type": "object", "properties": {"type": {"type": "string"}, "$ref": {"type": "string"}}}),
        json!({"type": "string", "x-note": "kept"}),
        // Neither takes these.
        json!({}),
        json!({"title": "nothing"}),
        json!({"type": "thing"}),
        json!({"enum": [["a"]]}),
        json!({"type": "array", "items": {}}),
    ]
}

/// Schemas of which we make something else on purpose: `docs/decisions/0030-schemas.md` says why.
fn ours() -> Vec<(Value, Value)> {
    vec![
        (
            json!({"type": "boolean", "default": true, "examples": [null, "a"]}),
            json!({"type": "boolean", "description": "{default: true, examples: [null,\"a\"]}"}),
        ),
        (json!({"type": ["string", "null"]}), json!({"type": ["string", "null"]})),
        (json!({"type": "object", "additionalProperties": {"type": "string"}}), Value::Null),
    ]
}

#[tokio::test]
async fn schemas_are_rewritten_as_the_python_sdk_rewrites_them_but_where_we_differ_on_purpose() {
    let (alike, ours) = (alike(), ours());
    let schemas: Vec<&Value> = alike.iter().chain(ours.iter().map(|(schema, _)| schema)).collect();
    let mut command = tools().python(script("schemas.py")).unwrap();
    command.arg(serde_json::to_string(&schemas).unwrap());
    let theirs = e2e::report(command.into()).await.unwrap();
    let theirs = theirs.as_array().unwrap();
    assert_eq!(schemas.len(), theirs.len());

    for (schema, theirs) in alike.iter().zip(theirs) {
        assert_eq!(schema::for_output(schema).unwrap_or_default(), *theirs, "{schema}");
    }
    for ((schema, expected), theirs) in ours.iter().zip(&theirs[alike.len()..]) {
        assert_eq!(schema::for_output(schema).unwrap_or_default(), *expected, "{schema}");
        assert_ne!(theirs, expected, "{schema}: they do the same now, so this is no difference any more");
    }
}
