//! Text from elsewhere, made fit to be shown: no control characters, no secret, not too long.

use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD},
};
use secrecy::{ExposeSecret as _, SecretString};

/// The most characters of foreign text that an error keeps.
const CAP: usize = 256;
const MARK: &str = "[redacted]";

/// Finds the secrets of one request in the text of its answer, however they were encoded.
#[derive(Debug, Default)]
pub(crate) struct Scrubber(Vec<SecretString>);

impl Scrubber {
    pub(crate) fn new(secrets: &[SecretString]) -> Self {
        let mut forms: Vec<SecretString> = Vec::new();
        for form in secrets.iter().flat_map(|secret| encodings(secret.expose_secret())) {
            // Longest first, so that a padded form does not leave its padding behind.
            let place = forms.partition_point(|other| other.expose_secret().len() >= form.len());
            forms.insert(place, form.into());
        }
        Self(forms)
    }

    /// Returns the text without control characters and secrets, cut to 256 characters.
    ///
    /// Characters are replaced before secrets are looked for and the cut comes last: neither can hide part of a secret.
    pub(crate) fn clean(&self, text: &str) -> String {
        let mut text = printable(text);
        for form in &self.0 {
            if text.contains(form.expose_secret()) {
                text = text.replace(form.expose_secret(), MARK);
            }
        }
        text.trim().chars().take(CAP).collect()
    }
}

/// Returns every form in which others write this secret, the secret itself among them.
fn encodings(secret: &str) -> Vec<String> {
    if secret.is_empty() {
        return Vec::new();
    }
    let mut forms = vec![
        printable(secret),
        BASE64_STANDARD.encode(secret),
        BASE64_STANDARD_NO_PAD.encode(secret),
        BASE64_URL_SAFE.encode(secret),
        BASE64_URL_SAFE_NO_PAD.encode(secret),
    ];
    let url = PLAIN.iter().flat_map(|plain| url_forms(secret, plain));
    let json = ESCAPED.iter().flat_map(|escaped| json_forms(secret, *escaped));
    forms.extend(url.chain(json).map(|form| printable(&form)));
    forms.sort_unstable();
    forms.dedup();
    forms
}

/// Beside letters and digits, what is not percent-encoded: in a form (WHATWG), in a URL (RFC 3986 section 2.3), in a
/// path, and by `encodeURIComponent`.
const PLAIN: [&[u8]; 4] = [b"*-._", b"-._~", b"-._~/", b"-._~!*'()"];

/// Percent-encodes with either case of letters, and with either way to write a space.
fn url_forms(secret: &str, plain: &[u8]) -> [String; 4] {
    let mut upper = String::with_capacity(secret.len());
    for byte in secret.bytes() {
        if byte.is_ascii_alphanumeric() || plain.contains(&byte) {
            upper.push(byte.into());
        } else {
            upper += &format!("%{byte:02X}");
        }
    }
    let lower = lower_escapes(&upper);
    let plus = |form: &str| form.replace("%20", "+");
    [plus(&upper), plus(&lower), upper, lower]
}

/// Writes `%2F` as `%2f`; both are legal.
fn lower_escapes(form: &str) -> String {
    let mut escaped = 0;
    form.chars()
        .map(|c| match (c, escaped) {
            ('%', _) => {
                escaped = 2;
                c
            }
            (_, 0) => c,
            _ => {
                escaped -= 1;
                c.to_ascii_lowercase()
            }
        })
        .collect()
}

/// What is written as `\uXXXX` beside control characters: nothing; what is not ASCII; what means something in HTML; both;
/// and both with what means something in a script.
const ESCAPED: [fn(char) -> bool; 5] = [
    |_| false,
    |c| !c.is_ascii(),
    |c| "<>&\u{2028}\u{2029}".contains(c),
    |c| !c.is_ascii() || "<>&".contains(c),
    |c| !c.is_ascii() || "<>&'\"+`".contains(c),
];

/// Writes the inside of a JSON string with either case of letters in escapes, and with slashes escaped or not.
fn json_forms(secret: &str, escaped: fn(char) -> bool) -> [String; 4] {
    let write = |unit: fn(u16) -> String| {
        let mut text = String::with_capacity(secret.len());
        for c in secret.chars() {
            match c {
                _ if escaped(c) => text.extend(c.encode_utf16(&mut [0; 2]).iter().map(|code| unit(*code))),
                '"' | '\\' => text.extend(['\\', c]),
                '\n' => text += "\\n",
                '\r' => text += "\\r",
                '\t' => text += "\\t",
                _ if c < ' ' => text.extend(c.encode_utf16(&mut [0; 1]).iter().map(|code| unit(*code))),
                _ => text.push(c),
            }
        }
        text
    };
    let (upper, lower) = (write(|unit| format!("\\u{unit:04X}")), write(|unit| format!("\\u{unit:04x}")));
    let slashes = |form: &str| form.replace('/', "\\/");
    [slashes(&upper), slashes(&lower), upper, lower]
}

/// Replaces what a terminal would obey by blanks, one for one.
fn printable(text: &str) -> String {
    text.chars().map(|c| if is_unprintable(c) { ' ' } else { c }).collect()
}

/// Tells whether a character can move the cursor, start an escape sequence or reorder a line.
fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_in_every_encoding() {
        let secret = SecretString::from("s3cr\"et/+val ue==");
        let scrubber = Scrubber::new(std::slice::from_ref(&secret));
        for form in encodings(secret.expose_secret()) {
            let shown = scrubber.clean(&format!("before {form} after"));
            assert_eq!(shown, "before [redacted] after");
        }
    }

    /// A token may hold any of these characters (RFC 6750 section 2.1), and a secret of a client any at all.
    #[test]
    fn a_secret_is_found_as_other_languages_write_it() {
        for (secret, forms) in [
            // RFC 3986, and Python's `quote`.
            ("a~b/c+d=", &["a~b%2Fc%2Bd%3D", "a~b%2fc%2bd%3d", "a~b/c%2Bd%3D"][..]),
            // `encodeURIComponent`, Go's `QueryEscape`, a form.
            ("it's(*)!/x y", &["it's(*)!%2Fx%20y", "it%27s%28%2A%29%21%2Fx+y", "it%27s%28*%29%21%2Fx+y"]),
            // Go, with either case; .NET; PHP for a page.
            (
                "a<b>&/+'",
                &[
                    r"a\u003cb\u003e\u0026/+'",
                    r"a\u003Cb\u003E\u0026\/+'",
                    r"a\u003Cb\u003E\u0026/\u002B\u0027",
                ],
            ),
            // Python's `json`, and whoever leaves letters alone.
            (
                "pä\u{1f511}/",
                &[
                    "pä\u{1f511}/",
                    r"p\u00e4\ud83d\udd11/",
                    r"p\u00E4\uD83D\uDD11\/",
                    "p%C3%A4%F0%9F%94%91%2F",
                ],
            ),
            // What one of them escapes, another does not.
            ("ä<'+", &["ä<'+", r"\u00e4<'+", r"ä\u003c'+", r"\u00e4\u003c'+", r"\u00e4\u003c\u0027\u002b"]),
            (r#"a"b\c"#, &[r#"a\"b\\c"#, r"a\u0022b\\c", "a%22b%5Cc"]),
            // What cannot be printed is replaced before it is looked for, in the secret as well.
            ("hunter\t2\n3", &["hunter\t2\n3", r"hunter\t2\n3", "hunter%092%0A3", "hunter\u{0}2 3"]),
            ("a\rb\u{1f}", &["a\rb\u{1f}", r"a\rb\u001f", r"a\rb\u001F", "a%0db%1f"]),
        ] {
            let scrubber = Scrubber::new(&[secret.into()]);
            for form in forms {
                assert_eq!(scrubber.clean(&format!("<{form}>")), "<[redacted]>", "{secret:?} as {form:?}");
            }
        }
    }

    /// The forms are written out here: what the code above calls an encoding has to be one.
    #[test]
    fn a_secret_is_found_as_others_write_it() {
        let scrubber = Scrubber::new(&["p/Q r\"+~".into()]);
        for form in [
            "p/Q r\"+~",
            "p%2FQ+r%22%2B%7E",
            "p%2fQ+r%22%2b%7e",
            "p%2FQ%20r%22%2B%7E",
            r#"p/Q r\"+~"#,
            r#"p\/Q r\"+~"#,
            "cC9RIHIiK34=",
            "cC9RIHIiK34",
        ] {
            assert_eq!(scrubber.clean(&format!("<{form}>")), "<[redacted]>");
        }
        // `-` and `_` for `+` and `/`.
        let scrubber = Scrubber::new(&["a>>b??c".into()]);
        for form in ["YT4+Yj8/Yw==", "YT4-Yj8_Yw==", "YT4-Yj8_Yw"] {
            assert_eq!(scrubber.clean(&format!("<{form}>")), "<[redacted]>");
        }
    }

    #[test]
    fn control_characters_cannot_reach_a_terminal_nor_hide_a_secret() {
        let secret = SecretString::from("hush hush");
        assert_eq!(Scrubber::new(&[secret]).clean("\u{1b}[31m hush\u{0}hush\r\n"), "[31m [redacted]");
    }

    #[test]
    fn the_cut_comes_after_the_scrubbing() {
        let secret = SecretString::from("0123456789abcdef");
        let text = format!("{}{}", "x".repeat(CAP - 8), secret.expose_secret());
        let shown = Scrubber::new(&[secret]).clean(&text);
        assert_eq!(shown.chars().count(), CAP);
        assert!(!shown.contains("0123"), "{shown}");
    }

    #[test]
    fn an_empty_secret_matches_nothing() {
        assert_eq!(Scrubber::new(&["".into()]).clean("text"), "text");
    }
}
