//! The span of one call, whose fields are named as OpenTelemetry's conventions for generative AI say
//! (<https://opentelemetry.io/docs/specs/semconv/gen-ai/>).

use std::borrow::Cow;

use tracing::{Span, field};

use crate::{
    client::Client,
    credentials::Credential,
    error::{Error, shown},
    metrics::Meter,
    types::{Message, MessageRequest},
};

/// The span of a call that is under way, `chat` or `count_tokens`, at level info. What is said in a call is only in it
/// where the client was told so. Where calls are measured, this one is too: its end is when this is dropped.
#[derive(Debug)]
pub(crate) struct CallSpan {
    span: Span,
    has_bodies: bool,
    /// What a server may repeat and nobody is to read.
    secret: Option<Credential>,
    meter: Option<Meter>,
}

impl CallSpan {
    #[inline]
    pub(crate) fn chat(client: &Client, request: &MessageRequest) -> Self {
        let model = request.model.as_str();
        let span = tracing::info_span!(
            "chat",
            otel.name = %format_args!("chat {model}"),
            otel.kind = "client",
            gen_ai.operation.name = "chat",
            gen_ai.provider.name = PROVIDER,
            gen_ai.request.model = model,
            gen_ai.request.max_tokens = request.max_tokens,
            gen_ai.response.id = field::Empty,
            gen_ai.response.model = field::Empty,
            gen_ai.response.finish_reasons = field::Empty,
            gen_ai.usage.input_tokens = field::Empty,
            gen_ai.usage.output_tokens = field::Empty,
            gen_ai.usage.cache_creation.input_tokens = field::Empty,
            gen_ai.usage.cache_read.input_tokens = field::Empty,
            http.request.resend_count = field::Empty,
            server.address = client.host(),
            server.port = client.port(),
            error.type = field::Empty,
        );
        Self::of(client, span, client.meter("chat", Some(model)))
    }

    pub(crate) fn count_tokens(client: &Client, request: &MessageRequest) -> Self {
        let model = request.model.as_str();
        let span = tracing::info_span!(
            "count_tokens",
            otel.name = %format_args!("count_tokens {model}"),
            otel.kind = "client",
            gen_ai.operation.name = "count_tokens",
            gen_ai.provider.name = PROVIDER,
            gen_ai.request.model = model,
            gen_ai.usage.input_tokens = field::Empty,
            http.request.resend_count = field::Empty,
            server.address = client.host(),
            server.port = client.port(),
            error.type = field::Empty,
        );
        Self::of(client, span, client.meter("count_tokens", Some(model)))
    }

    #[inline]
    fn of(client: &Client, span: Span, meter: Option<Meter>) -> Self {
        let is_seen = !span.is_disabled();
        let secret = if is_seen { client.credential_at_hand() } else { None };
        Self { span, has_bodies: is_seen && client.traces_bodies(), secret, meter }
    }

    /// For what is done in the call.
    #[inline]
    pub(crate) fn span(&self) -> Span {
        self.span.clone()
    }

    /// What the call is measured with.
    pub(crate) fn meter(&mut self) -> Option<&mut Meter> {
        self.meter.as_mut()
    }

    /// Notes what is about to be sent.
    #[inline]
    pub(crate) fn sends(&self, body: &[u8]) {
        if self.has_bodies {
            let body = self.without_secret(&String::from_utf8_lossy(body));
            tracing::debug!(parent: &self.span, body, "request body");
        }
    }

    /// Notes that the first content of a stream has come.
    pub(crate) fn begins(&mut self) {
        if let Some(meter) = &mut self.meter {
            meter.begins();
        }
    }

    /// Notes that the answer is whole.
    #[inline]
    pub(crate) fn succeeds(&mut self) {
        if let Some(meter) = &mut self.meter {
            meter.succeeds();
        }
    }

    /// Notes what has come, which may be a part.
    #[inline]
    pub(crate) fn receives(&mut self, message: &Message, attempts: u32) {
        if let Some(meter) = &mut self.meter {
            meter.uses(&message.usage);
        }
        if self.span.is_disabled() {
            return;
        }
        self.resent(attempts);
        let (span, usage) = (&self.span, &message.usage);
        span.record("gen_ai.response.id", self.shown(&message.id));
        span.record("gen_ai.response.model", self.shown(message.model.as_str()));
        if let Some(reason) = &message.stop_reason {
            span.record("gen_ai.response.finish_reasons", field::debug([self.shown(reason.as_str())]));
        }
        // In the conventions what the cache took and gave is part of the input.
        let written = usage.cache_creation_input_tokens.unwrap_or_default();
        let read = usage.cache_read_input_tokens.unwrap_or_default();
        let input = usage.input_tokens.saturating_add(written).saturating_add(read);
        span.record("gen_ai.usage.input_tokens", input);
        span.record("gen_ai.usage.output_tokens", usage.output_tokens);
        span.record("gen_ai.usage.cache_creation.input_tokens", written);
        span.record("gen_ai.usage.cache_read.input_tokens", read);
        if self.has_bodies {
            let body = self.without_secret(&serde_json::to_string(message).unwrap_or_default());
            tracing::debug!(parent: &self.span, body, "response body");
        }
    }

    /// Notes a count of tokens.
    pub(crate) fn counts(&self, input_tokens: u64, attempts: u32) {
        if !self.span.is_disabled() {
            self.resent(attempts);
            self.span.record("gen_ai.usage.input_tokens", input_tokens);
        }
    }

    /// Notes that the call has failed.
    pub(crate) fn fails(&mut self, error: &Error) {
        if let Some(meter) = &mut self.meter {
            meter.fails(error);
        }
        if !self.span.is_disabled() {
            self.resent(error.attempts());
            self.span.record("error.type", &*kind(error));
        }
    }

    fn shown(&self, text: &str) -> String {
        shown(text, self.secret.as_ref().map(Credential::expose))
    }

    fn without_secret(&self, text: &str) -> String {
        let secret = self.secret.as_ref().map(Credential::expose).unwrap_or_default();
        if secret.is_empty() { text.to_owned() } else { text.replace(secret, "[redacted]") }
    }

    fn resent(&self, attempts: u32) {
        if attempts > 1 {
            self.span.record("http.request.resend_count", attempts - 1);
        }
    }
}

const PROVIDER: &str = "anthropic";

/// What went wrong, as one of few words.
fn kind(error: &Error) -> Cow<'static, str> {
    let api = match error {
        Error::Api(error) => Some(&**error),
        Error::Stream(error) => error.api_error(),
        _ => None,
    };
    if let Some(error) = api {
        return error.kind().as_str().to_owned().into();
    }
    match error {
        Error::Config(_) => "config".into(),
        Error::Auth(..) => "auth".into(),
        Error::RateLimit(..) => "rate_limit".into(),
        Error::Transport(error) => format!("{:?}", error.kind()).into(),
        Error::Answer(error) => error.status().as_str().to_owned().into(),
        Error::Api(_) | Error::Stream(_) => "stream".into(),
        #[cfg(feature = "schema")]
        Error::Output(_) => "output".into(),
    }
}
