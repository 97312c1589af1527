//! Canaries: secrets are planted wherever this crate takes one, everything that can fail is made to fail by a server
//! that repeats what it was sent, and every log line and every word of every error is searched for them.

use std::{
    error::Error as StdError,
    fmt::Debug,
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD_NO_PAD};
use claude_sdk::{
    Client, Error,
    auth_core::{self, Snapshot},
    credentials::{Credential, CredentialProvider, OAuth},
    token_store::{FileTokenStore, MemoryTokenStore, TokenStore},
};
use http::{HeaderName, HeaderValue, StatusCode, header};
use mock_server::{
    Reply,
    leaks::{self, WORD, forms},
};
use serde_json::json;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::rig::{PATIENCE, Place, Waits, backend, client, decide, get, held, hello, raw, t0};

const KEY: &str = "sk-ant-api03-CANARY\"k+/=%&\\key";
const CLIENT_SECRET: &str = "CANARY\"client+/=secret";
const ACCESS: &str = "sk-ant-oat01-CANARY\"access+/=";
const REFRESH: &str = "sk-ant-ort01-CANARY\"refresh+/=";

/// What was logged, and what was printed of errors and values.
#[derive(Clone, Default)]
pub struct Tape(Arc<Mutex<Vec<u8>>>);

impl io::Write for Tape {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What an error holds, with its own `Debug`: that of the error is for people.
fn within(error: &Error) -> &dyn Debug {
    match error {
        Error::Config(error) => error,
        Error::Auth(error, _) => error,
        Error::Api(error) => error,
        Error::RateLimit(error, _) => error,
        Error::Transport(error) => error,
        Error::Answer(error) => error,
        Error::Stream(error) => error,
        _ => error,
    }
}

impl Tape {
    /// Records everything this thread logs until the guard is dropped.
    pub fn log(&self) -> tracing::subscriber::DefaultGuard {
        let tape = self.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_span_events(FmtSpan::FULL)
            .with_ansi(false)
            .with_writer(move || tape.clone())
            .finish();
        tracing::subscriber::set_default(subscriber)
    }

    pub fn value(&self, value: &dyn Debug) {
        self.text(&format!("{value:?}\n{value:#?}"));
    }

    pub fn error(&self, error: &(dyn StdError + 'static)) {
        let mut next = Some(error);
        while let Some(error) = next {
            self.text(&format!("{error}\n{error:?}\n{error:#?}"));
            if let Some(error) = error.downcast_ref() {
                self.value(within(error));
            }
            next = error.source();
        }
    }

    pub fn text(&self, text: &str) {
        io::Write::write_all(&mut self.clone(), format!("{text}\n").as_bytes()).unwrap();
    }

    pub fn contents(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }

    /// The first line that holds one of `secrets` in any form.
    pub fn leak(&self, secrets: &[&str]) -> Option<String> {
        leaks::find_one_of(secrets, &self.contents())
    }

    pub fn assert_clean(&self, secrets: &[&str]) {
        let leak = self.leak(&[secrets, &[WORD]].concat());
        assert!(leak.is_none(), "{}", leak.unwrap());
    }
}

#[test]
fn a_canary_is_found_in_every_form() {
    let planted = |text: String| {
        let tape = Tape::default();
        let _guard = tape.log();
        tracing::trace!(header = text, "sent");
        tape.leak(&[WORD, KEY]).is_some()
    };
    assert!(!planted("nothing".into()));
    for form in forms(KEY) {
        assert!(planted(format!("a {form} b")), "{form}");
    }
    for before in ["", "1", "12", "Basic id:"] {
        assert!(planted(BASE64_STANDARD_NO_PAD.encode(format!("{before}{KEY}..."))), "{before}");
    }
    let tape = Tape::default();
    tape.error(&io::Error::other(KEY));
    tape.value(&Some(KEY));
    assert!(tape.leak(&[WORD]).is_some());
}

/// A service that repeats the key wherever an answer has room for it.
fn parrots() -> Vec<Reply> {
    let refusal = |status: u16| {
        let body = json!({
            "type": "error", "request_id": KEY, "echo": KEY,
            "error": {"type": KEY, "message": format!("bad key {KEY}"), "details": {"error_code": KEY, "key": KEY}}
        });
        Reply::json(body).status(StatusCode::from_u16(status).unwrap())
    };
    let known = json!({"type": "error", "error": {"type": "api_error", "message": KEY}});
    let id = HeaderName::from_static("request-id");
    let value = |text: &str| HeaderValue::from_str(text).unwrap();
    let location = format!("https://elsewhere.example/{KEY}?key={KEY}");
    let mut replies: Vec<Reply> = [400, 401, 403, 404, 429, 500, 529].map(refusal).into();
    replies.extend([
        refusal(400).header(id.clone(), value(KEY)),
        Reply::html(format!("<p>{KEY}</p>")).header(id, value(KEY)),
        Reply::html(KEY).header(header::CONTENT_TYPE, value(KEY)),
        Reply::html(KEY).status(StatusCode::FOUND).header(header::LOCATION, value(&location)),
        Reply::json(json!(KEY)),
        Reply::json(json!({"id": 1, "role": KEY, "content": KEY, "usage": KEY, "data": KEY})),
        Reply::json(json!({"id": KEY, "model": KEY, "content": [KEY]})),
        Reply::text(KEY).truncate_after(100),
        Reply::text(KEY).break_after(100),
        Reply::json(known.clone()).status(StatusCode::BAD_GATEWAY),
    ]);
    for event in [
        format!("event: error\ndata: {known}\n\n"),
        format!("event: message_start\ndata: {{\"message\": \"{WORD}\"}}\n\n"),
        format!("event: message_start\ndata: {KEY}\n\n"),
        format!("event: {WORD}\ndata: {KEY}\n\n"),
        format!(
            "event: content_block_delta\ndata: {{\"index\": 0, \"delta\": {{\"type\": \"{WORD}\"}}}}\n\n"
        ),
    ] {
        replies.push(Reply::sse([event]));
    }
    replies
}

#[tokio::test]
async fn no_answer_of_the_service_makes_a_call_tell_its_key() {
    let tape = Tape::default();
    let _guard = tape.log();
    let server = held().api_key(KEY).start().await.unwrap();
    for reply in parrots() {
        let client = client(&server).0.max_retries(1).build().unwrap();
        tape.value(&client);
        server.set_script([reply.clone(), reply.clone()]);
        tape.error(&client.messages().create(&hello()).await.unwrap_err());
        server.set_script([reply.clone(), reply.clone()]);
        let streamed = match client.messages().stream(&hello()).await {
            Ok(stream) => stream.final_message().await,
            Err(error) => Err(error),
        };
        tape.error(&streamed.unwrap_err());
        let listed = reply.on("/v1/models");
        server.set_script([listed.clone(), listed]);
        tape.error(&client.models().list().await.unwrap_err());
    }
    let client = client(&server).0.build().unwrap();
    client.messages().create(&hello()).await.unwrap();
    server.shutdown().await;
    tape.error(&client.messages().create(&hello()).await.unwrap_err());

    let contents = tape.contents();
    for logged in ["http", "/v1/messages", "waiting before the next attempt", "could not connect"] {
        assert!(contents.contains(logged), "{logged} is not on the tape: it cannot show anything");
    }
    tape.assert_clean(&[KEY]);
}

#[tokio::test]
async fn no_setting_that_is_refused_is_repeated() {
    let tape = Tape::default();
    let _guard = tape.log();
    for key in [format!("{KEY}\n"), format!("{KEY} {KEY}"), format!("{KEY}\u{e9}")] {
        let builder = Client::builder().api_key(key.clone()).auth_token(key.clone());
        tape.value(&builder);
        tape.error(&builder.build().unwrap_err());
        tape.error(&Credential::token(key.into(), 0).unwrap_err());
    }
    for url in [
        format!("https://{WORD}:{WORD}@api.example"),
        format!("https://api.example/?key={WORD}"),
        format!("https://api.example/#{WORD}"),
        format!("http://{WORD}@api.example/{WORD}"),
    ] {
        let builder = Client::builder().api_key(KEY).base_url(url);
        tape.error(&builder.build().unwrap_err());
    }
    tape.value(&Client::builder().api_key(KEY));
    tape.value(&Credential::api_key(KEY.into()).unwrap());
    tape.assert_clean(&[KEY]);
}

fn snapshot() -> Snapshot {
    Snapshot {
        access_token: ACCESS.into(),
        refresh_token: Some(REFRESH.into()),
        expires_at: Some(t0()),
        scopes: None,
        generation: 1,
        extra: serde_json::Map::from_iter([("id_token".to_owned(), json!(ACCESS))]),
    }
}

/// A token endpoint that repeats everything it was sent, in the ways in which endpoints fail.
fn token_parrots() -> Vec<Reply> {
    let all = format!("{REFRESH} {CLIENT_SECRET} {}", BASE64_STANDARD_NO_PAD.encode(REFRESH));
    let refusal = |code: &str, status: u16| {
        let body = json!({"error": code, "error_description": format!("bad {all}"), "error_uri": all});
        Reply::json(body).status(StatusCode::from_u16(status).unwrap())
    };
    let replies = vec![
        refusal("invalid_grant", 400),
        refusal("invalid_client", 401),
        refusal("temporarily_unavailable", 503),
        refusal(REFRESH, 400),
        Reply::html(format!("<p>{all}</p>")),
        Reply::html(format!("<p>{all}</p>")).status(StatusCode::BAD_GATEWAY),
        Reply::html(REFRESH).status(StatusCode::FOUND),
        Reply::json(json!({"access_token": ACCESS, "token_type": REFRESH, "echo": all})),
        Reply::json(json!({"access_token": format!("{ACCESS} \n"), "token_type": "bearer"})),
        Reply::json(json!({"token_type": "bearer", "refresh_token": REFRESH})),
        Reply::json(json!({"access_token": ACCESS})).break_after(20),
    ];
    replies.into_iter().map(|reply| reply.on("/v1/oauth/token")).collect()
}

/// A session that does not wait for its second look into the store.
async fn open(place: &Place, app: auth_core::Client, store: MemoryTokenStore) -> OAuth {
    let (clock, policy) = (Waits::default(), auth_core::Policy::default());
    OAuth::open_with(place.server(), app, store, backend(), clock, policy).await.unwrap()
}

#[tokio::test]
async fn no_trouble_of_a_session_tells_its_tokens() {
    let tape = Tape::default();
    let _guard = tape.log();
    let place = Place::new(held()).await;
    for reply in token_parrots() {
        for app in [
            auth_core::Client::secret_post("app", CLIENT_SECRET.into()),
            auth_core::Client::secret_basic("app", CLIENT_SECRET.into()),
        ] {
            place.mock.set_script([reply.clone(), reply.clone()]);
            let store = MemoryTokenStore::new(snapshot());
            tape.value(&(&store, &app));
            let oauth = open(&place, app, store).await;
            tape.error(&place.client(&oauth).messages().create(&hello()).await.unwrap_err());
            tape.error(&oauth.credential().await.unwrap_err());
            tape.value(&oauth);
        }
    }
    // A renewal that works, with a token that is then refused until there is nothing left to try.
    let fresh =
        json!({"access_token": ACCESS, "refresh_token": REFRESH, "token_type": "bearer", "expires_in": 600});
    place.mock.set_script([Reply::json(fresh).on("/v1/oauth/token")]);
    let oauth = open(&place, place.app(), MemoryTokenStore::new(snapshot())).await;
    tape.value(&oauth.credential().await.unwrap());
    tape.error(&place.client(&oauth).messages().create(&hello()).await.unwrap_err());

    assert!(tape.contents().contains("LoginRequired"), "the session's events are not on the tape");
    tape.assert_clean(&[ACCESS, REFRESH, CLIENT_SECRET]);
}

#[tokio::test]
async fn no_login_tells_its_code_state_or_tokens() {
    let tape = Tape::default();
    let _guard = tape.log();
    let place = Place::new(held()).await;
    let refused = json!({"error": "invalid_grant", "error_description": "bad CANARYCODE"});
    let mut states = Vec::new();
    for (query, answer) in [
        ("code=CANARYCODE", Some(Reply::json(refused).status(StatusCode::BAD_REQUEST))),
        ("code=CANARYCODE", Some(Reply::html("<p>CANARYCODE</p>"))),
        ("code=CANARYCODE", Some(Reply::json(json!({"access_token": ACCESS, "token_type": "mac"})))),
        ("error=access_denied&error_description=STATE", None),
    ] {
        let login = place.begin("user:inference").await;
        tape.value(&login);
        let find = |name| login.url().query_pairs().find(|(known, _)| known == name).unwrap().1.into_owned();
        let (state, redirect) = (find("state"), find("redirect_uri").parse::<url::Url>().unwrap());
        place.mock.set_script(answer.map(|reply| reply.on("/v1/oauth/token")));
        let (port, query) = (redirect.port().unwrap(), query.replace("STATE", &state));
        let issuer = place.mock.issuer();
        let request = format!(
            "GET /callback?{query}&state={state}&iss={issuer} HTTP/1.1\r\nhost: localhost:{port}\r\n\r\n"
        );
        let backend = backend();
        let (session, page) =
            tokio::join!(login.finish(&backend, PATIENCE), raw("localhost", port, &request));
        tape.text(&page.unwrap());
        tape.error(&session.unwrap_err());
        states.push(state);
    }
    // And one that works.
    let login = place.begin("user:inference").await;
    let target = decide(login.url(), "allow").await;
    let backend = backend();
    let (session, page) = tokio::join!(login.finish(&backend, PATIENCE), get(&target));
    tape.text(&page.1);
    let session = session.unwrap();
    tape.value(&session);
    let folder = tempfile::tempdir().unwrap();
    let store = FileTokenStore::new(folder.path(), "work").unwrap();
    store.save(session).await.unwrap();
    tape.value(&store);
    tape.value(&store.load().await.unwrap());

    assert!(tape.contents().contains("access_denied"));
    let states: Vec<&str> = states.iter().map(String::as_str).collect();
    tape.assert_clean(&states);
}

#[tokio::test]
async fn a_session_that_is_used_tells_nothing_either() {
    let tape = Tape::default();
    let _guard = tape.log();
    let place = Place::new(held()).await;
    let oauth = place.open(MemoryTokenStore::new(place.login("user:inference").await)).await;
    let client = place.client(&oauth);
    client.messages().stream(&hello()).await.unwrap().final_message().await.unwrap();
    place.mock.advance(Duration::from_secs(9 * 3600));
    let reply = client.messages().create(&hello()).await.unwrap();
    tape.value(&(&client, &oauth, oauth.credential().await.unwrap(), &reply));
    assert!(tape.contents().contains("the access token was refreshed"), "the renewal is not on the tape");
    tape.assert_clean(&[]);
}
