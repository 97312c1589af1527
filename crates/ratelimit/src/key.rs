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
    priority: Priority,
}

/// Who goes first where somebody has to wait.
///
/// It is no strict order: where all three wait all the time, sixteen parts are of high priority, four of normal and one of
/// low. So whoever has a low one is not waiting for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Priority {
    /// Somebody sits and waits for it.
    High,
    /// What is not said to be otherwise.
    #[default]
    Normal,
    /// It has time.
    Low,
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

    /// Says how urgent it is.
    #[must_use]
    pub fn with_priority(self, priority: Priority) -> Self {
        Self { priority, ..self }
    }

    /// Returns how urgent it is.
    #[must_use]
    pub const fn priority(&self) -> Priority {
        self.priority
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
        Self { name: text.into(), tenant: None, priority: Priority::Normal }
    }
}

impl From<String> for Key {
    fn from(text: String) -> Self {
        Self { name: text.into(), tenant: None, priority: Priority::Normal }
    }
}

impl From<Arc<str>> for Key {
    fn from(name: Arc<str>) -> Self {
        Self { name, tenant: None, priority: Priority::Normal }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
