//! JSON text, scanned but never built into a tree.
//!
//! The grammar is RFC 8259's, strictly: no byte order mark, no trailing comma, nothing behind the value.
//! Where parsers differ, this one sides with Elixir's `Jason`, since Phoenix decodes with it: a lone
//! surrogate escape such as `"\ud800"` is an error wherever it stands, though a raw scan by serde_json
//! would let it through; it is no character, and a strict reader to whom it were relayed would end its
//! connection. (`Jason` also refuses floats out of range, such as `1e999`; here a number is its grammar.)

mod number;
mod string;

pub(crate) use string::{decode_string, string_len, write_string};

/// Why text is not JSON: where its grammar breaks, or [`Error::TOO_DEEP`].
///
/// One word, so that the result of every step fits into registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Error {
    /// Offset in bytes.
    pub(crate) at: usize,
}

impl Error {
    /// Arrays and objects are nested deeper than allowed. No text is long enough to break there.
    pub(crate) const TOO_DEEP: Self = Self { at: usize::MAX };
}

/// Reads JSON text from left to right, value by value.
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    levels: u32,
}

impl<'a> Scanner<'a> {
    /// A scanner at the start of `text`, whose values may be nested `levels` deep, at most 128.
    ///
    /// An envelope that the caller takes apart by itself is not counted.
    pub(crate) fn new(text: &'a str, levels: u32) -> Self {
        debug_assert!(levels <= u128::BITS, "the nesting is kept in 128 bits");
        Self { text, at: 0, levels }
    }

    /// The next byte that is no whitespace, which stays; 0, which no JSON has there, at the end.
    #[inline]
    pub(crate) fn peek(&mut self) -> u8 {
        peek(self.text.as_bytes(), &mut self.at)
    }

    /// Takes `byte` if it is next, whitespace aside.
    #[inline]
    pub(crate) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == byte;
        self.at += usize::from(found);
        found
    }

    /// Takes `byte`, which has to be next.
    #[inline]
    pub(crate) fn expect(&mut self, byte: u8) -> Result<(), Error> {
        if self.eat(byte) { Ok(()) } else { Err(Error { at: self.at }) }
    }

    /// Takes the next value and returns its text, whitespace around it left out.
    #[inline]
    pub(crate) fn value(&mut self) -> Result<&'a str, Error> {
        let first = self.peek();
        let start = self.at;
        // The common case, without the machinery of nesting.
        self.at = match first {
            b'"' => string::skip(self.text.as_bytes(), start)?,
            b'n' => skip_word(self.text.as_bytes(), start, b"null")?,
            _ => skip_value(self.text.as_bytes(), start, self.levels)?,
        };
        Ok(&self.text[start..self.at])
    }

    /// Takes the next value if it is a string without escapes, and returns what stands between its quotes.
    #[inline]
    pub(crate) fn plain_string(&mut self) -> Option<&'a str> {
        if self.peek() != b'"' {
            return None;
        }
        let start = self.at + 1;
        let end = string::skip_plain(self.text.as_bytes(), start);
        if self.text.as_bytes().get(end) != Some(&b'"') {
            return None;
        }
        self.at = end + 1;
        Some(&self.text[start..end])
    }

    /// Takes the next value if it is a string, and returns its text, quotes included.
    #[inline]
    pub(crate) fn string(&mut self) -> Result<&'a str, Error> {
        if self.peek() == b'"' { self.value() } else { Err(Error { at: self.at }) }
    }

    /// Makes sure that nothing but whitespace is left.
    #[inline]
    pub(crate) fn end(&mut self) -> Result<(), Error> {
        self.peek();
        if self.at == self.text.len() { Ok(()) } else { Err(Error { at: self.at }) }
    }
}

#[inline]
fn peek(bytes: &[u8], at: &mut usize) -> u8 {
    loop {
        let Some(&byte) = bytes.get(*at) else { return 0 };
        if byte > b' ' || !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
            return byte;
        }
        *at += 1;
    }
}

/// The containers that are open: a bit each, so that no input can make it grow.
struct Nesting {
    /// The innermost container is the lowest bit: 1 for an object, 0 for an array.
    objects: u128,
    depth: u32,
    levels: u32,
}

impl Nesting {
    #[inline]
    fn open(&mut self, object: bool) -> Result<(), Error> {
        if self.depth == self.levels {
            return Err(Error::TOO_DEEP);
        }
        self.depth += 1;
        self.objects = self.objects << 1 | u128::from(object);
        Ok(())
    }

    #[inline]
    fn close(&mut self) {
        self.depth -= 1;
        self.objects >>= 1;
    }

    #[inline]
    fn in_object(&self) -> bool {
        self.objects & 1 == 1
    }
}

/// Finds the end of the value that starts at `at`, where no whitespace may be.
fn skip_value(bytes: &[u8], mut at: usize, levels: u32) -> Result<usize, Error> {
    let mut nesting = Nesting { objects: 0, depth: 0, levels };
    loop {
        match peek(bytes, &mut at) {
            b'"' => at = string::skip(bytes, at)?,
            b'{' => {
                nesting.open(true)?;
                at += 1;
                if peek(bytes, &mut at) != b'}' {
                    at = skip_key(bytes, at)?;
                    continue;
                }
            }
            b'[' => {
                nesting.open(false)?;
                at += 1;
                if peek(bytes, &mut at) != b']' {
                    continue;
                }
            }
            b'-' | b'0'..=b'9' => at = number::skip(bytes, at)?,
            b't' => at = skip_word(bytes, at, b"true")?,
            b'f' => at = skip_word(bytes, at, b"false")?,
            b'n' => at = skip_word(bytes, at, b"null")?,
            _ => return Err(Error { at }),
        }
        // A value lies behind, or an empty container is about to close.
        loop {
            if nesting.depth == 0 {
                return Ok(at);
            }
            match (peek(bytes, &mut at), nesting.in_object()) {
                (b',', true) => {
                    at = skip_key(bytes, at + 1)?;
                    break;
                }
                (b',', false) => {
                    at += 1;
                    break;
                }
                (b'}', true) | (b']', false) => {
                    at += 1;
                    nesting.close();
                }
                _ => return Err(Error { at }),
            }
        }
    }
}

/// Finds the end of a key and its colon.
#[inline]
fn skip_key(bytes: &[u8], mut at: usize) -> Result<usize, Error> {
    if peek(bytes, &mut at) != b'"' {
        return Err(Error { at });
    }
    at = string::skip(bytes, at)?;
    if peek(bytes, &mut at) != b':' {
        return Err(Error { at });
    }
    Ok(at + 1)
}

#[inline]
fn skip_word(bytes: &[u8], at: usize, word: &[u8]) -> Result<usize, Error> {
    if bytes[at..].starts_with(word) { Ok(at + word.len()) } else { Err(Error { at }) }
}
