//! What servers say about themselves, true and false.

use auth_core::{
    AuthorizationRequest, CallbackErrorKind, Client, ConfigError, DeviceRequest, Metadata, MetadataError,
};
use http::StatusCode;
use serde_json::{Value, json};

use crate::rig::reply;

const ISSUER: &str = "https://server.example.com";

/// The document of RFC 8414 section 3.2, with PKCE added and the endpoints of other documents.
fn document() -> Value {
    json!({
        "issuer": "https://server.example.com",
        "authorization_endpoint": "https://server.example.com/authorize",
        "token_endpoint": "https://server.example.com/token",
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS256", "ES256"],
        "userinfo_endpoint": "https://server.example.com/userinfo",
        "jwks_uri": "https://server.example.com/jwks.json",
        "registration_endpoint": "https://server.example.com/register",
        "scopes_supported": ["openid", "profile", "email", "address", "phone", "offline_access"],
        "response_types_supported": ["code", "code token"],
        "service_documentation": "http://server.example.com/service_documentation.html",
        "ui_locales_supported": ["en-US", "en-GB", "en-CA", "fr-FR", "fr-CA"],
        "code_challenge_methods_supported": ["plain", "S256"],
        "device_authorization_endpoint": "https://server.example.com/device",
        "revocation_endpoint": "https://server.example.com/revoke"
    })
}

fn parse(document: &Value) -> Result<Metadata, MetadataError> {
    Metadata::parse(&reply(200, document.to_string()), ISSUER)
}

fn with(member: &str, value: Value) -> Value {
    let mut document = document();
    document[member] = value;
    document
}

fn without(member: &str) -> Value {
    let mut document = document();
    document.as_object_mut().unwrap().remove(member).unwrap();
    document
}

/// C79, with the addresses of RFC 8414 section 3.1.
#[test]
fn the_well_known_path_goes_before_the_issuers_own() {
    for (issuer, oauth, openid) in [
        (
            "https://example.com",
            "https://example.com/.well-known/oauth-authorization-server",
            "https://example.com/.well-known/openid-configuration",
        ),
        (
            "https://example.com/issuer1",
            "https://example.com/.well-known/oauth-authorization-server/issuer1",
            "https://example.com/issuer1/.well-known/openid-configuration",
        ),
        (
            "https://example.com:8443/a/b%2Fc/",
            "https://example.com:8443/.well-known/oauth-authorization-server/a/b%2Fc",
            "https://example.com:8443/a/b%2Fc/.well-known/openid-configuration",
        ),
        (
            "http://localhost:1/x",
            "http://localhost:1/.well-known/oauth-authorization-server/x",
            "http://localhost:1/x/.well-known/openid-configuration",
        ),
    ] {
        assert_eq!(Metadata::locations(issuer).unwrap().map(String::from), [oauth, openid]);
    }
}

/// C80, before anything is fetched.
#[test]
fn an_issuer_that_cannot_have_metadata_is_refused() {
    for issuer in [
        "",
        "example.com",
        "http://example.com",
        "http://localhost.evil.example",
        "https://u@example.com",
        "https://example.com?tenant=1",
        "https://example.com?",
        "https://example.com#x",
        "file:///etc/passwd",
        "mailto:issuer@example.com",
    ] {
        assert_eq!(Metadata::locations(issuer).unwrap_err(), MetadataError::Issuer, "{issuer}");
    }
}

#[test]
fn the_document_of_rfc_8414_section_3_2_is_read() {
    let metadata = parse(&document()).unwrap();
    let server = metadata.server();
    assert_eq!(server.issuer(), Some(ISSUER));
    assert_eq!(server.authorization_endpoint().unwrap().as_str(), "https://server.example.com/authorize");
    assert_eq!(server.token_endpoint().as_str(), "https://server.example.com/token");
    assert_eq!(server.revocation_endpoint().unwrap().as_str(), "https://server.example.com/revoke");
    let device = metadata.device_authorization_endpoint().unwrap().clone();
    let asking = DeviceRequest::new(server, &Client::public("app"), device).unwrap();
    assert_eq!(asking.request().uri(), "https://server.example.com/device");

    let mut bare = without("revocation_endpoint");
    bare.as_object_mut().unwrap().remove("device_authorization_endpoint");
    let metadata = parse(&bare).unwrap();
    assert_eq!(metadata.device_authorization_endpoint(), None);
    assert_eq!(metadata.into_server().revocation_endpoint(), None);
}

/// C78.
#[test]
fn another_issuer_is_refused_byte_for_byte() {
    for other in [
        "https://server.example.com/",
        "https://SERVER.example.com",
        "https://server.example.com:443",
        "https://attacker.example",
        "",
    ] {
        assert_eq!(parse(&with("issuer", other.into())).unwrap_err(), MetadataError::OtherIssuer, "{other}");
    }
    // The document may have a slash, if the issuer has it too.
    let slash = with("issuer", "https://server.example.com/".into());
    assert!(Metadata::parse(&reply(200, slash.to_string()), "https://server.example.com/").is_ok());
}

/// C4.
#[test]
fn there_is_no_login_without_s256() {
    for methods in [json!([]), json!(["plain"]), json!(["s256"])] {
        let document = with("code_challenge_methods_supported", methods);
        assert_eq!(parse(&document).unwrap_err(), MetadataError::NoS256);
    }
    let silent = without("code_challenge_methods_supported");
    assert_eq!(parse(&silent).unwrap_err(), MetadataError::NoS256);
}

/// RFC 8414 section 2: what serves machines only has no page to send anybody to.
#[test]
fn a_server_without_logins_needs_neither_their_endpoint_nor_s256() {
    let mut machines = without("authorization_endpoint");
    machines.as_object_mut().unwrap().remove("code_challenge_methods_supported");
    machines["grant_types_supported"] = json!(["client_credentials"]);
    let server = parse(&machines).unwrap().into_server();
    assert_eq!(server.authorization_endpoint(), None);
    assert_eq!(server.token_endpoint().as_str(), "https://server.example.com/token");
    let redirect = "http://127.0.0.1:1/cb".parse().unwrap();
    let refused = AuthorizationRequest::new(&server, &Client::public("app"), redirect).unwrap_err();
    assert_eq!(refused, ConfigError::NoAuthorizationEndpoint);

    let tokens = parse(&without("token_endpoint"));
    assert_eq!(
        tokens.unwrap_err(),
        MetadataError::NotMetadata,
        "every grant here ends at the token endpoint"
    );
}

/// C80, and C31 for what a browser would be sent to.
#[test]
fn every_endpoint_keeps_the_rules_of_a_server() {
    for (member, endpoint) in [
        ("authorization_endpoint", "authorization"),
        ("token_endpoint", "token"),
        ("revocation_endpoint", "revocation"),
        ("device_authorization_endpoint", "device authorization"),
    ] {
        for (bad, error) in [
            ("http://server.example.com/x", ConfigError::Insecure { endpoint }),
            ("http://127.0.0.1.evil.example/", ConfigError::Insecure { endpoint }),
            ("javascript:alert(1)", ConfigError::Insecure { endpoint }),
            ("file:///etc/passwd", ConfigError::Insecure { endpoint }),
            ("https://localhost@evil.example/", ConfigError::UserInfo { endpoint }),
            ("https://server.example.com/#x", ConfigError::Fragment { endpoint }),
        ] {
            assert_eq!(
                parse(&with(member, bad.into())).unwrap_err(),
                MetadataError::Endpoint(error),
                "{bad}"
            );
        }
        for odd in [json!("--help"), json!("/token"), json!(""), json!(1), json!([])] {
            assert_eq!(parse(&with(member, odd.clone())).unwrap_err(), MetadataError::NotMetadata, "{odd}");
        }
    }
}

/// C80, found by fuzzing: a URL may have characters in its host that no request can carry.
#[test]
fn every_endpoint_that_requests_go_to_is_a_request_target() {
    for (member, endpoint) in [
        ("token_endpoint", "token"),
        ("revocation_endpoint", "revocation"),
        ("device_authorization_endpoint", "device authorization"),
    ] {
        let odd = with(member, "https://server.ex{mple.com/".into());
        let error = MetadataError::Endpoint(ConfigError::NotARequestTarget { endpoint });
        assert_eq!(parse(&odd).unwrap_err(), error, "{member}");
    }
}

/// C15.
#[test]
fn a_server_that_always_names_itself_must_do_so() {
    for (announced, kept) in [(json!(true), false), (json!(false), true)] {
        let document = with("authorization_response_iss_parameter_supported", announced);
        let server = parse(&document).unwrap().into_server();
        let redirect = "http://127.0.0.1:1/cb".parse().unwrap();
        let (url, pending) =
            AuthorizationRequest::new(&server, &Client::public("app"), redirect).unwrap().begin([1; 64]);
        let state = url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
        let result = pending.complete(&format!("?code=c&state={state}"));
        assert_eq!(result.is_ok(), kept);
        if let Err(error) = result {
            assert!(matches!(error.kind(), CallbackErrorKind::IssuerMissing), "{error:?}");
        }
    }
}

/// C82, and C39 for documents.
#[test]
fn what_is_no_document_of_a_sane_size_is_refused() {
    for body in ["", "<html>", "[]", "null", "{}", r#"{"issuer":"https://server.example.com"}"#] {
        let error = Metadata::parse(&reply(200, body), ISSUER).unwrap_err();
        assert_eq!(error, MetadataError::NotMetadata, "{body}");
    }
    let twice = document().to_string().replacen('{', r#"{"issuer":"https://server.example.com","#, 1);
    assert_eq!(Metadata::parse(&reply(200, twice), ISSUER).unwrap_err(), MetadataError::NotMetadata);

    let mut sized = document().to_string();
    sized.extend(std::iter::repeat_n(' ', Metadata::MAX_DOCUMENT - sized.len()));
    assert!(Metadata::parse(&reply(200, sized.clone()), ISSUER).is_ok());
    sized.push(' ');
    assert_eq!(Metadata::parse(&reply(200, sized), ISSUER).unwrap_err(), MetadataError::TooLarge);

    let nested = format!(r#"{{"deep":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(Metadata::parse(&reply(200, nested), ISSUER).unwrap_err(), MetadataError::NotMetadata);
    for status in [204, 301, 302, 404, 500] {
        let error = Metadata::parse(&reply(status, document().to_string()), ISSUER).unwrap_err();
        assert_eq!(error, MetadataError::Status { status: StatusCode::from_u16(status).unwrap() });
    }
}
