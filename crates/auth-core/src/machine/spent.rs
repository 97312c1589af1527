//! A memory of refresh tokens that must not be sent again.

use std::{collections::VecDeque, fmt};

use secrecy::{ExposeSecret as _, SecretString};

/// How many tokens are remembered; a store is rarely more than one or two behind.
const REMEMBERED: usize = 64;

/// The hashes of refresh tokens that were used up or refused, newest last.
///
/// A store that could not be written still holds such a token, and reading it again must not bring it back.
#[derive(Default)]
pub(super) struct Spent(VecDeque<[u8; 32]>);

impl Spent {
    /// Remembers the old token if the new one is another.
    pub(super) fn replace(&mut self, old: Option<&SecretString>, new: Option<&SecretString>) {
        if old.map(hash) != new.map(hash) {
            self.add(old);
        }
    }

    pub(super) fn add(&mut self, token: Option<&SecretString>) {
        let Some(hash) = token.map(hash) else { return };
        self.0.push_back(hash);
        if self.0.len() > REMEMBERED {
            self.0.pop_front();
        }
    }

    pub(super) fn contains(&self, token: Option<&SecretString>) -> bool {
        token.is_some_and(|token| self.0.contains(&hash(token)))
    }
}

impl fmt::Debug for Spent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Spent({} tokens)", self.0.len())
    }
}

fn hash(token: &SecretString) -> [u8; 32] {
    hmac_sha256::Hash::hash(token.expose_secret().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_64_tokens_are_remembered() {
        let token = |index: usize| SecretString::from(format!("token-{index}"));
        let mut spent = Spent::default();
        for index in 0..=REMEMBERED {
            spent.add(Some(&token(index)));
        }
        assert!(!spent.contains(Some(&token(0))), "memory is bounded");
        assert!((1..=REMEMBERED).all(|index| spent.contains(Some(&token(index)))));
    }
}
