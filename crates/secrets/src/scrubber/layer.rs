//! Events and spans without the secrets: the file that knows `tracing`.

use std::{error::Error, fmt};

use tracing::{
    Event, Metadata, Subscriber,
    field::{DebugValue, Field, FieldSet, Value, ValueSet, Visit, debug},
    span::{Attributes, Id, Record},
    subscriber::Interest,
};
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

use super::Scrubber;

/// The most fields of one event or span that are passed on.
const MOST_FIELDS: usize = 128;

/// A layer whose events and spans have no secrets in them: see [`Scrubber::layer`].
#[derive(Debug)]
pub struct Scrubbed<L> {
    scrubber: Scrubber,
    inner: L,
}

impl Scrubber {
    /// A layer for `tracing_subscriber`'s registry that shows `inner` every event and every span without the secrets in
    /// their fields, whatever `inner` makes of them: lines, JSON, or spans that are sent elsewhere.
    ///
    /// Texts, bytes, what is told by `Debug` or `Display`, and errors with their causes are scrubbed; numbers and truth
    /// values are passed on as they are. Of an event with more than 128 fields the first 128 are passed on.
    ///
    /// A filter goes around it: `scrubber.layer(inner).with_filter(filter)`. It does not change what layers beside it
    /// see; each that writes or sends gets one.
    ///
    /// ```
    /// use secrets::{Scrubber, Secret};
    /// use tracing_subscriber::{fmt, layer::SubscriberExt, registry};
    ///
    /// let scrubber = Scrubber::new();
    /// let subscriber = registry().with(scrubber.layer(fmt::layer().with_writer(std::io::stderr)));
    /// scrubber.watch(&Secret::from("pa55word-for-all".to_owned()));
    /// tracing::subscriber::with_default(subscriber, || {
    ///     tracing::info!(answer = "no user pa55word-for-all", "refused"); // INFO refused answer="no user [redacted]"
    /// });
    /// ```
    #[must_use = "give it to a registry"]
    pub fn layer<L>(&self, inner: L) -> Scrubbed<L> {
        Scrubbed { scrubber: self.clone(), inner }
    }
}

impl<S, L> Layer<S> for Scrubbed<L>
where
    S: Subscriber + for<'l> LookupSpan<'l>,
    L: Layer<S>,
{
    fn on_register_dispatch(&self, dispatch: &tracing::Dispatch) {
        self.inner.on_register_dispatch(dispatch);
    }

    fn on_layer(&mut self, subscriber: &mut S) {
        self.inner.on_layer(subscriber);
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        self.inner.register_callsite(metadata)
    }

    fn enabled(&self, metadata: &Metadata<'_>, context: Context<'_, S>) -> bool {
        self.inner.enabled(metadata, context)
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let metadata = attributes.metadata();
        let fields = self.fields(|fields| attributes.record(fields));
        fields.with(metadata.fields(), |values| {
            let attributes = match attributes.parent() {
                Some(parent) => Attributes::child_of(parent.clone(), metadata, values),
                None if attributes.is_root() => Attributes::new_root(metadata, values),
                None => Attributes::new(metadata, values),
            };
            self.inner.on_new_span(&attributes, id, context);
        });
    }

    fn on_record(&self, id: &Id, record: &Record<'_>, context: Context<'_, S>) {
        // A span that is gone has nothing to be added to.
        let Some(metadata) = context.metadata(id) else { return };
        let fields = self.fields(|fields| record.record(fields));
        fields.with(metadata.fields(), |values| self.inner.on_record(id, &Record::new(values), context));
    }

    fn on_follows_from(&self, id: &Id, follows: &Id, context: Context<'_, S>) {
        self.inner.on_follows_from(id, follows, context);
    }

    fn event_enabled(&self, event: &Event<'_>, context: Context<'_, S>) -> bool {
        self.scrubbed(event, |event| self.inner.event_enabled(event, context))
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        self.scrubbed(event, |event| self.inner.on_event(event, context));
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        self.inner.on_enter(id, context);
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        self.inner.on_exit(id, context);
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        self.inner.on_close(id, context);
    }

    fn on_id_change(&self, old: &Id, new: &Id, context: Context<'_, S>) {
        self.inner.on_id_change(old, new, context);
    }
}

impl<L> Scrubbed<L> {
    fn fields(&self, record: impl FnOnce(&mut Fields<'_>)) -> Fields<'_> {
        let mut fields = Fields { scrubber: &self.scrubber, kept: Vec::new() };
        record(&mut fields);
        fields
    }

    fn scrubbed<T>(&self, event: &Event<'_>, then: impl FnOnce(&Event<'_>) -> T) -> T {
        let metadata = event.metadata();
        let fields = self.fields(|fields| event.record(fields));
        fields.with(metadata.fields(), |values| match event.parent() {
            Some(parent) => then(&Event::new_child_of(parent.clone(), metadata, values)),
            None if event.is_root() => then(&Event::new_child_of(None, metadata, values)),
            None => then(&Event::new(metadata, values)),
        })
    }
}

/// The fields of an event or a span, of their own.
struct Fields<'s> {
    scrubber: &'s Scrubber,
    kept: Vec<(Field, Kept)>,
}

/// A value without a secret, which a visitor is shown as what it was.
enum Kept {
    F64(f64),
    I64(i64),
    U64(u64),
    I128(i128),
    U128(u128),
    Bool(bool),
    Text(String),
    Bytes(Box<[u8]>),
    Debug(DebugValue<Shown>),
    Error(Box<dyn Error + 'static>),
}

impl Fields<'_> {
    fn keep(&mut self, field: &Field, value: Kept) {
        if self.kept.len() < MOST_FIELDS {
            self.kept.push((field.clone(), value));
        }
    }

    /// Lends them as the values of `set`: in the smallest array that holds them, for only arrays can be lent.
    fn with<T>(&self, set: &FieldSet, then: impl FnOnce(&ValueSet<'_>) -> T) -> T {
        match self.kept.len() {
            0..=8 => self.with_room::<8, T>(set, then),
            9..=32 => self.with_room::<32, T>(set, then),
            _ => self.with_room::<MOST_FIELDS, T>(set, then),
        }
    }

    fn with_room<const ROOM: usize, T>(&self, set: &FieldSet, then: impl FnOnce(&ValueSet<'_>) -> T) -> T {
        // What has no value is passed over.
        let Some((first, _)) = self.kept.first() else { return then(&set.value_set(&[])) };
        let mut values = [(first, None); ROOM];
        for (place, (field, value)) in values.iter_mut().zip(&self.kept) {
            *place = (field, Some(value.as_value()));
        }
        then(&set.value_set(&values))
    }
}

impl Kept {
    fn as_value(&self) -> &dyn Value {
        match self {
            Self::F64(value) => value,
            Self::I64(value) => value,
            Self::U64(value) => value,
            Self::I128(value) => value,
            Self::U128(value) => value,
            Self::Bool(value) => value,
            Self::Text(value) => value,
            Self::Bytes(value) => value,
            Self::Debug(value) => value,
            Self::Error(value) => value,
        }
    }
}

impl Visit for Fields<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.keep(field, Kept::F64(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.keep(field, Kept::I64(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.keep(field, Kept::U64(value));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.keep(field, Kept::I128(value));
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.keep(field, Kept::U128(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.keep(field, Kept::Bool(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let text = self.scrubber.scrub(value).into_owned();
        self.keep(field, Kept::Text(text));
    }

    fn record_bytes(&mut self, field: &Field, value: &[u8]) {
        let bytes = self.scrubber.scrub_bytes(value).into_owned();
        self.keep(field, Kept::Bytes(bytes.into()));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        let told = Told::of(self.scrubber, value);
        self.keep(field, Kept::Error(Box::new(told)));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = self.scrubber.scrub(&format!("{value:?}")).into_owned();
        self.keep(field, Kept::Debug(debug(Shown(text))));
    }
}

/// What `Debug` has said before.
struct Shown(String);

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An error and its causes as they were told, without the secrets.
struct Told {
    text: String,
    debug: String,
    cause: Option<Box<Self>>,
}

impl Told {
    fn of(scrubber: &Scrubber, error: &(dyn Error + 'static)) -> Self {
        Self {
            text: scrubber.scrub(&error.to_string()).into_owned(),
            debug: scrubber.scrub(&format!("{error:?}")).into_owned(),
            cause: error.source().map(|cause| Box::new(Self::of(scrubber, cause))),
        }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.debug)
    }
}

impl Error for Told {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}
