//! A real browser, driven by its own driver over `WebDriver` (W3C).

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};
use tempfile::TempDir;
use transport::HttpBackend as _;
use transport::backends::Reqwest;

use crate::Process;

/// How long the driver and the browser may take to start, and a page to show what is looked for.
const PATIENCE: Duration = Duration::from_secs(60);

/// Without a screen, without a network of its own, and with root's rights where the tests have them.
const ARGUMENTS: [&str; 9] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-proxy-server",
];

/// Keys that write nothing, as `WebDriver` spells them.
pub mod keys {
    /// Goes on to the next field, link or button.
    pub const TAB: &str = "\u{e004}";
    /// Follows, presses or sends.
    pub const ENTER: &str = "\u{e007}";
    /// The next of a group of choices.
    pub const DOWN: &str = "\u{e015}";
}

/// Debian's Chromium with an empty profile; it is closed when this is dropped.
#[derive(Debug)]
pub struct Chromium {
    port: u16,
    session: String,
    backend: Reqwest,
    _driver: Process,
    profile: TempDir,
}

impl Chromium {
    /// Starts the browser.
    ///
    /// # Errors
    ///
    /// When it, or its driver, is missing or does not start.
    pub async fn start() -> Result<Self> {
        let profile = tempfile::tempdir().context("cannot make a folder for the browser's profile")?;
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").env("HOME", profile.path());
        let mut driver = Process::start(command)?;
        let line = driver.wait_for("started successfully on port", PATIENCE)?;
        let port = line.trim_end_matches('.').rsplit(' ').next().and_then(|port| port.parse().ok());
        let port = port.with_context(|| format!("no port in {line:?}"))?;
        let backend = Reqwest::builder().no_proxy().build()?;
        let mut browser = Self { port, session: String::new(), backend, _driver: driver, profile };

        let folder = format!("--user-data-dir={}", browser.profile.path().join("data").display());
        let arguments: Vec<&str> = ARGUMENTS.into_iter().chain([folder.as_str()]).collect();
        let wanted = json!({
            "browserName": "chrome",
            "goog:chromeOptions": {"args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"},
            // An element that is not there yet is waited for.
            "timeouts": {"implicit": PATIENCE.as_millis(), "pageLoad": PATIENCE.as_millis()},
        });
        let wanted = json!({"capabilities": {"alwaysMatch": wanted}});
        let started = browser.send("POST", "/session", &wanted).await?;
        browser.session = text(started.get("sessionId").unwrap_or(&Value::Null))?;
        Ok(browser)
    }

    /// Opens an address and waits for its page.
    ///
    /// # Errors
    ///
    /// When there is no page.
    pub async fn open(&self, address: &str) -> Result<()> {
        self.order("POST", "/url", &json!({"url": address})).await.map(drop)
    }

    /// The text that a person reads in the first element that `selector` (CSS) finds, once there is one.
    ///
    /// # Errors
    ///
    /// When there is none in time.
    pub async fn read(&self, selector: &str) -> Result<String> {
        let element = self.find(selector).await?;
        text(&self.order("GET", &format!("/element/{element}/text"), &Value::Null).await?)
    }

    /// Types into a field.
    ///
    /// # Errors
    ///
    /// When there is no such field in time.
    pub async fn type_in(&self, selector: &str, words: &str) -> Result<()> {
        let element = self.find(selector).await?;
        self.order("POST", &format!("/element/{element}/value"), &json!({"text": words})).await.map(drop)
    }

    /// Presses a button, and waits for the page that it leads to.
    ///
    /// # Errors
    ///
    /// When there is no such button in time.
    pub async fn press(&self, selector: &str) -> Result<()> {
        let element = self.find(selector).await?;
        self.order("POST", &format!("/element/{element}/click"), &json!({})).await.map(drop)
    }

    /// Presses keys, one after the other, wherever the focus is. The keys that write nothing are in [`keys`].
    ///
    /// # Errors
    ///
    /// When the browser does not take them.
    pub async fn strike(&self, keys: &str) -> Result<()> {
        let stroke = |key: char| ["keyDown", "keyUp"].map(|kind| json!({"type": kind, "value": key}));
        let strokes: Vec<Value> = keys.chars().flat_map(stroke).collect();
        let keyboard = json!({"type": "key", "id": "keyboard", "actions": strokes});
        self.order("POST", "/actions", &json!({"actions": [keyboard]})).await.map(drop)
    }

    /// What a script says about the page.
    ///
    /// # Errors
    ///
    /// When the script fails.
    pub async fn ask(&self, script: &str) -> Result<Value> {
        self.order("POST", "/execute/sync", &json!({"script": script, "args": []})).await
    }

    /// Gives a command of the browser's own protocol (`DevTools`).
    ///
    /// # Errors
    ///
    /// When the browser does not take it.
    pub async fn devtools(&self, command: &str, parameters: Value) -> Result<Value> {
        self.order("POST", "/goog/cdp/execute", &json!({"cmd": command, "params": parameters})).await
    }

    /// What the page, or the browser about it, has written to its console since this was last asked.
    ///
    /// # Errors
    ///
    /// When the driver does not tell.
    pub async fn console(&self) -> Result<Vec<Value>> {
        let log = self.order("POST", "/se/log", &json!({"type": "browser"})).await?;
        Ok(log.as_array().cloned().unwrap_or_default())
    }

    /// A picture of the page, as PNG in base64.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub async fn picture(&self) -> Result<String> {
        text(&self.order("GET", "/screenshot", &Value::Null).await?)
    }

    async fn find(&self, selector: &str) -> Result<String> {
        let wanted = json!({"using": "css selector", "value": selector});
        let found = self.order("POST", "/element", &wanted).await?;
        let element = found.as_object().and_then(|members| members.values().next());
        text(element.unwrap_or(&Value::Null))
    }

    async fn order(&self, method: &str, path: &str, body: &Value) -> Result<Value> {
        self.send(method, &format!("/session/{}{path}", self.session), body).await
    }

    async fn send(&self, method: &str, path: &str, body: &Value) -> Result<Value> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request =
            http::Request::builder().method(method).uri(format!("http://127.0.0.1:{}{path}", self.port));
        let response = self.backend.send(request.body(body.into())?).await?;
        let answer = response.into_body().collect(64 << 20).await?;
        let mut answer: Value =
            serde_json::from_slice(&answer).context("the driver did not answer in JSON")?;
        let value = answer.get_mut("value").map(Value::take).unwrap_or_default();
        match value.get("error") {
            Some(error) => {
                bail!("{method} {path}: {error}: {}", value.get("message").unwrap_or(&Value::Null))
            }
            None => Ok(value),
        }
    }
}

/// The driver closes the browser when it is told so, and not when it is stopped.
impl Drop for Chromium {
    fn drop(&mut self) {
        let close = || -> std::io::Result<()> {
            let mut driver = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
            driver.set_read_timeout(Some(Duration::from_secs(10)))?;
            let host = format!("host: 127.0.0.1:{}\r\nconnection: close\r\n\r\n", self.port);
            write!(driver, "DELETE /session/{} HTTP/1.1\r\n{host}", self.session)?;
            driver.read_to_end(&mut Vec::new()).map(drop)
        };
        // Nothing is left to do about a driver that does not answer: it is stopped next.
        let _ = close();
    }
}

fn text(value: &Value) -> Result<String> {
    value.as_str().map(str::to_owned).with_context(|| format!("{value} is no text"))
}
