//! What programs that have to do with credentials are told of the environment.

use secrets::ChildEnvironment;

/// What they need beside what is kept for every program: where a session is, and how to reach a server. None is a secret.
const PASSED: [&str; 14] = [
    "ALL_PROXY",
    "ANTHROPIC_BASE_URL",
    "ANTHROPIC_CONFIG_DIR",
    "ANTHROPIC_PROFILE",
    "CLAUDE_CLIENT_ID",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "all_proxy",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// `environment`, with what such programs need.
pub(super) fn equipped(environment: ChildEnvironment) -> ChildEnvironment {
    environment.pass(PASSED)
}
