//! JSON as serde_json sees it.
//!
//! A raw scan by serde_json neither limits depth nor minds lone surrogates, and a full parse refuses numbers
//! that are merely large. So texts are taken apart here level by level, and strings are parsed one by one.

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// What a text is.
pub(super) enum Text<'a> {
    /// Its root value, whitespace around it left out, and how many arrays and objects lie in one another.
    Json {
        root: &'a str,
        depth: usize,
    },
    /// Deeper than [`FAR`]. Whether what lies below is JSON has not been looked at.
    Deep,
    Broken,
}

/// Past every limit, and near enough to be looked at level by level.
const FAR: usize = 200;

/// Looks at a text.
pub(super) fn read(text: &str) -> Text<'_> {
    let Ok(root) = serde_json::from_str::<&RawValue>(text) else { return Text::Broken };
    let root = root.get();
    let mut depth = 0;
    let mut values = vec![(root, 0)];
    while let Some((value, around)) = values.pop() {
        let inner = match value.as_bytes().first() {
            Some(b'[') => items(value),
            Some(b'{') => members(value).map(|members| members.into_iter().map(|(_, value)| value).collect()),
            Some(b'"') if string(value).is_none() => None,
            _ => continue,
        };
        let Some(inner) = inner else { return Text::Broken };
        depth = depth.max(around + 1);
        if depth > FAR {
            return Text::Deep;
        }
        values.extend(inner.into_iter().map(|value| (value, around + 1)));
    }
    Text::Json { root, depth }
}

/// The items of an array, as they are written.
pub(super) fn items(json: &str) -> Option<Vec<&str>> {
    let items: Vec<&RawValue> = serde_json::from_str(json).ok()?;
    Some(items.into_iter().map(RawValue::get).collect())
}

/// The members of an object: keys unescaped, values as they are written.
pub(super) fn members(json: &str) -> Option<Vec<(String, &str)>> {
    let Members(members) = serde_json::from_str(json).ok()?;
    Some(members.into_iter().map(|(key, value)| (key, value.get())).collect())
}

/// What a string stands for.
pub(super) fn string(json: &str) -> Option<String> {
    serde_json::from_str(json).ok()
}

/// An object, keys that are there twice included.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}
