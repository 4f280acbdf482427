//! Events as a serde enum: the event's name is the variant.

use super::{ParseError, Payload};
use serde::Deserialize;
use serde::de::value::BorrowedBytesDeserializer;
use serde::de::{self, DeserializeSeed, Deserializer, EnumAccess, VariantAccess, Visitor};
use serde::forward_to_deserialize_any;
use std::fmt;

/// Why an event and its payload are not the enum that was asked for.
#[derive(Debug)]
#[non_exhaustive]
pub enum EventError {
    /// The enum has no variant of this name.
    Unknown {
        /// The event.
        event: String,
    },
    /// The variant is there, and the payload is not what it holds: the peer's fault.
    Payload(ParseError),
}

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { event } => write!(f, "unknown event {event:?}"),
            Self::Payload(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for EventError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unknown { .. } => None,
            Self::Payload(error) => std::error::Error::source(error),
        }
    }
}

impl de::Error for EventError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Payload(ParseError::Json(serde_json::Error::custom(message)))
    }

    fn unknown_variant(variant: &str, _expected: &'static [&'static str]) -> Self {
        Self::Unknown { event: variant.to_owned() }
    }
}

impl Payload {
    /// Reads an event and its payload as an enum: the event is the variant's name, the payload what the
    /// variant holds. A variant without fields takes any payload; one that holds bytes, a binary one.
    ///
    /// ```
    /// use bennu_core::{EventError, Payload, RawJson};
    /// use std::borrow::Cow;
    ///
    /// #[derive(serde::Deserialize)]
    /// #[serde(rename_all = "snake_case")]
    /// enum In<'a> {
    ///     Move { dx: f32 },
    ///     Say(#[serde(borrow)] Cow<'a, str>),
    ///     Save,
    /// }
    ///
    /// let payload = Payload::from(RawJson::parse(r#"{"dx":0.5}"#).unwrap());
    /// assert!(matches!(payload.event("move"), Ok(In::Move { dx: 0.5 })));
    /// assert!(matches!(payload.event("save"), Ok(In::Save)));
    /// assert!(matches!(payload.event::<In<'_>>("fly"), Err(EventError::Unknown { .. })));
    /// assert!(matches!(payload.event::<In<'_>>("say"), Err(EventError::Payload(_))));
    /// ```
    ///
    /// # Errors
    /// [`EventError::Unknown`] if no variant has the event's name, [`EventError::Payload`] if the payload
    /// is not what the variant holds.
    pub fn event<'a, E: Deserialize<'a>>(&'a self, event: &'a str) -> Result<E, EventError> {
        E::deserialize(Source { event, payload: self })
    }
}

/// An event with its payload, as a deserializer of an enum.
#[derive(Clone, Copy)]
struct Source<'a> {
    event: &'a str,
    payload: &'a Payload,
}

impl<'de> Deserializer<'de> for Source<'de> {
    type Error = EventError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, EventError> {
        visitor.visit_enum(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'a> EnumAccess<'a> for Source<'a> {
    type Error = EventError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'a>>(self, seed: V) -> Result<(V::Value, Self), EventError> {
        let name = de::value::BorrowedStrDeserializer::new(self.event);
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'a> Source<'a> {
    fn read<T>(
        self,
        read: impl FnOnce(&mut serde_json::Deserializer<serde_json::de::SliceRead<'a>>) -> serde_json::Result<T>,
    ) -> Result<T, EventError> {
        let mut json = serde_json::Deserializer::from_slice(self.payload.as_bytes());
        read(&mut json).map_err(|error| EventError::Payload(ParseError::Json(error)))
    }
}

impl<'a> VariantAccess<'a> for Source<'a> {
    type Error = EventError;

    fn unit_variant(self) -> Result<(), EventError> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'a>>(self, seed: T) -> Result<T::Value, EventError> {
        match self.payload {
            Payload::Json(_) => self.read(|json| seed.deserialize(json)),
            Payload::Binary(bytes) => seed.deserialize(BorrowedBytesDeserializer::new(bytes)),
        }
    }

    fn tuple_variant<V: Visitor<'a>>(self, len: usize, visitor: V) -> Result<V::Value, EventError> {
        if matches!(self.payload, Payload::Binary(_)) {
            return Err(EventError::Payload(ParseError::Binary));
        }
        self.read(|json| json.deserialize_tuple(len, visitor))
    }

    fn struct_variant<V: Visitor<'a>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, EventError> {
        if matches!(self.payload, Payload::Binary(_)) {
            return Err(EventError::Payload(ParseError::Binary));
        }
        self.read(|json| json.deserialize_struct("event", fields, visitor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize, Debug, PartialEq)]
    #[serde(rename_all = "snake_case")]
    enum In<'a> {
        Blob(&'a [u8]),
        Pair(u8, u8),
        Empty {},
    }

    fn json(text: &str) -> Payload {
        Payload::from(crate::RawJson::parse(text).unwrap())
    }

    #[test]
    fn bytes_are_read_by_a_variant_that_holds_bytes() {
        assert_eq!(Payload::binary(vec![1, 2]).event::<In<'_>>("blob").unwrap(), In::Blob(&[1, 2]));
    }

    #[test]
    fn variants_of_all_kinds_are_read() {
        assert_eq!(json("[1,2]").event::<In<'_>>("pair").unwrap(), In::Pair(1, 2));
        assert_eq!(json("{}").event::<In<'_>>("empty").unwrap(), In::Empty {});
    }

    #[test]
    fn bytes_where_json_is_due_are_the_peers_fault() {
        let error = Payload::binary(vec![1]).event::<In<'_>>("empty").unwrap_err();

        assert!(matches!(error, EventError::Payload(ParseError::Binary)));
    }
}
