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

/// Variables that hold a secret. `claudectl env run` takes them from the program it becomes; programs that are started here
/// get a [`ChildEnvironment`](claude_sdk::secrets::ChildEnvironment), which has none of them.
pub(crate) const SECRETS: [&str; 5] = [
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_IDENTITY_TOKEN",
    "CLAUDE_CLIENT_SECRET",
    "VAULT_TOKEN",
];
