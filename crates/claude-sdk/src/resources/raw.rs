use std::fmt;

use bytes::Bytes;
use http::Method;
use serde::Serialize;
use serde_json::Value;

use super::{
    FileUpload, List, Paging,
    files::FILE_LIMIT,
    multipart::{self, Form},
    route::{Query, leaves_route},
};
use crate::{
    client::Client,
    error::{ConfigError, Error},
    layers::Charge,
    reply::{self, Reply},
};

/// Any route of the API, as JSON: for what has no type here yet.
///
/// A call goes the same way as a typed one: same credential, limits, retries and errors.
///
/// ```
/// # use claude_sdk::Client;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let server = mock_server::MockServer::start().await?;
/// # let client = Client::builder().api_key(server.api_key()).base_url(server.base_url()).build()?;
/// let reply = client.raw().get("/v1/models").query("limit", "5").send().await?;
/// assert_eq!(reply.status(), 200);
/// let models: serde_json::Value = reply.json()?;
/// println!("{} {}", models["data"][0]["id"], reply.request_id().unwrap_or_default());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Raw<'a>(pub(crate) &'a Client);

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
            query: Query::default(),
            body: Ok(Bytes::new()),
            form: Vec::new(),
        }
    }
}

/// A call that [`Raw`] begins and [`send`](Self::send) makes.
///
/// Example: [`Raw`](crate::Raw).
#[must_use = "call send() to make the call"]
pub struct RawRequest<'a> {
    client: &'a Client,
    method: Method,
    path: String,
    query: Query,
    body: Result<Bytes, serde_json::Error>,
    form: Vec<FormPart>,
}

/// A field of a form.
#[derive(Debug)]
pub(crate) enum FormPart {
    Text(String, String),
    File(String, FileUpload),
}

impl RawRequest<'_> {
    /// Adds a parameter to the query; both parts are escaped. For a parameter that is a list, call it for each value with a
    /// name such as `ids[]`.
    #[inline]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.query.push(name, value);
        self
    }

    /// The items of the list that this route is, as JSON, walked page by page as `paging` says.
    ///
    /// ```
    /// # use claude_sdk::{Client, Paging};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = mock_server::MockServer::start().await?;
    /// # let client = Client::builder().api_key(server.api_key()).base_url(server.base_url()).build()?;
    /// let mut pages = client.raw().get("/v1/models").query("limit", "10").list(Paging::Id).pages();
    /// while let Some(page) = pages.next().await {
    ///     for model in &page?.data {
    ///         println!("{}", model["id"]);
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    pub fn list(self, paging: Paging) -> List<Value> {
        let path = route(&self.path).map(str::to_owned);
        List::of(self.client, path, self.query, paging)
    }

    /// Sends `body` as JSON.
    pub fn json(mut self, body: &(impl Serialize + ?Sized)) -> Self {
        self.body = self.client.encode(body);
        self
    }

    /// Sends a form (`multipart/form-data`) in place of JSON, with this text in it. Call it for each field, in their order.
    ///
    /// ```
    /// # use claude_sdk::{Client, FileUpload};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let server = mock_server::MockServer::start().await?;
    /// # let client = Client::builder().api_key(server.api_key()).base_url(server.base_url()).build()?;
    /// let notes = FileUpload::bytes("notes.txt", "Buy milk.");
    /// let form = client.raw().post("/v1/files").form_text("expires_in_seconds", "3600").form_file("file", notes);
    /// let file: serde_json::Value = form.send().await?.json()?;
    /// assert_eq!(file["filename"], "notes.txt");
    /// # Ok(())
    /// # }
    /// ```
    pub fn form_text(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.form.push(FormPart::Text(name.into(), value.into()));
        self
    }

    /// The same with a file in it, which is sent piece by piece; when the service throws it away is a field of its own here.
    pub fn form_file(mut self, name: impl Into<String>, file: FileUpload) -> Self {
        self.form.push(FormPart::File(name.into(), file));
        self
    }

    #[cfg(feature = "blocking")]
    pub(crate) fn form(self, form: Vec<FormPart>) -> Self {
        Self { form, ..self }
    }

    /// Makes the call and reads the whole answer, whatever its content type, up to 64 MiB.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] where the path is not a plain one, the body is no JSON or a file cannot be sent, and any [`Error`] of a call: an answer
    /// whose status is no success is one.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection; the service may have done the work.
    pub async fn send(self) -> Result<Reply<Bytes>, Error> {
        let Self { client, method, path, query, body, form } = self;
        let route = query.on(route(&path)?);
        let body = body.map_err(ConfigError::Serialize)?;
        let mut request = client.request(method, &route, body, |_| Charge::default())?;
        if !form.is_empty() {
            written(form)?.attach(&mut request)?;
        }
        client
            .call(request, |response| reply::bytes(response, client.clock()))
            .await
            .map_err(multipart::of_content)
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

#[inline]
fn written(parts: Vec<FormPart>) -> Result<Form, Error> {
    let progress = parts.iter().find_map(|part| match part {
        FormPart::File(_, file) => file.progress.clone(),
        FormPart::Text(..) => None,
    });
    let mut form = Form::new(FILE_LIMIT, progress)?;
    for part in parts {
        match part {
            FormPart::Text(name, value) => form.text(&name, &value),
            FormPart::File(name, file) => file.put(&name, &mut form)?,
        }
    }
    Ok(form)
}

/// A path below the base URL: whatever could leave it is refused, not escaped.
#[inline]
fn route(path: &str) -> Result<&str, ConfigError> {
    let route = path.strip_prefix('/').unwrap_or(path);
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@%/".contains(&byte);
    if !leaves_route(route)
        && route.bytes().all(is_plain)
        && route.split('/').all(|segment| !segment.is_empty())
    {
        return Ok(route);
    }
    Err(ConfigError::Route { path: path.chars().take(80).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_below_the_base_url() {
        for path in ["/v1/models", "v1/models", "/v1/files/file_1/content", "/v1/a%20b", "/v1/a;b"] {
            assert_eq!(route(path).unwrap(), path.trim_start_matches('/'));
        }
        for path in [
            "",
            "/",
            "//evil.example/v1",
            "/v1/../admin",
            "/v1/%2e%2E/admin",
            "/v1/.",
            "/v1//models",
            "/v1/models?x=1",
            "/v1/models#x",
            "https://evil.example/",
            "\\v1",
            "/v1/a b",
            "/v1/\u{e9}",
            "/v1/models\r\n",
            "/v1/..%2fx",
            "/v1/a%5C..%5Cx",
            "/v1/..;/x",
            "/v1/;x",
            "/v1/a%0D%0Ax",
        ] {
            assert!(matches!(route(path), Err(ConfigError::Route { .. })), "{path:?}");
        }
    }
}
