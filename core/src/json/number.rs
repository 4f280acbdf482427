//! Numbers, by their grammar alone: nobody asks for their value here.

use super::Error;

/// Finds the end of the number that starts at `at` with a digit or a minus.
#[inline]
pub(super) fn skip(bytes: &[u8], mut at: usize) -> Result<usize, Error> {
    if byte(bytes, at) == b'-' {
        at += 1;
    }
    at = match byte(bytes, at) {
        // Nothing but a point or an exponent follows a leading zero.
        b'0' => at + 1,
        _ => digits(bytes, at)?,
    };
    if byte(bytes, at) == b'.' {
        at = digits(bytes, at + 1)?;
    }
    if matches!(byte(bytes, at), b'e' | b'E') {
        at += 1;
        if matches!(byte(bytes, at), b'+' | b'-') {
            at += 1;
        }
        at = digits(bytes, at)?;
    }
    Ok(at)
}

/// Finds the end of a run of digits, at least one.
#[inline]
fn digits(bytes: &[u8], start: usize) -> Result<usize, Error> {
    let mut at = start;
    while byte(bytes, at).is_ascii_digit() {
        at += 1;
    }
    if at == start { Err(Error { at }) } else { Ok(at) }
}

/// The byte at `at`; past the end 0, which no number has.
#[inline]
fn byte(bytes: &[u8], at: usize) -> u8 {
    bytes.get(at).copied().unwrap_or(0)
}
