use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{
    Engine as _, alphabet,
    engine::{
        DecodePaddingMode,
        general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD},
    },
};
use hmac_sha256::HMAC;
use http::{HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};

use super::{BODY_LIMIT, WebhookError, WebhookEvent, header, parse_unverified};

const ID: &str = "webhook-id";
const TIMESTAMP: &str = "webhook-timestamp";
const SIGNATURE: &str = "webhook-signature";

/// How far a time may be from ours, in both directions, unless told otherwise.
const TOLERANCE: Duration = Duration::from_secs(5 * 60);
/// The longest id and the longest list of signatures that are looked at, in bytes.
const ID_LIMIT: usize = 256;
const SIGNATURES_LIMIT: usize = 4096;

/// Keys are copied by hand, with or without their padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The key of one webhook endpoint, which the Console shows as `whsec_…`.
///
/// Example: [`webhooks`](crate::webhooks).
#[derive(Clone)]
pub struct SigningKey {
    key: SecretSlice<u8>,
    tolerance: Duration,
}

impl SigningKey {
    /// The key as it is shown: Base64, with or without `whsec_` before it.
    ///
    /// # Errors
    ///
    /// [`WebhookError::Key`] where it is not that.
    pub fn new(key: impl Into<SecretString>) -> Result<Self, WebhookError> {
        let text: SecretString = key.into();
        let text = text.expose_secret().trim();
        let key = LENIENT
            .decode(text.strip_prefix("whsec_").unwrap_or(text))
            .ok()
            .filter(|key| !key.is_empty())
            .ok_or(WebhookError::Key)?;
        Ok(Self { key: key.into(), tolerance: TOLERANCE })
    }

    /// How far the time of a webhook may be from `now`, in both directions; five minutes unless told otherwise.
    #[must_use]
    pub fn tolerance(self, tolerance: Duration) -> Self {
        Self { tolerance, ..self }
    }

    /// Says that `body` came from the service, unchanged and just now, and reads it.
    ///
    /// `body` must be the bytes as they came: JSON that was read and written again has another signature. Signatures
    /// are compared in constant time.
    ///
    /// # Errors
    ///
    /// Any [`WebhookError`]; the webhook is not to be believed then.
    #[inline]
    pub fn verify(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: SystemTime,
    ) -> Result<WebhookEvent, WebhookError> {
        let id = header(headers, ID, ID_LIMIT)?;
        let timestamp = header(headers, TIMESTAMP, 20)?;
        let signatures = header(headers, SIGNATURE, SIGNATURES_LIMIT)?;
        if body.len() > BODY_LIMIT {
            return Err(WebhookError::TooLarge);
        }
        self.check_time(timestamp, now)?;
        let is_ours = |signature: &str| {
            let (version, signature) = signature.split_once(',')?;
            let expected: [u8; 32] = STANDARD.decode(signature).ok()?.try_into().ok()?;
            (version == "v1" && self.mac(id, timestamp, body).finalize_verify(&expected)).then_some(())
        };
        // Signatures of other versions, and of another key while keys change, stand beside ours.
        if !signatures.split(' ').any(|signature| is_ours(signature).is_some()) {
            return Err(WebhookError::Signature);
        }
        parse_unverified(body)
    }

    /// The headers that the service would send with `body`: for tests of what receives webhooks.
    ///
    /// # Errors
    ///
    /// [`WebhookError::Malformed`] where no header can carry `id`, or `at` is before 1970.
    #[inline]
    pub fn sign(&self, id: &str, at: SystemTime, body: &[u8]) -> Result<HeaderMap, WebhookError> {
        let seconds = at.duration_since(UNIX_EPOCH).map_err(|_| WebhookError::Malformed(TIMESTAMP))?;
        let timestamp = seconds.as_secs().to_string();
        let signature = format!("v1,{}", STANDARD.encode(self.mac(id, &timestamp, body).finalize()));
        let values = [(ID, id.to_owned()), (TIMESTAMP, timestamp), (SIGNATURE, signature)];
        let mut headers = HeaderMap::new();
        for (name, value) in values {
            let value = HeaderValue::try_from(value).map_err(|_| WebhookError::Malformed(name))?;
            headers.insert(HeaderName::from_static(name), value);
        }
        Ok(headers)
    }

    #[inline]
    fn check_time(&self, timestamp: &str, now: SystemTime) -> Result<(), WebhookError> {
        let malformed = WebhookError::Malformed(TIMESTAMP);
        if !timestamp.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(malformed);
        }
        let seconds = timestamp.parse().map_err(|_| malformed.clone())?;
        let at = UNIX_EPOCH.checked_add(Duration::from_secs(seconds)).ok_or(malformed)?;
        if now.duration_since(at).is_ok_and(|age| age > self.tolerance) {
            return Err(WebhookError::TooOld);
        }
        if at.duration_since(now).is_ok_and(|ahead| ahead > self.tolerance) {
            return Err(WebhookError::TooNew);
        }
        Ok(())
    }

    #[inline]
    fn mac(&self, id: &str, timestamp: &str, body: &[u8]) -> HMAC {
        let mut mac = HMAC::new(self.key.expose_secret());
        for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
            mac.update(part);
        }
        mac
    }
}

/// Says nothing of the key.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("tolerance", &self.tolerance).finish_non_exhaustive()
    }
}
