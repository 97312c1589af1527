//! As much of a browser as a login takes: cookies, redirects and the one form on a page.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use transport::HttpBackend;
use transport::backends::Reqwest;
use url::Url;
use url::form_urlencoded::Serializer;

/// A user with an empty browser, who types a name and a password wherever they are asked for, and agrees.
#[derive(Debug)]
pub(crate) struct Browser {
    backend: Reqwest,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    pub(crate) fn new() -> Self {
        Self { backend: Reqwest::builder().build().unwrap(), cookies: BTreeMap::new() }
    }

    /// Opens `url` and goes on until the server sends the user to `redirect_uri`; returns that whole URL.
    pub(crate) async fn log_in(&mut self, url: Url, redirect_uri: &Url) -> String {
        match self.go_on(url, Some(redirect_uri)).await {
            Answer::Redirect(target) => target.into(),
            Answer::Page(page) => panic!("the login ends on a page: {page}"),
        }
    }

    /// Opens `url` and goes on until a page asks for nothing more; returns that page.
    pub(crate) async fn agree(&mut self, url: Url) -> String {
        match self.go_on(url, None).await {
            Answer::Redirect(target) => panic!("the user is sent away to {target}"),
            Answer::Page(page) => page,
        }
    }

    async fn go_on(&mut self, url: Url, redirect_uri: Option<&Url>) -> Answer {
        let is_end = |target: &Url| redirect_uri.is_some_and(|end| target.as_str().starts_with(end.as_str()));
        let mut request = (url, None);
        // A login page, a consent page and the redirects between them; a loop would never end.
        for _ in 0..12 {
            let (url, form) = request;
            request = match self.send(&url, form).await {
                Answer::Redirect(target) if is_end(&target) => return Answer::Redirect(target),
                Answer::Redirect(target) => (target, None),
                Answer::Page(page) if page.contains("<form") => fill_in(&url, &page),
                Answer::Page(page) => return Answer::Page(page),
            };
        }
        panic!("the login goes round in circles")
    }

    async fn send(&mut self, url: &Url, form: Option<String>) -> Answer {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = http::Request::builder().uri(url.as_str()).header(COOKIE, cookies.join("; "));
        let request = match form {
            None => request.body(Bytes::new()),
            Some(form) => {
                let request =
                    request.method("POST").header(CONTENT_TYPE, "application/x-www-form-urlencoded");
                request.body(form.into())
            }
        };
        let response = self.backend.send(request.unwrap()).await.unwrap();
        for cookie in response.headers().get_all(SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            // Scopes of cookies do not matter here: a newer cookie of the same name always replaces the older one.
            match value {
                "" => self.cookies.remove(name),
                _ => self.cookies.insert(name.to_owned(), value.to_owned()),
            };
        }
        match response.headers().get(LOCATION) {
            Some(target) => Answer::Redirect(url.join(target.to_str().unwrap()).unwrap()),
            None => {
                let status = response.status();
                let body = response.into_body().collect(1 << 20).await.unwrap();
                let page = String::from_utf8(body.into()).unwrap();
                assert!(status.is_success(), "{status} {page}");
                Answer::Page(page)
            }
        }
    }
}

#[derive(Debug)]
enum Answer {
    Redirect(Url),
    Page(String),
}

/// The page's form, answered: its hidden fields as they are, the user's name and password, and its first button.
fn fill_in(url: &Url, page: &str) -> (Url, Option<String>) {
    let form = page.split("<form").nth(1).expect("a page with a form");
    let form = form.split("</form>").next().expect("a form that ends");
    let action = attribute(form, "action").expect("a form with an action");
    let mut fields = Serializer::new(String::new());
    for input in form.split("<input").skip(1).filter(|input| attribute(input, "type") == Some("hidden")) {
        fields.append_pair(attribute(input, "name").unwrap(), attribute(input, "value").unwrap());
    }
    fields.append_pair("login", "ada").append_pair("password", "sesame");
    let button =
        form.split("<button").nth(1).and_then(|tag| attribute(tag, "name").zip(attribute(tag, "value")));
    fields.extend_pairs(button);
    (url.join(action).unwrap(), Some(fields.finish()))
}

/// An attribute of the tag that `text` continues.
fn attribute<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let tag = text.split('>').next()?;
    tag.split_once(&format!("{name}=\""))?.1.split('"').next()
}
