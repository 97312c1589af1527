//! Logging in on another device, step by step on a held clock.

use std::time::Duration;

use auth_core::{
    Client, ConfigError, DeviceAuthorization, DeviceError, DeviceOutput, DevicePoll, DeviceRequest,
    ExchangeError, OAuthErrorCode, ScopeSet, SendFailure, exchange::MAX_ANSWER,
};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::rig::{at, form, oauth_error, reply, server, tokens};

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn asking() -> DeviceRequest {
    DeviceRequest::new(
        &server(),
        &Client::public("1406020730"),
        "https://auth.example/device_authorization".parse().unwrap(),
    )
    .unwrap()
    .scopes(ScopeSet::parse("example_scope"))
}

/// The answer of RFC 8628 section 3.2.
fn answer() -> Value {
    json!({
        "device_code": "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS",
        "user_code": "WDJB-MJHT",
        "verification_uri": "https://example.com/device",
        "verification_uri_complete": "https://example.com/device?user_code=WDJB-MJHT",
        "expires_in": 1800,
        "interval": 5
    })
}

fn read(answer: &Value) -> Result<DeviceAuthorization, DeviceError> {
    asking().response(&reply(200, answer.to_string()), at(0))
}

fn with(member: &str, value: Value) -> Value {
    let mut answer = answer();
    answer[member] = value;
    answer
}

fn problem(answer: &Value) -> String {
    match read(answer).unwrap_err() {
        DeviceError::Invalid { problem } => problem.to_owned(),
        error => panic!("{error:?}"),
    }
}

/// A poll that began at 100 s on its clock, as the driver sees it.
struct Rig {
    poll: DevicePoll,
    elapsed: Duration,
}

impl Rig {
    fn new(answer: &Value) -> Self {
        Self { poll: DevicePoll::new(read(answer).unwrap(), secs(100)), elapsed: secs(100) }
    }

    /// Waits as told until there is something to send, and says how long that took.
    #[track_caller]
    fn transmit(&mut self) -> (u64, Request<Bytes>) {
        let begin = self.elapsed;
        loop {
            match self.poll.poll(self.elapsed) {
                DeviceOutput::Transmit { request } => return ((self.elapsed - begin).as_secs(), request),
                DeviceOutput::Wait { until } => {
                    assert!(until > self.elapsed, "a wait of nothing");
                    let just_before = until - Duration::from_nanos(1);
                    assert!(
                        matches!(self.poll.poll(just_before), DeviceOutput::Wait { until: again } if again == until)
                    );
                    self.elapsed = until;
                }
                end => panic!("{end:?}"),
            }
        }
    }

    #[track_caller]
    fn gap(&mut self) -> u64 {
        self.transmit().0
    }

    fn answer(&mut self, response: Response<Bytes>) -> &mut Self {
        self.poll.handle(Ok(response), self.elapsed, at(0));
        self
    }

    fn lose(&mut self, failure: SendFailure) -> &mut Self {
        self.poll.handle(Err(failure), self.elapsed, at(0));
        self
    }

    #[track_caller]
    fn token(&mut self) -> String {
        match self.poll.poll(self.elapsed) {
            DeviceOutput::Done(tokens) => tokens.access_token.expose_secret().to_owned(),
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn failure(&mut self) -> DeviceError {
        match self.poll.poll(self.elapsed) {
            DeviceOutput::Failed(error) => error,
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_request_is_that_of_rfc_8628_section_3_1() {
    let request = asking().request();
    assert_eq!(request.method(), Method::POST);
    assert_eq!(request.uri(), "https://auth.example/device_authorization");
    assert_eq!(request.headers()[header::CONTENT_TYPE], "application/x-www-form-urlencoded");
    let form = form(&request);
    assert_eq!(form.len(), 2);
    assert_eq!((&*form["client_id"], &*form["scope"]), ("1406020730", "example_scope"));

    let client = Client::secret_basic("app", "s3cret".into());
    let asking =
        DeviceRequest::new(&server(), &client, "https://auth.example/?tenant=1".parse().unwrap()).unwrap();
    let request = asking.request();
    assert_eq!(request.uri(), "https://auth.example/?tenant=1");
    assert!(request.headers()[header::AUTHORIZATION].is_sensitive());
    assert!(request.body().is_empty(), "no scope rather than an empty one, and one authentication");
}

/// C36 for the device authorization endpoint.
#[test]
fn the_endpoint_keeps_the_rules_of_a_server() {
    let endpoint = "device authorization";
    for (bad, error) in [
        ("http://auth.example/", ConfigError::Insecure { endpoint }),
        ("https://u@auth.example/", ConfigError::UserInfo { endpoint }),
        ("https://auth.example/#x", ConfigError::Fragment { endpoint }),
    ] {
        let refused = DeviceRequest::new(&server(), &Client::public("app"), bad.parse().unwrap());
        assert_eq!(refused.unwrap_err(), error, "{bad}");
    }
}

#[test]
fn the_answer_of_rfc_8628_section_3_2_is_read() {
    let authorization = read(&answer()).unwrap();
    assert_eq!(authorization.user_code(), "WDJB-MJHT");
    assert_eq!(authorization.verification_uri().as_str(), "https://example.com/device");
    let complete = authorization.verification_uri_complete().unwrap().as_str();
    assert_eq!(complete, "https://example.com/device?user_code=WDJB-MJHT");
    assert_eq!((authorization.expires_in(), authorization.interval()), (secs(1800), secs(5)));
}

#[test]
fn the_poll_is_that_of_rfc_8628_section_3_4() {
    let (_, request) = Rig::new(&answer()).transmit();
    assert_eq!(request.uri(), "https://auth.example/token");
    let form = form(&request);
    assert_eq!(form.len(), 3);
    assert_eq!(form["grant_type"], "urn:ietf:params:oauth:grant-type:device_code");
    assert_eq!(form["device_code"], "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS");
    assert_eq!(form["client_id"], "1406020730");
}

#[test]
fn what_the_login_needs_has_to_be_there() {
    for member in ["device_code", "user_code", "verification_uri", "expires_in"] {
        let mut without = answer();
        without.as_object_mut().unwrap().remove(member);
        assert!(problem(&without).starts_with(member), "{member}");
        assert!(problem(&with(member, Value::Null)).starts_with(member), "{member}");
    }
    for expires_in in [json!(0), json!(-1), json!("NaN"), json!("soon"), json!([])] {
        assert!(problem(&with("expires_in", expires_in)).starts_with("expires_in"));
    }
    let twice = answer().to_string().replacen('{', r#"{"device_code":"other","#, 1);
    for body in ["", "<html>", "[]", "null", r#"{"device_code":1}"#, &twice] {
        let error = asking().response(&reply(200, body.to_owned()), at(0)).unwrap_err();
        assert!(matches!(error, DeviceError::Invalid { .. }), "{body}: {error:?}");
    }
    let huge = asking().response(&reply(200, vec![b' '; 2 << 20]), at(0)).unwrap_err();
    assert!(huge.to_string().contains("larger than 1 MiB"), "{huge}");
}

#[test]
fn answers_are_read_up_to_one_mebibyte() {
    let padded = |text: String, length| text.clone() + &" ".repeat(length - text.len());
    for (length, is_read) in [(MAX_ANSWER, true), (MAX_ANSWER + 1, false)] {
        let authorization = asking().response(&reply(200, padded(answer().to_string(), length)), at(0));
        assert_eq!(authorization.is_ok(), is_read, "{length}");

        let mut rig = Rig::new(&answer());
        rig.gap();
        rig.answer(reply(400, padded(json!({ "error": "authorization_pending" }).to_string(), length)));
        let goes_on = matches!(rig.poll.poll(rig.elapsed), DeviceOutput::Wait { .. });
        assert_eq!(goes_on, is_read, "{length}");
    }
}

#[test]
fn a_refusal_names_its_endpoint_and_its_reason() {
    let body = r#"{"error":"invalid_client","error_description":"who\u001b[31m are you"}"#;
    let error = asking().response(&reply(401, body), at(0)).unwrap_err();
    let DeviceError::Refused { status, code, .. } = &error else { panic!("{error:?}") };
    assert_eq!((*status, code), (StatusCode::UNAUTHORIZED, &OAuthErrorCode::InvalidClient));
    assert_eq!(
        error.to_string(),
        "the device authorization endpoint refused: invalid_client (who [31m are you)"
    );

    let mut busy = reply(503, "<html>");
    busy.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("7"));
    let error = asking().response(&busy, at(0)).unwrap_err();
    assert!(
        matches!(error, DeviceError::Status { retry_after: Some(wait), .. } if wait == secs(7)),
        "{error:?}"
    );
    let created = asking().response(&reply(201, answer().to_string()), at(0)).unwrap_err();
    assert!(matches!(created, DeviceError::Status { excerpt: None, .. }), "{created:?}");
}

/// C75.
#[test]
fn what_the_user_is_shown_is_safe_to_show() {
    let escapes = read(&with("user_code", "\u{1b}]0;x\u{7}WDJB\r\n\u{202e}MJHT".into())).unwrap();
    assert_eq!(escapes.user_code(), "]0;x WDJB   MJHT");
    assert!(problem(&with("user_code", "\u{1b}\u{202e}".into())).starts_with("user_code"));
    for bad in [
        "http://example.com/device",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "--help",
        "https://example.com@evil.example/",
        "http://localhost.evil.example/",
    ] {
        assert!(problem(&with("verification_uri", bad.into())).starts_with("verification_uri"), "{bad}");
        let complete = read(&with("verification_uri_complete", bad.into())).unwrap();
        assert_eq!(complete.verification_uri_complete(), None, "{bad}");
    }
    for good in ["https://example.com/#/device", "http://127.0.0.1:1/device"] {
        let authorization = read(&with("verification_uri", good.into())).unwrap();
        assert_eq!(authorization.verification_uri().as_str(), good);
    }
    let escaped = read(&with("verification_uri", "https://example.com/\u{1b}[31m".into())).unwrap();
    assert!(!escaped.verification_uri().as_str().contains('\u{1b}'));
}

/// C69 and C77.
#[test]
fn the_first_poll_comes_after_the_interval_which_is_sane() {
    for (told, expected) in [
        (json!(5), 5),
        (json!("7"), 7),
        (Value::Null, 5),
        (json!("soon"), 5),
        (json!([]), 5),
        (json!(0), 1),
        (json!(-3), 1),
        (json!(0.2), 1),
        (json!(600), 600),
    ] {
        let mut rig = Rig::new(&with("interval", told.clone()));
        assert_eq!(rig.gap(), expected, "{told}");
    }
    let mut absent = answer();
    absent.as_object_mut().unwrap().remove("interval");
    assert_eq!(Rig::new(&absent).gap(), 5);
    for told in [json!(1e9), json!(u64::MAX), json!("1e300"), json!("inf")] {
        assert_eq!(read(&with("interval", told)).unwrap().interval(), secs(1800), "never past the expiry");
    }
}

/// C70.
#[test]
fn slow_down_adds_five_seconds_for_good() {
    let mut rig = Rig::new(&answer());
    assert_eq!(rig.gap(), 5);
    assert_eq!(rig.answer(oauth_error(400, "slow_down")).gap(), 10);
    assert_eq!(rig.answer(oauth_error(400, "authorization_pending")).gap(), 10);
    assert_eq!(rig.answer(oauth_error(400, "slow_down")).gap(), 15);
    // A longer interval in the error is honoured, a shorter one is not.
    let told = |interval: u64| reply(400, json!({ "error": "slow_down", "interval": interval }).to_string());
    assert_eq!(rig.answer(told(60)).gap(), 60);
    assert_eq!(rig.answer(told(1)).gap(), 65);
    assert_eq!(rig.answer(oauth_error(400, "authorization_pending")).gap(), 65);
    assert_eq!(rig.answer(tokens("at", "rt", 60)).token(), "at");
}

/// C71.
#[test]
fn failures_of_the_network_back_off_and_never_below_the_interval() {
    let mut rig = Rig::new(&answer());
    assert_eq!(rig.gap(), 5);
    let gaps: Vec<u64> = [SendFailure::NotSent, SendFailure::MaybeSent]
        .into_iter()
        .cycle()
        .take(6)
        .map(|failure| rig.lose(failure).gap())
        .collect();
    assert_eq!(gaps, [10, 20, 40, 60, 60, 60]);
    assert_eq!(rig.answer(oauth_error(400, "authorization_pending")).gap(), 5, "the network is back");
    assert_eq!(rig.answer(oauth_error(400, "slow_down")).gap(), 10);
    assert_eq!(rig.lose(SendFailure::MaybeSent).gap(), 20);

    let mut slow = Rig::new(&with("interval", json!(100)));
    assert_eq!(slow.gap(), 100);
    assert_eq!(slow.lose(SendFailure::NotSent).gap(), 200);
    assert_eq!(slow.lose(SendFailure::NotSent).gap(), 200);
}

/// C74 and C54.
#[test]
fn trouble_of_the_server_does_not_end_the_login() {
    let mut rig = Rig::new(&answer());
    rig.gap();
    for response in [
        reply(502, "<html>Bad Gateway</html>"),
        reply(500, ""),
        reply(503, "{}"),
        reply(429, "slow"),
        reply(408, ""),
        reply(200, "<html>Log in to the hotel network</html>"),
        oauth_error(400, "temporarily_unavailable"),
        oauth_error(500, "server_error"),
    ] {
        let shown = format!("{response:?}");
        assert!(rig.answer(response).gap() > 5, "{shown}");
    }
    rig.answer(oauth_error(400, "authorization_pending")).gap();
    let mut busy = reply(503, "");
    busy.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("300"));
    assert_eq!(rig.answer(busy).gap(), 300);
    let mut hasty = reply(503, "");
    hasty.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("0"));
    assert_eq!(rig.answer(hasty).gap(), 20, "the backoff stays");
}

/// C72 and C74.
#[test]
fn a_no_ends_the_login() {
    let ended = |response: Response<Bytes>| {
        let mut rig = Rig::new(&answer());
        rig.gap();
        let error = rig.answer(response).failure();
        rig.elapsed += secs(60);
        assert_eq!(rig.failure(), error, "it stays ended");
        error
    };
    assert_eq!(ended(oauth_error(400, "access_denied")), DeviceError::Denied);
    assert_eq!(ended(oauth_error(403, "access_denied")), DeviceError::Denied);
    assert_eq!(ended(oauth_error(400, "expired_token")), DeviceError::Expired);
    for response in [
        oauth_error(400, "invalid_grant"),
        oauth_error(401, "invalid_client"),
        oauth_error(400, "unsupported_grant_type"),
        oauth_error(400, "something_new"),
        reply(400, "<html>"),
        reply(404, "not here"),
        reply(302, ""),
        reply(200, r#"{"error":"authorization_pending"}"#),
        reply(200, r#"{"access_token":"a b","token_type":"bearer"}"#),
    ] {
        let shown = format!("{response:?}");
        assert!(matches!(ended(response), DeviceError::Exchange(_)), "{shown}");
    }
    let source = ended(oauth_error(400, "invalid_grant"));
    assert!(matches!(&source, DeviceError::Exchange(ExchangeError::Refused { .. })));
    assert!(std::error::Error::source(&source).is_some());
}

/// C73: only the clock of `elapsed` counts.
#[test]
fn the_login_ends_at_its_expiry_whatever_the_wall_clock_says() {
    let mut rig = Rig::new(&with("expires_in", json!(12)));
    assert_eq!(rig.gap(), 5);
    let day = 86_400;
    rig.poll.handle(Ok(oauth_error(400, "authorization_pending")), rig.elapsed, at(30 * day));
    assert_eq!(rig.gap(), 5, "the wall clock went a month ahead");
    rig.poll.handle(Ok(oauth_error(400, "authorization_pending")), rig.elapsed, at(0) - secs(day));
    // The next poll would be due at 115 s; the code expires at 112 s.
    assert!(matches!(rig.poll.poll(rig.elapsed), DeviceOutput::Wait { until } if until == secs(112)));
    assert!(matches!(rig.poll.poll(secs(112) - Duration::from_nanos(1)), DeviceOutput::Wait { .. }));
    rig.elapsed = secs(112);
    assert_eq!(rig.failure(), DeviceError::Expired);
}

#[test]
fn an_answer_that_never_comes_cannot_outlast_the_code() {
    let mut rig = Rig::new(&answer());
    rig.gap();
    assert!(matches!(rig.poll.poll(rig.elapsed), DeviceOutput::Wait { until } if until == secs(1900)));
    rig.elapsed = secs(1900);
    assert_eq!(rig.failure(), DeviceError::Expired);
    rig.answer(tokens("at", "rt", 60));
    assert_eq!(rig.failure(), DeviceError::Expired, "nobody waits for it any more");
}

#[test]
fn tokens_that_come_late_but_before_the_next_poll_count() {
    let mut rig = Rig::new(&answer());
    rig.gap();
    rig.elapsed = secs(5000);
    assert_eq!(rig.answer(tokens("at", "rt", 60)).token(), "at");
    assert_eq!(rig.token(), "at", "it says so as often as it is asked");
}

#[test]
fn an_answer_nobody_waits_for_changes_nothing() {
    let mut rig = Rig::new(&answer());
    rig.answer(tokens("forged", "rt", 60)).lose(SendFailure::NotSent);
    assert_eq!(rig.gap(), 5);
    rig.answer(oauth_error(400, "authorization_pending"));
    rig.answer(oauth_error(400, "access_denied"));
    assert_eq!(rig.gap(), 5);
}

#[test]
fn a_short_device_code_cannot_hide_the_servers_words() {
    let mut rig = Rig::new(&with("device_code", "pending".into()));
    rig.gap();
    assert_eq!(rig.answer(oauth_error(400, "authorization_pending")).gap(), 5);
}

#[test]
fn the_tokens_have_what_was_asked_and_what_was_granted() {
    for (scope, expected, changed) in
        [("", "example_scope", false), (r#","scope":"less more""#, "less more", true)]
    {
        let mut rig = Rig::new(&answer());
        rig.gap();
        let body = format!(r#"{{"access_token":"at","token_type":"Bearer","expires_in":60{scope}}}"#);
        rig.answer(reply(200, body));
        let DeviceOutput::Done(tokens) = rig.poll.poll(rig.elapsed) else { panic!("not done") };
        assert_eq!(tokens.scopes, Some(ScopeSet::parse(expected)));
        assert_eq!(tokens.scope_change.is_some(), changed);
        assert_eq!(tokens.expires_at, Some(at(60)));
        assert!(tokens.refresh_token.is_none());
    }
}

/// C76 and C57.
#[test]
fn the_device_code_is_never_shown() {
    let canary = "canary/d+c=";
    let client = Client::secret_post("app", "canary/s3cret".into());
    let asking = DeviceRequest::new(&server(), &client, "https://a.example/".parse().unwrap()).unwrap();
    let authorization =
        asking.response(&reply(200, with("device_code", canary.into()).to_string()), at(0)).unwrap();
    let mut shown = format!("{asking:?} {authorization:?}");
    let mut poll = DevicePoll::new(authorization, secs(0));
    let output = poll.poll(secs(5));
    shown += &format!("{output:?} {poll:?}");
    let DeviceOutput::Transmit { request } = output else { panic!("{output:?}") };
    let echo = String::from_utf8(request.body().to_vec()).unwrap() + canary;
    for response in [
        reply(400, json!({ "error": "odd", "error_description": echo }).to_string()),
        reply(400, json!({ "error": echo }).to_string()),
        reply(404, echo.clone()),
    ] {
        let refused = asking.response(&reply(400, "canary/s3cret"), at(0)).unwrap_err();
        shown += &format!("{refused} {refused:?}");
        let authorization =
            asking.response(&reply(200, with("device_code", canary.into()).to_string()), at(0)).unwrap();
        let mut poll = DevicePoll::new(authorization, secs(0));
        let _ = poll.poll(secs(5));
        poll.handle(Ok(response), secs(5), at(0));
        let DeviceOutput::Failed(error) = poll.poll(secs(5)) else { panic!("not failed") };
        shown += &format!("{error} {error:?} {:?} {poll:?}", std::error::Error::source(&error));
    }
    assert!(shown.contains("[redacted]"));
    assert!(!shown.contains("canary"), "{shown}");
}

#[test]
fn debug_of_an_output_tells_what_to_do() {
    let mut rig = Rig::new(&answer());
    assert_eq!(format!("{:?}", rig.poll.poll(secs(100))), "Wait { until: 105s }");
    assert_eq!(format!("{:?}", rig.poll.poll(secs(105))), "Transmit { .. }");
    rig.answer(tokens("at", "rt", 60));
    let done = format!("{:?}", rig.poll.poll(secs(105)));
    assert!(done.starts_with("Done(TokenSet { "), "{done}");
    assert_eq!(format!("{:?}", Rig::new(&answer()).poll.poll(secs(9000))), "Failed(Expired)");
}
