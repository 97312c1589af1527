//! The one place of this workspace that reads the operating system's randomness.
#![expect(clippy::disallowed_methods, reason = "this file owns randomness; everything else is told")]

use crate::error::{ConfigError, Error};

/// Fills an array with bytes from the operating system.
///
/// # Errors
///
/// [`ConfigError::Entropy`] where the system has no randomness to give: nothing safe can be done without it.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| ConfigError::Entropy)?;
    Ok(bytes)
}

/// A number that nobody guesses, such as a seed for jitter.
///
/// # Errors
///
/// As [`bytes`].
pub(crate) fn seed() -> Result<u64, Error> {
    bytes().map(u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use auth_core::{AuthorizationRequest, Client, Server, exchange};
    use url::{Url, form_urlencoded};

    /// C2: each is asked of the system anew, with nothing kept here that a fork could copy.
    #[test]
    fn ten_thousand_verifiers_differ_and_use_every_character_alike() {
        let server = Server::new("https://auth.example/token".parse().unwrap()).unwrap();
        let server =
            server.with_authorization_endpoint("https://auth.example/authorize".parse().unwrap()).unwrap();
        let (client, redirect_uri) =
            (Client::public("app"), Url::parse("http://localhost:1/callback").unwrap());
        let (mut verifiers, mut counts) = (BTreeSet::new(), [0_u32; 128]);
        for _ in 0..10_000 {
            let request = AuthorizationRequest::new(&server, &client, redirect_uri.clone()).unwrap();
            let (url, pending) = request.begin(super::bytes().unwrap());
            let state = url.query_pairs().find(|(name, _)| name == "state").unwrap().1;
            let (request, _) = exchange::code(pending.complete(&format!("/?code=x&state={state}")).unwrap());
            let mut form = form_urlencoded::parse(request.body());
            let verifier = form.find(|(name, _)| name == "code_verifier").unwrap().1.into_owned();
            assert_eq!(verifier.len(), 64);
            for byte in verifier.bytes() {
                counts[usize::from(byte)] += 1;
            }
            assert!(verifiers.insert(verifier), "a verifier came twice");
        }
        // base64url is 64 of the unreserved characters.
        let is_its = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        let (its, others): (Vec<u8>, Vec<u8>) = (0..128).partition(|byte| is_its(*byte));
        assert!(others.iter().all(|byte| counts[usize::from(*byte)] == 0), "{counts:?}");
        let deviation = |byte: &u8| (f64::from(counts[usize::from(*byte)]) - 10_000.0).powi(2) / 10_000.0;
        let chi_square: f64 = its.iter().map(deviation).sum();
        // 63 degrees of freedom: outside of this once in ten million runs.
        assert!((15.0..140.0).contains(&chi_square), "{chi_square}");
    }
}
