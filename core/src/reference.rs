//! `ref` and `join_ref`.

use std::fmt;

/// A `ref` or `join_ref`: what ties a reply to its message, and a message to its join.
///
/// Clients send strings (`"12"`), but Phoenix takes any JSON value, compares it by type and value, and
/// sends it back as it came; so does Bennu. The value is kept as its JSON text, at most
/// [`Ref::MAX_LEN`] bytes of it. `null` is no `Ref`: fields that may be null are `Option<Ref>`.
///
/// ```
/// use bennu_core::Ref;
///
/// assert_eq!(Ref::text("1").as_json(), r#""1""#);
/// assert_ne!(Ref::text("1"), Ref::from_json("1").unwrap());
/// ```
///
/// Sixteen bytes, and as many where it is an option: messages carry two, and every channel keeps one.
#[derive(Clone)]
pub struct Ref {
    json: Json,
}

/// JSON text, valid and not `null`.
#[derive(Clone)]
enum Json {
    /// What nearly every client sends: a number in quotes.
    Short { len: u8, text: [u8; SHORT] },
    /// Boxed twice, so that it takes no more room than the short ones.
    Long(Box<Box<[u8]>>),
}

/// The longest text that is kept in place, in bytes.
const SHORT: usize = 14;

impl std::ops::Deref for Json {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Short { len, text } => &text[..usize::from(*len)],
            Self::Long(text) => text,
        }
    }
}

impl From<&[u8]> for Json {
    fn from(json: &[u8]) -> Self {
        let Some(len) = u8::try_from(json.len()).ok().filter(|_| json.len() <= SHORT) else {
            return Self::Long(Box::new(json.into()));
        };
        let mut text = [0; SHORT];
        text[..json.len()].copy_from_slice(json);
        Self::Short { len, text }
    }
}

/// A ref is longer than [`Ref::MAX_LEN`] bytes of JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefTooLong;

impl fmt::Display for RefTooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a ref is longer than {} bytes of JSON text", Ref::MAX_LEN)
    }
}

impl std::error::Error for RefTooLong {}

impl Ref {
    /// The longest ref that there can be, in bytes of its JSON text, quotes and escapes included: whatever is taken can
    /// also go out in a binary frame. [What a server takes](crate::wire::DecodeLimits::max_ref) is 64 bytes by default.
    pub const MAX_LEN: usize = 255;

    /// A string ref, for refs that this side makes itself. [`Ref::try_text`] is for those of others.
    ///
    /// # Panics
    /// If the JSON text of `text` is longer than [`Ref::MAX_LEN`] bytes.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::try_text(text).expect("a ref of one's own making is short")
    }

    /// A string ref.
    ///
    /// # Errors
    /// [`RefTooLong`] if its JSON text is longer than [`Ref::MAX_LEN`] bytes.
    pub fn try_text(text: &str) -> Result<Self, RefTooLong> {
        if text.len() + 2 > Self::MAX_LEN {
            return Err(RefTooLong);
        }
        let mut json = Vec::with_capacity(text.len() + 2);
        crate::json::write_string(&mut json, text);
        Self::from_valid_json(&json)
    }

    /// A ref from JSON text that is known to be valid and not `null`.
    pub(crate) fn from_valid_json(json: &[u8]) -> Result<Self, RefTooLong> {
        if json.len() > Self::MAX_LEN {
            return Err(RefTooLong);
        }
        Ok(Self { json: json.into() })
    }

    /// A ref from JSON text; `None` if it is no JSON, `null`, or too long.
    #[must_use]
    pub fn from_json(json: &str) -> Option<Self> {
        let value: &serde_json::value::RawValue = serde_json::from_str(json).ok()?;
        let json = value.get();
        if json == "null" {
            return None;
        }
        Self::from_valid_json(json.as_bytes()).ok()
    }

    /// The JSON text, as it came.
    #[must_use]
    pub fn as_json(&self) -> &str {
        std::str::from_utf8(&self.json).expect("a ref holds JSON text")
    }

    /// The JSON text as bytes: what an encoder copies.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.json
    }

    /// The string that this ref is, if it is a string.
    #[must_use]
    pub fn as_text(&self) -> Option<std::borrow::Cow<'_, str>> {
        let inner = self.json.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        if inner.contains(&b'\\') {
            return serde_json::from_slice(&self.json).ok().map(std::borrow::Cow::Owned);
        }
        std::str::from_utf8(inner).ok().map(std::borrow::Cow::Borrowed)
    }

    /// Whether equal text is the only way to be equal: a string without escapes.
    fn is_plain(&self) -> bool {
        self.json.first() == Some(&b'"') && !self.json.contains(&b'\\')
    }
}

impl PartialEq for Ref {
    /// By type and value, as Phoenix compares: `"1"` is not `1`, and `"\u0031"` is `"1"`.
    fn eq(&self, other: &Self) -> bool {
        if *self.json == *other.json {
            return true;
        }
        if self.is_plain() && other.is_plain() {
            return false;
        }
        // Rare enough to parse: nobody but a test sends such refs.
        let parse = |r: &Self| serde_json::from_slice::<serde_json::Value>(&r.json).ok();
        matches!((parse(self), parse(other)), (Some(a), Some(b)) if a == b)
    }
}

impl Eq for Ref {}

impl fmt::Debug for Ref {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ref({})", self.as_json())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ref_takes_sixteen_bytes_also_as_an_option() {
        assert_eq!(size_of::<Ref>(), 16);
        assert_eq!(size_of::<Option<Ref>>(), 16);
    }

    #[test]
    fn short_and_long_refs_are_kept_as_they_came() {
        for len in 0..=62 {
            let text = "7".repeat(len);

            assert_eq!(Ref::text(&text).as_text().as_deref(), Some(&*text), "{len}");
            assert_eq!(Ref::text(&text), Ref::text(&text).clone());
            assert_ne!(Ref::text(&text), Ref::text(&format!("{}8", "7".repeat(len.max(1) - 1))));
        }
    }

    #[test]
    fn number_and_string_differ() {
        assert_ne!(Ref::text("1"), Ref::from_json("1").unwrap());
    }

    #[test]
    fn escapes_do_not_matter_to_equality() {
        assert_eq!(Ref::from_json(r#""\u0031""#).unwrap(), Ref::text("1"));
        assert_eq!(Ref::from_json(r#"{"a":1,"b":2}"#).unwrap(), Ref::from_json(r#"{"b":2, "a":1}"#).unwrap());
    }

    #[test]
    fn null_is_no_ref() {
        assert_eq!(Ref::from_json("null"), None);
    }

    #[test]
    fn ref_of_255_bytes_fits_and_one_of_256_does_not() {
        assert!(Ref::try_text(&"x".repeat(253)).is_ok());
        assert_eq!(Ref::try_text(&"x".repeat(254)), Err(RefTooLong));
        assert_eq!(Ref::try_text(&"\"".repeat(127)), Err(RefTooLong));
    }

    #[test]
    fn empty_string_is_a_ref() {
        assert_eq!(Ref::text("").as_text().as_deref(), Some(""));
    }
}
