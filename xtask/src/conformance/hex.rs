//! Bytes as the scenarios write them: `00 01 0d 'room:lobby' deadbeef`.

use super::failure::Failure;

/// Reads hex digits with spaces anywhere; text in single quotes stands for its UTF-8 bytes.
pub(crate) fn parse(text: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::with_capacity(text.len() / 2);
    let mut high: Option<u8> = None;
    for (index, part) in text.split('\'').enumerate() {
        let quoted = index % 2 == 1;
        if quoted {
            bytes.extend_from_slice(part.as_bytes());
            continue;
        }
        for digit in part.chars().filter(|c| !c.is_whitespace()) {
            let Some(value) = digit.to_digit(16).and_then(|value| u8::try_from(value).ok()) else {
                return Err(Failure::new(format!("not a hex digit: {digit:?} in {text:?}")));
            };
            match high.take() {
                None => high = Some(value),
                Some(first) => bytes.push(first << 4 | value),
            }
        }
        if high.is_some() {
            return Err(Failure::new(format!("half a byte in {text:?}")));
        }
    }
    if text.matches('\'').count() % 2 == 1 {
        return Err(Failure::new(format!("a quote is not closed in {text:?}")));
    }
    Ok(bytes)
}

/// Writes bytes as hex digits, at most the first 300 of them.
pub(crate) fn show(bytes: &[u8]) -> String {
    const SHOWN: usize = 300;
    let digits: String = bytes.iter().take(SHOWN).map(|byte| format!("{byte:02x}")).collect();
    let cut = if bytes.len() > SHOWN { "…" } else { "" };
    format!("{digits}{cut} ({} bytes)", bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_and_quoted_text_mix() {
        let bytes = parse("00 0102 'é1' ff").unwrap();

        assert_eq!(bytes, [0, 1, 2, 0xc3, 0xa9, b'1', 0xff]);
    }

    #[test]
    fn spaces_may_stand_inside_a_byte_and_inside_quotes() {
        assert_eq!(parse("d e 'a b'").unwrap(), [0xde, b'a', b' ', b'b']);
    }

    #[test]
    fn what_is_not_hex_is_refused() {
        assert!(parse("0g").is_err());
        assert!(parse("012").is_err());
        assert!(parse("00 'open").is_err());
    }
}
