//! The rows of the fault matrix that a call can meet, each as one fault or more, one request after the other.

use self::Comes::{Either, Never, Well, Wrong};

/// What comes of a row, when the caller can wait no longer than the deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comes {
    /// R: it succeeds all the same. Of a message or a stream, the last fault happens once.
    Well,
    /// T: an error that is not the deadline's. The last fault happens to every further request.
    Wrong,
    /// One of these, by what the system does with the connection.
    Either,
    /// Nothing: the deadline ends it.
    Never,
}

/// A row, what goes wrong, and what comes of it. What goes wrong `next` goes wrong after a call before.
pub(super) type Row = (&'static str, &'static [&'static str], Comes);

const STALLED_ERROR: &str = "raw HTTP/1.1 500 Internal Server Error\r\nrequest-id: req_1\r\n\
                             content-type: application/json\r\ncontent-length: 100\r\n\r\n{";

pub(super) const MESSAGES: &[Row] = &[
    ("F4", &["reset accept"], Wrong),
    ("F4", &["close accept"], Wrong),
    ("F5", &["reset request"], Wrong),
    ("F5", &["close byte 30"], Wrong),
    ("F6", &["close next", "close end"], Either),
    ("F6", &["reset next", "close end"], Either),
    ("F6", &["stall next", "close end"], Never),
    ("F9", &["stall accept"], Never),
    ("F9", &["stall request"], Never),
    ("F9", &["stall byte 30"], Never),
    ("F9", &["stall body 0"], Never),
    ("F9", &["stall body 40"], Never),
    ("F10", &["drip request 50"], Never),
    ("F10", &["drip body 1 50"], Never),
    ("F11", &["length 1000"], Wrong),
    ("F11", &["close body 40"], Wrong),
    ("F11", &["reset body 40"], Wrong),
    ("F12", &["extra 0123456789"], Well),
    ("F13", &["garbage"], Wrong),
    ("F13", &["headers 100000 1"], Wrong),
    ("F13", &["raw HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"], Wrong),
    ("F16", &["bomb gzip 8"], Wrong),
    ("F16", &["bomb gzip 8 500"], Wrong),
    ("F17", &["encoding gzip"], Wrong),
    ("F18", &["redirect 307 https://elsewhere.example/"], Wrong),
    ("F19", &["html"], Wrong),
    ("F20", &["status 500"], Well),
    ("F20", &["status 502", "status 504"], Well),
    ("F20", &["status 503"], Wrong),
    ("F20 and F9", &["status 500", "stall request"], Never),
    ("F20 and F9", &["status 500", "status 503", "stall body 40"], Never),
    ("F20 and F9", &[STALLED_ERROR], Never),
    ("F21", &["status 529"], Wrong),
    ("F21 and F9", &["status 529", "stall request"], Never),
    ("F22", &["status 429 retry-after 7"], Well),
    ("F22", &["status 429 retry-after 12"], Wrong),
    ("F22", &["status 429 retry-after 19", "stall request"], Never),
    ("F22", &["status 429 retry-after 3600"], Wrong),
    ("F23", &["error enforced_spend_limit_reached"], Wrong),
    ("F24", &["status 408"], Well),
    ("F24", &["status 404"], Wrong),
    ("F25", &["status 400 x-should-retry true"], Wrong),
    ("F25", &["status 529 x-should-retry false"], Wrong),
];

pub(super) const MESSAGES_OVER_HTTP2: &[Row] = &[
    ("F7", &["refuse-stream"], Well),
    ("F7", &["goaway unserved"], Well),
    ("F7", &["goaway served"], Wrong),
    ("F8", &["reset body 20"], Wrong),
    ("F8", &["frames ping 2000"], Either),
    ("F8", &["frames settings 2000"], Either),
    ("F8", &["frames continuation 300"], Wrong),
    ("F9", &["stall accept"], Never),
    ("F9", &["stall request"], Never),
    ("F9", &["stall body 20"], Never),
    ("F10", &["drip body 1 50"], Never),
    ("F14", &["certificate expired"], Wrong),
    ("F14", &["certificate other-name"], Wrong),
    ("F14", &["old-tls"], Wrong),
];

pub(super) const STREAMS: &[Row] = &[
    ("F5", &["reset request"], Wrong),
    ("F9", &["stall request"], Never),
    ("F9", &["stall byte 30"], Never),
    ("F10", &["drip body 1 50"], Never),
    ("F19", &["html"], Wrong),
    ("F20", &["status 503"], Wrong),
    ("F20 and F58", &["status 500", "stall event 5"], Never),
    ("F57", &["close event 1"], Well),
    ("F57", &["close event 5"], Wrong),
    ("F57", &["reset body 900"], Wrong),
    ("F58", &["stall event 0"], Never),
    ("F58", &["stall event 1"], Never),
    ("F58", &["stall event 2"], Never),
    ("F58", &["stall event 5"], Never),
    ("F58", &["stall event 8"], Never),
    ("F59", &["keep-alive 0 ping 1"], Never),
    ("F59", &["keep-alive 3 ping 1"], Never),
    ("F59", &["keep-alive 3 comment 1"], Never),
    ("F59", &["keep-alive 8 ping 1"], Never),
    ("F60", &["error-event 1 overloaded_error"], Well),
    ("F60", &["error-event 1 overloaded_error"], Wrong),
    ("F60", &["error-event 6 overloaded_error"], Wrong),
    ("F60 and F58", &["error-event 1 overloaded_error", "stall event 5"], Never),
    ("F61", &["bom"], Well),
    ("F61", &["line-ends crlf"], Well),
    ("F61", &["chunks 1"], Well),
    ("F61", &["long-line event 3 17000000"], Wrong),
    ("F62", &["again event 0 1"], Wrong),
    ("F62", &["drop event 1"], Wrong),
];

pub(super) const STREAMS_OVER_HTTP2: &[Row] = &[
    ("F8", &["reset event 5"], Wrong),
    ("F58", &["stall event 1"], Never),
    ("F58", &["stall event 5"], Never),
    ("F59", &["keep-alive 3 ping 1"], Never),
];

/// At the token endpoint, for every renewal.
pub(super) const TOKENS: &[Row] = &[
    ("F19", &["html"], Wrong),
    ("F29", &["status 503"], Wrong),
    ("F29", &["status 429 retry-after 15"], Wrong),
    ("F31", &["oauth invalid_grant"], Wrong),
    ("F32", &["reset request"], Wrong),
    ("F32", &["close body 20"], Wrong),
    ("F33", &["remove refresh_token"], Well),
    ("F34", &["set expires_in 0"], Well),
    ("F35", &["set access_token null"], Wrong),
    ("F36", &["append }"], Wrong),
    ("F37", &["stall accept"], Never),
    ("F37", &["stall request"], Never),
    ("F37", &["stall body 20"], Never),
    ("F37", &["drip body 1 50"], Never),
];
