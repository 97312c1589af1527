//! A browser as far as a login needs one: it opens a page, presses a button of its form, and goes where it is sent.

use anyhow::{Context, bail};
use bytes::Bytes;
use claude_sdk::transport::HttpBackend;
use http::{Method, Request, header};
use url::{Url, form_urlencoded};

/// The largest page that is read, in bytes.
const PAGE_LIMIT: usize = 1024 * 1024;

/// What a page showed.
pub(super) struct Page {
    pub(super) status: u16,
    pub(super) location: Option<String>,
    pub(super) html: String,
}

/// Opens `url`.
pub(super) async fn open(backend: &dyn HttpBackend, url: &Url) -> anyhow::Result<Page> {
    let request = Request::builder().method(Method::GET).uri(url.as_str()).body(Bytes::new())?;
    send(backend, request).await
}

/// Presses the button `name` with `value` of the first form on `page`, which was opened from `url`.
pub(super) async fn press(
    backend: &dyn HttpBackend,
    url: &Url,
    page: &Page,
    (name, value): (&str, &str),
) -> anyhow::Result<Page> {
    let form = page.html.split("<form").nth(1).and_then(|rest| rest.split("</form>").next());
    let form = form.context("the page has no form")?;
    if !form.contains(&format!("name=\"{name}\" value=\"{value}\"")) {
        bail!("the form has no button {name}={value}");
    }
    let action = attribute(form, "action").context("the form has no action")?;
    let mut body = form_urlencoded::Serializer::new(String::new());
    for input in form.split("<input").skip(1) {
        let (name, value) = (attribute(input, "name"), attribute(input, "value"));
        body.append_pair(&name.context("an input has no name")?, &value.unwrap_or_default());
    }
    let body = body.append_pair(name, value).finish();
    let request = Request::builder()
        .method(Method::POST)
        .uri(url.join(&action)?.as_str())
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Bytes::from(body))?;
    send(backend, request).await
}

async fn send(backend: &dyn HttpBackend, request: Request<Bytes>) -> anyhow::Result<Page> {
    let (head, body) = backend.send(request).await?.into_parts();
    let html = String::from_utf8_lossy(&body.collect(PAGE_LIMIT).await?).into_owned();
    let location = head.headers.get(header::LOCATION).and_then(|value| value.to_str().ok());
    Ok(Page { status: head.status.as_u16(), location: location.map(str::to_owned), html })
}

/// The first attribute of this name, with the references that pages of tests use resolved.
fn attribute(element: &str, name: &str) -> Option<String> {
    let rest = element.split(&format!(" {name}=\"")).nth(1)?;
    let value = rest.split('"').next()?;
    Some(
        value
            .replace("&quot;", "\"")
            .replace("&#39;", "'")
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_read_with_their_references_resolved() {
        let element = r#"<input type="hidden" name="a&amp;b" value="&lt;&quot;&gt;">"#;
        assert_eq!(attribute(element, "name").as_deref(), Some("a&b"));
        assert_eq!(attribute(element, "value").as_deref(), Some("<\">"));
        assert_eq!(attribute(element, "action"), None);
    }
}
