use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

use super::*;

const KEY: &str = concat!("whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
const BODY: &[u8] = br#"{"test": 2432232314}"#;

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let pair = |(name, value): &(&'static str, &str)| {
        (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
    };
    pairs.iter().map(pair).collect()
}

fn event(kind: &str) -> Vec<u8> {
    json!({"type": "event", "id": "wevt_1", "created_at": "2026-11-28T12:00:00Z",
        "data": {"type": kind, "id": "x_1", "organization_id": "org", "workspace_id": "wrkspc_1"}})
    .to_string()
    .into_bytes()
}

fn key() -> SigningKey {
    SigningKey::new(KEY).unwrap()
}

/// The example that the specification's own libraries are tested with.
#[test]
fn the_known_signature_is_made() {
    let made = key().sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at(1_614_265_330), BODY).unwrap();
    assert_eq!(made["webhook-signature"], "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

#[test]
fn what_was_signed_is_believed_within_five_minutes_and_not_beyond() {
    let body = event("session.idled");
    let signed = key().sign("msg_1", at(10_000), &body).unwrap();
    for now in [9_700, 10_000, 10_300] {
        assert_eq!(key().verify(&signed, &body, at(now)).unwrap().data.kind, WebhookEventType::SessionIdled);
    }
    assert_eq!(key().verify(&signed, &body, at(9_699)).unwrap_err(), WebhookError::TooNew);
    assert_eq!(key().verify(&signed, &body, at(10_301)).unwrap_err(), WebhookError::TooOld);
    let patient = key().tolerance(Duration::from_secs(3600));
    assert!(patient.verify(&signed, &body, at(13_600)).is_ok());
}

#[test]
fn whatever_was_changed_is_not_believed() {
    let body = event("vault.created");
    let good = key().sign("msg_1", at(10_000), &body).unwrap();
    let now = at(10_000);
    let refused = |headers: &HeaderMap, body: &[u8]| key().verify(headers, body, now).unwrap_err();

    let mut longer = body.clone();
    longer.push(b' ');
    assert_eq!(refused(&good, &longer), WebhookError::Signature);
    for (name, value) in [("webhook-id", "msg_2"), ("webhook-timestamp", "10001")] {
        let mut changed = good.clone();
        changed.insert(name, HeaderValue::from_static(value));
        assert_eq!(refused(&changed, &body), WebhookError::Signature, "{name}");
    }
    let other = SigningKey::new("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").unwrap();
    assert_eq!(other.verify(&good, &body, now).unwrap_err(), WebhookError::Signature);
}

#[test]
fn one_right_signature_among_several_is_enough() {
    let body = event("agent.updated");
    let good = key().sign("msg_1", at(10_000), &body).unwrap();
    let right = good["webhook-signature"].to_str().unwrap().to_owned();
    let wrong = format!("v1,{}", STANDARD.encode([7; 32]));
    let with = |signatures: &str| {
        let mut headers = good.clone();
        headers.insert("webhook-signature", HeaderValue::from_str(signatures).unwrap());
        key().verify(&headers, &body, at(10_000)).map(|event| event.id)
    };
    assert_eq!(with(&format!("{wrong} v1a,abc {right}")).unwrap(), "wevt_1");
    for signatures in [
        wrong.clone(),
        right.replace("v1,", "v2,"),
        right.replace("v1,", ""),
        right.replace("v1,", "v1,A"),
        "v1,".to_owned(),
        "v1".to_owned(),
        " ".to_owned(),
        right.replace(' ', "").chars().take(20).collect(),
    ] {
        assert_eq!(with(&signatures).unwrap_err(), WebhookError::Signature, "{signatures}");
    }
}

#[test]
fn a_header_that_is_missing_doubled_long_or_malformed_is_named() {
    let body = event("agent.created");
    let now = at(10_000);
    let good = key().sign("msg_1", now, &body).unwrap();
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        let mut without = good.clone();
        without.remove(name);
        assert_eq!(key().verify(&without, &body, now).unwrap_err(), WebhookError::Missing(name));
        let mut twice = good.clone();
        twice.append(name, good[name].clone());
        assert_eq!(key().verify(&twice, &body, now).unwrap_err(), WebhookError::Malformed(name));
        let mut long = good.clone();
        long.insert(name, HeaderValue::from_str(&"1".repeat(5000)).unwrap());
        assert_eq!(key().verify(&long, &body, now).unwrap_err(), WebhookError::Malformed(name));
    }
    for time in ["-1", "+10000", "1e4", "10000.0", " 10000", "99999999999999999999", "18446744073709551615"] {
        let mut odd = good.clone();
        odd.insert("webhook-timestamp", HeaderValue::from_str(time).unwrap());
        let error = key().verify(&odd, &body, now).unwrap_err();
        assert!(matches!(error, WebhookError::Malformed(_) | WebhookError::TooNew), "{time}: {error:?}");
    }
    assert_eq!(key().verify(&headers(&[]), &body, now).unwrap_err(), WebhookError::Missing("webhook-id"));
}

#[test]
fn a_key_is_taken_in_each_way_it_is_copied_and_never_shown() {
    for text in [KEY, &KEY[6..], &format!(" {KEY}\n"), "whsec_AAEC", "whsec_AA==", "whsec_AA"] {
        assert!(SigningKey::new(text).is_ok(), "{text}");
    }
    for text in ["", "whsec_", "whsec_!", "whsec_A"] {
        assert_eq!(SigningKey::new(text).unwrap_err(), WebhookError::Key, "{text}");
    }
    let shown = format!("{:?} {}", key(), SigningKey::new("whsec_!secret").unwrap_err());
    assert!(!shown.contains("MfKQ") && !shown.contains("!secret") && !shown.contains("49, 242"), "{shown}");
}

#[test]
fn a_body_is_bounded_and_what_is_no_event_is_told_without_repeating_it() {
    let huge = vec![b' '; 1024 * 1024 + 1];
    assert_eq!(parse_unverified(&huge).unwrap_err(), WebhookError::TooLarge);
    let signed = key().sign("msg_1", at(10_000), &huge).unwrap();
    assert_eq!(key().verify(&signed, &huge, at(10_000)).unwrap_err(), WebhookError::TooLarge);
    for body in [&b"{"[..], b"[]", br#"{"id": "canary"}"#, br#"{"id": "canary", "data": {"type": 3}}"#] {
        let signed = key().sign("msg_1", at(10_000), body).unwrap();
        let error = key().verify(&signed, body, at(10_000)).unwrap_err();
        assert!(matches!(&error, WebhookError::Json(what) if !what.contains("canary")), "{error}");
    }
}

#[test]
fn an_event_of_tomorrow_is_kept_as_it_came() {
    let body = json!({"type": "event", "id": "wevt_1", "created_at": "2026-11-28T12:00:00Z", "new": [1],
        "data": {"type": "session.hologram", "id": "x", "depth": 3, "workspace_id": null}});
    let event = parse_unverified(body.to_string().as_bytes()).unwrap();
    assert_eq!(event.data.kind, WebhookEventType::Other("session.hologram".to_owned()));
    assert_eq!(serde_json::to_value(&event).unwrap(), body);
}

#[test]
fn every_documented_type_has_a_name_here() {
    let documented = "agent.{created,updated,archived,deleted}; \
        deployment.{created,updated,archived,deleted,paused,unpaused}; deployment_run.{started,succeeded,failed}; \
        environment.{created,updated,archived,deleted}; external_key.{failed,recovered}; \
        memory_store.{created,archived,deleted}; session.{created,updated,archived,deleted,pending,running,idled,\
        requires_action,budget_reached,outcome_evaluation_ended,status_run_started,status_idled,status_rescheduled,\
        status_terminated,thread_created,thread_idled,thread_terminated}; \
        user_profile.{enforcement_action_opened,enforcement_action_resolved,program_status_updated}; \
        vault.{created,archived,deleted}; vault_credential.{created,archived,deleted,refresh_failed}";
    let names: Vec<String> = documented
        .split("; ")
        .flat_map(|group| {
            let (object, events) = group.strip_suffix('}').unwrap().split_once(".{").unwrap();
            events.split(',').map(move |event| format!("{object}.{event}"))
        })
        .collect();
    assert_eq!(names.len(), 49);
    for name in names {
        let event = parse_unverified(&event(&name)).unwrap();
        assert!(!matches!(event.data.kind, WebhookEventType::Other(_)), "{name}");
        assert_eq!(serde_json::to_value(&event).unwrap()["data"]["type"], Value::from(name));
    }
}
