//! Parameters of OAuth requests, from a query, a form or a JSON object.

use http::header::CONTENT_TYPE;
use serde_json::Value;

use crate::answer::Received;

/// Names and values. An empty value counts as absent (RFC 6749, section 3.1).
#[derive(Debug)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    pub(crate) fn of_query(received: &Received) -> Self {
        Self(received.query.clone())
    }

    pub(crate) fn of_form(body: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(body).into_owned().collect())
    }

    /// Reads the body of a token request: a form by the standard, JSON as the official clients send it too.
    pub(crate) fn of_body(received: &Received) -> Result<Self, &'static str> {
        let content_type = received.header(CONTENT_TYPE.as_str()).unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Ok(Self::of_form(&received.body));
        }
        if !essence.eq_ignore_ascii_case("application/json") {
            return Err("send application/x-www-form-urlencoded or application/json");
        }
        let Ok(Value::Object(members)) = serde_json::from_slice(&received.body) else {
            return Err("the body is not a JSON object");
        };
        let text = |(name, value)| match value {
            Value::String(text) => Ok((name, text)),
            Value::Null => Ok((name, String::new())),
            _ => Err("every member of the JSON object has to be a string"),
        };
        members.into_iter().map(text).collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(known, _)| known == name)?;
        (!value.is_empty()).then_some(value)
    }

    /// The first name that is given more than once, which no request may do (RFC 6749, sections 3.1 and 3.2).
    pub(crate) fn repeated(&self) -> Option<&str> {
        let mut names: Vec<&str> = self.0.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names.windows(2).find_map(|pair| match pair {
            [first, second] if first == second => Some(*first),
            _ => None,
        })
    }
}
