//! Makes every name, key and token the server hands out, from one seeded generator.

use std::iter;

/// The generator. Its strings look like the real ones and carry the word CANARY where they are secret,
/// so that a search for leaks finds them.
#[derive(Debug)]
pub(crate) struct Mint(fastrand::Rng);

impl Mint {
    pub(crate) fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    pub(crate) fn api_key(&mut self) -> String {
        self.secret("sk-ant-api03-")
    }

    pub(crate) fn access_token(&mut self) -> String {
        self.secret("sk-ant-oat01-")
    }

    pub(crate) fn refresh_token(&mut self) -> String {
        self.secret("sk-ant-ort01-")
    }

    pub(crate) fn code(&mut self) -> String {
        self.name("CANARYcode_", 43)
    }

    pub(crate) fn client_secret(&mut self) -> String {
        self.name("CANARYsecret_", 43)
    }

    /// The private part of a signing key.
    pub(crate) fn seed(&mut self) -> [u8; 32] {
        let mut seed = [0; 32];
        self.0.fill(&mut seed);
        seed
    }

    pub(crate) fn device_code(&mut self) -> String {
        self.name("CANARYdevice_", 43)
    }

    /// Eight consonants in two halves: no word comes of them, and none looks like a digit (RFC 8628, section 6.1).
    pub(crate) fn user_code(&mut self) -> String {
        const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
        let mut half = || -> String {
            let letters = iter::repeat_with(|| self.0.choice(LETTERS).copied().map_or('B', char::from));
            letters.take(4).collect()
        };
        format!("{}-{}", half(), half())
    }

    /// Six digits, as mails have them.
    pub(crate) fn mail_code(&mut self) -> String {
        format!("{:06}", self.0.u32(..1_000_000))
    }

    /// A prefix and letters or digits, as in `req_…`.
    pub(crate) fn name(&mut self, prefix: &str, letters: usize) -> String {
        let mut name = String::with_capacity(prefix.len() + letters);
        name.push_str(prefix);
        name.extend(iter::repeat_with(|| self.0.alphanumeric()).take(letters));
        name
    }

    /// A random UUID (version 4).
    pub(crate) fn uuid(&mut self) -> String {
        let bits = self.0.u128(..);
        let bits = (bits & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
        let (a, b, c) = (bits >> 96, bits >> 80 & 0xffff, bits >> 64 & 0xffff);
        let (d, e) = (bits >> 48 & 0xffff, bits & 0xffff_ffff_ffff);
        format!("{a:08x}-{b:04x}-{c:04x}-{d:04x}-{e:012x}")
    }

    /// The shape secret scanners know: the prefix, 93 characters, `AA`.
    fn secret(&mut self, prefix: &str) -> String {
        let mut secret = self.name(prefix, 0);
        secret.push_str(&self.name("CANARY", 87));
        secret.push_str("AA");
        secret
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_the_shape_that_scanners_know() {
        let key = Mint::new(1).api_key();
        let body = key.strip_prefix("sk-ant-api03-").unwrap().strip_suffix("AA").unwrap();
        assert_eq!(body.len(), 93);
        assert!(body.starts_with("CANARY") && body.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    }

    #[test]
    fn the_same_seed_gives_the_same_names() {
        assert_eq!(Mint::new(7).uuid(), Mint::new(7).uuid());
        assert_ne!(Mint::new(7).uuid(), Mint::new(8).uuid());
    }

    #[test]
    fn a_uuid_says_its_version_and_variant() {
        let uuid = Mint::new(3).uuid();
        assert_eq!(uuid.len(), 36);
        assert_eq!(&uuid[14..15], "4");
        assert!(matches!(&uuid[19..20], "8" | "9" | "a" | "b"));
    }
}
