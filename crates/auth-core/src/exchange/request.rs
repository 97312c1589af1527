//! Writing a request.

use std::mem;

use bytes::Bytes;
use http::{
    HeaderValue, Method, Request, Uri,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE},
};
use secrecy::zeroize::Zeroizing;
use serde::Serializer as _;
use url::form_urlencoded;

use crate::{Client, Format, server::Encoding, wiped::wiped};

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
        Encoding::Form => (form(&members), "application/x-www-form-urlencoded"),
        Encoding::Json => (json(&members), "application/json"),
    };
    let mut request = Request::new(wiped(body));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri.clone();
    let headers = request.headers_mut();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Some(credentials) = client.and_then(Client::header) {
        headers.insert(AUTHORIZATION, credentials);
    }
    for (name, value) in &format.headers {
        headers.insert(name.clone(), value.clone());
    }
    request
}

fn form(members: &[(&str, &str)]) -> Zeroizing<Vec<u8>> {
    let mut body = Zeroizing::new(String::with_capacity(room(members)));
    let mut form = form_urlencoded::Serializer::new(&mut *body);
    form.extend_pairs(members);
    form.finish();
    Zeroizing::new(mem::take(&mut *body).into_bytes())
}

fn json(members: &[(&str, &str)]) -> Zeroizing<Vec<u8>> {
    let mut body = Zeroizing::new(Vec::with_capacity(room(members)));
    // Into memory, text can always be written.
    drop(serde_json::Serializer::new(&mut *body).collect_map(ordered(members)));
    body
}

/// By their names, each once: the last of several counts.
fn ordered<'a>(members: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut ordered: Vec<(&str, &str)> = Vec::with_capacity(members.len());
    for &(name, value) in members {
        let place = ordered.partition_point(|(other, _)| *other < name);
        match ordered.get_mut(place) {
            Some(member) if member.0 == name => member.1 = value,
            _ => ordered.insert(place, (name, value)),
        }
    }
    ordered
}

/// How many bytes they take at most, however they are escaped: a text that grows would leave pieces of a secret behind.
fn room(members: &[(&str, &str)]) -> usize {
    2 + members.iter().map(|(name, value)| 6 * (name.len() + value.len() + 1)).sum::<usize>()
}

/// Returns the `scope` member, which is left out rather than empty (RFC 6749 section 3.3).
pub(super) fn scope(names: &str) -> Option<(&'static str, &str)> {
    (!names.is_empty()).then_some(("scope", names))
}
