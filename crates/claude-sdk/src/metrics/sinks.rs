//! Where measurements can go: implementations of [`Metrics`](super::Metrics).

#[cfg(feature = "otel")]
mod open_telemetry;
#[cfg(feature = "metrics")]
mod recorder;

#[cfg(feature = "otel")]
pub use open_telemetry::OpenTelemetry;
#[cfg(feature = "metrics")]
pub use recorder::Recorder;
