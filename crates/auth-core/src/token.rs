//! What a server gives, and what a store keeps.

use std::{fmt, time::SystemTime};

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};
use subtle::ConstantTimeEq as _;

use crate::{ScopeChange, ScopeSet};

/// What one successful exchange gave, read and checked (RFC 6749 section 5.1).
///
/// `Debug` shows no token and, of [`extra`](Self::extra), only the names: there may be an `id_token` among them.
#[derive(Clone)]
pub struct TokenSet {
    /// The access token: visible ASCII, not empty.
    pub access_token: SecretString,
    /// The refresh token to use from now on: the new one, or the one that was sent when the server gave none.
    pub refresh_token: Option<SecretString>,
    /// Whether the server sent an empty refresh token, which counts as none: worth a warning, and a word to its operator.
    pub empty_refresh_token: bool,
    /// When the access token expires; `None` is a token to be used until it is refused.
    pub expires_at: Option<SystemTime>,
    /// The scopes granted: those the server names, or those that were asked for when it names none.
    pub scopes: Option<ScopeSet>,
    /// How the scopes granted differ from those that were asked for: less may be too little, and more is worth a word.
    ///
    /// `None` when they do not differ, and when none were asked for, as in a refresh.
    pub scope_change: Option<ScopeChange>,
    /// Every other member of the answer, unchanged.
    pub extra: Map<String, Value>,
}

impl fmt::Debug for TokenSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSet")
            .field("access_token", &self.access_token)
            .field("refresh_token", &self.refresh_token)
            .field("empty_refresh_token", &self.empty_refresh_token)
            .field("expires_at", &self.expires_at)
            .field("scopes", &self.scopes)
            .field("scope_change", &self.scope_change)
            .field("extra", &Names(&self.extra))
            .finish()
    }
}

/// What is stored: the newest tokens of one login and their place in the order.
///
/// There is no `Serialize`: the store that writes a snapshot exposes each secret where the reader can see it.
/// `Debug` shows no token.
#[derive(Clone)]
pub struct Snapshot {
    /// The access token.
    pub access_token: SecretString,
    /// The refresh token, if the server gave one.
    pub refresh_token: Option<SecretString>,
    /// When the access token expires; `None` is a token to be used until it is refused.
    pub expires_at: Option<SystemTime>,
    /// The scopes granted, if known.
    pub scopes: Option<ScopeSet>,
    /// The place of these tokens in the order; each exchange adds one. A store that does not keep it may say 0.
    pub generation: u64,
    /// Every other member the server sent, to be written back unchanged.
    pub extra: Map<String, Value>,
}

impl Snapshot {
    /// Returns the snapshot that follows this one: new tokens, the next generation, and what the answer left out.
    pub(crate) fn succeeded_by(&self, tokens: TokenSet) -> Self {
        let mut next = Self::from(tokens);
        next.generation = self.generation.saturating_add(1);
        next.scopes = next.scopes.or_else(|| self.scopes.clone());
        let mut extra = self.extra.clone();
        extra.append(&mut next.extra);
        next.extra = extra;
        next
    }

    /// Returns the token that this login lives by.
    pub(crate) fn key(&self) -> &SecretString {
        self.refresh_token.as_ref().unwrap_or(&self.access_token)
    }

    /// Tells whether both snapshots live by the same token.
    pub(crate) fn has_key_of(&self, other: &Self) -> bool {
        same(self.key(), other.key())
    }

    /// Tells whether both snapshots hold the same tokens.
    pub(crate) fn has_tokens_of(&self, other: &Self) -> bool {
        let refresh = match (&self.refresh_token, &other.refresh_token) {
            (Some(one), Some(two)) => same(one, two),
            (None, None) => true,
            _ => false,
        };
        refresh && same(&self.access_token, &other.access_token)
    }
}

/// The first snapshot of a login, with generation 1.
impl From<TokenSet> for Snapshot {
    fn from(tokens: TokenSet) -> Self {
        let TokenSet { access_token, refresh_token, expires_at, scopes, extra, .. } = tokens;
        Self { access_token, refresh_token, expires_at, scopes, generation: 1, extra }
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("generation", &self.generation)
            .field("access_token", &self.access_token)
            .field("refresh_token", &self.refresh_token)
            .field("expires_at", &self.expires_at)
            .field("scopes", &self.scopes)
            .field("extra", &Names(&self.extra))
            .finish()
    }
}

/// Compares two secrets in a time that does not depend on where they differ.
pub(crate) fn same(one: &SecretString, two: &SecretString) -> bool {
    one.expose_secret().as_bytes().ct_eq(two.expose_secret().as_bytes()).into()
}

/// The names of a map, without its values.
struct Names<'a>(&'a Map<String, Value>);

impl fmt::Debug for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_token_and_no_value_of_extra() {
        let tokens = TokenSet {
            access_token: "canary-a".into(),
            refresh_token: Some("canary-b".into()),
            empty_refresh_token: false,
            expires_at: None,
            scopes: None,
            scope_change: None,
            extra: Map::from_iter([("id_token".to_owned(), Value::from("canary-c"))]),
        };
        for shown in [format!("{tokens:?}"), format!("{:?}", Snapshot::from(tokens.clone()))] {
            assert!(shown.contains("id_token") && !shown.contains("canary"), "{shown}");
        }
    }

    #[test]
    fn snapshots_have_the_same_tokens_only_when_both_tokens_are_the_same() {
        let snapshot = |access: &str, refresh: Option<&str>| Snapshot {
            access_token: access.into(),
            refresh_token: refresh.map(Into::into),
            expires_at: None,
            scopes: None,
            generation: 1,
            extra: Map::new(),
        };
        for refresh in [None, Some("r")] {
            let ours = snapshot("a", refresh);
            assert!(ours.has_tokens_of(&Snapshot { generation: 2, ..ours.clone() }));
            assert!(!ours.has_tokens_of(&snapshot("other", refresh)));
            assert!(!ours.has_tokens_of(&snapshot("a", Some("other"))));
        }
        assert!(!snapshot("a", Some("r")).has_tokens_of(&snapshot("a", None)));
    }
}
