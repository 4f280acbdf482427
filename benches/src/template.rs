//! Frames that differ in a number alone: filled by the sender, read back by the judge.

use std::ops::Range;

/// A text with one or more places for the same number.
///
/// The number is ten digits wide wherever it stands, so that all frames of a template are equally long and a
/// received one is checked byte for byte: a comparison, no parser.
#[derive(Clone, Debug)]
pub struct Template {
    /// The text with digits in the holes.
    text: Vec<u8>,
    /// Where each hole starts, in bytes.
    holes: Vec<usize>,
}

/// Ten digits without a leading zero, as JSON wants it: number 0 is written as this.
const FIRST: u64 = 1_000_000_000;
const WIDTH: usize = 10;
const HOLE: &str = "{n}";

impl Template {
    /// A template from a text that marks its holes with `{n}`.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut pieces = text.split(HOLE);
        let mut filled = pieces.next().unwrap_or_default().as_bytes().to_vec();
        let mut holes = Vec::new();
        for piece in pieces {
            holes.push(filled.len());
            filled.extend_from_slice(FIRST.to_string().as_bytes());
            filled.extend_from_slice(piece.as_bytes());
        }
        Self { text: filled, holes }
    }

    /// The length of every text made from it, in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// Whether it has no text at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The text with `number` in its holes.
    #[must_use]
    pub fn fill(&self, number: u32) -> Vec<u8> {
        let digits = (FIRST + u64::from(number)).to_string();
        let mut text = self.text.clone();
        for &hole in &self.holes {
            text[hole..hole + WIDTH].copy_from_slice(digits.as_bytes());
        }
        text
    }

    /// The number that `text` was filled with; `None` if it is no text of this template.
    #[must_use]
    pub fn read(&self, text: &[u8]) -> Option<u32> {
        let (&first, more) = self.holes.split_first()?;
        if text.len() != self.text.len() {
            return None;
        }
        let same = |range: Range<usize>| text[range.clone()] == self.text[range];
        let digits = &text[first..first + WIDTH];
        let mut at = first + WIDTH;
        let mut fits = same(0..first);
        for &hole in more {
            fits &= same(at..hole) && &text[hole..hole + WIDTH] == digits;
            at = hole + WIDTH;
        }
        if !fits || !same(at..text.len()) {
            return None;
        }
        let mut number = 0;
        for digit in digits {
            number = number * 10 + u64::from(digit.checked_sub(b'0').filter(|&digit| digit < 10)?);
        }
        u32::try_from(number.checked_sub(FIRST)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn number_comes_back_from_what_it_filled() {
        let template = Template::new(r#"["1","{n}","t","echo",{"n":{n}}]"#);

        for number in [0, 7, 4_000_000_000] {
            assert_eq!(template.read(&template.fill(number)), Some(number));
        }
    }

    #[test]
    fn any_changed_byte_is_noticed() {
        let template = Template::new("a{n}b{n}c");
        let text = template.fill(5);

        for at in 0..text.len() {
            let mut changed = text.clone();
            changed[at] ^= 1;
            assert_eq!(template.read(&changed), None, "byte {at}");
        }
    }

    #[test]
    fn text_of_another_length_is_refused() {
        let template = Template::new("a{n}");
        assert_eq!(template.read(b"a1"), None);
        assert_eq!(template.read(b"a10000000000"), None);
    }
}
