//! Queries with brackets in their keys.

use super::super::percent::{self, PercentError, Plus};
use super::{Param, Params};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

/// Why a query string cannot be decoded: the peer's fault, answered with 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum QueryError {
    /// A key or a value is not percent-encoded UTF-8.
    Percent(PercentError),
    /// A key is nested deeper than [`Params::MAX_DEPTH`].
    TooDeep {
        /// How deep it is.
        depth: usize,
    },
    /// There are more pairs than [`Params::MAX_PAIRS`].
    TooManyPairs,
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Percent(_) => f.write_str("the query is not percent-encoded UTF-8"),
            Self::TooDeep { depth } => {
                write!(f, "a parameter is nested {depth} deep, past {}", Params::MAX_DEPTH)
            }
            Self::TooManyPairs => write!(f, "the query has more than {} pairs", Params::MAX_PAIRS),
        }
    }
}

impl std::error::Error for QueryError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Percent(error) => Some(error),
            Self::TooDeep { .. } | Self::TooManyPairs => None,
        }
    }
}

impl From<PercentError> for QueryError {
    fn from(error: PercentError) -> Self {
        Self::Percent(error)
    }
}

/// So many pairs are put straight where they belong: more would be moved for each of them.
const FEW: usize = 16;

pub(super) fn decode(query: &str) -> Result<Params, QueryError> {
    if let Some(params) = decode_few_plain(query)? {
        return Ok(params);
    }
    let mut root = Level::default();
    for (index, pair) in pairs(query).enumerate() {
        if index == Params::MAX_PAIRS {
            return Err(QueryError::TooManyPairs);
        }
        let (key, value) = pair?;
        root.insert(&key_path(&key)?, value.into_owned());
    }
    Ok(root.into_map())
}

/// What nearly all clients send, without a tree of levels; `None` if it is something else.
fn decode_few_plain(query: &str) -> Result<Option<Params>, QueryError> {
    let mut params = Params::default();
    for (index, pair) in pairs(query).enumerate() {
        let (key, value) = pair?;
        if index == FEW || brackets(&key).is_some() {
            return Ok(None);
        }
        params.insert(key, value);
    }
    Ok(Some(params))
}

type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

fn pairs(query: &str) -> impl Iterator<Item = Result<Pair<'_>, QueryError>> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        Ok((percent::decode(key, Plus::Space)?, percent::decode(value, Plus::Space)?))
    })
}

/// One step on the way from the root to a value.
#[derive(Clone, Copy)]
enum Step<'a> {
    /// `name` at the start, `[name]` after it.
    Name(&'a str),
    /// `[]`
    Item,
}

/// The name before a key's brackets, and what is in them.
fn brackets(key: &str) -> Option<(&str, &str)> {
    key.strip_suffix(']').and_then(|open| open.split_once('[')).filter(|(name, _)| !name.is_empty())
}

/// `a[b][]` is the name `a`, the name `b`, an item. A key that does not end its brackets is one plain name.
fn key_path(key: &str) -> Result<Vec<Step<'_>>, QueryError> {
    let Some((name, inner)) = brackets(key) else { return Ok(vec![Step::Name(key)]) };
    let depth = 1 + inner.split("][").count();
    if depth > Params::MAX_DEPTH {
        return Err(QueryError::TooDeep { depth });
    }
    let inner = inner.split("][").map(|name| if name.is_empty() { Step::Item } else { Step::Name(name) });
    Ok(std::iter::once(Step::Name(name)).chain(inner).collect())
}

/// What has been said so far about one key, both as a map and as a list: which of them it becomes is known at
/// the end.
#[derive(Default)]
struct Level {
    named: BTreeMap<String, Named>,
    items: Vec<Item>,
    /// Which of `items` is the level that all of `key[][…]` shares.
    nested_item: Option<usize>,
    shape: Shape,
}

/// What the latest news about a level makes it.
#[derive(Clone, Copy, Default)]
enum Shape {
    #[default]
    Map,
    List,
}

enum Named {
    Text(String),
    Nested(Level),
    /// A string that came after brackets: later brackets do not come back.
    Final(String),
}

enum Item {
    Text(String),
    Nested(Level),
}

impl Level {
    fn insert(&mut self, path: &[Step<'_>], value: String) {
        match path {
            [] => {}
            [Step::Item] => {
                self.shape = Shape::List;
                self.items.push(Item::Text(value));
            }
            [Step::Name(name)] => self.set(name, value),
            [Step::Item, rest @ ..] => self.shared_item().insert(rest, value),
            [Step::Name(name), rest @ ..] => {
                if let Some(level) = self.nested(name) {
                    level.insert(rest, value);
                }
            }
        }
    }

    fn set(&mut self, name: &str, text: String) {
        self.shape = Shape::Map;
        let was_nested = matches!(self.named.get(name), Some(Named::Nested(_) | Named::Final(_)));
        let value = if was_nested { Named::Final(text) } else { Named::Text(text) };
        self.named.insert(name.to_owned(), value);
    }

    /// The level below a name; `None` if a string has replaced it for good.
    fn nested(&mut self, name: &str) -> Option<&mut Self> {
        let named = match self.named.entry(name.to_owned()) {
            Entry::Occupied(entry) => {
                let named = entry.into_mut();
                if let Named::Text(_) = named {
                    self.shape = Shape::Map;
                    *named = Named::Nested(Self::default());
                }
                named
            }
            Entry::Vacant(entry) => {
                self.shape = Shape::Map;
                entry.insert(Named::Nested(Self::default()))
            }
        };
        match named {
            Named::Nested(level) => Some(level),
            Named::Text(_) | Named::Final(_) => None,
        }
    }

    fn shared_item(&mut self) -> &mut Self {
        let index = *self.nested_item.get_or_insert_with(|| {
            self.shape = Shape::List;
            self.items.push(Item::Nested(Self::default()));
            self.items.len() - 1
        });
        match &mut self.items[index] {
            Item::Nested(level) => level,
            Item::Text(_) => unreachable!("`nested_item` is the index of a level"),
        }
    }

    fn into_param(self) -> Param {
        match self.shape {
            Shape::Map => Param::Map(self.into_map()),
            Shape::List => Param::List(self.items.into_iter().map(Item::into_param).collect()),
        }
    }

    fn into_map(self) -> Params {
        self.named.into_iter().map(|(name, named)| (name, named.into_param())).collect()
    }
}

impl Named {
    fn into_param(self) -> Param {
        match self {
            Self::Text(text) | Self::Final(text) => Param::Text(text.into()),
            Self::Nested(level) => level.into_param(),
        }
    }
}

impl Item {
    fn into_param(self) -> Param {
        match self {
            Self::Text(text) => Param::Text(text.into()),
            Self::Nested(level) => level.into_param(),
        }
    }
}
