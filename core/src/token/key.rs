//! What makes a token ours: secrets, and the keys that are derived of them.

use pbkdf2::pbkdf2_hmac_array;
use sha2::{Sha256, Sha384, Sha512};
use std::fmt;
use std::num::NonZeroU32;

/// The secret that all keys of an application are derived from: Phoenix's `secret_key_base`.
///
/// It is never printed: its `Debug` says nothing.
#[derive(Clone)]
pub struct Secret {
    bytes: Box<[u8]>,
}

impl Secret {
    /// The shortest secret, in bytes, as in Phoenix. A good one is 64 random bytes, as `mix phx.gen.secret`
    /// makes them.
    pub const MIN_LEN: usize = 20;

    /// Takes a secret as it is, which may be any bytes.
    ///
    /// # Errors
    /// [`SecretTooShort`] if it has fewer than [`Secret::MIN_LEN`] bytes.
    pub fn new(secret: impl Into<Vec<u8>>) -> Result<Self, SecretTooShort> {
        let bytes = secret.into();
        if bytes.len() < Self::MIN_LEN {
            return Err(SecretTooShort { len: bytes.len() });
        }
        Ok(Self { bytes: bytes.into() })
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// A secret has fewer than [`Secret::MIN_LEN`] bytes: it could be guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecretTooShort {
    /// How many bytes it has.
    pub len: usize,
}

impl fmt::Display for SecretTooShort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a secret of {} bytes is shorter than {}", self.len, Secret::MIN_LEN)
    }
}

impl std::error::Error for SecretTooShort {}

/// How keys are derived; both sides have to agree. Phoenix's defaults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyOptions {
    /// Rounds of PBKDF2: `key_iterations`. 1,000.
    pub iterations: NonZeroU32,
    /// The digest of PBKDF2, and of nothing else: `key_digest`. SHA-256.
    pub digest: Digest,
}

impl Default for KeyOptions {
    fn default() -> Self {
        let iterations = const { NonZeroU32::new(1000).expect("1,000 is not zero") };
        Self { iterations, digest: Digest::Sha256 }
    }
}

/// One of the SHA-2 family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digest {
    /// `:sha256`.
    Sha256,
    /// `:sha384`.
    Sha384,
    /// `:sha512`.
    Sha512,
}

/// A key for one purpose.
#[derive(Clone)]
pub(super) struct Key([u8; 32]);

impl Key {
    pub(super) fn derive(secret: &Secret, salt: &[u8], options: KeyOptions) -> Self {
        let derive = match options.digest {
            Digest::Sha256 => pbkdf2_hmac_array::<Sha256, 32>,
            Digest::Sha384 => pbkdf2_hmac_array::<Sha384, 32>,
            Digest::Sha512 => pbkdf2_hmac_array::<Sha512, 32>,
        };
        Self(derive(&secret.bytes, salt, options.iterations.get()))
    }

    pub(super) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn derive(salt: &str, digest: Digest) -> String {
        let secret = Secret::new("abcdefgh".repeat(8)).unwrap();
        let key = Key::derive(&secret, salt.as_bytes(), KeyOptions { digest, ..KeyOptions::default() });
        key.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// R267; from plug_crypto 2.1.1.
    #[test]
    fn keys_are_those_that_phoenix_derives() {
        assert_eq!(
            derive("user auth", Digest::Sha256),
            "2accee82cd986fd3c15e55abf3db03db01e891a4bb9469389a7584fdda020199"
        );
        assert_eq!(
            derive("Elixir.MyApp.PubSub", Digest::Sha256),
            "7468dbaded4ca88073358db0221326861bb2f0639cf12537167f53bd743d58b3"
        );
        assert_eq!(
            derive("user auth", Digest::Sha512),
            "eab9d910c4469b45f89544f404f69e66711ebfe5b784f9a4e9e71053b01b0c9f"
        );
    }

    /// R279.
    #[test]
    fn a_secret_has_twenty_bytes_at_least() {
        assert_eq!(Secret::new("a".repeat(19)).unwrap_err(), SecretTooShort { len: 19 });
        assert!(Secret::new("a".repeat(20)).is_ok());
    }

    #[test]
    fn a_secret_is_not_printed() {
        assert_eq!(format!("{:?}", Secret::new("abcdefgh".repeat(8)).unwrap()), "Secret(..)");
    }
}
