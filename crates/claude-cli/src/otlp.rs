//! What calls take and use, sent to a collector of OpenTelemetry (feature `otlp`) where the environment names one.
//!
//! Where to send it, with which headers and how often is said by the variables that every OpenTelemetry exporter reads.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use claude_sdk::{
    ClientBuilder,
    metrics::sinks::OpenTelemetry,
    secrets::{SecretName, providers::Env},
    transport::{self, HttpBackend, SystemClock, backends::Reqwest, layers::Timeout},
};
use opentelemetry::global;
use opentelemetry_http::{Bytes, HttpClient, HttpError};
use opentelemetry_otlp::{MetricExporter, RetryPolicy, WithHttpConfig as _};
use opentelemetry_sdk::{Resource, metrics::SdkMeterProvider};
use tokio::{runtime::Handle, task::spawn_blocking};

use crate::console::tell;

/// What is measured goes to the collector from now on, and the rest of it when this ends.
#[derive(Debug)]
pub(crate) struct Export(SdkMeterProvider);

impl Export {
    /// Begins, where there is a collector. One that cannot be used is told of, and costs nobody the work.
    pub(crate) fn begin() -> Option<Self> {
        if !is_wanted(&Env::process()) {
            return None;
        }
        match provider() {
            Ok(provider) => {
                global::set_meter_provider(provider.clone());
                Some(Self(provider))
            }
            Err(_) => {
                tell(format_args!(
                    "metrics are not sent: check OTEL_EXPORTER_OTLP_ENDPOINT, which is no URL"
                ));
                None
            }
        }
    }

    /// Sends what has not been sent, for at most 5 s.
    pub(crate) async fn end(self) {
        // It waits for what this runtime sends.
        let ended = spawn_blocking(move || self.0.shutdown()).await;
        if !matches!(ended, Ok(Ok(()))) {
            tell(
                "the metrics did not reach the collector; check OTEL_EXPORTER_OTLP_ENDPOINT, and that it is running",
            );
        }
    }
}

/// The client's calls are measured, where there is a collector.
pub(crate) fn measured(builder: ClientBuilder, env: &Env) -> ClientBuilder {
    if is_wanted(env) { builder.metrics(OpenTelemetry::new()) } else { builder }
}

fn is_wanted(env: &Env) -> bool {
    let is_set = |name| SecretName::new(name).is_ok_and(|name| matches!(env.read(&name), Ok(Some(_))));
    is_set("OTEL_EXPORTER_OTLP_ENDPOINT") || is_set("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT")
}

fn provider() -> anyhow::Result<SdkMeterProvider> {
    let backend = Timeout::new(Reqwest::builder().build()?, Arc::new(SystemClock)).headers(TIMEOUT);
    let sender = Sender { backend: Arc::new(backend), runtime: Handle::current() };
    // Somebody waits for the program to end.
    let exporter = MetricExporter::builder().with_http().with_retry_policy(RetryPolicy::disabled());
    let exporter = exporter.with_http_client(sender).build()?;
    let resource = Resource::builder().with_service_name("claudectl").build();
    Ok(SdkMeterProvider::builder().with_resource(resource).with_periodic_exporter(exporter).build())
}

/// Sends by the same backend as everything else, on the runtime of the program: the exporter's thread has none.
#[derive(Debug)]
struct Sender {
    backend: Arc<Timeout<Reqwest>>,
    runtime: Handle,
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, HttpError> {
        let backend = Arc::clone(&self.backend);
        let sent = self.runtime.spawn(async move {
            let (head, body) = backend.send(request).await?.into_parts();
            let body = body.collect(ANSWER_LIMIT).await?;
            Ok::<_, transport::Error>(http::Response::from_parts(head, body))
        });
        Ok(sent.await??)
    }
}

const TIMEOUT: Duration = Duration::from_secs(4);
const ANSWER_LIMIT: usize = 1024 * 1024;
