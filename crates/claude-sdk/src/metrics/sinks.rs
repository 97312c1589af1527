//! Where measurements can go: implementations of [`Metrics`](super::Metrics).

#[cfg(feature = "otel")]
mod open_telemetry;
#[cfg(feature = "metrics")]
mod recorder;

#[cfg(feature = "otel")]
pub(super) use open_telemetry::Bindings;
#[cfg(feature = "otel")]
pub use open_telemetry::OpenTelemetry;
#[cfg(feature = "metrics")]
pub(super) use recorder::Leads;
#[cfg(feature = "metrics")]
pub use recorder::Recorder;
