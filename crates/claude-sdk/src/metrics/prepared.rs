use std::{
    fmt,
    hash::{Hash, Hasher},
    sync::OnceLock,
};
#[cfg(feature = "metrics")]
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

#[cfg(feature = "otel")]
use super::sinks::Bindings;
#[cfg(feature = "metrics")]
use super::sinks::Leads;

/// What sinks have made of labels, kept beside them, so that they need not look for it.
#[derive(Default)]
pub(super) struct Prepared {
    #[cfg(feature = "otel")]
    bindings: OnceLock<Box<Bindings>>,
    #[cfg(feature = "metrics")]
    leads: OnceLock<Box<Leads>>,
    /// The second in which the newest call with these labels began.
    #[cfg(feature = "metrics")]
    second: AtomicU64,
}

impl Prepared {
    #[cfg(feature = "otel")]
    pub(super) fn bindings(&self) -> &Bindings {
        self.bindings.get_or_init(Box::default)
    }

    #[cfg(feature = "metrics")]
    pub(super) fn leads(&self) -> &Leads {
        self.leads.get_or_init(Box::default)
    }

    /// A call with these labels begins.
    #[cfg(feature = "metrics")]
    pub(super) fn used_at(&self, now: SystemTime) {
        let second = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        self.second.store(second, Ordering::Relaxed);
    }

    /// The second in which the newest call with these labels began.
    #[cfg(feature = "metrics")]
    pub(super) fn second(&self) -> u64 {
        self.second.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared").finish_non_exhaustive()
    }
}

/// Nothing is prepared of a copy.
impl Clone for Prepared {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// Labels are the same whatever was made of them.
impl PartialEq for Prepared {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Prepared {}

impl Hash for Prepared {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}
