//! Reading the redirect, in an order that lets no stranger say anything.

use std::{borrow::Cow, error::Error, fmt};

use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;
use url::form_urlencoded;

use super::PendingAuthorization;
use crate::{OAuthErrorCode, code::Described, redact::Scrubber};

/// The longest callback that is read, in bytes.
const MAX_CALLBACK: usize = 8 * 1024;

/// Why a callback gave no code; the login itself may go on.
#[derive(Debug)]
pub struct CallbackError {
    kind: CallbackErrorKind,
    pending: Option<Box<PendingAuthorization>>,
}

impl CallbackError {
    #[inline]
    pub(super) fn new(kind: CallbackErrorKind, pending: PendingAuthorization) -> Self {
        let pending = (!kind.ends_the_login()).then(|| Box::new(pending));
        Self { kind, pending }
    }

    /// Returns what was wrong.
    #[must_use]
    pub fn kind(&self) -> &CallbackErrorKind {
        &self.kind
    }

    /// Gives the login back, so that it can wait for the right callback.
    ///
    /// `None` when this callback was the server's answer and the login is over: it was denied, or another server
    /// answered than the one that was asked.
    #[must_use]
    pub fn into_pending(self) -> Option<PendingAuthorization> {
        self.pending.map(|pending| *pending)
    }
}

impl fmt::Display for CallbackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)
    }
}

impl Error for CallbackError {}

/// What was wrong with a callback.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallbackErrorKind {
    /// It is longer than 8 KiB.
    #[error("the callback is longer than 8 KiB; ignore it and wait for the right one")]
    TooLarge,
    /// A parameter came more than once (RFC 6749 section 3.1).
    #[error("the callback repeats {parameter}; ignore it and wait for the right one")]
    Duplicate {
        /// The name of the parameter.
        parameter: &'static str,
    },
    /// There is no `state`.
    #[error("the callback has no state; ignore it and wait for the right one, or paste the whole text")]
    StateMissing,
    /// The `state` is another login's, or forged.
    #[error("the callback does not belong to this login; ignore it and wait for the right one")]
    StateMismatch,
    /// There are both a `code` and an `error`.
    #[error("the callback has both a code and an error; ignore it and wait for the right one")]
    CodeAndError,
    /// There is neither a `code` nor an `error`.
    #[error("the callback has no code; wait for the right one")]
    CodeMissing,
    /// The `code` has characters that no code has.
    #[error("the code is malformed; copy it again or wait for the right callback")]
    CodeMalformed,
    /// There is no `iss`, and the server always sends one (RFC 9207). The login is over.
    #[error("the answer does not say which server gave it, as this server must; start the login again")]
    IssuerMissing,
    /// What was pasted has no room for `iss`, which the server always sends (RFC 9207).
    #[error("a code and a state are not enough for this server; paste the whole address of the last page")]
    AddressNeeded,
    /// The `iss` is not the server that was asked (RFC 9207). The login is over.
    #[error("another server answered than the one that was asked; check its address before a new login")]
    IssuerMismatch,
    /// The server said no. The login is over.
    #[error("the login was refused: {code}{}", Described(.description.as_deref()))]
    Denied {
        /// The reason.
        code: OAuthErrorCode,
        /// The server's words, printable and cut to 256 characters.
        description: Option<String>,
    },
}

impl CallbackErrorKind {
    #[inline]
    fn ends_the_login(&self) -> bool {
        matches!(self, Self::IssuerMissing | Self::IssuerMismatch | Self::Denied { .. })
    }
}

/// Finds the code in a redirect.
#[inline]
pub(super) fn read(
    pending: &PendingAuthorization,
    callback: &str,
) -> Result<SecretString, CallbackErrorKind> {
    if callback.len() > MAX_CALLBACK {
        return Err(CallbackErrorKind::TooLarge);
    }
    let params = Params::parse(callback)?;
    check_state(pending, params.state.as_deref())?;
    check_issuer(pending, params.iss.as_deref())?;
    let scrubber = Scrubber::new(&[pending.state.clone(), pending.verifier.clone()]);
    let read = |error: Cow<'_, str>| OAuthErrorCode::read(&error, |text| scrubber.clean(text)).said();
    match (params.code, params.error.map(read)) {
        (Some(_), Some(_)) => Err(CallbackErrorKind::CodeAndError),
        (None, None | Some(None)) => Err(CallbackErrorKind::CodeMissing),
        (Some(code), None) => check_code(&code),
        (None, Some(Some(code))) => {
            let description = params.error_description.map(|text| scrubber.clean(&text));
            Err(CallbackErrorKind::Denied { code, description: description.filter(|text| !text.is_empty()) })
        }
    }
}

/// Finds the code in `code#state`.
#[inline]
pub(super) fn read_pasted(
    pending: &PendingAuthorization,
    pasted: &str,
) -> Result<SecretString, CallbackErrorKind> {
    if pasted.len() > MAX_CALLBACK {
        return Err(CallbackErrorKind::TooLarge);
    }
    let (code, state) = pasted.trim().split_once('#').ok_or(CallbackErrorKind::StateMissing)?;
    check_state(pending, Some(state))?;
    if pending.server.requires_issuer() {
        return Err(CallbackErrorKind::AddressNeeded);
    }
    check_code(code)
}

#[inline]
fn check_state(pending: &PendingAuthorization, state: Option<&str>) -> Result<(), CallbackErrorKind> {
    let state = state.filter(|state| !state.is_empty()).ok_or(CallbackErrorKind::StateMissing)?;
    let same: bool = state.as_bytes().ct_eq(pending.state.expose_secret().as_bytes()).into();
    if same { Ok(()) } else { Err(CallbackErrorKind::StateMismatch) }
}

#[inline]
fn check_issuer(pending: &PendingAuthorization, iss: Option<&str>) -> Result<(), CallbackErrorKind> {
    let server = &pending.server;
    match (server.issuer(), iss) {
        (Some(expected), Some(iss)) if expected == iss => Ok(()),
        (Some(_), Some(_)) => Err(CallbackErrorKind::IssuerMismatch),
        (None, Some(_)) if server.requires_issuer() => Err(CallbackErrorKind::IssuerMismatch),
        (_, None) if server.requires_issuer() => Err(CallbackErrorKind::IssuerMissing),
        (_, None) | (None, Some(_)) => Ok(()),
    }
}

/// A code is one or more visible ASCII characters or spaces (RFC 6749 appendix A.11).
#[inline]
fn check_code(code: &str) -> Result<SecretString, CallbackErrorKind> {
    if code.is_empty() {
        return Err(CallbackErrorKind::CodeMissing);
    }
    if !code.bytes().all(|byte| matches!(byte, 0x20..=0x7e)) {
        return Err(CallbackErrorKind::CodeMalformed);
    }
    Ok(code.into())
}

/// The parameters of a redirect that mean something, each at most once.
#[derive(Default)]
struct Params<'a> {
    code: Option<Cow<'a, str>>,
    state: Option<Cow<'a, str>>,
    iss: Option<Cow<'a, str>>,
    error: Option<Cow<'a, str>>,
    error_description: Option<Cow<'a, str>>,
}

impl<'a> Params<'a> {
    #[inline]
    fn parse(callback: &'a str) -> Result<Self, CallbackErrorKind> {
        let before_fragment = callback.split_once('#').map_or(callback, |(before, _)| before);
        let query = before_fragment.split_once('?').map_or("", |(_, query)| query);
        let mut params = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let (slot, parameter) = match &*name {
                "code" => (&mut params.code, "code"),
                "state" => (&mut params.state, "state"),
                "iss" => (&mut params.iss, "iss"),
                "error" => (&mut params.error, "error"),
                "error_description" => (&mut params.error_description, "error_description"),
                _ => continue,
            };
            if slot.replace(value).is_some() {
                return Err(CallbackErrorKind::Duplicate { parameter });
            }
        }
        Ok(params)
    }
}
