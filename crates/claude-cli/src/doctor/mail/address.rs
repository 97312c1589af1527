//! An address of mail, as it is typed.

use std::fmt;

use anyhow::{anyhow, bail};
use url::Host;

/// How long what is before the `@` and how long all of it may be (RFC 5321 section 4.5.3.1), in bytes.
const LOCAL: usize = 64;
const LONGEST: usize = 254;
/// How much is shown of what is no address, in characters.
const SHOWN: usize = 60;

/// Somebody's address. It holds nothing that a terminal or a reader would take for something else.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::doctor) struct Address {
    local: String,
    /// As DNS knows it: of other letters than ASCII's, their form in these (RFC 5891).
    domain: String,
}

impl Address {
    pub(in crate::doctor) fn parse(text: &str) -> anyhow::Result<Self> {
        let text = text.trim();
        let wrong = |why: &str| anyhow!("{} {why}; give one like you@company.example", shown(text));
        let Some((local, domain)) = text.rsplit_once('@') else { bail!(wrong("has no @")) };
        if text.len() > LONGEST || local.len() > LOCAL {
            bail!(wrong("is longer than an address can be (64 bytes before the @, 254 in all)"));
        }
        if !is_local(local) {
            bail!(wrong("has something before its @ that no address has"));
        }
        let domain =
            domain_of(domain).ok_or_else(|| wrong("has no domain after its @ that DNS could know"))?;
        Ok(Self { local: local.to_owned(), domain })
    }

    pub(super) fn domain(&self) -> &str {
        &self.domain
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local, self.domain)
    }
}

/// Words with dots between, letters of all scripts among them (RFC 6531), or ASCII in quotes.
fn is_local(text: &str) -> bool {
    if let Some(quoted) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        return !quoted.is_empty()
            && quoted
                .bytes()
                .all(|byte| byte == b' ' || byte.is_ascii_graphic() && !b"\"\\".contains(&byte));
    }
    let is_of_a_word = |letter: char| letter.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(letter);
    text.split('.').all(|word| !word.is_empty() && word.chars().all(is_of_a_word))
}

fn domain_of(text: &str) -> Option<String> {
    // What a URL may have escaped, an address may not.
    let Ok(Host::Domain(domain)) = Host::parse(text).ok().filter(|_| !text.contains('%')).ok_or(()) else {
        return None;
    };
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    (domain.contains('.') && domain.len() <= 253 && domain.split('.').all(is_label)).then_some(domain)
}

/// In quotes, with everything escaped that is not to be seen, and its end left out where it is long.
fn shown(text: &str) -> String {
    let beginning: String = text.chars().take(SHOWN).collect();
    let rest = if beginning.len() < text.len() { "…" } else { "" };
    format!("{beginning:?}{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_domain_that_dns_can_know() {
        for (text, address, domain) in [
            ("ann@mail.corp.example", "ann@mail.corp.example", "mail.corp.example"),
            (" ann@Corp.Example\n", "ann@corp.example", "corp.example"),
            ("\"a@b\"@corp.example", "\"a@b\"@corp.example", "corp.example"),
            ("ann+claude@corp.example", "ann+claude@corp.example", "corp.example"),
            ("jörg@müller.example", "jörg@xn--mller-kva.example", "xn--mller-kva.example"),
        ] {
            let parsed = Address::parse(text).unwrap();
            assert_eq!((parsed.to_string().as_str(), parsed.domain()), (address, domain));
        }
    }

    #[test]
    fn what_is_none_is_refused_with_what_is_wrong_and_shown_escaped_and_not_at_length() {
        let long = format!("{}@corp.example", "a".repeat(65));
        let longer = format!("ann@{}example", "a.".repeat(200));
        let label = format!("ann@{}.example", "a".repeat(64));
        for (text, why) in [
            ("", "has no @"),
            ("ann", "has no @"),
            ("@corp.example", "before its @"),
            ("a n@corp.example", "before its @"),
            ("ann.@corp.example", "before its @"),
            ("\"ann@corp.example", "before its @"),
            ("a\u{1b}[31mnn@corp.example", "before its @"),
            ("a\u{202e}nn@corp.example", "before its @"),
            ("a\nPlease allow evil.example@corp.example", "before its @"),
            ("Ann <ann@corp.example>", "before its @"),
            ("ann@", "after its @"),
            ("ann@localhost", "after its @"),
            ("ann@a..b", "after its @"),
            ("ann@a b.c", "after its @"),
            ("ann@-corp.example", "after its @"),
            ("ann@corp-.example", "after its @"),
            ("ann@a%62.example", "after its @"),
            ("ann@192.0.2.1", "after its @"),
            ("ann@[192.0.2.1]", "after its @"),
            ("ann@corp.example\u{7}", "after its @"),
            (&long, "longer than"),
            (&longer, "longer than"),
            (&label, "after its @"),
        ] {
            let told = Address::parse(text).unwrap_err().to_string();
            assert!(told.contains(why), "{text:?}: {told}");
            assert!(told.ends_with("; give one like you@company.example"), "{told}");
            assert!(!told.contains(|letter: char| letter.is_control() || letter == '\u{202e}'), "{told:?}");
            assert!(told.chars().count() < 200, "{told}");
        }
    }
}
