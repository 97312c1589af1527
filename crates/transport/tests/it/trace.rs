use std::{
    fmt,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use transport::{
    Error, ErrorKind, HttpBackend, Reach, Request, Response, layers::Trace, test_util::ScriptedBackend,
};

use crate::status;

/// Writes down every field of every span and event.
#[derive(Clone, Default)]
struct Notes(Arc<Mutex<String>>);

impl Subscriber for Notes {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("transport")
    }
    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        attributes.record(&mut self.clone());
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut self.clone());
    }
    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

impl Visit for Notes {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.lock().unwrap().push_str(&format!("{field}={value:?}\n"));
    }
}

fn secretive() -> Request {
    http::Request::post("http://user:planted1@api.example:81/v1/things?key=planted2")
        .header("authorization", "planted3")
        .body(Bytes::from_static(b"planted4"))
        .unwrap()
}

async fn notes_on(answer: Result<Response, Error>) -> String {
    let notes = Notes::default();
    let _guard = tracing::subscriber::set_default(notes.clone());
    let layer = Trace::new(ScriptedBackend::new([answer]));
    let _ = layer.send(secretive()).await;
    notes.0.lock().unwrap().clone()
}

#[tokio::test]
async fn an_attempt_is_described_without_anything_secret() {
    let notes = notes_on(status(529)).await;
    for line in [
        "http.request.method=\"POST\"",
        "server.address=\"api.example\"",
        "server.port=81",
        "url.path=\"/v1/things\"",
        "http.response.status_code=529",
        "error.type=\"529\"",
    ] {
        assert!(notes.contains(line), "{line} is not in {notes}");
    }
    assert!(!notes.contains("planted"), "{notes}");
}

#[tokio::test]
async fn a_failure_is_described_by_its_kind() {
    let notes = notes_on(Err(Error::new(ErrorKind::Closed, Reach::MaybeSent, "planted5"))).await;
    assert!(notes.contains("error.type=Closed"), "{notes}");
    assert!(!notes.contains("planted"), "{notes}");
}
