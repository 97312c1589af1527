use std::collections::HashMap;

use serde::Deserialize;
use serde_json::json;

use super::*;

/// What each keyword becomes. `e2e` holds the same rules against the official Python SDK.
#[test]
fn each_keyword_is_kept_or_told() {
    let table = [
        (json!({"type": "string"}), json!({"type": "string"})),
        (json!({"type": "string", "format": "uuid"}), json!({"type": "string", "format": "uuid"})),
        (
            json!({"type": "string", "format": "color", "pattern": "^#"}),
            json!({"type": "string", "description": "{pattern: ^#, format: color}"}),
        ),
        (
            json!({"type": "integer", "minimum": 1, "description": "A grade", "title": "Grade"}),
            json!({"type": "integer", "description": "A grade\n\n{minimum: 1}", "title": "Grade"}),
        ),
        (json!({"type": "string", "enum": ["a", "b"]}), json!({"enum": ["a", "b"]})),
        (json!({"const": null}), json!({"const": null})),
        (json!({"const": "a", "type": "string"}), json!({"const": "a"})),
        (
            json!({"enum": [["a"]], "type": "array", "items": {"type": "string"}}),
            json!({"type": "array", "items": {"type": "string"}, "description": "{enum: [[\"a\"]]}"}),
        ),
        (
            json!({"oneOf": [{"type": "string"}, {"type": "null"}]}),
            json!({"anyOf": [{"type": "string"}, {"type": "null"}]}),
        ),
        (
            json!({"allOf": [{"$ref": "#/$defs/A"}], "$defs": {"A": {"type": "number", "maximum": 2}}}),
            json!({"allOf": [{"$ref": "#/$defs/A"}],
                "$defs": {"A": {"type": "number", "description": "{maximum: 2}"}}}),
        ),
        (
            json!({"$ref": "#/$defs/A", "description": "dropped", "$defs": {"A": {"type": "null"}}}),
            json!({"$ref": "#/$defs/A", "$defs": {"A": {"type": "null"}}}),
        ),
        (
            json!({"type": "object", "properties": {"a": {"type": "boolean", "default": false}},
                "required": ["a"], "minProperties": 1}),
            json!({"type": "object", "properties": {"a": {"type": "boolean", "description": "{default: false}"}},
                "required": ["a"], "additionalProperties": false, "description": "{minProperties: 1}"}),
        ),
        (
            json!({"type": "object", "additionalProperties": true}),
            json!({"type": "object", "properties": {}, "additionalProperties": false}),
        ),
        (json!({"type": "array", "minItems": 1}), json!({"type": "array", "minItems": 1})),
        (
            json!({"type": "array", "minItems": 2, "maxItems": 3, "items": {"type": "string"}}),
            json!({"type": "array", "items": {"type": "string"}, "description": "{maxItems: 3, minItems: 2}"}),
        ),
        (
            json!({"type": ["string", "null"], "format": "date", "maxLength": 9}),
            json!({"type": ["string", "null"], "format": "date", "description": "{maxLength: 9}"}),
        ),
    ];
    for (schema, expected) in table {
        let before = schema.clone();
        assert_eq!(for_output(&schema).unwrap(), expected, "{schema}");
        assert_eq!(schema, before);
    }
}

#[test]
fn what_cannot_be_described_is_named_with_its_place() {
    let deep = (0..200).fold(json!({"type": "null"}), |inner, _| json!({"type": "array", "items": inner}));
    let table = [
        (json!({}), "/"),
        (json!(true), "/"),
        (json!({"type": "thing"}), "/"),
        (json!({"type": []}), "/"),
        (json!({"enum": []}), "/"),
        (json!({"type": "object", "properties": {"a/b": {"title": "x"}}}), "/properties/a~1b"),
        (json!({"anyOf": [{"type": "null"}, {}]}), "/anyOf/1"),
        (json!({"$defs": {"A": {"type": "array", "items": false}}, "$ref": "#/$defs/A"}), "/$defs/A/items"),
        (json!({"type": "object", "additionalProperties": {"type": "string"}}), "/"),
    ];
    for (schema, path) in table {
        assert_eq!(for_output(&schema).unwrap_err().path(), path, "{schema}");
    }
    assert!(for_output(&deep).unwrap_err().to_string().contains("a hundred levels"));
}

#[derive(JsonSchema, Deserialize)]
#[expect(dead_code, reason = "only its schema matters")]
struct Order {
    /// Who ordered.
    customer: String,
    items: Vec<Item>,
    note: Option<String>,
    state: State,
}

#[derive(JsonSchema, Deserialize)]
#[expect(dead_code, reason = "only its schema matters")]
struct Item {
    name: String,
    count: u32,
}

#[derive(JsonSchema, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema matters")]
enum State {
    Open,
    Shipped { on: String },
}

#[test]
fn a_type_becomes_a_schema_that_the_service_takes() {
    let schema = for_output(&of::<Order>()).unwrap();
    assert_eq!(schema["required"], json!(["customer", "items", "state"]));
    assert_eq!(schema["properties"]["customer"], json!({"type": "string", "description": "Who ordered."}));
    assert_eq!(schema["properties"]["note"], json!({"type": ["string", "null"]}));
    assert_eq!(schema["$defs"]["Item"]["additionalProperties"], false);
    assert_eq!(schema["$defs"]["State"]["anyOf"][0], json!({"enum": ["open"]}));
    assert!(schema.get("$schema").is_none());
    for free in [of::<HashMap<String, u8>>(), of::<Value>()] {
        assert!(for_output(&free).is_err(), "{free}");
    }
}
