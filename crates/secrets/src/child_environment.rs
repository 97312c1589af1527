//! What a program that is started here is told of the environment.

use std::{ffi::OsString, fmt};

use crate::{Lookup, process_lookup};

/// Where programs and their own settings are, how the user speaks, and how to reach the user's agents.
const KEPT: [&str; 27] = [
    "APPDATA",
    "ComSpec",
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "GNUPGHOME",
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "LOCALAPPDATA",
    "LOGNAME",
    "PASSWORD_STORE_DIR",
    "PATH",
    "PATHEXT",
    "SSH_AUTH_SOCK",
    "SystemRoot",
    "TEMP",
    "TERM",
    "TMP",
    "TMPDIR",
    "TZ",
    "USER",
    "USERPROFILE",
    "WAYLAND_DISPLAY",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
];

/// The environment of a program that is started here: few variables, and those that are [passed](Self::pass).
///
/// Kept are `PATH` and where programs look for their settings (`HOME`, `XDG_…`, folders for temporary files, those of
/// Windows), the names of the user, the language, the time zone, and what leads to agents (of D-Bus, SSH, `GnuPG`, `pass`
/// and the screen). Nothing else reaches the program: no key of ours, and none of anybody else's.
///
/// ```
/// use secrets::ChildEnvironment;
///
/// let environment = ChildEnvironment::process().pass(["AWS_PROFILE", "HTTPS_PROXY"]);
/// let mut command = std::process::Command::new("true");
/// command.env_clear().envs(environment.variables());
/// # assert!(command.get_envs().all(|(name, _)| name != "ANTHROPIC_API_KEY"));
/// ```
#[derive(Clone)]
pub struct ChildEnvironment {
    lookup: Lookup,
    passed: Vec<String>,
}

impl ChildEnvironment {
    /// Takes what is kept from the real environment of this process, as it is when the program is started.
    #[must_use]
    pub fn process() -> Self {
        Self::of(process_lookup())
    }

    /// Takes what is kept from `lookup`.
    #[must_use]
    pub fn of(lookup: Lookup) -> Self {
        Self { lookup, passed: Vec::new() }
    }

    /// Passes these variables too, where they are set. A secret in one of them is then the program's to keep.
    #[must_use]
    pub fn pass(mut self, variables: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.passed.extend(variables.into_iter().map(Into::into));
        self
    }

    /// Returns the whole environment of the program: clear it of all others.
    #[must_use]
    pub fn variables(&self) -> Vec<(String, OsString)> {
        let names = KEPT.into_iter().chain(self.passed.iter().map(String::as_str));
        names.filter_map(|name| Some((name.to_owned(), (self.lookup)(name)?))).collect()
    }
}

/// The names that are passed; values are nobody's business.
impl fmt::Debug for ChildEnvironment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChildEnvironment").field("passed", &self.passed).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn everything_is_set() -> ChildEnvironment {
        ChildEnvironment::of(Arc::new(|name| Some(format!("canary-{name}").into())))
    }

    fn names(environment: &ChildEnvironment) -> Vec<String> {
        environment.variables().into_iter().map(|(name, _)| name).collect()
    }

    #[test]
    fn of_all_that_is_set_only_what_leads_somewhere_is_kept() {
        let names = names(&everything_is_set());
        assert_eq!(names, KEPT);
        for word in ["KEY", "TOKEN", "SECRET", "PASSWORD", "CREDENTIAL", "ANTHROPIC", "CLAUDE", "VAULT"] {
            let found = names.iter().find(|name| name.contains(word) && *name != "PASSWORD_STORE_DIR");
            assert_eq!(found, None);
        }
    }

    #[test]
    fn what_is_passed_is_there_too_and_what_is_not_set_is_not() {
        let passing = everything_is_set().pass(["AWS_PROFILE"]);
        assert_eq!(names(&passing).last().unwrap(), "AWS_PROFILE");
        let shown = format!("{passing:?}");
        assert!(shown.contains("AWS_PROFILE") && !shown.contains("canary"), "{shown}");
        let sparse = ChildEnvironment::of(Arc::new(|name| (name == "PATH").then(|| "/bin".into())));
        assert_eq!(sparse.pass(["AWS_PROFILE"]).variables(), [("PATH".to_owned(), "/bin".into())]);
    }
}
