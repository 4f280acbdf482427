//! The segments of a token.

use super::TokenError;
use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};

/// Appends the base64 of `bytes`, without padding.
pub(super) fn push(token: &mut String, bytes: &[u8]) {
    URL_SAFE_NO_PAD.encode_string(bytes, token);
}

/// Decodes a segment: without padding or with all of it, as Phoenix does, and in no third spelling. Bits that
/// the last digit does not need have to be zero, or several texts would be the same token.
pub(super) fn decode(segment: &str) -> Result<Vec<u8>, TokenError> {
    let engine = if segment.ends_with('=') { &URL_SAFE } else { &URL_SAFE_NO_PAD };
    engine.decode(segment).map_err(|_| TokenError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_decoded_with_all_of_its_padding_or_none() {
        for segment in ["-w", "-w=="] {
            assert_eq!(decode(segment), Ok(vec![0xfb]), "{segment}");
        }
        for segment in ["-w=", "-w===", "-w==-w", "-x", "-x==", "+w", "-", "-w ", "-w\n"] {
            assert_eq!(decode(segment), Err(TokenError::Malformed), "{segment:?}");
        }
    }
}
