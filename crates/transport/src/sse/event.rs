//! One event, lent or owned.

use std::time::Duration;

use bytes::Bytes;

use super::Text;

/// One event of the stream, lent for as long as the next one is not asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventRef<'a> {
    /// The kind of event: the field `event`, or `message` where the server gave none.
    pub name: &'a str,
    /// The field `data`, its lines joined by line feeds.
    pub data: &'a str,
    /// The last event id the server has set, in this event or before; empty if none.
    pub id: &'a str,
    /// The wait before reconnecting that the server has set, in this event or before.
    pub retry: Option<Duration>,
}

/// One event of the stream.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// The kind of event: the field `event`, or `message` where the server gave none.
    pub name: Text,
    /// The field `data`, its lines joined by line feeds.
    pub data: Text,
    /// The last event id the server has set, in this event or before; empty if none.
    pub id: Text,
    /// The wait before reconnecting that the server has set, in this event or before.
    pub retry: Option<Duration>,
}

impl Event {
    /// Takes over an event that was lent; what lies in `piece` is not copied.
    pub(super) fn cut(event: EventRef<'_>, piece: &Bytes) -> Self {
        let EventRef { name, data, id, retry } = event;
        Self { name: Text::cut(name, piece), data: Text::cut(data, piece), id: Text::cut(id, piece), retry }
    }
}
