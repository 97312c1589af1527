//! Cassettes: what is recorded, what is taken out of it, and what is played.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use transport::{
    Body, Error, ErrorKind, HttpBackend, Reach, Request, Response, Upload,
    backends::{Mismatch, Player, Recorder, Reqwest},
    test_util::{ScriptedBackend, contract},
};

use crate::pieces;

/// A path of its own for each test, taken away afterwards.
struct Place(PathBuf);

impl Place {
    fn new() -> Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self(std::env::temp_dir().join(format!("cassette-{}-{number}.json", std::process::id())))
    }

    fn text(&self) -> String {
        fs::read_to_string(&self.0).unwrap()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn post(target: &str, body: &'static str) -> Request {
    http::Request::post(format!("https://api.example{target}"))
        .header("x-api-key", "sk-ant-api03-not-in-the-file")
        .header("authorization", "Bearer another-not-in-the-file")
        .body(Bytes::from_static(body.as_bytes()))
        .unwrap()
}

fn answer(status: u16, body: Body) -> Result<Response, Error> {
    let answer = http::Response::builder()
        .status(status)
        .header("request-id", "req_1")
        .header("set-cookie", "session=cookie-not-in-the-file; path=/")
        .header("x-echo", "you are another-not-in-the-file");
    Ok(answer.body(body).unwrap())
}

async fn send(backend: &dyn HttpBackend, request: Request) -> Result<(u16, Vec<Bytes>), Error> {
    let response = backend.send(request).await?;
    let (status, mut body, mut all) = (response.status().as_u16(), response.into_body(), Vec::new());
    while let Some(piece) = body.chunk().await {
        all.push(piece?);
    }
    Ok((status, all))
}

#[tokio::test]
async fn what_was_recorded_is_played_piece_by_piece() {
    let binary: Body = Body::from(vec![0, 159, 146, 150]);
    let recorder = Recorder::new(ScriptedBackend::new([
        answer(200, pieces([Ok("event: a\n"), Ok("data: 1\n\n"), Ok("data: ä\n\n")])),
        answer(529, Body::from("busy")),
        answer(200, pieces([Ok("half"), Err(Error::bare(ErrorKind::Truncated, Reach::Answered))])),
        answer(200, binary),
    ]));
    for (target, body) in [("/a?x=1", r#"{"n":1,"m":[2]}"#), ("/a?x=1", "{}"), ("/b", "plain"), ("/c", "")] {
        let _ = send(&recorder, post(target, body)).await;
    }
    let place = Place::new();
    recorder.save(&place.0).unwrap();
    let player = Player::load(&place.0).unwrap();
    assert_eq!(player.unplayed(), ["POST /a?x=1", "POST /a?x=1", "POST /b", "POST /c"]);

    let (status, all) = send(&player, post("/a?x=1", r#"{ "m": [2], "n": 1 }"#)).await.unwrap();
    assert_eq!((status, all), (200, vec!["event: a\n".into(), "data: 1\n\n".into(), "data: ä\n\n".into()]));
    let response = player.send(post("/a?x=1", "{}")).await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()["request-id"]),
        (529, &"req_1".parse().unwrap())
    );
    let error = send(&player, post("/b", "plain")).await.unwrap_err();
    assert_eq!((error.kind(), error.reach()), (ErrorKind::Truncated, Reach::Answered));
    assert_eq!(player.unplayed(), ["POST /c"]);
    assert_eq!(send(&player, post("/c", "")).await.unwrap().1.concat(), [0, 159, 146, 150]);
    assert!(player.unplayed().is_empty());
}

/// Reads all that it is sent, as one that goes over the network does.
#[derive(Debug)]
struct Reads;

#[async_trait::async_trait]
impl HttpBackend for Reads {
    async fn send(&self, request: Request) -> Result<Response, Error> {
        let sent = Upload::of(&request).unwrap().open().collect(1 << 20).await?;
        answer(200, Body::from(format!("{} bytes", sent.len())))
    }
}

#[tokio::test]
async fn what_is_sent_piece_by_piece_is_recorded_and_compared_too() {
    let upload = |boundary: &str, content: &str| {
        let form = format!("--{boundary}\r\n\r\n{content} sk-ant-api03-not-in-the-file\r\n--{boundary}--");
        let mut request = post("/v1/files", "");
        let kind = format!("multipart/form-data; boundary={boundary}");
        request.headers_mut().insert("content-type", kind.parse().unwrap());
        let length = form.len() as u64;
        let halves = form.split_at(20);
        let halves = [Bytes::from(halves.0.to_owned()), Bytes::from(halves.1.to_owned())];
        let open = move || Body::from_stream(futures_util::stream::iter(halves.clone().map(Ok)));
        request.extensions_mut().insert(Upload::new(Some(length), open));
        request
    };
    let recorder = Recorder::new(Reads);
    send(&recorder, upload("one", "hello")).await.unwrap();
    let place = Place::new();
    recorder.save(&place.0).unwrap();
    assert!(
        place.text().contains("hello [scrubbed]") && !place.text().contains("not-in"),
        "{}",
        place.text()
    );

    let player = Player::load(&place.0).unwrap();
    let error = send(&player, upload("two", "other")).await.unwrap_err();
    let mismatch = error.into_refusal::<Mismatch>().unwrap();
    assert!(mismatch.to_string().contains("the body differs at byte"), "{mismatch}");
    let (_, answer) = send(&player, upload("three", "hello")).await.unwrap();
    assert!(answer.concat().ends_with(b" bytes"));
}

#[tokio::test]
async fn no_secret_reaches_the_file_in_any_form() {
    let token_answer = r#"{"access_token":"opaque-access-not-in-the-file","expires_in":60}"#;
    let recorder = Recorder::new(ScriptedBackend::new([
        answer(200, Body::from(token_answer)),
        answer(
            400,
            pieces([
                Ok("bad key sk-ant-api03-not-in"),
                Ok("-the-file and opaque-acc"),
                Ok("ess-not-in-the-file"),
            ]),
        ),
    ]))
    .secret("told-not-in-the-file");
    let grant =
        "grant_type=authorization_code&code=code-not-in-the-file&code_verifier=verifier-not-in-the-file";
    send(&recorder, post("/token", grant)).await.unwrap();
    let body = r#"{"text":"told-not-in-the-file and sk-ant-oat01-not-in-the-file, code-not-in-the-file"}"#;
    send(&recorder, post("/v1/messages?token=query-not-in-the-file", body)).await.unwrap();

    let place = Place::new();
    recorder.save(&place.0).unwrap();
    let text = place.text();
    assert!(!text.contains("not-in") && !text.contains("-the-file"), "{text}");
    assert!(
        text.contains("bad key [scrubbed]")
            && text.contains("\"req_1\"") | text.contains("request-id: req_1")
    );
    assert_eq!(fs::metadata(&place.0).unwrap().permissions().mode() & 0o777, 0o600);

    // It is played to whoever has other secrets, those among them of which it is told.
    let body = r#"{"text":"another \"one\" and sk-ant-other, some-other-code"}"#;
    let with_query = || post("/v1/messages?token=another-query", body);
    let player = Player::load(&place.0).unwrap().secret("another \"one\"").secret("some-other-code");
    assert_eq!(send(&player, with_query()).await.unwrap().0, 400);
    let untold = Player::load(&place.0).unwrap();
    assert!(send(&untold, with_query()).await.is_err(), "it cannot guess");
    let player = Player::load(&place.0).unwrap();
    let other = "grant_type=authorization_code&code=some-other-code&code_verifier=some-other-verifier";
    assert_eq!(send(&player, post("/token", other)).await.unwrap().0, 200);
}

#[tokio::test]
async fn what_matches_nothing_is_refused_with_the_difference() {
    let recorder =
        Recorder::new(ScriptedBackend::new([answer(200, Body::empty()), answer(200, Body::empty())]));
    send(&recorder, post("/v1", r#"{"a":{"b":[1,2]},"secret":"text"}"#)).await.unwrap();
    send(&recorder, post("/v2", "text")).await.unwrap();
    let place = Place::new();
    recorder.save(&place.0).unwrap();
    let player = Arc::new(Player::load(&place.0).unwrap());
    for (request, expected) in [
        (post("/v1", r#"{"a":{"b":[1,3]},"secret":"text"}"#), "the body differs at $.a.b[1]"),
        (post("/v1", r#"{"a":{"b":[1,2]}}"#), "the body differs at $.secret, which the request lacks"),
        (post("/v1", r#"{"a":{"b":[1,2]},"secret":"text","c":1}"#), "$.c, which the recording lacks"),
        (post("/v1", "no JSON"), "one body is JSON and the other is not"),
        (post("/v2", "test"), "the body differs at byte 2"),
        (post("/v1?x", "{}"), "the next one is `POST /v1`"),
        (http::Request::get("https://h/v1").body(Bytes::new()).unwrap(), "the next one is `POST /v1`"),
    ] {
        let error = player.send(request).await.unwrap_err();
        assert!(!error.is_retryable() && error.reach() == Reach::NotSent);
        let mismatch = error.into_refusal::<Mismatch>().unwrap().to_string();
        assert!(mismatch.contains(expected), "{mismatch}");
    }
    send(&player, post("/v2", "text")).await.unwrap();
    let error = player.send(post("/v2", "text")).await.unwrap_err().into_refusal::<Mismatch>().unwrap();
    assert!(error.to_string().ends_with("every such exchange has been played"), "{error}");
    assert_eq!(player.unplayed(), ["POST /v1"]);
}

#[tokio::test]
async fn a_recorder_keeps_the_contract_and_a_player_keeps_it_again() {
    let recorder = Recorder::new(Reqwest::builder().no_proxy().build().unwrap());
    contract::check(&recorder).await;
    let place = Place::new();
    recorder.save(&place.0).unwrap();
    let player = Player::load(&place.0).unwrap();
    contract::check_played(&player).await;
    assert_eq!(player.unplayed(), [""; 0], "each answer is played once");
}

#[test]
fn what_is_no_cassette_is_said_so() {
    for (text, expected) in [
        ("", "no JSON"),
        ("[]", "`cassette`"),
        (r#"{"cassette":2,"interactions":[]}"#, "`cassette`"),
        (r#"{"cassette":1}"#, "`interactions`"),
        (r#"{"cassette":1,"interactions":[{}]}"#, "is missing"),
    ] {
        let error = Player::parse(text).unwrap_err();
        assert!(error.to_string().contains(expected), "{text}: {error}");
    }
    assert!(Player::load("/nonexistent/cassette.json").unwrap_err().to_string().contains("path"));
}

#[tokio::test]
async fn more_than_a_cassette_holds_is_not_saved() {
    let piece = Bytes::from(vec![b'x'; 1 << 20]);
    let body = Body::from_stream(futures_util::stream::iter((0..33).map(move |_| Ok(piece.clone()))));
    let recorder = Recorder::new(ScriptedBackend::new([answer(200, body)]));
    assert_eq!(send(&recorder, post("/", "")).await.unwrap().1.len(), 33, "the caller gets all of it");
    let place = Place::new();
    assert!(recorder.save(&place.0).unwrap_err().to_string().contains("larger than"));
    assert!(!place.0.exists());
}
