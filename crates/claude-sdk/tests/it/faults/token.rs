//! F19 and F32 to F36 at the token endpoint, over TCP: answers that are lost, that are none, and that are odd.

use std::{sync::Arc, time::Duration};

use claude_sdk::{
    AuthError, Client, Error,
    auth_core::Policy,
    credentials::OAuth,
    token_store::{MemoryTokenStore, TokenStore},
    transport::Clock as _,
};
use futures_util::future::join_all;
use mock_server::{At, Fault};
use secrecy::ExposeSecret;

use super::Footprint;
use crate::{
    redaction::Tape,
    rig::{HOUR, Place, SCOPES, Waits, access, backend, held, until},
};

const ENDPOINT: &str = "/v1/oauth/token";
/// How long a server forgives a spent refresh token.
const WINDOW: Duration = Duration::from_secs(30);

/// A session whose access token the service takes no more, which its first call finds out.
struct Session {
    place: Place,
    store: Arc<MemoryTokenStore>,
    client: Client,
    waits: Waits,
    tape: Tape,
    before: Footprint,
    _log: tracing::subscriber::DefaultGuard,
}

impl Session {
    async fn expired(server: mock_server::Builder) -> Self {
        let before = Footprint::now();
        let tape = Tape::default();
        let log = tape.log();
        let place = Place::new(server.access_token_ttl(HOUR)).await;
        let store = Arc::new(MemoryTokenStore::new(place.login(SCOPES).await));
        let waits = Waits::default();
        let (server, app, policy) = (place.server(), place.app(), Policy::default());
        let oauth = OAuth::open_with(server, app, Arc::clone(&store), backend(), waits.clone(), policy);
        let client =
            Client::builder().base_url(place.mock.base_url()).backend(backend()).clock(waits.clone());
        let client = client.credentials(oauth.await.unwrap()).build().unwrap();
        place.mock.advance(HOUR);
        place.mock.clear_journal();
        Self { place, store, client, waits, tape, before, _log: log }
    }

    /// A call during which this goes wrong at the token endpoint.
    async fn call(&self, fault: Fault) -> Result<(), Error> {
        self.place.mock.inject(fault.on(ENDPOINT));
        let outcome = self.client.models().list().await;
        self.place.mock.clear_faults();
        if let Err(error) = &outcome {
            self.tape.error(error);
        }
        outcome.map(drop)
    }

    fn exchanges(&self) -> usize {
        self.place.mock.journal().iter().filter(|entry| entry.path.ends_with(ENDPOINT)).count()
    }

    /// The access and the refresh token that are stored.
    async fn stored(&self) -> (String, String) {
        let stored = self.store.load().await.unwrap().unwrap();
        let access = access(&stored).to_owned();
        (access, stored.refresh_token.unwrap().expose_secret().to_owned())
    }

    /// Nothing secret was said, and nothing is left of it.
    async fn end(self) {
        self.tape.assert_clean(&[]);
        let Self { place, client, before, .. } = self;
        drop(client);
        place.mock.shutdown().await;
        before.assert_restored().await;
    }
}

fn forgiving() -> mock_server::Builder {
    held().refresh_reuse_window(WINDOW)
}

fn fault(text: &str) -> Fault {
    text.parse().unwrap_or_else(|_| panic!("{text}"))
}

/// F19: the page of a captive portal is no token, and no reason to lose the session.
#[tokio::test]
async fn a_web_page_of_the_token_endpoint_keeps_the_session() {
    let session = Session::expired(held()).await;
    let before = session.stored().await;
    let error = session.call(fault("html").always()).await.unwrap_err();
    assert!(matches!(error, Error::Auth(AuthError::Renewal { .. }, ..)), "{error:?}");
    assert!(!format!("{error:?} {error}").contains("hotel"), "{error:?}");
    assert_eq!(session.stored().await, before, "nothing was taken from a page");
    assert!(session.exchanges() <= 2, "{} exchanges", session.exchanges());

    // The portal lets it through: the very same refresh token is still good, and is spent once.
    session.place.mock.clear_journal();
    patiently(&session).await.unwrap();
    assert_ne!(session.stored().await, before);
    assert_eq!((session.place.exchanges(200), session.place.exchanges(400)), (1, 0));
    session.end().await;
}

/// Calls until the pause after a failure is over, and gives what comes of it then.
async fn patiently(session: &Session) -> Result<(), Error> {
    for _ in 0..20 {
        match session.client.models().list().await {
            Err(error) if error.is_retryable() => {
                session.tape.error(&error);
                // On this clock a long sleep is a limit.
                session.waits.sleep(Duration::from_secs(20)).await;
            }
            outcome => return outcome.map(drop),
        }
    }
    panic!("it never came to anything")
}

/// F32: the server has rotated, and the answer is lost, with the connection or in the middle.
#[tokio::test]
async fn a_renewal_whose_answer_is_lost_is_repeated_where_the_server_forgives() {
    for text in ["reset request", "close request", "reset byte 30", "close body 20", "reset body 40"] {
        let session = Session::expired(forgiving()).await;
        let before = session.stored().await;
        session.call(fault(text)).await.unwrap_or_else(|error| panic!("{text}: {error:?}"));
        assert_eq!(session.exchanges(), 2, "{text}: one that was lost and one more");
        assert_ne!(session.stored().await, before, "{text}");
        session.end().await;
    }
}

/// F32, at a server that takes the repetition for theft: the loss is told as one.
#[tokio::test]
async fn a_renewal_whose_answer_is_lost_at_a_strict_server_may_have_been_spent() {
    for text in ["reset request", "close request", "reset byte 30", "close body 20", "reset body 40"] {
        let session = Session::expired(held()).await;
        let before = session.stored().await;
        let error = session.call(fault(text)).await.unwrap_err();
        let Error::Auth(AuthError::LoginRequired { maybe_consumed, reason }, ..) = &error else {
            panic!("{text}: {error:?}")
        };
        assert!(*maybe_consumed && !error.is_retryable(), "{text}: {reason}");
        assert_eq!(session.exchanges(), 2, "{text}: one that was lost and one more");
        assert_eq!(session.stored().await, before, "{text}: nothing is blanked");
        session.end().await;
    }
}

/// F32, where nothing comes at all: thirty seconds, and one repetition.
#[tokio::test]
async fn a_renewal_without_an_answer_is_repeated_after_its_limit() {
    let before = Footprint::now();
    let place = Place::new(forgiving().access_token_ttl(HOUR)).await;
    let oauth = place.open(MemoryTokenStore::new(place.login(SCOPES).await)).await;
    let client = place.client(&oauth);
    place.advance(HOUR);
    place.mock.clear_journal();
    place.mock.inject(Fault::stall(At::Request).on(ENDPOINT));
    let call = tokio::spawn(async move { client.models().list().await.map(drop) });
    until(|| place.mock.journal_len() == 1).await;
    place.clock.advance(Duration::from_millis(29_999));
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!((place.mock.journal_len(), call.is_finished()), (1, false), "given up too early");
    place.clock.advance(Duration::from_millis(251));
    call.await.unwrap().unwrap();
    assert_eq!(place.exchanges(200), 2);
    drop(oauth);
    place.mock.shutdown().await;
    before.assert_restored().await;
}

/// F35 and F36: what is no answer of a token endpoint gives no token, and shows none.
#[tokio::test]
async fn an_answer_that_is_none_gives_no_token_and_is_not_repeated_aloud() {
    for text in [
        r#"set access_token "CANARY\r\nx: y""#,
        r#"set access_token "CANARY-Grüße""#,
        "set access_token 12345678",
        "set access_token null",
        r#"set access_token """#,
        "remove access_token",
        "long access_token 1000000",
        r#"repeat access_token "CANARY""#,
        r#"repeat refresh_token "CANARY""#,
        "append }",
        "append CANARY",
        "nest 100000",
        "truncate 20",
        r#"set token_type "mac""#,
    ] {
        let session = Session::expired(forgiving()).await;
        let before = session.stored().await;
        let error = session.call(fault(text).always()).await.unwrap_err();
        assert!(
            matches!(error, Error::Auth(AuthError::Renewal { .. } | AuthError::LoginRequired { .. }, ..)),
            "{text}: {error:?}"
        );
        assert_eq!(session.stored().await, before, "{text}: half an answer was stored");
        assert!(session.exchanges() <= 3, "{text}: {} exchanges", session.exchanges());
        let sent = session.place.mock.journal().into_iter().filter(|entry| entry.path == "/v1/models");
        assert_eq!(sent.count(), 1, "{text}: a token out of it was sent");
        session.end().await;
    }
}

/// F33 and F34: odd, and good enough to go on with; no loop comes of it.
#[tokio::test]
async fn an_odd_answer_is_taken_by_rule_and_makes_no_loop() {
    for text in [
        "echo refresh_token",
        "remove refresh_token",
        r#"set refresh_token """#,
        "set expires_in 0",
        "set expires_in -1",
        r#"set expires_in "3600""#,
        "set expires_in 1e400",
        "set expires_in 9223372036854775808",
        "remove expires_in",
    ] {
        let session = Session::expired(forgiving()).await;
        let before = session.stored().await;
        let outcome = session.call(fault(text).always()).await;
        for _ in 0..10 {
            let _ = session.client.models().list().await;
        }
        assert!(session.exchanges() <= 3, "{text}: {} exchanges for eleven calls", session.exchanges());
        if outcome.is_ok() && text.ends_with("refresh_token") || text.ends_with("\"\"") {
            assert_eq!(session.stored().await.1, before.1, "{text}: the refresh token that there was stays");
        }
        session.end().await;
    }
}

/// F26: sixty-four calls are refused while they are under way; one renewal serves all of them.
#[tokio::test]
async fn calls_that_are_refused_together_cost_one_renewal() {
    let session = Session::expired(held()).await;
    let calls = (0..64).map(|_| session.client.models().list().into_future());
    for outcome in join_all(calls).await {
        assert_eq!(outcome.unwrap().retries_taken(), 0, "a replay is no retry");
    }
    assert_eq!(session.exchanges(), 1);
    session.end().await;
}
