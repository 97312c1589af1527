//! What this program does so that its memory stays its own.

/// Makes sure that no crash writes this program's memory, with its secrets, to a disk.
///
/// The limit alone does not stop the programs that a system starts for a crash; that the process cannot be dumped does, and
/// keeps other programs of the user from reading its memory and its environment.
#[cfg(unix)]
pub(crate) fn harden() {
    use rustix::process::{Resource, Rlimit, setrlimit};

    // Neither is a reason not to run: a system that has no such thing writes no such thing.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// Elsewhere it is the system's business.
#[cfg(not(unix))]
pub(crate) fn harden() {}

/// Tells by its name whether a variable holds a secret. `claudectl env run` takes those from the program it becomes; programs
/// that are started here get a [`ChildEnvironment`](claude_sdk::secrets::ChildEnvironment), which has none of them.
pub(crate) fn is_secret(variable: &str) -> bool {
    const ENDS: [&str; 10] = [
        "KEY",
        "TOKEN",
        "SECRET",
        "SECRET_ID",
        "JWT",
        "PASSWORD",
        "PASSWD",
        "PASSPHRASE",
        "CREDENTIAL",
        "CREDENTIALS",
    ];
    let variable = variable.to_ascii_uppercase();
    ENDS.iter().any(|end| variable.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::is_secret;

    #[test]
    fn a_secret_is_known_by_its_name() {
        for variable in [
            "ANTHROPIC_API_KEY",
            "CLAUDE_CLIENT_SECRET",
            "VAULT_TOKEN",
            "VAULT_SECRET_ID",
            "VAULT_JWT",
            "PGPASSWORD",
            "aws_secret_access_key",
        ] {
            assert!(is_secret(variable), "{variable}");
        }
        for variable in ["PATH", "HOME", "SSH_AUTH_SOCK", "KEYBOARD", "VAULT_ROLE_ID", "ANTHROPIC_BASE_URL"] {
            assert!(!is_secret(variable), "{variable}");
        }
    }
}
