//! Strings: found, unescaped and written, several bytes at a time.

use super::Error;
use bytes::BufMut;
use std::borrow::Cow;

/// Finds the end of the string whose opening quote is at `at`.
#[inline(always)]
pub(super) fn skip(bytes: &[u8], at: usize) -> Result<usize, Error> {
    let end = skip_plain(bytes, at + 1);
    if bytes.get(end) == Some(&b'"') { Ok(end + 1) } else { skip_escaped(bytes, end) }
}

/// Finds the end of the string whose first special byte is at `at`.
#[cold]
pub(super) fn skip_escaped(bytes: &[u8], mut at: usize) -> Result<usize, Error> {
    loop {
        match bytes.get(at) {
            Some(b'"') => return Ok(at + 1),
            // Escapes come in runs, between which there is nothing to skip.
            Some(b'\\') => at = read_escape(bytes, at)?.1,
            Some(0..0x20) | None => return Err(Error { at }),
            Some(_) => at = skip_plain(bytes, at),
        }
    }
}

/// The string that valid JSON text, quotes included, stands for.
#[inline]
pub(crate) fn decode_string(json: &str) -> Cow<'_, str> {
    let inner = &json[1..json.len() - 1];
    if inner.as_bytes().contains(&b'\\') { Cow::Owned(unescape(inner)) } else { Cow::Borrowed(inner) }
}

/// Which of `names`, all letters, is meant by the inside of a valid JSON string with escapes.
pub(super) fn find_name(inner: &str, names: &[&'static str]) -> Option<&'static str> {
    names.iter().copied().find(|name| {
        let mut rest = inner;
        // An escaped letter takes six bytes. Most keys are ruled out by that: a megabyte of them is cheap.
        inner.len() >= name.len() + 5
            && name.chars().all(|char| next_char(&mut rest) == Some(char))
            && rest.is_empty()
    })
}

/// Whether `text` needs no escapes as a JSON string.
#[inline]
pub(crate) fn is_plain(text: &str) -> bool {
    skip_plain(text.as_bytes(), 0) == text.len()
}

/// Writes `text` as a JSON string, quotes included.
#[inline]
pub(crate) fn write_string(out: &mut impl BufMut, text: &str) {
    let bytes = text.as_bytes();
    out.put_u8(b'"');
    let mut start = 0;
    loop {
        let end = skip_plain(bytes, start);
        out.put_slice(&bytes[start..end]);
        let Some(&special) = bytes.get(end) else { break };
        write_escape(out, special);
        start = end + 1;
    }
    out.put_u8(b'"');
}

/// The length in bytes of what [`write_string`] writes.
#[inline]
pub(crate) fn string_len(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut len = 2 + bytes.len();
    let mut at = skip_plain(bytes, 0);
    while let Some(&special) = bytes.get(at) {
        len += if short_escape(special).is_some() { 1 } else { 5 };
        at = skip_plain(bytes, at + 1);
    }
    len
}

/// Finds the first byte from `at` on that cannot stand for itself: a quote, a backslash, a control character.
#[inline(always)]
pub(super) fn skip_plain(bytes: &[u8], at: usize) -> usize {
    // Most strings are short: names, refs, keys.
    let Some(rest) = bytes.get(at..) else { return bytes.len() };
    let Some((word, rest)) = rest.split_first_chunk::<8>() else { return skip_plain_blocks(bytes, at) };
    let special = special_lanes(u64::from_le_bytes(*word));
    if special != 0 {
        return at + lane(special);
    }
    let Some(word) = rest.first_chunk::<8>() else { return skip_plain_blocks(bytes, at + 8) };
    let special = special_lanes(u64::from_le_bytes(*word));
    if special != 0 { at + 8 + lane(special) } else { skip_plain_blocks(bytes, at + 16) }
}

/// The same in blocks, words, bytes.
#[inline(never)]
fn skip_plain_blocks(bytes: &[u8], at: usize) -> usize {
    let mut rest = &bytes[at..];
    while let Some((block, behind)) = rest.split_first_chunk::<32>()
        && !block.iter().fold(false, |found, &byte| found | is_special(byte))
    {
        rest = behind;
    }
    while let Some((word, behind)) = rest.split_first_chunk::<8>() {
        let special = special_lanes(u64::from_le_bytes(*word));
        if special != 0 {
            return bytes.len() - rest.len() + lane(special);
        }
        rest = behind;
    }
    let plain = rest.iter().position(|&byte| is_special(byte)).unwrap_or(rest.len());
    bytes.len() - rest.len() + plain
}

#[inline]
fn is_special(byte: u8) -> bool {
    byte < 0x20 || byte == b'"' || byte == b'\\'
}

/// Sets the top bit of each byte of `word` that is special; exact up to the lowest one that is set.
///
/// With its second bit turned over, a quote is the one printable character below `!`, behind the control
/// characters. A lane borrows from the one above only if it is itself special, so false alarms lie above true
/// ones.
#[inline]
fn special_lanes(word: u64) -> u64 {
    const LOW: u64 = u64::from_ne_bytes([0x01; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    let control_or_quote = (word ^ (LOW * 0x02)).wrapping_sub(LOW * 0x21);
    let backslash = (word ^ (LOW * u64::from(b'\\'))).wrapping_sub(LOW);
    (control_or_quote | backslash) & !word & HIGH
}

/// The place of the lowest byte that is set.
#[inline]
fn lane(lanes: u64) -> usize {
    lanes.trailing_zeros() as usize / 8
}

/// The inside of a valid JSON string, escapes resolved.
fn unescape(inner: &str) -> String {
    let bytes = inner.as_bytes();
    let mut text = String::with_capacity(inner.len());
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'\\' {
            let (char, end) = read_escape(bytes, at).expect("a scanned string has valid escapes");
            text.push(char);
            at = end;
        } else {
            let end = skip_plain(bytes, at);
            text.push_str(&inner[at..end]);
            at = end;
        }
    }
    text
}

/// Takes the first character off the inside of a valid JSON string.
fn next_char(inner: &mut &str) -> Option<char> {
    let first = inner.chars().next()?;
    let (char, end) = match first {
        '\\' => read_escape(inner.as_bytes(), 0).expect("a scanned string has valid escapes"),
        plain => (plain, plain.len_utf8()),
    };
    *inner = &inner[end..];
    Some(char)
}

/// Reads the escape whose backslash is at `at`: its character, and where it ends.
#[inline]
fn read_escape(bytes: &[u8], at: usize) -> Result<(char, usize), Error> {
    let char = match bytes.get(at + 1) {
        Some(b'u') => return read_unicode_escape(bytes, at),
        Some(&plain @ (b'"' | b'\\' | b'/')) => char::from(plain),
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        _ => return Err(Error { at }),
    };
    Ok((char, at + 2))
}

/// Reads `\u00e9`, or the pair `\ud83d\ude80`, at `at`.
fn read_unicode_escape(bytes: &[u8], at: usize) -> Result<(char, usize), Error> {
    let invalid = Error { at };
    let first = read_unit(bytes, at).ok_or(invalid)?;
    if let Some(char) = char::from_u32(first) {
        return Ok((char, at + 6));
    }
    let second = read_unit(bytes, at + 6).ok_or(invalid)?;
    if !matches!((first, second), (0xd800..=0xdbff, 0xdc00..=0xdfff)) {
        return Err(invalid);
    }
    let char = 0x1_0000 + ((first & 0x3ff) << 10 | second & 0x3ff);
    Ok((char::from_u32(char).expect("a surrogate pair is a character"), at + 12))
}

/// The UTF-16 code unit that is written as a backslash, `u` and four hexadecimal digits at `at`.
fn read_unit(bytes: &[u8], at: usize) -> Option<u32> {
    let [b'\\', b'u', digits @ ..] = bytes.get(at..)?.first_chunk::<6>()? else { return None };
    digits.iter().try_fold(0, |unit, &digit| Some(unit << 4 | char::from(digit).to_digit(16)?))
}

#[cold]
fn write_escape(out: &mut impl BufMut, special: u8) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    match short_escape(special) {
        Some(letter) => out.put_slice(&[b'\\', letter]),
        None => {
            let [high, low] = [special >> 4, special & 0xf].map(|digit| DIGITS[usize::from(digit)]);
            out.put_slice(&[b'\\', b'u', b'0', b'0', high, low]);
        }
    }
}

/// The letter behind the backslash, for what has an escape of two bytes.
fn short_escape(special: u8) -> Option<u8> {
    match special {
        b'"' | b'\\' => Some(special),
        0x08 => Some(b'b'),
        0x0c => Some(b'f'),
        b'\n' => Some(b'n'),
        b'\r' => Some(b'r'),
        b'\t' => Some(b't'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn runs_end_at_the_first_special_byte(bytes in prop::collection::vec(any::<u8>(), 0..40), start in 0..8usize) {
            let start = start.min(bytes.len());
            let special = |byte: &u8| *byte < 0x20 || matches!(byte, b'"' | b'\\');
            let first = bytes[start..].iter().position(special).map_or(bytes.len(), |at| start + at);

            prop_assert_eq!(skip_plain(&bytes, start), first);
        }

        #[test]
        fn written_strings_are_those_of_serde_json(text in any::<String>(), control in "[\u{0}-\u{40}\\\\]{0,40}") {
            for text in [text, control] {
                let mut out = Vec::new();
                write_string(&mut out, &text);

                prop_assert_eq!(std::str::from_utf8(&out).unwrap(), serde_json::to_string(&text).unwrap());
                prop_assert_eq!(string_len(&text), out.len());
                prop_assert_eq!(decode_string(std::str::from_utf8(&out).unwrap()), text);
            }
        }
    }

    #[test]
    fn escapes_are_resolved() {
        let cases = [
            (r#""\u00e9\ud83d\ude80\/""#, "é🚀/"),
            (r#""\"\\\b\f\n\r\t""#, "\"\\\u{8}\u{c}\n\r\t"),
            (r#""aé\u0000z""#, "aé\0z"),
        ];
        for (json, text) in cases {
            assert_eq!(decode_string(json), text);
        }
    }

    #[test]
    fn a_name_is_found_whatever_its_escapes() {
        let names = ["event", "topic", "t"];
        for inner in [r"t\u006fpic", r"\u0074\u006f\u0070\u0069\u0063"] {
            assert_eq!(find_name(inner, &names), Some("topic"), "{inner}");
        }
        for inner in [r"\u0074opi", r"\u0074opics", r"topic\n", r"\ntopic", r"\u0054opic"] {
            assert_eq!(find_name(inner, &names), None, "{inner}");
        }
    }

    #[test]
    fn strings_without_escapes_are_borrowed() {
        assert!(matches!(decode_string("\"room:café\""), Cow::Borrowed("room:café")));
    }
}
