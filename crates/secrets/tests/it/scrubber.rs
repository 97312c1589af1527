//! Secrets are taken out of texts, however they are written and however the texts are cut.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use base64::{Engine as _, prelude::*};
use secrets::{Error, ErrorKind, Resolver, Scrubber, Secret};

const SECRET: &str = "sk-ant-api03-caNaRy\"k+/=%&\\é key?>>~ü";
const MARK: &str = "[redacted]";

fn watching(secrets: &[&str]) -> Scrubber {
    let scrubber = Scrubber::new();
    for secret in secrets {
        assert!(scrubber.watch(&Secret::from((*secret).to_owned())));
    }
    scrubber
}

fn percent(text: &str, keeps: &str, upper: bool) -> String {
    let code = |byte: u8| if upper { format!("%{byte:02X}") } else { format!("%{byte:02x}") };
    let one = |byte: u8| match char::from(byte) {
        kept if kept.is_ascii_alphanumeric() || keeps.contains(kept) => kept.to_string(),
        _ => code(byte),
    };
    text.bytes().map(one).collect()
}

fn json(text: &str, ascii: bool) -> String {
    let mut units = [0; 2];
    let mut one = |sign: char| match sign {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        sign if ascii && !sign.is_ascii_alphanumeric() => {
            sign.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")).collect()
        }
        sign => sign.to_string(),
    };
    text.chars().map(&mut one).collect()
}

/// How it may be written, each by code that shares nothing with what is tested.
fn forms(secret: &str) -> Vec<String> {
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let bytes = secret.as_bytes();
    let html: String = secret.chars().map(|sign| format!("&#{};", u32::from(sign))).collect();
    let named = secret.replace('&', "&amp;").replace('"', "&quot;").replace('>', "&gt;");
    let escaped: String = bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect();
    vec![
        secret.to_owned(),
        secret.to_ascii_uppercase(),
        hex.to_uppercase(),
        hex,
        percent(secret, "", true),
        percent(secret, "", false),
        percent(secret, "-._~/?", true),
        percent(secret, "-._~", true).replace("%20", "+"),
        percent(&percent(secret, "-", true), "-", true),
        json(secret, false),
        json(secret, true),
        json(&json(secret, false), false),
        json(secret, false).replace('/', "\\/"),
        format!("{secret:?}").trim_matches('"').to_owned(),
        secret.escape_unicode().to_string(),
        html,
        named,
        escaped,
        format!("{bytes:?}").trim_matches(['[', ']']).to_owned(),
        format!("{bytes:#?}").trim_matches(['[', ']', '\n', ' ', ',']).to_owned(),
    ]
}

/// Inside longer texts, at each offset; what is left of the edges belongs to the neighbours.
fn encodings(secret: &str) -> Vec<String> {
    let mut all = Vec::new();
    for before in ["", "a", "ab", "user:", "abcd"] {
        for after in ["", "z", "zz"] {
            let text = format!("{before}{secret}{after}");
            all.extend([
                BASE64_STANDARD.encode(&text),
                BASE64_URL_SAFE_NO_PAD.encode(&text),
                json(&BASE64_STANDARD.encode(&text), true),
                percent(&BASE64_STANDARD.encode(&text), "", true),
            ]);
        }
    }
    all
}

#[test]
fn a_secret_is_taken_out_in_every_form() {
    let scrubber = watching(&["another secret", SECRET, "sk-ant-api03-third"]);
    for form in forms(SECRET) {
        for (before, after) in
            [("", ""), ("key=", "&x"), ("{\"a\":\"", "\"}"), ("%", "%"), ("\\n ", "\\n"), ("s", "!")]
        {
            let text = format!("{before}{form}{after}");
            let scrubbed = scrubber.scrub(&text);
            assert_eq!(scrubbed, format!("{before}{MARK}{after}"), "{form}");
        }
    }
    for form in encodings(SECRET) {
        let text = format!("Basic {form} end");
        let scrubbed = scrubber.scrub(&text);
        assert!(
            scrubbed.starts_with("Basic ") && scrubbed.ends_with(" end") && scrubbed.contains(MARK),
            "{form}"
        );
        assert!(scrubbed.len() < "Basic  end".len() + MARK.len() + 32, "{form}: {scrubbed}");
    }
}

#[test]
fn what_holds_no_secret_stays_as_it_is() {
    let scrubber = watching(&[SECRET, "password1"]);
    for text in [
        "",
        "password",
        "sk-ant-api03-",
        "100% of \\u0073 &amp; %73k-ant",
        "\u{1f512} ünïcödé",
        "[115, 107, 45]",
    ] {
        assert_eq!(scrubber.scrub(text), text);
    }
    assert_eq!(scrubber.scrub_bytes(b"\xff\xfe %"), &b"\xff\xfe %"[..]);
    assert_eq!(scrubber.scrub_bytes(b"\xffpassword1\xfe"), &b"\xff[redacted]\xfe"[..]);
    assert!(!Scrubber::new().watch(&Secret::from("short".to_owned())));
}

#[test]
fn half_of_a_long_secret_is_a_secret() {
    let long = "Q7ZK2M9XW4RB8TJ3-Q7ZK2M9XW4RB8TJ3";
    let scrubber = watching(&[long]);
    let cut = |count: usize| format!("body: {}…", &long[..count]);
    assert_eq!(scrubber.scrub(&cut(20)), "body: [redacted]…");
    assert_eq!(scrubber.scrub(&cut(10)), cut(10));
}

/// What was written, in the order of the writes.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(piece)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

#[test]
fn a_secret_that_is_split_over_writes_is_taken_out_all_the_same() {
    let scrubber = watching(&[SECRET]);
    for form in forms(SECRET) {
        let text = format!("begin {form} end");
        for first in 0..text.len() {
            let sink = Sink::default();
            let mut writer = scrubber.writer(sink.clone());
            writer.write_all(&text.as_bytes()[..first]).unwrap();
            writer.flush().unwrap();
            writer.write_all(&text.as_bytes()[first..]).unwrap();
            drop(writer);
            assert_eq!(sink.text(), "begin [redacted] end", "{form} after {first}");
        }
        let sink = Sink::default();
        let mut writer = scrubber.writer(sink.clone());
        text.bytes().for_each(|byte| writer.write_all(&[byte]).unwrap());
        drop(writer);
        assert_eq!(sink.text(), "begin [redacted] end", "{form} byte by byte");
    }
}

#[test]
fn a_writer_keeps_back_only_what_may_become_a_secret() {
    let scrubber = watching(&["Q7ZK2M9XW4RB"]);
    let sink = Sink::default();
    let mut writer = scrubber.writer(sink.clone());
    writer.write_all(b"a line\nkey Q7Z").unwrap();
    assert_eq!(sink.text(), "a line\nkey ");
    writer.write_all(b"?").unwrap();
    assert_eq!(sink.text(), "a line\nkey Q7Z?");
    writer.write_all(b"Q7").unwrap();
    drop(writer);
    assert_eq!(sink.text(), "a line\nkey Q7Z?Q7", "the end is not lost");
}

#[test]
fn the_newest_secrets_are_watched_for_and_the_register_does_not_grow() {
    let scrubber = Scrubber::new();
    let secret = |number: usize| format!("secret-{number:04}-x");
    for number in 0..300 {
        scrubber.watch(&Secret::from(secret(number)));
        scrubber.watch(&Secret::from(secret(100)));
    }
    assert_eq!(format!("{scrubber:?}"), "Scrubber(256 secrets)");
    assert_eq!(scrubber.scrub(&secret(299)), MARK);
    assert_eq!(scrubber.scrub(&secret(100)), MARK, "one that is told of again is new");
    assert_eq!(scrubber.scrub(&secret(0)), secret(0));
}

#[tokio::test]
async fn what_a_resolver_finds_is_scrubbed_from_errors() {
    let scrubber = Scrubber::new();
    let lookup = Arc::new(|name: &str| (name == "KEY").then(|| SECRET.into()));
    let resolver = Resolver::new().with_environment(lookup).watched_by(&scrubber);
    resolver.resolve(&"env:KEY".parse().unwrap()).await.unwrap();

    let error = Error::new(ErrorKind::Unavailable, "the server").with_source(format!("it said {SECRET:?}"));
    let told = scrubber.describe(&error);
    assert_eq!(told, format!("{error}: it said \"{MARK}\""));
}
