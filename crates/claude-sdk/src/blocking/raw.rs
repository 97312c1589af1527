use std::fmt;

use bytes::Bytes;
use http::Method;
use serde::Serialize;
use serde_json::Value;

use super::Client;
use crate::{
    error::{ConfigError, Error},
    reply::Reply,
    resources::{FileUpload, FormPart},
};

/// Any route of the API, as JSON: see [`crate::Raw`].
///
/// Example: [`blocking`](crate::blocking).
#[derive(Debug, Clone, Copy)]
pub struct Raw<'a>(pub(super) &'a Client);

impl<'a> Raw<'a> {
    /// Reads `path`, such as `/v1/models`.
    pub fn get(self, path: impl Into<String>) -> RawRequest<'a> {
        self.request(Method::GET, path)
    }

    /// Posts to `path`.
    pub fn post(self, path: impl Into<String>) -> RawRequest<'a> {
        self.request(Method::POST, path)
    }

    /// Deletes `path`.
    pub fn delete(self, path: impl Into<String>) -> RawRequest<'a> {
        self.request(Method::DELETE, path)
    }

    /// Does anything to `path`.
    pub fn request(self, method: Method, path: impl Into<String>) -> RawRequest<'a> {
        RawRequest {
            client: self.0,
            method,
            path: path.into(),
            query: Vec::new(),
            body: None,
            form: Vec::new(),
        }
    }
}

/// A call that [`Raw`] begins and [`send`](Self::send) makes.
///
/// Example: [`blocking`](crate::blocking).
#[must_use = "call send() to make the call"]
pub struct RawRequest<'a> {
    client: &'a Client,
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    body: Option<Result<Value, serde_json::Error>>,
    form: Vec<FormPart>,
}

impl RawRequest<'_> {
    /// Adds a parameter to the query; both parts are escaped.
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sends `body` as JSON.
    pub fn json(mut self, body: &(impl Serialize + ?Sized)) -> Self {
        self.body = Some(serde_json::to_value(body));
        self
    }

    /// Sends a form in place of JSON: see [`crate::RawRequest::form_text`].
    pub fn form_text(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.form.push(FormPart::Text(name.into(), value.into()));
        self
    }

    /// The same with a file in it: see [`crate::RawRequest::form_file`].
    pub fn form_file(mut self, name: impl Into<String>, file: FileUpload) -> Self {
        self.form.push(FormPart::File(name.into(), file));
        self
    }

    /// Makes the call and reads the whole answer: see [`crate::RawRequest::send`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn send(self) -> Result<Reply<Bytes>, Error> {
        let Self { client, method, path, query, body, form } = self;
        let body = body.transpose().map_err(ConfigError::Serialize)?;
        client.run(|client| async move {
            let mut request = client.raw().request(method, path).form(form);
            for (name, value) in &query {
                request = request.query(name, value);
            }
            match body {
                Some(body) => request.json(&body).send().await,
                None => request.send().await,
            }
        })
    }
}

impl fmt::Debug for RawRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawRequest")
            .field("method", &self.method)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
