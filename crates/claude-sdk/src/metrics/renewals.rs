use std::sync::{Arc, OnceLock};

use super::{Measurement, Metrics};

/// Where a provider of credentials tells of its renewals; nowhere, until somebody has asked for it.
#[derive(Debug, Default)]
pub(crate) struct Renewals(OnceLock<Arc<dyn Metrics>>);

impl Renewals {
    /// The first to ask is told: clients that share a provider renew once for all.
    pub(crate) fn report_to(&self, metrics: &Arc<dyn Metrics>) {
        self.0.get_or_init(|| Arc::clone(metrics));
    }

    pub(crate) fn tell(&self, error: Option<&'static str>) {
        if let Some(metrics) = self.0.get() {
            super::tell(&**metrics, &Measurement::Refresh { error });
        }
    }

    #[cfg(feature = "profile")]
    pub(crate) fn asked_by(&self) -> Option<&Arc<dyn Metrics>> {
        self.0.get()
    }
}
