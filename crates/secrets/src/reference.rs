//! Where a secret is, written down.

use std::{fmt, str::FromStr};

use crate::{Error, ErrorKind, SecretName, words};

/// The schemes that are known everywhere; each has a feature of its name that builds its provider in, `mount` that of `file`.
const SCHEMES: [&str; 6] = ["command", "env", "file", "keyring", "mount", "vault"];

/// Where a secret is: what stands in a configuration file in the secret's place.
///
/// | reference | the secret is |
/// |---|---|
/// | `env:CLAUDE_CLIENT_SECRET` | the value of that environment variable |
/// | `file:/run/secrets/key` | the content of that file, which is its user's alone |
/// | `mount:/run/secrets/key` | the content of that file, which a platform mounts and replaces |
/// | `vault:secret/data/claude#client_secret` | a field of a secret in Vault |
/// | `keyring:claude/prod` | the password of a service and a user in the keyring of the desktop |
/// | `command:pass show claude` | what that program prints; it is run by no shell |
///
/// Other schemes belong to providers of your own: [`Resolver::reference`](crate::Resolver::reference) reads those. A
/// reference is no secret: it is displayed as it was written. Its `Debug` shows the scheme, for somebody may have confused the two.
///
/// ```
/// use secrets::Reference;
///
/// let reference: Reference = "vault:secret/data/claude#client_secret".parse()?;
/// assert_eq!((reference.scheme(), reference.place()), ("vault", "secret/data/claude#client_secret"));
/// # Ok::<(), secrets::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Reference {
    scheme: Box<str>,
    place: Box<str>,
}

impl Reference {
    /// Returns what stands before the first colon.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// Returns what stands behind the first colon.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// Reads a reference of a scheme that is known everywhere, or of one that `is_known`.
    ///
    /// The text of an unknown scheme is in no error: it may be a secret with a colon in it.
    pub(crate) fn read(text: &str, is_known: impl Fn(&str) -> bool) -> Result<Self, Error> {
        let refused = |what: String| Err(Error::new(ErrorKind::InvalidReference, what));
        let Some((scheme, place)) = text.split_once(':') else { return refused("the reference".into()) };
        let builtin = SCHEMES.contains(&scheme);
        if !builtin && !is_known(scheme) {
            return refused("the reference".into());
        }
        if !is_of_its_form(scheme, place) {
            return refused(format!("the {scheme} reference"));
        }
        Ok(Self { scheme: scheme.into(), place: place.into() })
    }

    /// Reads what somebody has put where a secret is taken: `None` where it is the secret itself, that is, where it does not
    /// begin with a scheme that is known everywhere and a colon.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidReference`] where it begins so and is no reference; it is not repeated.
    pub fn meant(text: &str) -> Result<Option<Self>, Error> {
        match text.split_once(':') {
            Some((scheme, _)) if SCHEMES.contains(&scheme) => text.parse().map(Some),
            _ => Ok(None),
        }
    }

    /// Where it leads, for the error that nothing is there: of a command only the program. A secret that somebody has put behind
    /// a scheme leads nowhere, so what does not look like a place is not shown.
    pub(crate) fn shown(&self) -> String {
        match &*self.scheme {
            "env" if self.place.contains(|letter: char| letter.is_ascii_lowercase()) => {
                "the environment variable of the reference".to_owned()
            }
            #[cfg(feature = "file")]
            "file" | "mount"
                if !crate::private_file::looks_like_a_path(std::path::Path::new(&*self.place)) =>
            {
                format!("the file of the {} reference", self.scheme)
            }
            "env" => format!("the environment variable {}", self.place),
            "command" => {
                let program = words::split(&self.place).and_then(|words| words.into_iter().next());
                format!("the command {}", program.unwrap_or_default())
            }
            "literal" => "the literal".to_owned(),
            _ => self.to_string(),
        }
    }
}

impl FromStr for Reference {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::read(text, |_| false)
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.scheme {
            "literal" => f.write_str("literal:[redacted]"),
            scheme => write!(f, "{scheme}:{}", self.place),
        }
    }
}

/// The scheme alone: somebody may have put the secret itself behind it.
impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reference({}:…)", self.scheme)
    }
}

fn is_of_its_form(scheme: &str, place: &str) -> bool {
    let printable = !place.is_empty() && place.len() <= LONGEST && !place.contains(char::is_control);
    let named = || SecretName::new(place).is_ok();
    printable
        && match scheme {
            "env" => is_variable(place),
            "file" | "mount" => true,
            "vault" => {
                let parts = place.split_once('#');
                named() && parts.is_some_and(|(path, field)| !path.is_empty() && !field.is_empty())
            }
            "keyring" => named() && place.contains('/'),
            "command" => words::split(place).is_some_and(|words| !words.is_empty()),
            _ => named(),
        }
}

/// Names as POSIX has them. Most keys have a character that is in none, so that a key behind `env:` is refused unseen.
fn is_variable(name: &str) -> bool {
    let of_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    name.bytes().all(of_name) && !name.starts_with(|first: char| first.is_ascii_digit())
}

/// The longest place, in bytes: as the longest path of Linux.
const LONGEST: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_of_each_form_is_read_and_shown_as_it_was_written() {
        for text in [
            "env:CLAUDE_CLIENT_SECRET",
            "file:/run/secrets/key",
            "file:relative/with space",
            "mount:/run/secrets/key",
            "vault:secret/data/claude#client_secret",
            "keyring:claude/prod",
            "command:pass show 'team claude'",
        ] {
            let reference: Reference = text.parse().unwrap();
            assert_eq!(reference.to_string(), text);
            assert_eq!(format!("{reference:?}"), format!("Reference({}:…)", reference.scheme()));
            assert_eq!(format!("{}:{}", reference.scheme(), reference.place()), text);
        }
    }

    #[test]
    fn what_is_not_of_its_form_is_refused_by_the_name_of_the_form() {
        for text in [
            "env:",
            "env:A=B",
            "env:A B",
            "env:1A",
            "env:sk-ant-api03-canary",
            "file:",
            "mount:",
            "file:a\0b",
            "vault:secret/data/claude",
            "vault:#field",
            "vault:secret#",
            "vault:../sys#x",
            "keyring:claude",
            "keyring:/user",
            "command:",
            "command:  ",
            "command:pass 'unclosed",
        ] {
            let error = text.parse::<Reference>().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidReference, "{text}");
            let scheme = text.split(':').next().unwrap();
            assert!(error.to_string().starts_with(&format!("the {scheme} reference is not")), "{error}");
            assert!(error.to_string().contains("vault:PATH#FIELD"), "{error}");
            assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
        }
    }

    #[test]
    fn a_secret_in_the_place_of_a_reference_is_not_repeated() {
        for text in
            ["canary", "user:canary", "canary:password", "literal:canary", "ENV:canary", ":canary", ""]
        {
            let error = text.parse::<Reference>().unwrap_err();
            assert_eq!(error.place(), "the reference");
            assert!(!format!("{error} {error:?}").contains("canary"), "{text}");
        }
    }
}
