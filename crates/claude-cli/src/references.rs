//! Secrets by reference, as the environment of this program has it.

use std::{fmt, sync::Arc};

use claude_sdk::secrets::{Resolver, SecretName, providers::Env};

use crate::{
    console::{one_line, scrubber, tell},
    vault::NamedVault,
};

/// Fetches what references lead to, for a command that signs in: what is found is taken out of all that is told, and what was
/// taken off a secret is told, of those in variables too.
pub(crate) fn resolver(env: &Env) -> Resolver {
    for variable in SIGNED_IN_WITH {
        let secret = SecretName::new(variable).and_then(|name| env.read(&name));
        if secret.ok().flatten().is_some_and(|secret| secret.was_trimmed()) {
            tell_trimmed(format!("the variable {variable}"));
        }
    }
    References::of(env).resolver
}

const SIGNED_IN_WITH: [&str; 4] =
    ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_IDENTITY_TOKEN", "CLAUDE_CLIENT_SECRET"];

/// Tells that a secret is not what is kept in `place`, letter for letter.
pub(crate) fn tell_trimmed(place: impl fmt::Display) {
    tell(format!("{place}: a newline or a byte order mark around the secret was taken off"));
}

/// The same for a command that only looks at secrets, and gives back what was lent to it for that.
pub(crate) struct References {
    pub(crate) resolver: Resolver,
    vault: Arc<NamedVault>,
}

impl References {
    pub(crate) fn of(env: &Env) -> Self {
        let vault = Arc::new(NamedVault::new(env));
        let resolver = Resolver::of(env).with("vault", Arc::clone(&vault)).watched_by(scrubber());
        let resolver = resolver.on_trimmed(|reference| tell_trimmed(reference));
        Self { resolver, vault }
    }

    /// Gives back what was lent and ends the session, so that nothing is left at the server for this look.
    pub(crate) async fn give_back(&self) {
        give_back(&self.vault).await;
    }
}

pub(crate) async fn give_back(vault: &NamedVault) {
    if let Err(error) = vault.give_back().await {
        let why = one_line(&error.into());
        tell(format!("what Vault has lent could not be given back, and ends when its time is over: {why}"));
    }
}
