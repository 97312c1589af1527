//! What the user and the machine get to finish a device login.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Response, StatusCode};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::{DeviceError, DeviceRequest, error, pace};
use crate::{
    Asked, Client, ExchangeKind, ScopeSet, Server,
    exchange::{self, MAX_ANSWER},
    redact::Scrubber,
    server,
};

/// How long to wait between polls when the server does not say (RFC 8628 section 3.2).
const DEFAULT_INTERVAL: Duration = Duration::from_secs(5);
/// No server is polled more often.
const MIN_INTERVAL: Duration = Duration::from_secs(1);

/// A login that waits for its user: a code to enter, and where (RFC 8628 section 3.2).
///
/// The server and the client it belongs to travel with it, as in [`CodeGrant`](crate::CodeGrant). `Debug` does not show
/// the device code.
#[derive(Debug)]
pub struct DeviceAuthorization {
    pub(super) server: Server,
    pub(super) client: Client,
    pub(super) scopes: ScopeSet,
    pub(super) device_code: SecretString,
    user_code: String,
    verification_uri: Url,
    verification_uri_complete: Option<Url>,
    pub(super) expires_in: Duration,
    pub(super) interval: Duration,
}

impl DeviceAuthorization {
    /// Returns the code the user enters, fit for a terminal: no control characters, 256 characters at most.
    #[must_use]
    #[inline]
    pub fn user_code(&self) -> &str {
        &self.user_code
    }

    /// Returns the address the user opens: `https`, or `http` on loopback.
    #[must_use]
    #[inline]
    pub fn verification_uri(&self) -> &Url {
        &self.verification_uri
    }

    /// Returns an address with the code already in it, for a QR code or a link.
    ///
    /// Show [`user_code`](Self::user_code) beside it and never open it unasked: comparing the code is how the user
    /// notices that the login is someone else's (RFC 8628 sections 3.3.1 and 5.4). One that is not `https` is left out.
    #[must_use]
    #[inline]
    pub fn verification_uri_complete(&self) -> Option<&Url> {
        self.verification_uri_complete.as_ref()
    }

    /// Returns how long both codes live, from the answer on.
    #[must_use]
    #[inline]
    pub fn expires_in(&self) -> Duration {
        self.expires_in
    }

    /// Returns the least time between two polls, to begin with.
    #[must_use]
    #[inline]
    pub fn interval(&self) -> Duration {
        self.interval
    }
}

/// The members of the answer that matter; others are ignored, and one that is there twice is refused.
#[derive(Deserialize)]
struct Members {
    device_code: Option<String>,
    user_code: Option<String>,
    verification_uri: Option<String>,
    verification_uri_complete: Option<String>,
    expires_in: Option<Value>,
    interval: Option<Value>,
}

#[inline]
pub(super) fn read(
    asking: &DeviceRequest,
    response: &Response<Bytes>,
    now: SystemTime,
) -> Result<DeviceAuthorization, DeviceError> {
    let DeviceRequest { server, client, scopes, .. } = asking;
    if response.status() != StatusCode::OK {
        let asked = Asked::new(ExchangeKind::DeviceCode, scopes.clone(), client.secrets());
        return Err(error::refusal(exchange::response(&asked, response, now).err()));
    }
    if response.body().len() > MAX_ANSWER {
        return Err(invalid("it is larger than 1 MiB"));
    }
    let members: Members = serde_json::from_slice(response.body())
        .map_err(|_| invalid("it is not a JSON object, or one of its members is odd or there twice"))?;
    let device_code = members
        .device_code
        .filter(|code| !code.is_empty())
        .ok_or_else(|| invalid("device_code is missing"))?
        .into();
    let user_code = Scrubber::new(&client.secrets()).clean(&members.user_code.unwrap_or_default());
    if user_code.is_empty() {
        return Err(invalid("user_code is missing or cannot be shown"));
    }
    let verification_uri = members
        .verification_uri
        .and_then(|text| address(&text))
        .ok_or_else(|| invalid("verification_uri is missing or not an https address"))?;
    let expires_in = members
        .expires_in
        .and_then(|value| pace::seconds(&value))
        .filter(|expires_in| !expires_in.is_zero())
        .ok_or_else(|| invalid("expires_in is missing or not above zero"))?;
    let interval = members.interval.and_then(|value| pace::seconds(&value)).unwrap_or(DEFAULT_INTERVAL);
    Ok(DeviceAuthorization {
        server: server.clone(),
        client: client.clone(),
        scopes: scopes.clone(),
        device_code,
        user_code,
        verification_uri,
        verification_uri_complete: members.verification_uri_complete.and_then(|text| address(&text)),
        expires_in,
        interval: interval.min(expires_in).max(MIN_INTERVAL),
    })
}

/// Reads an address that a user may be sent to; a page may be named by a fragment, an endpoint may not.
#[inline]
fn address(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let mut page = url.clone();
    page.set_fragment(None);
    server::check("verification", &page).is_ok().then_some(url)
}

#[inline]
fn invalid(problem: &'static str) -> DeviceError {
    DeviceError::Invalid { problem }
}
