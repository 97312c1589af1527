//! The other ways to log in: a fixed port, a pasted code; and what becomes of the session before.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use claude_sdk::{
    AuthError, Error, LoginError,
    auth_core::{CallbackErrorKind, ScopeSet, Server, Wire},
    login::{Login, Paste},
    token_store::{FileTokenStore, MemoryTokenStore, TokenStore},
};
use secrecy::SecretString;
use tokio::{net::TcpListener, sync::Notify};
use url::Url;

use crate::rig::{PATIENCE, Place, Recorder, access, backend, decide, get, held, told, until};

/// A person at a terminal, and what the terminal told them.
#[derive(Clone, Debug, Default)]
struct Terminal {
    lines: Arc<Mutex<VecDeque<Option<String>>>>,
    typed: Arc<Notify>,
    told: Arc<Mutex<Vec<CallbackErrorKind>>>,
}

impl Terminal {
    fn type_in(&self, line: impl Into<String>) {
        self.lines.lock().unwrap().push_back(Some(line.into()));
        self.typed.notify_one();
    }

    fn close(&self) {
        self.lines.lock().unwrap().push_back(None);
        self.typed.notify_one();
    }

    fn told(&self) -> Vec<CallbackErrorKind> {
        self.told.lock().unwrap().clone()
    }
}

#[async_trait]
impl Paste for Terminal {
    async fn next(&self) -> Option<SecretString> {
        loop {
            let line = self.lines.lock().unwrap().pop_front();
            match line {
                Some(line) => return line.map(SecretString::from),
                None => self.typed.notified().await,
            }
        }
    }

    fn refused(&self, reason: &CallbackErrorKind) {
        self.told.lock().unwrap().push(reason.clone());
    }
}

/// A server that does not name itself in redirects, so that `code#state` is enough.
fn nameless(place: &Place) -> Server {
    let server = Server::new(place.mock.token_url()).unwrap().with_wire(Wire::claude());
    server.with_authorization_endpoint(place.mock.authorize_url()).unwrap()
}

fn login(place: &Place) -> Login {
    let login = Login::new(nameless(place), place.app()).scopes(ScopeSet::parse("user:inference"));
    login.clock(place.clock.clone())
}

fn pasted(callback: &Url) -> String {
    let find = |name| callback.query_pairs().find(|(known, _)| known == name).unwrap().1.into_owned();
    format!("{}#{}", find("code"), find("state"))
}

#[tokio::test]
async fn a_pasted_code_ends_a_login_without_a_listener_after_wrong_ones_were_explained() {
    let place = Place::new(held()).await;
    let terminal = Terminal::default();
    let pending = login(&place).begin_headless(place.mock.callback_url(), terminal.clone()).unwrap();
    assert_eq!(pending.redirect_uri(), &place.mock.callback_url());
    let callback = decide(pending.url(), "allow").await;
    // What the page shows is what is pasted.
    let (_, page) = get(&callback).await;
    let code = pasted(&callback);
    assert!(page.contains(&code), "{page}");

    let other = login(&place).begin_headless(place.mock.callback_url(), Terminal::default()).unwrap();
    let others = pasted(&decide(other.url(), "allow").await);
    let (bare, state) = code.split_once('#').unwrap();
    for wrong in ["", bare, others.as_str(), &format!("#{state}"), &"x".repeat(10_000)] {
        terminal.type_in(wrong);
    }
    terminal.type_in(format!("  {code}\r\n"));
    let session = pending.finish(&backend(), PATIENCE).await.unwrap();
    assert!(access(&session).starts_with("sk-ant-"));
    assert_eq!(
        terminal.told(),
        [
            CallbackErrorKind::StateMissing,
            CallbackErrorKind::StateMissing,
            CallbackErrorKind::StateMismatch,
            CallbackErrorKind::CodeMissing,
            CallbackErrorKind::TooLarge,
        ]
    );
    assert_eq!(place.exchanges(200), 1, "no wrong code was sent anywhere");
}

#[tokio::test]
async fn the_address_of_the_last_page_is_as_good_as_its_code() {
    // This server names itself, which `code#state` cannot carry.
    let place = Place::new(held()).await;
    let terminal = Terminal::default();
    let login = Login::new(place.server(), place.app()).clock(place.clock.clone());
    let pending = login.begin_headless(place.mock.callback_url(), terminal.clone()).unwrap();
    let callback = decide(pending.url(), "allow").await;
    terminal.type_in(callback.as_str());
    pending.finish(&backend(), PATIENCE).await.unwrap();
}

#[tokio::test]
async fn whichever_comes_first_ends_the_login_redirect_or_paste() {
    let place = Place::new(held()).await;
    for by_paste in [true, false] {
        let terminal = Terminal::default();
        let pending = login(&place).paste(terminal.clone()).begin().await.unwrap();
        let port = pending.redirect_uri().port().unwrap();
        let callback = decide(pending.url(), "allow").await;
        let pending = tokio::spawn(async move { pending.finish(&backend(), PATIENCE).await });
        terminal.type_in("nonsense");
        until(|| terminal.told() == [CallbackErrorKind::StateMissing]).await;
        if by_paste {
            terminal.type_in(pasted(&callback));
        } else {
            // An input that ends is no end of the login while a browser may come.
            terminal.close();
            assert_eq!(get(&callback).await.0, 200);
        }
        pending.await.unwrap().unwrap();
        assert!(TcpListener::bind(("127.0.0.1", port)).await.is_ok(), "the port is free again");
    }
}

#[tokio::test]
async fn an_input_that_ends_ends_a_login_without_a_listener() {
    let place = Place::new(held()).await;
    let terminal = Terminal::default();
    let pending = login(&place).begin_headless(place.mock.callback_url(), terminal.clone()).unwrap();
    terminal.close();
    let error = pending.finish(&backend(), PATIENCE).await.unwrap_err();
    assert!(matches!(error, AuthError::Login(LoginError::InputEnded)), "{error:?}");
}

#[tokio::test]
async fn a_port_of_ones_own_is_taken_or_named_as_taken() {
    let place = Place::new(held()).await;
    let free = TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap().port();
    let pending = login(&place).port(free).begin().await.unwrap();
    assert_eq!(pending.redirect_uri().as_str(), format!("http://localhost:{free}/callback"));
    let again = login(&place).port(free).begin().await.unwrap_err();
    assert!(told(&again).contains(&format!("port {free} is taken by another program")), "{again:?}");
    drop(pending);

    // Whoever has the port on one of the addresses of localhost, or on all of them, would receive the code.
    for address in ["127.0.0.1", "::1", "0.0.0.0", "::"] {
        let Ok(other) = TcpListener::bind((address, free)).await else {
            assert!(address.contains(':'), "only IPv6 may be missing");
            continue;
        };
        let error = login(&place).port(free).begin().await.unwrap_err();
        let taken = matches!(&error, Error::Auth(AuthError::Login(LoginError::PortTaken { port }), ..) if *port == free);
        assert!(taken, "{address}: {error:?}");
        drop(other);
    }
    login(&place).port(free).begin().await.unwrap();
}

#[tokio::test]
async fn workspace_and_organization_are_asked_for_and_cannot_change_the_login() {
    let place = Place::new(held()).await;
    let asked = login(&place).workspace("wrkspc_1&state=x").organization("org 2");
    let pending = asked.begin().await.unwrap();
    let find = |name: &str| -> Vec<String> {
        let pairs = pending.url().query_pairs();
        pairs.filter(|(known, _)| known == name).map(|(_, value)| value.into_owned()).collect()
    };
    assert_eq!(find("workspace_id"), ["wrkspc_1&state=x"]);
    assert_eq!(find("orgUUID"), ["org 2"]);
    assert_eq!(find("state").len(), 1);
}

#[tokio::test]
async fn the_link_is_opened_as_it_is() {
    let place = Place::new(held()).await;
    let browser = Recorder::default();
    let pending = login(&place).begin().await.unwrap();
    pending.open_in(&browser).unwrap();
    assert_eq!(browser.opened(), [pending.url().as_str()]);
}

/// However a login ends without a session, the one that was stored before is there as it was.
#[tokio::test]
async fn a_login_that_fails_leaves_the_old_session_alone() {
    let place = Place::new(held()).await;
    let old = place.login("user:inference").await;
    let folder = tempfile::tempdir().unwrap();
    let store = FileTokenStore::new(folder.path(), "default").unwrap();
    store.save(old.clone()).await.unwrap();
    let before = std::fs::read(store.path()).unwrap();

    // Refused.
    let pending = login(&place).begin().await.unwrap();
    let callback = decide(pending.url(), "deny").await;
    let backend = backend();
    let (refused, _) = tokio::join!(pending.finish(&backend, PATIENCE), get(&callback));
    assert!(refused.is_err());
    // Timed out.
    let pending = login(&place).begin().await.unwrap();
    assert!(pending.finish(&backend, Duration::ZERO).await.is_err());
    // Interrupted, with the code already there.
    let pending = login(&place).begin().await.unwrap();
    drop((decide(pending.url(), "allow").await, pending));

    assert_eq!(std::fs::read(store.path()).unwrap(), before);
    let oauth = place.open(MemoryTokenStore::new(store.load().await.unwrap().unwrap())).await;
    place.client(&oauth).models().list().await.unwrap();

    // And one that succeeds takes its place as a whole.
    let new = place.login("user:inference").await;
    store.save(new.clone()).await.unwrap();
    let stored = store.load().await.unwrap().unwrap();
    assert_eq!(access(&stored), access(&new));
}
