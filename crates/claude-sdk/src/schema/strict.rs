use serde_json::{Map, Value};

use super::SchemaError;

/// The formats of texts that the service knows.
const FORMATS: [&str; 10] =
    ["date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "time", "uri", "uuid"];
const TYPES: [&str; 7] = ["array", "boolean", "integer", "null", "number", "object", "string"];
/// How deep schemas are followed.
const DEPTH: usize = 100;

const NO_TYPE: &str = "no `type`, `anyOf`, `oneOf`, `allOf`, and no `const` or `enum` of plain values";
const UNKNOWN_TYPE: &str = "a `type` that JSON Schema does not know";
const FREE_KEYS: &str = "keys of any name, which the service cannot be held to; use a list of pairs";
const TOO_DEEP: &str = "more than a hundred levels";

pub(super) fn transform(schema: &Value) -> Result<Value, SchemaError> {
    Walk::default().node(schema)
}

/// Where in the schema we are.
#[derive(Default)]
struct Walk {
    path: Vec<String>,
}

impl Walk {
    fn node(&mut self, schema: &Value) -> Result<Value, SchemaError> {
        if self.path.len() > DEPTH {
            return Err(self.error(TOO_DEEP));
        }
        let Value::Object(members) = schema else { return Err(self.error(NO_TYPE)) };
        let mut rest = members.clone();
        let mut out = Map::new();

        if let Some(Value::Object(definitions)) = rest.remove("$defs") {
            out.insert("$defs".to_owned(), self.each("$defs", &definitions)?);
        }
        if let Some(reference) = rest.remove("$ref") {
            out.insert("$ref".to_owned(), reference);
            return Ok(out.into());
        }
        let types = self.kinds(rest.remove("type"))?;
        let is_chosen = self.choice(&mut rest, &mut out)?;
        let is_literal = literals(&mut rest, &mut out);
        if !is_chosen && !is_literal {
            out.insert("type".to_owned(), types.clone().ok_or_else(|| self.error(NO_TYPE))?);
        }
        for name in ["description", "title"] {
            if let Some(value) = rest.remove(name) {
                out.insert(name.to_owned(), value);
            }
        }
        if !is_literal {
            let may_be = |kind: &str| match &types {
                Some(Value::Array(kinds)) => kinds.iter().any(|one| one == kind),
                Some(one) => one == kind,
                None => false,
            };
            let mut last = Vec::new();
            if may_be("object") {
                self.object(&mut rest, &mut out)?;
            }
            if may_be("string") {
                last.extend(keep(&mut rest, &mut out, "format", |format| {
                    format.as_str().is_some_and(|format| FORMATS.contains(&format))
                }));
            }
            if may_be("array") {
                if let Some(items) = rest.remove("items").filter(|items| !items.is_null()) {
                    out.insert("items".to_owned(), self.at("items", |walk| walk.node(&items))?);
                }
                last.extend(keep(&mut rest, &mut out, "minItems", |least| {
                    matches!(least.as_u64(), Some(0 | 1))
                }));
            }
            describe(&mut out, rest, last);
        } else {
            describe(&mut out, rest, Vec::new());
        }
        Ok(out.into())
    }

    /// The type or the types, if each is one.
    fn kinds(&self, kind: Option<Value>) -> Result<Option<Value>, SchemaError> {
        let is_type = |kind: &Value| kind.as_str().is_some_and(|kind| TYPES.contains(&kind));
        match kind {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Array(kinds)) if !kinds.is_empty() && kinds.iter().all(is_type) => {
                Ok(Some(kinds.into()))
            }
            Some(kind) if is_type(&kind) => Ok(Some(kind)),
            Some(_) => Err(self.error(UNKNOWN_TYPE)),
        }
    }

    /// Keeps one of the ways to say "one of these" or "all of these"; whether there was one.
    fn choice(
        &mut self,
        rest: &mut Map<String, Value>,
        out: &mut Map<String, Value>,
    ) -> Result<bool, SchemaError> {
        let ways = [("anyOf", "anyOf"), ("oneOf", "anyOf"), ("allOf", "allOf")];
        let mut is_chosen = false;
        for (from, to) in ways {
            let Some(Value::Array(variants)) = rest.remove(from) else { continue };
            if !is_chosen {
                let mut kept = Vec::with_capacity(variants.len());
                for (index, variant) in variants.iter().enumerate() {
                    kept.push(self.at(from, |walk| walk.at(&index.to_string(), |walk| walk.node(variant)))?);
                }
                out.insert(to.to_owned(), kept.into());
                is_chosen = true;
            }
        }
        Ok(is_chosen)
    }

    fn object(
        &mut self,
        rest: &mut Map<String, Value>,
        out: &mut Map<String, Value>,
    ) -> Result<(), SchemaError> {
        let properties = match rest.remove("properties") {
            Some(Value::Object(properties)) => self.each("properties", &properties)?,
            _ => Map::new().into(),
        };
        out.insert("properties".to_owned(), properties);
        if rest.remove("additionalProperties").is_some_and(|free| free.is_object()) {
            return Err(self.error(FREE_KEYS));
        }
        out.insert("additionalProperties".to_owned(), false.into());
        if let Some(required) = rest.remove("required").filter(|required| !required.is_null()) {
            out.insert("required".to_owned(), required);
        }
        Ok(())
    }

    fn each(&mut self, name: &str, schemas: &Map<String, Value>) -> Result<Value, SchemaError> {
        let mut kept = Map::new();
        for (key, schema) in schemas {
            kept.insert(key.clone(), self.at(name, |walk| walk.at(key, |walk| walk.node(schema)))?);
        }
        Ok(kept.into())
    }

    fn at<T>(
        &mut self,
        name: &str,
        go: impl FnOnce(&mut Self) -> Result<T, SchemaError>,
    ) -> Result<T, SchemaError> {
        self.path.push(name.replace('~', "~0").replace('/', "~1"));
        let result = go(self);
        self.path.pop();
        result
    }

    fn error(&self, problem: &'static str) -> SchemaError {
        let path: String = self.path.iter().flat_map(|part| ["/", part]).collect();
        SchemaError { path: if path.is_empty() { "/".to_owned() } else { path }, problem }
    }
}

/// Keeps `enum` and `const` of plain values; whether there was one.
fn literals(rest: &mut Map<String, Value>, out: &mut Map<String, Value>) -> bool {
    let is_plain = |value: &Value| !value.is_array() && !value.is_object();
    let is_list =
        |value: &Value| value.as_array().is_some_and(|all| !all.is_empty() && all.iter().all(is_plain));
    let mut is_literal = false;
    for (name, fits) in
        [("enum", rest.get("enum").is_some_and(is_list)), ("const", rest.get("const").is_some_and(is_plain))]
    {
        if let Some(value) = fits.then(|| rest.remove(name)).flatten() {
            out.insert(name.to_owned(), value);
            is_literal = true;
        }
    }
    is_literal
}

/// Keeps a member that `fits`; gives it back otherwise, to be described.
fn keep(
    rest: &mut Map<String, Value>,
    out: &mut Map<String, Value>,
    name: &str,
    fits: impl FnOnce(&Value) -> bool,
) -> Option<(String, Value)> {
    let value = rest.remove(name).filter(|value| !value.is_null())?;
    if !fits(&value) {
        return Some((name.to_owned(), value));
    }
    out.insert(name.to_owned(), value);
    None
}

/// Says in the description what could not be kept.
fn describe(out: &mut Map<String, Value>, rest: Map<String, Value>, last: Vec<(String, Value)>) {
    let told: Vec<String> =
        rest.into_iter().chain(last).map(|(name, value)| format!("{name}: {}", text(&value))).collect();
    if told.is_empty() {
        return;
    }
    let told = format!("{{{}}}", told.join(", "));
    let told = match out.get("description") {
        Some(description) => format!("{}\n\n{told}", text(description)),
        None => told,
    };
    out.insert("description".to_owned(), told.into());
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
