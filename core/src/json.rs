//! JSON text, scanned but never built into a tree.
//!
//! The grammar is RFC 8259's, strictly: no byte order mark, no trailing comma, nothing behind the value.
//! Where parsers differ, this one sides with Elixir's `Jason`, since Phoenix decodes with it: a lone
//! surrogate escape such as `"\ud800"` is an error wherever it stands, though a raw scan by serde_json
//! would let it through; it is no character, and a strict reader to whom it were relayed would end its
//! connection. (`Jason` also refuses floats out of range, such as `1e999`; here a number is its grammar.)

mod number;
mod string;

pub(crate) use string::{decode_string, is_plain, string_len, write_string};

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
#[derive(Clone)]
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
    #[inline(always)]
    pub(crate) fn peek(&mut self) -> u8 {
        peek(self.text.as_bytes(), &mut self.at)
    }

    /// Takes `byte` if it is next, whitespace aside.
    #[inline(always)]
    pub(crate) fn eat(&mut self, byte: u8) -> bool {
        // No arithmetic with the comparison itself, which rustc (1.95 among others) drops when all of this is inlined:
        // https://github.com/rust-lang/rust/issues/158206.
        if self.peek() != byte {
            return false;
        }
        self.at += 1;
        true
    }

    /// Takes `byte`, which has to be next.
    #[inline(always)]
    pub(crate) fn expect(&mut self, byte: u8) -> Result<(), Error> {
        if self.eat(byte) { Ok(()) } else { Err(Error { at: self.at }) }
    }

    /// Takes the next value and returns its text, whitespace around it left out.
    #[inline(always)]
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
    #[inline(always)]
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

    /// Takes the next key and its colon, and returns what stands between its quotes.
    ///
    /// One with escapes comes back as the one of `names` that it stands for. Any other stays escaped, and is
    /// thus none of them; nothing is allocated for it.
    #[inline]
    pub(crate) fn key(&mut self, names: &[&'static str]) -> Result<&'a str, Error> {
        if self.peek() != b'"' {
            return Err(Error { at: self.at });
        }
        let bytes = self.text.as_bytes();
        let start = self.at + 1;
        let plain = string::skip_plain(bytes, start);
        let end =
            if bytes.get(plain) == Some(&b'"') { plain } else { string::skip_escaped(bytes, plain)? - 1 };
        self.at = end + 1;
        self.expect(b':')?;
        let key = &self.text[start..end];
        if end == plain { Ok(key) } else { Ok(string::find_name(key, names).unwrap_or(key)) }
    }

    /// What has not been taken yet.
    pub(crate) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Makes sure that nothing but whitespace is left.
    #[inline(always)]
    pub(crate) fn end(&mut self) -> Result<(), Error> {
        self.peek();
        if self.at == self.text.len() { Ok(()) } else { Err(Error { at: self.at }) }
    }
}

#[inline(always)]
fn peek(bytes: &[u8], at: &mut usize) -> u8 {
    match bytes.get(*at) {
        Some(&byte) if byte > b' ' => byte,
        _ => {
            *at = skip_space(bytes, *at);
            bytes.get(*at).copied().unwrap_or(0)
        }
    }
}

#[cold]
fn skip_space(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = bytes.get(at) {
        at += 1;
    }
    at
}

/// The containers that are open.
struct Nesting {
    /// Whether the innermost one is an object.
    in_object: bool,
    /// The same of those around it, a bit each, so that no input can make it grow; the lowest is the next.
    around: u128,
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
        self.around = self.around << 1 | u128::from(self.in_object);
        self.in_object = object;
        Ok(())
    }

    #[inline]
    fn close(&mut self) {
        self.depth -= 1;
        self.in_object = self.around & 1 == 1;
        self.around >>= 1;
    }
}

/// Finds the end of the value that starts at `at`, where no whitespace may be.
fn skip_value(bytes: &[u8], mut at: usize, levels: u32) -> Result<usize, Error> {
    let mut nesting = Nesting { in_object: false, around: 0, depth: 0, levels };
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
            let byte = peek(bytes, &mut at);
            at += 1;
            match byte {
                b',' if nesting.in_object => {
                    at = skip_key(bytes, at)?;
                    break;
                }
                b',' => break,
                b'}' if nesting.in_object => nesting.close(),
                b']' if !nesting.in_object => nesting.close(),
                _ => return Err(Error { at: at - 1 }),
            }
        }
    }
}

/// Finds the end of a key and its colon.
#[inline(always)]
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    #[test]
    fn the_grammar_is_strict() {
        for text in ["0", "-0", "-1.5e+30", "1E9", "1e999", r#" {"a" : [ ] , "b":[{},null,true ,false]} "#] {
            assert_eq!(scan(text), Ok(()), "{text}");
        }
        for text in [
            "",
            " ",
            "01",
            "-",
            "+1",
            ".5",
            "1.",
            "1e",
            "1e+",
            "--1",
            "0x1",
            "NaN",
            "tru",
            "truee",
            "nul",
            "[1,]",
            "[,1]",
            "[1 2]",
            "[1}",
            "{1:2}",
            r#"{"a"}"#,
            r#"{"a":}"#,
            r#"{"a":1,}"#,
            r#"{"a":1 "b":2}"#,
            "{,}",
            "[",
            "{",
            "]",
            "1 1",
            "[] []",
            "\u{feff}1",
            "\u{a0}1",
            "\u{c}1",
            "\0",
            "'a'",
            "// 1\n1",
        ] {
            assert!(scan(text).is_err(), "{text}");
        }
    }

    #[test]
    fn strings_hold_no_bare_control_character_and_no_unknown_escape() {
        for text in ["", "\u{7f}", "é🚀", r#"\"\\\/\b\f\n\r\t"#, r"\u0000\u00e9\uFFFF", r"\ud83d\ude80"] {
            assert_eq!(scan(&format!("\"{text}\"")), Ok(()), "{text}");
        }
        for text in
            ["\0", "1234567\n", "123456789\u{1f}", r"\x", r"\", r"\u12", r"\u12g4", r"\u+123", r"\U0041"]
        {
            assert!(scan(&format!("\"{text}\"")).is_err(), "{text}");
        }
        assert!(scan("\"open").is_err());
    }

    #[test]
    fn a_lone_surrogate_is_an_error_anywhere() {
        for text in [
            r"\ud800",
            r"\udc00",
            r"\ud800x",
            r"\ud800\u0041",
            r"\ud800\ud800",
            r"\udc00\udc00",
            r"\ude80\ud83d",
        ] {
            assert!(scan(&format!("\"{text}\"")).is_err(), "{text}");
            assert!(scan(&format!("{{\"a\":[\"{text}\"]}}")).is_err(), "{text}");
        }
    }

    #[test]
    fn the_error_names_the_byte() {
        assert_eq!(scan(r#"{"a":x}"#), Err(Error { at: 5 }));
        assert_eq!(scan("[1,2"), Err(Error { at: 4 }));
        assert_eq!(scan("[] x"), Err(Error { at: 3 }));
    }

    #[test]
    fn nesting_ends_at_the_limit() {
        for levels in [1, 5, 127, 128] {
            for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
                let nested = |depth| format!("{}0{}", open.repeat(depth), close.repeat(depth));
                let depth = levels as usize;

                assert_eq!(scan_levels(&nested(depth), levels), Ok(()));
                assert_eq!(scan_levels(&nested(depth + 1), levels), Err(Error::TOO_DEEP));
            }
        }
        assert_eq!(scan(&"[".repeat(100_000)), Err(Error::TOO_DEEP));
    }

    #[test]
    fn brackets_close_what_they_opened_at_every_depth() {
        let open = "[{\"a\":".repeat(64);
        let close = "}]".repeat(64);
        let wrong = format!("{}]}}", "}]".repeat(63));

        assert_eq!(scan(&format!("{open}0{close}")), Ok(()));
        assert!(scan(&format!("{open}0{wrong}")).is_err());
    }

    fn scan(text: &str) -> Result<(), Error> {
        scan_levels(text, 128)
    }

    fn scan_levels(text: &str, levels: u32) -> Result<(), Error> {
        let mut scan = Scanner::new(text, levels);
        scan.value()?;
        scan.end()
    }

    /// What serde_json says: its raw scan for the grammar; then, as that lets lone surrogates through, a full
    /// parse. `None` where the parse stops for another reason than ours.
    fn oracle(text: &str) -> Option<bool> {
        if serde_json::from_str::<&RawValue>(text).is_err() {
            return Some(false);
        }
        let Err(error) = serde_json::from_str::<serde_json::Value>(text) else { return Some(true) };
        let other = ["number out of range", "recursion limit"];
        let error = error.to_string();
        (!other.iter().any(|reason| error.contains(reason))).then_some(false)
    }

    fn agrees(text: &str) -> Result<(), TestCaseError> {
        if let Some(valid) = oracle(text) {
            prop_assert_eq!(scan(text).is_ok(), valid, "{:?}", text);
        }
        Ok(())
    }

    /// What an edit puts in: one character, likely one that JSON has a use for.
    const EDIT: &str = "[\\[\\]{}\",:\\\\u0-9a-f \n\u{1}.eE+dD-]|[a-z]|é";

    fn any_json() -> impl Strategy<Value = String> {
        let scalar = prop_oneof![
            Just("null".to_owned()),
            any::<bool>().prop_map(|value| value.to_string()),
            any::<i64>().prop_map(|value| value.to_string()),
            "-?(0|[1-9][0-9]{0,4})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,2})?",
            any::<String>().prop_map(|text| serde_json::to_string(&text).unwrap()),
            "\"([ -!#-\\[\\]-~é🚀]|\\\\[\"\\\\/bfnrt]|\\\\u00[0-9a-fA-F]{2}|\\\\ud83d\\\\ude80){0,20}\"",
        ];
        scalar.prop_recursive(5, 40, 6, |inner| {
            let space = "[ \t\r\n]{0,2}";
            let key = "\"[a-z]{0,9}\"";
            prop_oneof![
                (prop::collection::vec(inner.clone(), 0..6), space).prop_map(|(items, space)| format!(
                    "[{space}{}{space}]",
                    items.join(&format!("{space},"))
                )),
                (prop::collection::vec((key, inner), 0..6), space).prop_map(|(members, space)| {
                    let members: Vec<_> =
                        members.iter().map(|(key, value)| format!("{key}{space}:{value}")).collect();
                    format!("{{{space}{}}}", members.join(&format!(",{space}")))
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn valid_json_is_taken_whole(json in any_json()) {
            prop_assert_eq!(Scanner::new(&json, 128).value(), Ok(&*json));
            agrees(&json)?;
        }

        #[test]
        fn mutated_json_is_judged_as_serde_json_does(
            json in any_json(),
            edits in prop::collection::vec((any::<prop::sample::Index>(), 0..3u8, EDIT), 1..4),
        ) {
            let mut chars: Vec<char> = json.chars().collect();
            for (index, edit, new) in edits {
                let at = index.index(chars.len() + 1);
                match edit {
                    0 if at < chars.len() => drop(chars.remove(at)),
                    1 if at < chars.len() => chars[at] = new.chars().next().unwrap(),
                    _ => chars.insert(at, new.chars().next().unwrap()),
                }
            }
            agrees(&chars.into_iter().collect::<String>())?;
        }

        #[test]
        fn arbitrary_text_is_judged_as_serde_json_does(
            text in any::<String>(),
            quoted in "\"[\\\\u0-9d-f8/ ]{0,14}\"",
        ) {
            agrees(&text)?;
            agrees(&quoted)?;
        }
    }
}
