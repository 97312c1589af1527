//! What is limited.

use std::{fmt, sync::Arc};

/// The name of what is limited: costs under one name add up, costs under two do not.
///
/// Choose it as the server counts, for example `workspace/model-class`. A key may also say on whose behalf something is
/// asked for; all tenants of one name share its limits. Keys are cheap to clone. They show up in logs, so they must not
/// hold a secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    name: Arc<str>,
    tenant: Option<Arc<str>>,
}

impl Key {
    /// Returns the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// Says on whose behalf: a limiter that is fair has tenants who wait take turns.
    #[must_use]
    pub fn with_tenant(self, tenant: impl Into<Arc<str>>) -> Self {
        Self { tenant: Some(tenant.into()), ..self }
    }

    /// Returns on whose behalf, where that was said.
    #[must_use]
    pub fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// Returns the name and the tenant, shared.
    pub(crate) const fn parts(&self) -> (&Arc<str>, &Option<Arc<str>>) {
        (&self.name, &self.tenant)
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        Self { name: text.into(), tenant: None }
    }
}

impl From<String> for Key {
    fn from(text: String) -> Self {
        Self { name: text.into(), tenant: None }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
