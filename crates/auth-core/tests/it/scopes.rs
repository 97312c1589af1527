//! What was asked for and what was granted, from one token to the next.

use auth_core::{Event, Policy, ScopeChange, ScopeSet};

use crate::rig::{Rig, at, reply, snapshot};

fn changes(before: Option<&str>, scope: Option<&str>) -> (Vec<ScopeChange>, Option<String>, String) {
    let mut held = snapshot("a1", Some("r1"), Some(at(0)));
    held.scopes = before.map(ScopeSet::parse);
    let mut rig = Rig::with(Policy::default(), held);
    rig.pending();
    let (exchange, _) = rig.transmit();
    let mut answer = serde_json::json!({ "access_token": "a2", "token_type": "Bearer", "expires_in": 60 });
    if let Some(scope) = scope {
        answer["scope"] = scope.into();
    }
    let said = rig.answer(exchange, reply(200, answer.to_string()));
    let changes = said.events.iter().filter_map(|event| match event {
        Event::ScopesChanged(change) => Some(change.clone()),
        _ => None,
    });
    let scopes = rig.machine.snapshot().unwrap().scopes.as_ref().map(ToString::to_string);
    (changes.collect(), scopes, said.events.iter().map(ToString::to_string).collect())
}

/// C45 and C46.
#[test]
fn a_refresh_that_gives_other_scopes_is_told() {
    let (changed, scopes, words) = changes(Some("read write"), Some("admin read"));
    let [change] = &changed[..] else { panic!("{changed:?}") };
    assert_eq!(change.missing, ScopeSet::parse("write"));
    assert_eq!(change.unasked, ScopeSet::parse("admin"));
    assert_eq!(scopes.as_deref(), Some("admin read"), "what is known is what the server says");
    assert_eq!(
        words,
        "the new access token lacks scopes of the one before; log in again if something needs them"
    );
    let (changed, _, words) = changes(Some("read"), Some("read write \u{1b}[31m"));
    assert_eq!(changed.len(), 1);
    assert_eq!(words, "the new access token has scopes that the one before had not");
}

#[test]
fn a_refresh_that_gives_the_same_scopes_or_names_none_is_not_told() {
    for (before, scope, after) in [
        (Some("read write"), Some("write read"), Some("read write")),
        (Some("read"), None, Some("read")),
        (Some("read"), Some(""), Some("read")),
        (None, Some("read"), Some("read")),
        (None, None, None),
    ] {
        let (changed, scopes, _) = changes(before, scope);
        assert_eq!((changed.len(), scopes.as_deref()), (0, after), "{before:?} {scope:?}");
    }
}
