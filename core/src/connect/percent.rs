//! Percent-decoding that refuses what it cannot decode.

use std::borrow::Cow;
use std::fmt;

/// Why percent-encoded text cannot be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PercentError {
    /// A `%` is not followed by two hexadecimal digits. `at` is its offset in bytes.
    NotHex {
        /// Offset of the `%`, in bytes.
        at: usize,
    },
    /// The decoded bytes are no UTF-8.
    NotUtf8,
}

impl fmt::Display for PercentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotHex { at } => write!(f, "the percent sign at byte {at} has no two hexadecimal digits"),
            Self::NotUtf8 => f.write_str("the decoded text is not UTF-8"),
        }
    }
}

impl std::error::Error for PercentError {}

/// What `+` stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plus {
    /// A space, as in forms and queries.
    Space,
    /// Itself, as in paths.
    Plus,
}

/// Decodes `%XX`, and `+` as `plus` says.
pub(super) fn decode(text: &str, plus: Plus) -> Result<Cow<'_, str>, PercentError> {
    let bytes = text.as_bytes();
    if !bytes.iter().any(|byte| matches!(byte, b'%' | b'+')) {
        return Ok(Cow::Borrowed(text));
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'%' => {
                let digits = (hex(bytes.get(at + 1)), hex(bytes.get(at + 2)));
                let (Some(high), Some(low)) = digits else {
                    return Err(PercentError::NotHex { at });
                };
                out.push(high << 4 | low);
                at += 3;
                continue;
            }
            b'+' if plus == Plus::Space => out.push(b' '),
            _ => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8(out).map(Cow::Owned).map_err(|_| PercentError::NotUtf8)
}

fn hex(digit: Option<&u8>) -> Option<u8> {
    match digit? {
        d @ b'0'..=b'9' => Some(d - b'0'),
        d @ b'a'..=b'f' => Some(d - b'a' + 10),
        d @ b'A'..=b'F' => Some(d - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plus_is_a_space_in_queries_only() {
        assert_eq!(decode("a+b%2B", Plus::Space).unwrap(), "a b+");
        assert_eq!(decode("a+b", Plus::Plus).unwrap(), "a+b");
    }

    #[test]
    fn both_cases_of_hex_digits_decode() {
        assert_eq!(decode("%C3%a9", Plus::Space).unwrap(), "é");
    }

    #[test]
    fn percent_without_two_digits_is_refused() {
        for (text, at) in [("%", 0), ("a%4", 1), ("%zz", 0), ("%4g", 0), ("ab%+1", 2)] {
            assert_eq!(decode(text, Plus::Space), Err(PercentError::NotHex { at }), "{text}");
        }
    }

    #[test]
    fn bytes_that_are_no_utf8_are_refused() {
        for text in ["%ff", "%C3", "a%80b"] {
            assert_eq!(decode(text, Plus::Space), Err(PercentError::NotUtf8), "{text}");
        }
    }
}
