//! Text that arrives in pieces.

/// UTF-8 text whose pieces may end inside a character.
///
/// What is valid is kept as a `String`, so no byte is looked at twice; the start of a character waits
/// in `tail`.
#[derive(Debug, Default)]
pub(super) struct Text {
    valid: String,
    tail: [u8; 4],
    tail_len: usize,
}

/// A byte came that no UTF-8 text can have at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct InvalidUtf8;

impl Text {
    pub(super) fn len(&self) -> usize {
        self.valid.len() + self.tail_len
    }

    pub(super) fn capacity(&self) -> usize {
        self.valid.capacity()
    }

    /// Makes room for `total` bytes, those that are there included.
    pub(super) fn reserve_total(&mut self, total: usize) {
        self.valid.reserve_exact(total.saturating_sub(self.valid.len()));
    }

    /// Appends bytes, and finds the first wrong one at once.
    pub(super) fn push(&mut self, mut bytes: &[u8]) -> Result<(), InvalidUtf8> {
        while self.tail_len > 0 {
            let Some((&byte, rest)) = bytes.split_first() else { return Ok(()) };
            bytes = rest;
            self.push_to_tail(byte)?;
        }
        let error = match std::str::from_utf8(bytes) {
            Ok(text) => {
                self.valid.push_str(text);
                return Ok(());
            }
            Err(error) => error,
        };
        if error.error_len().is_some() {
            return Err(InvalidUtf8);
        }
        let (whole, start) = bytes.split_at(error.valid_up_to());
        self.valid.push_str(std::str::from_utf8(whole).expect("valid up to here"));
        self.tail[..start.len()].copy_from_slice(start);
        self.tail_len = start.len();
        Ok(())
    }

    /// The text, if it does not end inside a character.
    pub(super) fn finish(self) -> Result<String, InvalidUtf8> {
        if self.tail_len > 0 { Err(InvalidUtf8) } else { Ok(self.valid) }
    }

    /// One byte more of the character that has begun.
    fn push_to_tail(&mut self, byte: u8) -> Result<(), InvalidUtf8> {
        self.tail[self.tail_len] = byte;
        self.tail_len += 1;
        match std::str::from_utf8(&self.tail[..self.tail_len]) {
            Ok(character) => {
                self.valid.push_str(character);
                self.tail_len = 0;
                Ok(())
            }
            Err(error) if error.error_len().is_some() => Err(InvalidUtf8),
            Err(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many bytes are taken, one at a time, before the first error.
    fn accepted(bytes: &[u8]) -> usize {
        let mut text = Text::default();
        bytes.iter().take_while(|byte| text.push(&[**byte]).is_ok()).count()
    }

    #[test]
    fn pieces_may_end_inside_a_character() {
        let whole = "aä€𐍈z";

        for cut in 0..=whole.len() {
            let mut text = Text::default();
            text.push(&whole.as_bytes()[..cut]).unwrap();
            text.push(&whole.as_bytes()[cut..]).unwrap();
            assert_eq!(text.finish().as_deref(), Ok(whole), "cut at {cut}");
        }
    }

    #[test]
    fn the_first_wrong_byte_is_the_one_refused() {
        assert_eq!(accepted(&[0x61, 0x80]), 1, "a stray continuation");
        assert_eq!(accepted(&[0xc0, 0x80]), 0, "an overlong form");
        assert_eq!(accepted(&[0xe0, 0x9f]), 1, "an overlong form");
        assert_eq!(accepted(&[0xed, 0xa0]), 1, "a surrogate");
        assert_eq!(accepted(&[0xf4, 0x90]), 1, "past the last character");
        assert_eq!(accepted(&[0xe2, 0x82, 0x61]), 2, "a character cut short");
    }

    #[test]
    fn an_end_inside_a_character_is_an_error() {
        let mut text = Text::default();
        text.push(&[0x61, 0xe2, 0x82]).unwrap();

        assert_eq!(text.len(), 3);
        assert_eq!(text.finish(), Err(InvalidUtf8));
    }
}
