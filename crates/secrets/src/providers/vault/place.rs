//! A name as a path, a version and a field.

use crate::{Error, ErrorKind, SecretName};

#[derive(Debug, PartialEq)]
pub(super) struct Place {
    pub(super) path: String,
    pub(super) version: Option<u64>,
    pub(super) field: String,
}

impl Place {
    pub(super) fn parse(name: &SecretName) -> Result<Self, Error> {
        let refused = || Error::new(ErrorKind::InvalidReference, "the vault reference");
        let (path, field) = name.as_str().split_once('#').ok_or_else(refused)?;
        let (path, version) = match path.split_once("?version=") {
            Some((path, version)) => (path, Some(version.parse().map_err(|_| refused())?)),
            None => (path, None),
        };
        if path.is_empty() || field.is_empty() || path.contains('?') || path.ends_with('/') {
            return Err(refused());
        }
        Ok(Self { path: path.to_owned(), version, field: field.to_owned() })
    }

    /// A place where something can be written: one field of the newest version.
    pub(super) fn writable(self) -> Result<Self, Error> {
        if self.version.is_some() || self.field == "*" {
            return Err(Error::new(ErrorKind::Unsupported, self.shown()));
        }
        Ok(self)
    }

    /// What distinguishes one question from another.
    pub(super) fn key(&self) -> String {
        format!("{}?{}", self.path, self.version.unwrap_or_default())
    }

    /// What is wrong with the value there.
    pub(super) fn error(&self, kind: ErrorKind) -> Error {
        Error::new(kind, self.shown())
    }

    pub(super) fn shown(&self) -> String {
        format!("the secret {} in Vault", self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_path_maybe_a_version_and_a_field() {
        let parse = |name| Place::parse(&SecretName::new(name).unwrap());
        let place =
            |path: &str, version, field: &str| Place { path: path.into(), version, field: field.into() };
        assert_eq!(parse("secret/data/a#key").unwrap(), place("secret/data/a", None, "key"));
        assert_eq!(parse("secret/data/a?version=3#*").unwrap(), place("secret/data/a", Some(3), "*"));
        for name in ["secret/data/a", "#key", "a#", "a?x=1#key", "a?version=x#key", "?version=1#key"] {
            assert_eq!(parse(name).unwrap_err().kind(), ErrorKind::InvalidReference, "{name}");
        }
    }
}
