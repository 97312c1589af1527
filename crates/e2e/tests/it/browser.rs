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
        let mut request = (url, None);
        // A login page, a consent page and the redirects between them; a loop would never end.
        for _ in 0..12 {
            let (url, form) = request;
            request = match self.send(&url, form).await {
                Answer::Redirect(target) if target.as_str().starts_with(redirect_uri.as_str()) => {
                    return target.into();
                }
                Answer::Redirect(target) => (target, None),
                Answer::Page(page) => fill_in(&url, &page),
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

/// The page's form, answered: its hidden fields as they are, and the user's name and password.
fn fill_in(url: &Url, page: &str) -> (Url, Option<String>) {
    let form = page.split("<form").nth(1).expect("a page with a form");
    let action = attribute(form, "action").expect("a form with an action");
    let mut fields = Serializer::new(String::new());
    for input in form.split("<input").skip(1).filter(|input| attribute(input, "type") == Some("hidden")) {
        fields.append_pair(attribute(input, "name").unwrap(), attribute(input, "value").unwrap());
    }
    fields.append_pair("login", "ada").append_pair("password", "sesame");
    (url.join(action).unwrap(), Some(fields.finish()))
}

/// An attribute of the tag that `text` continues.
fn attribute<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let tag = text.split('>').next()?;
    tag.split_once(&format!("{name}=\""))?.1.split('"').next()
}
