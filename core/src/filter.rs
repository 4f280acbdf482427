//! What of parameters and payloads may be printed.

use crate::connect::{Param, Params};
use crate::json::{Scanner, decode_string};
use crate::{Payload, PayloadSlice};
use std::fmt;
use std::sync::LazyLock;

/// Which values are left out where parameters and payloads are printed: those under a key that is called a token, a
/// password or a secret, at any depth, unless other rules are made.
///
/// The `Debug` of [`Params`], [`Payload`], [`Message`](crate::Message) and [`Frame`](crate::Frame) goes by the
/// default.
///
/// ```
/// use bennu_core::{ParameterFilter, Payload, RawJson};
///
/// let payload = Payload::from(RawJson::parse(r#"{"card":{"pin":1234},"name":"ann","api_token":"x"}"#)?);
///
/// let filter = ParameterFilter::discard(["pin", "token"]);
/// let printed = format!("{:?}", filter.payload(&payload));
/// assert_eq!(printed, r#"Json({"card":{"pin":"[FILTERED]"},"name":"ann","api_token":"[FILTERED]"})"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
///
/// Source: `Phoenix.Logger.filter_values/2` and `config :phoenix, :filter_parameters`, which by default does not filter
/// secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterFilter {
    rule: Rule,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Rule {
    /// Leave out what is under a key that contains one of these, in lower case.
    Discard(Vec<String>),
    /// Leave out all that is not under one of these keys.
    Keep(Vec<String>),
}

/// What becomes of the value under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Hide,
    /// All of it, whatever lies within.
    Show,
    /// Look at what lies within.
    Descend,
}

const FILTERED: &str = "[FILTERED]";

/// Printed in the place of a value that is always a secret.
pub(crate) struct Hidden;

/// What `Debug` goes by.
static BY_DEFAULT: LazyLock<ParameterFilter> =
    LazyLock::new(|| ParameterFilter::discard(["token", "password", "secret"]));

impl Default for ParameterFilter {
    fn default() -> Self {
        BY_DEFAULT.clone()
    }
}

impl ParameterFilter {
    /// Leaves out the values under each key that contains one of these words, in whatever case, and texts that contain
    /// one followed by `=`. Instead of the default, not beside it.
    #[must_use]
    pub fn discard<W: AsRef<str>>(words: impl IntoIterator<Item = W>) -> Self {
        let words = words.into_iter().map(|word| word.as_ref().to_ascii_lowercase());
        Self { rule: Rule::Discard(words.collect()) }
    }

    /// Leaves out all values but those under these very keys.
    #[must_use]
    pub fn keep<K: Into<String>>(keys: impl IntoIterator<Item = K>) -> Self {
        Self { rule: Rule::Keep(keys.into_iter().map(Into::into).collect()) }
    }

    /// The parameters, to be printed with `{:?}`.
    pub fn params<'a>(&'a self, params: &'a Params) -> impl fmt::Debug + 'a {
        Filtered { filter: Some(self), value: params }
    }

    /// The payload, to be printed with `{:?}`. Bytes are printed as they are.
    pub fn payload<'a>(&'a self, payload: &'a Payload) -> impl fmt::Debug + 'a {
        FilteredPayload { filter: self, payload: payload.into() }
    }

    fn verdict(&self, key: &str) -> Verdict {
        match &self.rule {
            Rule::Discard(words) => {
                let key = key.to_ascii_lowercase();
                if words.iter().any(|word| key.contains(word)) { Verdict::Hide } else { Verdict::Descend }
            }
            Rule::Keep(keys) if keys.iter().any(|kept| kept == key) => Verdict::Show,
            Rule::Keep(_) => Verdict::Descend,
        }
    }

    /// Whether a text is left out that is under no key that decides.
    fn hides(&self, text: &str) -> bool {
        match &self.rule {
            Rule::Discard(words) => {
                let text = text.to_ascii_lowercase();
                words.iter().any(|word| {
                    text.match_indices(word).any(|(at, word)| text[at + word.len()..].starts_with('='))
                })
            }
            Rule::Keep(_) => true,
        }
    }

    /// The same for a number, a boolean or null, of JSON.
    fn hides_plain(&self) -> bool {
        matches!(self.rule, Rule::Keep(_))
    }

    /// Writes JSON text as it is, but for what is left out. What is no JSON is left out from there on.
    fn write_json(&self, text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = text;
        while let Some(start) = rest.find(|char| !is_structure(char)) {
            let (between, leaf_on) = rest.split_at(start);
            f.write_str(between)?;
            let Some((leaf, behind)) = take_value(leaf_on) else { return f.write_str(FILTERED) };
            rest = behind;
            if !leaf.starts_with('"') {
                f.write_str(if self.hides_plain() { "\"[FILTERED]\"" } else { leaf })?;
                continue;
            }
            let string = decode_string(leaf);
            let Some(value_on) = behind.trim_ascii_start().strip_prefix(':') else {
                f.write_str(if self.hides(&string) { "\"[FILTERED]\"" } else { leaf })?;
                continue;
            };
            f.write_str(leaf)?;
            let verdict = self.verdict(&string);
            if verdict == Verdict::Descend {
                continue;
            }
            let Some((value, behind)) = take_value(value_on) else { return f.write_str(FILTERED) };
            f.write_str(":")?;
            f.write_str(if verdict == Verdict::Show { value } else { "\"[FILTERED]\"" })?;
            rest = behind;
        }
        f.write_str(rest)
    }
}

/// Whether JSON has this character between strings, numbers and words.
fn is_structure(char: char) -> bool {
    matches!(char, '{' | '}' | '[' | ']' | ':' | ',' | ' ' | '\t' | '\n' | '\r')
}

/// The JSON value that a text begins with, and what comes behind it.
fn take_value(text: &str) -> Option<(&str, &str)> {
    let mut scanner = Scanner::new(text, u128::BITS);
    let value = scanner.value().ok()?;
    Some((value, scanner.rest()))
}

/// A value as a filter lets it be seen; all of it without one.
struct Filtered<'a, T> {
    filter: Option<&'a ParameterFilter>,
    value: &'a T,
}

/// A payload as a filter lets it be seen.
struct FilteredPayload<'a> {
    filter: &'a ParameterFilter,
    payload: PayloadSlice<'a>,
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(FILTERED)
    }
}

impl fmt::Debug for Filtered<'_, Params> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = f.debug_map();
        for (key, value) in self.value.iter() {
            match self.filter.map_or(Verdict::Show, |filter| filter.verdict(key)) {
                Verdict::Hide => map.entry(&key, &Hidden),
                Verdict::Show => map.entry(&key, &Filtered { filter: None, value }),
                Verdict::Descend => map.entry(&key, &Filtered { filter: self.filter, value }),
            };
        }
        map.finish()
    }
}

impl fmt::Debug for Filtered<'_, Param> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let filter = self.filter;
        match self.value {
            Param::Text(text) if filter.is_some_and(|filter| filter.hides(text)) => f.write_str(FILTERED),
            Param::Text(text) => text.fmt(f),
            Param::List(items) => {
                f.debug_list().entries(items.iter().map(|value| Filtered { filter, value })).finish()
            }
            Param::Map(value) => Filtered { filter, value }.fmt(f),
        }
    }
}

impl fmt::Debug for FilteredPayload<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.payload {
            PayloadSlice::Json(text) => {
                f.write_str("Json(")?;
                self.filter.write_json(text, f)?;
                f.write_str(")")
            }
            PayloadSlice::Binary(bytes) => write!(f, "Binary(b\"{}\")", bytes.escape_ascii()),
        }
    }
}

impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        BY_DEFAULT.params(self).fmt(f)
    }
}

impl fmt::Debug for Param {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Filtered { filter: Some(&BY_DEFAULT), value: self }.fmt(f)
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        BY_DEFAULT.payload(self).fmt(f)
    }
}

impl fmt::Debug for PayloadSlice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        FilteredPayload { filter: &BY_DEFAULT, payload: *self }.fmt(f)
    }
}

/// Writes JSON text as `Debug` may show it.
pub(crate) fn write_json(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    BY_DEFAULT.write_json(text, f)
}
