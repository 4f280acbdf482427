//! Connect parameters: a tree of strings.

mod deserialize;
mod query;

pub use deserialize::ShapeError;
pub use query::QueryError;

use serde::de::Deserialize;
use serde::ser::{Serialize, Serializer};
use serde_json::Value;
use smol_str::SmolStr;
use std::fmt;
use std::ops::Deref;

/// The parameters that a client connects with: its query, and what the path's variables matched.
///
/// Shape: `?token=x&user[name]=ann&tags[]=a&tags[]=b`. All leaves are strings, whatever they look like;
/// [`Params::parse`] turns them into numbers where numbers are asked for. Printing with `{:?}` leaves out
/// what is called a token, a password or a secret: see [`ParameterFilter`](crate::ParameterFilter).
///
/// ```
/// use bennu_core::connect::Params;
///
/// let params = Params::from_query("token=x&page=2&user[name]=ann&tags[]=a&tags[]=b").unwrap();
/// assert_eq!(params.str("page"), Some("2"));
///
/// #[derive(serde::Deserialize)]
/// struct Connect { page: u32, user: User, tags: Vec<String> }
/// #[derive(serde::Deserialize)]
/// struct User { name: String }
///
/// let connect: Connect = params.parse().unwrap();
/// assert_eq!((connect.page, connect.user.name.as_str(), connect.tags.len()), (2, "ann", 2));
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Params {
    /// Sorted by name, each name once. No tree: it is kept as long as its connection lives, and a tree
    /// takes 600 bytes for the first of its few entries.
    entries: Vec<(SmolStr, Param)>,
}

/// One parameter.
#[derive(Clone, PartialEq, Eq)]
pub enum Param {
    /// `key=text`; the empty string for `key` alone.
    Text(ParamText),
    /// `key[]=first&key[]=second`.
    List(Vec<Self>),
    /// `key[inner]=…`.
    Map(Params),
}

/// The text of a parameter: a string, kept in place if it has at most 23 bytes. It is kept as long as its
/// connection lives, and most are short.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ParamText(SmolStr);

impl Deref for ParamText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<T: AsRef<str>> From<T> for ParamText {
    fn from(text: T) -> Self {
        Self(SmolStr::new(text))
    }
}

impl fmt::Debug for ParamText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

/// Parameters were made of a JSON value that is no object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParamsNotAnObject;

impl fmt::Display for ParamsNotAnObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("connect parameters must be a JSON object")
    }
}

impl std::error::Error for ParamsNotAnObject {}

impl Params {
    /// The deepest nesting of a query's keys: `a[b][c]` is three deep.
    pub const MAX_DEPTH: usize = 32;
    /// The most pairs in a query.
    pub const MAX_PAIRS: usize = 1_000;

    /// Decodes a query string, without its `?`.
    ///
    /// | query | parameter |
    /// |---|---|
    /// | `k=1&k=2` | `"2"`: the last one wins |
    /// | `k[a]=1&k[b]=2` | a map |
    /// | `k[]=1&k[]=2` | a list |
    /// | `k[][a]=1&k[][b]=2` | a list of one map with both |
    /// | `k` | `""` |
    /// | `k[a]=1&k[]=2` | what came last, here the list, and of the rest what fits it |
    /// | `k[a`, `[k]` | a string; the key is taken literally |
    ///
    /// # Errors
    /// [`QueryError`] if the percent-encoding is broken or hides what is no UTF-8, and past
    /// [`Params::MAX_DEPTH`] and [`Params::MAX_PAIRS`].
    ///
    /// Source: `Plug.Conn.Query.decode/4`, which knows neither bound.
    pub fn from_query(query: &str) -> Result<Self, QueryError> {
        query::decode(query)
    }

    /// Makes parameters of a JSON object, as if a client had sent them: numbers and booleans become their
    /// text, null becomes the empty string.
    ///
    /// # Errors
    /// [`ParamsNotAnObject`] if the value is something else.
    pub fn from_json(value: Value) -> Result<Self, ParamsNotAnObject> {
        match Param::from_json(value) {
            Param::Map(params) => Ok(params),
            Param::Text(_) | Param::List(_) => Err(ParamsNotAnObject),
        }
    }

    /// The parameter of this name.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Param> {
        self.place(key).ok().map(|place| &self.entries[place].1)
    }

    /// The parameter of this name, if it is a string.
    #[must_use]
    pub fn str(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_text()
    }

    /// Sets a parameter to a string; whatever had that name before is gone.
    pub fn insert(&mut self, key: impl AsRef<str>, text: impl AsRef<str>) {
        let (key, param) = (SmolStr::new(key), Param::Text(ParamText::from(text)));
        match self.place(&key) {
            Ok(place) => self.entries[place].1 = param,
            Err(place) => {
                self.entries.reserve_exact(1);
                self.entries.insert(place, (key, param));
            }
        }
    }

    /// Where the parameter of this name is, or would be.
    fn place(&self, key: &str) -> Result<usize, usize> {
        self.entries.binary_search_by(|(name, _)| name.as_str().cmp(key))
    }

    /// All parameters, sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Param)> {
        self.entries.iter().map(|(key, param)| (key.as_str(), param))
    }

    /// Whether there is no parameter at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Reads the parameters as a `T`, which may borrow from them. Strings that are numbers or booleans can be
    /// read as such.
    ///
    /// # Errors
    /// [`ShapeError`] if they are of another shape. It names no value that a client sent.
    pub fn parse<'a, T: Deserialize<'a>>(&'a self) -> Result<T, ShapeError> {
        deserialize::read(self)
    }
}

impl Param {
    /// The string, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::List(_) | Self::Map(_) => None,
        }
    }

    fn from_json(value: Value) -> Self {
        match value {
            Value::Null => Self::Text(ParamText::default()),
            Value::Bool(truth) => Self::Text(truth.to_string().into()),
            Value::Number(number) => Self::Text(number.to_string().into()),
            Value::String(text) => Self::Text(text.into()),
            Value::Array(items) => Self::List(items.into_iter().map(Self::from_json).collect()),
            Value::Object(entries) => {
                Self::Map(entries.into_iter().map(|(key, value)| (key, Self::from_json(value))).collect())
            }
        }
    }
}

impl FromIterator<(String, Param)> for Params {
    fn from_iter<I: IntoIterator<Item = (String, Param)>>(entries: I) -> Self {
        let mut entries: Vec<_> =
            entries.into_iter().map(|(key, param)| (SmolStr::from(key), param)).collect();
        // Stable, so that of several with one name the last is behind the others.
        entries.sort_by(|(one, _), (other, _)| one.cmp(other));
        entries.reverse();
        entries.dedup_by(|(one, _), (kept, _)| one == kept);
        entries.reverse();
        entries.shrink_to_fit();
        Self { entries }
    }
}

impl Serialize for Params {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl Serialize for Param {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => serializer.collect_seq(items),
            Self::Map(params) => params.serialize(serializer),
        }
    }
}
