//! The opening handshake, both sides, over `http` types.
//!
//! ```text
//!  client                                                  server
//!  ClientKey::new(nonce)
//!  request_headers ── GET, upgrade, sec-websocket-key ──▶  check_upgrade ─▶ Accept
//!  check_response  ◀─ 101, upgrade, sec-websocket-accept ─ response(&accept, subprotocol)
//! ```
//!
//! Whose business it is not: the method, the URL and its query, the origin, which subprotocol to choose.
//!
//! Source: RFC 6455 section 4.

mod client;
mod server;

pub use client::{ClientKey, ResponseError, check_response, request_headers};
pub use server::{UpgradeError, check_upgrade, response};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName};
use sha1::{Digest, Sha1};

/// What RFC 6455 appends to the key before it is hashed.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The server's answer to a key: the value of `sec-websocket-accept`.
///
/// Shape: `s3pPLMBiTxaQ9kYGzzhZRbK+xOo=`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accept {
    text: [u8; ACCEPT_LEN],
}

/// 20 bytes of SHA-1 in base64.
const ACCEPT_LEN: usize = 28;

impl Accept {
    /// The answer to the value of `sec-websocket-key`.
    fn to_key(key: &[u8]) -> Self {
        let digest = Sha1::new().chain_update(key).chain_update(GUID).finalize();
        let mut text = [0; ACCEPT_LEN];
        let written = STANDARD.encode_slice(digest, &mut text);
        assert_eq!(written, Ok(ACCEPT_LEN), "20 bytes are 28 in base64");
        Self { text }
    }

    /// The header's value.
    #[must_use]
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.text).expect("base64 is ASCII")
    }
}

/// Whether a header, all its lines together, lists the token.
fn any_lists(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    headers.get_all(name).iter().any(|line| lists(line.as_bytes(), token))
}

/// Whether a line of a header lists the token, in whatever case.
#[inline(always)]
fn lists(line: &[u8], token: &str) -> bool {
    let is_token = |text: &[u8]| text.eq_ignore_ascii_case(token.as_bytes());
    // Nothing else, in most lines, and cheaper than to look for commas.
    is_token(line) || line.split(|byte| *byte == b',').any(|item| is_token(item.trim_ascii()))
}

/// A header's lines as text, for an error to show.
fn shown(headers: &HeaderMap, name: &HeaderName) -> Vec<String> {
    headers.get_all(name).iter().map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_that_of_the_example_in_rfc_6455() {
        assert_eq!(Accept::to_key(b"dGhlIHNhbXBsZSBub25jZQ==").as_str(), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }
}
