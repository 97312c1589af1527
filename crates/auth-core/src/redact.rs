//! Text from elsewhere, made fit to be shown: no control characters, no secret, not too long.

use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD},
};
use secrecy::{ExposeSecret as _, SecretString};
use url::form_urlencoded::byte_serialize;

/// The most characters of foreign text that an error keeps.
const CAP: usize = 256;
const MARK: &str = "[redacted]";

/// Finds the secrets of one request in the text of its answer, however they were encoded.
#[derive(Debug, Default)]
pub(crate) struct Scrubber(Vec<SecretString>);

impl Scrubber {
    pub(crate) fn new(secrets: &[SecretString]) -> Self {
        let mut forms: Vec<SecretString> =
            secrets.iter().flat_map(|secret| encodings(secret.expose_secret())).collect();
        // Longest first, so that a padded form does not leave its padding behind.
        forms.sort_by_key(|form| std::cmp::Reverse(form.expose_secret().len()));
        Self(forms)
    }

    /// Returns the text without control characters and secrets, cut to 256 characters.
    ///
    /// Characters are replaced before secrets are looked for and the cut comes last: neither can hide part of a secret.
    pub(crate) fn clean(&self, text: &str) -> String {
        let mut text: String = text.chars().map(|c| if is_unprintable(c) { ' ' } else { c }).collect();
        for form in &self.0 {
            if text.contains(form.expose_secret()) {
                text = text.replace(form.expose_secret(), MARK);
            }
        }
        text.trim().chars().take(CAP).collect()
    }
}

fn encodings(secret: &str) -> Vec<SecretString> {
    if secret.is_empty() {
        return Vec::new();
    }
    let form: String = byte_serialize(secret.as_bytes()).collect();
    let json = serde_json::Value::from(secret).to_string();
    let mut forms = vec![
        secret.to_owned(),
        form.replace('+', "%20"),
        lower_escapes(&form),
        form,
        json.trim_matches('"').replace('/', "\\/"),
        json.trim_matches('"').to_owned(),
        BASE64_STANDARD.encode(secret),
        BASE64_STANDARD_NO_PAD.encode(secret),
        BASE64_URL_SAFE.encode(secret),
        BASE64_URL_SAFE_NO_PAD.encode(secret),
    ];
    forms.sort_unstable();
    forms.dedup();
    forms.into_iter().map(SecretString::from).collect()
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
            let shown = scrubber.clean(&format!("before {} after", form.expose_secret()));
            assert_eq!(shown, "before [redacted] after");
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
