//! `WWW-Authenticate`, as it should be and as it comes.

use auth_core::{AuthorizationRequest, Challenge, Client, MissingScope, OAuthErrorCode, ScopeSet};
use http::{HeaderMap, HeaderValue, header::WWW_AUTHENTICATE};
use proptest::prelude::*;

use crate::rig::server;

fn headers(values: &[&str]) -> HeaderMap {
    let values = values.iter().map(|value| HeaderValue::from_bytes(value.as_bytes()).unwrap());
    values.map(|value| (WWW_AUTHENTICATE, value)).collect()
}

/// Writes challenges so that they can be compared: `scheme token68 name=[value] …`, `;` between two.
fn read(values: &[&str]) -> String {
    let shown = Challenge::read(&headers(values)).into_iter().map(|challenge| {
        let mut shown = challenge.scheme().to_owned();
        shown.extend(challenge.token68().map(|text| format!(" {text}")));
        shown.extend(challenge.params().map(|(name, value)| format!(" {name}=[{value}]")));
        shown
    });
    shown.collect::<Vec<_>>().join("; ")
}

fn insufficient(scope: &str, granted: &str) -> MissingScope {
    let value = format!(r#"Bearer error="insufficient_scope", scope="{scope}""#);
    MissingScope::read(&headers(&[&value]), &ScopeSet::parse(granted), &"canary".into()).unwrap()
}

#[test]
fn the_challenges_of_the_rfcs_are_read() {
    // RFC 6750 section 3.
    assert_eq!(read(&[r#"Bearer realm="example""#]), "Bearer realm=[example]");
    assert_eq!(
        read(&[
            r#"Bearer realm="example", error="invalid_token", error_description="The access token expired""#
        ]),
        "Bearer realm=[example] error=[invalid_token] error_description=[The access token expired]"
    );
    // RFC 9110 section 11.6.1.
    assert_eq!(
        read(&[r#"Basic realm="simple", Newauth realm="apps", type=1, title="Login to \"apps\"""#]),
        r#"Basic realm=[simple]; Newauth realm=[apps] type=[1] title=[Login to "apps"]"#
    );
}

#[test]
fn every_code_of_rfc_6750_is_read_and_any_other_is_kept_fit_to_be_shown() {
    let error = |value: &str| Challenge::read(&headers(&[value]))[0].error(&"canary/x".into());
    for (code, expected) in [
        ("invalid_request", OAuthErrorCode::InvalidRequest),
        ("invalid_token", OAuthErrorCode::InvalidToken),
        ("insufficient_scope", OAuthErrorCode::InsufficientScope),
        ("house_rule", OAuthErrorCode::Other("house_rule".to_owned())),
        ("no canary/x, canary%2Fx", OAuthErrorCode::Other("no [redacted], [redacted]".to_owned())),
    ] {
        assert_eq!(error(&format!(r#"Bearer realm="x", error="{code}""#)), Some(expected), "{code}");
    }
    let Some(OAuthErrorCode::Other(kept)) = error(&format!(r#"Bearer error="{}""#, "x".repeat(300))) else {
        panic!("a long code is kept");
    };
    assert_eq!(kept, "x".repeat(256));
    for silent in
        ["Bearer", r#"Bearer error="""#, r#"DPoP error="invalid_token""#, r#"Basic error="invalid_token""#]
    {
        assert_eq!(error(silent), None, "{silent}");
    }
    assert_eq!(OAuthErrorCode::InvalidToken.to_string(), "invalid_token");
    assert_eq!(OAuthErrorCode::InsufficientScope.to_string(), "insufficient_scope");
}

/// C91: several headers, several challenges in one, commas in quotes, schemes nobody knows.
#[test]
fn challenges_are_told_apart_however_they_are_written() {
    for (values, expected) in [
        (&["Negotiate", "Basic realm=x"][..], "Negotiate; Basic realm=[x]"),
        (&["Negotiate YII=, Bearer a=b"], "Negotiate YII=; Bearer a=[b]"),
        (&["Negotiate a+b/c~==,Basic"], "Negotiate a+b/c~==; Basic"),
        (&["NTLM, Negotiate, Bearer"], "NTLM; Negotiate; Bearer"),
        (&[r#"Bearer a="x, Basic realm=y", b="\\\"""#], r#"Bearer a=[x, Basic realm=y] b=[\"]"#),
        (&[r#"bearer A = "x"  ,	b=	"y""#], "bearer A=[x] b=[y]"),
        (&[r#"Bearer error="x" scope="a b""#], "Bearer error=[x] scope=[a b]"),
        (&[r#", ,Bearer a="",, b=c,"#], "Bearer a=[] b=[c]"),
        (&["Bearer error=invalid_token,scope=a"], "Bearer error=[invalid_token] scope=[a]"),
        (
            &[r#"Digest qop="auth, auth-int", nonce=1, Bearer"#],
            "Digest qop=[auth, auth-int] nonce=[1]; Bearer",
        ),
        (&["Bearer a=b", "c=d, Basic"], "Bearer a=[b]; Basic"),
        (&[r#"Bearer a="é""#], "Bearer a=[é]"),
    ] {
        assert_eq!(read(values), expected, "{values:?}");
    }
}

/// C91: what breaks the grammar costs only itself.
#[test]
fn what_breaks_the_grammar_is_skipped_to_the_next_comma() {
    for (values, expected) in [
        (&[""][..], ""),
        (&[","], ""),
        (&["="], ""),
        (&["a=b"], ""),
        (&[r#""quoted, Basic x=y", Bearer a=b"#], "Bearer a=[b]"),
        (&["{json}, Bearer a=b"], "Bearer a=[b]"),
        (&["ht(tp, Bearer a=b"], "Bearer a=[b]"),
        (&[r#"Bearer a="not closed, b=c"#], "Bearer a=[not closed, b=c]"),
        (&[r#"Bearer a="\"#], "Bearer a=[]"),
    ] {
        assert_eq!(read(values), expected, "{values:?}");
    }
    let bytes = HeaderValue::from_bytes(b"Bearer a=\"\xff\"").unwrap();
    let odd = HeaderMap::from_iter([(WWW_AUTHENTICATE, bytes)]);
    assert_eq!(Challenge::read(&odd)[0].param("a"), Some("\u{fffd}"));
}

#[test]
fn names_have_no_case_and_the_first_of_two_counts() {
    let challenge = &Challenge::read(&headers(&["BEARER Error=one, error=two"]))[0];
    assert!(challenge.is_bearer());
    assert_eq!(challenge.param("ERROR"), Some("one"));
    assert_eq!(challenge.param("scope"), None);
}

/// C91: how many steps it takes is counted beside the reader; here it has to come to its end.
#[test]
fn half_a_mebibyte_of_garbage_is_read_to_its_end() {
    for seed in
        ["a ", "a b=\"", "\"", "\\", "a,", "=", "a/", "a a/", "x=\"\\\"", ", ", "Bearer a=b c ", "a  =  "]
    {
        let size = 512 * 1024;
        let text = seed.repeat(size / seed.len());
        assert!(Challenge::read(&headers(&[&text])).len() <= size / 2, "{seed:?}");
    }
}

proptest! {
    #[test]
    fn whatever_comes_is_read_without_panic(text in proptest::collection::vec("[ -~\t]{0,40}|[a-z]+ |, |=|\"", 0..50)) {
        let text = text.concat();
        if let Ok(value) = HeaderValue::from_bytes(text.as_bytes()) {
            let read = Challenge::read(&HeaderMap::from_iter([(WWW_AUTHENTICATE, value)]));
            let length: usize = read.iter().map(|challenge| {
                challenge.scheme().len() + challenge.params().map(|(name, value)| name.len() + value.len()).sum::<usize>()
            }).sum();
            prop_assert!(length <= text.len());
        }
    }

    #[test]
    fn what_is_written_is_read_back(value in "[ -~]{0,60}") {
        let quoted = value.replace('\\', "\\\\").replace('"', "\\\"");
        let header = format!("Basic realm=\"x\", Bearer error=\"{quoted}\", scope=s, Other");
        let read = Challenge::read(&headers(&[&header]));
        prop_assert_eq!(read.len(), 3);
        prop_assert_eq!(read[1].param("error"), Some(value.as_str()));
        prop_assert_eq!(read[1].param("scope"), Some("s"));
    }
}

/// C87.
#[test]
fn insufficient_scope_names_what_is_missing_and_what_to_ask_for() {
    let error = insufficient("read write admin", "read profile");
    assert_eq!(error.missing(), ScopeSet::parse("admin write"));
    assert_eq!(error.required(), &ScopeSet::parse("admin read write"));
    assert_eq!(
        error.to_string(),
        "the access token lacks a scope (admin write); log in again and ask for it"
    );
    let redirect = "http://127.0.0.1:1/cb".parse().unwrap();
    let (url, _) = AuthorizationRequest::new(&server(), &Client::public("app"), redirect)
        .unwrap()
        .scopes(error.wanted())
        .begin([1; 64]);
    let scope = url.query_pairs().find(|(name, _)| name == "scope").unwrap().1.into_owned();
    assert_eq!(scope, "admin profile read write", "nothing that was granted is lost");
}

#[test]
fn a_server_that_names_no_scope_or_one_we_have_is_understood_too() {
    let silent = insufficient("", "read");
    assert!(silent.missing().is_empty() && silent.required().is_empty());
    assert!(silent.to_string().contains("does not name"), "{silent}");
    let taken = insufficient("read", "read write");
    assert!(taken.missing().is_empty());
    assert!(taken.to_string().contains("no longer has a scope it was granted (read)"), "{taken}");
    assert_eq!(taken.wanted(), ScopeSet::parse("read write"));
}

/// C87 and C88: only a bearer challenge with this very error is about scopes.
#[test]
fn other_challenges_are_no_missing_scope() {
    let none = ScopeSet::default();
    for values in [
        &[][..],
        &["Bearer"],
        &[r#"Bearer error="invalid_token", scope="a""#],
        &[r#"Bearer scope="insufficient_scope""#],
        &[r#"DPoP error="insufficient_scope""#],
        &[r#"Basic realm="Bearer error=insufficient_scope""#],
    ] {
        assert_eq!(MissingScope::read(&headers(values), &none, &"t".into()), None, "{values:?}");
    }
    let second = ["Basic realm=x", r#"Bearer realm=x, Bearer error="insufficient_scope""#];
    assert!(MissingScope::read(&headers(&second), &none, &"t".into()).is_some());
}

/// C57: a name that repeats the token, or that a terminal would obey, is not kept.
#[test]
fn no_scope_shows_the_token_or_moves_the_cursor() {
    let long = "x".repeat(300);
    let error = insufficient(&format!("ok canary x:canary:y Y2FuYXJ5 \u{202e}txt \u{e9} {long}"), "");
    assert_eq!(error.required(), &ScopeSet::parse("ok"));
    assert!(!format!("{error} {error:?}").contains("canary"));
    let many: Vec<String> = (0..10_000).map(|number| number.to_string()).collect();
    assert_eq!(insufficient(&many.join(" "), "").required().iter().count(), 64);
}

/// C45: the same error before anything is sent.
#[test]
fn an_operation_that_needs_more_is_stopped_before_the_wire() {
    let granted = ScopeSet::parse("read");
    assert_eq!(MissingScope::check(&ScopeSet::default(), &granted), Ok(()));
    assert_eq!(MissingScope::check(&granted, &granted), Ok(()));
    let error = MissingScope::check(&ScopeSet::parse("read write"), &granted).unwrap_err();
    assert_eq!(error.missing(), ScopeSet::parse("write"));
    assert_eq!(error.wanted(), ScopeSet::parse("read write"));
}
