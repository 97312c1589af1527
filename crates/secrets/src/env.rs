//! Secrets from the environment, and the one place of the workspace that reads it.
#![expect(clippy::disallowed_methods, reason = "this file owns the process environment")]

use std::{collections::HashMap, ffi::OsString, fmt, sync::Arc};

use async_trait::async_trait;

use crate::{Error, Secret, SecretName, SecretProvider, text};

/// How a variable is looked up by its name; `None` where it is not set.
///
/// Passed in, so that a test, or a program with settings of its own, decides what the environment is.
pub type Lookup = Arc<dyn Fn(&str) -> Option<OsString> + Send + Sync>;

/// Makes the lookup that reads the real environment of this process, anew each time.
#[must_use]
pub fn process_lookup() -> Lookup {
    Arc::new(|name| std::env::var_os(name)) // a name the system cannot hold is not set
}

/// Returns the names of the variables that a program started here would get, for whoever keeps some of them from it.
#[must_use]
pub fn process_names() -> Vec<OsString> {
    std::env::vars_os().map(|(name, _)| name).collect()
}

/// Secrets from environment variables; without further settings the secret's name is the variable's.
///
/// - A variable that is empty counts as not set: `None`.
/// - One newline at the end is taken off, and [`Secret::was_trimmed`] tells.
/// - Another newline, a control character, or something that is not UTF-8 is an error, which names the variable
///   and never its value.
#[derive(Clone)]
pub struct Env {
    lookup: Lookup,
    variables: HashMap<SecretName, String>,
}

impl Env {
    /// Makes a provider over the real environment of this process.
    #[must_use]
    pub fn process() -> Self {
        Self::new(process_lookup())
    }

    /// Makes a provider over `lookup`.
    #[must_use]
    pub fn new(lookup: Lookup) -> Self {
        Self { lookup, variables: HashMap::new() }
    }

    /// Looks `name` up in `variable` instead of in a variable of its own name.
    #[must_use]
    pub fn with_variable(mut self, name: SecretName, variable: impl Into<String>) -> Self {
        self.variables.insert(name, variable.into());
        self
    }

    /// Returns how it looks variables up, for others that need more of the environment than one secret.
    #[must_use]
    pub fn lookup(&self) -> Lookup {
        Arc::clone(&self.lookup)
    }

    /// Looks `name` up at once: the environment needs no waiting.
    ///
    /// # Errors
    ///
    /// As [`get`](SecretProvider::get).
    pub fn read(&self, name: &SecretName) -> Result<Option<Secret>, Error> {
        let variable = self.variables.get(name).map_or(name.as_str(), String::as_str);
        let Some(value) = (self.lookup)(variable) else { return Ok(None) };
        text::parse(value.into_encoded_bytes())
            .map_err(|kind| Error::new(kind, format!("the environment variable {variable}")))
    }
}

#[async_trait]
impl SecretProvider for Env {
    async fn get(&self, name: SecretName) -> Result<Option<Secret>, Error> {
        self.read(&name)
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Env").field("variables", &self.variables).finish_non_exhaustive()
    }
}
