//! Requests, byte for byte, against the specifications.

use std::time::Duration;

use auth_core::{
    AuthorizationRequest, Client, CodeGrant, DeviceOutput, DevicePoll, DeviceRequest, Federation, Format,
    ScopeSet, Server, TokenKind, Wire, exchange,
};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, header};
use serde_json::{Value, json};

use crate::rig::{at, form, reply, server};

fn grant(server: &Server, client: &Client, code: &str) -> CodeGrant {
    let (url, pending) =
        AuthorizationRequest::new(server, client, "https://client.example.com/cb".parse().unwrap())
            .unwrap()
            .begin([7; 64]);
    let state = url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    pending.complete(&format!("/cb?code={code}&state={state}")).unwrap()
}

#[test]
fn the_code_exchange_is_that_of_rfc_6749_section_4_1_3() {
    let client = Client::secret_basic("s6BhdRkqt3", "gX1fBat3bV".into());
    let (request, _) = exchange::code(grant(&server(), &client, "SplxlOBeZQQYbYS6WxSbIA"));
    assert_eq!(request.method(), Method::POST);
    assert_eq!(request.uri(), "https://auth.example/token");
    assert_eq!(request.headers()[header::AUTHORIZATION], "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW");
    assert!(request.headers()[header::AUTHORIZATION].is_sensitive());
    assert_eq!(request.headers()[header::CONTENT_TYPE], "application/x-www-form-urlencoded");
    let body = std::str::from_utf8(request.body()).unwrap();
    let rfc = "grant_type=authorization_code&code=SplxlOBeZQQYbYS6WxSbIA\
               &redirect_uri=https%3A%2F%2Fclient.example.com%2Fcb";
    let verifier = body.strip_prefix(rfc).unwrap().strip_prefix("&code_verifier=").unwrap();
    assert_eq!(verifier.len(), 64);
}

#[test]
fn the_refresh_is_that_of_rfc_6749_section_6() {
    let client = Client::secret_basic("s6BhdRkqt3", "gX1fBat3bV".into());
    let (request, _) = exchange::refresh(&server(), &client, &"tGzv3JOkF0XG5Qx2TlKWIA".into());
    assert_eq!(request.headers()[header::AUTHORIZATION], "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW");
    assert_eq!(request.body(), "grant_type=refresh_token&refresh_token=tGzv3JOkF0XG5Qx2TlKWIA");
}

#[test]
fn a_client_authenticates_in_exactly_one_way() {
    for (client, secret) in
        [(Client::public("app"), None), (Client::secret_post("app", "pass word".into()), Some("pass word"))]
    {
        let (request, _) = exchange::refresh(&server(), &client, &"r".into());
        assert_eq!(request.headers().get(header::AUTHORIZATION), None);
        let form = form(&request);
        assert_eq!(form["client_id"], "app");
        assert_eq!(form.get("client_secret").map(String::as_str), secret);
    }
}

#[test]
fn claude_takes_the_code_as_a_form_with_state() {
    let server = server().with_wire(Wire::claude());
    let (request, _) = exchange::code(grant(&server, &Client::public("app"), "c0de"));
    let form = form(&request);
    assert_eq!(form["state"].len(), 22);
    assert_eq!(form["client_id"], "app");
    assert_eq!(form["code"], "c0de");
    assert!(!request.headers().contains_key("anthropic-beta"));
}

#[test]
fn claude_takes_a_refresh_as_json_with_a_beta_header() {
    let server = server().with_wire(Wire::claude());
    let (request, _) = exchange::refresh(&server, &Client::public("app"), &"r\"t".into());
    assert_eq!(request.headers()["anthropic-beta"], "oauth-2025-04-20");
    assert_eq!(request.headers()[header::CONTENT_TYPE], "application/json");
    let body: Value = serde_json::from_slice(request.body()).unwrap();
    assert_eq!(body, json!({ "grant_type": "refresh_token", "refresh_token": "r\"t", "client_id": "app" }));
}

#[test]
fn a_foreign_dialect_is_a_value() {
    let tenant = HeaderName::from_static("x-tenant");
    let refresh = Format::form().with_header(tenant, HeaderValue::from_static("seven"));
    let server = server().with_wire(Wire::new(Format::json(), refresh));
    let (request, _) = exchange::code(grant(&server, &Client::public("app"), "c0de"));
    assert_eq!(request.headers()[header::CONTENT_TYPE], "application/json");
    let (request, _) = exchange::refresh(&server, &Client::public("app"), &"r".into());
    assert_eq!(request.headers()["x-tenant"], "seven");
}

#[test]
fn the_token_endpoint_keeps_its_query() {
    let server = Server::new("https://a.example/token?tenant=1".parse().unwrap());
    let (request, _) = exchange::refresh(&server.unwrap(), &Client::public("app"), &"r".into());
    assert_eq!(request.uri(), "https://a.example/token?tenant=1");
}

#[test]
fn the_same_redirect_uri_goes_to_both_endpoints() {
    for redirect in ["http://localhost:8976/callback", "http://[::1]:1/cb?x=%2F", "com.example:/cb"] {
        let (url, pending) =
            AuthorizationRequest::new(&server(), &Client::public("app"), redirect.parse().unwrap())
                .unwrap()
                .scopes(ScopeSet::parse("a"))
                .begin([1; 64]);
        let sent = |name: &str| url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
        assert_eq!(sent("redirect_uri"), redirect);
        let grant = pending.complete(&format!("?code=c&state={}", sent("state"))).unwrap();
        assert_eq!(form(&exchange::code(grant).0)["redirect_uri"], redirect);
    }
}

/// Asks for a device code, and for tokens with it.
fn device(server: &Server, client: &Client) -> [Request<Bytes>; 2] {
    let asking = DeviceRequest::new(server, client, "https://auth.example/device".parse().unwrap()).unwrap();
    let answer = json!({
        "device_code": "canary-d", "user_code": "WDJB-MJHT", "expires_in": 1800,
        "verification_uri": "https://auth.example/enter",
    });
    let authorization = asking.response(&reply(200, answer.to_string()), at(0)).unwrap();
    let mut poll = DevicePoll::new(authorization, Duration::ZERO);
    let DeviceOutput::Wait { until } = poll.poll(Duration::ZERO) else { panic!("{poll:?}") };
    let DeviceOutput::Transmit { request } = poll.poll(until) else { panic!("{poll:?}") };
    [asking.request(), request]
}

/// C10: what is secret travels in bodies and headers, and a URL is written into logs.
#[test]
fn no_url_holds_a_secret() {
    let server = server().with_revocation_endpoint("https://auth.example/revoke".parse().unwrap()).unwrap();
    let (assertion, scopes) = ("canary-j".into(), ScopeSet::default());
    let federation = Federation::new("fdrl_1", "org_1");
    for (wire, client) in [
        (Wire::rfc(), Client::secret_basic("app", "canary-s".into())),
        (Wire::rfc(), Client::secret_post("app", "canary-s".into())),
        (Wire::claude(), Client::secret_post("app", "canary-s".into())),
    ] {
        let server = server.clone().with_wire(wire);
        let redirect = "https://client.example.com/cb".parse().unwrap();
        let (url, _) = AuthorizationRequest::new(&server, &client, redirect).unwrap().begin([7; 64]);
        assert!(!url.as_str().contains("canary"), "{url}");
        let exchanges = [
            exchange::code(grant(&server, &client, "canary-c")),
            exchange::refresh(&server, &client, &"canary-r".into()),
            exchange::client_credentials(&server, &client, &scopes),
            exchange::jwt_bearer(&server, Some(&client), &assertion, &scopes, at(0)).unwrap(),
            exchange::federation(&server, &federation, &assertion, at(0)).unwrap(),
            exchange::revoke(&server, &client, &"canary-t".into(), TokenKind::RefreshToken).unwrap(),
            exchange::revoke(&server, &client, &"canary-t".into(), TokenKind::AccessToken).unwrap(),
        ];
        let requests = exchanges.into_iter().map(|(request, _)| request);
        for request in requests.chain(device(&server, &client)) {
            assert_eq!(request.uri().query(), None, "{}", request.uri());
            assert!(!request.uri().to_string().contains("canary"), "{}", request.uri());
        }
    }
}
