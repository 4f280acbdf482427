//! An auth token that travels among the subprotocols.

use base64::Engine;
use base64::engine::general_purpose::{
    STANDARD_NO_PAD, STANDARD_NO_PAD_INDIFFERENT, URL_SAFE_NO_PAD_INDIFFERENT,
};
use std::fmt;

/// What a subprotocol that is a token starts with.
const PREFIX: &str = "base64url.bearer.phx.";

/// Why the entry that should carry a token carries none: the peer's fault, answered with 400 (Phoenix: 500).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthTokenError {
    /// It is not base64.
    NotBase64,
    /// What it encodes is not UTF-8.
    NotUtf8,
}

impl fmt::Display for AuthTokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotBase64 => "the auth token is not base64",
            Self::NotUtf8 => "the auth token is not UTF-8",
        })
    }
}

impl std::error::Error for AuthTokenError {}

/// Makes the subprotocol entry that carries a token, as a client sends it.
///
/// Shape: `base64url.bearer.phx.dG9rPz5+` for the token `tok?>~`. Despite its name it is the standard
/// alphabet, without padding: Phoenix 1.8 decodes no other.
#[must_use]
pub fn encode_auth_token(token: &str) -> String {
    let mut entry = PREFIX.to_owned();
    STANDARD_NO_PAD.encode_string(token, &mut entry);
    entry
}

/// Decodes a subprotocol entry that carries a token; `None` if it is an ordinary subprotocol.
///
/// Both alphabets are taken, with and without padding.
///
/// # Errors
/// [`AuthTokenError`] if it carries garbage.
///
/// Source: Phoenix `Transports.WebSocket`; there the URL-safe alphabet crashes.
pub fn decode_auth_token(entry: &str) -> Option<Result<String, AuthTokenError>> {
    entry.strip_prefix(PREFIX).map(decode)
}

pub(super) fn is_auth_token(entry: &str) -> bool {
    entry.starts_with(PREFIX)
}

fn decode(encoded: &str) -> Result<String, AuthTokenError> {
    let engine = if encoded.contains(['-', '_']) {
        &URL_SAFE_NO_PAD_INDIFFERENT
    } else {
        &STANDARD_NO_PAD_INDIFFERENT
    };
    let bytes = engine.decode(encoded).map_err(|_| AuthTokenError::NotBase64)?;
    String::from_utf8(bytes).map_err(|_| AuthTokenError::NotUtf8)
}
