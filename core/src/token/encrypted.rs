//! Tokens that cannot be read: `XCP.` and the base64 of nonce, tag and ciphertext.

use super::key::Key;
use super::{TokenError, base64url};
use chacha20poly1305::{AeadInOut, KeyInit, XChaCha20Poly1305};

const PREFIX: &str = "XCP.";

/// What is authenticated with the ciphertext. The name is that of an older cipher; Phoenix has kept it.
const ASSOCIATED: &[u8] = b"A128GCM";

const NONCE: usize = 24;
const TAG: usize = 16;

pub(super) fn seal(key: &Key, nonce: [u8; NONCE], mut payload: Vec<u8>) -> String {
    let tag = cipher(key)
        .encrypt_inout_detached(&nonce.into(), ASSOCIATED, payload.as_mut_slice().into())
        .expect("a payload in memory is shorter than 256 GiB");
    let mut token = PREFIX.to_owned();
    base64url::push(&mut token, &[&nonce[..], &tag[..], &payload[..]].concat());
    token
}

/// The payload of a token that one of the keys has made.
pub(super) fn open<'k>(mut keys: impl Iterator<Item = &'k Key>, token: &str) -> Result<Vec<u8>, TokenError> {
    let sealed = token.strip_prefix(PREFIX).ok_or(TokenError::Malformed)?;
    let sealed = base64url::decode(sealed)?;
    let (nonce, rest) = sealed.split_first_chunk::<NONCE>().ok_or(TokenError::Malformed)?;
    let (tag, ciphertext) = rest.split_first_chunk::<TAG>().ok_or(TokenError::Malformed)?;
    let payload = keys.find_map(|key| {
        let mut payload = ciphertext.to_vec();
        cipher(key)
            .decrypt_inout_detached(nonce.into(), ASSOCIATED, payload.as_mut_slice().into(), tag.into())
            .ok()
            .map(|()| payload)
    });
    payload.ok_or(TokenError::Forged)
}

fn cipher(key: &Key) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.as_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::{KeyOptions, Secret};

    /// R278; from plug_crypto 2.1.1, which has signed the same payload as well. An atom in it is written as until
    /// Erlang/OTP 25, so that no `Keys` makes it.
    #[test]
    fn a_payload_is_sealed_byte_for_byte_as_phoenix_does() {
        let secret = Secret::new("abcdefgh".repeat(8)).unwrap();
        let key = Key::derive(&secret, b"user auth", KeyOptions::default());
        let nonce = std::array::from_fn(|at| u8::try_from(at).unwrap());
        let payload = base64url::decode("g2gDYQFuBgAAaOXPiwFkAAhpbmZpbml0eQ").unwrap();

        assert_eq!(
            seal(&key, nonce, payload),
            "XCP.AAECAwQFBgcICQoLDA0ODxAREhMUFRYXM540xaS-g_Zl-huJYCIe6Sy7jkbLVRW8I88_PvEvOF7K9XCGncz12Us"
        );
    }
}
