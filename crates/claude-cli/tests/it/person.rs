//! A person in front of a browser.

use bytes::Bytes;
use claude_sdk::transport::{HttpBackend, backends::Reqwest};
use http::{Method, Request, header};
use url::{Url, form_urlencoded};

/// What a page showed.
#[derive(Debug)]
pub struct Page {
    pub status: u16,
    pub location: Option<String>,
    pub text: String,
}

/// Opens the consent page, chooses, and gives where the browser is sent.
pub async fn choose(link: &str, decision: &str) -> String {
    let page = open(link).await;
    assert_eq!(page.status, 200, "{page:?}");
    submit(link, &page, &[("decision", decision)]).await.location.unwrap()
}

/// Consents, and follows the redirect to its page.
pub async fn consent(link: &str) -> Page {
    open(&choose(link, "allow").await).await
}

/// Opens a page; redirects are not followed.
pub async fn open(link: &str) -> Page {
    send(Request::builder().method(Method::GET).uri(link).body(Bytes::new()).unwrap()).await
}

/// Sends the form of a page, with what it hides and what the person enters or presses.
pub async fn submit(link: &str, page: &Page, entered: &[(&str, &str)]) -> Page {
    let action = between(&page.text, "action=\"", "\"").unwrap().replace("&amp;", "&");
    let mut form = form_urlencoded::Serializer::new(String::new());
    for input in page.text.split("<input").skip(1) {
        let input = input.split('>').next().unwrap();
        let (name, value) = (between(input, "name=\"", "\""), between(input, "value=\"", "\""));
        if let (Some(name), Some(value)) = (name, value)
            && !entered.iter().any(|(entered, _)| *entered == name)
        {
            form.append_pair(name, value);
        }
    }
    let body = form.extend_pairs(entered).finish();
    let target = Url::parse(link).unwrap().join(&action).unwrap();
    let request = Request::builder().method(Method::POST).uri(target.as_str());
    let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    send(request.body(Bytes::from(body)).unwrap()).await
}

async fn send(request: Request<Bytes>) -> Page {
    let browser = Reqwest::builder().no_proxy().build().unwrap();
    let (head, body) = browser.send(request).await.unwrap().into_parts();
    let text = String::from_utf8(body.collect(1024 * 1024).await.unwrap().to_vec()).unwrap();
    let location = head.headers.get(header::LOCATION).map(|value| value.to_str().unwrap().to_owned());
    Page { status: head.status.as_u16(), location, text }
}

/// The text between two others.
pub fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    text.split_once(before)?.1.split_once(after).map(|(between, _)| between)
}
