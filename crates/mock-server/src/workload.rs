//! Workload identities: a key of the server's own that signs statements about who somebody is, and checks them.
//!
//! The statements are JWTs (RFC 7519) signed with Ed25519 (RFC 8037), whose signatures a seed makes repeatable.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde_json::{Map, Value, json};

use crate::mint::Mint;

/// The longest assertion that is read, in bytes.
const MAX_ASSERTION: usize = 16 * 1024;
/// How far ahead the clock of whoever signed may be.
const LEEWAY: u64 = 60;
const ALGORITHM: &str = "EdDSA";

/// The issuer of identities, and the one rule that trades them for tokens.
pub(crate) struct Workload {
    key: Ed25519KeyPair,
    key_id: String,
    /// Who issues, and for whom: this server on both sides.
    issuer: String,
    pub(crate) rule: String,
    pub(crate) service_account: String,
}

impl Workload {
    /// None never comes of 32 bytes, which is what a seed is.
    pub(crate) fn new(issuer: &str, mint: &mut Mint) -> Option<Self> {
        Some(Self {
            key: Ed25519KeyPair::from_seed_unchecked(&mint.seed()).ok()?,
            key_id: mint.name("key_", 12),
            issuer: issuer.to_owned(),
            rule: mint.name("fdrl_", 24),
            service_account: mint.name("svac_", 24),
        })
    }

    /// The public key as a set (RFC 7517).
    pub(crate) fn keys(&self) -> Value {
        let x = URL_SAFE_NO_PAD.encode(self.key.public_key());
        let key = json!({
            "kty": "OKP", "crv": "Ed25519", "alg": ALGORITHM, "use": "sig", "kid": self.key_id, "x": x,
        });
        json!({"keys": [key]})
    }

    /// Signs a statement about `subject`; `claims` are added, or replace what would be there.
    pub(crate) fn sign(
        &self,
        now: SystemTime,
        life: Duration,
        subject: &str,
        claims: Map<String, Value>,
    ) -> String {
        let now = seconds(now);
        let mut all = Map::new();
        for (name, value) in [
            ("iss", json!(self.issuer)),
            ("aud", json!(self.issuer)),
            ("sub", json!(subject)),
            ("iat", json!(now)),
            ("exp", json!(now.saturating_add(life.as_secs()))),
        ] {
            all.insert(name.to_owned(), value);
        }
        all.extend(claims);
        let header = json!({"alg": ALGORITHM, "typ": "JWT", "kid": self.key_id});
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(&header), encode(&Value::Object(all)));
        let signature = URL_SAFE_NO_PAD.encode(self.key.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    /// Says what is wrong with an assertion, first its signature (RFC 7523, section 3).
    pub(crate) fn check(&self, assertion: &str, now: SystemTime) -> Result<(), &'static str> {
        if assertion.len() > MAX_ASSERTION {
            return Err("the assertion has more than 16 KiB");
        }
        let (signed, signature) = assertion.rsplit_once('.').ok_or("the assertion is no JWT")?;
        let (header, claims) = signed.split_once('.').ok_or("the assertion is no JWT")?;
        let header = object(header).ok_or("the assertion's header is no JSON object")?;
        let text = |object: &Map<String, Value>, name: &str| {
            object.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        if text(&header, "alg") != ALGORITHM {
            return Err("the assertion's alg is not that of a key of the issuer");
        }
        if text(&header, "kid") != self.key_id {
            return Err("the assertion's kid is no key of the issuer");
        }
        if header.contains_key("crit") {
            return Err("the assertion's header asks for what this server does not know");
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap_or_default();
        UnparsedPublicKey::new(&ED25519, self.key.public_key())
            .verify(signed.as_bytes(), &signature)
            .map_err(|_| "the assertion's signature is wrong")?;

        let claims = object(claims).ok_or("the assertion's claims are no JSON object")?;
        let moment = |name: &str| claims.get(name).and_then(Value::as_u64);
        let now = seconds(now);
        if text(&claims, "iss") != self.issuer {
            return Err("the assertion's iss is not trusted");
        }
        if text(&claims, "sub").is_empty() {
            return Err("the assertion's sub is missing");
        }
        let is_ours = match claims.get("aud") {
            Some(Value::Array(all)) => all.iter().any(|one| *one == self.issuer),
            one => one.is_some_and(|one| *one == self.issuer),
        };
        if !is_ours {
            return Err("the assertion's aud is somebody else");
        }
        if moment("exp").ok_or("the assertion's exp is missing")? <= now {
            return Err("the assertion has expired");
        }
        if ["nbf", "iat"].iter().any(|name| moment(name).is_some_and(|at| at > now.saturating_add(LEEWAY))) {
            return Err("the assertion is not valid yet");
        }
        Ok(())
    }
}

fn object(part: &str) -> Option<Map<String, Value>> {
    let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
    serde_json::from_slice(&bytes).ok()
}

fn seconds(at: SystemTime) -> u64 {
    at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: SystemTime = UNIX_EPOCH;
    const HOUR: Duration = Duration::from_secs(3600);

    fn workload(seed: u64) -> Workload {
        Workload::new("http://issuer.example", &mut Mint::new(seed)).unwrap()
    }

    fn claim(name: &str, value: Value) -> Map<String, Value> {
        Map::from_iter([(name.to_owned(), value)])
    }

    #[test]
    fn what_it_signs_it_accepts_until_it_expires() {
        let workload = workload(1);
        let token = workload.sign(NOW, HOUR, "job", Map::new());
        assert_eq!(workload.check(&token, NOW), Ok(()));
        assert_eq!(workload.check(&token, NOW + HOUR), Err("the assertion has expired"));
        assert_eq!(token, workload.sign(NOW, HOUR, "job", Map::new()));
    }

    #[test]
    fn each_lie_is_named() {
        let workload = workload(1);
        let cases = [
            (claim("iss", json!("http://other.example")), "the assertion's iss is not trusted"),
            (claim("aud", json!(["a", "b"])), "the assertion's aud is somebody else"),
            (claim("aud", json!(null)), "the assertion's aud is somebody else"),
            (claim("sub", json!(7)), "the assertion's sub is missing"),
            (claim("exp", json!("soon")), "the assertion's exp is missing"),
            (claim("nbf", json!(61)), "the assertion is not valid yet"),
        ];
        for (claims, told) in cases {
            assert_eq!(workload.check(&workload.sign(NOW, HOUR, "job", claims), NOW), Err(told));
        }
        let among_others = claim("aud", json!(["a", "http://issuer.example"]));
        assert_eq!(workload.check(&workload.sign(NOW, HOUR, "job", among_others), NOW), Ok(()));
    }

    #[test]
    fn a_signature_of_somebody_else_or_of_nobody_is_refused() {
        let workload = workload(1);
        let token = workload.sign(NOW, HOUR, "job", Map::new());
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let claims = signed.split_once('.').unwrap().1;
        let header = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let kid = &workload.key_id;
        let none = header(&format!(r#"{{"alg":"none","kid":"{kid}"}}"#));
        let critical = header(&format!(r#"{{"alg":"EdDSA","kid":"{kid}","crit":["x"]}}"#));
        let cases = [
            (format!("{signed}."), "the assertion's signature is wrong"),
            (format!("{signed}x.{signature}"), "the assertion's signature is wrong"),
            (format!("{none}.{claims}."), "the assertion's alg is not that of a key of the issuer"),
            (
                format!("{critical}.{claims}.{signature}"),
                "the assertion's header asks for what this server does not know",
            ),
            (
                self::workload(2).sign(NOW, HOUR, "job", Map::new()),
                "the assertion's kid is no key of the issuer",
            ),
            ("a.b".to_owned(), "the assertion is no JWT"),
            ("a.b.c".to_owned(), "the assertion's header is no JSON object"),
            ("x".repeat(MAX_ASSERTION + 1), "the assertion has more than 16 KiB"),
        ];
        for (token, told) in cases {
            assert_eq!(workload.check(&token, NOW), Err(told));
        }
    }
}
