//! The mock server's pages in a real browser, as somebody meets them who has a phone, a keyboard alone and no scripts.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use auth_core::Client;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use claude_sdk::AuthError;
use claude_sdk::login::Login;
use e2e::{Chromium, keys};
use mock_server::{MockServer, Person};
use serde_json::json;
use transport::backends::Reqwest;

const PATIENCE: Duration = Duration::from_secs(100);
/// A phone, in CSS pixels.
const WIDTH: u32 = 375;
/// More than any page has fields and buttons.
const MOST_TABS: usize = 12;
/// The heading of the listener's page, which is the application's own.
const OURS: &str = "body:not(:has(footer)) > main:only-child > h1";

#[tokio::test]
async fn every_page_of_a_login_works_on_a_phone_by_keyboard_and_without_scripts() {
    let long = "ada.augusta.king-noel.countess-of-lovelace@analytical-engines.example";
    let people = [
        Person::new(long, "Analytical Engines").workspaces(["Research", "Production"]),
        Person::new("grace@navy.example", "Navy").verified_by_mail(),
    ];
    let mock = MockServer::builder().people(people).start().await.unwrap();
    let reader = Reader::start().await;

    // The second person, who has to prove the address, allows it.
    let allowed = log_in(&mock, async |url| {
        reader.open(url, "login").await;
        reader.reach("input[name=account]").await;
        reader.keys(&keys::DOWN.repeat(2)).await;
        reader.press("form button", "input[name=mail_code]", "mail code").await;
        reader.enter("mail_code", "000000", "p > strong:only-child", "wrong mail code").await;
        let asked = "main:not(:has(p > strong:only-child)) input[name=mail_code]";
        reader.press("form:last-of-type button", asked, "another mail").await;
        let mail = mock.mails().pop().unwrap();
        reader.enter("mail_code", &mail.code, "button[value=allow]", "consent").await;
        reader.press("button[value=allow]", OURS, "logged in").await;
    });
    allowed.await.unwrap();

    // The first one, with the second workspace, does not.
    let denied = log_in(&mock, async |url| {
        reader.open(url, "login").await;
        reader.reach("input[name=account]").await;
        reader.keys(keys::DOWN).await;
        reader.press("form button", "button[value=deny]", "consent").await;
        assert!(reader.text("main").await.contains("Production"), "the workspace that was chosen");
        reader.press("button[value=deny]", OURS, "not logged in").await;
    });
    denied.await.unwrap_err();
}

#[tokio::test]
async fn every_page_of_another_device_works_on_a_phone_by_keyboard_and_without_scripts() {
    let mock = MockServer::builder().device_interval(Duration::from_secs(1)).start().await.unwrap();
    let reader = Reader::start().await;
    for (button, is_allowed) in [("allow", true), ("deny", false)] {
        let backend = backend();
        let begun = login(&mock).begin_device(mock.device_authorization_url(), &backend).await;
        let pending = begun.unwrap();
        reader.open(pending.verification_uri().as_str(), "device code").await;
        if !is_allowed {
            reader.enter("user_code", "WRONG-CODE", "p > strong:only-child", "wrong device code").await;
        }
        reader.enter("user_code", pending.user_code(), "button[value=allow]", "device consent").await;
        assert!(reader.text("main").await.contains(pending.user_code()), "the person compares the code");
        let end = if is_allowed { "device allowed" } else { "device denied" };
        reader.press(&format!("button[value={button}]"), "body:not(:has(form)) h1", end).await;
        assert_eq!(pending.finish(&backend).await.is_ok(), is_allowed);
    }
    // A login that nobody can be sent back from ends on a page, too.
    reader.open(&format!("{}?client_id=nobody", mock.authorize_url()), "problem").await;
    reader.open(mock.base_url().as_str(), "index").await;
}

fn backend() -> Reqwest {
    Reqwest::builder().no_proxy().build().unwrap()
}

fn login(mock: &MockServer) -> Login {
    let server = auth_core::Server::new(mock.token_url()).unwrap().with_issuer(mock.issuer());
    let server = server.with_authorization_endpoint(mock.authorize_url()).unwrap();
    Login::new(server.with_wire(auth_core::Wire::claude()), Client::public(mock.client_id()))
}

/// A login that `person` goes through in the browser.
async fn log_in(mock: &MockServer, person: impl AsyncFnOnce(&str)) -> Result<(), AuthError> {
    let backend = backend();
    let pending = login(mock).begin().await.unwrap();
    let url = pending.url().to_string();
    let (outcome, ()) = tokio::join!(pending.finish(&backend, PATIENCE), person(&url));
    outcome.map(drop)
}

/// A browser without scripts, as wide as a phone, that somebody uses by keyboard.
#[derive(Debug)]
struct Reader(Chromium);

impl Reader {
    async fn start() -> Self {
        let browser = Chromium::start().await.unwrap();
        let screen = json!({"width": WIDTH, "height": 720, "deviceScaleFactor": 2, "mobile": true});
        browser.devtools("Emulation.setDeviceMetricsOverride", screen).await.unwrap();
        browser.devtools("Emulation.setScriptExecutionDisabled", json!({"value": true})).await.unwrap();
        Self(browser)
    }

    async fn open(&self, url: &str, name: &str) {
        self.0.open(url).await.unwrap();
        self.see("h1", name).await;
    }

    /// Waits for a page with `selector`, and looks whether it fits. A picture of it is kept in `target/tmp/pages`.
    async fn see(&self, selector: &str, name: &str) {
        self.text(selector).await;
        let facts = "return [innerWidth, document.documentElement.scrollWidth, document.scripts.length, \
                     parseFloat(getComputedStyle(document.querySelector('h1')).fontSize)]";
        let facts = self.0.ask(facts).await.unwrap();
        assert_eq!(facts[0], WIDTH, "{name} is as wide as the screen: {facts}");
        assert!(facts[1].as_u64().unwrap() <= u64::from(WIDTH), "{name} is to be scrolled sideways: {facts}");
        assert_eq!(facts[2], 0, "{name} has scripts");
        assert!(facts[3].as_f64().unwrap() > 20.0, "{name} has lost its style: {facts}");
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pages");
        fs::create_dir_all(&folder).unwrap();
        let picture = BASE64_STANDARD.decode(self.0.picture().await.unwrap()).unwrap();
        fs::write(folder.join(format!("{}.png", name.replace(' ', "-"))), picture).unwrap();
    }

    async fn text(&self, selector: &str) -> String {
        self.0.read(selector).await.unwrap()
    }

    async fn keys(&self, keys: &str) {
        self.0.strike(keys).await.unwrap();
    }

    /// Presses Tab until the focus is where it should be, and can be seen there.
    async fn reach(&self, selector: &str) {
        let asked = format!(
            "const focus = document.activeElement; \
             return focus.matches({}) && getComputedStyle(focus).outlineStyle !== 'none'",
            json!(selector)
        );
        for _ in 0..MOST_TABS {
            if self.0.ask(&asked).await.unwrap() == json!(true) {
                return;
            }
            self.keys(keys::TAB).await;
        }
        panic!("no Tab leads to {selector}");
    }

    /// Goes to a field, fills it in, sends it off, and waits for the next page.
    async fn enter(&self, field: &str, text: &str, next: &str, name: &str) {
        self.reach(&format!("input[name={field}]")).await;
        self.keys(text).await;
        self.keys(keys::ENTER).await;
        self.see(next, name).await;
    }

    /// Goes to a button, presses it, and waits for the next page.
    async fn press(&self, button: &str, next: &str, name: &str) {
        self.reach(button).await;
        self.keys(keys::ENTER).await;
        self.see(next, name).await;
    }
}
