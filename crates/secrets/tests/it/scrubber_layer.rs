//! A layer that shows other layers events and spans without secrets.

use std::{
    error::Error,
    fmt, io,
    sync::{Arc, Mutex},
};

use secrets::{Scrubber, Secret};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{Layer, fmt::format::FmtSpan, layer::Context, prelude::*, registry};

const SECRET: &str = "sk-ant-api03-caNaRy-k+/=%&-7Q";

fn watching() -> Scrubber {
    let scrubber = Scrubber::new();
    assert!(scrubber.watch(&Secret::from(SECRET.to_owned())));
    scrubber
}

/// What was written.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

#[derive(Debug)]
struct Refused(Option<Box<Self>>);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "refused {SECRET}")
    }
}

impl Error for Refused {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.as_deref().map(|cause| cause as _)
    }
}

/// Logs the secret in every way in which something can be logged.
fn log_everything() {
    let hex: String = SECRET.bytes().map(|byte| format!("{byte:02x}")).collect();
    let error = Refused(Some(Box::new(Refused(None))));
    let error: &(dyn Error + 'static) = &error;
    let span = tracing::info_span!("call", key = SECRET, later = tracing::field::Empty);
    span.record("later", format_args!("and {SECRET}"));
    span.in_scope(|| {
        tracing::info!(text = SECRET, debug = ?Some(SECRET), display = %SECRET, error, "sent {SECRET}");
        tracing::info!(bytes = SECRET.as_bytes(), hex, "none");
        tracing::info!(parent: None, root = SECRET);
        tracing::info!(parent: &span, child = SECRET);
        drop(tracing::info_span!(parent: &span, "child", key = SECRET));
        drop(tracing::info_span!(parent: None, "root", key = SECRET));
    });
}

#[test]
fn what_a_layer_writes_has_no_secret_in_it() {
    let (plain, clean) = (Lines::default(), Lines::default());
    let writing = |lines: &Lines| {
        let lines = lines.clone();
        tracing_subscriber::fmt::layer()
            .with_span_events(FmtSpan::FULL)
            .with_ansi(false)
            .with_writer(move || lines.clone())
    };
    let subscriber = registry().with(watching().layer(writing(&clean)));
    tracing::subscriber::with_default(subscriber, log_everything);
    // The same without it shows what there is to be found.
    tracing::subscriber::with_default(registry().with(writing(&plain)), log_everything);

    let (plain, clean) = (plain.text(), clean.text());
    assert!(plain.matches("caNaRy").count() > 20, "{plain}");
    for form in ["caNaRy", "63614e615279", "99, 97, 78, 97"] {
        assert!(!clean.contains(form), "{form}: {clean}");
    }
    assert_eq!(clean.lines().count(), plain.lines().count());
    for told in [
        "sent [redacted] text=\"[redacted]\" debug=Some(\"[redacted]\") display=[redacted]",
        "error=refused [redacted] error.sources=[refused [redacted]]",
        "call{key=\"[redacted]\" later=and [redacted]}:child{key=\"[redacted]\"}",
    ] {
        assert!(clean.contains(told), "{told}: {clean}");
    }
}

/// Keeps what it is shown, by its type.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    fn push(&mut self, field: &Field, what: impl fmt::Display) {
        self.0.lock().unwrap().push(format!("{field}: {what}"));
    }
}

impl<S: Subscriber> Layer<S> for Seen {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        attributes.record(&mut self.clone());
    }

    fn on_record(&self, _: &Id, record: &Record<'_>, _: Context<'_, S>) {
        record.record(&mut self.clone());
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        event.record(&mut self.clone());
    }
}

impl Visit for Seen {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.push(field, format!("f64 {value}"));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.push(field, format!("i64 {value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.push(field, format!("u64 {value}"));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.push(field, format!("i128 {value}"));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.push(field, format!("u128 {value}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.push(field, format!("bool {value}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.push(field, format!("str {value}"));
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        self.push(field, format!("bytes {}", String::from_utf8_lossy(value)));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.push(field, format!("error {value} {}", value.source().is_some()));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.push(field, format!("debug {value:?}"));
    }
}

#[test]
fn every_value_keeps_its_type_and_a_filter_goes_around() {
    let seen = Seen::default();
    let layer = watching().layer(seen.clone()).with_filter(LevelFilter::INFO);
    tracing::subscriber::with_default(registry().with(layer), || {
        tracing::debug!(text = "below");
        tracing::info!(
            a = 1.5,
            b = -1,
            c = 1_u64,
            d = -1_i128,
            e = 1_u128,
            f = true,
            g = SECRET,
            h = SECRET.as_bytes(),
            i = &Refused(Some(Box::new(Refused(None)))) as &(dyn Error + 'static),
            j = ?"x",
            "more than {}",
            8
        );
        let span = tracing::info_span!("span", k = 2, l = tracing::field::Empty);
        span.record("l", SECRET);
    });
    let seen = seen.0.lock().unwrap();
    let expected = [
        "message: debug more than 8",
        "a: f64 1.5",
        "b: i64 -1",
        "c: u64 1",
        "d: i128 -1",
        "e: u128 1",
        "f: bool true",
        "g: str [redacted]",
        "h: bytes [redacted]",
        "i: error refused [redacted] true",
        "j: debug \"x\"",
        "k: i64 2",
        "l: str [redacted]",
    ];
    assert_eq!(*seen, expected);
}

/// The crate `log` is heard by way of `tracing-log`, whose events name their source in fields.
#[test]
fn an_event_without_a_secret_is_what_it_was() {
    let lines = Lines::default();
    let writer = lines.clone();
    let inner =
        tracing_subscriber::fmt::layer().with_ansi(false).without_time().with_writer(move || writer.clone());
    tracing::subscriber::with_default(registry().with(watching().layer(inner)), || {
        tracing::info_span!("empty").in_scope(|| tracing::info!("all is well"));
    });
    assert_eq!(lines.text(), " INFO empty: it::scrubber_layer: all is well\n");
}
