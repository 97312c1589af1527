//! The kinds of keys, by how they begin and what follows.

/// A kind of key that is known by how it begins.
pub(super) struct Shape {
    pub(super) kind: &'static str,
    pub(super) begins: &'static str,
    /// What follows: at least so many characters, of these.
    pub(super) least: usize,
    pub(super) of: fn(u8) -> bool,
}

const fn shape(kind: &'static str, begins: &'static str, least: usize, of: fn(u8) -> bool) -> Shape {
    Shape { kind, begins, least, of }
}

pub(super) const SHAPES: [Shape; 59] = [
    shape("Claude API key", "sk-ant-api", 32, wordy),
    shape("Claude admin key", "sk-ant-admin", 32, wordy),
    shape("Claude access token", "sk-ant-oat", 32, wordy),
    shape("Claude refresh token", "sk-ant-ort", 32, wordy),
    shape("Claude session key", "sk-ant-sid", 32, wordy),
    shape("AWS access key", "AKIA", 16, capital),
    shape("AWS access key", "ASIA", 16, capital),
    shape("AWS access key", "ABIA", 16, capital),
    shape("AWS access key", "ACCA", 16, capital),
    shape("GitHub token", "ghp_", 36, wordy),
    shape("GitHub token", "gho_", 36, wordy),
    shape("GitHub token", "ghs_", 36, wordy),
    shape("GitHub token", "ghr_", 36, wordy),
    shape("GitHub token", "ghu_", 36, wordy),
    shape("GitHub token", "github_pat_", 60, wordy),
    shape("GitLab token", "glpat-", 20, wordy),
    shape("GitLab token", "glrt-", 20, wordy),
    shape("GitLab token", "gldt-", 20, wordy),
    shape("GitLab token", "glptt-", 20, wordy),
    shape("GitLab token", "glcbt-", 20, wordy),
    shape("GitLab token", "glsoat-", 20, wordy),
    shape("GitLab token", "glft-", 20, wordy),
    shape("Google API key", "AIza", 35, wordy),
    shape("Google client secret", "GOCSPX-", 20, wordy),
    shape("Google access token", "ya29.", 30, wordy),
    shape("npm token", "npm_", 36, wordy),
    shape("OpenAI key", "sk-proj-", 40, wordy),
    shape("OpenAI key", "sk-svcacct-", 40, wordy),
    shape("OpenAI key", "sk-admin-", 40, wordy),
    shape("OpenAI key", "sk-None-", 40, wordy),
    shape("OpenAI key", OPENAI, 20, wordy),
    shape("PyPI token", "pypi-AgE", 50, wordy),
    shape("Slack token", "xoxb-", 24, wordy),
    shape("Slack token", "xoxp-", 24, wordy),
    shape("Slack token", "xoxa-", 24, wordy),
    shape("Slack token", "xoxr-", 24, wordy),
    shape("Slack token", "xoxs-", 24, wordy),
    shape("Slack token", "xoxe-", 24, wordy),
    shape("Slack token", "xapp-", 24, wordy),
    shape("Slack webhook", "hooks.slack.com/services/", 40, of_path),
    shape("Slack webhook", "hooks.slack.com/triggers/", 40, of_path),
    shape("Slack webhook", "hooks.slack.com/workflows/", 40, of_path),
    // As JSON may write it.
    shape("Slack webhook", "hooks.slack.com\\/services\\/", 40, of_escaped_path),
    shape("Slack webhook", "hooks.slack.com\\/triggers\\/", 40, of_escaped_path),
    shape("Slack webhook", "hooks.slack.com\\/workflows\\/", 40, of_escaped_path),
    shape("Stripe key", "sk_live_", 24, wordy),
    shape("Stripe key", "rk_live_", 24, wordy),
    shape("Stripe key", "sk_test_", 24, wordy),
    shape("Stripe key", "rk_test_", 24, wordy),
    shape("webhook signing key", "whsec_", 24, base64_word),
    shape("Vault token", "hvs.", 24, wordy),
    shape("Vault token", "hvb.", 24, wordy),
    shape("Vault token", "hvr.", 24, wordy),
    // What follows is on the next line.
    shape("private key", "PRIVATE KEY-----", 40, base64),
    shape("private key", "PRIVATE KEY BLOCK-----", 40, base64),
    shape("private key", "PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED", 20, header),
    shape("private key", "PRIVATE KEY-----\r\nProc-Type: 4,ENCRYPTED", 20, header),
    shape("private key", "PRIVATE KEY-----\\nProc-Type: 4,ENCRYPTED", 20, header),
    shape("private key", "PRIVATE KEY-----\\r\\nProc-Type: 4,ENCRYPTED", 20, header),
];

/// In the middle of older keys of `OpenAI`, which begin as others do.
pub(super) const OPENAI: &str = "T3BlbkFJ";

pub(super) fn wordy(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

fn of_path(byte: u8) -> bool {
    wordy(byte) || byte == b'/'
}

fn of_escaped_path(byte: u8) -> bool {
    of_path(byte) || byte == b'\\'
}

pub(super) fn base64_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

fn capital(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

/// With the line ends, as they are and as they are written in a string, and with what sets lines in.
fn base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=' | b'\r' | b'\n' | b'\\' | b' ' | b'\t')
}

/// What is before an encrypted key.
fn header(byte: u8) -> bool {
    base64(byte) || matches!(byte, b':' | b',' | b'-')
}
