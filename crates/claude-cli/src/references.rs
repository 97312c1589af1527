//! Secrets by reference, as the environment of this program has it.

use std::sync::Arc;

use claude_sdk::secrets::{Resolver, providers::Env};

use crate::{
    console::{one_line, scrubber, tell},
    vault::NamedVault,
};

/// Fetches what references lead to; what it finds is taken out of all that is told.
pub(crate) fn resolver(env: &Env) -> Resolver {
    References::of(env).resolver
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
