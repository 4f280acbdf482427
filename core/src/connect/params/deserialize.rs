//! Parameters as the type that an application asks for.

use super::{Param, Params};
use serde::de::value::{MapDeserializer, SeqDeserializer, StrDeserializer};
use serde::de::{Deserialize, Deserializer, Error, Expected, IntoDeserializer, Unexpected, Visitor};
use serde::forward_to_deserialize_any;
use std::fmt;

/// Why parameters are not the `T` that was asked for: the peer's fault.
///
/// It never repeats a value, since that may be a password in the wrong place.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShapeError {
    /// A parameter is missing.
    Missing {
        /// Its name.
        field: &'static str,
    },
    /// A parameter is something else.
    Expected {
        /// What it should be.
        what: String,
    },
    /// A parameter is none of these words.
    NoneOf {
        /// The words that `T` knows.
        known: &'static [&'static str],
    },
    /// What a type's own `Deserialize` says.
    Other(String),
}

impl fmt::Display for ShapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { field } => write!(f, "missing parameter `{field}`"),
            Self::Expected { what } => write!(f, "a parameter is not {what}"),
            Self::NoneOf { known } => write!(f, "a parameter is none of {known:?}"),
            Self::Other(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for ShapeError {}

impl Error for ShapeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Other(message.to_string())
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Expected { what: expected.to_string() }
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Expected { what: expected.to_string() }
    }

    fn unknown_variant(_: &str, known: &'static [&'static str]) -> Self {
        Self::NoneOf { known }
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing { field }
    }
}

pub(super) fn read<'de, T: Deserialize<'de>>(params: &'de Params) -> Result<T, ShapeError> {
    T::deserialize(Node::Map(params))
}

#[derive(Clone, Copy)]
enum Node<'de> {
    Text(&'de str),
    List(&'de [Param]),
    Map(&'de Params),
}

impl<'de> From<&'de Param> for Node<'de> {
    fn from(param: &'de Param) -> Self {
        match param {
            Param::Text(text) => Node::Text(text),
            Param::List(items) => Node::List(items),
            Param::Map(params) => Node::Map(params),
        }
    }
}

impl<'de> IntoDeserializer<'de, ShapeError> for Node<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// Reads a text as what the visitor wants if it can be read so; any other node as it is.
macro_rules! read_from_text {
    ($($deserialize:ident => $visit:ident,)*) => {$(
        fn $deserialize<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
            match self {
                Self::Text(text) => match text.parse() {
                    Ok(value) => visitor.$visit(value),
                    Err(_) => Err(ShapeError::invalid_value(Unexpected::Str(text), &visitor)),
                },
                Self::List(_) | Self::Map(_) => self.deserialize_any(visitor),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Node<'de> {
    type Error = ShapeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        match self {
            Self::Text(text) => visitor.visit_borrowed_str(text),
            Self::List(items) => SeqDeserializer::new(items.iter().map(Node::from)).deserialize_any(visitor),
            Self::Map(params) => {
                let entries = params.entries.iter().map(|(key, param)| (key.as_str(), Node::from(param)));
                MapDeserializer::new(entries).deserialize_any(visitor)
            }
        }
    }

    read_from_text! {
        deserialize_bool => visit_bool,
        deserialize_i8 => visit_i8,
        deserialize_i16 => visit_i16,
        deserialize_i32 => visit_i32,
        deserialize_i64 => visit_i64,
        deserialize_i128 => visit_i128,
        deserialize_u8 => visit_u8,
        deserialize_u16 => visit_u16,
        deserialize_u32 => visit_u32,
        deserialize_u64 => visit_u64,
        deserialize_u128 => visit_u128,
        deserialize_f32 => visit_f32,
        deserialize_f64 => visit_f64,
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ShapeError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ShapeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ShapeError> {
        match self {
            Self::Text(text) => StrDeserializer::new(text).deserialize_enum(name, variants, visitor),
            Self::List(_) | Self::Map(_) => self.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier
        ignored_any
    }
}
