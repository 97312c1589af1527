//! Writing a request.

use bytes::Bytes;
use http::{
    HeaderValue, Method, Request, Uri,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use url::form_urlencoded;

use crate::{Client, Format, server::Encoding};

/// Builds a `POST` of these members, to which the client, if there is one, adds its own.
pub(crate) fn build<'a>(
    uri: &Uri,
    client: Option<&'a Client>,
    format: &Format,
    mut members: Vec<(&'a str, &'a str)>,
) -> Request<Bytes> {
    if let Some(client) = client {
        members.extend(client.members());
    }
    let (body, content_type) = match format.encoding {
        Encoding::Form => (
            form_urlencoded::Serializer::new(String::new()).extend_pairs(members).finish(),
            "application/x-www-form-urlencoded",
        ),
        Encoding::Json => {
            let object = members.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
            (serde_json::Value::Object(object).to_string(), "application/json")
        }
    };
    let mut request = Request::new(Bytes::from(body));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri.clone();
    let headers = request.headers_mut();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Some(credentials) = client.and_then(Client::header) {
        headers.insert(AUTHORIZATION, credentials);
    }
    headers.extend(format.headers.iter().map(|(name, value)| (Some(name.clone()), value.clone())));
    request
}

/// Returns the `scope` member, which is left out rather than empty (RFC 6749 section 3.3).
pub(super) fn scope(names: &str) -> Option<(&'static str, &str)> {
    (!names.is_empty()).then_some(("scope", names))
}
